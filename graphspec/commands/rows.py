"""Files of predictions: one row for each row of the data."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from itertools import product
from typing import TYPE_CHECKING, Any

from graphspec.commands.files import npz, write_file
from graphspec.errors import GraphSpecError, did_you_mean, problem

if TYPE_CHECKING:
    import numpy as np

_FORMATS = (".csv", ".npz", ".parquet")


def write_rows(path: str, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays that share their first dim to a .csv, .npz or .parquet file.

    Raises:
        GraphSpecError: GS614, another suffix, or the file cannot be written; GS612, pyarrow is missing.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix == ".csv":
        write_file(path, csv_text(arrays).encode())
    elif suffix == ".npz":
        write_file(path, npz(arrays))
    elif suffix == ".parquet":
        from graphspec.train.arrow_table import parquet

        write_file(path, parquet(columns(arrays)))
    else:
        hint = did_you_mean(suffix, _FORMATS) or f"a name that ends in {', '.join(_FORMATS)}"
        raise GraphSpecError(problem("GS614", f"'{path}' cannot be written: its suffix tells no format", hint=hint))


def csv_text(arrays: Mapping[str, np.ndarray]) -> str:
    """Return arrays as CSV; numbers are written so that they are read back exactly."""
    flat = columns(arrays)
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(flat)
    writer.writerows(zip(*(column.tolist() for column in flat.values()), strict=True))
    return stream.getvalue()


def columns(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return one column for each element of a row: ``logits.0``, ``logits.1``; an array of one dim is one column."""
    found: dict[str, np.ndarray] = {}
    for name, array in arrays.items():
        for index in product(*map(range, array.shape[1:])):
            place: tuple[Any, ...] = (slice(None), *index)
            found[".".join([name, *map(str, index)])] = array[place]
    return found
