"""What TensorBoard shows of a training: event files, written with tensorboardX."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphspec.errors import CheckpointError, problem
from graphspec.extras import not_installed
from graphspec.train.callback import Callback, Record, Run
from graphspec.train.history import FACTS, VALIDATION, History

_CURVES = ("learning_rate", "rows_per_second")  # of the facts


class TensorBoardCallback(Callback):
    """Writes losses, metrics and the learning rate of every epoch for TensorBoard: ``tensorboard --logdir FOLDER``.

    Values of training and validation go to the folders ``train`` and ``validation`` under the same names, so that
    TensorBoard draws them into one picture, over the number of the step. A training that is resumed goes on with
    them, and what was written of later steps disappears.

    Args:
        folder: default: ``tensorboard`` in the folder of the checkpoints, ``runs/NAME`` where there is none.
        every: also write the loss and the metrics of every n-th batch, as ``batch/loss``.

    Raises:
        EngineError: GS612, tensorboardX is not installed: ``pip install 'graphspec[tensorboard]'``.
        CheckpointError: GS614, the files cannot be written.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None, every: int | None = None):
        if every is not None and every < 1:
            raise ValueError(f"every is a number of batches from 1, not {every}")
        self._folder = None if folder is None else Path(folder)
        self._root = Path()  # of this training
        self._every = every
        self._resumed_at = 0
        self._writers: dict[str, _EventFile] = {}
        _library()  # says at once what is missing

    def on_train_begin(self, run: Run) -> None:
        """Choose the folder."""
        beside = Path("runs", run.name) if run.folder is None else Path(run.folder) / "tensorboard"
        self._root = self._folder or beside
        self._resumed_at = run.step
        self._writer("train")

    def on_batch_end(self, run: Run, record: Record) -> None:
        """Write the values of a batch, where that was asked for."""
        if self._every is not None and run.step % self._every == 0:
            values = {f"batch/{name}": value for name, value in record.items() if name not in FACTS}
            self._writer("train").write(run.step, values)

    def on_validation_end(self, run: Run, record: Record) -> None:
        """Write the values of a validation."""
        found = {name: value for name, value in record.items() if name.startswith(VALIDATION)}
        self._writer("validation").write(
            run.step, {name.removeprefix(VALIDATION): value for name, value in found.items()}
        )

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Write the values of an epoch; those of the validation were written when it ended."""
        own = (name for name in record if not name.startswith(VALIDATION))
        names = [name for name in own if name in _CURVES or name not in FACTS]
        self._writer("train").write(run.step, {name: record[name] for name in names})
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, run: Run, history: History) -> None:
        """Close the files."""
        while self._writers:
            self._writers.popitem()[1].close()

    def _writer(self, part: str) -> _EventFile:
        if part not in self._writers:
            self._writers[part] = _EventFile(self._root / part, self._resumed_at)
        return self._writers[part]


class _EventFile:
    """A file of events. They are written as they come: tensorboardX's own writer waits for ever on a full disk."""

    def __init__(self, folder: Path, step: int):
        self._proto, recorder = _library()
        self._folder = folder.absolute()
        name = f"events.out.tfevents.{int(time.time()):010d}.{time.time_ns() % 10**9:09d}.{os.getpid()}"
        with self._writing():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._file = recorder(str(self._folder / name))
        self._event(file_version="brain.Event:2")
        if step:  # TensorBoard forgets what other files of this folder say of later steps
            session = self._proto.event_pb2.SessionLog(status=self._proto.event_pb2.SessionLog.START)
            self._event(step=step + 1, session_log=session)

    def write(self, step: int, values: Mapping[str, Any]) -> None:
        """Add numbers by name."""
        summary = self._proto.summary_pb2.Summary
        found = [summary.Value(tag=name, simple_value=float(value)) for name, value in values.items()]
        self._event(step=step, summary=summary(value=found))

    def flush(self) -> None:
        with self._writing():
            self._file.flush()

    def close(self) -> None:
        with self._writing():
            self._file.close()

    def _event(self, **facts: Any) -> None:
        event = self._proto.event_pb2.Event(wall_time=time.time(), **facts)
        with self._writing():
            self._file.write(event.SerializeToString())

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"the events in '{self._folder}' cannot be written: {error.strerror or error}"
            raise CheckpointError(problem("GS614", message)) from None


def _library() -> tuple[Any, Any]:
    try:
        from tensorboardX import RecordWriter, proto
        from tensorboardX.proto import event_pb2, summary_pb2  # noqa: F401
    except ImportError as error:
        raise not_installed("the TensorBoard writer", "tensorboardX", "tensorboard", error) from None
    return proto, RecordWriter
