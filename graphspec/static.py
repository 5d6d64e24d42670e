"""Static expressions: what is computed from literals, attributes, shapes and dtypes when the graph is built."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphspec.attribute import describe
from graphspec.dims import Expr, floordiv, mod, product, symbol
from graphspec.errors import did_you_mean
from graphspec.expression import FACTS, Term, dotted, path_text
from graphspec.types import DTYPES, TensorType


class StaticError(Exception):
    """A static expression cannot be evaluated."""

    def __init__(self, message: str, term: Term, code: str = "GS212", hint: str = ""):
        self.message, self.term, self.code, self.hint = message, term, code, hint
        super().__init__(message)


@dataclass(frozen=True)
class Environment:
    """What names mean in a static expression.

    Attributes:
        attributes: the value of every attribute.
        type_of: the type of the value that a path names; None where it names none.
        given: tells whether an input was given; None where the name is no input.
        dim: in a shape, the dim of a name that is no attribute.
    """

    attributes: Mapping[str, Any] = field(default_factory=dict)
    type_of: Callable[[Term], TensorType | None] = lambda path: None
    given: Callable[[str], bool | None] = lambda name: None
    dim: Callable[[str], Any] = lambda name: None


def in_shape(environment: Environment, dims: Mapping[str, Any] | None = None) -> Environment:
    """Return the environment of a shape, where names that are no attributes are dims: bound ones, else symbols."""

    def dim(name: str) -> Any:
        return symbol(name) if dims is None else dims.get(name)

    return Environment(environment.attributes, environment.type_of, environment.given, dim)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "floor_divide": floordiv,
    "remainder": mod,
}
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
}


def evaluate(term: Term, environment: Environment) -> Any:
    """Return the value of a static term: a number, boolean, string, list, null, dim or reference to an op.

    Raises:
        StaticError: an unknown name, or an operation that its operands do not have.
    """
    if term.kind in ("number", "boolean", "string"):
        return term.value
    if term.kind == "null":
        return None
    handler = _HANDLERS.get(term.kind)
    if handler is None:
        raise StaticError(f"{_words(term)} is computed when the graph runs and cannot stand here", term)
    return handler(term, environment)


def condition(term: Term, environment: Environment) -> bool:
    """Return the value of a static condition, which must be a boolean (L4.3).

    Raises:
        StaticError: it is not.
    """
    value = evaluate(term, environment)
    if not isinstance(value, bool):
        raise StaticError(f"a condition is true or false, found {describe(value)}", term)
    return value


def _name(term: Term, environment: Environment) -> Any:
    if term.value in environment.attributes:
        return environment.attributes[term.value]
    dim = environment.dim(term.value)
    if dim is not None:
        return dim
    if environment.type_of(term) is not None:
        what = f"attributes, {term.value}.shape[i] and {term.value}.dtype can stand here"
        message = f"'{term.value}' is a value, known only when the graph runs; {what}"
        raise StaticError(message, term)
    raise StaticError(f"no attribute is called '{term.value}'", term, hint=f'a string is quoted: "{term.value}"')


def _operation(term: Term, environment: Environment) -> Any:
    values = [evaluate(part, environment) for part in term.parts if part is not None]
    if term.value in ("equal", "not_equal"):
        _require_dtypes(term, values)
        return (values[0] == values[1]) is (term.value == "equal")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float | Expr):
            raise StaticError(f"arithmetic needs numbers, found {describe(value)}", term)
    try:
        return _compute(term, values)
    except (ArithmeticError, ValueError, TypeError) as error:
        raise StaticError(str(error), term) from None


def _require_dtypes(term: Term, values: list[Any]) -> None:
    """Refuse to compare ``x.dtype`` with what is no dtype: the answer could never be yes."""
    for part, other in zip(term.parts, reversed(values), strict=True):
        if part is not None and part.kind == "member" and part.value == "dtype" and other not in DTYPES:
            hint = did_you_mean(other, DTYPES) if isinstance(other, str) else 'a dtype is a string: "float32"'
            raise StaticError(f"expected a dtype to compare with, found {describe(other)}", term, hint=hint)


def static_operation(name: str, values: list[Any]) -> Any:
    """Return the result of an arithmetic operation on numbers and dims, or None where there is none."""
    try:
        found = _compute(Term("operation", name), values)
    except (StaticError, ArithmeticError, ValueError, TypeError):
        return None
    return None if isinstance(found, bool) else found


def _dim_power(dim: Any, exponent: Any) -> Any:
    """Return a power of a symbolic dim, or None where it is no polynomial."""
    if not isinstance(dim, Expr) or not isinstance(exponent, int) or not 0 <= exponent <= 64:
        return None
    return product([dim] * exponent)


def _compute(term: Term, values: list[Any]) -> Any:
    if term.value == "negative":
        return -values[0]
    a, b = values
    if term.value in _ORDER:
        if isinstance(a, Expr) or isinstance(b, Expr):
            raise StaticError(f"{a} and {b} cannot be compared before the symbolic dim has a size", term)
        return _ORDER[term.value](a, b)
    if term.value in ("floor_divide", "remainder") and (isinstance(a, float) or isinstance(b, float)):
        return a // b if term.value == "floor_divide" else a % b
    if term.value in _ARITHMETIC:
        return _ARITHMETIC[term.value](a, b)
    if term.value == "pow" and _dim_power(a, b) is not None:
        return _dim_power(a, b)
    if isinstance(a, Expr) or isinstance(b, Expr):
        raise StaticError(f"a symbolic dim takes part in + - * // % only, found {a} and {b}", term)
    if term.value == "divide":
        return a / b
    if term.value == "pow" and abs(b) <= 1000:
        result = a**b
        if isinstance(result, int | float) and abs(result) < 1e300:
            return result
    raise StaticError(f"'{term.value}' cannot stand in a static expression", term)


def _logic(term: Term, environment: Environment) -> bool:
    parts = [part for part in term.parts if part is not None]
    if term.kind == "not":
        return not condition(parts[0], environment)
    for part in parts:
        if condition(part, environment) is (term.kind == "or"):
            return term.kind == "or"
    return term.kind == "and"


def _conditional(term: Term, environment: Environment) -> Any:
    then, test, otherwise = (part for part in term.parts if part is not None)
    return evaluate(then if condition(test, environment) else otherwise, environment)


def _call(term: Term, environment: Environment) -> Any:
    if term.value == "given":
        name = dotted(term.parts[0]) if len(term.parts) == 1 and term.parts[0] else None
        known = environment.given(name) if name else None
        if known is None:
            raise StaticError("given(x) asks for an input by its name", term)
        return known
    raise StaticError(f"the call of '{term.value}' is computed when the graph runs and cannot stand here", term)


def _member(term: Term, environment: Environment) -> Any:
    """Evaluate ``x.shape``, a list of dims, and ``x.dtype``, a string."""
    base = term.parts[0]
    assert base is not None
    path = path_text(base)
    if term.value not in FACTS:
        hint = did_you_mean(term.value, FACTS) if path else ""
        message = f"the member '{term.value}' is computed when the graph runs and cannot stand here"
        raise StaticError(message, term, hint=hint)
    if path is None:
        hint = "give the value a node of its own"
        raise StaticError(f"only a name has .{term.value} in a static expression", term, hint=hint)
    type = environment.type_of(base)
    if type is None:
        raise StaticError(f"'{path}' is no value whose {term.value} is known here", term, code="GS301")
    return type.shape if term.value == "shape" else type.dtype


def _index(term: Term, environment: Environment) -> Any:
    """Evaluate ``x.shape[i]`` and the item of a list."""
    base, *items = (part for part in term.parts if part is not None)
    if len(items) != 1:
        raise StaticError("one index is expected here", term)
    at = evaluate(items[0], environment)
    values = evaluate(base, environment)
    if not isinstance(values, tuple | list) or isinstance(at, bool) or not isinstance(at, int):
        raise StaticError("a list and an integer index are expected here", term)
    if not -len(values) <= at < len(values):
        raise StaticError(f"index {at} is out of range: there are {len(values)}", term)
    return values[at]


def _list(term: Term, environment: Environment) -> tuple[Any, ...]:
    return tuple(evaluate(part, environment) for part in term.parts if part is not None)


def _words(term: Term) -> str:
    return {"slice": "a slice", "ellipsis": "'...'"}.get(term.kind, "this")


_HANDLERS: Mapping[str, Callable[[Term, Environment], Any]] = {
    "name": _name,
    "operation": _operation,
    "and": _logic,
    "or": _logic,
    "not": _logic,
    "conditional": _conditional,
    "call": _call,
    "index": _index,
    "member": _member,
    "list": _list,
}
