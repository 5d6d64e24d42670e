"""Attributes: the values of an op or function that are known when the graph is built."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from graphspec.dims import Dim, Expr, evaluate
from graphspec.errors import did_you_mean
from graphspec.types import DTYPES, RESERVED_DTYPES


class Required:
    """Stands where an attribute has no default."""

    def __repr__(self) -> str:
        return "required"


REQUIRED: Final = Required()


class AttributeProblem(Exception):
    """A value does not fit an attribute."""

    def __init__(self, message: str, hint: str = "", code: str = "GS205"):
        self.message, self.hint, self.code = message, hint, code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Attribute:
    """The declaration of an attribute.

    ``kinds`` are those that a value may be of. They are the language's (integer, float, boolean, string, list, null,
    op) or, for ops of the catalogue, also dtype, dim, axes (an integer, a list or null), integers, bounds (a list of
    integers, dims and nulls), shape or padding (integers, or a word that stands for some).
    """

    name: str
    kinds: tuple[str, ...]
    default: Any = REQUIRED
    doc: str = ""
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[Any, ...] = field(default=())

    @property
    def required(self) -> bool:
        return self.default is REQUIRED

    def check(self, value: Any) -> Any:
        """Return ``value`` in the attribute's canonical, hashable form.

        Raises:
            AttributeProblem: wrong kind, outside its range, or not among its choices.
        """
        if value is None and self.default is None:
            return None
        kind, value = self._read(value)
        choices = self.choices_of(kind)
        if choices and value not in choices:
            hint = did_you_mean(str(value), map(str, choices))
            raise AttributeProblem(f"expected {self._expected()}, found {describe(value)}", hint)
        if not isinstance(value, Expr):
            self._check_range(value)
        return value

    def _read(self, value: Any) -> tuple[str, Any]:
        """Return the first kind that ``value`` is of, and the value in its form."""
        for kind in self.kinds:
            try:
                return kind, KINDS[kind].read(value)
            except AttributeProblem:
                if len(self.kinds) == 1:
                    raise
        raise AttributeProblem(f"expected {self._expected()}, found {describe(value)}")

    def _expected(self) -> str:
        """Return what is allowed, in words."""
        texts = [(KINDS[kind].noun, ", ".join(map(str, self.choices_of(kind)))) for kind in self.kinds]
        words = [f"one of {choices}" if choices else noun for noun, choices in texts]
        return _either(words)

    def choices_of(self, kind: str) -> tuple[Any, ...]:
        """Return the choices among values of one of the kinds; of several, it has those that are of it."""
        return self.choices if len(self.kinds) == 1 else tuple(c for c in self.choices if _is_of(kind, c))

    @property
    def kind(self) -> str:
        """The kinds as text: ``integer, list or null``."""
        return _either(self.kinds)

    @property
    def takes_dims(self) -> bool:
        """Whether symbolic dims may stand in its values."""
        return any(KINDS[kind].dims for kind in self.kinds)

    def is_word(self, value: Any) -> bool:
        """Tell whether a value in the slot of a node is literal text although dims may stand there."""
        words = any(KINDS[kind].words for kind in self.kinds)
        return words and isinstance(value, str) and not value.startswith("$")

    def _check_range(self, value: Any) -> None:
        for item in value if isinstance(value, tuple) else (value,):
            if not isinstance(item, int | float):
                continue
            if self.minimum is not None and item < self.minimum:
                raise AttributeProblem(f"expected at least {self.minimum}, found {item}")
            if self.maximum is not None and item > self.maximum:
                raise AttributeProblem(f"expected at most {self.maximum}, found {item}")

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the attribute's slot in a YAML node."""
        schemas = [self._schema_of(kind) for kind in self.kinds]
        schema: dict[str, Any] = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
        bounds = {
            key: bound for key, bound in (("minimum", self.minimum), ("maximum", self.maximum)) if bound is not None
        }
        if bounds:
            schema = _bounded(schema, bounds)
        if not self.required and self.default is None:
            schema = {"anyOf": [schema, {"type": "null"}]}
        if "enum" in schema or schema.get("type") != "string":
            schema = {"anyOf": [schema, {"$ref": "#/$defs/computed"}]}
        if self.doc:
            schema["description"] = self.doc
        if not self.required:
            schema["default"] = to_json(self.default)
        return schema

    def _schema_of(self, kind: str) -> dict[str, Any]:
        choices = self.choices_of(kind)
        return {"enum": [*choices]} if choices else dict(KINDS[kind].schema)


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of attribute is read and described.

    ``dims`` tells whether symbolic dims may stand in it, ``words`` are texts that are no dims there.
    """

    noun: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    dims: bool = False
    words: tuple[str, ...] = ()


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _is_of(kind: str, value: Any) -> bool:
    try:
        KINDS[kind].read(value)
    except AttributeProblem:
        return False
    return True


def _bounded(schema: Mapping[str, Any], bounds: Mapping[str, float]) -> dict[str, Any]:
    """Return a schema with bounds on its numbers, also on those in lists; of texts and null they say nothing."""
    found = {**schema, **bounds}
    if schema.get("type") == "array":
        found["items"] = {**schema.get("items", {}), **bounds}
    if "anyOf" in schema:
        found["anyOf"] = [_bounded(choice, bounds) for choice in schema["anyOf"]]
    return found


def describe(value: Any) -> str:
    """Return a short description of a value for a message: ``string 'abc'``, ``number 3``."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean {str(value).lower()}"
    if isinstance(value, int | float):
        return f"number {value}"
    if isinstance(value, str):
        return f"string '{value if len(value) <= 60 else value[:57] + '...'}'"
    if isinstance(value, Expr):
        return f"symbolic dim {value}"
    return "a list" if isinstance(value, list | tuple) else "a mapping" if isinstance(value, dict) else str(value)


