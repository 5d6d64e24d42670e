"""Ops that order elements or look for them: sort, the greatest few, where elements are.

Where elements are compared, nan counts as the greatest of all; equal elements keep their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, front_axis, native, op, require_kind, same_dtype
from graphspec.types import TensorType


def _order(xp: Any, x: Any, axis: int, descending: bool) -> Any:
    """Return the indices that sort an array; equal elements keep their order."""
    if not descending:
        return xp.astype(xp.argsort(x, axis=axis, stable=True), native(xp, "int64"))
    found = xp.argsort(xp.flip(x, axis=axis), axis=axis, stable=True)
    return x.shape[axis] - 1 - xp.astype(xp.flip(found, axis=axis), native(xp, "int64"))


@dataclass(frozen=True)
class Ordering(Op):
    """What sort and argsort share."""

    axis: int = attribute("the axis to sort along", default=-1)
    descending: bool = attribute("whether the greatest comes first", default=False)

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "real", *types)
        front_axis("C2", self.axis, types[0].rank)
        return types[0]


@op("sort", ports="x")
class Sort(Ordering):
    """The elements in ascending or descending order along an axis.

    Shapes: y as x.
    Constraints: (C1) x holds real numbers; (C2) ``axis`` is an axis of x.
    Gradient: ct, each element of it back where its element came from; of equal ones the first in x has the first in y.
    Special values: nan counts as the greatest.
    Example: ``sort(score, axis=-1, descending=true)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        y = xp.sort(arrays[0], axis=self.axis)
        return xp.flip(y, axis=self.axis) if self.descending else y

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        order = g.argsort(x, axis=self.axis, descending=self.descending)
        return (g.untake_along_axis(ct, order, size=x.type.shape[self.axis], axis=self.axis),)


@op("argsort", ports="x")
class Argsort(Ordering):
    """The indices that sort along an axis; equal elements keep their order, also when descending.

    Shapes: y, int64, as x.
    Constraints: (C1) x holds real numbers; (C2) ``axis`` is an axis of x.
    Gradient: none.
    Special values: nan counts as the greatest.
    Example: ``take(name, argsort(score, descending=true), axis=0)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        return super().infer(*types).with_dtype("int64")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return _order(xp, arrays[0], self.axis, self.descending)


@op("top_k", ports="x", outputs="values indices")
class TopK(Op):
    """The ``k`` greatest elements along an axis, the greatest first, and their indices; or the least ones.

    Shapes: ``x[a, n]`` to ``values[a, k]`` and ``indices[a, k]``, int64, for ``axis=1``.
    Constraints: (C1) x holds real numbers; (C2) ``axis`` is an axis of x; (C3) it has ``k`` elements or more, which is
    checked when run where dims are symbolic.
    Gradient: of values: its cotangent at the indices, zeros elsewhere; of equal elements the first come first.
    Special values: nan counts as the greatest.
    Example: ``top_k(logits, k=5).indices``
    """

    k: Dim = attribute("how many elements", minimum=0)
    axis: int = attribute("the axis to search along", default=-1)
    largest: bool = attribute("whether to find the greatest; else the least, the least first", default=True)

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        require_kind(self.name, "real", x)
        axis = front_axis("C2", self.axis, x.rank)
        self._require_elements(x.shape[axis])
        shape = (*x.shape[:axis], self.k, *x.shape[axis + 1 :])
        return TensorType(x.dtype, shape), TensorType("int64", shape)

    def _require_elements(self, dim: Dim) -> None:
        if isinstance(dim, int) and isinstance(self.k, int) and self.k > dim:
            raise OpTypeError("C3", f"top_k cannot find {self.k} elements along an axis of {dim}", code="GS402")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        self._require_elements(x.shape[self.axis])
        order = _order(xp, x, self.axis, self.largest)
        first = tuple(slice(self.k) if i == self.axis % x.ndim else slice(None) for i in range(x.ndim))
        return xp.take_along_axis(x, order[first], axis=self.axis), order[first]

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, _, indices = values
        return (g.untake_along_axis(ct[0], indices, size=x.type.shape[self.axis], axis=self.axis),)


@op("searchsorted", ports="x values")
class Searchsorted(Op):
    """How many elements of a sorted row each value comes after: where it would go in without disturbing the order.

    Shapes: ``x[n]``, ``values[...]`` to ``[...]``, int64.
    Constraints: (C1) x and the values are real numbers; (C2) they share a dtype; (C3) x has one dim.
    Gradient: none.
    Special values: nan counts as the greatest. What comes of an x that is not sorted is undefined.
    Example: ``searchsorted(edges, x, side="right")``
    """

    side: str = attribute(
        "where a value goes that equals elements: left of them, or right", default="left", choices=("left", "right")
    )

    def infer(self, *types: TensorType) -> TensorType:
        x, values = types
        require_kind(self.name, "real", x, values)
        same_dtype(self.name, x, values)
        if x.rank != 1:
            raise OpTypeError("C3", f"searchsorted needs a sorted row of one dim, found {x}", code="GS403")
        return values.with_dtype("int64")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        found = xp.asarray(xp.searchsorted(*arrays, side=self.side))
        return xp.astype(found, native(xp, "int64"))


@op("nonzero", ports="x", outputs="*")
class Nonzero(Op):
    """The indices of the elements that are not 0, or true, in row-major order: ``y0`` along axis 0, ``y1`` along 1, ...

    How many there are depends on the numbers, the shape of the result must not: it has room for ``size`` indices.
    Where there are fewer, -1 fills the rest; where there are more, those beyond ``size`` are left out.
    Shapes: ``x[...]`` of any dtype to ``[size]``, int64, for each axis.
    Constraints: (C1) x has at least one dim.
    Gradient: none.
    Special values: -1 also counts as the last element: mask what is taken at it, ``where(less(y0, 0), 0, take(...))``.
    Example: ``nonzero(greater(score, 0.5), size=10).y0``
    """

    size: Dim = attribute("for how many indices there is room", minimum=0)

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        if not x.rank:
            raise OpTypeError("C1", f"nonzero needs at least one dim, found {x}", code="GS403")
        return (TensorType("int64", (self.size,)),) * x.rank

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        hit = xp.reshape(x != 0, (-1,))
        first = xp.astype(xp.argsort(~hit, stable=True), native(xp, "int64"))
        missing = xp.full((self.size,), -1, dtype=native(xp, "int64"))
        place = xp.concat((first, missing))[: self.size]
        found = xp.arange(self.size) < xp.sum(hit)
        indices = []
        for dim in reversed(x.shape):
            indices.append(xp.where(found, place % max(dim, 1), -1))
            place = place // max(dim, 1)
        return tuple(reversed(indices))
