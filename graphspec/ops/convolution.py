"""Convolution, its transpose, and the gradient of its weight: three ops whose gradients are each other.

Constraints of all of them: (C1) operands are floats; (C2) they share a dtype; (C3) they have a batch dim, a channel dim
and one to three spatial dims, the same number each; (C4) stride and dilation are positive integers and, like padding,
given once or per spatial dim; (C5) at least one window fits; (C6) groups divides the channels, and the channels match.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from graphspec.dims import Dim, exact_quotient
from graphspec.errors import OpTypeError
from graphspec.op import Integers, Op, attribute, op, require_kind, same_dtype
from graphspec.types import Shape, TensorType, shape_text
from graphspec.window import Sliding, Windows, blocks, gather, pad, per_dim, scatter


@dataclass(frozen=True, kw_only=True)
class Convolving(Sliding):
    """What the three ops share. JAX should override their kernels with its own convolution: it is faster there."""

    groups: int = attribute("groups of channels that are convolved apart from each other", default=1, minimum=1)

    def check(self, *types: TensorType) -> tuple[Shape, Shape]:
        """Return the shapes of both operands, the channels of x first. Checks C1, C2 and C3."""
        require_kind(self.name, "float", *types)
        same_dtype(self.name, *types)
        x, other = types
        if x.rank != other.rank or not 3 <= x.rank <= 5:
            message = f"{self.name} needs one to three spatial dims after two others, found {x} and {other}"
            raise OpTypeError("C3", message, code="GS403")
        return self.first(x), other.shape

    def grouped(self, channels: Dim) -> Dim:
        """Return how many channels a group has. Checks C6."""
        found = exact_quotient(channels, self.groups)
        if found is None:
            raise OpTypeError("C6", f"{channels} channels do not split into {self.groups} groups", code="GS402")
        return found

    def match(self, channels: Dim, wanted: Dim, weight: Shape) -> None:
        """Check C6: x has the channels that the weight is for."""
        if channels != wanted:
            groups = f" and {self.groups} groups" if self.groups > 1 else ""
            message = f"{self.name} finds {channels} channels, a weight {shape_text(weight)}{groups} is for {wanted}"
            raise OpTypeError("C6", message, code="GS402")

    def shared(self, windows: Windows) -> dict[str, Any]:
        """Return the attributes that the three ops share."""
        return {**self.written(windows), "groups": self.groups, "layout": self.layout}


@op("conv", ports="x weight")
class Conv(Convolving):
    """The convolution of the signal-processing literature without the flip: a weighted sum over each window.

    y[n, o, p] = the sum over c and k of x[n, c, p * stride + k * dilation - before] * weight[o, c, k].
    Shapes: x ``[n, c, *dims]``, or ``[n, *dims, c]`` with ``layout="channels_last"``; weight
    ``[o, c / groups, *window]`` in both; y ``[n, o, *counts]`` laid out as x, where a count is
    ``(dim + before + after - dilation * (window - 1) - 1 + stride) // stride``.
    Constraints: (C1) floats; (C2) one dtype; (C3) one to three spatial dims; (C4) the attributes fit the spatial dims;
    (C5) the window fits; (C6) x has ``groups`` times the channels of the weight, and groups divides o.
    Gradient: `conv_transpose` of ct to x, `conv_weight_gradient` to the weight.
    Example: ``conv(image, weight, stride=2, padding=1)``
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.
    """

    def infer(self, *types: TensorType) -> TensorType:
        x, weight = self.check(*types)
        self.match(x[1], weight[1] * self.groups, weight)
        self.grouped(weight[0])
        counts = self.windows(weight[2:], x[2:]).count(x[2:])
        return TensorType(types[0].dtype, self.laid((x[0], weight[0], *counts)))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        return replace(self, **self.written(self.windows(types[1].shape[2:], self.first(types[0])[2:])))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, weight = xp.permute_dims(arrays[0], self.first_axes(arrays[0].ndim)), arrays[1]
        windows = self.windows(weight.shape[2:], x.shape[2:])
        return xp.permute_dims(_convolve(xp, x, weight, windows, self.groups), self.laid_axes(x.ndim))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, weight, _ = values
        dims, window = self.first(x.type)[2:], weight.type.shape[2:]
        windows = self.windows(window, dims)
        least = windows.spanned(windows.count(dims))
        rest = tuple(dim - other for dim, other in zip(dims, least, strict=True))
        shared = self.shared(windows)
        return (
            g.conv_transpose(ct, weight, output_padding=rest, **shared),
            g.conv_weight_gradient(x, ct, window=window, **shared),
        )


@op("conv_transpose", ports="x weight")
class ConvTranspose(Convolving):
    """The transpose of `conv` in its first operand: every element of x adds a weighted window to the result.

    Shapes: x ``[n, o, *counts]``, or ``[n, *counts, o]`` with ``layout="channels_last"``; weight
    ``[o, c / groups, *window]``, as of the convolution that this transposes; y ``[n, c, *dims]`` laid out as x, where
    a dim is ``(count - 1) * stride + dilation * (window - 1) + 1 - before - after + output_padding``.
    With ``padding="same"`` a dim is ``count * stride``.
    Constraints: (C1) floats; (C2) one dtype; (C3) one to three spatial dims; (C4) the attributes fit the spatial dims;
    (C5) no dim is negative; (C6) x has the channels o, which groups divides; (C7) ``0 <= output_padding < stride``: the
    convolution of the result has the dims of x.
    Gradient: `conv` of ct to x, `conv_weight_gradient` to the weight.
    Example: ``conv_transpose(x, weight, stride=2)``
    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, 2016.
    """

    output_padding: Integers = attribute(
        "what is added to the end of the result's spatial dims: one number, or one per dim", default=(0,)
    )

    def geometry(self, counts: Sequence[Any], window: Sequence[Any]) -> tuple[Windows, tuple[Any, ...]]:
        """Return the windows over the result, and its spatial dims. Checks C4, C5 and C7."""
        windows = self.windows(window, None)
        rest = per_dim("output_padding", self.output_padding, len(window))
        if self.padding == "same":  # windows with gaps between them do not reach the end
            gaps = zip(windows.stride, windows.reach, strict=True)
            rest = tuple(a + max(0, s - r) if isinstance(r, int) else a for a, (s, r) in zip(rest, gaps, strict=True))
        dims = tuple(dim + more for dim, more in zip(windows.spanned(counts), rest, strict=True))
        if any(isinstance(dim, int) and dim < 0 for dim in dims):
            raise OpTypeError("C5", f"the result has negative dims: {shape_text(dims)}", code="GS402")
        if windows.count(dims, "C7") != tuple(counts):
            message = f"output_padding lies between 0 and the stride, found {list(map(str, self.output_padding))}"
            raise OpTypeError("C7", message, code="GS402")
        return windows, dims

    def infer(self, *types: TensorType) -> TensorType:
        x, weight = self.check(*types)
        self.match(x[1], weight[0], weight)
        self.grouped(weight[0])
        _, dims = self.geometry(x[2:], weight[2:])
        return TensorType(types[0].dtype, self.laid((x[0], weight[1] * self.groups, *dims)))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        counts = self.first(types[0])[2:]
        windows, dims = self.geometry(counts, types[1].shape[2:])
        rest = tuple(dim - least for dim, least in zip(dims, windows.spanned(counts), strict=True))
        return replace(self, **{**self.written(windows), "output_padding": rest})

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, weight = xp.permute_dims(arrays[0], self.first_axes(arrays[0].ndim)), arrays[1]
        windows, dims = self.geometry(x.shape[2:], weight.shape[2:])
        y = _spread(xp, x, weight, windows, dims, self.groups)
        return xp.permute_dims(y, self.laid_axes(x.ndim))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, weight, _ = values
        window = weight.type.shape[2:]
        shared = self.shared(self.geometry(self.first(x.type)[2:], window)[0])
        return g.conv(ct, weight, **shared), g.conv_weight_gradient(ct, x, window=window, **shared)


@op("conv_weight_gradient", ports="x ct")
class ConvWeightGradient(Convolving):
    """The cotangent of the weight of ``conv(x, weight)`` whose result has the cotangent ``ct``.

    y[o, c, k] = the sum over n and p of x[n, c, p * stride + k * dilation - before] * ct[n, o, p].
    Shapes: x and ct as operand and result of `conv`; y ``[o, c / groups, *window]``.
    Constraints: (C1) floats; (C2) one dtype; (C3) one to three spatial dims; (C4) the attributes fit the spatial dims;
    (C5) the window fits; (C6) groups divides the channels of both; (C7) ct has the shape of the convolution's result.
    Gradient: it is linear in both operands: `conv_transpose` of ct by the cotangent to x, `conv` of x by it to ct.
    Example: ``conv_weight_gradient(x, ct, window=[3, 3], padding=1)``
    """

    window: Integers = attribute("spatial dims of the weight: one number, or one per spatial dim")

    def geometry(self, dims: Sequence[Any]) -> Windows:
        """Return the windows over spatial dims."""
        return self.windows(per_dim("window", self.window, len(dims)), dims)

    def infer(self, *types: TensorType) -> TensorType:
        x, _ = self.check(*types)
        ct = self.first(types[1])
        windows = self.geometry(x[2:])
        if ct[0] != x[0] or ct[2:] != windows.count(x[2:]):
            wanted = self.laid((x[0], ct[1], *windows.count(x[2:])))
            raise OpTypeError(
                "C7", f"the convolution of {types[0]} is {shape_text(wanted)}, found {types[1]}", code="GS402"
            )
        self.grouped(ct[1])
        return TensorType(types[0].dtype, (ct[1], self.grouped(x[1]), *windows.size))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        windows = self.geometry(self.first(types[0])[2:])
        return replace(self, **{**self.written(windows), "window": windows.size})

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, ct = (xp.permute_dims(array, self.first_axes(array.ndim)) for array in arrays)
        return _correlate(xp, x, ct, self.geometry(x.shape[2:]), self.groups)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, seed, _ = values
        dims = self.first(x.type)[2:]
        windows = self.geometry(dims)
        least = windows.spanned(windows.count(dims))
        rest = tuple(dim - other for dim, other in zip(dims, least, strict=True))
        shared = self.shared(windows)
        return g.conv_transpose(seed, ct, output_padding=rest, **shared), g.conv(x, ct, **shared)


def _convolve(xp: Any, x: Any, weight: Any, windows: Windows, groups: int) -> Any:
    """Multiply the weight, as a matrix, with the windows as columns: one product per group and image."""
    counts, out, channels = windows.count(x.shape[2:]), weight.shape[0], x.shape[1]
    length = channels // groups * prod(windows.size)
    matrix, x = xp.reshape(weight, (groups, out // groups, length)), pad(xp, x, windows)
    parts = []
    for block in blocks(x.shape[0], windows, channels, counts):
        columns = gather(xp, x[block], windows, counts)
        columns = xp.reshape(columns, (columns.shape[0], groups, length, prod(counts)))
        parts.append(xp.reshape(xp.matmul(matrix, columns), (columns.shape[0], out, *counts)))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)


def _spread(xp: Any, x: Any, weight: Any, windows: Windows, dims: Sequence[int], groups: int) -> Any:
    """Multiply each element with the weight of its channel, and add the windows up where they lie."""
    counts, inner, channels = x.shape[2:], x.shape[1], weight.shape[1] * groups
    elements = prod(windows.size)
    matrix = xp.reshape(weight, (groups, inner // groups, weight.shape[1] * elements))
    parts = []
    for block in blocks(x.shape[0], windows, channels, counts):
        rows = xp.reshape(x[block], (x[block].shape[0], groups, inner // groups, prod(counts)))
        columns = xp.matmul(xp.matrix_transpose(matrix), rows)
        columns = xp.reshape(columns, (rows.shape[0], channels, elements, *counts))
        parts.append(scatter(xp, columns, windows, dims))
    return parts[0] if len(parts) == 1 else xp.concat(parts, axis=0)


def _correlate(xp: Any, x: Any, ct: Any, windows: Windows, groups: int) -> Any:
    """Multiply the cotangent with the windows as rows, image by image, and add the products up."""
    counts, out, channels = ct.shape[2:], ct.shape[1], x.shape[1]
    length = channels // groups * prod(windows.size)
    total: Any = 0
    x = pad(xp, x, windows)
    for block in blocks(x.shape[0], windows, channels, counts):
        columns = gather(xp, x[block], windows, counts)
        columns = xp.reshape(columns, (columns.shape[0], groups, length, prod(counts)))
        rows = xp.reshape(ct[block], (columns.shape[0], groups, out // groups, prod(counts)))
        total = total + xp.sum(xp.matmul(rows, xp.matrix_transpose(columns)), axis=0)
    return xp.reshape(total, (out, channels // groups, *windows.size))
