"""Samples of windows as columns; the formulas copy and add single elements."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal
from samples.convolution import LAST, counted, each, first, touches


def unfold(x: np.ndarray, window: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, layout: str = "") -> Any:
    """Copy every element of every window."""
    x = first(x, layout or "channels_first")
    window = each(window, x.ndim - 2)
    counts = counted(x.shape[2:], window, stride, padding, dilation)
    y = np.zeros((*x.shape[:2], *window, *counts))
    for place, element, at in touches(x.shape[2:], window, counts, stride, padding, dilation):
        y[(slice(None), slice(None), *element, *place)] = x[(slice(None), slice(None), *at)]
    y = y.reshape(x.shape[0], x.shape[1] * prod(window), prod(counts))
    return np.moveaxis(y, 1, 2) if layout == "channels_last" else y


def fold(
    x: np.ndarray, size: Any, window: Any, stride: Any = 1, padding: Any = 0, dilation: Any = 1, layout: str = ""
) -> Any:
    """Add every element of every window."""
    x = np.moveaxis(x, 2, 1) if layout == "channels_last" else x
    window = each(window, len(size))
    counts = counted(size, window, stride, padding, dilation)
    x = x.reshape(x.shape[0], x.shape[1] // prod(window), *window, *counts)
    y = np.zeros((*x.shape[:2], *size))
    for place, element, at in touches(size, window, counts, stride, padding, dilation):
        y[(slice(None), slice(None), *at)] += x[(slice(None), slice(None), *element, *place)]
    return np.moveaxis(y, 1, -1) if layout == "channels_last" else y


CASES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 5), {"window": 2}),
    ((1, 2, 5), {"window": 3, "padding": 1}),
    ((1, 2, 4, 5), {"window": [2, 3], "stride": [2, 1]}),
    ((2, 1, 4, 4), {"window": 2, "stride": 2, "padding": [0, 1, 1, 0]}),
    ((1, 2, 5, 4), {"window": 2, "dilation": 2, "padding": [1, 0]}),
    ((2, 4, 3, 2), {"window": 2, "padding": 1, **LAST}),
    ((1, 1, 3, 2, 2), {"window": [2, 1, 2]}),
    ((1, 1, 1), {"window": 1}),
]
SAMPLES["unfold"] = [Sample((normal(*x),), given, lambda x, given=given: unfold(x, **given)) for x, given in CASES]
SAMPLES["unfold"].append(
    Sample((np.arange(8).reshape(1, 2, 4),), {"window": 2, "stride": 2}, lambda x: unfold(x, 2, 2).astype(int))
)
X = normal(1, 2, 5)
WRONG["unfold"] = [
    Wrong((np.ones((1, 2, 5), bool),), "C1", {"window": 2}),
    Wrong((normal(2, 5),), "C3", {"window": 2}),
    Wrong((X,), "C4", {"window": 0}),
    Wrong((X,), "C4", {"window": [2, 2]}),
    Wrong((X,), "C4", {"window": 2, "stride": -1}),
    Wrong((X,), "C5", {"window": 6}),
]


def fold_sample(shape: tuple[int, ...], given: dict[str, Any]) -> Sample:
    """Return a sample whose result has the shape."""
    attributes = {**given, "size": first(np.zeros(shape), given.get("layout", "channels_first")).shape[2:]}
    columns = unfold(np.zeros(shape), **given).shape
    return Sample((normal(*columns),), attributes, lambda x: fold(x, **attributes))


SAMPLES["fold"] = [fold_sample(*case) for case in CASES]
COLUMNS = normal(1, 4, 4)
WRONG["fold"] = [
    Wrong((COLUMNS > 0,), "C1", {"window": 2, "size": [5]}),
    Wrong((normal(1, 4, 2, 2),), "C3", {"window": 2, "size": [3, 3]}),
    Wrong((COLUMNS,), "C3", {"window": 2, "size": []}),
    Wrong((COLUMNS,), "C4", {"window": [2, 2], "size": [5]}),
    Wrong((COLUMNS,), "C5", {"window": 6, "size": [5]}),
    Wrong((COLUMNS,), "C6", {"window": 2, "size": [6]}),
    Wrong((COLUMNS,), "C7", {"window": 3, "size": [6]}),
]
