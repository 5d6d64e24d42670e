"""Types: what is known about a value before any number exists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import EllipsisType
from typing import TypeAlias

from graphspec.dims import Dim, Expr, evaluate, substitute

FLOATS = ("float16", "bfloat16", "float32", "float64")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
COMPLEX = ("complex64", "complex128")
DTYPES = ("bool", *INTEGERS, *FLOATS, *COMPLEX)
RESERVED_DTYPES = ("string", "key")

Shape: TypeAlias = "tuple[Dim, ...]"
Pattern: TypeAlias = "tuple[Dim | EllipsisType, ...]"


@dataclass(frozen=True, slots=True)
class TensorType:
    """A dtype and a shape; dims are integers or symbolic expressions."""

    dtype: str
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def is_float(self) -> bool:
        return self.dtype in FLOATS

    @property
    def is_scalar(self) -> bool:
        return not self.shape

    def with_dtype(self, dtype: str) -> TensorType:
        """Return the type with another dtype."""
        return TensorType(dtype, self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}{shape_text(self.shape)}"


def shape_text(shape: Iterable[Dim | EllipsisType]) -> str:
    """Return a shape as a person writes it: ``[..., batch, 3]``."""
    return f"[{', '.join('...' if dim is ... else str(dim) for dim in shape)}]"


def kind(dtype: str) -> str:
    """Return "boolean", "integer", "float" or "complex"."""
    if dtype == "bool":
        return "boolean"
    return "integer" if dtype in INTEGERS else "complex" if dtype in COMPLEX else "float"


def broadcast_dim(a: Dim, b: Dim) -> Dim | None:
    """Return the broadcast of two dims, or None when they disagree: they must be equal, or one the integer 1."""
    if a == b or b == 1:
        return a
    return b if a == 1 else None


def broadcast(a: Shape, b: Shape) -> Shape | None:
    """Return the NumPy broadcast of two shapes, or None when there is none."""
    if a == b:
        return a
    rank = max(len(a), len(b))
    left, right = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    dims = [broadcast_dim(p, q) for p, q in zip(left, right, strict=True)]
    return None if None in dims else tuple(dim for dim in dims if dim is not None)


def broadcast_axes(shape: Shape, wide: Shape) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the leading axes that broadcasting ``shape`` to ``wide`` adds, and the axes of ``shape`` it stretches."""
    extra = len(wide) - len(shape)
    stretched = tuple(i for i, dim in enumerate(shape) if dim != wide[extra + i])
    return tuple(range(extra)), stretched


def substitute_shape(shape: Iterable[Dim], env: Mapping[str, Dim]) -> Shape:
    """Replace symbols in every dim."""
    return tuple(substitute(dim, env) for dim in shape)


def evaluate_shape(shape: Iterable[Dim], env: Mapping[str, int]) -> tuple[int, ...]:
    """Return the integers of a shape.

    Raises:
        KeyError: a symbol is not bound.
    """
    return tuple(dim if isinstance(dim, int) else evaluate(dim, env) for dim in shape)


class DimConflict(Exception):
    """A shape does not match its pattern.

    ``axis`` counts in the actual shape, None when the ranks differ; ``dim`` is the symbol that another shape has bound
    to something else, ``...`` among them.
    """

    def __init__(self, message: str, axis: int | None = None, dim: Dim | EllipsisType | None = None):
        self.message, self.axis, self.dim = message, axis, dim
        super().__init__(message)


def match(pattern: Pattern, shape: Shape, env: dict[str, Dim], ellipsis: dict[str, Shape]) -> None:
    """Bind the bare symbols of ``pattern`` to the dims of ``shape``; bound symbols and integers must agree.

    Arithmetic dims are left to `check_arithmetic`, once every operand has bound its symbols: nothing is solved.
    ``env`` and ``ellipsis`` (key "...") are extended in place.

    Raises:
        DimConflict: rank, integer or binding disagree.
    """
    for axis, want, have in _aligned(pattern, shape, ellipsis):
        if isinstance(want, Expr) and want.is_symbol:
            bound = env.setdefault(str(want), have)
            if bound != have:
                raise DimConflict(f"dim {want} is {bound} elsewhere and {have} here", axis, want)
        elif isinstance(want, int) and want != have:
            raise DimConflict(f"dim {axis} is {have}, expected {want}", axis)


def check_arithmetic(pattern: Pattern, shape: Shape, env: Mapping[str, Dim], ellipsis: dict[str, Shape]) -> None:
    """Check the arithmetic dims of ``pattern`` against ``shape`` with every symbol bound.

    Raises:
        DimConflict: a dim differs, or uses a symbol that no operand binds.
    """
    for axis, want, have in _aligned(pattern, shape, ellipsis):
        if isinstance(want, Expr) and not want.is_symbol:
            unbound = sorted(want.symbols - set(env))
            if unbound:
                raise DimConflict(f"dim {want} needs {unbound[0]}, which no operand binds: nothing is solved", axis)
            value = substitute(want, env)
            if value != have:
                raise DimConflict(f"dim {axis} is {have}, expected {want} = {value}", axis)


def _aligned(pattern: Pattern, shape: Shape, ellipsis: dict[str, Shape]) -> list[tuple[int, Dim, Dim]]:
    """Return the axis, the dim of the pattern and the dim of the shape, without the axes that `...` stands for."""
    if ... not in pattern:
        if len(pattern) != len(shape):
            raise DimConflict(f"has {len(shape)} dims, expected {len(pattern)}: {shape_text(pattern)}")
        return [(i, want, shape[i]) for i, want in enumerate(pattern) if want is not ...]
    at = pattern.index(...)
    extra = len(shape) - (len(pattern) - 1)
    if extra < 0:
        raise DimConflict(f"has {len(shape)} dims, expected at least {len(pattern) - 1}: {shape_text(pattern)}")
    leading = shape[at : at + extra]
    bound = ellipsis.setdefault("...", leading)
    if bound != leading:
        message = f"the dims of '...' are {shape_text(bound)} elsewhere and {shape_text(leading)} here"
        raise DimConflict(message, dim=...)
    axes = [*range(at), *range(at + extra, len(shape))]
    own = [want for want in pattern if want is not ...]
    return [(axis, want, shape[axis]) for axis, want in zip(axes, own, strict=True)]


def expand(pattern: Pattern, env: Mapping[str, Dim], ellipsis: Mapping[str, Shape]) -> Shape:
    """Return the shape that a pattern stands for under a binding."""
    shape: list[Dim] = []
    for dim in pattern:
        if isinstance(dim, EllipsisType):
            shape.extend(ellipsis.get("...", ()))
        else:
            shape.append(substitute(dim, env))
    return tuple(shape)
