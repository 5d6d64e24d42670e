"""Cells to numbers: a column becomes an array of a dtype, and what cannot is named, cell by cell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from graphspec.scalars import shortened
from graphspec.train.table import Cells, Texts
from graphspec.types import kind

_NOT_DECIMAL = re.compile(r"[^0-9+\-.eE \t]")
_DECIMAL = re.compile(r"[ \t]*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[ \t]*")
_INTEGER = re.compile(r"[ \t]*[+-]?[0-9]+[ \t]*")
_WANTED = {"boolean": "true or false", "integer": "an integer", "float": "a number", "complex": "a number"}
_WORDS = {"true": True, "false": False, "1": True, "0": False}
_NUMERIC = "biuf"

Bad = dict[int, str]
"""What is wrong with cells, by row."""


class Misfit(Exception):
    """A column, or a cell, cannot be of a dtype."""

    def __init__(self, message: str):
        self.message = message
        super().__init__(message)


def convert(cells: Cells, dtype: str, cut: bool = False) -> tuple[np.ndarray, Bad]:
    """Return cells as an array of [rows, ...] of a dtype; the places of bad ones hold zeros.

    Nothing is lost but digits that a narrower float has no room for: an integer takes whole numbers that fit it, a
    boolean takes true, false, 0 and 1, a float finite numbers. ``cut`` cuts off fractions.

    Raises:
        Misfit: the whole column holds something else than numbers.
    """
    if isinstance(cells, np.ndarray):
        if cells.dtype.kind == "O" or cells.dtype.kind == "U":
            return _convert_each(cells.tolist(), dtype, cut)
        return _convert_array(cells, dtype, cut)
    if isinstance(cells, Texts):
        array = _plain_texts(cells, dtype)
        return (array, {}) if array is not None else _convert_each(cells, dtype, cut)
    array = _plain_values(cells, dtype)
    return _convert_each(cells, dtype, cut) if array is None else _convert_array(array, dtype, cut)


def _plain_texts(cells: Texts, dtype: str) -> np.ndarray | None:
    """Return texts that are all decimal numbers of the dtype; None where they have to be looked at one by one."""
    wanted = kind(dtype)
    if wanted not in ("float", "integer") or _NOT_DECIMAL.search("".join(cells)):
        return None
    try:
        with np.errstate(over="ignore"):
            array = np.array(cells, dtype="float64" if wanted == "float" else "int64").astype(dtype)
    except (ValueError, OverflowError):
        return None
    if wanted == "float":
        return array if np.isfinite(array).all() else None
    return array if dtype == "int64" or (array == np.array(cells, dtype="int64")).all() else None


def _plain_values(cells: Sequence[Any], dtype: str) -> np.ndarray | None:
    """Return numbers of one kind, or lists of them, as an array; None where they have to be looked at one by one."""
    kinds = {type(cell) for cell in cells}
    if kinds == {int, float} and kind(dtype) == "float":
        kinds = {float}
    if len(kinds) != 1 or not kinds < {bool, int, float, list, tuple}:
        return None
    try:
        array = np.array(cells)
    except ValueError:
        return None
    return array if array.dtype.kind in "bif" else None


# -- one by one -----------------------------------------------------------------------------------------------------


def _convert_each(cells: Sequence[Any], dtype: str, cut: bool) -> tuple[np.ndarray, Bad]:
    found: list[Any] = []
    bad: Bad = {}
    texts = isinstance(cells, Texts)
    for row, cell in enumerate(cells):
        try:
            found.append(_one(cell, dtype, cut, texts))
        except Misfit as error:
            found.append(None)
            bad[row] = error.message
    shapes = Counter(np.shape(cell) for cell in found if cell is not None)
    shape = shapes.most_common(1)[0][0] if shapes else ()
    array = np.zeros((len(found), *shape), dtype)
    for row, cell in enumerate(found):
        if cell is not None and np.shape(cell) != shape:
            bad[row] = f"expected {_shaped(shape)}, found {_shaped(np.shape(cell))}"
        elif cell is not None:
            array[row] = cell
    return array, bad


def _shaped(shape: tuple[int, ...]) -> str:
    return f"numbers of shape {list(shape)}" if shape else "one number"


def _one(cell: Any, dtype: str, cut: bool, texts: bool) -> Any:
    """Return one cell as a number or an array of the dtype.

    Raises:
        Misfit: it is none.
    """
    if isinstance(cell, str) and texts:
        cell = _number(cell, dtype)
    if cell is None or cell is np.ma.masked or type(cell).__name__ in ("NAType", "NaTType"):
        raise Misfit(f"expected {_WANTED[kind(dtype)]}, found an empty cell")
    if isinstance(cell, list | tuple | np.ndarray):
        array, bad = _nested(cell, dtype, cut)
        if bad:
            raise Misfit(next(iter(bad.values())))
        return array
    if not isinstance(cell, bool | int | float | np.bool | np.number):
        text = "the text " if isinstance(cell, str) and cell.strip() else ""
        raise Misfit(f"expected {_WANTED[kind(dtype)]}, found {text}{_described(cell)}")
    if isinstance(cell, int) and not isinstance(cell, bool):
        return _integer(cell, dtype)
    array, bad = _convert_array(np.asarray([cell]), dtype, cut)
    if bad:
        raise Misfit(bad[0])
    return array[0]


def _integer(cell: int, dtype: str) -> Any:
    """Return a Python integer of any size in a dtype."""
    wanted = kind(dtype)
    if wanted == "integer" and not np.iinfo(dtype).min <= cell <= np.iinfo(dtype).max:
        raise Misfit(f"{shortened(str(cell))} does not fit {dtype}")
    if wanted == "boolean" and cell not in (0, 1):
        raise Misfit(f"expected true or false, found {shortened(str(cell))}")
    try:
        with np.errstate(over="ignore"):
            value = np.dtype(dtype).type(cell)
    except OverflowError:
        value = np.float64(np.inf)
    if not np.isfinite(value):
        raise Misfit(f"{shortened(str(cell))} does not fit {dtype}")
    return value


def _nested(cell: Any, dtype: str, cut: bool) -> tuple[np.ndarray, Bad]:
    try:
        array = np.asarray(cell)
    except ValueError:
        raise Misfit("expected lists of one length, found lists of different lengths") from None
    if array.dtype.kind == "O" or array.dtype.kind not in "biufc":
        flat = array.ravel().tolist()
        wrong = next((item for item in flat if not isinstance(item, bool | int | float)), None)
        raise Misfit(f"expected {_WANTED[kind(dtype)]}, found {_described(wrong)}")
    result, bad = _convert_array(array.reshape(1, -1), dtype, cut)
    return result.reshape(array.shape), bad


def _described(cell: Any) -> str:
    if cell is None:
        return "an empty cell"
    if isinstance(cell, str):
        return f"'{shortened(cell)}'" if cell.strip() else "an empty cell"
    if isinstance(cell, bytes):
        return f"{len(cell)} bytes"
    if isinstance(cell, dict):
        return "a mapping"
    return f"{type(cell).__name__} {shortened(str(cell))}"


def _number(text: str, dtype: str) -> Any:
    """Return the number or boolean that a text of a file stands for.

    Raises:
        Misfit: it is none.
    """
    stripped = text.strip()
    wanted = kind(dtype)
    if wanted == "boolean" and stripped.lower() in _WORDS:
        return _WORDS[stripped.lower()]
    if _INTEGER.fullmatch(text) and len(stripped) < 400:
        return int(stripped)
    if _DECIMAL.fullmatch(text):
        return float(stripped)
    if stripped.lower().lstrip("+-") in ("nan", "inf", "infinity"):
        raise Misfit(f"expected {_WANTED[wanted]}, found {stripped.lower()}, which is not finite")
    raise Misfit(f"expected {_WANTED[wanted]}, found {_described(text)}")


# -- arrays ---------------------------------------------------------------------------------------------------------


def _convert_array(cells: np.ndarray, dtype: str, cut: bool) -> tuple[np.ndarray, Bad]:
    bad: Bad = {}
    if isinstance(cells, np.ma.MaskedArray):
        empty = np.flatnonzero(_per_row(np.ma.getmaskarray(cells)))
        bad = dict.fromkeys(empty.tolist(), f"expected {_WANTED[kind(dtype)]}, found an empty cell")
        cells = cells.filled(0)
    have, wanted = cells.dtype.kind, kind(dtype)
    if have not in _NUMERIC and not (have == "c" and wanted == "complex") and have != "V":
        raise Misfit(f"expected numbers, found {cells.dtype}")
    if have == "V" and cells.dtype.name != "bfloat16":
        raise Misfit(f"expected numbers, found {cells.dtype}")
    if cut and wanted == "integer" and have == "f":
        cells = np.trunc(cells)
    with np.errstate(all="ignore"):
        array = cells.astype(dtype)
    wrong = _wrong(cells, array, wanted)
    if wrong is not None:
        for row in np.flatnonzero(_per_row(wrong)).tolist():
            bad.setdefault(row, _reason(cells[row][wrong[row]] if cells.ndim > 1 else cells[row : row + 1], dtype))
        array[_per_row(wrong)] = 0
    return array, bad


def _per_row(marks: np.ndarray) -> np.ndarray:
    return marks if marks.ndim == 1 else np.asarray(marks.reshape(len(marks), -1).any(axis=1))


def _wrong(cells: np.ndarray, array: np.ndarray, wanted: str) -> np.ndarray | None:
    """Return which numbers the dtype cannot hold, or None."""
    if wanted in ("float", "complex"):
        marks = ~np.isfinite(array)
    elif cells.dtype == array.dtype or cells.dtype.kind == "b":
        return None
    elif wanted == "boolean":
        marks = (cells != 0) & (cells != 1)
    elif cells.dtype.kind == "f":
        limits = np.iinfo(array.dtype)
        low, high = float(limits.min), float(limits.max) + 1.0 if limits.bits > 52 else float(limits.max) + 0.5
        marks = ~(np.isfinite(cells) & (cells >= low) & (cells < high) & (cells == np.trunc(cells)))
    else:
        limits = np.iinfo(array.dtype)
        marks = _below(cells, limits.min) | _above(cells, limits.max)
    return marks if marks.any() else None


def _below(cells: np.ndarray, least: int) -> np.ndarray:
    own = np.iinfo(cells.dtype)
    return cells < least if own.min < least else np.zeros(cells.shape, bool)


def _above(cells: np.ndarray, most: int) -> np.ndarray:
    own = np.iinfo(cells.dtype)
    return cells > most if own.max > most else np.zeros(cells.shape, bool)


def _reason(wrong: np.ndarray, dtype: str) -> str:
    """Return why the first of some numbers does not fit a dtype."""
    value, wanted = wrong.ravel()[0], kind(dtype)
    if not np.isfinite(value):
        return f"expected {_WANTED[wanted]}, found {value}, which is not finite"
    if wanted == "integer" and value == np.trunc(value):
        return f"{value} does not fit {dtype}"
    if wanted in ("integer", "boolean"):
        return f"expected {_WANTED[wanted]}, found {value}"
    return f"{value} does not fit {dtype}"
