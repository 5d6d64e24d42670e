"""Rows that stay in their files: read in bounded memory, shuffled by blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Protocol

import numpy as np

from graphspec.train.assemble import Assembler, Rows
from graphspec.train.batches import Batch, Dataset
from graphspec.train.order import permutation
from graphspec.train.table import Table

WINDOW = 32 << 20
"""About how many bytes of rows are held and shuffled at a time."""
_STEP = 1 << 20

Span = tuple[int, int]
"""Rows from a first to a last, exclusive, counted through all tables."""


class Membership(Protocol):
    """Tells which rows of a range belong to a part, as a boolean array."""

    def __call__(self, start: int, stop: int, /) -> np.ndarray: ...


class Stream:
    """Tables with blocks, one behind the other, as rows of inputs.

    ``window`` is the number of rows that are held at a time.
    """

    def __init__(self, tables: Sequence[Table], assembler: Assembler, window: int = WINDOW):
        self.tables, self.assembler = tables, assembler
        self.offsets = [0, *accumulate(table.blocks[-1] for table in tables)]
        self.rows = self.offsets[-1]
        self.blocks: list[Span] = [
            (offset + start, offset + stop)
            for offset, table in zip(self.offsets, tables, strict=False)
            for start, stop in zip(table.blocks, table.blocks[1:], strict=False)
            if stop > start
        ]
        self.columns = [assembler.columns(table) for table in tables]
        self.window = max(1, window // self._row_bytes())

    def _row_bytes(self) -> int:
        """Return how many bytes a row of the inputs is; the first row is read for it."""
        for _, rows in self.read([(0, min(1, self.rows))]):
            shapes = {name: self.assembler.transforms[name].row_shape(array) for name, array in rows.arrays.items()}
            types = {name: self.assembler.transforms[name].type for name in shapes}
            return max(
                1, sum(math.prod(shape) * np.dtype(types[name].dtype).itemsize for name, shape in shapes.items())
            )
        return 1

    def read(self, spans: Sequence[Span]) -> Iterator[tuple[Span, Rows]]:
        """Yield the rows of spans in pieces, each with its own span.

        Raises:
            FeedError: a file cannot be read, or a row is bad and bad rows are not skipped.
        """
        for start, stop in spans:
            number = int(np.searchsorted(self.offsets, start, side="right")) - 1
            table, offset = self.tables[number], self.offsets[number]
            for piece in table.pieces(self.columns[number], start - offset, stop - offset):
                first = offset + piece.start
                yield (first, first + piece.rows), self.assembler.read(table, piece)


class StreamDataset(Dataset):
    """One part of a stream. The order of the blocks is permuted, and the rows within a window of successive ones."""

    def __init__(
        self, stream: Stream, member: Membership | None, statistics: Mapping[str, np.ndarray], skipped: int = 0
    ):
        self.stream, self.member = stream, member
        self.names, self.statistics, self.skipped = stream.assembler.names, dict(statistics), skipped
        self.rows = self._members([(0, stream.rows)])

    def _members(self, spans: Sequence[Span]) -> int:
        """Return how many rows of spans belong to the part."""
        if self.member is None:
            return sum(stop - start for start, stop in spans)
        steps = [(low, min(low + _STEP, stop)) for start, stop in spans for low in range(start, stop, _STEP)]
        return sum(int(np.count_nonzero(self.member(low, high))) for low, high in steps)

    def batches(
        self, size: int | None, *, seed: int | None = None, epoch: int = 0, first: int = 0, drop_last: bool = False
    ) -> Iterator[Batch]:
        assert self.rows is not None
        step = max(1, self.rows) if size is None else size
        parts: list[Batch] = []
        missing = step
        for rows, order in self._windows(seed, epoch, first * step):
            start = 0
            while start < len(order):
                chosen = order[start : start + missing]
                parts.append({name: array[chosen] for name, array in rows.items()})
                start, missing = start + len(chosen), missing - len(chosen)
                if missing == 0:
                    yield _joined(parts)
                    missing = step
            del rows  # before the next window is read
        if parts and not (drop_last and size is not None):
            yield _joined(parts)

    def _windows(self, seed: int | None, epoch: int, skip: int) -> Iterator[tuple[Batch, np.ndarray]]:
        """Yield the rows of each window and the order of those of the part; the first ``skip`` are left out."""
        blocks = self.stream.blocks
        if seed is not None:
            blocks = [blocks[i] for i in permutation(len(blocks), seed, epoch)]
        windows = list(_cut(blocks, self.stream.window))
        number = 0
        while number < len(windows):
            count = self._members(windows[number])
            if skip < count:
                break
            skip, number = skip - count, number + 1
        rest = [span for window in windows[number:] for span in window]
        for rows in self._filled(rest):
            count = len(next(iter(rows.values())))
            order = np.arange(count) if seed is None else permutation(count, seed, epoch, number)
            yield rows, order[skip:]
            del rows
            skip, number = 0, number + 1

    def _filled(self, spans: Sequence[Span]) -> Iterator[Batch]:
        """Yield the rows of the part, window by window."""
        found: list[Batch] = []
        room = self.stream.window
        for (start, stop), rows in self.stream.read(spans):
            chosen = rows.good if self.member is None else self.member(start, stop)
            while start < stop:
                count = min(room, stop - start)
                taken = {name: array[:count][chosen[:count]] for name, array in rows.arrays.items()}
                found.append(self.stream.assembler.finish(taken, self.statistics))
                rows.arrays = {name: array[count:] for name, array in rows.arrays.items()}
                start, room, chosen = start + count, room - count, chosen[count:]
                if room == 0:
                    room = self.stream.window
                    yield _joined(found)
            del rows
        if found:
            yield _joined(found)


def _joined(parts: list[Batch]) -> Batch:
    """Return batches one behind the other; the list is emptied."""
    joined = parts[0]
    if len(parts) > 1:
        joined = {name: np.concatenate([part.pop(name) for part in parts]) for name in list(joined)}
    parts.clear()
    return joined


def _cut(spans: Sequence[Span], rows: int) -> Iterator[list[Span]]:
    """Yield spans in groups of so many rows, the last with what is left."""
    group: list[Span] = []
    room = rows
    for start, stop in spans:
        while start < stop:
            count = min(room, stop - start)
            group.append((start, start + count))
            start, room = start + count, room - count
            if room == 0:
                yield group
                group, room = [], rows
    if group:
        yield group
