"""How far a training has come: all that is needed, besides arrays, to go on as if it had never stopped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from graphspec.train_section import Watch


@dataclass
class Watcher:
    """The best value of a watched column so far, and for how many judgements it has not been bettered."""

    best: float | None = None
    waited: int = 0

    def judge(self, value: float, mode: str, minimum_change: float = 0.0) -> bool:
        """Note a value; tell whether it is the best so far. NaN never is."""
        gain = math.inf if self.best is None else (self.best - value) * (1 if mode == "min" else -1)
        better = not math.isnan(value) and gain > minimum_change
        self.waited = 0 if better else self.waited + 1
        if better:
            self.best = value
        return better


@dataclass
class Position:
    """Where a training is.

    Attributes:
        epoch: epochs that have been completed.
        batch: batches of the epoch in progress that have been done.
        step: steps of the optimizer.
        ticks: batches of all epochs; random ops depend on it.
        rows, sums: rows of the epoch in progress, and the sums of its metrics weighted by rows.
        rates: the learning rate of the last step, and other settings that vary.
        monitor: the value that schedules may watch.
        validation: what the last validation gave.
        records: one per completed epoch.
        best: the record of the best validation or epoch.
        stopping, keeping: what early stopping and the choice of the best checkpoint remember.
        seconds: time spent.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    ticks: int = 0
    rows: int = 0
    sums: dict[str, float] = field(default_factory=dict)
    rates: dict[str, float] = field(default_factory=dict)
    monitor: float = math.nan
    validation: dict[str, float] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    stopping: Watcher = field(default_factory=Watcher)
    keeping: Watcher = field(default_factory=Watcher)
    seconds: float = 0.0

    def add(self, numbers: Mapping[str, float], rows: int) -> None:
        """Add the metrics of a batch."""
        for name, number in numbers.items():
            self.sums[name] = self.sums.get(name, 0.0) + number * rows
        self.rows += rows

    def means(self) -> dict[str, float]:
        """Return the metrics of the epoch in progress: means over its rows."""
        return {name: total / self.rows for name, total in self.sums.items()} if self.rows else {}

    def next_epoch(self) -> None:
        """Begin another epoch."""
        self.epoch, self.batch, self.rows, self.sums = self.epoch + 1, 0, 0, {}

    def to_dict(self) -> dict[str, Any]:
        """Return the position as JSON data."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Position:
        """Return the position that `to_dict` gave."""
        watchers = {name: Watcher(**data[name]) for name in ("stopping", "keeping")}
        return cls(**{**data, **watchers})


def watched(watch: Watch | None, loss: str, validated: bool) -> str:
    """Return the column that is watched: the named one, else the loss, of the validation data where there is any."""
    if watch is not None and watch.monitor is not None:
        return watch.monitor
    return f"validation.{loss}" if validated else loss
