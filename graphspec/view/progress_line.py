"""What the lines of a progress say, and how they fit the width of a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from graphspec.train.callback import Record, Run
from graphspec.train.history import VALIDATION, number, quantities
from graphspec.view.table import one_line

if TYPE_CHECKING:
    from rich.text import Text

_BAR = (8, 40)  # the narrowest and the widest bar

Field: TypeAlias = tuple[str, str]  # name and value; the name comes first, and is empty where the value says it all


@dataclass(frozen=True)
class LiveLine:
    """The line that is drawn while an epoch is going on.

    Attributes:
        place: the epoch.
        done: what the bar counts, batches or steps.
        total: how many there will be, None where that is not known: then there is no bar.
        measured: the loss and the metrics, the most important first.
        facts: learning rate and speed.
        left: the seconds to go, None where that is not known.
    """

    place: str
    done: int
    total: int | None
    measured: list[Field]
    facts: list[Field]
    left: float | None = None

    def text(self, width: int, ascii_only: bool = False) -> Text:
        """Return one line, never wider than ``width``: what matters least is left out first."""
        from rich.text import Text

        parts = self._parts()
        least = _BAR[0] + 1 if self.total else 0
        for index, shorter in self._shortened(parts):
            if self._room(parts, width) >= least:
                break
            parts[index] = shorter
        room = self._room(parts, width)
        text = Text(self.place, style="bold", no_wrap=True, end="")
        if self.total and room >= least:
            text.append(" ").append_text(bar(self.done / self.total, min(room - 1, _BAR[1]), ascii_only))
        for item in parts:
            if item[1]:
                text.append("  ").append_text(styled(item))
        text.truncate(width)
        return text

    def _parts(self) -> list[Field]:
        count = f"{self.done}/{self.total}" if self.total else f"{self.done} {'batch' if self.done == 1 else 'batches'}"
        left = "" if self.left is None else f"{clock_text(self.left)} left"
        return [("", count), *self.measured, *self.facts, ("", left)]

    def _shortened(self, parts: list[Field]) -> Iterator[tuple[int, Field]]:
        """Yield what to give up, one after another: speed, learning rate, count, metrics from the last, time left."""
        first = 1 + len(self.measured)
        nothing = ("", "")
        yield from ((i, nothing) for i in reversed(range(first, len(parts) - 1)))
        if self.total:
            yield 0, nothing
        yield from ((i, nothing) for i in reversed(range(2, first)))
        yield len(parts) - 1, ("", parts[-1][1].removesuffix(" left"))
        yield len(parts) - 1, nothing

    def _room(self, parts: list[Field], width: int) -> int:
        """Return what the other parts leave for the bar and the space before it."""
        return width - len(self.place) - sum(2 + len(joined(item)) for item in parts if item[1])


def bar(share: float, width: int, ascii_only: bool = False) -> Text:
    """Return a bar, filled in steps of half a cell."""
    from rich.text import Text

    full, half, rest = ("#", "", "-") if ascii_only else ("━", "╸", "━")
    halves = int(2 * width * min(max(share, 0.0), 1.0))
    filled = full * (halves // 2) + (half if halves % 2 else "")
    style = "green" if share >= 1 else "cyan"
    return Text.assemble((filled, style), (rest * (width - len(filled)), "bright_black"))


def folded(fields: list[Field], width: int) -> Text:
    """Return fields as one line, or where that is wider than ``width`` as several, those of a validation apart.

    No field is cut in two; all lines but the first are indented.
    """
    from rich.text import Text

    groups = [fields]
    if sum(2 + len(joined(item)) for item in fields) - 2 > width:
        groups = [[item for item in fields if item[0].startswith(VALIDATION) is apart] for apart in (False, True)]
    lines = [line for group in groups for line in _lines(group, width - 2)]
    texts = [Text("  ").join(map(styled, line)) for line in lines]
    for text in texts:
        text.rstrip()
    return Text("\n  ").join(texts)


def _lines(fields: list[Field], width: int) -> Iterator[list[Field]]:
    line: list[Field] = []
    used = 0
    for item in fields:
        if line and used + 2 + len(joined(item).rstrip()) > width:
            yield line
            line, used = [], 0
        used += len(joined(item)) + (2 if line else 0)
        line.append(item)
    if line:
        yield line


def place(run: Run, record: Mapping[str, Any]) -> str:
    """Return the epoch a training is in: ``epoch 3/20``."""
    epoch = str(record.get("epoch", run.epoch))
    return f"epoch {epoch.rjust(len(str(run.epochs)))}/{run.epochs}" if run.epochs else f"epoch {epoch}"


def step(run: Run, record: Mapping[str, Any]) -> str:
    """Return the step a training is in: ``step 1500/5000``."""
    count = str(record.get("step", run.step))
    return f"step {count.rjust(len(str(run.steps)))}/{run.steps}" if run.steps else f"step {count}"


def epoch_fields(run: Run, record: Record) -> list[Field]:
    """Return what is said of an epoch when it has ended."""
    found = [("", place(run, record))]
    if run.epochs is None and run.steps is not None:
        found.append(("", step(run, record)))
    found += measured(record)
    if "seconds" in record:
        found.append(("", seconds_text(float(record["seconds"]))))
    if "rows_per_second" in record:
        found.append(("", rate_text(float(record["rows_per_second"]))))
    return found


def validation_fields(run: Run, record: Record) -> list[Field]:
    """Return what is said of a validation within an epoch."""
    return [("", place(run, record)), ("", step(run, record)), *measured(record)]


def measured(record: Mapping[str, Any]) -> list[Field]:
    """Return the losses and metrics of a record as text."""
    return [(one_line(name), number(record[name])) for name in quantities([record])]


def joined(item: Field) -> str:
    """Return a field as text."""
    return " ".join(filter(None, item))


def styled(item: Field) -> Text:
    """Return a field as text whose value stands out."""
    from rich.text import Text

    name, value = item
    return Text.assemble((f"{name} ", "bright_black"), value) if name else Text(value)


def seconds_text(seconds: float) -> str:
    """Return a duration in seconds, with three digits, or in milliseconds."""
    if seconds < 0.0995:
        return f"{seconds * 1000:.2g} ms"
    return f"{seconds:.{2 if seconds < 10 else 1 if seconds < 100 else 0}f} s"


def rate_text(rate: float) -> str:
    """Return a speed in rows per second."""
    return f"{rate:.{0 if rate >= 100 or not math.isfinite(rate) else 1}f} rows/s"


def clock_text(seconds: float) -> str:
    """Return a duration as minutes and seconds, with hours and days where there are some."""
    minutes, second = divmod(math.ceil(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days} d {hour}:{minute:02}:{second:02}"
    return f"{hour}:{minute:02}:{second:02}" if hour else f"{minute}:{second:02}"
