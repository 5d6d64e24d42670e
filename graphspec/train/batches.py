"""What training reads: batches of rows, as arrays by input."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping

import numpy as np

from graphspec.train.order import permutation

Batch = dict[str, np.ndarray]


class Dataset(ABC):
    """Rows that feed inputs.

    Attributes:
        rows: their number; None where it is not known before they have been read through.
        names: the inputs that they feed.
        statistics: the mean and the standard deviation of standardised inputs: "INPUT.mean", "INPUT.std".
        skipped: the number of bad rows that were left out.
    """

    rows: int | None
    names: tuple[str, ...]
    statistics: dict[str, np.ndarray]
    skipped: int = 0

    def count(self, size: int | None, drop_last: bool = False) -> int | None:
        """Return the number of batches of ``size`` rows (None: of all rows); None where it is not known."""
        if self.rows is None:
            return None
        if size is None:
            return min(1, self.rows)
        return self.rows // size if drop_last else -(-self.rows // size)

    @abstractmethod
    def batches(
        self, size: int | None, *, seed: int | None = None, epoch: int = 0, first: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        """Yield batches: arrays of [size, ...] in the dtypes of the inputs, the last one with the rows that are left.

        Args:
            size: the rows of a batch; None: all in one.
            seed: None for the order of the file; else the order is a function of the seed and the epoch alone.
            epoch: the number of the epoch, from 0.
            first: the batch to begin with, from 0.
            drop_last: leave out a last batch of fewer rows.

        Raises:
            FeedError: the rows cannot be used.
        """


class MemoryDataset(Dataset):
    """Arrays in memory; the first axis of each counts the rows. Batches in file order are read-only views of them."""

    def __init__(self, arrays: Mapping[str, np.ndarray], statistics: Mapping[str, np.ndarray], skipped: int = 0):
        self._arrays = dict(arrays)
        for array in self._arrays.values():
            array.setflags(write=False)
        self.names, self.statistics, self.skipped = tuple(arrays), dict(statistics), skipped
        self.rows = rows = len(next(iter(self._arrays.values()), ()))
        self._rows = rows

    def batches(
        self, size: int | None, *, seed: int | None = None, epoch: int = 0, first: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        step = max(1, self._rows) if size is None else size
        order = None if seed is None else permutation(self._rows, seed, epoch)
        for start in range(first * step, self._rows, step):
            if drop_last and size is not None and start + step > self._rows:
                return
            chosen = slice(start, start + step) if order is None else order[start : start + step]
            yield {name: array[chosen] for name, array in self._arrays.items()}
