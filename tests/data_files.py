"""Files of data for tests: the same columns written in every format, and datasets opened from a text."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
from safetensors.numpy import save_file

from graphspec.errors import Diagnostic, FeedError
from graphspec.loader import load_text
from graphspec.model import build
from graphspec.train.batches import Dataset
from graphspec.train.dataset import MEMORY, open_datasets
from graphspec.types import TensorType

SUFFIXES = ("csv", "tsv", "jsonl", "npz", "parquet", "feather", "safetensors")


def write(path: Path, columns: Mapping[str, np.ndarray], **options: Any) -> Path:
    """Write columns in the format of the suffix."""
    match path.suffix:
        case ".csv" | ".tsv":
            with path.open("w", newline="", encoding="utf-8") as stream:
                writer = csv.writer(stream, delimiter="\t" if path.suffix == ".tsv" else ",")
                writer.writerow(columns)
                writer.writerows(zip(*(column.tolist() for column in columns.values()), strict=True))
        case ".jsonl":
            rows = zip(*(column.tolist() for column in columns.values()), strict=True)
            lines = [json.dumps(dict(zip(columns, row, strict=True))) for row in rows]
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        case ".npz":
            np.savez(path, **columns)
        case ".npy":
            np.save(path, next(iter(columns.values())))
        case ".safetensors":
            save_file({name: np.ascontiguousarray(column) for name, column in columns.items()}, path)
        case ".parquet":
            pyarrow.parquet.write_table(table(columns), path, **options)
        case ".feather" | ".arrow":
            pyarrow.feather.write_feather(table(columns), str(path), **options)
    return path


def table(columns: Mapping[str, np.ndarray]) -> pyarrow.Table:
    """Return columns as an Arrow table; an array of two dims is a column of lists."""
    arrays = {
        name: pyarrow.array(column)
        if column.ndim == 1
        else pyarrow.FixedSizeListArray.from_arrays(pyarrow.array(column.ravel()), column.shape[1])
        for name, column in columns.items()
    }
    return pyarrow.table(arrays)


def spec(data: str, inputs: str, dtype: str = "float64") -> str:
    """Return a spec with a section `data`, of which only the inputs matter."""
    return f"graphspec: 1\ndtype: {dtype}\ninputs: {inputs}\nconstants: {{one: 1}}\nnodes: {{f: one + 1}}\noutputs: f\ndata: {data}\n"


def types_of(inputs: str, dtype: str = "float64") -> dict[str, TensorType]:
    """Return the types of inputs."""
    document = load_text(spec("{train: {generate: sine}}", inputs, dtype))
    return {name: item.type for name, item in build(document, {}).inputs.items()}


def opened(
    folder: Path | None,
    data: str,
    inputs: str = "{x: {shape: [batch]}}",
    *,
    dtype: str = "float64",
    statistics: Mapping[str, np.ndarray] | None = None,
    memory: int = MEMORY,
    **more: Any,
) -> dict[str, Dataset]:
    """Return the datasets of a section `data`."""
    document = load_text(spec(data, inputs, dtype), folder=folder)
    types = {name: item.type for name, item in build(document, {}).inputs.items()}
    return open_datasets(document.data_section, types, folder, statistics, memory=memory, **more)


def failure(folder: Path | None, data: str, inputs: str = "{x: {shape: [batch]}}", **more: Any) -> list[Diagnostic]:
    """Return what is wrong with data when it is opened or read through."""
    try:
        for dataset in opened(folder, data, inputs, **more).values():
            list(dataset.batches(7))
    except FeedError as error:
        return list(error.diagnostics)
    raise AssertionError("nothing is wrong")


def whole(dataset: Dataset, **more: Any) -> dict[str, np.ndarray]:
    """Return all rows of a dataset in one batch."""
    (batch,) = dataset.batches(None, **more)
    return batch
