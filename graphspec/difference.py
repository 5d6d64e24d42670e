"""The numerical derivative of a function of one number at 0: central differences, extrapolated and at small steps."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

FIRST: Final = 0.02  # the first step of the table; each further one is half of the one before
LEVELS: Final = 30
COLUMNS: Final = 6
SMALL: Final = (1e-5, 1e-6, 1e-7, 1e-8)  # steps within which few functions have a kink by chance
ROUNDING: Final = 1e-15  # what the rounding of a sum of many terms may cost, relative to it
AMPLIFIED: Final = 5  # what the extrapolation may make of the rounding of several values
CLOSE: Final = 1e-9  # an agreement that no further step needs to confirm
CLOSE_SMALL: Final = 1e-7  # the same at small steps, where rounding allows no more

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
    """A derivative, how far it may be off, the part of that which is rounding, and the step it was made with.

    ``jump`` is the difference of the slopes from the right and from the left.
    """

    value: float = math.nan
    error: float = math.inf
    rounding: float = math.inf
    step: float = 1.0
    jump: float = math.inf


def slope(line: Line, expected: float) -> Slope:
    """Return the derivative of ``line`` at 0; steps are taken until it is certain whether it is ``expected``.

    Source: Ridders, Accurate computation of F'(x) and F'(x)F''(x) (1982).
    """
    table = _Table(line)
    for _ in range(3):
        table.extend()
    if table.agrees(expected):
        return Slope(table.best.value, table.best.error)
    small = _small(line, table.centre)
    for before, after in itertools.pairwise(small):
        scale = max(abs(after.value), abs(expected))
        if abs(after.value - expected) <= CLOSE_SMALL * scale < math.inf and not _stays(after.jump, before.jump, scale):
            return Slope(after.value, after.error)
    for _ in range(0 if _contradicts(small, expected) else LEVELS - 3):
        table.extend()
        if table.agrees(expected):
            return Slope(table.best.value, table.best.error)
    best = _reconciled(table.best, small)
    noise = best.error + AMPLIFIED * _roughness(line, best.value) / max(best.step, 1e-7)
    return Slope(best.value, noise, _kinked(line, table.centre, expected))


class _Table:
    """Richardson's table of central differences."""

    def __init__(self, line: Line):
        self.line, self.centre, self.best = line, line(0.0), _Estimate()
        self._step = FIRST
        self._row: list[float] = []
        self._jumps: list[float] = []

    def extend(self) -> None:
        """Add a row: each entry but the first removes one more even power of the step."""
        made = _central(self.line, self.centre, self._step)
        row = [made.value]
        for column, old in enumerate(self._row[: COLUMNS - 1]):
            row.append(row[-1] + (row[-1] - old) / (4 ** (column + 1) - 1))
        for column in range(1, len(row)):
            gaps = abs(row[column] - row[column - 1]), abs(row[column] - self._row[column - 1])
            error = max(gaps) + made.rounding
            if error < self.best.error:
                self.best = _Estimate(row[column], error, made.rounding, self._step)
        self._row, self._step = row, self._step / 2
        self._jumps.append(made.jump)

    def agrees(self, expected: float) -> bool:
        """Tell whether the best estimate is what was expected, and no kink shows."""
        gap, scale = abs(self.best.value - expected), max(abs(self.best.value), abs(expected))
        near = math.isfinite(gap) and gap <= max(CLOSE * scale, 2 * self.best.rounding)
        return near and not _stays(self._jumps[-1], self._jumps[-3], self.best.value)


def _central(line: Line, centre: float, step: float) -> _Estimate:
    right, left = line(step), line(-step)
    rounding = ROUNDING * max(abs(right), abs(left), abs(centre)) / step
    return _Estimate((right - left) / (2 * step), math.inf, rounding, step, abs(right + left - 2 * centre) / step)


def _small(line: Line, centre: float) -> list[_Estimate]:
    """Return the differences at small steps; how far each is from the one before is its error."""
    found = [_central(line, centre, step) for step in SMALL]
    errors = [math.inf, *(abs(a.value - b.value) + b.rounding for a, b in itertools.pairwise(found))]
    return [
        _Estimate(one.value, error if math.isfinite(error) else math.inf, one.rounding, one.step, one.jump)
        for one, error in zip(found, errors, strict=True)
    ]


def _contradicts(small: Sequence[_Estimate], expected: float) -> bool:
    nearest = min(small, key=lambda found: found.error)
    return nearest.error < 1e-3 * min(abs(nearest.value - expected), abs(nearest.value))


def _reconciled(best: _Estimate, small: Sequence[_Estimate]) -> _Estimate:
    """Return the best of the table, unless small steps contradict it: across kinks a table may settle by chance."""
    nearest = min(small, key=lambda found: found.error)
    consistent = not abs(best.value - nearest.value) > 10 * nearest.error
    return best if consistent and math.isfinite(best.error) else nearest


def _stays(jump: float, before: float, scale: float) -> bool:
    """Tell whether the difference of both one-sided slopes does not vanish with a step that is four times smaller."""
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
