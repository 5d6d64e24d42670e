"""Which rows of a source belong to which part, as functions of the seed and of the row's number or key."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from graphspec.data_section import SplitDeclaration, class_name
from graphspec.train.order import key, scattered, share
from graphspec.train.table import Cells

PARTS = ("train", "validation", "test")
_STEP = 1 << 20
_BINS = 1 << 16


class Split:
    """A split by shares of the rows: exactly so many, chosen by the row's number."""

    def __init__(self, declared: SplitDeclaration, rows: int):
        self.seed = key(declared.seed)
        test = round(declared.test * rows)
        validation = min(rows - test, round(declared.validation * rows))
        self.limits = [_limit(rows, self.seed, test), _limit(rows, self.seed, test + validation)]

    def parts(self, start: int, stop: int) -> np.ndarray:
        """Return the part of each row in a range, as a position in `PARTS`."""
        found = scattered(start, stop, self.seed)
        parts = np.zeros(stop - start, np.uint8)
        for part, limit in ((1, self.limits[1]), (2, self.limits[0])):
            if limit is not None:
                parts[found <= np.uint64(limit)] = part
        return parts


def _limit(rows: int, seed: int, count: int) -> int | None:
    """Return the ``count``-th least of the numbers of all rows, in bounded memory; None for the 0-th."""
    if count == 0:
        return None
    bins = np.zeros(_BINS, np.int64)
    for found in _all(rows, seed):
        bins += np.bincount((found >> np.uint64(48)).astype(np.int64), minlength=_BINS)
    ends = np.cumsum(bins)
    bin = int(np.searchsorted(ends, count))
    within = [found[(found >> np.uint64(48)) == np.uint64(bin)] for found in _all(rows, seed)]
    return int(np.sort(np.concatenate(within))[count - int(ends[bin] - bins[bin]) - 1])


def _all(rows: int, seed: int) -> Iterator[np.ndarray]:
    for start in range(0, rows, _STEP):
        yield scattered(start, min(start + _STEP, rows), seed)


class KeySplit:
    """A split by the values of a column: about the shares, and a value stays in its part whatever rows are added."""

    def __init__(self, declared: SplitDeclaration):
        self.declared = declared

    def parts(self, cells: Cells) -> tuple[np.ndarray, dict[int, str]]:
        """Return the part of each row, and what is wrong with empty keys."""
        names = [None if _empty(cell) else class_name(cell) for cell in _items(cells)]
        empty = {row: "expected a key, found an empty cell" for row, name in enumerate(names) if name is None}
        known = {name: self._part(name or "") for name in dict.fromkeys(names)}
        return np.array([known[name] for name in names], np.uint8), empty

    def _part(self, name: str) -> int:
        number, declared = share(name, self.declared.seed), self.declared
        return 2 if number < declared.test else 1 if number < declared.test + declared.validation else 0


def _items(cells: Cells) -> list[object]:
    return cells.tolist() if isinstance(cells, np.ndarray) else list(cells)


def _empty(cell: object) -> bool:
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())


__all__ = ["PARTS", "KeySplit", "Split"]
