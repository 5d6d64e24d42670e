"""What a file of data holds: named columns of equal length, read in pieces."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from graphspec.errors import FeedError, Location, did_you_mean, problem

PIECE = 4 << 20
"""About how many bytes a piece holds."""


class Texts(list[str]):
    """Cells of a text file, which are not read as numbers before it is known what is wanted."""


Cells: TypeAlias = "np.ndarray | Texts | list[Any]"
"""The cells of a column: an array of [rows, ...], which may be a masked one, or a list with None for empty cells."""


@dataclass(slots=True)
class Piece:
    """Some successive rows: ``start`` is the number of the first in its table, from 0.

    ``broken`` says what is wrong with rows that could not be taken apart, by their number in the piece: the code's
    reason, and the column of the text where it is. Their cells are placeholders.
    """

    start: int
    rows: int
    columns: Mapping[str, Cells]
    broken: dict[int, tuple[str, int]] = field(default_factory=dict)


class Table(ABC):
    """Rows of one file, or of arrays.

    Attributes:
        name: what people know it by: the path of the file as it was written.
        columns: the names, in the order of the file.
        rows: their number, None where it is not known before all have been read.
        blocks: of a table that can be read from the middle, the first row of each of its blocks, and at last the
            number of rows; else nothing.
    """

    name: str
    columns: tuple[str, ...]
    rows: int | None = None
    blocks: Sequence[int] = ()

    @abstractmethod
    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        """Yield the rows from ``start`` to ``stop`` in order; tables without blocks give all of them."""

    def size(self, columns: Sequence[str]) -> int | None:
        """Return about how many bytes the columns are in memory, or None where that is not known."""
        return None

    def place(self, row: int, column: str | None, at: int = 0) -> Location | None:
        """Return where a row of the table is; of a file that is no text, line and column count rows and columns.

        ``at`` is the column of the text where it is known.
        """
        return Location(self.name, row + 1, self.columns.index(column) + 1 if column in self.columns else 1)

    def refuse(self, code: str, message: str, where: Location | None = None, hint: str = "") -> FeedError:
        """Return an error about the table."""
        return FeedError(problem(code, message, where or Location(self.name, 1, 1), hint=hint))


class ArrayTable(Table):
    """Arrays in memory; the first axis of each counts the rows. Only those that are asked for are looked at."""

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]):
        self.name, self.arrays, self.columns = name, arrays, tuple(arrays)

    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        """Yield the rows.

        Raises:
            FeedError: lengths differ, or an array is a single number.
        """
        arrays = {column: self.arrays[column] for column in columns}
        self.rows = same_length(self.name, {column: array.shape for column, array in arrays.items()})
        step = piece_rows(self.rows, sum(array.nbytes for array in arrays.values()))
        for first, end in ranges(start, self.rows if stop is None else stop, step):
            yield Piece(first, end - first, {column: array[first:end] for column, array in arrays.items()})


def same_length(name: str, shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Return the number of rows of arrays.

    Raises:
        FeedError: GS637, naming two arrays whose lengths differ; GS632, one has no rows.
    """
    where = Location(name, 1, 1) if name else None
    for column, shape in shapes.items():
        if not shape:
            raise FeedError(problem("GS632", f"'{column}' is a single number, which has no rows", where))
    lengths = {column: shape[0] for column, shape in shapes.items()}
    for (first, a), (second, b) in pairwise(lengths.items()):
        if a != b:
            message = f"'{first}' has {a} rows and '{second}' has {b}"
            raise FeedError(problem("GS637", message, where, hint="the first axis of every array counts the rows"))
    return next(iter(lengths.values()), 0)


def piece_rows(rows: int, size: int | None) -> int:
    """Return how many rows a piece has of a table with ``rows`` rows and ``size`` bytes."""
    return max(1, min(1 << 16, PIECE * rows // max(1, size or 0))) if rows else 1


def ranges(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield the ends of successive ranges."""
    for first in range(start, stop, step):
        yield first, min(first + step, stop)


def unknown_column(table: Table, column: str, where: Location | None, related: Iterable[Any] = ()) -> Any:
    """Return the diagnostic for a column that a table has not."""
    names = list(table.columns)
    hint = did_you_mean(column, names)
    if not hint and len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        hint = "the columns seem to be separated by another character than a comma"
    if not hint:
        shown = ", ".join(names[:8])
        hint = f"the columns are {shown}{f', ... ({len(names)})' if len(names) > 8 else ''}"
    return problem("GS631", f"{table.name} has no column '{column}'", where, hint=hint, related=tuple(related))
