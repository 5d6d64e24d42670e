"""Where the greatest and the least element are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, front_axis, native, op, require_kind
from graphspec.types import TensorType


@dataclass(frozen=True)
class Search(Op):
    """What argmax and argmin share."""

    axis: int | None = attribute("axis to search, negative ones count from the end; null is all elements", default=None)
    keepdims: bool = attribute("whether the axis stays, with size 1", default=False)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind(self.name, "real", x)
        axes = range(x.rank) if self.axis is None else (front_axis("C2", self.axis, x.rank),)
        if any(x.shape[axis] == 0 for axis in axes):
            raise OpTypeError("C3", f"{self.name} over an empty axis has no value: found {x}", code="GS402")
        dims = ((1 if i in axes else dim) for i, dim in enumerate(x.shape) if self.keepdims or i not in axes)
        return TensorType("int64", tuple(dims))

    def search(self, xp: Any, function: Any, x: Any) -> Any:
        """Call a search of the array namespace."""
        found = function(x, axis=self.axis, keepdims=self.keepdims)
        return xp.astype(xp.asarray(found), native(xp, "int64"))


@op("argmax", ports="x", family="reduction")
class Argmax(Search):
    """The index of the greatest element along an axis, or of all elements in row-major order; the lowest at a tie.

    Shapes: x of any; y, int64, without the axis, or with size 1 there.
    Constraints: (C1) x holds real numbers; (C2) axis is in range; (C3) the axis is not empty.
    Gradient: none.
    Special values: the first nan, where there is one.
    Example: ``argmax(logits, axis=-1)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.search(xp, xp.argmax, arrays[0])


@op("argmin", ports="x", family="reduction")
class Argmin(Search):
    """The index of the least element along an axis, or of all elements in row-major order; the lowest at a tie.

    Shapes: x of any; y, int64, without the axis, or with size 1 there.
    Constraints: (C1) x holds real numbers; (C2) axis is in range; (C3) the axis is not empty.
    Gradient: none.
    Special values: the first nan, where there is one.
    Example: ``argmin(distance, axis=-1)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.search(xp, xp.argmin, arrays[0])
