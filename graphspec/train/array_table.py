"""Tables in files of arrays: NPY, which is read piece by piece, NPZ and safetensors."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from graphspec.errors import CheckpointError, FeedError, Location, problem
from graphspec.train.table import PIECE, ArrayTable, Piece, Table, piece_rows, ranges, same_length
from graphspec.weights import read_safetensors

_BLOCK = PIECE
_HEADERS = {(1, 0): "read_array_header_1_0", (2, 0): "read_array_header_2_0"}


class NpyArray:
    """An array in an .npy file, of which ranges of rows are read with plain reads: mapped pages would count as memory.

    Raises:
        FeedError: it is no such file, or holds Python objects.
    """

    def __init__(self, path: Path, name: str):
        self.path, self.name = path, name
        with path.open("rb") as stream:
            self.shape, fortran, self.dtype = self._header(stream)
            self.offset = stream.tell()
        self.row = math.prod(self.shape[1:]) * self.dtype.itemsize
        have, wanted = path.stat().st_size - self.offset, math.prod(self.shape) * self.dtype.itemsize
        if have < wanted:
            raise self._refused(f"{name} is cut off: it has {have:,} bytes of {wanted:,}")
        self.whole = np.load(path, allow_pickle=False) if fortran and len(self.shape) > 1 else None

    def _header(self, stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
        from numpy.lib import format as npy

        try:
            version = npy.read_magic(stream)
            if version not in _HEADERS:
                raise ValueError(f"its version {version} is not known")
            shape, fortran, dtype = getattr(npy, _HEADERS[version])(stream)
        except (ValueError, EOFError, OSError) as error:
            raise self._refused(f"{self.name} is not an .npy file: {error}") from None
        if dtype.hasobject:
            raise self._refused(f"{self.name} holds Python objects; reading them could run code from the file")
        if dtype.names:
            raise self._refused(f"{self.name} holds records; save one array per column")
        return tuple(shape), bool(fortran), dtype

    def _refused(self, message: str) -> FeedError:
        return FeedError(problem("GS632", message, Location(self.name, 1, 1)))

    def read(self, stream: BinaryIO, start: int, stop: int) -> np.ndarray:
        """Return a range of rows; ``stream`` is the open file."""
        if self.whole is not None:
            return self.whole[start:stop]
        stream.seek(self.offset + start * self.row)
        content = stream.read((stop - start) * self.row)
        if len(content) < (stop - start) * self.row:
            raise self._refused(f"{self.name} has become shorter while it was read")
        array = np.frombuffer(content, self.dtype).reshape((stop - start, *self.shape[1:]))
        return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


class NpyTable(Table):
    """One or more .npy files of equal length, each of which is a column."""

    def __init__(self, name: str, arrays: Mapping[str, NpyArray]):
        self.name, self.arrays, self.columns = name, arrays, tuple(arrays)
        self.rows = rows = same_length(name, {column: array.shape for column, array in arrays.items()})
        self.row = sum(array.row for array in arrays.values())
        self.blocks = [*range(0, rows, max(1, _BLOCK // max(1, self.row))), rows]

    def size(self, columns: Sequence[str]) -> int:
        assert self.rows is not None
        return sum(self.rows * self.arrays[column].row for column in columns)

    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        assert self.rows is not None
        step = piece_rows(self.rows, self.size(columns))
        streams = {column: self.arrays[column].path.open("rb", buffering=0) for column in columns}
        try:
            for first, end in ranges(start, self.rows if stop is None else stop, step):
                cells = {column: self.arrays[column].read(streams[column], first, end) for column in columns}
                yield Piece(first, end - first, cells)
        finally:
            for stream in streams.values():
                stream.close()


def npz_table(path: Path, name: str) -> Table:
    """Return the arrays of an .npz file as columns; they are read when they are needed.

    Raises:
        FeedError: it is no such file.
    """
    return ArrayTable(name, _LazyArrays(path, name))


class _LazyArrays(Mapping[str, np.ndarray]):
    """The arrays of an .npz file by name, each read once, when it is asked for."""

    def __init__(self, path: Path, name: str):
        self.path, self.name = path, name
        self.found: dict[str, np.ndarray] = {}
        with self._open() as file:
            self.names = list(file.files)
            names = {info.filename for info in file.zip.infolist()}
            if len(names) < len(file.zip.infolist()):
                raise self._refused("holds two arrays of one name")

    def _open(self) -> Any:
        if not zipfile.is_zipfile(self.path):
            raise self._refused("is not an .npz file")
        try:
            file = np.load(self.path, allow_pickle=False)
        except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
            raise self._refused(f"is not an .npz file: {error}") from None
        return file

    def _refused(self, message: str) -> FeedError:
        return FeedError(problem("GS632", f"{self.name} {message}", Location(self.name, 1, 1)))

    def __getitem__(self, column: str) -> np.ndarray:
        if column not in self.names:
            raise KeyError(column)
        if column not in self.found:
            with self._open() as file:
                try:
                    self.found[column] = file[column]
                except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
                    raise self._refused(f"is damaged: '{column}' cannot be read: {error}") from None
        return self.found[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)


def safetensors_table(path: Path, name: str) -> Table:
    """Return the arrays of a .safetensors file as columns.

    Raises:
        FeedError: it is no such file.
    """
    try:
        return ArrayTable(name, read_safetensors(path, name))
    except CheckpointError as error:
        message = error.diagnostics[0].message
        raise FeedError(problem("GS632", message, Location(name, 1, 1))) from None
