"""What the columns of a table hold, as far as a bounded number of rows tells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from graphspec.data_section import class_name
from graphspec.train.table import Cells, Table, Texts
from graphspec.train.text_table import TextTable

CELLS = 5_000_000
"""About how many cells of a table are looked at."""

_BLOCKS = 8  # of a large table, in which rows are looked at
_KEPT = 1000  # distinct values that are remembered
_STRANGE = 3  # words that a column of numbers may have in the place of one: NA, ?
_LARGEST = 1e100
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

Value: TypeAlias = "str | int | float | bool"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: ``kind`` is float, integer, boolean, text or other; ``shape`` that of a cell.

    ``rows`` were looked at, and ``missing`` of them are empty, no number or not finite. ``distinct`` counts different
    values; ``values`` are these in order, where they are not too many. ``low``, ``high``, ``mean`` and ``spread`` (the
    standard deviation) are those of numbers; ``least_spread`` is the least of one element of a cell that varies at all.
    """

    name: str
    kind: str
    shape: tuple[int, ...] = ()
    rows: int = 0
    missing: int = 0
    distinct: int = 0
    values: tuple[Value, ...] = ()
    low: float = 0.0
    high: float = 0.0
    mean: float = 0.0
    spread: float = 0.0
    ascending: bool = False
    dtype: str = ""

    @property
    def is_number(self) -> bool:
        return self.kind in ("float", "integer", "boolean")

    @property
    def all_differ(self) -> bool:
        return not self.shape and self.distinct == self.rows - self.missing and self.distinct > 1


@dataclass(frozen=True, slots=True)
class Survey:
    """The columns of a table. ``rows`` were looked at, ``whole`` tells whether they are all; ``broken`` have the wrong
    number of cells."""

    columns: tuple[Column, ...]
    rows: int
    whole: bool
    broken: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


def survey(table: Table) -> Survey:
    """Look at the rows of a table: all, or of a large one as many as have `CELLS` cells.

    Raises:
        FeedError: the table cannot be read.
    """
    if isinstance(table, TextTable):
        return _texts(table)
    found = [_column(table, name) for name in table.columns]
    rows = max((column.rows for column, _ in found), default=0)
    return Survey(tuple(column for column, _ in found), rows, all(whole for _, whole in found))


