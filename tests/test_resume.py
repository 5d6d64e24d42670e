"""A training that was killed goes on bitwise: epochs in one go equal some epochs, a kill, and the rest."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import environment
from killed_training import data

import graphspec as gs
from graphspec.train.callback import Callback, Record, Run

SPEC = """
graphspec: 1
dtype: {dtype}
inputs:
  x: {{shape: [batch, 3]}}
  y: {{shape: [batch], dtype: int64}}
nodes:
  h: {hidden}
  normal: batch_norm(h)
  logits: linear(normal, units=2)
  loss: cross_entropy(logits, y)
  accuracy: mean(equal(argmax(logits, axis=-1), y))
outputs: [logits, loss, accuracy]
differentiate: loss
train:
  minimize: loss
  optimizer: {optimizer}
  epochs: 3
  batch: 7
  metrics: [loss, accuracy]
  shuffle: {shuffle}
  accumulate: {accumulate}
  {average}
  checkpoint: {{folder: runs, every: {every}, keep: 2}}
"""
OPTIMIZERS = [
    "sgd(momentum=0.9, nesterov=true, RATE)",
    "adagrad(RATE)",
    "adadelta(RATE)",
    "rmsprop(centered=true, RATE)",
    "adam(amsgrad=true, RATE)",
    "adamw(weight_decay=0.1, RATE)",
    "nadam(RATE)",
    "adamax(RATE)",
    "radam(RATE)",
    "lion(RATE)",
    "lamb(RATE)",
]
RATES = [
    "learning_rate=0.05",
    "learning_rate=cosine(step, initial=0.05, total=30)",
    "learning_rate=linear_warm_up(step, steps=5) * exponential_decay(step, initial=0.05, factor=0.9)",
    "learning_rate=reduce_on_plateau(monitor, epoch, initial=0.05, patience=0)",
]
COUNT = 66


def cases() -> list[dict[str, Any]]:
    """Return combinations in which every optimizer, schedule and option comes up several times."""
    draw = random.Random(20)
    found = []
    for i in range(COUNT):
        found.append(
            {
                "optimizer": OPTIMIZERS[i % len(OPTIMIZERS)].replace("RATE", RATES[i % len(RATES)]),
                "dtype": draw.choice(["float64", "float32"]),
                "hidden": draw.choice(["tanh(linear(x, units=5))", "dropout(tanh(linear(x, units=5)), rate=0.3)"]),
                "shuffle": draw.choice(["true", "false"]),
                "accumulate": draw.choice([1, 1, 3]),
                "average": draw.choice(["", "", "average: exponential_moving_average(decay=0.9)"]),
                "every": draw.choice(["epoch", 1, 2, 3]),
                "killed": draw.randint(1, 23),
            }
        )
    return found


def timeless(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in record.items() if k not in ("seconds", "rows_per_second")} for record in records]


@pytest.fixture(scope="module")
def killed() -> Iterator[Callable[[Path, int], int]]:
    """Give a function that trains a spec in a child process until so many batches are done, and returns its status."""
    arguments = [sys.executable, str(Path(__file__).with_name("killed_training.py"))]
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": environment()}
    with subprocess.Popen(arguments, **pipes) as helper:
        assert helper.stdin is not None
        assert helper.stdout is not None

        def train(path: Path, after: int) -> int:
            helper.stdin.write(f"{path} {after}\n")  # type: ignore[union-attr]
            helper.stdin.flush()  # type: ignore[union-attr]
            return int(helper.stdout.readline())  # type: ignore[union-attr]

        yield train
        helper.stdin.close()


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case['optimizer'][:20]}-{case['killed']}")
def test_killed_and_resumed(tmp_path: Path, case: dict[str, Any], killed: Callable[[Path, int], int]) -> None:
    text = SPEC.format(**case)
    for name in ("whole", "parts"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "spec.yaml").write_text(text, encoding="utf-8")
    whole = gs.load(tmp_path / "whole" / "spec.yaml")
    expected = whole.train(data())
    assert os.WIFSIGNALED(killed(tmp_path / "parts" / "spec.yaml", min(case["killed"], 18)))
    parts = gs.load(tmp_path / "parts" / "spec.yaml")
    found = parts.train(data(), resume=True)
    for mine, theirs in ((whole.parameters, parts.parameters), (whole.state, parts.state)):
        assert {path: array.tobytes() for path, array in mine.items()} == {
            path: array.tobytes() for path, array in theirs.items()
        }
    assert repr(timeless(expected.records)) == repr(timeless(found.records))  # text: nan equals nan
    assert expected.best is not None
    assert found.best is not None
    assert repr(timeless([expected.best])) == repr(timeless([found.best]))


def test_interrupted_by_hand(tmp_path: Path) -> None:
    """Ctrl-C saves what was done, and training goes on from there."""
    (tmp_path / "spec.yaml").write_text(SPEC.format(**{**cases()[0], "every": "epoch"}), encoding="utf-8")

    class Interrupt(Callback):
        def on_batch_end(self, run: Run, record: Record) -> None:
            if record["epoch"] == 2 and record["batch"] == 3:
                raise KeyboardInterrupt

    program = gs.load(tmp_path / "spec.yaml")
    with pytest.raises(KeyboardInterrupt):
        program.train(data(), callbacks=[Interrupt()])
    resumed = gs.load(tmp_path / "spec.yaml")
    trainer = resumed.trainer(data(), resume=True)
    assert (trainer.epoch, trainer.position.batch) == (2, 3)
    resumed.finish(trainer)
    whole = gs.load(tmp_path / "spec.yaml")
    whole.train(data(), checkpoint=str(tmp_path / "other"))
    assert {p: a.tobytes() for p, a in whole.parameters.items()} == {
        p: a.tobytes() for p, a in resumed.parameters.items()
    }


def test_another_optimizer_cannot_go_on(tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(SPEC.format(**cases()[0]), encoding="utf-8")
    gs.load(tmp_path / "spec.yaml").train(data())
    with pytest.raises(gs.CheckpointError) as info:
        gs.load(tmp_path / "spec.yaml").train(data(), resume=True, optimizer="adam(learning_rate=0.1)")
    assert {found.code for found in info.value.diagnostics} == {"GS655"}
