"""The files of a source, found and opened as tables."""

from __future__ import annotations

import glob
import os
from pathlib import Path

from graphspec.data_section import SourceDeclaration, format_of, is_pattern
from graphspec.errors import Diagnostic, FeedError, Location, did_you_mean, problem
from graphspec.loader import inside
from graphspec.train.array_table import NpyArray, NpyTable, npz_table, safetensors_table
from graphspec.train.generate import generated_table
from graphspec.train.table import Table
from graphspec.train.text_table import CsvTable, JsonLinesTable


def open_tables(source: SourceDeclaration, folder: Path | None) -> list[Table]:
    """Return the tables of a source, files of a pattern in sorted order.

    ``folder`` is the spec's; nothing outside it is read.

    Raises:
        FeedError: a file is missing, outside the folder, or not of its format.
        EngineError: a format needs a package that is not installed.
    """
    if source.generate is not None:
        return [generated_table(source.generate)]
    if source.arrays:
        found = {column: _one(text, source, folder) for column, text in source.arrays.items()}
        return [NpyTable(", ".join(source.arrays.values()), {c: _npy(path, name) for c, (name, path) in found.items()})]
    files: dict[Path, str] = {}
    for text in source.files:
        for name, path in _found(text, source, folder):
            files.setdefault(path, name)
    return [open_table(path, name, source.format) for path, name in files.items()]


def open_table(path: Path, name: str, format: str | None = None) -> Table:
    """Return the table in a file; ``format`` is that of the suffix where it is None.

    Raises:
        FeedError: it cannot be read, or is not of its format.
        EngineError: the format needs a package that is not installed.
    """
    kind = format or format_of(name)
    try:
        match kind:
            case "csv" | "tsv":
                return CsvTable(path, name, "," if kind == "csv" else "\t")
            case "jsonl":
                return JsonLinesTable(path, name)
            case "npy":
                return NpyTable(name, {path.stem: _npy(path, name)})
            case "npz":
                return npz_table(path, name)
            case "safetensors":
                return safetensors_table(path, name)
            case "parquet" | "arrow":
                from graphspec.train import arrow_table

                return (arrow_table.ParquetTable if kind == "parquet" else arrow_table.IpcTable)(path, name)
    except OSError as error:
        raise _unreadable(name, error) from None
    where = Location(name, 1, 1)
    raise FeedError(problem("GS630", f"the format of {name} is not known by its suffix", where))


def _npy(path: Path, name: str) -> NpyArray:
    try:
        return NpyArray(path, name)
    except OSError as error:
        raise _unreadable(name, error) from None


def _unreadable(name: str, error: OSError) -> FeedError:
    return FeedError(problem("GS630", f"{name} cannot be read: {error.strerror or error}"))


def _one(text: str, source: SourceDeclaration, folder: Path | None) -> tuple[str, Path]:
    return _found(text, source, folder)[0]


def _found(text: str, source: SourceDeclaration, folder: Path | None) -> list[tuple[str, Path]]:
    """Return the files that a text names, as they are shown, and their paths.

    Raises:
        FeedError: GS630, there is none.
    """
    where = source.origins[text].location
    if folder is None:
        hint = "loads(text, folder=...) names one"
        raise FeedError(
            problem("GS630", f"'{text}' cannot be found: a spec given as text has no folder", where, hint=hint)
        )
    names = [text]
    if is_pattern(text):
        names = sorted(glob.glob(text.replace("[", "[[]"), root_dir=folder))
    found = [(name, inside(folder, folder, name)) for name in names]
    for name, path in found:
        if path is None:
            raise FeedError(problem("GS112", f"'{name}' is outside the spec's folder", where))
    files = [(name, path) for name, path in found if path is not None and path.is_file()]
    if not files:
        raise FeedError(_missing(text, folder, where))
    return files


def _missing(text: str, folder: Path, where: Location) -> Diagnostic:
    target = folder / text
    if is_pattern(text):
        return problem("GS630", f"no file matches {text} in {folder}", where)
    if target.exists():
        return problem("GS630", f"{text} is not a file", where)
    try:
        near = os.listdir(target.parent)
    except OSError:
        return problem("GS630", f"there is no file {text}: the folder does not exist", where)
    return problem("GS630", f"there is no file {text}", where, hint=did_you_mean(target.name, sorted(near)))


__all__ = ["open_table", "open_tables"]
