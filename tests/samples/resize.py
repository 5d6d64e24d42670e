"""Samples of resampling; the formulas weigh single elements with exact fractions."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import floor
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal
from samples.convolution import LAST


def place(i: int, n: int, m: int, align: str) -> Fraction:
    """Return where element ``i`` of ``m`` lies among ``n``."""
    if align == "half_pixel":
        return Fraction(2 * i + 1, 2) * Fraction(n, m) - Fraction(1, 2)
    return i * Fraction(n, m) if align == "asymmetric" else i * Fraction(n - 1, max(m - 1, 1))


def cubic(distance: Fraction) -> Fraction:
    """Return the kernel of Keys with a = -3/4, written as in the paper."""
    a, s = Fraction(-3, 4), abs(distance)
    if s < 1:
        return (a + 2) * s**3 - (a + 3) * s**2 + 1
    return a * s**3 - 5 * a * s**2 + 8 * a * s - 4 * a if s < 2 else Fraction(0)


def matrix(n: int, m: int, mode: str, align: str) -> np.ndarray:
    """Return the weight of each of ``n`` elements in each of ``m``."""
    result = np.zeros((m, n))
    tent: Callable[[Fraction], Fraction] = lambda distance: max(Fraction(0), 1 - abs(distance))
    for i in range(m):
        at = place(i, n, m, align)
        if mode == "nearest":
            near = floor(at) if align == "asymmetric" else floor(at + Fraction(1, 2))
            result[i, min(max(near, 0), n - 1)] = 1
            continue
        for k in range(floor(at) - 1, floor(at) + 3):
            result[i, min(max(k, 0), n - 1)] += float((tent if mode == "linear" else cubic)(at - k))
    return result


def resampled(x: np.ndarray, size: Any, mode: str, align: str, layout: str, turned: bool) -> np.ndarray:
    """Multiply with the matrix along each spatial axis."""
    axis = 2 if layout == "channels_first" else 1
    for i, dim in enumerate(size, axis):
        n = x.shape[i]
        weights = matrix(dim, n, mode, align).T if turned else matrix(n, dim, mode, align)
        x = np.moveaxis(np.einsum("mn,...n->...m", weights, np.moveaxis(x, i, -1)), -1, i)
    return x


def sample(x: tuple[int, ...], given: dict[str, Any], turned: bool) -> Sample:
    """Return a sample of a resampling, or of its transpose."""
    full = {"mode": "linear", "align": "half_pixel", "layout": "channels_first", **given}
    return Sample((normal(*x),), given, lambda x: resampled(x, turned=turned, **full))


CASES: list[tuple[tuple[int, ...], dict[str, Any]]] = [
    ((2, 2, 4), {"size": [6]}),
    ((1, 1, 1), {"size": [3]}),
    ((1, 2, 5), {"size": [1], "align": "align_corners"}),
    ((1, 2, 3, 4), {"size": [5, 3], "mode": "cubic"}),
    ((1, 1, 3, 2), {"size": [6, 4], "mode": "cubic", "align": "align_corners"}),
    ((1, 1, 5), {"size": [3], "mode": "cubic", "align": "asymmetric"}),
    ((2, 3, 4, 2), {"size": [6, 2], "align": "align_corners", **LAST}),
    ((1, 2, 3, 3), {"size": [4, 5], "mode": "nearest"}),
    ((1, 2, 4, 3), {"size": [2, 7], "mode": "nearest", "align": "asymmetric"}),
    ((1, 2, 4), {"size": [7], "mode": "nearest", "align": "align_corners"}),
    ((1, 1, 2, 3, 2), {"size": [3, 2, 2], "align": "asymmetric"}),
    ((0, 2, 4), {"size": [2]}),
]
X = normal(1, 2, 5)
for name, turned in (("resize", False), ("unresize", True)):
    SAMPLES[name] = [sample(x, given, turned) for x, given in CASES]
    WRONG[name] = [
        Wrong((np.ones((1, 2, 5), int),), "C1", {"size": [2]}),
        Wrong((normal(2, 5),), "C3", {"size": [2]}),
        Wrong((X,), "C4", {"size": [2, 2]}),
        Wrong((X,), "C4", {"size": []}),
        Wrong((normal(1, 2, 0),), "C5", {"size": [2]}),
    ]
WRONG["unresize"].append(Wrong((X,), "C5", {"size": [0]}))
