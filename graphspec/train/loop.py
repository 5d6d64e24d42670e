"""The loop: batches through the training step, validation, early stopping, limits, checkpoints."""

from __future__ import annotations

import math
import os
import resource
import sys
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.anomaly import first_anomaly
from graphspec.engine import engine_named
from graphspec.errors import ExecutionError, FeedError, did_you_mean, problem
from graphspec.specialise import Models
from graphspec.train.callback import Callbacks
from graphspec.train.dataset import Dataset, prefetched
from graphspec.train.evaluation import Evaluation, batch_dim
from graphspec.train.history import History
from graphspec.train.position import Position, watched
from graphspec.train.saving import Saver
from graphspec.train.session import Session
from graphspec.train.step import training_step
from graphspec.train_section import TrainSection, Watch
from graphspec.weights import Parameters


class Trainer:
    """One training in progress; callbacks see it as ``run``.

    Args:
        models: the builds of the document.
        parameters: where the values begin, and where they are written in the end.
        section: how to train.
        data: the data sets "train" and, if there is one, "validation".
        engine: "numpy" or "jax".
        callbacks: those that watch.
        folder: the folder of checkpoints, None for none.
    """

    def __init__(
        self,
        models: Models,
        parameters: Parameters,
        section: TrainSection,
        data: Mapping[str, Dataset],
        *,
        engine: str = "numpy",
        callbacks: Iterable[Any] = (),
        folder: Path | None = None,
    ):
        self.section, self.parameters, self.engine, self.folder = section, parameters, engine, folder
        self.data, self.validation = data["train"], data.get("validation")
        self.callbacks = Callbacks(callbacks)
        self.position = Position()
        self.history = History()
        self._stop = ""
        self._current = 1  # the epoch in progress
        self._started = time.monotonic()
        self._marked = (self._started, 0)  # when the epoch, or what is done of it here, began, and with how many rows
        self._before: tuple[dict[int, Any], dict[str, int]] | None = None  # leaves and dims of the last step
        self._best: dict[str, Any] | None = None
        self.moved: Path | None = None  # where the checkpoints of an earlier training in the same folder are now
        names = self.data.names
        model = models.with_attributes({"training": True}).for_feeds(dict.fromkeys(names, 0.0))
        self._plain = models.for_feeds(dict.fromkeys(names, 0.0))
        self._known(names)
        self.training = training_step(model, section)
        self.metrics = section.metrics or (self.training.loss,)
        self.runner = engine_named(engine)
        joint = self.training.model
        self.dim = batch_dim(joint, names)
        self.session = Session(
            joint, [*joint.outputs.values(), *joint.updates.values()], names, self.runner, section.seed
        )
        self.values: dict[str, Any] = {
            path: parameters.value(item, section.seed)
            if path not in self.training.own
            else item.first_value(section.seed)
            for path, item in joint.parameters.items()
        }
        self.saver = Saver(self)
        self.evaluation: Evaluation | None = None
        if self.validation is not None:
            self.evaluation = self.evaluation_of(self.validation)
        self._watches()

    # -- what callbacks see -----------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        return self._plain.function.name

    @property
    def spec(self) -> str:
        return self._plain.function.source.text

    @property
    def epoch(self) -> int:
        return self._current

    @property
    def epochs(self) -> int | None:
        return self.section.epochs if self.section.epochs or self.section.steps else 1

    @property
    def step(self) -> int:
        return self.position.step

    @property
    def steps(self) -> int | None:
        return self.section.steps

    @property
    def batches(self) -> int | None:
        return self.data.count(self.section.batch, self.section.drop_last)

    @property
    def rows(self) -> int | None:
        return self.data.rows

    @property
    def seed(self) -> int:
        return self.section.seed

    def stop(self, reason: str) -> None:
        """End the training after the batch in progress."""
        self._stop = self._stop or reason

    # -- checks -----------------------------------------------------------------------------------------------------

    def _known(self, names: Sequence[str]) -> None:
        """Check that the data feeds inputs, and all that have no default.

        Raises:
            FeedError: it does not.
        """
        inputs = self._plain.inputs
        wrong = [
            problem("GS601", f"the data feeds '{name}', which is no input", hint=did_you_mean(name, inputs))
            for name in names
            if name not in inputs
        ]
        if wrong:
            raise FeedError(wrong)

    def _watches(self) -> None:
        """Check the columns that are watched.

        Raises:
            FeedError: a column that no record will have.
        """
        known = [*self.metrics, *(f"validation.{name}" for name in self.metrics if self.validation is not None)]
        watches = {"early_stopping": self.section.early_stopping, "checkpoint": self.section.checkpoint}
        for key, watch in watches.items():
            column = self._column(watch)
            if column not in known:
                hint = did_you_mean(column, known) or f"there are {', '.join(known)}"
                place = self.section.place(f"{key}.monitor")
                raise FeedError(problem("GS644", f"'{column}' is watched, but never recorded", place, hint=hint))

    def _column(self, watch: Watch | None) -> str:
        loss = self.training.loss if self.training.loss in self.metrics else self.metrics[0]
        return watched(watch, loss, self.validation is not None)

    # -- the loop ---------------------------------------------------------------------------------------------------

    def run(self) -> History:
        """Train, write the values into the parameters, and return what happened.

        Raises:
            ExecutionError: the loss is not finite, or a node failed.
            FeedError: a batch does not fit, or a row of the data is bad.
            CheckpointError: a checkpoint could not be written.
        """
        self._started = time.monotonic()
        self.moved = self.saver.make_room()
        self.history.records = self.position.records
        with self.callbacks.watching(self, self.history):
            try:
                while not self._over():
                    self._epoch()
                self.saver.save()
            except KeyboardInterrupt:
                self._stop = "interrupted"
                self.saver.save()
                raise
            finally:
                self.history.stopped = self._stop
                self.history.seconds = time.monotonic() - self._started
                self.history.skipped = self.data.skipped + (self.validation.skipped if self.validation else 0)
                self.history.best = self.position.best
        self._write_back()
        return self.history

    def _over(self) -> bool:
        """Tell whether there is nothing left to do."""
        position, steps = self.position, self.section.steps
        if self.epochs is not None and position.epoch >= self.epochs:
            self.stop("all epochs are done")
        if steps is not None and position.step >= steps:
            self.stop("all steps are done")
        return bool(self._stop)

    def _epoch(self) -> None:
        position = self.position
        self._current = position.epoch + 1
        if position.batch and position.records and position.records[-1]["epoch"] == self.epoch:
            position.records.pop()  # of the same epoch, as far as it went before
        self.callbacks.on_epoch_begin(self, self.epoch)
        self._marked = (time.monotonic(), position.rows)
        whole = True
        with closing(self._batches()) as batches:
            for batch in batches:
                self._batch(batch)
                if self._over():
                    whole = position.batch == self.batches
                    break
        if not position.rows:
            raise FeedError(problem("GS643", "an epoch has no rows: there is nothing to train on"))
        self._end_of_epoch(whole)

    def _batches(self) -> Generator[dict[str, np.ndarray]]:
        section = self.section
        return prefetched(
            self.data.batches(
                section.batch,
                seed=section.seed if section.shuffle else None,
                epoch=self.position.epoch,
                first=self.position.batch,
                drop_last=section.drop_last,
            )
        )

    def _batch(self, batch: Mapping[str, np.ndarray]) -> None:
        """Do one step, or one of the batches whose gradients make up a step."""
        position, joint, loss = self.position, self.training.model, self.training.loss
        arrays = self.session.run({**batch, **self._clock()}, self.values, position.ticks, native=True)
        numbers = {name: float(np.asarray(array)) for name, array in zip(joint.outputs, arrays, strict=False)}
        if not math.isfinite(numbers[loss]):
            raise self._not_finite(numbers[loss])
        self._before = (self.session.leaves, self.session.dims)
        self.values.update(zip(joint.updates, arrays[len(joint.outputs) :], strict=True))
        position.ticks, position.batch = position.ticks + 1, position.batch + 1
        position.step = position.ticks // self.section.accumulate
        metrics = {name: numbers[name] for name in self.metrics}
        position.add(metrics, self.session.dims[self.dim])
        position.rates = {name: number for name, number in numbers.items() if name not in self.training.metrics}
        self.callbacks.on_batch_end(self, self._record(metrics))
        if position.ticks % self.section.accumulate == 0:
            self._after_step()
        self._limits()

    def _clock(self) -> dict[str, np.ndarray]:
        """Return the inputs of the training step that tell schedules how far the training is, where they ask."""
        prefix, joint = self.training.prefix, self.training.model
        clock = {
            f"{prefix}.epoch": np.asarray(self.position.epoch, dtype=np.int64),
            f"{prefix}.monitor": np.asarray(self.position.monitor, dtype=joint.dtype),
        }
        return {path: value for path, value in clock.items() if path in joint.inputs}

    def _after_step(self) -> None:
        """Validate and save where that is due after so many steps."""
        every, checkpoint, step = self.section.validate_every, self.section.checkpoint, self.position.step
        if isinstance(every, int) and self.evaluation is not None and step % every == 0:
            self._validate()
            self._judge(self._record(self.position.means()), validation=True)
        if checkpoint is not None and isinstance(checkpoint.every, int) and step % checkpoint.every == 0:
            self.saver.save()

    def _end_of_epoch(self, whole: bool) -> None:
        """Validate, record and save; an epoch that was cut short is recorded and can be gone on with."""
        position, section = self.position, self.section
        each = self.evaluation is not None and section.validate_every == "epoch"
        if each:
            self._validate()
        record = self._record(position.means())
        position.records.append(record)
        if whole:
            position.next_epoch()
        if each:
            self._judge(record, validation=True)
        self._judge(record, validation=False)
        self.callbacks.on_epoch_end(self, record)
        if section.checkpoint is not None and section.checkpoint.every == "epoch":
            self.saver.save()

    def _record(self, metrics: Mapping[str, float]) -> dict[str, Any]:
        """Return what a callback is told: of the epoch as far as it is done, or of a batch."""
        position, (begun, rows) = self.position, self._marked
        seconds = time.monotonic() - begun
        facts = {"epoch": self.epoch, "step": position.step, "batch": position.batch, "seconds": seconds}
        facts["rows_per_second"] = (position.rows - rows) / seconds if seconds else math.nan
        return {**facts, **metrics, **position.validation, **position.rates}

    # -- validation -------------------------------------------------------------------------------------------------

    def evaluation_of(self, data: Dataset) -> Evaluation:
        """Return what computes the metrics over a data set."""
        nodes = {name: node for name in self.metrics if (node := self._plain.find(name)) is not None}
        return Evaluation(self._plain, nodes, data.names, self.runner, self.section.seed)

    def evaluated(self) -> dict[str, Any]:
        """Return the values that the model is used with: the averages of parameters where they are kept."""
        if not self.position.step:
            return self.values
        averages = {path: self.values[state] for path, state in self.training.averages.items()}
        return {**self.values, **averages}

    def _validate(self) -> None:
        assert self.evaluation is not None
        assert self.validation is not None
        size = self.section.validate_batch or self.section.batch
        with closing(prefetched(self.validation.batches(size))) as batches:
            found = self.evaluation.run(batches, self.evaluated())
        self.position.validation = {f"validation.{name}": value for name, value in found.items()}
        self.callbacks.on_validation_end(self, self._record({}))

    def _judge(self, record: dict[str, Any], validation: bool) -> None:
        """Compare what is watched with the best so far; ``validation``: what a validation gave, else the epoch."""
        position, stopping, checkpoint = self.position, self.section.early_stopping, self.section.checkpoint
        keeping = checkpoint or stopping or Watch()
        if self._column(stopping).startswith("validation.") is validation:
            value = record[self._column(stopping)]
            position.monitor = value
            if stopping is not None:
                position.stopping.judge(value, stopping.mode, stopping.minimum_change)
                if position.stopping.waited >= stopping.patience:
                    self.stop(f"{self._column(stopping)} was no better for {stopping.patience} times")
        judged = self._column(keeping).startswith("validation.") is validation
        if judged and position.keeping.judge(record[self._column(keeping)], keeping.mode):
            position.best = record
            self._best = self.evaluated() if stopping is not None and stopping.restore else None
            self.saver.save(best=True)

    # -- the end ----------------------------------------------------------------------------------------------------

    def _limits(self) -> None:
        section = self.section
        if section.seconds is not None and time.monotonic() - self._started >= section.seconds:
            self.stop(f"the limit of {section.seconds:g} seconds is reached")
        if section.memory is not None and resident_bytes() >= section.memory:
            self.stop(f"the limit of {section.memory:,} bytes of memory is reached")

    def _not_finite(self, loss: float) -> ExecutionError:
        """Return the error that names the node that bore a loss that is not finite."""
        position = self.position
        context = f"epoch {self.epoch}, batch {position.batch + 1} (step {position.step + 1}): the loss is {loss}"
        graph, plan = self.session.model.graph, self.session.plan
        found = first_anomaly(graph, self.session.leaves, self.session.dims, plan.outputs)
        if found is not None and found.role in ("parameter", "state") and self._before is not None:
            leaves, dims = self._before  # the step before made it
            earlier = first_anomaly(graph, leaves, dims, plan.outputs)
            found = earlier or found
            context += ", from the step before" if earlier else ""
        if found is None:
            return ExecutionError(problem("GS640", f"{context}, but no node bore it"))
        return ExecutionError(found.diagnostic(context))

    def go_on(self, position: Position, best: dict[str, Any] | None) -> None:
        """Go on from a position, with the values of the best epoch so far."""
        self.position, self._best = position, best
        self._current = position.epoch + 1

    def _write_back(self) -> None:
        """Let the program have the values: the best ones where early stopping brings them back."""
        values = self._best or self.evaluated()
        known = self._plain.parameters
        self.parameters.assign({path: np.asarray(values[path]) for path in known if path in values})


def resident_bytes() -> int:
    """Return the resident memory of the process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:  # no such file: the greatest so far stands for it
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