def _texts(table: Table) -> Survey:
    """Look at a text file, whose columns are read together."""
    most = max(1000, CELLS // max(1, len(table.columns)))
    cells: dict[str, list[Any]] = {name: [] for name in table.columns}
    rows = broken = 0
    parsed = True  # whether cells have types, as in JSON
    whole = True
    for piece in table.pieces(table.columns):
        if rows >= most:
            whole = False
            break
        good = [row for row in range(piece.rows) if row not in piece.broken]
        for name, column in piece.columns.items():
            parsed = not isinstance(column, Texts)
            cells[name] += [column[row] for row in good]
        rows, broken = rows + piece.rows, broken + len(piece.broken)
    made = {name: column if parsed else Texts(column) for name, column in cells.items()}
    return Survey(tuple(_facts(name, [column]) for name, column in made.items()), rows, whole, broken)


def _column(table: Table, name: str) -> tuple[Column, bool]:
    """Return a column of a table that can be read by column, and whether that is all of it."""
    first = next(iter(table.pieces([name])), None)
    if first is None:
        return Column(name, "other"), True
    cells = first.columns[name]
    most = max(1000, CELLS // max(1, int(np.prod(np.shape(cells)[1:])) if isinstance(cells, np.ndarray) else 1))
    known = table.rows
    if known is None or known <= most or not table.blocks:
        pieces, whole = _limited(table, name, most)
        return _facts(name, pieces), whole
    share = most // _BLOCKS
    starts = [known * number // _BLOCKS for number in range(_BLOCKS)]
    ranges = [(start, min(known, start + share)) for start in starts]
    pieces = [piece.columns[name] for start, stop in ranges for piece in table.pieces([name], start, stop)]
    return _facts(name, pieces), False


def _limited(table: Table, name: str, most: int) -> tuple[list[Cells], bool]:
    """Return pieces of a column with ``most`` rows or a few more, and whether these are all."""
    found: list[Cells] = []
    rows = 0
    for piece in table.pieces([name]):
        if rows >= most:
            return found, False
        found.append(piece.columns[name])
        rows += piece.rows
    return found, True


# -- cells ----------------------------------------------------------------------------------------------------------


def _facts(name: str, pieces: Sequence[Cells]) -> Column:
    if pieces and all(isinstance(piece, np.ndarray) and piece.dtype.kind in "biuf" for piece in pieces):
        return _numbers(name, [piece for piece in pieces if isinstance(piece, np.ndarray)])
    if pieces and all(isinstance(piece, Texts) for piece in pieces):
        return _words(name, [cell.strip() for piece in pieces for cell in piece])
    items = [item for piece in pieces for item in (piece.tolist() if isinstance(piece, np.ndarray) else piece)]
    return _objects(name, items)


def _words(name: str, cells: list[str]) -> Column:
    """Return the facts of texts of a file: numbers, if that is what they are but for a few words."""
    counts = Counter(cells)
    empty = counts.pop("", 0)
    strange = [word for word in counts if not _DECIMAL.fullmatch(word)]
    odd = sum(counts[word] for word in strange)
    if len(counts) > len(strange) <= _STRANGE and odd <= (len(cells) - empty) // 5:
        whole = all(_INTEGER.fullmatch(word) for word in counts if word not in strange)
        left = [cell for cell in cells if cell and cell not in strange]
        array = np.array(left, dtype="int64" if whole else "float64")
        words = tuple(sorted((word for word in counts if word not in strange), key=float))
        return _numbers(name, [array], len(cells), words)
    words = tuple(sorted(counts)) if len(counts) <= _KEPT else ()
    return Column(name, "text", (), len(cells), empty, len(counts), words)


def _objects(name: str, items: list[Any]) -> Column:
    """Return the facts of Python objects: of JSON, Arrow or arrays of texts."""
    present = [item for item in items if item is not None and item != ""]
    kinds = {type(item) for item in present}
    if kinds and kinds <= {int, float, bool}:
        try:
            return _numbers(name, [np.array(present)], len(items))
        except (OverflowError, ValueError):
            return Column(name, "other", (), len(items), len(items) - len(present))
    if kinds == {list} and len(present) == len(items):
        return _lists(name, present)
    if kinds == {str}:
        counts = Counter(class_name(item) for item in present)
        words = tuple(sorted(counts)) if len(counts) <= _KEPT else ()
        return Column(name, "text", (), len(items), len(items) - len(present), len(counts), words)
    return Column(name, "other", (), len(items), len(items) - len(present))


def _lists(name: str, items: list[Any]) -> Column:
    try:
        array = np.array(items)
    except ValueError:  # of different lengths
        return Column(name, "other", (), len(items))
    numbers = array.dtype.kind in "biuf"
    return _numbers(name, [array]) if numbers else Column(name, "other", array.shape[1:], len(items))


def _numbers(name: str, pieces: Sequence[np.ndarray], rows: int | None = None, words: Iterable[str] = ()) -> Column:
    """Return the facts of numbers; ``words`` are how a text file writes the different ones."""
    kind = {"b": "boolean", "f": "float"}.get(pieces[0].dtype.kind, "integer")
    masks = [np.ma.getmaskarray(piece) for piece in pieces]
    array = np.concatenate([np.ma.getdata(piece) for piece in pieces])
    empty = np.concatenate(masks)
    total = len(array) if rows is None else rows
    good = ~empty if kind != "float" else ~empty & np.isfinite(array)
    per_row = good.reshape(len(array), -1).all(axis=1) if len(array) else np.zeros(0, bool)
    array = array[per_row]
    missing = total - len(array)
    if not array.size:
        return Column(name, "other", array.shape[1:], total, missing)
    numbers = array.astype("float64")
    if abs(numbers).max() > _LARGEST or (numbers.max() > numbers.min() and not numbers.std()):
        return Column(name, "other", array.shape[1:], total, missing)  # whose squares are not numbers any more
    distinct, values = (0, ()) if array.ndim > 1 else _distinct(array, tuple(words))
    if kind == "float" and array.ndim == 1 and (numbers == np.trunc(numbers)).all() and abs(numbers).max() < 2**53:
        kind = "integer"  # 3.0 in a file is a 3, where a column with empty cells was written as floats
    return Column(
        name,
        kind,
        array.shape[1:],
        total,
        missing,
        distinct,
        values,
        float(numbers.min()),
        float(numbers.max()),
        float(numbers.mean()),
        float(numbers.std()),
        array.ndim == 1 and len(array) > 1 and bool((np.diff(numbers) > 0).all()),
        str(array.dtype),
    )


def _distinct(array: np.ndarray, words: tuple[str, ...]) -> tuple[int, tuple[Value, ...]]:
    different = np.unique(array)
    if len(different) > _KEPT:
        return len(different), ()
    return len(different), words or tuple(different.tolist())


__all__ = ["CELLS", "Column", "Survey", "survey"]
