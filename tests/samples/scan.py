"""Samples of the ops that run along an axis; the formulas walk along it with Python's own numbers."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from operator import mul
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def running(a: np.ndarray, b: np.ndarray, axis: int = -1, initial: float = 0.0, reverse: bool = False) -> np.ndarray:
    """Compute the recurrence row by row."""
    a, b = np.broadcast_arrays(a, b)
    y = np.zeros(a.shape)
    for index in np.ndindex(*(size for i, size in enumerate(a.shape) if i != axis % a.ndim)):
        at = [*index[: axis % a.ndim], slice(None), *index[axis % a.ndim :]]
        row, steps, value = y[tuple(at)], list(zip(a[tuple(at)], b[tuple(at)], strict=True)), initial
        for k in reversed(range(len(steps))) if reverse else range(len(steps)):
            row[k], value = value, steps[k][0] * value + steps[k][1]
    return y


SAMPLES["recurrence"] = [
    Sample((a, b), given, lambda a, b, given=given: running(a, b, **given))
    for a, b, given in (
        (normal(4), normal(4), {}),
        (normal(5), normal(), {"initial": 1.0, "reverse": True}),
        (normal(2, 3, 2), normal(3, 1), {"axis": 1, "initial": -0.5}),
        (normal(3), normal(2, 1), {"axis": 0, "reverse": True}),
        (normal(1), normal(1), {"initial": 2.0}),
        (normal(0, 3), normal(3), {"axis": 0}),
        (normal(3, 0), normal(3, 1), {"axis": -2}),
        (np.array([0.0, 2.0, 0.0]), np.zeros(3), {"initial": 1.0}),
    )
]
WRONG["recurrence"] = [
    Wrong((np.array([1, 2]), np.array([1, 2])), "C1"),
    Wrong((normal(2), normal(2).astype(np.float32)), "C2"),
    Wrong((normal(2), normal(3)), "C3"),
    Wrong((normal(), normal()), "C4"),
    Wrong((normal(2), normal()), "C4", {"axis": 1}),
]


def cumulative(function: Callable[..., Any], first: Any, dtype: Any = None) -> Callable[..., Any]:
    """Return the formula of a cumulative op that accumulates Python numbers from ``first`` on."""

    def formula(x: np.ndarray, axis: int = 0, include_initial: bool = False, reverse: bool = False) -> np.ndarray:
        def row(numbers: np.ndarray) -> np.ndarray:
            listed = numbers.tolist()
            found = list(accumulate(listed[::-1] if reverse else listed, function, initial=first))
            found = found if include_initial else found[1:]
            return np.array(found[::-1] if reverse else found, dtype or x.dtype)

        if x.size == 0:
            shape = [size + include_initial * (i == axis % x.ndim) for i, size in enumerate(x.shape)]
            return np.full(shape, first, dtype or x.dtype)
        return np.apply_along_axis(row, axis, x)

    return formula


for name, function, start in (("cumulative_sum", None, 0), ("cumulative_prod", mul, 1)):
    SAMPLES[name] = [
        Sample((x,), given, lambda x, given=given, f=function, s=start: cumulative(f, s)(x, **given), smooth)  # type: ignore[misc]
        for x, given, smooth in (
            (normal(4), {}, True),
            (normal(1), {"axis": -1}, True),
            (normal(5), {"include_initial": True}, True),
            (normal(5), {"reverse": True}, True),
            (normal(2, 3), {"axis": 0, "include_initial": True, "reverse": True}, True),
            (normal(2, 3, 2), {"axis": -2}, True),
            (normal(2, 1, 2), {"axis": 1, "include_initial": True}, True),
            (normal(3, 0), {"axis": 1}, True),
            (normal(0, 3), {"axis": 0, "include_initial": True}, True),
            (np.array([2.0, 0.0, 3.0, 0.0, -1.5]), {}, True),
            (np.array([0.0, 0.0, 2.0]), {"reverse": True, "include_initial": True}, True),
            (np.array([1e200, 1e-200, -1e-300]), {}, False),
            (np.array([1, -2, 3]), {"reverse": True}, False),
        )
    ]
    SAMPLES[name] += [
        Sample((np.array([100, 100], np.int8),), {}, cumulative(function, start, np.int64)),  # type: ignore[arg-type]
        Sample((np.array([[200], [200]], np.uint8),), {"axis": 0}, cumulative(function, start, np.uint64)),  # type: ignore[arg-type]
        Sample((np.array([math.inf, 1.0, -math.inf]),), {}, cumulative(function, start), differentiate=False),  # type: ignore[arg-type]
    ]
    WRONG[name] = [
        Wrong((np.array([True]),), "C1"),
        Wrong((normal(2, 3),), "C2"),
        Wrong((normal(),), "C2"),
        Wrong((normal(2, 3),), "C2", {"axis": 2}),
    ]