def to_json(value: Any) -> Any:
    """Return an attribute's value as JSON data; dims become text."""
    if isinstance(value, tuple | list):
        return [to_json(item) for item in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _integer(value: Any) -> Dim:
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int | Expr):
        raise AttributeProblem(f"expected an integer, found {describe(value)}")
    return value


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise AttributeProblem(f"expected a number, found {describe(value)}")
    return float(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise AttributeProblem(f"expected true or false, found {describe(value)}")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise AttributeProblem(f"expected a string, found {describe(value)}")
    return value


def _op(value: Any) -> Any:
    """Return the name of an op, or what it stands for already; it is looked up where it is written."""
    if value is None or isinstance(value, bool | int | float | list | tuple | dict | Expr):
        raise AttributeProblem(f"expected the name of an op, found {describe(value)}")
    return value


def _dtype(value: Any) -> str:
    if value in RESERVED_DTYPES:
        raise AttributeProblem(f"the dtype '{value}' is reserved for a later version", code="GS208")
    if value not in DTYPES:
        hint = did_you_mean(value, DTYPES) if isinstance(value, str) else ""
        raise AttributeProblem(f"expected a dtype, found {describe(value)}", hint)
    return str(value)


def _list(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list | tuple):
        raise AttributeProblem(f"expected a list, found {describe(value)}")
    return tuple(_list(item) if isinstance(item, list | tuple) else item for item in value)


def _integers(value: Any) -> tuple[Dim, ...]:
    return tuple(_integer(item) for item in (value if isinstance(value, list | tuple) else [value]))


def _axes(value: Any) -> tuple[Dim, ...] | None:
    return None if value is None else _integers(value)


def _bounds(value: Any) -> tuple[Dim | None, ...]:
    return tuple(None if item is None else _integer(item) for item in _list(value))


def _shape(value: Any) -> tuple[Dim, ...]:
    return tuple(_integer(item) for item in _list(value))


def _padding(value: Any) -> tuple[Dim, ...] | str:
    if not isinstance(value, str):
        return _integers(value)
    if value not in PADDINGS:
        message = f"expected integers or one of {', '.join(PADDINGS)}, found {describe(value)}"
        raise AttributeProblem(message, did_you_mean(value, PADDINGS) or "$name is computed from attributes and dims")
    return value


def _null(value: Any) -> None:
    if value is not None:
        raise AttributeProblem(f"expected null, found {describe(value)}")


LANGUAGE_KINDS = ("integer", "float", "boolean", "string", "list", "op")
UNITED_KINDS = ("integer", "float", "boolean", "string", "list", None)
"""What stands in a list of types; ``op`` stands alone: a text in its slot names an op, in others it is a text."""
PADDINGS = ("same", "valid")
_INTEGER = {"type": "integer"}
_DIM = {"type": ["integer", "string"]}
_DIMS = {"type": "array", "items": _DIM}
KINDS: Mapping[str, Kind] = {
    "integer": Kind("an integer", _integer, _INTEGER),
    "float": Kind("a number", _float, {"type": "number"}),
    "boolean": Kind("true or false", _boolean, {"type": "boolean"}),
    "string": Kind("a string", _string, {"type": "string"}),
    "list": Kind("a list", _list, {"type": "array"}),
    "null": Kind("null", _null, {"type": "null"}),
    "op": Kind("the name of an op", _op, {"type": "string"}),
    "dtype": Kind("a dtype", _dtype, {"enum": [*DTYPES]}),
    "dim": Kind("an integer", _integer, _DIM, dims=True),
    "axes": Kind("axes", _axes, {"anyOf": [_INTEGER, {"type": "array", "items": _INTEGER}, {"type": "null"}]}),
    "integers": Kind("integers", _integers, {"anyOf": [_DIM, _DIMS]}, dims=True),
    "bounds": Kind("bounds", _bounds, {"type": "array", "items": {"type": ["integer", "string", "null"]}}, dims=True),
    "shape": Kind("a shape", _shape, _DIMS, dims=True),
    "padding": Kind("padding", _padding, {"anyOf": [_INTEGER, _DIMS, {"enum": [*PADDINGS]}]}, True, PADDINGS),
}


def bind_dims(value: Any, env: Mapping[str, int]) -> Any:
    """Replace symbolic dims by integers, also inside tuples."""
    if isinstance(value, Expr):
        return evaluate(value, env)
    return tuple(bind_dims(item, env) for item in value) if isinstance(value, tuple) else value


def has_dims(value: Any) -> bool:
    """Tell whether a value holds a symbolic dim."""
    return isinstance(value, Expr) or (isinstance(value, tuple) and any(map(has_dims, value)))


def dims_in(value: Any) -> set[str]:
    """Return the names of the symbolic dims in a value."""
    if isinstance(value, Expr):
        return set(value.symbols)
    return set().union(*map(dims_in, value)) if isinstance(value, tuple) else set()
