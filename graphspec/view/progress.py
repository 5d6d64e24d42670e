"""The progress of a training on stderr: a live line and a line per epoch on a terminal, else only those."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TextIO

from graphspec.train.callback import Callback, Record, Run
from graphspec.train.history import FACTS, VALIDATION, History, number
from graphspec.view.progress_line import (
    Field,
    LiveLine,
    epoch_fields,
    folded,
    joined,
    place,
    rate_text,
    validation_fields,
)
from graphspec.view.terminal import colourful

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

_INTERVAL = 0.1  # seconds between two states of the live line, and between the lines of very short epochs
_KEPT = 100  # so many epochs have a line each, however short they are
_WIDTH = 7  # of a number, at least, where epochs stand below each other
_DECAY = 0.98  # of the means over the last batches, about fifty of them
_NOT_AVERAGED = frozenset(FACTS) - {"rows_per_second"}


def progress(stream: TextIO | None = None) -> Callback:
    """Return the callback that shows a training on a stream, stderr by default, as that stream can show it."""
    target = sys.stderr if stream is None else stream
    return LiveProgress(target) if colourful(target) else PlainProgress(target)


class PlainProgress(Callback):
    """Writes one line per epoch, without control characters; validations within an epoch have a line too."""

    def __init__(self, stream: TextIO):
        self._stream = stream
        self._pending: Record | None = None  # a validation: the line of the epoch has it, if the epoch ends now

    def on_batch_end(self, run: Run, record: Record) -> None:
        """Write the line of a validation that was not at the end of an epoch."""
        if self._pending is not None:
            self._write(validation_fields(run, self._pending))

    def on_validation_end(self, run: Run, record: Record) -> None:
        """Remember a validation."""
        self._pending = dict(record)

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Write the line of an epoch."""
        self._write(epoch_fields(run, record))

    def on_train_end(self, run: Run, history: History) -> None:
        """Write the line of a validation after which the training ended."""
        if self._pending is not None:
            self._write(validation_fields(run, self._pending))

    def _write(self, fields: list[Field]) -> None:
        self._pending = None
        self._stream.write("  ".join(map(joined, fields)) + "\n")
        self._stream.flush()


