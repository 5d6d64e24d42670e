"""Tables in text files: CSV with a header, and JSON lines."""

from __future__ import annotations

import csv
import io
import json
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from graphspec.errors import Location
from graphspec.scalars import shortened
from graphspec.train.table import Piece, Table, Texts

_ROWS = 4096  # of a piece
_LARGEST_CELL = 1 << 26


class TextTable(Table):
    """A UTF-8 file; a byte order mark is passed over, lines may end with CRLF.

    Raises:
        FeedError: it cannot be read as what it is.
    """

    def __init__(self, path: Path, name: str):
        self.path, self.name = path, name
        self._lines: list[int] = []  # the line that each row begins in, as far as they have been read

    def _text(self) -> str:
        """Return the text of the file."""
        content = self.path.read_bytes()
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            raise self.refuse("GS632", f"{self.name} is UTF-16, which is not UTF-8", hint="save it as UTF-8")
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = content[: error.start].decode("utf-8-sig", "replace")
            where = _spot(self.name, before, len(before))
            byte = f"0x{content[error.start]:02x}"
            message = f"{self.name} has a byte {byte}, which is not UTF-8"
            raise self.refuse("GS632", message, where, "save it as UTF-8") from None
        if "\0" in text:
            where = _spot(self.name, text, text.index("\0"))
            raise self.refuse("GS632", f"{self.name} has a NUL character: is it a binary file?", where)
        if not text.strip():
            raise self.refuse("GS632", f"{self.name} is empty")
        return text

    def place(self, row: int, column: str | None, at: int = 0) -> Location:
        """Return the line that a row begins in, and where in it a cell is."""
        line = self._lines[row] if row < len(self._lines) else 1
        text = next(islice(_lines(self._text()), line - 1, None), "")
        shown = "".join(c if c.isprintable() else " " for c in text)
        start, length = (at, 1) if at else self._cell(text, column)
        return Location(self.name, line, start, length, shown)

    @abstractmethod
    def _cell(self, line: str, column: str | None) -> tuple[int, int]:
        """Return where the cell of a column begins in a line, from 1, and its length."""


class CsvTable(TextTable):
    """Lines of cells between commas, or tabs; the first line has the names. Cells may be quoted and hold line ends."""

    def __init__(self, path: Path, name: str, delimiter: str = ","):
        super().__init__(path, name)
        self.delimiter = delimiter
        self.columns = self._header(self._text())

    def _reader(self, text: str) -> Any:
        csv.field_size_limit(max(_LARGEST_CELL, csv.field_size_limit()))
        return csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True)

    def _header(self, text: str) -> tuple[str, ...]:
        reader = self._reader(text)
        try:
            names: list[str] = next((row for row in reader if row), [])
        except csv.Error as error:
            raise self.refuse("GS632", f"the header of {self.name} cannot be read: {error}") from None
        seen: set[str] = set()
        for name in names:
            if not name.strip():
                where = Location(self.name, reader.line_num, 1)
                raise self.refuse("GS632", f"column {names.index(name) + 1} of {self.name} has no name", where)
            if name in seen:
                where = Location(self.name, reader.line_num, 1)
                raise self.refuse("GS632", f"{self.name} has two columns '{name}'", where)
            seen.add(name)
        return tuple(names)

    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        reader = self._reader(self._text())
        width, picked = len(self.columns), [self.columns.index(name) for name in columns]
        self._lines = lines = []
        rows: list[list[str]] = []
        broken: dict[int, tuple[str, int]] = {}
        begin, first, header = 1, 0, True
        while True:
            try:
                row = next(reader, None)
                wrong = ""
            except csv.Error as error:
                row, wrong = [], f"the row cannot be taken apart: {error}"
            if row is None:
                break
            if header and (row or wrong):
                header = False
            elif row or wrong:
                if len(row) != width:
                    broken[len(rows)] = (wrong or f"expected {width} cells, found {len(row)}", 1)
                    row = [""] * width
                rows.append(row)
                lines.append(begin)
            begin = reader.line_num + 1
            if len(rows) == _ROWS:
                yield _csv_piece(first, rows, columns, picked, broken)
                first, rows, broken = first + len(rows), [], {}
        if rows:
            yield _csv_piece(first, rows, columns, picked, broken)
        self.rows = len(lines)

    def _cell(self, line: str, column: str | None) -> tuple[int, int]:
        try:
            cells: list[str] = next(self._reader(line), [])
        except csv.Error:
            return 1, 1
        if column not in self.columns or len(cells) != len(self.columns):
            return 1, max(1, len(line))
        at, wanted = 0, self.columns.index(column)
        for number, cell in enumerate(cells):
            raw = len(cell) if line[at : at + 1] != '"' else len(cell) + cell.count('"') + 2
            if number == wanted:
                return at + 1, max(1, raw)
            at += raw + 1
        return 1, 1


