"""The numerical derivative of a function of one number at 0, by central differences that are extrapolated."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FIRST: Final = 0.02  # the first step; each further one is half of the one before
LEVELS: Final = 30
COLUMNS: Final = 6
ROUNDING: Final = 1e-15  # what the rounding of a sum of many terms may cost, relative to it
AMPLIFIED: Final = 5  # what the extrapolation may make of the rounding of several values
CLOSE: Final = 1e-9  # an agreement that no further step needs to confirm

Line = Callable[[float], float]


@dataclass(frozen=True)
class Slope:
    """A numerical derivative.

    Attributes:
        value: the estimate.
        noise: how far it may be off, by rounding or by what the extrapolation has not settled.
        kink: whether the derivatives from the right and from the left differ, or one does not exist.
    """

    value: float
    noise: float
    kink: bool = False


@dataclass(frozen=True)
class _Estimate:
    value: float = math.nan
    error: float = math.inf
    rounding: float = math.inf
    step: float = 1.0


def slope(line: Line, expected: float) -> Slope:
    """Return the derivative of ``line`` at 0; steps are taken until it is certain whether it is ``expected``.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x) (1982).
    """
    centre = line(0.0)
    best, before, jumps = _Estimate(), [], []  # type: tuple[_Estimate, list[float], list[float]]
    for level in range(LEVELS):
        step = FIRST / 2**level
        right, left = line(step), line(-step)
        rounding = ROUNDING * max(abs(right), abs(left), abs(centre)) / step
        row = _extrapolated((right - left) / (2 * step), before)
        best = min([best, *_estimates(row, before, rounding, step)], key=lambda found: found.error)
        before = row
        jumps.append(abs(right + left - 2 * centre) / step)
        if level >= 2 and _agrees(best, expected) and not _stays(jumps[-1], jumps[-3], best.value):
            return Slope(best.value, best.error)
        if level >= 8 and best.error < 1e-3 * _gap(best, expected):
            break
    noise = best.error + AMPLIFIED * _roughness(line, best.value) / max(best.step, 1e-7)
    return Slope(best.value, noise, _kinked(line, centre, expected))


def _extrapolated(first: float, before: list[float]) -> list[float]:
    """Return a row of Richardson's table: each entry removes one more even power of the step."""
    row = [first]
    for column, old in enumerate(before[: COLUMNS - 1]):
        row.append(row[-1] + (row[-1] - old) / (4 ** (column + 1) - 1))
    return row


def _estimates(row: list[float], before: list[float], rounding: float, step: float) -> list[_Estimate]:
    found = []
    for column in range(1, len(row)):
        error = max(abs(row[column] - row[column - 1]), abs(row[column] - before[column - 1])) + rounding
        if math.isfinite(error):
            found.append(_Estimate(row[column], error, rounding, step))
    return found


def _agrees(best: _Estimate, expected: float) -> bool:
    gap = abs(best.value - expected)
    return math.isfinite(gap) and gap <= max(CLOSE * max(abs(best.value), abs(expected)), 2 * best.rounding)


def _gap(best: _Estimate, expected: float) -> float:
    """Return the difference; beside what is not finite, one that asks for an accurate value."""
    return abs(best.value - expected) if math.isfinite(expected) else 1e-4 * abs(best.value)


def _stays(jump: float, before: float, scale: float) -> bool:
    """Tell whether the difference of both one-sided slopes does not vanish with a step four times smaller."""
    return not jump <= max(0.6 * before, 1e-6 * abs(scale))


def _roughness(line: Line, value: float) -> float:
    """Return the rounding error of ``line``: what tiny steps show beside a derivative of ``value``."""
    gaps = [abs(line(step) - line(-step) - 2 * step * value) / 2 for step in (1e-7, 1.3e-7, 1.7e-7)]
    return max((gap for gap in gaps if math.isfinite(gap)), default=0.0)


def _kinked(line: Line, centre: float, expected: float) -> bool:
    """Compare the slopes from both sides, close to 0."""
    jumps, slopes = [], []
    for step in (4e-6, 1e-6):
        right, left = (line(step) - centre) / step, (centre - line(-step)) / step
        if not (math.isfinite(right) and math.isfinite(left)):
            return True
        jumps.append(abs(right - left))
        slopes.append((abs(right) + abs(left)) / 2)
    noise = 100 * ROUNDING * abs(centre) / 1e-6
    grows = not math.isfinite(expected) and slopes[1] > 1.5 * slopes[0]  # a vertical tangent
    return grows or jumps[1] > max(0.6 * jumps[0], 1e-3 * slopes[1], noise)
