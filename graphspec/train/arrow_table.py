"""Tables in Parquet and Arrow files, read batch by batch (extra `data`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.errors import FeedError
from graphspec.extras import not_installed
from graphspec.train.table import PIECE, Cells, Piece, Table

try:
    import pyarrow
    from pyarrow import ipc
    from pyarrow.parquet import ParquetFile, write_table
except ImportError as error:
    raise not_installed("reading Parquet and Arrow files", "pyarrow", "data", error) from None

_BUFFER = 1 << 16  # bytes that are read ahead of each column


class ArrowTable(Table):
    """What both formats share: a schema, and blocks of rows."""

    def __init__(self, path: Path, name: str):
        self.path, self.name = path, name

    def _opened(self, schema: Any, rows: Sequence[int]) -> None:
        self.schema = schema
        self.columns = tuple(schema.names)
        if len(set(self.columns)) < len(self.columns):
            twice = next(column for column in self.columns if self.columns.count(column) > 1)
            raise self.refuse("GS632", f"{self.name} has two columns '{twice}'")
        self.blocks = [0, *accumulate(rows)]
        self.rows = self.blocks[-1]

    def _damaged(self, error: Exception) -> FeedError:
        return self.refuse(
            "GS632", f"{self.name} cannot be read: {str(error).splitlines()[0] if str(error) else error!r}"
        )

    def size(self, columns: Sequence[str]) -> int:
        assert self.rows is not None
        return self.rows * sum(_width(self.schema.field(column).type) for column in columns)

    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        assert self.rows is not None
        stop = self.rows if stop is None else stop
        step = max(1, PIECE // max(1, self.size(columns) // max(1, self.rows)))
        try:
            for number, (first, end) in enumerate(zip(self.blocks, self.blocks[1:], strict=False)):
                if first >= stop or end <= start:
                    continue
                for batch in self._batches(number, columns, step):
                    low, high = max(first, start), min(first + batch.num_rows, stop)
                    for begin in range(low, high, step):
                        length = min(step, high - begin)
                        yield self._piece(batch.slice(begin - first, length), begin, columns)
                    first += batch.num_rows
                    if first >= stop:
                        break
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _piece(self, batch: Any, start: int, columns: Sequence[str]) -> Piece:
        return Piece(start, batch.num_rows, {name: cells(batch.column(name)) for name in columns})

    def _batches(self, block: int, columns: Sequence[str], rows: int) -> Iterator[Any]:
        """Yield the record batches of a block, of up to ``rows`` rows where the format allows it."""
        raise NotImplementedError


class ParquetTable(ArrowTable):
    """A Parquet file; its blocks are the row groups."""

    def __init__(self, path: Path, name: str):
        super().__init__(path, name)
        try:
            with self._open() as file:
                facts = file.metadata
                self._opened(file.schema_arrow, [facts.row_group(i).num_rows for i in range(facts.num_row_groups)])
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _open(self) -> Any:
        return ParquetFile(self.path, buffer_size=_BUFFER, pre_buffer=False, memory_map=False)

    def _batches(self, block: int, columns: Sequence[str], rows: int) -> Iterator[Any]:
        with self._open() as file:
            yield from file.iter_batches(rows, row_groups=[block], columns=list(columns), use_threads=False)


class IpcTable(ArrowTable):
    """An Arrow IPC file (Feather 2); its blocks are the record batches."""

    def __init__(self, path: Path, name: str):
        super().__init__(path, name)
        try:
            with pyarrow.OSFile(str(path)) as stream:
                schema = ipc.open_file(stream).schema
                widths = [_width(field.type) for field in schema]
                narrowest = [widths.index(min(widths))] if widths else []
                file = ipc.open_file(stream, options=ipc.IpcReadOptions(included_fields=narrowest))
                self._opened(schema, [file.get_batch(i).num_rows for i in range(file.num_record_batches)])
        except (pyarrow.ArrowException, OSError) as error:
            raise self._damaged(error) from None

    def _batches(self, block: int, columns: Sequence[str], rows: int) -> Iterator[Any]:
        included = sorted(self.schema.get_field_index(name) for name in columns)
        with pyarrow.OSFile(str(self.path)) as stream:
            options = ipc.IpcReadOptions(included_fields=included, use_threads=False)
            yield ipc.open_file(stream, options=options).get_batch(block)


def _width(type: Any) -> int:
    """Return about how many bytes a cell of an Arrow type is."""
    types = pyarrow.types
    if types.is_fixed_size_list(type):
        return int(type.list_size) * _width(type.value_type)
    if types.is_dictionary(type):
        return _width(type.value_type)
    return max(1, type.bit_width // 8) if types.is_primitive(type) else 64


def cells(array: Any) -> Cells:
    """Return an Arrow array as cells: NumPy's, masked where some are null, or a list where that cannot be."""
    types, type = pyarrow.types, array.type
    if types.is_dictionary(type):
        return cells(array.dictionary_decode())
    if types.is_boolean(type) or types.is_integer(type) or types.is_floating(type):
        return _numbers(array)
    if types.is_decimal(type):
        return cells(array.cast(pyarrow.float64()))
    if types.is_fixed_size_list(type) and not array.null_count:
        inner = array.flatten()
        values = cells(inner)
        if isinstance(values, np.ndarray):
            return values.reshape((len(array), type.list_size, *values.shape[1:]))
    if (types.is_list(type) or types.is_large_list(type)) and not array.null_count and len(array):
        lengths = np.diff(array.offsets.to_numpy())
        values = cells(array.flatten())
        if isinstance(values, np.ndarray) and (lengths == lengths[0]).all():
            return values.reshape((len(array), int(lengths[0]), *values.shape[1:]))
    found: list[Any] = array.to_pylist()
    return found


def _numbers(array: Any) -> np.ndarray:
    if not array.null_count:
        return np.asarray(array.to_numpy(zero_copy_only=False))
    empty = array.is_null().to_numpy(zero_copy_only=False)
    filled = array.fill_null(pyarrow.scalar(0, pyarrow.int64()).cast(array.type, safe=False))
    return np.ma.array(filled.to_numpy(zero_copy_only=False), mask=empty)


def parquet(columns: Mapping[str, np.ndarray]) -> bytes:
    """Return a Parquet file of columns, arrays of [rows]."""
    stream = pyarrow.BufferOutputStream()
    write_table(pyarrow.table({name: pyarrow.array(array) for name, array in columns.items()}), stream)
    return bytes(stream.getvalue())
