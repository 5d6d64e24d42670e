"""The progress of a training: the live line at every width, the lines that stay, a stream that is no terminal."""

from __future__ import annotations

import io
import os
import re
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from fake_training import FakeRun, train
from rich.console import Console

from graphspec.view import progress_line
from graphspec.view.progress import LiveProgress, PlainProgress, progress
from graphspec.view.progress_line import LiveLine, clock_text, folded, rate_text, seconds_text

MEASURED = [("loss", "0.2113"), ("accuracy", "0.9340")]
FACTS = [("learning_rate", "0.001000"), ("", "1712 rows/s")]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|[\x00-\x09\x0b-\x1f]")


def line(width: int, **facts: Any) -> str:
    given = {"place": "epoch 3/20", "done": 137, "total": 938, "measured": MEASURED, "facts": FACTS, "left": 12.3}
    return LiveLine(**{**given, **facts}).text(width).plain


# -- the live line ---------------------------------------------------------------------------------------------------


def test_a_wide_line_has_everything() -> None:
    bar = "━━━━━╸" + "━" * 34
    facts = "loss 0.2113  accuracy 0.9340  learning_rate 0.001000  1712 rows/s  0:13 left"
    assert line(200) == f"epoch 3/20 {bar}  137/938  {facts}"


def test_narrow_lines_leave_out_what_matters_least() -> None:
    assert line(80) == "epoch 3/20 ━━╸━━━━━━━━━━━━━━━━  137/938  loss 0.2113  accuracy 0.9340  0:13 left"
    assert line(60) == "epoch 3/20 ━━━━━━━━  loss 0.2113  accuracy 0.9340  0:13 left"
    assert line(59) == "epoch 3/20 ━━━╸━━━━━━━━━━━━━━━━━━━━  loss 0.2113  0:13 left"
    assert line(40) == "epoch 3/20 ━━━━━━━━━━  loss 0.2113  0:13"
    assert line(24) == "epoch 3/20  loss 0.2113"


@pytest.mark.parametrize("left", [None, 0.0, 59.2, 1e6])
@pytest.mark.parametrize("total", [None, 938])
@pytest.mark.parametrize("metrics", [0, 1, 2, 6])
def test_no_line_is_wider_than_the_terminal(metrics: int, total: int | None, left: float | None) -> None:
    measured = [(f"metric_{i}", "0.1234") for i in range(metrics)]
    for width in range(1, 201):
        text = line(width, measured=measured, total=total, left=left)
        assert len(text) <= width
        assert "\n" not in text
        if total and width >= 60:
            assert "━" in text


def test_without_a_number_of_batches_they_are_counted() -> None:
    assert line(80, total=None, left=None, facts=[]) == "epoch 3/20  137 batches  loss 0.2113  accuracy 0.9340"
    assert line(40, total=None, left=None, done=1, facts=[]) == "epoch 3/20  1 batch  loss 0.2113"


@pytest.mark.parametrize(("share", "text"), [(0, "----"), (0.5, "##--"), (1, "####"), (2, "####"), (-1, "----")])
def test_a_bar_of_plain_characters(share: float, text: str) -> None:
    assert progress_line.bar(share, 4, ascii_only=True).plain == text


