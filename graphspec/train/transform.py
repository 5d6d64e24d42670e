"""Columns to the array of one input: the declared transforms, in their fixed order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from graphspec.data_section import ColumnDeclaration, is_pattern
from graphspec.errors import FeedError, problem
from graphspec.train.cells import Bad, Misfit, convert
from graphspec.train.classes import classify
from graphspec.train.statistics import standardised
from graphspec.train.table import Cells, Piece, Table, unknown_column
from graphspec.types import TensorType, kind

BadRows = dict[int, tuple[str | None, str]]
"""What is wrong with rows, by their number in a piece: the column, and what was found in it."""


class Transform:
    """What feeds one input. ``type`` is that of the input."""

    def __init__(self, declared: ColumnDeclaration, type: TensorType, folder: Path | None):
        self.declared, self.type, self.folder = declared, type, folder
        self.read_dtype = _read_dtype(declared, type.dtype)

    # -- columns ----------------------------------------------------------------------------------------------------

    def columns(self, table: Table) -> tuple[str, ...]:
        """Return the columns of a table, those of a pattern in the order of the file.

        Raises:
            FeedError: GS631, the table does not have them, or has one of them twice.
        """
        declared, found = self.declared, []
        for text, origin in zip(declared.columns, declared.origins, strict=True):
            if text in table.columns:
                names = [text]
            elif is_pattern(text):
                pattern = re.compile(_translated(text))
                names = [name for name in table.columns if pattern.fullmatch(name)]
            else:
                names = []
            if not names:
                raise FeedError(unknown_column(table, text, origin.location))
            twice = next((name for name in names if name in found), None)
            if twice is not None:
                message = f"'{declared.input}' takes column '{twice}' of {table.name} twice"
                raise FeedError(problem("GS631", message, origin.location))
            found += names
        return tuple(found)

    # -- values -----------------------------------------------------------------------------------------------------

    def read(self, piece: Piece, names: Sequence[str]) -> tuple[np.ndarray, BadRows]:
        """Return what the columns hold, up to `shift`, and what is wrong with them.

        Raises:
            Misfit: a column holds no numbers, or columns do not go together.
        """
        bad: BadRows = {}
        arrays = []
        for name in names:
            try:
                array, wrong = self._cells(piece.columns[name])
            except Misfit as error:
                raise Misfit(f"column '{name}': {error.message}") from None
            arrays.append(array)
            for row, reason in wrong.items():
                bad.setdefault(row, (name, reason))
        shapes = {array.shape[1:] for array in arrays}
        if len(shapes) > 1:
            raise Misfit(f"its columns have cells of different shapes: {', '.join(map(str, map(list, shapes)))}")
        array = arrays[0] if self.declared.single else np.stack(arrays, axis=1)
        array, wrong = self._moved(array)
        for row, reason in wrong.items():
            bad.setdefault(row, (names[0], reason))
        return array, bad

    def _cells(self, cells: Cells) -> tuple[np.ndarray, Bad]:
        declared = self.declared
        if declared.image is not None:
            from graphspec.train.image import decode

            array, bad = decode(cells, declared.image, self.folder)
        elif declared.classes:
            array, bad = classify(cells, declared.classes)
        else:
            return convert(cells, self.read_dtype, cut=declared.cast is not None)
        return (array.astype(declared.cast), bad) if declared.cast else (array, bad)

    def _moved(self, array: np.ndarray) -> tuple[np.ndarray, Bad]:
        """Return numbers times `scale` plus `shift`."""
        declared = self.declared
        if declared.scale is None and declared.shift is None:
            return array, {}
        if array.dtype.kind in "bu" or (array.dtype.kind == "i" and array.dtype.itemsize < 8):
            array = array.astype("int64")
        scale = 1 if declared.scale is None else declared.scale
        shift = 0 if declared.shift is None else declared.shift
        bad: Bad = {}
        if array.dtype.kind == "i":
            if isinstance(scale, float) or isinstance(shift, float):
                array = array.astype("float64")
            else:
                wide = array.astype("float64") * scale + shift
                rows = np.flatnonzero((abs(wide) >= 2.0**63).reshape(len(wide), -1).any(axis=1))
                bad = dict.fromkeys(rows.tolist(), "scaled and shifted, it does not fit int64")
        with np.errstate(over="ignore"):
            return array * scale + shift, bad

    def row_shape(self, array: np.ndarray) -> tuple[int, ...]:
        """Return the shape of one row that `finish` makes of what `read` gave.

        Raises:
            Misfit: the rows cannot be reshaped.
        """
        shape = array.shape[1:] if self.declared.one_hot is None else (*array.shape[1:], self.declared.one_hot)
        if self.declared.reshape is None:
            return shape
        return _reshaped(np.broadcast_to(np.zeros((), bool), (1, *shape)), self.declared.reshape).shape[1:]

    def finish(self, array: np.ndarray, statistics: Mapping[str, np.ndarray]) -> tuple[np.ndarray, Bad]:
        """Return the array of the input for what `read` gave, and which rows cannot be it.

        Raises:
            Misfit: the rows cannot be reshaped.
        """
        declared = self.declared
        if declared.standardise:
            array = standardised(array, *(statistics[f"{declared.input}.{name}"] for name in ("mean", "std")))
        bad: Bad = {}
        if declared.one_hot is not None:
            array, bad = _one_hot(array, declared.one_hot)
        if declared.reshape is not None:
            array = _reshaped(array, declared.reshape)
        if array.dtype == self.type.dtype and declared.cast is None and declared.scale is None and not bad:
            return array, bad
        array, wrong = convert(array, self.type.dtype)
        return array, {**wrong, **bad}


def _read_dtype(declared: ColumnDeclaration, dtype: str) -> str:
    """Return the dtype that the numbers of the columns are read in."""
    if declared.cast is not None:
        return declared.cast
    moved = [number for number in (declared.scale, declared.shift) if number is not None]
    if declared.standardise or any(isinstance(number, float) for number in moved):
        return "float64"
    if declared.one_hot is not None:
        return "int64"
    if not moved:
        return dtype
    return "int64" if kind(dtype) in ("integer", "boolean") else "float64"


def _translated(pattern: str) -> str:
    """Return the regular expression of a pattern with * and ?."""
    return "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in pattern)


def _one_hot(array: np.ndarray, count: int) -> tuple[np.ndarray, Bad]:
    """Return a row of zeros with a one for each number, on a new last axis: bool."""
    numbers, bad = convert(array, "int64")
    outside = (numbers < 0) | (numbers >= count)
    per_row = outside.reshape(len(numbers), -1)
    for row in np.flatnonzero(per_row.any(axis=1)).tolist():
        wrong = numbers[row] if numbers.ndim == 1 else numbers[row].ravel()[per_row[row].argmax()]
        bad.setdefault(row, f"class {wrong} is not one of 0 to {count - 1}")
    return np.where(outside, 0, numbers)[..., np.newaxis] == np.arange(count), bad


def _reshaped(array: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    try:
        return array.reshape((len(array), *shape)) if len(array) else np.zeros((0, *map(abs, shape)), array.dtype)
    except ValueError:
        raise Misfit(f"rows of shape {list(array.shape[1:])} cannot be reshaped to {list(shape)}") from None


__all__ = ["BadRows", "Transform"]
