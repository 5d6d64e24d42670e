"""A function with a gradient rule of its own, called alone: what its rule is compared on (rule L7.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from graphspec.attribute import Attribute
from graphspec.declaration import Expression, Function, InputDeclaration, NodeDeclaration, Output, ShapeSlot
from graphspec.dims import evaluate
from graphspec.expression import Term
from graphspec.functions import Builder
from graphspec.graph import Graph
from graphspec.origin import Origin
from graphspec.sample import bind_sizes
from graphspec.scope import Failure, Scope
from graphspec.types import TensorType

NAME: Final = "checked"
"""The node that calls the function; what is inside lies below it."""
SHAPES: Final[tuple[tuple[int, ...], ...]] = ((), (3,), (3, 3))
"""Shapes of inputs without a declared one: scalars, vectors, and matrices where neither can be built."""


def alone(function: Function, shape: tuple[int, ...], attempt: int = 0) -> Function:
    """Return a document that calls ``function`` once, with an input of its own for each of the function's.

    Raises:
        Failure: a shape cannot be computed, or an attribute without default cannot be guessed.
    """
    origin = Origin(function.origin.source, function.origin.mark)
    result = Function(function.name, function.source, origin, None, function.folder)
    result.dtype = function.dtype or function.root.dtype
    result.functions = {NAME: function}
    guesses = dict(_guesses(function))
    result.inputs = {item.name: item for item in _inputs(function, guesses, shape, attempt)}
    keywords = [(name, Term("name", name, ())) for name in result.inputs]
    keywords += [(name, _literal(value)) for name, value in guesses.items()]
    call = Term("call", NAME, (), tuple(keywords))
    result.nodes = {NAME: NodeDeclaration(NAME, origin, Expression(call, origin))}
    names = [output.name for output in function.outputs]
    paths = [NAME] if len(names) == 1 else [f"{NAME}.{name}" for name in names]
    result.outputs = [Output(path, path, origin) for path in paths]
    result.places = dict.fromkeys([*result.inputs, NAME], origin)
    return result


def is_open(declared: InputDeclaration) -> bool:
    """Tell whether an input takes operands of any number of dims."""
    return declared.shape is None or ... in declared.shape.dims


def _inputs(
    function: Function, guesses: dict[str, Any], shape: tuple[int, ...], attempt: int
) -> Iterator[InputDeclaration]:
    """Yield an input with integer dims for each input that is not a switch with a default."""
    known = {name: item.default for name, item in function.attributes.items() if not item.required}
    scope = Scope(function, None, None, None, {"training": False, "dtype": "float64", **known, **guesses})
    scope.ellipsis["..."] = shape
    builder = Builder(Graph())
    patterns: dict[str, tuple[Any, ...]] = {}
    for name, declared in function.inputs.items():
        if isinstance(declared.value, bool) or (declared.dtype == "bool" and declared.value is not None):
            continue
        pattern = shape if declared.shape is None else builder.pattern(declared.shape, scope, open_dims=True)
        patterns[name] = tuple(d for dim in pattern for d in (shape if dim is ... else (dim,)))
    dims: dict[str, int] = {}
    bind_sizes(dims, [TensorType("float64", pattern) for pattern in patterns.values()], attempt)
    for name, pattern in patterns.items():
        sizes = tuple(dim if isinstance(dim, int) else evaluate(dim, dims) for dim in pattern)
        origin = function.inputs[name].origin
        slot = ShapeSlot(sizes, origin, (origin,) * len(sizes))
        yield InputDeclaration(name, origin, slot, function.inputs[name].dtype)


def _guesses(function: Function) -> Iterator[tuple[str, Any]]:
    """Yield a value for every attribute without default."""
    for name, declared in function.attributes.items():
        if declared.required:
            yield name, _guess(declared)


def _guess(declared: Attribute) -> Any:
    if declared.choices:
        return declared.choices[0]
    kind = declared.kinds[0]
    if kind == "integer":
        return int(max(declared.minimum or 0, min(3, declared.maximum or 3)))
    if kind == "float":
        low, high = declared.minimum, declared.maximum
        return 0.5 if low is None and high is None else low + 0.5 if high is None else (high + (low or 0.0)) / 2  # type: ignore[operator]
    if kind == "boolean":
        return False
    if kind == "op":
        return "tanh"
    raise Failure()


def _literal(value: Any) -> Term:
    kind = "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"
    return Term(kind, value, ())


def name_of(path: str) -> str:
    """Return the function's own name for a path below the call."""
    return path.removeprefix(f"{NAME}.")
