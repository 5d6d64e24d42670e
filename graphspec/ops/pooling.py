"""Pooling: one number for each window of each channel.

Constraints of both: (C1) x is float; (C3) there are a batch dim, a channel dim and spatial dims; (C4) stride and
dilation are positive integers and, like window and padding, given once or per spatial dim, and the padding is less than
a window reaches; (C5) a window fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf, prod
from typing import Any, ClassVar

from graphspec.dims import Expr, product
from graphspec.errors import OpTypeError
from graphspec.op import Integers, Op, attribute, op, require_kind
from graphspec.types import TensorType
from graphspec.window import Sliding, Windows, pad, per_dim, quotient


@dataclass(frozen=True, kw_only=True)
class Pooling(Sliding):
    """What poolings share. JAX may override their kernels with its own windowed reduction."""

    default_stride: ClassVar[bool] = True

    window: Integers = attribute("elements of a window along each dim: one number, or one per spatial dim")
    stride: Integers | None = attribute(  # type: ignore[assignment]
        "steps from one window to the next: one number, or one per spatial dim; null is the window", default=None
    )
    ceil_mode: bool = attribute(
        "whether a last window counts that begins inside but reaches over the end", default=False
    )

    def geometry(self, dims: Sequence[Any]) -> tuple[Windows, tuple[Any, ...]]:
        """Return the windows over spatial dims, and how far the last of them reach over the padded end.

        Raises:
            OpTypeError: C4 or C5.
        """
        windows = self.windows(per_dim("window", self.window, len(dims)), dims)
        for entry, reach in zip(windows.padding, (reach for reach in windows.reach for _ in (0, 1)), strict=True):
            if isinstance(entry, int) and isinstance(reach, int) and entry >= reach:
                message = f"padding {entry} has room for a window that reaches {reach}, with nothing in it"
                raise OpTypeError("C4", message, code="GS404")
        extra = tuple(_overhang(windows, dims, i) for i in range(len(dims))) if self.ceil_mode else (0,) * len(dims)
        windows.widened(extra).count(dims)
        return windows, extra

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind(self.name, "float", x)
        shape = self.first(x)
        windows, extra = self.geometry(shape[2:])
        return TensorType(x.dtype, self.laid((*shape[:2], *windows.widened(extra).count(shape[2:]))))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        windows, _ = self.geometry(self.first(types[0])[2:])
        return replace(self, **self.written(windows), window=windows.size)

    def columns(self, g: Any, x: Any, windows: Windows) -> Any:
        """Emit the windows of a value with channels first: ``[n, c, elements, windows]``."""
        shape = x.type.shape
        columns = g.unfold(x, window=windows.size, **self.written(windows))
        return g.reshape(columns, shape=(*shape[:2], product(windows.size), product(windows.count(shape[2:]))))

    def filled(self, g: Any, dims: Sequence[Any], windows: Windows, dtype: str) -> Any:
        """Emit, for each element of each window, 1 where it lies inside of ``dims`` and 0 where not."""
        return self.columns(g, g.ones(shape=(1, 1, *dims), dtype=dtype), windows)

    def returned(self, g: Any, shares: Any, x: Any, windows: Windows) -> Any:
        """Emit the sum of what the windows give to each element: the cotangent of x."""
        shape = self.first(x.type)
        columns = g.reshape(shares, shape=(shape[0], shape[1] * product(windows.size), shares.type.shape[3]))
        return self.values_laid(g, g.fold(columns, size=shape[2:], window=windows.size, **self.written(windows)))

    def results(self, g: Any, y: Any) -> Any:
        """Emit a result or its cotangent as ``[n, c, 1, windows]``."""
        y = self.values_first(g, y)
        return g.reshape(y, shape=(*y.type.shape[:2], 1, product(y.type.shape[2:])))


@op("max_pool", ports="x")
class MaxPool(Pooling):
    """The greatest element of each window; padding never counts.

    Shapes: x ``[n, c, *dims]`` to ``[n, c, *counts]``, or ``[n, *dims, c]`` with ``layout="channels_last"``; a count is
    ``(dim + before + after - dilation * (window - 1) - 1 + stride) // stride``. With ``ceil_mode`` it is rounded up,
    but the last window begins inside of the array or the padding before it.
    Constraints: (C1) x is float; (C3) there are spatial dims; (C4) the attributes fit them; (C5) a window fits.
    Gradient: ct to the greatest element of each window, in equal shares where there are several, as in `max`.
    Special values: nan where there is a nan, without a gradient; -inf for a window of padding only.
    Example: ``max_pool(x, window=3, stride=2, padding=1)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x = xp.permute_dims(arrays[0], self.first_axes(arrays[0].ndim))
        windows, extra = self.geometry(x.shape[2:])
        windows = windows.widened(extra)
        counts, x = windows.count(x.shape[2:]), pad(xp, x, windows, -inf)
        y = reduce(xp.maximum, [x[index] for index in windows.slices(counts)])
        return xp.permute_dims(y, self.laid_axes(y.ndim))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        first = self.values_first(g, x)
        windows, extra = self.geometry(first.type.shape[2:])
        windows = windows.widened(extra)
        hit = g.equal(self.columns(g, first, windows), self.results(g, y))
        if windows.is_padded:  # the zeros of the padding are no hits
            inside = self.filled(g, first.type.shape[2:], windows, x.type.dtype)
            hit = g.logical_and(hit, g.greater(inside, 0))
        count = g.sum(g.cast(hit, dtype=x.type.dtype), axis=(2,), keepdims=True)
        return (self.returned(g, g.where(hit, self.results(g, ct) / count, 0), x, windows),)


