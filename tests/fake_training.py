"""A training that only pretends: the records it gives are those of a real one, and known beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from graphspec.train.callback import Callbacks, Run
from graphspec.train.history import History


@dataclass
class FakeRun:
    """The facts of a run, and a clock that goes on with every batch."""

    name: str = "digits"
    spec: str = "graphspec: 1\n"
    folder: Path | None = None
    epoch: int = 0
    epochs: int | None = 3
    step: int = 0
    steps: int | None = None
    batches: int | None = 4
    rows: int | None = 128
    metrics: tuple[str, ...] = ("loss", "accuracy")
    seed: int = 7
    engine: str = "numpy"
    reason: str = ""
    now: float = 100.0
    pause: float = 0.25  # seconds of a batch
    calls: list[str] = field(default_factory=list)

    def stop(self, reason: str) -> None:
        self.reason = reason

    def clock(self) -> float:
        return self.now


_is_one: Run = FakeRun()  # for mypy: it has all that the protocol asks for


def measured(step: int, prefix: str = "") -> dict[str, float]:
    """Return the loss and the accuracy after a step."""
    loss = 2 * math.exp(-step / 8) + (0.01 if prefix else 0.0)
    return {f"{prefix}loss": loss, f"{prefix}accuracy": 1 - loss / 3}


def train(
    run: FakeRun,
    callbacks: Iterable[Any],
    *,
    epochs: int = 3,
    batches: int = 4,
    validate: int | None = None,
    during: Callable[[int], None] = lambda step: None,
) -> History:
    """Go through epochs from that of ``run.step``; validate at the end of each, or every so many steps."""
    watching, history = Callbacks(callbacks), History(stopped="all epochs are done")
    with watching.watching(run, history):
        while run.step < epochs * batches and not run.reason:
            run.epoch = run.step // batches + 1
            watching.on_epoch_begin(run, run.epoch)
            history.records.append(_epoch(run, watching, batches, validate, during))
            watching.on_epoch_end(run, history.records[-1])
    history.stopped = run.reason or history.stopped
    history.seconds = run.now - 100
    return history


def _epoch(
    run: FakeRun, watching: Callbacks, batches: int, validate: int | None, during: Callable[[int], None]
) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    found: dict[str, float] = {}
    for batch in range(run.step % batches + 1, batches + 1):
        run.now += run.pause
        run.step += 1
        during(run.step)
        facts = {"epoch": run.epoch, "step": run.step, "batch": batch}
        speed = {"seconds": run.pause, "rows_per_second": 128.0}
        watching.on_batch_end(run, {**facts, **speed, **measured(run.step), "learning_rate": 0.001})
        if (batch == batches) if validate is None else run.step % validate == 0:
            found = measured(run.step, "validation.")
            watching.on_validation_end(run, {**facts, **found})
    speed = {"seconds": run.pause * batches, "rows_per_second": 128.0}
    return {**facts, **speed, **measured(run.step), **found, "learning_rate": 0.001}
