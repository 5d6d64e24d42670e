"""Ops that run along an axis and keep it: cumulative sums and products, and the recurrence that gradients need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, broadcast_types, front_axis, native, op, require_kind, same_dtype
from graphspec.types import TensorType, kind


def _total_dtype(dtype: str) -> str:
    """Return the dtype of sums and products: integers take 64 bits."""
    return dtype if kind(dtype) != "integer" else "uint64" if dtype.startswith("uint") else "int64"


@dataclass(frozen=True)
class Scan(Op):
    """What the cumulative ops share."""

    axis: int | None = attribute("axis to run along; null where x has only one", default=None)
    include_initial: bool = attribute("whether the value of no elements comes first", default=False)
    reverse: bool = attribute("whether to run from the end", default=False)

    def front(self, rank: int) -> int:
        """Return the axis, counted from the front."""
        if self.axis is None and rank != 1:
            raise OpTypeError("C2", f"{self.name} needs an axis for an array of {rank} dims", code="GS404")
        return front_axis("C2", 0 if self.axis is None else self.axis, rank)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind(self.name, "number", x)
        axis = self.front(x.rank)
        dim = x.shape[axis] + self.include_initial
        return TensorType(_total_dtype(x.dtype), (*x.shape[:axis], dim, *x.shape[axis + 1 :]))

    def compute(self, xp: Any, function: Any, x: Any) -> Any:
        """Call a cumulative function of the array namespace."""
        axis = self.front(x.ndim)
        row, dtype = xp.flip(x, axis=axis) if self.reverse else x, native(xp, _total_dtype(str(x.dtype)))
        y = function(row, axis=axis, dtype=dtype, include_initial=self.include_initial)
        return xp.flip(y, axis=axis) if self.reverse else y

    def without_initial(self, g: Any, ct: Any, x: Any) -> Any:
        """Return the part of ``ct`` that belongs to elements of ``x``, and to no initial value."""
        if not self.include_initial:
            return ct
        axis = self.front(x.type.rank)
        start = 0 if self.reverse else 1
        return g.slice(ct, axis=(axis,), start=(start,), stop=(start + x.type.shape[axis],), inside=(axis,))


@op("cumulative_sum", ports="x")
class CumulativeSum(Scan):
    """The sums of the elements up to each along an axis; reversed, from each to the end.

    Shapes: y as x, or 1 longer along the axis with the initial 0. Signed integers give int64, unsigned ones uint64.
    Constraints: (C1) x holds numbers; (C2) axis is in range, and given unless x has one dim.
    Gradient: the cumulative sum of ct in the other direction.
    Example: ``cumulative_sum(reward, axis=0, reverse=true)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.cumulative_sum, arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        own = self.without_initial(g, ct, x)
        return (g.cumulative_sum(own, axis=self.front(x.type.rank), reverse=not self.reverse),)


@op("cumulative_prod", ports="x")
class CumulativeProd(Scan):
    """The products of the elements up to each along an axis; reversed, from each to the end.

    Shapes: y as x, or 1 longer along the axis with the initial 1. Signed integers give int64, unsigned ones uint64.
    Constraints: (C1) x holds numbers; (C2) axis is in range, and given unless x has one dim.
    Gradient: computed without division, right where elements are 0: the product before an element, times the sum of
    ct from it on, each times the product of the elements between.
    Example: ``cumulative_prod(1 - alpha, axis=-1, include_initial=true)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.cumulative_prod, arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        axis, own = self.front(x.type.rank), self.without_initial(g, ct, x)
        before = g.recurrence(x, 0, axis=axis, initial=1.0, reverse=self.reverse)
        beyond = g.recurrence(x, x * own, axis=axis, reverse=not self.reverse)
        return (before * (own + beyond),)


@op("recurrence", ports="a b")
class Recurrence(Op):
    """The values of a linear recurrence: y[0] = initial, y[k + 1] = a[k] * y[k] + b[k] along an axis.

    With a = x, b = 0, initial = 1 it gives the products of all elements before each; with a = 1 the sums before each.
    Reversed, it begins at the end: y[-1] = initial, y[k - 1] = a[k] * y[k] + b[k].
    Shapes: a and b broadcast to the shape of y; the last step of each, which leads outside, is not used.
    Constraints: (C1) floats; (C2) one dtype; (C3) the shapes broadcast; (C4) axis is in range.
    Gradient: c * y to a and c to b, where c is the reversed recurrence of a and ct from 0.
    Example: ``recurrence(decay, x, axis=0)``
    """

    axis: int = attribute("axis to run along", default=-1)
    initial: float = attribute("value at the start", default=0.0)
    reverse: bool = attribute("whether to run from the end", default=False)

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        same_dtype(self.name, *types)
        shape = broadcast_types(self.name, *types)
        front_axis("C4", self.axis, len(shape))
        return TensorType(types[0].dtype, shape)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        a, b = (xp.moveaxis(array, self.axis, 0) for array in xp.broadcast_arrays(*arrays))
        if not a.shape[0]:
            return xp.broadcast_arrays(*arrays)[0]
        order = range(a.shape[0])
        y = xp.full_like(b[0, ...], self.initial)
        rows = [y] * len(order)
        for k in reversed(order) if self.reverse else order:
            rows[k] = y
            y = a[k, ...] * y + b[k, ...]
        return xp.moveaxis(xp.stack(rows), 0, self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        a, _, y = values
        pulled = g.recurrence(a, ct, axis=self.axis, reverse=not self.reverse)
        return pulled * y, pulled
