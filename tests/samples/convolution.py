"""Samples of the convolutions; the formulas walk over batch, channels, places and windows in plain loops."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def pairs(values: Any, rank: int) -> list[tuple[int, int]]:
    """Return padding before and after each dim."""
    values = list(values) if isinstance(values, Sequence) else [values]
    if len(values) == 2 * rank:
        return [(values[2 * i], values[2 * i + 1]) for i in range(rank)]
    return [(value, value) for value in (values * rank if len(values) == 1 else values)]


def each(values: Any, rank: int) -> list[int]:
    """Return one number per dim."""
    values = list(values) if isinstance(values, Sequence) else [values]
    return values * rank if len(values) == 1 else values


def touches(
    dims: Sequence[int], window: Sequence[int], counts: Sequence[int], stride: Any, padding: Any, dilation: Any
) -> Iterator[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]]:
    """Yield place, element of the window, and element of the array for all that meet inside of the array."""
    rank = len(dims)
    step, gap, before = each(stride, rank), each(dilation, rank), [pair[0] for pair in pairs(padding, rank)]
    for place in product(*map(range, counts)):
        for element in product(*map(range, window)):
            at = tuple(place[i] * step[i] + element[i] * gap[i] - before[i] for i in range(rank))
            if all(0 <= at[i] < dims[i] for i in range(rank)):
                yield place, element, at


def counted(dims: Sequence[int], window: Sequence[int], stride: Any, padding: Any, dilation: Any) -> list[int]:
    """Count the places of a window by trying them one after another."""
    counts = []
    sides = zip(
        dims, window, each(stride, len(dims)), pairs(padding, len(dims)), each(dilation, len(dims)), strict=True
    )
    for dim, size, step, (before, after), gap in sides:
        starts = [start for start in range(-before, dim + after, step) if start + gap * (size - 1) < dim + after]
        counts.append(len(starts))
    return counts


def first(x: np.ndarray, layout: str) -> np.ndarray:
    return x if layout == "channels_first" else np.moveaxis(x, -1, 1)


def laid(x: np.ndarray, layout: str) -> np.ndarray:
    return x if layout == "channels_first" else np.moveaxis(x, 1, -1)


def conv(
    x: np.ndarray,
    weight: np.ndarray,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    layout: str = "channels_first",
) -> np.ndarray:
    """Convolve in plain loops."""
    x, window = first(x, layout), weight.shape[2:]
    counts = counted(x.shape[2:], window, stride, padding, dilation)
    y = np.zeros((x.shape[0], weight.shape[0], *counts))
    for place, element, at in touches(x.shape[2:], window, counts, stride, padding, dilation):
        for n, o, c in product(*map(range, (x.shape[0], *weight.shape[:2]))):
            group = o // (weight.shape[0] // groups)
            y[(n, o, *place)] += x[(n, group * weight.shape[1] + c, *at)] * weight[(o, c, *element)]
    return laid(y, layout)


def conv_transpose(
    x: np.ndarray,
    weight: np.ndarray,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    layout: str = "channels_first",
    output_padding: Any = 0,
) -> np.ndarray:
    """Add weighted windows up in plain loops."""
    x, window, rank = first(x, layout), weight.shape[2:], weight.ndim - 2
    step, gap, more = each(stride, rank), each(dilation, rank), each(output_padding, rank)
    dims = [
        (x.shape[2 + i] - 1) * step[i] + gap[i] * (window[i] - 1) + 1 - sum(pairs(padding, rank)[i]) + more[i]
        for i in range(rank)
    ]
    y = np.zeros((x.shape[0], weight.shape[1] * groups, *dims))
    for place, element, at in touches(dims, window, x.shape[2:], stride, padding, dilation):
        for n, o, c in product(*map(range, (x.shape[0], *weight.shape[:2]))):
            group = o // (weight.shape[0] // groups)
            y[(n, group * weight.shape[1] + c, *at)] += x[(n, o, *place)] * weight[(o, c, *element)]
    return laid(y, layout)


def conv_weight_gradient(
    x: np.ndarray,
    ct: np.ndarray,
    window: Any,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    layout: str = "channels_first",
) -> np.ndarray:
    """Correlate in plain loops."""
    x, ct = first(x, layout), first(ct, layout)
    window = each(window, x.ndim - 2)
    y = np.zeros((ct.shape[1], x.shape[1] // groups, *window))
    for place, element, at in touches(x.shape[2:], window, ct.shape[2:], stride, padding, dilation):
        for n, o, c in product(*map(range, (x.shape[0], *y.shape[:2]))):
            group = o // (y.shape[0] // groups)
            y[(o, c, *element)] += x[(n, group * y.shape[1] + c, *at)] * ct[(n, o, *place)]
    return y


LAST = {"layout": "channels_last"}
CASES: list[tuple[tuple[int, ...], tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5), (4, 3, 2), {}),
    ((1, 1, 1), (1, 1, 1), {}),
    ((2, 1, 7), (2, 1, 3), {"stride": 2, "padding": 1}),
    ((1, 4, 6), (2, 2, 3), {"padding": [0, 2], "groups": 2, "dilation": 2}),
    ((2, 5, 2), (3, 2, 3), {"stride": 3, "padding": 2, **LAST}),
    ((2, 2, 4, 5), (3, 2, 2, 3), {}),
    ((1, 3, 4, 4), (3, 1, 2, 2), {"groups": 3, "stride": [2, 1]}),
    ((1, 2, 5, 4), (2, 2, 3, 2), {"padding": [1, 0], "dilation": [1, 2]}),
    ((2, 5, 4, 2), (4, 1, 3, 3), {"groups": 2, "stride": 2, "padding": [1, 1, 0, 1], **LAST}),
    ((1, 2, 3, 3, 2), (2, 2, 2, 2, 1), {"stride": [1, 2, 1], "padding": [1, 0, 0]}),
    ((1, 2, 3, 2, 2), (1, 2, 1, 2, 2), {"dilation": [1, 1, 2], "padding": 1, **LAST}),
    ((0, 2, 4), (3, 2, 2), {}),
]
SAMPLES["conv"] = [
    Sample((normal(*x), normal(*weight)), given, lambda x, w, given=given: conv(x, w, **given))
    for x, weight, given in CASES
]
SAMPLES["conv"] += [
    Sample((normal(1, 2, 5), normal(2, 2, 3)), {"padding": "same", "stride": 2}, lambda x, w: conv(x, w, 2, 1)),
    Sample((normal(1, 2, 6), normal(2, 2, 3)), {"padding": "same", "stride": 2}, lambda x, w: conv(x, w, 2, [0, 1])),
    Sample((normal(1, 2, 6), normal(2, 2, 4)), {"padding": "same"}, lambda x, w: conv(x, w, 1, [1, 2])),
    Sample((normal(1, 2, 5), normal(2, 2, 1)), {"padding": "same", "stride": 3}, lambda x, w: conv(x, w, 3)),
    Sample((normal(1, 2, 5), normal(2, 2, 2)), {"padding": "valid"}, conv),
]
X, W = normal(1, 2, 5), normal(3, 2, 3)
EITHER = normal(2, 2, 3)  # a weight for both directions
OPERANDS = [
    Wrong((np.ones((1, 2, 5), int), np.ones((3, 2, 3), int)), "C1"),
    Wrong((X, W.astype(np.float32)), "C2"),
    Wrong((normal(2, 5), normal(3, 2)), "C3"),
    Wrong((X, normal(3, 2, 3, 3)), "C3"),
    Wrong((normal(1, 1, 2, 2, 2, 2), normal(1, 1, 1, 1, 1, 1)), "C3"),
    Wrong((X, EITHER), "C4", {"stride": 0}),
    Wrong((X, EITHER), "C4", {"stride": [1, 2]}),
    Wrong((X, EITHER), "C4", {"dilation": -1}),
    Wrong((X, EITHER), "C4", {"padding": -1}),
    Wrong((X, EITHER), "C4", {"padding": [1, 2, 3]}),
]
WRONG["conv"] = [
    *OPERANDS,
    Wrong((X, normal(3, 2, 0)), "C4"),
    Wrong((X, normal(3, 2, 6)), "C5"),
    Wrong((X, W), "C5", {"dilation": 3}),
    Wrong((X, normal(3, 1, 3)), "C6"),
    Wrong((X, normal(3, 1, 3)), "C6", {"groups": 2}),
    Wrong((X, W), "C6", LAST),
]

SAMPLES["conv_transpose"] = [
    Sample((normal(*x), normal(*weight)), given, lambda x, w, given=given: conv_transpose(x, w, **given))
    for x, weight, given in [
        ((2, 3, 4), (3, 2, 2), {}),
        ((1, 1, 1), (1, 1, 1), {}),
        ((2, 1, 3), (1, 2, 3), {"stride": 2, "padding": 1, "output_padding": 1}),
        ((1, 4, 3), (4, 1, 3), {"padding": [0, 2], "groups": 2, "dilation": 2}),
        ((2, 3, 4), (4, 2, 2), {"stride": 3, "output_padding": 2, **LAST}),
        ((1, 2, 3, 2), (2, 3, 2, 3), {"stride": [2, 1], "output_padding": [1, 0]}),
        ((1, 3, 2, 2), (3, 1, 2, 2), {"groups": 3, "stride": 2, "padding": [1, 0, 0, 1]}),
        ((2, 2, 3, 2), (2, 1, 2, 2), {"groups": 2, "dilation": [2, 1], "padding": 1, **LAST}),
        ((1, 2, 2, 2, 1), (2, 2, 2, 1, 2), {"stride": [1, 2, 1], "padding": [1, 0, 0]}),
        ((0, 2, 4), (2, 3, 2), {}),
    ]
]
SAMPLES["conv_transpose"] += [
    Sample(
        (normal(1, 2, 4), normal(2, 1, 3)),
        {"padding": "same", "stride": 2},
        lambda x, w: conv_transpose(x, w, 2, [0, 1]),
    ),
    Sample(
        (normal(1, 2, 3), normal(2, 1, 1)),
        {"padding": "same", "stride": 3},
        lambda x, w: conv_transpose(x, w, 3, output_padding=2),
    ),
]
V = normal(2, 3, 3)
WRONG["conv_transpose"] = [
    *OPERANDS,
    Wrong((X, V), "C4", {"output_padding": -1}),
    Wrong((X, V), "C4", {"output_padding": [0, 0]}),
    Wrong((normal(1, 2, 1), V), "C5", {"padding": 2}),
    Wrong((X, W), "C6"),
    Wrong((X, V), "C6", {"groups": 3}),
    Wrong((X, V), "C7", {"output_padding": 1}),
    Wrong((normal(1, 2, 0), V), "C7", {"stride": 1}),
    Wrong((X, V), "C7", {"output_padding": 2, "stride": 2}),
]


def weight_sample(x: tuple[int, ...], weight: tuple[int, ...], given: dict[str, Any]) -> Sample:
    """Return a sample of the gradient of the weight of a convolution."""
    ct = conv(np.zeros(x), np.zeros(weight), **given).shape
    attributes = {**given, "window": list(weight[2:])}
    return Sample((normal(*x), normal(*ct)), attributes, lambda a, b: conv_weight_gradient(a, b, **attributes))


SAMPLES["conv_weight_gradient"] = [weight_sample(*case) for case in CASES]
SAMPLES["conv_weight_gradient"].append(
    Sample(
        (normal(1, 2, 5), normal(1, 3, 5)),
        {"window": 3, "padding": "same"},
        lambda x, ct: conv_weight_gradient(x, ct, 3, padding=1),
    )
)
CT = normal(1, 3, 3)
WRONG["conv_weight_gradient"] = [
    Wrong((np.ones((1, 2, 5), int), np.ones((1, 3, 3), int)), "C1", {"window": 3}),
    Wrong((X, CT.astype(np.float32)), "C2", {"window": 3}),
    Wrong((X, normal(1, 3, 3, 3)), "C3", {"window": 3}),
    Wrong((X, CT), "C4", {"window": [3, 3]}),
    Wrong((X, CT), "C4", {"window": 0}),
    Wrong((X, CT), "C4", {"window": 3, "stride": 0}),
    Wrong((X, CT), "C5", {"window": 6}),
    Wrong((X, CT), "C6", {"window": 3, "groups": 2}),
    Wrong((normal(1, 3, 5), normal(1, 2, 3)), "C6", {"window": 3, "groups": 2}),
    Wrong((X, CT), "C7", {"window": 2}),
    Wrong((X, normal(2, 3, 3)), "C7", {"window": 3}),
]
