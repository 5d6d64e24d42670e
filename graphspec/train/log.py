"""The log of a training: one line per epoch in ``log.jsonl`` and ``log.csv``, beside the checkpoints."""

from __future__ import annotations

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from graphspec.errors import CheckpointError, Location, problem
from graphspec.train.callback import Callback, Record, Run
from graphspec.train.history import History, columns

Line = dict[str, Any]

_NAMES = ("log.jsonl", "log.csv")


class LogCallback(Callback):
    """Writes the record of every epoch to ``log.jsonl`` and ``log.csv``, and flushes them when the epoch ends.

    A training that is resumed goes on with the log: what it says of later steps is dropped first, so that in the
    end it is the log of a training in one go, but for the times. A training from its start begins a new log.
    Numbers that are not finite are the strings "nan", "inf" and "-inf".

    Args:
        folder: where to write; default: the folder of the checkpoints, and no log where there is none.

    Raises:
        CheckpointError: GS614, the log cannot be written; GS615, the log to go on with is damaged.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None):
        self._folder = None if folder is None else Path(folder)
        self._lines: list[Line] = []
        self._files: list[IO[str]] = []

    def on_train_begin(self, run: Run) -> None:
        """Open the files, with what they say of the steps that were done before."""
        folder = self._folder or run.folder
        if folder is None:
            return
        path = Path(folder) / "log.jsonl"
        with self._writing(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lines = [line for line in _read(path) if line["step"] <= run.step] if run.step else []
        self._open(path.parent)

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """Drop what was said of this epoch when the training ended in its middle: it is gone on with."""
        if self._files and self._lines and self._lines[-1].get("epoch") == epoch:
            self._lines.pop()
            self._open(Path(self._files[0].name).parent)

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Write a line to each file."""
        if not self._files:
            return
        before = columns(self._lines)
        self._lines.append({name: plain(value) for name, value in record.items()})
        if columns(self._lines) != before:
            self._open(Path(self._files[0].name).parent)  # again, since the CSV needs a wider header
            return
        with self._writing(Path(self._files[0].name).parent):
            _write(self._files, self._lines[-1:], before)

    def on_train_end(self, run: Run, history: History) -> None:
        """Close the files."""
        files, self._files = self._files, []
        for file in files:
            with self._writing(Path(file.name)):
                file.close()

    def _open(self, folder: Path) -> None:
        """Write both files anew, under a temporary name until they are whole, and leave them open."""
        names, parts = columns(self._lines), [folder / f".{name}.part" for name in _NAMES]
        with self._writing(folder):
            self._close()
            try:
                self._files += [part.open("w", encoding="utf-8", newline="") for part in parts]
                if names:
                    csv.writer(self._files[1], lineterminator="\n").writerow(names)
                _write(self._files, self._lines, names)
                self._close()
                for part, name in zip(parts, _NAMES, strict=True):
                    part.replace(folder / name)
                    self._files.append((folder / name).open("a", encoding="utf-8", newline=""))
            finally:
                for part in parts:
                    part.unlink(missing_ok=True)

    def _close(self) -> None:
        while self._files:
            self._files.pop().close()

    @contextmanager
    def _writing(self, path: Path) -> Iterator[None]:
        """Turn what the system refuses into an error of ours, and write no more after it."""
        try:
            yield
        except OSError as error:
            for file in self._files:
                with suppress(OSError):
                    file.close()
            self._files = []
            reason = error.strerror or str(error)
            raise CheckpointError(problem("GS614", f"the log in '{path}' cannot be written: {reason}")) from None


def _write(files: list[IO[str]], lines: list[Line], names: list[str]) -> None:
    log, table = files
    for line in lines:
        log.write(json.dumps(line, allow_nan=False, ensure_ascii=False) + "\n")
    csv.DictWriter(table, names, restval="", lineterminator="\n").writerows(lines)
    for file in files:
        file.flush()


def _read(path: Path) -> list[Line]:
    """Return the lines of a log; a last one that was cut off while it was written does not count."""
    try:
        rows = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(problem("GS615", f"'{path}' cannot be read: {error.strerror}")) from None
    return [_line(row, Location(str(path), number, 1)) for number, row in enumerate(rows, 1)]


def _line(row: bytes, where: Location) -> Line:
    try:
        line = json.loads(row)
    except (ValueError, RecursionError):
        line = None
    if isinstance(line, Mapping) and isinstance(line.get("step"), int):
        return dict(line)
    hint = "remove or rename the log to begin a new one"
    raise CheckpointError(problem("GS615", "this is no line of a log of a training", where, hint=hint))


def plain(value: Any) -> Any:
    """Return a number as JSON can write it."""
    number = value.item() if hasattr(value, "item") else value
    if not isinstance(number, float) or math.isfinite(number):
        return number
    return "nan" if number != number else "inf" if number > 0 else "-inf"
