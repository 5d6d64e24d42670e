"""Sliding windows on JAX: a few steps over whole arrays, where the kernels take one for each element of a window.

The kernels' steps are traced one by one, so that compiling them takes long where windows are wide.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from math import inf, prod
from types import SimpleNamespace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from graphspec.window import Windows, pad

_FEW = 16  # elements of a window whose slices XLA makes one loop of, faster than a reduction
_TAPS = 64  # elements of a window that a convolution of single channels adds up one by one


def _convolve(op: Any, windows: Windows, x: Any, weight: Any) -> Any:
    """Convolve channels-first arrays."""
    return lax.conv_general_dilated(
        x,
        weight,
        window_strides=windows.stride,
        padding=list(zip(windows.before, windows.after, strict=True)),
        rhs_dilation=windows.dilation,
        feature_group_count=op.groups,
        precision=lax.Precision.HIGHEST,
    )


def _is_depthwise(op: Any, weight: Any) -> bool:
    """Tell whether every channel is convolved alone, by a window of few elements: XLA's own way is slow there."""
    return op.groups == weight.shape[0] and weight.shape[1] == 1 and prod(weight.shape[2:]) <= _TAPS


def _taps(x: Any, weight: Any) -> tuple[Any, list[Any]]:
    """Return x and, for each element of the window, a column with the weight of each channel; in 32 bits or more."""
    wide = jnp.promote_types(x.dtype, jnp.float32)
    rows = jnp.reshape(weight.astype(wide), (weight.shape[0], -1, *[1] * (x.ndim - 2)))
    return x.astype(wide), [rows[:, i] for i in range(rows.shape[1])]


def _conv(op: Any, x: Any, weight: Any) -> Any:
    x = jnp.permute_dims(x, op.first_axes(x.ndim))
    windows = op.windows(weight.shape[2:], x.shape[2:])
    if _is_depthwise(op, weight):
        wide, taps = _taps(pad(jnp, x, windows), weight)
        slices = windows.slices(windows.count(x.shape[2:]))
        y = reduce(jnp.add, [wide[index] * tap for index, tap in zip(slices, taps, strict=True)]).astype(x.dtype)
    else:
        y = _convolve(op, windows, x, weight)
    return jnp.permute_dims(y, op.laid_axes(x.ndim))


def _conv_transpose(op: Any, x: Any, weight: Any) -> Any:
    """Transpose the convolution in its first operand."""
    x = jnp.permute_dims(x, op.first_axes(x.ndim))
    windows, dims = op.geometry(x.shape[2:], weight.shape[2:])
    if _is_depthwise(op, weight):
        wide, taps = _taps(x, weight)
        starts = [np.subtract(offset, windows.before) for offset in windows.offsets()]
        parts = [_place(wide * tap, 2, start, windows.stride, dims) for start, tap in zip(starts, taps, strict=True)]
        y = reduce(jnp.add, parts).astype(x.dtype)
    else:
        result = jax.ShapeDtypeStruct((x.shape[0], weight.shape[1] * op.groups, *dims), x.dtype)
        (y,) = jax.linear_transpose(lambda value: _convolve(op, windows, value, weight), result)(x)
    return jnp.permute_dims(y, op.laid_axes(x.ndim))


