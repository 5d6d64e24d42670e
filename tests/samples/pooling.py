"""Samples of the poolings; the formulas walk over places and windows in plain loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal
from samples.convolution import LAST, each, first, laid, pairs


def starts(dim: int, reach: int, step: int, before: int, after: int, ceil_mode: bool) -> list[int]:
    """List where windows begin: they end inside of the padded array, or with ``ceil_mode`` begin inside."""
    ends = range(-before, dim + after, step)
    if not ceil_mode:
        return [start for start in ends if start + reach <= dim + after]
    return [start for start in ends if start < dim and start - step + reach < dim + after]


def pool(
    x: np.ndarray,
    function: Callable[[list[float], int], float],
    window: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    layout: str = "channels_first",
    ceil_mode: bool = False,
) -> np.ndarray:
    """Call ``function`` on the elements of each window inside of the array, and how many are inside of the padding."""
    x = first(x, layout)
    rank, dims = x.ndim - 2, x.shape[2:]
    size, gap = each(window, rank), each(dilation, rank)
    step, around = each(window if stride is None else stride, rank), pairs(padding, rank)
    reach = [gap[i] * (size[i] - 1) + 1 for i in range(rank)]
    lines = [starts(dims[i], reach[i], step[i], *around[i], ceil_mode) for i in range(rank)]
    y = np.zeros((*x.shape[:2], *map(len, lines)))
    for n, c in product(*map(range, x.shape[:2])):
        for place in product(*(range(len(line)) for line in lines)):
            offsets = product(*(range(0, reach[i], gap[i]) for i in range(rank)))
            ats = [tuple(lines[i][place[i]] + offset[i] for i in range(rank)) for offset in offsets]
            inside = [x[(n, c, *at)] for at in ats if all(0 <= at[i] < dims[i] for i in range(rank))]
            padded = sum(all(a < dims[i] + around[i][1] for i, a in enumerate(at)) for at in ats)
            y[(n, c, *place)] = function(inside, padded)
    return laid(y, layout)


def greatest(inside: list[float], padded: int) -> float:
    return max(inside, default=-math.inf)


def mean_inside(inside: list[float], padded: int) -> float:
    return math.fsum(inside) / len(inside) if inside else math.nan


def mean_padded(inside: list[float], padded: int) -> float:
    return math.fsum(inside) / padded


CASES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 3, 6), {"window": 2}),
    ((1, 2, 7), {"window": 3, "stride": 2, "padding": 1}),
    ((1, 1, 1), {"window": 1}),
    ((2, 2, 4, 5), {"window": 2}),
    ((1, 2, 5, 4), {"window": [3, 2], "stride": [1, 2], "padding": [1, 0]}),
    ((1, 1, 5, 5), {"window": 2, "stride": 1, "padding": [0, 1, 1, 0], "dilation": 2}),
    ((2, 5, 4, 2), {"window": 3, "stride": 2, "padding": 1, **LAST}),
    ((1, 2, 5, 6), {"window": 2, "ceil_mode": True}),
    ((1, 1, 6, 7), {"window": 3, "stride": 2, "padding": 1, "ceil_mode": True}),
    ((1, 1, 5), {"window": 2, "stride": 4, "padding": 1, "ceil_mode": True}),
    ((1, 2, 3, 2, 3), {"window": [2, 1, 2], "stride": 1}),
    ((0, 2, 4), {"window": 2}),
]
SAMPLES["max_pool"] = [
    Sample((normal(*x),), given, lambda x, given=given: pool(x, greatest, **given)) for x, given in CASES
]
SAMPLES["max_pool"] += [
    Sample((-np.abs(normal(1, 1, 4)),), {"window": 3, "padding": 1, "stride": 1}, lambda x: pool(x, greatest, 3, 1, 1)),
    Sample(
        (normal(1, 1, 4),),
        {"window": 3, "stride": 2, "padding": "same"},
        lambda x: pool(x, greatest, 3, 2, [0, 1]),
    ),
    Sample((np.ones((1, 1, 4)),), {"window": 2, "stride": 1}, lambda x: np.ones((1, 1, 3)), differentiate=False),
]
SAMPLES["avg_pool"] = [
    *(Sample((normal(*x),), given, lambda x, given=given: pool(x, mean_padded, **given)) for x, given in CASES),
    *(
        Sample(
            (normal(*x),),
            {**given, "count_include_pad": False},
            lambda x, given=given: pool(x, mean_inside, **given),
            differentiate=True,
        )
        for x, given in CASES
    ),
]
X = normal(1, 2, 5)
for name in ("max_pool", "avg_pool"):
    WRONG[name] = [
        Wrong((np.ones((1, 2, 5), int),), "C1", {"window": 2}),
        Wrong((normal(2, 5),), "C3", {"window": 2}),
        Wrong((X,), "C4", {"window": 0}),
        Wrong((X,), "C4", {"window": [2, 2]}),
        Wrong((X,), "C4", {"window": 2, "stride": [2, 2]}),
        Wrong((X,), "C4", {"window": 2, "padding": 2}),
        Wrong((X,), "C4", {"window": 2, "padding": [0, 2]}),
        Wrong((X,), "C5", {"window": 6}),
        Wrong((normal(1, 2, 0),), "C5", {"window": 1, "ceil_mode": True}),
    ]