def test_a_bar_has_steps_of_half_a_cell() -> None:
    bars = [progress_line.bar(i / 16, 8) for i in range(17)]
    filled = [sum(span.end - span.start for span in found.spans if span.style != "bright_black") for found in bars]
    assert filled == [(i + 1) // 2 for i in range(17)]
    assert [found.plain.count("╸") for found in bars] == [i % 2 for i in range(17)]


# -- a terminal ------------------------------------------------------------------------------------------------------


def screen(run: FakeRun, width: int = 80, **facts: Any) -> tuple[list[str], str]:
    """Return the lines that stay on a terminal, and all that was written."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, legacy_windows=False, highlight=False)
    train(run, [LiveProgress(stream, console, run.clock)], **facts)
    written = stream.getvalue()
    lines: list[str] = []
    # a live line is erased before anything else is written: what stands before "erase line" does not stay
    for row in re.sub(r"[^\n]*\r\x1b\[2K", "", written).split("\n"):
        text = CONTROL.sub("", row).rstrip()
        if text:
            lines.append(text)
    return lines, written


def test_each_epoch_leaves_a_line() -> None:
    lines, written = screen(FakeRun(), width=120)
    values = "validation.loss 1.223    validation.accuracy 0.5923 "
    assert lines[0] == f"epoch 1/3  loss 1.213    accuracy 0.5956   {values}  1.00 s  128 rows/s"
    assert [text.split()[1] for text in lines] == ["1/3", "2/3", "3/3"]
    assert "0:01 left" in written
    assert written.rstrip().endswith("\x1b[?25h") or "\x1b[?25h" in written  # the cursor is back


def test_on_a_narrow_terminal_the_validation_has_a_line_of_its_own() -> None:
    lines, _ = screen(FakeRun(), width=80)
    assert lines[:2] == [
        "epoch 1/3  loss 1.213    accuracy 0.5956   1.00 s  128 rows/s",
        "  validation.loss 1.223    validation.accuracy 0.5923",
    ]
    assert all(len(text) <= 80 for text in lines)


@pytest.mark.parametrize("width", [20, 40, 41, 60, 79, 100, 200])
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    lines, written = screen(FakeRun(epochs=20), width=width, epochs=20)
    longest = len("  validation.accuracy 0.5923")
    assert all(len(text) <= max(width, longest) for text in lines)
    for row in re.split(r"[\n\r]", CONTROL.sub(lambda found: found[0] if found[0] == "\r" else "", written)):
        assert len(row.rstrip()) <= max(width, longest)


def test_lines_are_aligned() -> None:
    lines, _ = screen(FakeRun(epochs=10), width=130, epochs=10)
    assert len(lines) == 10
    for word in ("loss", "accuracy", "validation.loss", "rows/s"):
        assert len({text.index(word) for text in lines}) == 1


def test_the_line_is_drawn_ten_times_a_second_at_most() -> None:
    run = FakeRun(pause=0.001, batches=1000, epochs=1)
    _, written = screen(run, epochs=1, batches=1000)
    drawn = len(re.findall(r"\d+/1000 ", written))
    assert 8 <= drawn <= 11


def test_very_short_epochs_do_not_flood_the_terminal() -> None:
    run = FakeRun(pause=0.0001, epochs=5000, batches=1)
    lines, _ = screen(run, width=150, epochs=5000, batches=1)
    numbers = [int(text.split()[1].split("/")[0]) for text in lines]
    assert numbers[:100] == list(range(1, 101))
    assert numbers[-1] == 5000
    assert 104 <= len(numbers) <= 107


def test_a_long_training_by_steps_has_a_bar_over_them() -> None:
    run = FakeRun(epochs=None, steps=40, batches=None, rows=None)
    lines, written = screen(run, width=150, epochs=2, batches=20, validate=7)
    assert [text.split("  loss")[0].split("  validation")[0] for text in lines] == [
        *("epoch 1  step  7/40", "epoch 1  step 14/40", "epoch 1  step 20/40", "epoch 2  step 21/40"),
        *("epoch 2  step 28/40", "epoch 2  step 35/40", "epoch 2  step 40/40"),
    ]
    assert re.search(r"epoch 2 \S*━\S* *  30/40  loss", CONTROL.sub("", written))
    assert "0:03 left" in written


def test_accumulated_batches_count_for_the_time_left() -> None:
    stream = io.StringIO()
    run = FakeRun(epochs=2, batches=8)
    console = Console(file=stream, width=120, force_terminal=True, legacy_windows=False)
    shown = LiveProgress(stream, console, run.clock)
    shown.on_train_begin(run)
    for batch in range(1, 9):
        run.now += 1
        run.step = batch // 4  # four batches make a step
        shown.on_batch_end(run, {"epoch": 1, "step": run.step, "batch": batch, "loss": 1.0, "validation.loss": 2.0})
    shown.on_train_end(run, None)  # type: ignore[arg-type]
    written = CONTROL.sub(" ", stream.getvalue())
    assert "0:08 left" in written
    assert "0:14 left" in written
    assert "validation" not in written


def test_unknown_numbers_of_batches_and_rows() -> None:
    run = FakeRun(epochs=None, steps=None, batches=None, rows=None)
    _, written = screen(run, epochs=1, batches=20)
    assert "epoch 1  20 batches  loss" in CONTROL.sub("", written)
    assert "left" not in written


def test_what_is_not_finite_passes_through_the_means() -> None:
    stream = io.StringIO()
    run = FakeRun()
    console = Console(file=stream, width=80, force_terminal=True, legacy_windows=False)
    shown = LiveProgress(stream, console, run.clock)
    shown.on_train_begin(run)
    for loss in (1.0, float("nan"), 3.0, float("inf"), 5.0):
        run.now += 1
        run.step += 1
        shown.on_batch_end(run, {"epoch": 1, "step": run.step, "batch": run.step, "loss": loss})
    shown.on_train_end(run, None)  # type: ignore[arg-type]
    found = re.findall(r"loss ([\d.]+|nan|inf)", CONTROL.sub("", stream.getvalue()))
    assert found == ["1.000", "nan", "3.000", "inf", "5.000"]


def test_an_interrupted_training_leaves_a_clean_terminal() -> None:
    def interrupt(step: int) -> None:
        if step == 6:
            raise KeyboardInterrupt

    stream = io.StringIO()
    run = FakeRun()
    console = Console(file=stream, width=120, force_terminal=True, legacy_windows=False)
    with pytest.raises(KeyboardInterrupt):
        train(run, [LiveProgress(stream, console, run.clock)], during=interrupt)
    assert stream.getvalue().count("\x1b[?25h") == stream.getvalue().count("\x1b[?25l") == 1
    assert stream.getvalue().endswith("\x1b[2K")


def test_a_batch_costs_microseconds() -> None:
    stream = io.StringIO()
    run = FakeRun(batches=10**5)
    shown = LiveProgress(stream, Console(file=stream, force_terminal=True, width=80, legacy_windows=False))
    record = {"epoch": 1, "step": 1, "batch": 1, "loss": 0.5, "accuracy": 0.5, "rows_per_second": 5.0}
    shown.on_train_begin(run)
    best = 1.0
    for _ in range(5):
        begin = time.perf_counter()
        for _ in range(2000):
            run.step += 1
            shown.on_batch_end(run, record)
        best = min(best, (time.perf_counter() - begin) / 2000)
    shown.on_train_end(run, None)  # type: ignore[arg-type]
    assert best < 50e-6  # about 2 here


def test_a_record_need_not_have_everything() -> None:
    stream = io.StringIO()
    run = FakeRun(epochs=None)
    shown = LiveProgress(stream, Console(file=stream, force_terminal=True, width=80, legacy_windows=False))
    shown.on_batch_end(run, {})  # before it has begun
    shown.on_train_begin(run)
    shown.on_batch_end(run, {})
    shown.on_epoch_end(run, {})
    shown.on_train_end(run, None)  # type: ignore[arg-type]
    shown.on_train_end(run, None)  # type: ignore[arg-type]
    assert "epoch 0" in stream.getvalue()


# -- no terminal -----------------------------------------------------------------------------------------------------


def test_off_a_terminal_each_epoch_is_a_plain_line() -> None:
    stream = io.StringIO()
    train(FakeRun(), [PlainProgress(stream)])
    values = "validation.loss 1.223  validation.accuracy 0.5923"
    assert stream.getvalue().splitlines()[0] == f"epoch 1/3  loss 1.213  accuracy 0.5956  {values}  1.00 s  128 rows/s"
    assert len(stream.getvalue().splitlines()) == 3
    assert not CONTROL.search(stream.getvalue())


def test_validations_within_an_epoch_have_plain_lines_too() -> None:
    stream = io.StringIO()
    train(FakeRun(epochs=None, steps=10, batches=None), [PlainProgress(stream)], epochs=2, batches=5, validate=3)
    assert [text.split("  v")[0].split("  loss")[0] for text in stream.getvalue().splitlines()] == [
        *("epoch 1  step  3/10", "epoch 1  step  5/10", "epoch 2  step  6/10", "epoch 2  step  9/10"),
        "epoch 2  step 10/10",
    ]


def test_a_validation_before_an_interruption_is_not_lost() -> None:
    def interrupt(step: int) -> None:
        if step == 4:
            raise KeyboardInterrupt

    stream = io.StringIO()
    with pytest.raises(KeyboardInterrupt):
        train(FakeRun(), [PlainProgress(stream)], validate=3, during=interrupt)
    assert stream.getvalue() == "epoch 1/3  step 3  validation.loss 1.385  validation.accuracy 0.5385\n"


def test_a_name_cannot_speak_to_the_terminal() -> None:
    stream = io.StringIO()
    PlainProgress(stream).on_epoch_end(FakeRun(), {"epoch": 1, "\x1b[31mred": 1.0})
    assert "\x1b" not in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_stream_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert isinstance(progress(Terminal()), LiveProgress)
    assert isinstance(progress(io.StringIO()), PlainProgress)
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(progress(), LiveProgress)
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(progress(Terminal()), PlainProgress)
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(progress(Terminal()), PlainProgress)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
def test_on_a_real_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name in ("COLUMNS", "LINES", "TTY_COMPATIBLE", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    main, end = os.openpty()
    with os.fdopen(end, "w", encoding="utf-8") as stream:
        shown = progress(stream)
        assert isinstance(shown, LiveProgress)
        train(FakeRun(), [shown])
        stream.flush()
        os.set_blocking(main, False)
        written = ""
        with suppress(BlockingIOError):
            while True:  # a terminal hands out a few thousand bytes at a time
                written += os.read(main, 100_000).decode()
    os.close(main)
    assert "epoch 3/3" in CONTROL.sub("", written)
    assert written.count("\x1b[?25h") == 1


# -- texts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.0123, "12 ms"),
        (0.0996, "0.10 s"),
        (0.84, "0.84 s"),
        (12.34, "12.3 s"),
        (3600, "3600 s"),
    ],
)
def test_seconds(seconds: float, text: str) -> None:
    assert seconds_text(seconds) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00"), (0.2, "0:01"), (59.5, "1:00"), (125, "2:05"), (3600, "1:00:00"), (90061, "1 d 1:01:01")],
)
def test_time_left(seconds: float, text: str) -> None:
    assert clock_text(seconds) == text


@pytest.mark.parametrize(
    ("rate", "text"), [(1712.3, "1712 rows/s"), (3.25, "3.2 rows/s"), (float("inf"), "inf rows/s")]
)
def test_speed(rate: float, text: str) -> None:
    assert rate_text(rate) == text


def test_fields_are_never_cut() -> None:
    fields = [("", "epoch 1/3"), ("a_very_long_name_of_a_metric", "0.1234"), ("loss", "1.0")]
    assert folded(fields, 20).plain.splitlines() == [
        "epoch 1/3",
        "  a_very_long_name_of_a_metric 0.1234",
        "  loss 1.0",
    ]
