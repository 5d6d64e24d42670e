"""Samples of sorting and searching; the formulas are Python's own `sorted`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

TIES = np.array([[2.0, 1.0, 2.0, 1.0], [0.0, 0.0, 0.0, -1.0]])
SPECIAL = np.array([math.nan, 1.0, math.inf, -math.inf, math.nan, -1e300])
TRUTH = np.array([[True, False, True], [False, False, True]])


def ranked(x: np.ndarray, axis: int, descending: bool) -> np.ndarray:
    """Return the indices in sorted order, computed row by row."""

    def row(numbers: np.ndarray) -> list[int]:
        keys = [(math.isnan(number), number if number == number else 0) for number in numbers.tolist()]
        order = sorted(range(len(keys)), key=keys.__getitem__, reverse=descending)
        return np.array(order, np.int64)

    return np.apply_along_axis(row, axis, x) if x.size else np.zeros(x.shape, np.int64)


def element(x: np.ndarray, order: np.ndarray, axis: int) -> np.ndarray:
    y = np.empty(order.shape, x.dtype)
    for place in np.ndindex(*order.shape):
        at = list(place)
        at[axis] = int(order[place])
        y[place] = x[tuple(at)]
    return y


def ordered(axis: int = -1, descending: bool = False) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: element(x, ranked(x, axis, descending), axis)


ORDERS: list[tuple[np.ndarray, dict[str, Any], bool]] = [
    (normal(5), {}, True),
    (normal(1), {"axis": 0}, True),
    (normal(5), {"descending": True}, True),
    (normal(3, 4), {"axis": 0}, True),
    (normal(3, 1, 4), {"axis": -1, "descending": True}, True),
    (normal(3, 2, 2), {"axis": -3, "descending": True}, True),
    (normal(0, 3), {"axis": 0}, True),
    (normal(0, 3), {"axis": 0, "descending": True}, True),
    (normal(3, 0), {"axis": 0}, True),
    (TIES, {}, False),
    (TIES, {"descending": True}, False),
    (SPECIAL, {}, False),
    (SPECIAL, {"descending": True}, False),
    (np.array([1e300, -1e-300, 1e-300, 0.0]), {}, False),
    (np.array([[3, 1], [1, 3]], np.uint8), {"descending": True}, False),
]
SAMPLES["sort"] = [Sample((x,), given, ordered(**given), smooth) for x, given, smooth in ORDERS]
SAMPLES["argsort"] = [
    Sample((x,), given, lambda x, given=given: ranked(x, **{"axis": -1, "descending": False, **given}))
    for x, given, _ in ORDERS
]
for name in ("sort", "argsort"):
    WRONG[name] = [
        Wrong((TRUTH,), "C1"),
        Wrong((normal(),), "C2"),
        Wrong((normal(2, 3),), "C2", {"axis": 2}),
    ]


def top(k: int, axis: int = -1, largest: bool = True) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    def formula(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        order = np.moveaxis(np.moveaxis(ranked(x, axis, largest), axis, 0)[:k], 0, axis)
        return element(x, order, axis), order

    return formula


SAMPLES["top_k"] = [
    Sample((x,), given, top(**given), smooth)
    for x, given, smooth in (
        (normal(5), {"k": 2}, True),
        (normal(5), {"k": 5, "largest": False}, True),
        (normal(1), {"k": 1, "axis": 0}, True),
        (normal(5), {"k": 0}, True),
        (normal(4, 3), {"k": 2, "axis": 0}, True),
        (normal(2, 1, 3), {"k": 1, "axis": -1, "largest": False}, True),
        (normal(0, 3), {"k": 2}, True),
        (TIES, {"k": 2}, False),
        (TIES, {"k": 3, "largest": False}, False),
        (SPECIAL, {"k": 3}, False),
        (np.array([[3, 1, 2]], np.uint8), {"k": 2}, False),
    )
]
WRONG["top_k"] = [
    Wrong((TRUTH,), "C1", {"k": 1}),
    Wrong((normal(),), "C2", {"k": 1}),
    Wrong((normal(2, 3),), "C2", {"k": 1, "axis": -3}),
    Wrong((normal(2, 3),), "C3", {"k": 4}),
    Wrong((normal(0),), "C3", {"k": 1}),
]


def places(x: np.ndarray, values: np.ndarray, side: str = "left") -> np.ndarray:
    def before(a: float, b: float) -> bool:
        a, b = (math.inf if math.isnan(number) else number for number in (a, b))
        return a < b or (side == "right" and a == b)

    found = [sum(before(a, b) for a in x.tolist()) for b in values.ravel().tolist()]
    return np.array(found, np.int64).reshape(values.shape)


EDGES = np.array([-1.0, 0.0, 0.0, 2.5])
SAMPLES["searchsorted"] = [
    Sample((x, values), given, lambda x, values, given=given: places(x, values, **given))
    for x, values, given in (
        (EDGES, np.array(0.0), {}),
        (EDGES, np.array(0.0), {"side": "right"}),
        (EDGES, np.array([[-5.0, 9.0], [2.5, -1.0]]), {}),
        (EDGES, np.array([-math.inf, math.inf, 1e-300, -1e300]), {"side": "right"}),
        (EDGES, np.array([math.nan]), {}),
        (EDGES, np.zeros((0, 2)), {}),
        (np.zeros(0), normal(2, 1), {}),
        (np.array([1, 3, 5], np.int8), np.array([3, 4], np.int8), {"side": "right"}),
    )
]
WRONG["searchsorted"] = [
    Wrong((TRUTH[0], TRUTH), "C1"),
    Wrong((EDGES, np.array([1])), "C2"),
    Wrong((EDGES[None], EDGES), "C3"),
    Wrong((np.array(1.0), EDGES), "C3"),
]


def hits(size: int) -> Callable[[np.ndarray], tuple[np.ndarray, ...]]:
    def formula(x: np.ndarray) -> tuple[np.ndarray, ...]:
        found = [place for place in np.ndindex(*x.shape) if x[place]][:size]
        found += [(-1,) * x.ndim] * (size - len(found))
        return tuple(np.array([place[i] for place in found], np.int64) for i in range(x.ndim))

    return formula


SAMPLES["nonzero"] = [
    Sample((x,), {"size": size}, hits(size), differentiate=False)
    for x, size in (
        (np.array([0.0, 1.0, -0.0, math.nan]), 2),
        (np.array([0.0, 1.0, 5.0]), 6),
        (np.array([1, 2, 3], np.int8), 2),
        (TRUTH, 4),
        (TRUTH[:, None], 2),
        (np.zeros((2, 2)), 3),
        (np.zeros((0, 3)), 2),
        (np.zeros(0), 0),
        (TRUTH, 0),
    )
]
WRONG["nonzero"] = [Wrong((normal(),), "C1", {"size": 1})]
