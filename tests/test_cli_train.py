"""`graphspec train`, `evaluate`, `predict` and `render --training`."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from command_line import command, environment, on_a_terminal

import graphspec as gs

SPEC = """\
graphspec: 1
inputs:
  x: {shape: [batch, 2]}
  label: {shape: [batch], dtype: int64}
nodes:
  h: tanh(linear(x, units=8))
  logits: linear(h, units=2)
  loss: cross_entropy(logits, label)
  accuracy: mean(equal(argmax(logits, axis=-1), label))
outputs: [logits, loss, accuracy]
differentiate: loss
data:
  train: {file: rows.csv, inputs: {x: {columns: [a, b], standardise: true}, label: {columns: kind, classes: [no, yes]}}}
  split: {validation: 0.25}
train:
  optimizer: adam(learning_rate=0.05)
  epochs: 3
  metrics: [loss, accuracy]
"""


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    draw = np.random.default_rng(0)
    points = draw.normal(3, 2, (80, 2)).round(3)
    lines = [f"{a},{b},{'yes' if a > b else 'no'}" for a, b in points]
    (tmp_path / "rows.csv").write_text("a,b,kind\n" + "\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "spec.yaml").write_text(SPEC, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_prints_a_line_per_epoch_and_a_table(spec: Path) -> None:
    found = command("train", "spec.yaml", "--save", "w.safetensors")
    assert found.code == 0
    lines = found.err.splitlines()
    assert [line.split()[:2] for line in lines[:3]] == [["epoch", f"{i}/3"] for i in (1, 2, 3)]
    assert lines[3] == "wrote w.safetensors"
    table = found.out.splitlines()
    assert table[0].startswith("3 epochs in")
    assert table[1].split() == ["epoch", "loss", "accuracy", "validation.loss", "validation.accuracy", "seconds"]
    assert (spec / "w.safetensors").exists()


def test_train_says_where_weights_would_be_kept(spec: Path) -> None:
    assert "--save FILE" in command("train", "spec.yaml", "--quiet").err


def test_options_replace_what_the_file_says(spec: Path) -> None:
    options = (
        "--epochs",
        "2",
        "--batch",
        "10",
        "--seed",
        "3",
        "--optimizer",
        "sgd(learning_rate=0.1)",
        "--quiet",
        "--json",
    )
    found = command("train", "spec.yaml", *options)
    assert found.data["engine"] == "numpy"
    assert [record["step"] for record in found.data["records"]] == [6, 12]
    expected = gs.load("spec.yaml").train(epochs=2, batch=10, seed=3, optimizer="sgd(learning_rate=0.1)")
    assert [record["loss"] for record in found.data["records"]] == expected.column("loss")
    assert found.data["best"]["epoch"] in (1, 2)
    assert command("train", "spec.yaml", "--steps", "4", "--quiet", "--json").data["records"][-1]["step"] == 4


def test_evaluate_and_predict(spec: Path) -> None:
    assert command("train", "spec.yaml", "--checkpoint", "runs/a", "--quiet").code == 0
    metrics = command("evaluate", "spec.yaml", "--weights", "runs/a", "--json").data["metrics"]
    log = [json.loads(line) for line in (spec / "runs/a/log.jsonl").read_text(encoding="utf-8").splitlines()]
    assert metrics == {"loss": log[-1]["validation.loss"], "accuracy": log[-1]["validation.accuracy"]}
    assert "accuracy" in command("evaluate", "spec.yaml", "--weights", "runs/a/best").out
    (spec / "new.csv").write_text("b,a\n1.5,4\n4,1.5\n", encoding="utf-8")  # another order, and no labels
    text = command("predict", "spec.yaml", "--weights", "runs/a", "--data", "new.csv").out.splitlines()
    assert text[0] == "logits.0,logits.1"
    rows = np.array([list(map(float, line.split(","))) for line in text[1:]])
    program = gs.load("spec.yaml")
    program.load("runs/a")
    np.testing.assert_array_equal(rows, program.predict("new.csv")["logits"])
    assert command("predict", "spec.yaml", "--weights", "runs/a", "--data", "train", "-o", "p.npz").code == 0
    with np.load("p.npz") as archive:
        assert archive["logits"].shape == (60, 2)
    names = ("--outputs", "h,logits", "--data", "validation", "-o", "p.parquet")
    assert command("predict", "spec.yaml", "--weights", "runs/a", *names).code == 0
    import pyarrow.parquet

    table = pyarrow.parquet.read_table("p.parquet")
    assert table.column_names == [*(f"h.{i}" for i in range(8)), "logits.0", "logits.1"]
    assert table.num_rows == 20


def test_resume_goes_on(spec: Path) -> None:
    whole = command("train", "spec.yaml", "--epochs", "4", "--checkpoint", "whole", "--quiet", "--json").data
    command("train", "spec.yaml", "--epochs", "2", "--checkpoint", "parts", "--quiet")
    parts = command(
        "train", "spec.yaml", "--epochs", "4", "--checkpoint", "parts", "--quiet", "--json", "--resume"
    ).data
    timeless = [[{k: v for k, v in r.items() if "second" not in k} for r in x["records"]] for x in (whole, parts)]
    assert timeless[0] == timeless[1]
    note = command("train", "spec.yaml", "--epochs", "1", "--checkpoint", "parts", "--quiet").err
    assert "'parts-1'" in note


def test_weights_to_begin_with(spec: Path) -> None:
    command("train", "spec.yaml", "--save", "w.safetensors", "--quiet")
    wider = spec / "wider.yaml"
    wider.write_text(SPEC.replace("linear(h, units=2)", "linear(h, units=3)"), encoding="utf-8")
    found = command("train", "wider.yaml", "--weights", "w.safetensors", "--quiet")
    assert found.code == 1
    assert set(found.codes) == {"GS655"}
    found = command("train", "wider.yaml", "--weights", "w.safetensors", "--partial", "--quiet")
    assert found.code == 0
    assert "matches h.linear.weight" in found.err
    assert "differs logits.weight" in found.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("train", "spec.yaml", "--optimizer", "adma"), "GS201"),
        (("train", "spec.yaml", "--optimizer", "adam(rate=1)"), "GS210"),
        (("train", "spec.yaml", "--plot", "curves.txt"), None),
        (("train", "spec.yaml", "--weights", "nowhere.safetensors"), "GS651"),
        (("evaluate", "spec.yaml", "--weights", "w.safetensors", "--data", "tset"), "GS643"),
        (("evaluate", "spec.yaml", "--weights", "w.safetensors", "--metrics", "logits"), "GS641"),
        (("predict", "spec.yaml", "--weights", "w.safetensors", "--data", "gone.csv"), "GS630"),
        (("predict", "spec.yaml", "--weights", "w.safetensors"), "GS643"),
        (("predict", "spec.yaml", "--weights", "w.safetensors", "--data", "train", "--outputs", "loss"), "GS645"),
        (("predict", "spec.yaml", "--weights", "w.safetensors", "--data", "train", "-o", "x.txt"), "GS614"),
    ],
)
def test_what_is_wrong_is_said(spec: Path, arguments: tuple[str, ...], code: str | None) -> None:
    command("train", "spec.yaml", "--epochs", "1", "--save", "w.safetensors", "--quiet")
    found = command(*arguments, *(["--quiet"] if arguments[0] == "train" else []))
    assert found.code == 1
    assert found.err.startswith(("GS", "<settings>", "spec.yaml", "gone.csv"))
    assert code is None or code in found.codes


def test_a_bad_row_is_located(spec: Path) -> None:
    with open("rows.csv", "a", encoding="utf-8") as stream:
        stream.write("1.0,many,yes\n")
    found = command("train", "spec.yaml", "--quiet")
    assert found.code == 1
    assert "rows.csv:82:5" in found.err
    assert "many" in found.err
    (spec / "skip.yaml").write_text(SPEC.replace("file: rows.csv", "file: rows.csv, bad_rows: skip"), encoding="utf-8")
    found = command("train", "skip.yaml", "--quiet", "--json")
    assert (found.code, found.data["skipped"]) == (0, 1)


def test_render_training_runs(spec: Path) -> None:
    found = command("render", "spec.yaml", "--training", "-o", "step.yaml")
    assert found.code == 0
    step = gs.load("step.yaml")
    data = {"x": np.array([[1.0, 2.0]]), "label": np.array([1])}
    expected = gs.load("spec.yaml").training_program().run(data).updates
    assert {p: a.tobytes() for p, a in step.run(data).updates.items()} == {p: a.tobytes() for p, a in expected.items()}


def test_on_a_terminal(spec: Path) -> None:
    shown = on_a_terminal("train", "spec.yaml")
    assert "epoch 3/3" in shown
    plain = on_a_terminal("train", "spec.yaml", NO_COLOR="1")
    assert "\x1b" not in plain


def test_interrupted(spec: Path) -> None:
    """Ctrl-C ends with exit code 130, without a traceback, and the checkpoint can be gone on from."""
    arguments = [sys.executable, "-m", "graphspec", "train", "spec.yaml", "--epochs", "1000000", "--checkpoint", "c"]
    with subprocess.Popen(
        arguments, stderr=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(), text=True
    ) as child:
        assert child.stderr is not None
        for _ in range(3):
            child.stderr.readline()
        time.sleep(0.2)
        child.send_signal(signal.SIGINT)
        _, rest = child.communicate(timeout=60)
    assert child.returncode == 130
    assert "Traceback" not in rest
    trainer = gs.load("spec.yaml").trainer(checkpoint="c", epochs=1000000, resume=True)
    assert trainer.position.ticks > 0
