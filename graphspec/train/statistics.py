"""Mean and standard deviation in one pass."""

from __future__ import annotations

import numpy as np


class Moments:
    """The mean and the standard deviation over the first axis, of arrays that arrive piece by piece.

    The pieces' sums of squared deviations are merged (Chan, Golub, LeVeque 1979), which loses no digits as the
    difference of two large sums does.
    """

    def __init__(self) -> None:
        self.count = 0
        self.mean = np.zeros(())
        self.squares = np.zeros(())

    def add(self, rows: np.ndarray) -> None:
        """Take in rows, float64 of [rows, ...]."""
        if not len(rows):
            return
        mean = rows.mean(axis=0)
        squares = np.square(rows - mean).sum(axis=0)
        total = self.count + len(rows)
        apart = mean - self.mean
        self.squares = self.squares + squares + np.square(apart) * (self.count * len(rows) / total)
        self.mean = self.mean + apart * (len(rows) / total)
        self.count = total

    @property
    def std(self) -> np.ndarray:
        """The standard deviation of the rows as a whole: the root of the mean square deviation."""
        return np.sqrt(self.squares / max(1, self.count))


def standardised(rows: np.ndarray, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
    """Return rows with mean 0 and standard deviation 1; what does not vary becomes 0."""
    result: np.ndarray = (rows - mean) / np.where(std == 0, 1.0, std)
    return result