@op("avg_pool", ports="x")
class AvgPool(Pooling):
    """The mean of the elements of each window.

    Shapes: as `max_pool`.
    The mean is over what lies inside of the array, with ``count_include_pad`` also over the zeros of the padding. What
    ``ceil_mode`` adds at the end never counts.
    Constraints: (C1) x is float; (C3) there are spatial dims; (C4) the attributes fit them; (C5) a window fits.
    Gradient: ct / count to each element of each window.
    Special values: nan for a window of padding only, when that does not count.
    Example: ``avg_pool(x, window=2)``
    """

    count_include_pad: bool = attribute("whether the zeros of the padding count as elements", default=True)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x = xp.permute_dims(arrays[0], self.first_axes(arrays[0].ndim))
        windows, extra = self.geometry(x.shape[2:])
        y = _totals(xp, x, windows.widened(extra))
        counted, dims = self.counted(windows, extra, x.shape[2:])
        count = prod(windows.size)
        if counted.is_padded:
            count = _totals(xp, xp.ones((1, 1, *dims), dtype=x.dtype), counted)
        return xp.permute_dims(y / count, self.laid_axes(y.ndim))

    def counted(self, windows: Windows, extra: Sequence[Any], dims: Sequence[Any]) -> tuple[Windows, tuple[Any, ...]]:
        """Return windows and dims with the same windows, where only what does not count is padding."""
        if not self.count_include_pad:
            return windows.widened(extra), tuple(dims)
        none = (0,) * len(extra)
        return replace(windows, before=none, after=tuple(extra)), windows.padded(dims)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, _ = values
        shape = self.first(x.type)
        windows, extra = self.geometry(shape[2:])
        counted, dims = self.counted(windows, extra, shape[2:])
        windows = windows.widened(extra)
        elements: Any = product(windows.size)
        count = elements
        if counted.is_padded:
            count = g.sum(self.filled(g, dims, counted, x.type.dtype), axis=(2,), keepdims=True)
        share = self.results(g, ct) / count
        share = g.broadcast_to(share, shape=(*share.type.shape[:2], elements, share.type.shape[3]))
        return (self.returned(g, share, x, windows),)


def _totals(xp: Any, x: Any, windows: Windows) -> Any:
    """Return the sum of each window."""
    counts, x = windows.count(x.shape[2:]), pad(xp, x, windows)
    return reduce(xp.add, [x[index] for index in windows.slices(counts)])


def _overhang(windows: Windows, dims: Sequence[Any], i: int) -> Any:
    """Return how far the last window along a dim reaches over the padded end: it need only begin inside. Checks C4."""
    wide, reach, stride = windows.padded(dims)[i], windows.reach[i], windows.stride[i]
    last = quotient(wide - reach + 2 * stride - 1, stride) - 1  # windows before it
    room = reach - windows.after[i] - stride
    if isinstance(last, int) and isinstance(wide, int) and isinstance(windows.after[i], int):
        last -= last * stride >= wide - windows.after[i]
        return max(0, last * stride + reach - wide)
    if isinstance(room, Expr) or room < 0:
        message = f"with ceil_mode the number of windows along dim {dims[i]} is unknown before it is"
        raise OpTypeError("C4", message, code="GS404", hint="leave ceil_mode out and pad the end instead")
    return last * stride + reach - wide
