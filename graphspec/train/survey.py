"""One pass over a stream, for what no single window can tell: bad rows, the parts of keys, statistics."""

from __future__ import annotations

import numpy as np

from graphspec.train.split import PARTS, Split
from graphspec.train.statistics import Moments
from graphspec.train.stream import Stream


class Survey:
    """What a pass over a stream has found.

    Attributes:
        members: for each part, its good rows.
        skipped: for each part, the number of its bad rows.
        statistics: the mean and the standard deviation of standardised inputs over the good rows of the training part.
    """

    def __init__(self, stream: Stream, split: Split | None):
        self.members = [Bits(stream.rows) for _ in PARTS]
        self.skipped = [0 for _ in PARTS]
        moments = {name: Moments() for name in stream.assembler.standardised}
        for (start, stop), rows in stream.read(stream.blocks):
            parts = rows.parts
            if parts is None:
                parts = np.zeros(stop - start, np.uint8) if split is None else split.parts(start, stop)
            for number, bits in enumerate(self.members):
                here = parts == number
                bits.add(start, here & rows.good)
                self.skipped[number] += int(np.count_nonzero(here & ~rows.good))
            for name, found in moments.items():
                found.add(rows.arrays[name][(parts == 0) & rows.good])
        self.statistics = {f"{name}.mean": found.mean for name, found in moments.items()}
        self.statistics |= {f"{name}.std": found.std for name, found in moments.items()}


class Bits:
    """A yes or no for each row, a bit each."""

    def __init__(self, rows: int):
        self.bytes = np.zeros(-(-rows // 8), np.uint8)

    def add(self, start: int, marks: np.ndarray) -> None:
        """Set what is true of the rows from ``start`` on."""
        packed = np.packbits(np.concatenate([np.zeros(start % 8, bool), marks]), bitorder="little")
        self.bytes[start // 8 : start // 8 + len(packed)] |= packed

    def __call__(self, start: int, stop: int, /) -> np.ndarray:
        """Return what is true of a range of rows."""
        found = np.unpackbits(self.bytes[start // 8 : -(-stop // 8)], bitorder="little")
        return found[start % 8 : start % 8 + stop - start].astype(bool)