def _csv_piece(
    first: int, rows: list[list[str]], columns: Sequence[str], picked: list[int], broken: dict[int, tuple[str, int]]
) -> Piece:
    turned = list(zip(*rows, strict=True))
    return Piece(first, len(rows), {name: Texts(turned[i]) for name, i in zip(columns, picked, strict=True)}, broken)


class JsonLinesTable(TextTable):
    """One JSON mapping per line. The columns are the keys of the first row; blank lines are passed over."""

    def __init__(self, path: Path, name: str):
        super().__init__(path, name)
        for _, line in self._rows():
            try:
                self.columns = tuple(_parsed(line))
            except _BadLine as error:
                raise self.refuse("GS632", f"the first row: {error.message}", self._at(line, error.at)) from None
            break

    def _rows(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that hold something, with their numbers."""
        for number, line in enumerate(_lines(self._text()), 1):
            if line.strip():
                yield number, line

    def _at(self, line: str, at: int) -> Location:
        number = next(number for number, found in self._rows() if found == line)
        return Location(self.name, number, at, 1, line)

    def pieces(self, columns: Sequence[str], start: int = 0, stop: int | None = None) -> Iterator[Piece]:
        self._lines = lines = []
        found = self._rows()
        first = 0
        while batch := list(islice(found, _ROWS)):
            lines += [number for number, _ in batch]
            values_by_name: dict[str, list[Any]] = {name: [] for name in columns}
            broken: dict[int, tuple[str, int]] = {}
            for row, (_, line) in enumerate(batch):
                try:
                    values = _parsed(line)
                except _BadLine as error:
                    broken[row], values = (error.message, error.at), {}
                missing = next((name for name in columns if name not in values), None)
                if missing is not None and row not in broken:
                    broken[row] = (f"has no key '{missing}'", 1)
                for name, column in values_by_name.items():
                    column.append(values.get(name))
            yield Piece(first, len(batch), values_by_name, broken)
            first += len(batch)
        self.rows = len(lines)

    def _cell(self, line: str, column: str | None) -> tuple[int, int]:
        key = json.dumps(column, ensure_ascii=False)
        at = line.find(key)
        return (at + 1, len(key)) if at >= 0 else (1, max(1, len(line)))


class _BadLine(Exception):
    def __init__(self, message: str, at: int):
        self.message, self.at = message, at
        super().__init__(message)


def _parsed(line: str) -> dict[str, Any]:
    """Return the mapping of one line.

    Raises:
        _BadLine: it is none.
    """
    try:
        value = json.loads(line, parse_constant=_not_json, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise _BadLine(f"is not JSON: {error.msg}", error.pos + 1) from None
    except (ValueError, RecursionError) as error:
        raise _BadLine(f"is not JSON: {str(error) or type(error).__name__}", 1) from None
    if not isinstance(value, dict):
        raise _BadLine(f"expected a JSON mapping, found {shortened(line)}", 1)
    return value


def _not_json(word: str) -> Any:
    raise ValueError(f"{word} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(name for name in names if names.count(name) > 1)}' stands twice")
    return found


def _lines(text: str) -> Iterator[str]:
    """Yield the lines of a text as the csv module counts them."""
    for line in io.StringIO(text, newline=""):
        yield line.rstrip("\r\n")


def _spot(name: str, text: str, index: int) -> Location:
    """Return the place of a character."""
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    line = before.count("\n") + 1
    return Location(name, line, len(before) - (before.rfind("\n") + 1) + 1)