class LiveProgress(Callback):
    """Keeps one line on a terminal up to date, with a bar over the batches, and leaves a line for each epoch.

    The loss and the metrics of the live line are means over about the last fifty batches. It is drawn at most ten
    times a second; after the first hundred epochs, those that take less than that have no line of their own.

    Args:
        stream: a terminal.
        console: what to draw on, made for the stream by default.
        clock: seconds, as `time.monotonic` gives them.
    """

    def __init__(self, stream: TextIO, console: Console | None = None, clock: Callable[[], float] = time.monotonic):
        self._stream, self._console, self._clock = stream, console, clock
        self._state: _State | None = None

    def on_train_begin(self, run: Run) -> None:
        """Begin the live line."""
        self._state = _State(_Screen(self._stream, self._console))
        self._state.screen.live.start()

    def on_batch_end(self, run: Run, record: Record) -> None:
        """Take in a batch, and draw the line anew if it is time."""
        if self._state is not None:
            self._state.add_batch(run, record, self._clock())

    def on_validation_end(self, run: Run, record: Record) -> None:
        """Remember a validation: within an epoch it gets a line of its own."""
        if self._state is not None:
            self._state.pending = dict(record)

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Leave the line of an epoch."""
        if self._state is not None:
            self._state.add_epoch(run, record, self._clock())

    def on_train_end(self, run: Run, history: History) -> None:
        """Remove the live line."""
        state, self._state = self._state, None
        if state is not None:
            state.end(run)


class _Screen:
    """The terminal: lines that stay, and below them one that is drawn over and over."""

    def __init__(self, stream: TextIO, console: Console | None):
        from rich.console import Console
        from rich.live import Live

        self.console = console or Console(file=stream, highlight=False, markup=False, emoji=False)
        # what is printed on the way appears above the live line; a stdout that leads elsewhere must not land here
        aside = sys.stdout.isatty()
        self.live: Live = Live(console=self.console, auto_refresh=False, transient=True, redirect_stdout=aside)
        self._widths: dict[str, int] = {}  # of the values so far, so that epochs stand below each other

    def draw(self, line: LiveLine) -> None:
        """Draw the live line."""
        self.live.update(line.text(self.console.width, self.console.options.ascii_only), refresh=True)

    def keep(self, fields: list[Field]) -> None:
        """Print a line that stays, folded between fields where the terminal is narrow."""
        for name, value in fields:
            self._widths[name] = max(self._widths.get(name, _WIDTH), len(value))
        aligned = [(name, value.ljust(self._widths[name]) if name else value) for name, value in fields]
        self.console.print(folded(aligned, self.console.width), soft_wrap=True)


class _State:
    """A training that is being shown."""

    def __init__(self, screen: _Screen):
        self.screen = screen
        self.pending: Record | None = None  # a validation: the line of the epoch has it, if the epoch ends now
        self._means, self._pace = _Means(), _Pace()
        self._drawn = self._left = -math.inf  # when the live line was drawn, and the last line of an epoch left
        self._kept = 0
        self._unseen: list[Field] = []  # the line of an epoch that was left out

    def add_batch(self, run: Run, record: Record, now: float) -> None:
        self._means.add(record)
        self._pace.add(run, record, now)
        if self.pending is not None:
            self._keep(validation_fields(run, self.pending), now)
        if now - self._drawn >= _INTERVAL:
            self._drawn = now
            self.screen.draw(self._line(run, record))

    def add_epoch(self, run: Run, record: Record, now: float) -> None:
        self._unseen, self.pending = epoch_fields(run, record), None
        if self._kept < _KEPT or now - self._left >= _INTERVAL:
            self._keep(self._unseen, now)

    def end(self, run: Run) -> None:
        if self._unseen:
            self.screen.keep(self._unseen)
        if self.pending is not None:
            self.screen.keep(validation_fields(run, self.pending))
        self.screen.live.update("")
        self.screen.live.stop()

    def _keep(self, fields: list[Field], now: float) -> None:
        self.screen.keep(fields)
        self._left, self._kept = now, self._kept + 1
        self._unseen, self.pending = [], None

    def _line(self, run: Run, record: Record) -> LiveLine:
        by_steps = run.epochs is None and run.steps is not None
        done = run.step if by_steps else int(record.get("batch", run.step))
        total = run.steps if by_steps else run.batches
        facts: list[Field] = []
        if "learning_rate" in record:
            facts.append(("learning_rate", number(float(record["learning_rate"]))))
        if self._means.speed is not None:
            facts.append(("", rate_text(self._means.speed)))
        return LiveLine(place(run, record), done, total, self._means.fields(), facts, self._pace.left(run))


@dataclass
class _Means:
    """Moving means of what batches recorded: sum and weight by name."""

    sums: dict[str, tuple[float, float]] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        for name, value in record.items():
            if name not in _NOT_AVERAGED and not name.startswith(VALIDATION):
                total, weight = self.sums.get(name, (0.0, 0.0))
                total = total * _DECAY + value
                # a sum that was not finite once would remain so: it begins anew
                self.sums[name] = (total, weight * _DECAY + 1.0) if math.isfinite(total) else (value, 1.0)

    @property
    def speed(self) -> float | None:
        total, weight = self.sums.get("rows_per_second", (0.0, 0.0))
        return total / weight if weight else None

    def fields(self) -> list[Field]:
        """Return the loss and the metrics as text."""
        found = {name: total / weight for name, (total, weight) in self.sums.items() if name not in FACTS}
        return [(name, number(value)) for name, value in found.items()]


@dataclass
class _Pace:
    """How fast steps and batches are done, counted from the end of the first: that one may have been compiled."""

    began: tuple[float, int, int] | None = None
    now: tuple[float, int, int] = (0.0, 0, 0)

    def add(self, run: Run, record: Record, now: float) -> None:
        before = (int(record.get("epoch", run.epoch)) - 1) * (run.batches or 0)
        self.now = (now, run.step, before + int(record.get("batch", 0)))
        self.began = self.began or self.now

    def left(self, run: Run) -> float | None:
        """Return how many seconds the training has to go, None where that is not known."""
        assert self.began is not None  # one is added before
        ends = (run.steps, run.epochs * run.batches if run.epochs and run.batches else None)
        seconds = self.now[0] - self.began[0]
        done = [
            (end, now, now - first) for end, first, now in zip(ends, self.began[1:], self.now[1:], strict=True) if end
        ]
        return min((max(end - now, 0) * seconds / count for end, now, count in done if count > 0), default=None)
