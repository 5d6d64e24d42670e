"""Moving one axis."""

from __future__ import annotations

from typing import Any

from graphspec.op import Op, attribute, front_axis, op
from graphspec.types import TensorType


@op("moveaxis", ports="x", family="shape")
class Moveaxis(Op):
    """The elements of ``x`` with one axis moved to another position; the others keep their order.

    Shapes: ``x[a, b, c]`` to ``[b, c, a]`` for ``source=0, destination=-1``.
    Constraints: (C1) both are axes of ``x``; negative ones count from the end.
    Gradient: ``ct`` with the axis moved back.
    Example: ``moveaxis(x, source=1, destination=-1)``
    """

    source: int = attribute("the axis to move")
    destination: int = attribute("where it goes")

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        source = front_axis("C1", self.source, x.rank)
        destination = front_axis("C1", self.destination, x.rank)
        shape = list(x.shape)
        shape.insert(destination, shape.pop(source))
        return TensorType(x.dtype, tuple(shape))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.moveaxis(arrays[0], self.source, self.destination)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.moveaxis(ct, source=self.destination, destination=self.source),)
