"""Ops that change nothing but the gradient, which is on purpose not the derivative."""

from __future__ import annotations

from typing import Any

from graphspec.errors import OpTypeError
from graphspec.op import Op, broadcast_types, op, require_kind, same_dtype
from graphspec.types import TensorType


class Surrogate(Op):
    """What they share: y is the first operand, and the others broadcast to it."""

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        same_dtype(self.name, *types)
        if broadcast_types(self.name, *types) != types[0].shape:
            others = " and ".join(map(str, types[1:]))
            message = f"{self.name} needs operands that broadcast to {types[0]}, found {others}"
            raise OpTypeError("C3", message, code="GS402")
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(arrays[0])


@op("scale_gradient", ports="x factor")
class ScaleGradient(Surrogate):
    """y = x, whose gradient is scaled on its way back: -1 reverses it, 0 stops it.

    Shapes: y as x; factor broadcasts to it.
    Constraints: (C1) floats; (C2) one dtype; (C3) factor broadcasts to the shape of x.
    Gradient: ct * factor to x, zero to factor, by definition.
    Example: ``scale_gradient(features, -0.1)``
    Source: Ganin and Lempitsky, Unsupervised domain adaptation by backpropagation (2015), for the reversal.
    """

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return ct * values[1], None


@op("clip_gradient", ports="x low high")
class ClipGradient(Surrogate):
    """y = x, each element of whose gradient is clipped on its way back.

    Shapes: y as x; low and high broadcast to it.
    Constraints: (C1) floats; (C2) one dtype; (C3) low and high broadcast to the shape of x.
    Gradient: clip(ct, low, high) to x, zero to low and high, by definition.
    Example: ``clip_gradient(h, -1, 1)``
    """

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        _, low, high, _ = values
        return g.clip(ct, low, high), None, None
