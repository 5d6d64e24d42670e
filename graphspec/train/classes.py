"""Cells that name classes, as the numbers of those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from graphspec.data_section import class_name
from graphspec.errors import did_you_mean
from graphspec.scalars import shortened
from graphspec.train.cells import Bad
from graphspec.train.table import Cells, Texts


def classify(cells: Cells, classes: Sequence[Any]) -> tuple[np.ndarray, Bad]:
    """Return the number of each cell's class, int64 of [rows, ...]."""
    numbers = {class_name(value): number for number, value in enumerate(classes)}
    if isinstance(cells, Texts):  # which other programs have written as True and False
        numbers |= {str(value): number for number, value in enumerate(classes) if isinstance(value, bool)}
    if isinstance(cells, np.ndarray) and cells.dtype.kind != "O" and not np.ma.is_masked(cells):
        return _classify_array(np.ma.getdata(cells), numbers)
    items = cells.tolist() if isinstance(cells, np.ndarray) else cells
    found = [None if cell is None else numbers.get(class_name(cell)) for cell in items]
    bad = {row: _no_class(items[row], numbers) for row, number in enumerate(found) if number is None}
    return np.array([number or 0 for number in found], "int64"), bad


def _classify_array(cells: np.ndarray, numbers: dict[str, int]) -> tuple[np.ndarray, Bad]:
    values, places = np.unique(cells, return_inverse=True)
    known = np.array([numbers.get(class_name(value), -1) for value in values.tolist()], "int64")
    found = known[places.reshape(cells.shape)]
    wrong = (found < 0).reshape(len(cells), -1)
    flat = cells.reshape(len(cells), -1)
    rows = np.flatnonzero(wrong.any(axis=1)).tolist()
    bad = {row: _no_class(flat[row, wrong[row].argmax()].item(), numbers) for row in rows}
    return np.maximum(found, 0), bad


def _no_class(cell: Any, numbers: dict[str, int]) -> str:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return "expected one of the classes, found an empty cell"
    name = class_name(cell)
    shown = ", ".join(list(numbers)[:6]) + (", ..." if len(numbers) > 6 else "")
    hint = did_you_mean(name, numbers)
    return f"'{shortened(name)}' is not one of the classes {shown}{f': {hint}' if hint else ''}"
