"""Resampling of spatial dims.

Constraints of both ops: (C1) x is float; (C3) there are a batch dim, a channel dim and spatial dims; (C4) ``size`` has
a dim for each of them; (C5) nothing is made from a dim of size 0.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, native, op, require_kind
from graphspec.types import Shape, TensorType

LAYOUTS = ("channels_first", "channels_last")
_SHARPNESS = -0.75  # of cubic interpolation, as in PyTorch and ONNX


@dataclass(frozen=True, kw_only=True)
class Resizing(Op):
    """What a resampling and its transpose share."""

    size: Shape = attribute("spatial dims of the result", minimum=0)
    mode: str = attribute(
        "how values between elements are found", default="linear", choices=("nearest", "linear", "cubic")
    )
    align: str = attribute(
        "where element i of y lies in x, which has n elements where y has m: half_pixel (i + 1/2) * n/m - 1/2, "
        "align_corners i * (n - 1)/(m - 1), asymmetric i * n/m",
        default="half_pixel",
        choices=("half_pixel", "align_corners", "asymmetric"),
    )
    layout: str = attribute("where the channels are", default="channels_first", choices=LAYOUTS)

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the spatial axes."""
        return tuple(range(2, rank)) if self.layout == LAYOUTS[0] else tuple(range(1, rank - 1))

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind(self.name, "float", x)
        if x.rank < 3:
            message = f"{self.name} needs a batch dim, a channel dim and spatial dims, found {x}"
            raise OpTypeError("C3", message, code="GS403")
        axes, shape = self.axes(x.rank), list(x.shape)
        if len(self.size) != len(axes) or any(isinstance(dim, int) and dim < 0 for dim in self.size):
            message = f"size has a dim for each of {len(axes)} spatial dims, found {list(map(str, self.size))}"
            raise OpTypeError("C4", message, code="GS404")
        for axis, dim in zip(axes, self.size, strict=True):
            if shape[axis] == 0:
                raise OpTypeError("C5", f"dim {axis} of {x} has no elements to resample", code="GS402")
            shape[axis] = dim
        return TensorType(x.dtype, tuple(shape))

    def shared(self) -> dict[str, Any]:
        """Return the attributes that both ops share."""
        return {"mode": self.mode, "align": self.align, "layout": self.layout}


@op("resize", ports="x")
class Resize(Resizing):
    """x at other points of its spatial dims; outside of x its border continues.

    Shapes: x ``[n, c, *dims]`` to ``[n, c, *size]``, or ``[n, *dims, c]`` to ``[n, *size, c]`` with
    ``layout="channels_last"``.
    Mode "nearest" takes the nearest element, the later one if two are; with ``align="asymmetric"`` the one before the
    point. "linear" (bilinear, trilinear) and "cubic" weigh the two and four elements around it along each dim.
    Constraints: (C1) x is float; (C3) there are spatial dims; (C4) ``size`` fits them; (C5) they are not empty.
    Gradient: `unresize` of ct.
    Example: ``resize(image, size=[2 * image.shape[2], 2 * image.shape[3]])``
    Source: Keys, Cubic convolution interpolation for digital image processing, 1981, with a = -0.75; the operator
    Resize of ONNX.
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        for axis, dim in zip(self.axes(x.ndim), self.size, strict=True):
            column = tuple(-1 if i == axis else 1 for i in range(x.ndim))
            y: Any = 0
            for index, weight in _taps(xp, x.shape[axis], dim, self.mode, self.align):
                part = xp.take(x, index, axis=axis)
                y = y + part * xp.reshape(xp.astype(weight, x.dtype), column) if weight is not None else part
            x = y
        return x

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        shape = values[0].type.shape
        return (g.unresize(ct, size=tuple(shape[axis] for axis in self.axes(len(shape))), **self.shared()),)


@op("unresize", ports="x")
class Unresize(Resizing):
    """The transpose of `resize`: every element adds to those of the result that it would be made from.

    Shapes: x ``[n, c, *dims]`` to ``[n, c, *size]``: x is shaped as the resampling of the result.
    Constraints: (C1) x is float; (C3) there are spatial dims; (C4) ``size`` fits them; (C5) they are not empty.
    Gradient: `resize` of ct.
    Example: ``unresize(x, size=[8, 8], mode="nearest")``
    """

    def infer(self, *types: TensorType) -> TensorType:
        y = super().infer(*types)
        if 0 in self.size:
            raise OpTypeError("C5", "nothing is resampled from a dim of size 0", code="GS402")
        return y

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        """Multiply with the matrix of the interpolation along each axis."""
        (x,) = arrays
        for axis, dim in zip(self.axes(x.ndim), self.size, strict=True):
            rows = xp.arange(dim)
            matrix = xp.zeros((x.shape[axis], dim), dtype=x.dtype)
            for index, weight in _taps(xp, dim, x.shape[axis], self.mode, self.align):
                hit = xp.astype(index[:, None] == rows, x.dtype)
                matrix = matrix + (hit if weight is None else hit * xp.astype(weight, x.dtype)[:, None])
            x = xp.moveaxis(xp.matmul(xp.moveaxis(x, axis, -1), matrix), -1, axis)
        return x

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        shape = values[0].type.shape
        return (g.resize(ct, size=tuple(shape[axis] for axis in self.axes(len(shape))), **self.shared()),)


def _taps(xp: Any, length: Any, points: Any, mode: str, align: str) -> Iterator[tuple[Any, Any]]:
    """Yield, for each element that a point is made from, its index and its weight (None: 1), one entry per point.

    A point lies at ``over / under``, in integers, so that rounding never moves it across an element.
    """
    place = xp.arange(points, dtype=native(xp, "int64"))
    if align == "half_pixel":
        over, under = (2 * place + 1) * length - points, 2 * points
    elif align == "asymmetric":
        over, under = place * length, points
    else:
        over, under = place * (length - 1), max(points - 1, 1)
    if mode == "nearest":
        nearest = over // under if align == "asymmetric" else (2 * over + under) // (2 * under)
        yield xp.clip(nearest, 0, length - 1), None
        return
    before = over // under
    t = xp.astype(over - before * under, native(xp, "float64")) / under
    first, weights = (0, (1 - t, t)) if mode == "linear" else (-1, (_far(t + 1), _near(t), _near(1 - t), _far(2 - t)))
    for i, weight in enumerate(weights, first):
        yield xp.clip(before + i, 0, length - 1), weight


def _near(distance: Any) -> Any:
    """Return the weight of an element at most 1 away."""
    return ((_SHARPNESS + 2) * distance - (_SHARPNESS + 3)) * distance**2 + 1


def _far(distance: Any) -> Any:
    """Return the weight of an element between 1 and 2 away."""
    return _SHARPNESS * (((distance - 5) * distance + 8) * distance - 4)
