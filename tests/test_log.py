"""The log beside the checkpoints: its two forms, resuming, numbers that are not finite, writes that fail."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_training import FakeRun, train

from graphspec.errors import CheckpointError
from graphspec.train.history import History
from graphspec.train.log import LogCallback


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "log.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def log(folder: Path, *records: dict[str, Any], step: int = 0) -> None:
    """Write records as a training that begins at a step does."""
    run, callback = FakeRun(folder=folder, step=step), LogCallback()
    callback.on_train_begin(run)
    for record in records:
        callback.on_epoch_end(run, record)
    callback.on_train_end(run, History())


def test_both_files_have_a_line_per_epoch(tmp_path: Path) -> None:
    history = train(FakeRun(folder=tmp_path), [LogCallback()], epochs=3)
    assert lines(tmp_path) == history.records
    assert [{name: float(value) for name, value in row.items()} for row in rows(tmp_path)] == history.records
    assert list(rows(tmp_path)[0]) == list(history.records[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "log.jsonl"]


def test_each_line_is_there_when_its_epoch_has_ended(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []

    class Watch:
        def on_epoch_end(self, run: Any, record: Any) -> None:
            seen.append((len(lines(tmp_path)), len(rows(tmp_path))))

    train(FakeRun(folder=tmp_path), [LogCallback(), Watch()], epochs=3)
    assert seen == [(1, 1), (2, 2), (3, 3)]


def test_without_a_folder_there_is_no_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(FakeRun(), [LogCallback()])
    assert not list(tmp_path.iterdir())


def test_a_folder_of_its_own_is_made(tmp_path: Path) -> None:
    train(FakeRun(folder=tmp_path / "a"), [LogCallback(tmp_path / "b" / "c")])
    assert len(lines(tmp_path / "b" / "c")) == 3
    assert not (tmp_path / "a").exists()


def test_numbers_that_are_not_finite_are_strings(tmp_path: Path) -> None:
    log(tmp_path, {"step": 1, "a": float("nan"), "b": float("inf"), "c": float("-inf")})
    assert lines(tmp_path) == [{"step": 1, "a": "nan", "b": "inf", "c": "-inf"}]
    assert (tmp_path / "log.csv").read_text() == "step,a,b,c\n1,nan,inf,-inf\n"


def test_numpy_numbers_are_plain_ones(tmp_path: Path) -> None:
    log(tmp_path, {"step": np.int64(3), "loss": np.float32(0.1), "nan": np.float64("nan")})
    assert (tmp_path / "log.jsonl").read_text() == '{"step": 3, "loss": 0.10000000149011612, "nan": "nan"}\n'


def test_a_column_that_comes_later_widens_the_table(tmp_path: Path) -> None:
    log(tmp_path, {"step": 1, "loss": 2.0}, {"step": 2, "loss": 1.0, "validation.loss": 1.5}, {"step": 3, "loss": 0.5})
    assert (tmp_path / "log.csv").read_text() == "step,loss,validation.loss\n1,2.0,\n2,1.0,1.5\n3,0.5,\n"
    assert lines(tmp_path)[2] == {"step": 3, "loss": 0.5}


@pytest.mark.parametrize("validate", [None, 3, 10])
@pytest.mark.parametrize("step", range(1, 24))
def test_a_resumed_log_is_that_of_a_training_in_one_go(step: int, validate: int | None, tmp_path: Path) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    train(FakeRun(folder=whole), [LogCallback()], epochs=6, validate=validate)

    def kill(now: int) -> None:
        if now == min(step + 7, 23):  # some steps after the checkpoint
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(FakeRun(folder=parts), [LogCallback()], epochs=6, validate=validate, during=kill)
    resumed = FakeRun(folder=parts, step=step)
    train(resumed, [LogCallback()], epochs=6, validate=validate)
    # what was validated before the resumption in the same epoch the fake does not know any more
    if validate is None:
        assert (parts / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
        assert (parts / "log.csv").read_bytes() == (whole / "log.csv").read_bytes()
    assert [line["step"] for line in lines(parts)] == [4, 8, 12, 16, 20, 24]
    assert [row["step"] for row in rows(parts)] == ["4", "8", "12", "16", "20", "24"]


def test_a_training_from_the_start_begins_a_new_log(tmp_path: Path) -> None:
    train(FakeRun(folder=tmp_path), [LogCallback()], epochs=6)
    train(FakeRun(folder=tmp_path), [LogCallback()], epochs=2)
    assert len(lines(tmp_path)) == len(rows(tmp_path)) == 2


def test_every_way_to_be_cut_off_leaves_a_log_to_go_on_with(tmp_path: Path) -> None:
    train(FakeRun(folder=tmp_path / "whole"), [LogCallback()], epochs=3)
    content = (tmp_path / "whole" / "log.jsonl").read_bytes()
    ends = [i for i, byte in enumerate(content) if byte == 10]
    for length in range(0, len(content) + 1, 7):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / "log.jsonl").write_bytes(content[:length])
        log(folder, {"step": 16}, step=12)
        assert [line["step"] for line in lines(folder)] == [*[4, 8, 12][: sum(end < length for end in ends)], 16]
        shutil.rmtree(folder)


def test_an_epoch_that_is_gone_on_with_has_one_line(tmp_path: Path) -> None:
    log(tmp_path, {"epoch": 1, "step": 4, "loss": 2.0}, {"epoch": 2, "step": 6, "loss": 1.5})  # stopped in its middle
    run, callback = FakeRun(folder=tmp_path, step=6, epoch=2), LogCallback()
    callback.on_train_begin(run)
    assert len(lines(tmp_path)) == 2  # there may be nothing left to do
    callback.on_epoch_begin(run, 2)
    callback.on_epoch_end(run, {"epoch": 2, "step": 8, "loss": 1.0})
    callback.on_epoch_begin(run, 3)
    callback.on_train_end(run, History())
    assert [line["step"] for line in lines(tmp_path)] == [4, 8]
    assert (tmp_path / "log.csv").read_text() == "epoch,step,loss\n1,4,2.0\n2,8,1.0\n"


def test_a_resumed_training_may_find_no_log(tmp_path: Path) -> None:
    log(tmp_path, {"step": 16}, step=12)
    assert lines(tmp_path) == [{"step": 16}]


@pytest.mark.parametrize("line", ["{}", "[1]", '{"step": "1"}', "step", "\udcff", "[" * 100_000], ids=range(6))
def test_a_damaged_log_is_an_error_with_its_line(line: str, tmp_path: Path) -> None:
    content = f'{{"step": 1}}\n{line}\n{{"step": 3}}\n'
    (tmp_path / "log.jsonl").write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(CheckpointError, match=r"log.jsonl:2:1: GS615 (.|\n)*remove or rename") as info:
        log(tmp_path, step=12)
    assert info.value.diagnostics[0].where.line == 2  # type: ignore[union-attr]
    log(tmp_path)  # a new one does not care
    assert lines(tmp_path) == []


# -- writes that fail ------------------------------------------------------------------------------------------------


def test_a_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("")
    with pytest.raises(CheckpointError, match=r"GS614 the log in '.*' cannot be written: "):
        train(FakeRun(folder=tmp_path / "runs"), [LogCallback()])


def test_a_log_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").mkdir()
    with pytest.raises(CheckpointError, match=r"GS615 '.*log.jsonl' cannot be read: "):
        log(tmp_path, step=1)


class Full(io.RawIOBase):
    """A disk that takes so many bytes and no more."""

    room = 0

    def __init__(self, descriptor: int):
        self.descriptor = descriptor

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        if Full.room < len(data):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        Full.room -= len(data)
        return os.write(self.descriptor, data)

    def close(self) -> None:
        if not self.closed:
            super().close()
            os.close(self.descriptor)


def test_a_full_disk_is_reported_wherever_it_fills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(path: Path, mode: str, **facts: Any) -> io.TextIOWrapper:
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if mode == "a" else os.O_TRUNC)
        file = io.TextIOWrapper(io.BufferedWriter(Full(os.open(path, flags))), **facts)
        file.buffer.raw.name = str(path)  # type: ignore[attr-defined]
        return file

    train(FakeRun(folder=tmp_path), [LogCallback()], epochs=3)
    needed = sum(path.stat().st_size for path in tmp_path.iterdir())
    monkeypatch.setattr(Path, "open", opened)
    for room in range(0, needed, 41):
        Full.room = room
        with pytest.raises(CheckpointError, match=r"GS614 the log in '.*' cannot be written: No space left"):
            train(FakeRun(folder=tmp_path), [LogCallback()], epochs=3)
        assert not list(tmp_path.glob(".*"))
    Full.room = 10 * needed
    train(FakeRun(folder=tmp_path), [LogCallback()], epochs=3)
    monkeypatch.undo()
    assert len(lines(tmp_path)) == 3
