"""Ops on the triangles and diagonals of matrices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, op
from graphspec.types import TensorType


def _require_matrix(name: str, x: TensorType) -> None:
    """Check C1: x has at least two dims."""
    if x.rank < 2:
        raise OpTypeError("C1", f"{name} needs at least two dims, found {x}", code="GS403")


@dataclass(frozen=True)
class Triangle(Op):
    """What tril and triu share."""

    k: int = attribute("which diagonal: 0 is the main one, higher ones lie above it", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        _require_matrix(self.name, types[0])
        return types[0]


@op("tril", ports="x")
class Tril(Triangle):
    """The elements on and below a diagonal of each matrix; zeros, or false, above it.

    Shapes: y as ``x[..., m, n]``, of any dtype.
    Constraints: (C1) x has at least two dims.
    Gradient: tril of ct.
    Example: ``tril(ones(shape=[n, n], dtype="bool"))``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.tril(arrays[0], k=self.k)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.tril(ct, k=self.k),)


@op("triu", ports="x")
class Triu(Triangle):
    """The elements on and above a diagonal of each matrix; zeros, or false, below it.

    Shapes: y as ``x[..., m, n]``, of any dtype.
    Constraints: (C1) x has at least two dims.
    Gradient: triu of ct.
    Example: ``triu(x, k=1)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.triu(arrays[0], k=self.k)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.triu(ct, k=self.k),)


@op("diagonal", ports="x")
class Diagonal(Op):
    """A diagonal of each matrix.

    Shapes: ``x[..., m, n]`` to ``[..., d]`` with d = min(m, n) for the main diagonal, and what ``offset`` leaves of it
    for others, at least 0.
    Constraints: (C1) x has at least two dims; (C2) d is known: m and n are integers, or equal and ``offset`` is 0.
    Gradient: ct on the diagonal of zeros.
    Example: ``sum(diagonal(x), axis=-1)``
    """

    offset: int = attribute("which diagonal: 0 is the main one, higher ones lie above it", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        _require_matrix(self.name, x)
        return TensorType(x.dtype, (*x.shape[:-2], self._length(x)))

    def _length(self, x: TensorType) -> Dim:
        rows, columns = x.shape[-2], x.shape[-1]
        if isinstance(rows, int) and isinstance(columns, int):
            return max(0, min(rows + min(self.offset, 0), columns - max(self.offset, 0)))
        if rows != columns or self.offset:
            message = f"the length of diagonal {self.offset} of {x} is not known"
            raise OpTypeError("C2", message, code="GS402", hint="a file that fixes these dims has it")
        return rows

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        return xp.diagonal(x, offset=self.offset, axis1=-2, axis2=-1)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        rows, columns = values[0].type.shape[-2:]
        length = ct.type.shape[-1]
        if length != rows:  # one element for each row
            before = min(max(0, -self.offset), rows - length)
            ct = g.pad(ct, before=(before,), after=(rows - length - before,), axis=(-1,))
        places = g.eye(rows=rows, columns=columns, k=self.offset, dtype="bool")
        return (g.where(places, g.expand_dims(ct, axis=(-1,)), 0),)
