"""What a training was: one record per epoch, and why it ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphspec.errors import did_you_mean
from graphspec.view.table import Table
from graphspec.view.values import number_text

# What a record says besides its loss and metrics.
FACTS = ("epoch", "step", "batch", "seconds", "rows_per_second", "learning_rate")
VALIDATION = "validation."

_SHOWN = 12  # of the epochs in a table: the first few and the last


@dataclass(repr=False)
class History:
    """What `Program.train` gives back.

    Attributes:
        records: one dict of plain numbers per epoch: ``epoch``, ``step``, ``seconds``, the loss and the metrics by
            name (``loss``, ``accuracy``, ``validation.loss``), ``learning_rate``.
        best: the record of the best epoch by the monitored quantity, None before there is one.
        stopped: why the training ended.
        seconds: how long it took.
        skipped: the bad rows that were left out.
    """

    records: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    stopped: str = ""
    seconds: float = 0.0
    skipped: int = 0

    def column(self, name: str) -> list[Any]:
        """Return what each epoch recorded under a name, NaN where it did not.

        Raises:
            KeyError: no epoch has it.
        """
        if not any(name in record for record in self.records):
            raise KeyError(f"no record has '{name}' {did_you_mean(name, columns(self.records))}".strip())
        return [record.get(name, float("nan")) for record in self.records]

    def __getitem__(self, name: str) -> list[Any]:
        return self.column(name)

    def __repr__(self) -> str:
        return self.table().plain()

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self.table().html()}

    def table(self) -> Table:
        """Return a short table: of a long training the first epochs and the last."""
        names = ["epoch", *quantities(self.records), "seconds"]
        rows = [tuple(_cell(name, record) for name in names) for record in self.records]
        if len(rows) > _SHOWN:
            rows = [*rows[: _SHOWN // 2], ("…",) * len(names), *rows[-_SHOWN // 2 :]]
        return Table(tuple(names), rows, self._title(), frozenset(range(len(names))))

    def _title(self) -> str:
        count = len(self.records)
        parts = [f"{count} {'epoch' if count == 1 else 'epochs'} in {self.seconds:.3g} s"]
        if self.best is not None and "epoch" in self.best:
            parts.append(f"best: epoch {self.best['epoch']}")
        if self.skipped:
            parts.append(f"{self.skipped} bad rows skipped")
        if self.stopped:
            parts.append(self.stopped)
        return "; ".join(parts)


def columns(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of all records, in the order in which they first appear."""
    return list(dict.fromkeys(name for record in records for name in record))


def quantities(records: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the names of losses and metrics in records: those of the training first, then those of validations."""
    names = [name for name in columns(records) if name not in FACTS]
    return sorted(names, key=lambda name: name.startswith(VALIDATION))


def number(value: Any) -> str:
    """Return a number with four significant digits, trailing zeros kept so that epochs stand below each other."""
    if isinstance(value, int) or value != value or value in (float("inf"), float("-inf")):
        return number_text(value)
    return f"{float(value):#.4g}".removesuffix(".")


def _cell(name: str, record: Mapping[str, Any]) -> str:
    if name not in record:
        return ""
    return f"{record[name]:.2f}" if name == "seconds" else number(record[name])