def _conv_weight_gradient(op: Any, x: Any, ct: Any) -> Any:
    """Transpose the convolution in its second operand."""
    x, ct = (jnp.permute_dims(array, op.first_axes(array.ndim)) for array in (x, ct))
    windows = op.geometry(x.shape[2:])
    weight = jax.ShapeDtypeStruct((ct.shape[1], x.shape[1] // op.groups, *windows.size), x.dtype)
    (y,) = jax.linear_transpose(lambda value: _convolve(op, windows, x, value), weight)(ct)
    return y


def _place(x: Any, axis: int, starts: Sequence[int], strides: Sequence[int], dims: Sequence[int]) -> Any:
    """Return zeros that have ``dims`` from ``axis`` on, with the elements of x in them.

    The first lies at ``starts``, the next ones ``strides`` apart; what would lie outside is dropped.
    """
    sides = [(0, 0, 0)] * x.ndim
    for i, (start, stride, dim) in enumerate(zip(starts, strides, dims, strict=True), axis):
        sides[i] = (int(start), dim - int(start) - (x.shape[i] - 1) * stride - 1, stride - 1)
    return lax.pad(x, jnp.zeros((), x.dtype), sides)


def _lie_apart(windows: Windows) -> list[bool]:
    """Tell, for each spatial dim, whether windows are made of elements side by side that no other window has."""
    sides = zip(windows.size, windows.stride, windows.dilation, strict=True)
    return [stride >= size and gap == 1 for size, stride, gap in sides]


def _windowed(x: Any, windows: Windows, initial: float, join: Any, total: Any) -> Any:
    """Reduce windows, where ``total`` reduces axes of an array and ``join`` two elements."""
    start = jnp.asarray(initial, x.dtype)
    if all(_lie_apart(windows)):  # then they are dims of their own
        counts = windows.count(x.shape[2:])
        facts = zip(windows.before, windows.stride, counts, x.shape[2:], strict=True)
        ends = [(before, count * stride - dim - before, 0) for before, stride, count, dim in facts]
        split = [dim for pair in zip(counts, windows.stride, strict=True) for dim in pair]
        x = jnp.reshape(lax.pad(x, start, [(0, 0, 0), (0, 0, 0), *ends]), (*x.shape[:2], *split))
        inside = [part for size in windows.size for part in (slice(None), slice(size))]
        return total(x[(..., *inside)], axis=tuple(range(3, x.ndim, 2)))
    sides = zip(windows.size, windows.stride, windows.dilation, windows.before, windows.after, strict=True)
    for i, (size, stride, gap, before, after) in enumerate(sides, 2):  # dim by dim: less work than whole windows
        ones, none = [1] * x.ndim, [(0, 0)] * x.ndim
        x = lax.reduce_window(
            x,
            start,
            join,
            window_dimensions=[*ones[:i], size, *ones[i + 1 :]],
            window_strides=[*ones[:i], stride, *ones[i + 1 :]],
            padding=[*none[:i], (before, after), *none[i + 1 :]],
            window_dilation=[*ones[:i], gap, *ones[i + 1 :]],
        )
    return x


def _max_windows(op: Any, x: Any, windows: Windows, extra: Sequence[int]) -> Any:
    return _windowed(x, windows.widened(extra), -inf, lax.max, jnp.max)


def _mean_windows(op: Any, x: Any, windows: Windows, extra: Sequence[int]) -> Any:
    y = _windowed(x, windows.widened(extra), 0.0, lax.add, jnp.sum)
    counted, dims = op.counted(windows, extra, x.shape[2:])
    inside = []  # dim by dim, how many elements of each window count
    for i, dim in enumerate(dims):
        first = np.arange(y.shape[2 + i]) * counted.stride[i] - counted.before[i]
        place = first + np.arange(counted.size[i])[:, None] * counted.dilation[i]
        inside.append(np.sum((place >= 0) & (place < dim), axis=0))
    return y / jnp.asarray(reduce(np.multiply.outer, inside), y.dtype)


def _pooling(compute: Callable[..., Any]) -> Callable[..., Any]:
    """Return the override of a pooling; ``compute`` takes channels-first arrays."""

    def override(op: Any, x: Any) -> Any:
        first = jnp.permute_dims(x, op.first_axes(x.ndim))
        windows, extra = op.geometry(first.shape[2:])
        if all(_lie_apart(windows)) and prod(windows.size) <= _FEW:
            return op.kernel(jnp, x)
        return jnp.permute_dims(compute(op, first, windows, extra), op.laid_axes(x.ndim))

    return override


def _unfold(op: Any, x: Any) -> Any:
    """Take windows apart dim by dim, the last first."""
    x = jnp.permute_dims(x, op.first_axes(x.ndim))
    windows, rank = op.geometry(x.shape[2:]), x.ndim - 2
    counts, rows = windows.count(x.shape[2:]), x.shape[1] * prod(windows.size)
    x = pad(jnp, x, windows)
    for i in reversed(range(rank)):
        # axis 1 + rank becomes the windows along this dim, their elements a new axis 2
        size, stride, gap, last = windows.size[i], windows.stride[i], windows.dilation[i], counts[i] - 1
        if _lie_apart(windows)[i]:  # windows and the gaps after them, one after another
            x = _place(x, 1 + rank, (0,), (1,), (counts[i] * stride,))
            x = jnp.reshape(x, (*x.shape[: 1 + rank], counts[i], stride, *x.shape[2 + rank :]))
            x = jnp.moveaxis(lax.slice_in_dim(x, 0, size, axis=2 + rank), 2 + rank, 2)
        else:
            starts = range(0, size * gap, gap)
            parts = [lax.slice_in_dim(x, k, k + last * stride + 1, stride, 1 + rank) for k in starts]
            x = jnp.stack(parts, axis=2)
    columns = jnp.reshape(x, (x.shape[0], rows, prod(counts)))
    return jnp.permute_dims(columns, op.laid_axes(3))


def _fold(op: Any, x: Any) -> Any:
    """Add windows up dim by dim."""
    x = jnp.permute_dims(x, op.first_axes(3))
    windows, rank = op.geometry(op.size), len(op.size)
    elements = prod(windows.size)
    x = jnp.reshape(x, (x.shape[0], x.shape[1] // elements, *windows.size, *windows.count(op.size)))
    for i, apart in enumerate(_lie_apart(windows)):
        # axis 2 is the elements of windows along this dim, axis 2 + rank the windows
        size, stride, before = windows.size[i], windows.stride[i], windows.before[i]
        if apart:  # windows and the gaps after them, one after another
            x = jnp.moveaxis(x, 2, 2 + rank)
            x = _place(x, 2 + rank, (0,), (1,), (stride,))
            x = jnp.reshape(x, (*x.shape[: 1 + rank], -1, *x.shape[3 + rank :]))
            x = _place(x, 1 + rank, (-before,), (1,), (op.size[i],))
        else:
            starts = [k * windows.dilation[i] - before for k in range(size)]
            parts = [_place(x[:, :, k], 1 + rank, (starts[k],), (stride,), (op.size[i],)) for k in range(size)]
            x = reduce(jnp.add, parts)
    return jnp.permute_dims(x, op.laid_axes(rank + 2))


def _resize(op: Any, x: Any) -> Any:
    """Compute indices and weights with NumPy, so that they are constants of the compiled graph."""
    if op.mode == "nearest":
        return op.kernel(jnp, x)
    return op.kernel(SimpleNamespace(**{**vars(np), "take": jnp.take}), x)


WINDOW_OVERRIDES: dict[str, Callable[..., Any]] = {
    "avg_pool": _pooling(_mean_windows),
    "conv": _conv,
    "conv_transpose": _conv_transpose,
    "conv_weight_gradient": _conv_weight_gradient,
    "fold": _fold,
    "max_pool": _pooling(_max_windows),
    "resize": _resize,
    "unfold": _unfold,
}
