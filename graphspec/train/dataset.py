"""The section `data` as datasets, by part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from graphspec.data_section import DataSection, SourceDeclaration, SplitDeclaration
from graphspec.errors import FeedError, problem
from graphspec.train.assemble import Assembler
from graphspec.train.batches import Batch, Dataset, MemoryDataset
from graphspec.train.files import open_table, open_tables
from graphspec.train.prefetch import prefetched
from graphspec.train.python_data import dataset_of
from graphspec.train.split import PARTS, Split
from graphspec.train.stream import WINDOW, Stream, StreamDataset
from graphspec.train.survey import Survey
from graphspec.train.table import Table
from graphspec.types import TensorType

MEMORY = 64 << 20
"""Files that can be streamed are read into memory up to this size."""

Statistics = Mapping[str, np.ndarray]


def open_datasets(
    section: DataSection,
    types: Mapping[str, TensorType],
    folder: Path | None,
    statistics: Statistics | None = None,
    parts: Iterable[str] = PARTS,
    memory: int = MEMORY,
) -> dict[str, Dataset]:
    """Return the datasets of a section by part: "train", "validation", "test".

    Args:
        section: what the file declares.
        types: the types of the inputs that are to be fed; columns of other inputs are not read.
        folder: the spec's folder.
        statistics: means and standard deviations to standardise by; without them, those of the training part.
        parts: the parts that are needed.
        memory: the size in bytes up to which files that can be streamed are read into memory.

    Raises:
        FeedError: files, columns or rows that do not fit.
        EngineError: a format needs a package that is not installed.
    """
    wanted = [part for part in PARTS if part in set(parts)]
    split, found = section.split, {}
    own = _split_parts(split)
    needs_training = statistics is None and any(
        declared.standardise
        for part, source in section.sources.items()
        if part in wanted or own.keys() & wanted
        for name, declared in source.inputs.items()
        if name in types
    )
    if "train" in section.sources and ("train" in wanted or own.keys() & wanted or needs_training):
        made = _open(section.sources["train"], types, folder, split, statistics, memory, {"train": 0, **own})
        statistics = made["train"].statistics if statistics is None else statistics
        found = {part: dataset for part, dataset in made.items() if part in wanted}
    for part in wanted:
        if part in section.sources and part != "train":
            found |= _open(section.sources[part], types, folder, None, statistics, memory, {part: 0})
    return {part: found[part] for part in PARTS if part in found}


def open_file(
    path: Path,
    like: SourceDeclaration,
    types: Mapping[str, TensorType],
    statistics: Statistics | None = None,
    memory: int = MEMORY,
) -> Dataset:
    """Return the rows of a file that the caller names, with the columns and transforms of a source; any folder.

    Raises:
        FeedError: the file, its columns or rows do not fit.
        EngineError: its format needs a package that is not installed.
    """
    table = open_table(path, str(path))
    return _dataset(like, [table], types, path.parent, None, statistics, memory, {like.part: 0})[like.part]


def _split_parts(split: SplitDeclaration | None) -> dict[str, int]:
    """Return the parts that are split off, as positions in `PARTS`."""
    shares = {} if split is None else {"validation": split.validation, "test": split.test}
    return {part: PARTS.index(part) for part, share in shares.items() if share > 0}


def _open(
    source: SourceDeclaration,
    types: Mapping[str, TensorType],
    folder: Path | None,
    split: SplitDeclaration | None,
    statistics: Statistics | None,
    memory: int,
    parts: Mapping[str, int],
) -> dict[str, Dataset]:
    return _dataset(source, open_tables(source, folder), types, folder, split, statistics, memory, parts)


def _dataset(
    source: SourceDeclaration,
    tables: Sequence[Table],
    types: Mapping[str, TensorType],
    folder: Path | None,
    split: SplitDeclaration | None,
    statistics: Statistics | None,
    memory: int,
    parts: Mapping[str, int],
) -> dict[str, Dataset]:
    assembler = Assembler(source, types, folder, split)
    if statistics is not None:
        _check_statistics(assembler, statistics)
        statistics = {name: array for name, array in statistics.items() if name.rpartition(".")[0] in assembler.names}
    sizes = [table.size(assembler.columns(table)) for table in tables]
    streamed = all(table.blocks for table in tables) and sum(size or 0 for size in sizes) > memory
    found = (_streamed if streamed else _in_memory)(assembler, tables, statistics, parts)
    for part, dataset in found.items():
        if dataset.rows == 0:
            skipped = f"; {dataset.skipped} bad rows were skipped" if dataset.skipped else ""
            names = ", ".join(table.name for table in tables[:3])
            where = source.origin.location
            raise FeedError(problem("GS635", f"there are no rows for {part} in {names}{skipped}", where))
    return found


def _in_memory(
    assembler: Assembler, tables: Sequence[Table], statistics: Statistics | None, parts: Mapping[str, int]
) -> dict[str, Dataset]:
    columns = [assembler.columns(table) for table in tables]
    pieces = [
        assembler.read(table, piece)
        for table, names in zip(tables, columns, strict=True)
        for piece in table.pieces(names)
    ]
    if not pieces:
        return {part: MemoryDataset({}, {}) for part in parts}
    good = np.concatenate([rows.good for rows in pieces])
    arrays: Batch = {}
    for name in assembler.names:
        arrays[name] = np.concatenate([rows.arrays.pop(name) for rows in pieces])
    if assembler.key is not None:
        members = np.concatenate([rows.parts for rows in pieces if rows.parts is not None])
    elif assembler.split is not None:
        members = Split(assembler.split, len(good)).parts(0, len(good))
    else:
        members = np.zeros(len(good), np.uint8)
    if statistics is None:
        training = good & (members == 0)
        statistics = _statistics({name: arrays[name][training] for name in assembler.standardised})
    found: dict[str, Dataset] = {}
    for part, number in parts.items():
        here = members == number
        chosen = good & here
        taken = arrays if chosen.all() else {name: array[chosen] for name, array in arrays.items()}
        skipped = int(np.count_nonzero(here & ~good))
        found[part] = MemoryDataset(assembler.finish(taken, statistics), statistics, skipped)
    return found


def _statistics(arrays: Batch) -> dict[str, np.ndarray]:
    found = {f"{name}.mean": array.mean(axis=0) for name, array in arrays.items() if len(array)}
    return found | {f"{name}.std": array.std(axis=0) for name, array in arrays.items() if len(array)}


def _streamed(
    assembler: Assembler, tables: Sequence[Table], statistics: Statistics | None, parts: Mapping[str, int]
) -> dict[str, Dataset]:
    stream = Stream(tables, assembler, WINDOW)
    shares = assembler.split if assembler.key is None else None
    split = Split(shares, stream.rows) if shares is not None else None
    skips = assembler.source.bad_rows == "skip"
    survey = None
    if skips or assembler.key is not None or (statistics is None and assembler.standardised):
        survey = Survey(stream, split)
        statistics = survey.statistics if statistics is None else statistics
    found: dict[str, Dataset] = {}
    for part, number in parts.items():
        member: Callable[[int, int], np.ndarray] | None = None
        if survey is not None and (skips or assembler.key is not None):
            member = survey.members[number]
        elif split is not None:
            member = partial(_belongs, split, number)
        skipped = survey.skipped[number] if survey is not None else 0
        found[part] = StreamDataset(stream, member, statistics or {}, skipped)
    return found


def _belongs(split: Split, part: int, start: int, stop: int, /) -> np.ndarray:
    return np.asarray(split.parts(start, stop) == part)


def _check_statistics(assembler: Assembler, statistics: Statistics) -> None:
    """Check that there are statistics for every standardised input.

    Raises:
        FeedError: GS638, there are none.
    """
    for name in assembler.standardised:
        for key in (f"{name}.mean", f"{name}.std"):
            if key not in statistics:
                where = assembler.transforms[name].declared.origin.location
                message = f"'{name}' is standardised, and the saved statistics have no '{key}'"
                raise FeedError(problem("GS638", message, where))


__all__ = ["MEMORY", "PARTS", "Dataset", "dataset_of", "open_datasets", "open_file", "prefetched"]
