"""The loop: batches, metrics, validation, early stopping, limits, what it gives back; against NumPy and PyTorch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import graphspec as gs

SPEC = """
graphspec: 1
dtype: {dtype}
inputs:
  x: {{shape: [batch, 4]}}
  y: {{shape: [batch], dtype: int64}}
nodes:
  h: relu(linear(x, units=6))
  logits: linear(h, units=3)
  loss: cross_entropy(logits, y)
  accuracy: mean(equal(argmax(logits, axis=-1), y))
outputs: [logits, loss, accuracy]
differentiate: loss
train:
  optimizer: sgd(learning_rate=0.1, momentum=0.9)
  epochs: 3
  batch: 16
  metrics: [loss, accuracy]
"""


def program(dtype: str = "float64", **more: str) -> gs.Program:
    return gs.loads(SPEC.format(dtype=dtype) + "".join(f"  {key}: {value}\n" for key, value in more.items()))


def rows(count: int = 75, seed: int = 0) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(count, 4)).astype("float32")
    return {"x": x, "y": (x[:, 0] > 0).astype("int64") + (x[:, 1] > 0.5)}


def twin(program_: gs.Program, dtype: torch.dtype) -> torch.nn.Module:
    """Return the same network in PyTorch, with the same weights."""
    net = torch.nn.Sequential(torch.nn.Linear(4, 6), torch.nn.ReLU(), torch.nn.Linear(6, 3)).to(dtype)
    with torch.no_grad():
        for layer, path in ((net[0], "h.linear"), (net[2], "logits")):
            layer.weight.copy_(torch.tensor(program_.parameters[f"{path}.weight"].T))
            layer.bias.copy_(torch.tensor(program_.parameters[f"{path}.bias"]))
    return net


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_the_same_losses_as_pytorch(dtype: str, tolerance: float) -> None:
    program_, data = program(dtype), rows()
    net = twin(program_, getattr(torch, dtype))
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    x, y = torch.tensor(data["x"]).to(getattr(torch, dtype)), torch.tensor(data["y"])
    expected = []
    for _ in range(3):
        total = 0.0
        for start in range(0, 75, 16):
            part = slice(start, start + 16)
            loss = torch.nn.functional.cross_entropy(net(x[part]), y[part])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y[part])
        expected.append(total / 75)
    history = program_.train(data, shuffle=False)
    np.testing.assert_allclose(history.column("loss"), expected, rtol=tolerance)
    found = program_.parameters["logits.weight"].T
    np.testing.assert_allclose(found, net[2].weight.detach().numpy(), rtol=100 * tolerance, atol=tolerance)


def test_the_jax_engine_gives_the_same_losses() -> None:
    first, second = program(), program()
    expected = first.train(rows())
    found = second.train(rows(), engine="jax")
    np.testing.assert_allclose(found.column("loss"), expected.column("loss"), rtol=1e-10)
    for path, array in first.parameters.items():
        np.testing.assert_allclose(second.parameters[path], array, rtol=1e-9, atol=1e-12)


def test_the_same_run_gives_the_same_bits() -> None:
    first, second = program(), program()
    first.train(rows())
    second.train(rows())
    assert {p: a.tobytes() for p, a in first.parameters.items()} == {
        p: a.tobytes() for p, a in second.parameters.items()
    }
    third = program()
    third.train(rows(), seed=1)
    assert third.parameters["logits.weight"].tobytes() != first.parameters["logits.weight"].tobytes()


def test_metrics_are_weighted_by_rows() -> None:
    """With a learning rate of 0, the means over uneven batches are those over all rows."""
    program_, data = program(), rows()
    expected = program_.run(data)
    history = program_.train(data, optimizer="sgd(learning_rate=0)", batch=16, epochs=1)
    assert history.records[0]["loss"] == pytest.approx(float(expected["loss"]), rel=1e-13)
    assert history.records[0]["accuracy"] == pytest.approx(float(expected["accuracy"]), rel=1e-13)


def test_steps_end_the_training_within_an_epoch() -> None:
    history = program().train(rows(), steps=7, epochs=3)
    assert [record["step"] for record in history.records] == [5, 7]
    assert history.stopped == "all steps are done"
    assert program().train(rows(), steps=5, epochs=9).records[-1]["step"] == 5
    text = SPEC.replace("  epochs: 3\n", "")
    assert len(gs.loads(text.format(dtype="float64")).train(rows(), steps=12).records) == 3
    assert len(gs.loads(text.format(dtype="float64")).train(rows()).records) == 1


def test_batch_null_is_all_rows_and_a_last_batch_may_be_dropped() -> None:
    assert program().train(rows(), batch=None, epochs=2).records[-1]["step"] == 2
    assert program().train(rows(), drop_last=True, epochs=2).records[-1]["step"] == 8


def test_validation_every_so_many_steps() -> None:
    seen = []

    class Watching(gs.Callback):
        def on_validation_end(self, run: Any, record: Any) -> None:
            seen.append((record["step"], record["validation.loss"]))

    program_ = program(validate="{every: 4}")
    program_.train({"train": rows(), "validation": rows(30, 1)}, callbacks=[Watching()])
    assert [step for step, _ in seen] == [4, 8, 12]
    assert seen[-1][1] != pytest.approx(program_.evaluate(rows(30, 1))["loss"], rel=1e-9)  # three more steps since


def test_early_stopping_brings_the_best_back() -> None:
    """The validation labels are noise, so the validation loss soon rises."""
    noise = rows(40, 2) | {"y": np.random.default_rng(5).integers(0, 3, 40)}
    data = {"train": rows(), "validation": noise}
    program_ = program(early_stopping="{patience: 3}")
    history = program_.train(data, epochs=200)
    losses = history.column("validation.loss")
    best = int(np.argmin(losses))
    assert len(losses) == best + 4
    assert history.best is history.records[best]
    assert "validation.loss was no better for 3 times" in history.stopped
    assert program_.evaluate(noise)["loss"] == pytest.approx(losses[best], rel=1e-12)
    last = program(early_stopping="{patience: 3, restore: false}")
    last.train(data, epochs=200)
    assert last.evaluate(noise)["loss"] == pytest.approx(losses[-1], rel=1e-12)


def test_early_stopping_on_what_grows() -> None:
    data = {"train": rows(), "validation": rows(40, 2)}
    program_ = program(early_stopping="{monitor: validation.accuracy, mode: max, patience: 4}")
    history = program_.train(data, epochs=300)
    accuracies = history.column("validation.accuracy")
    assert history.best is not None
    assert history.best["validation.accuracy"] == max(accuracies)
    assert program_.evaluate(data["validation"], ["accuracy"])["accuracy"] == max(accuracies)


@pytest.mark.parametrize(
    ("limits", "words"), [("{seconds: 0}", "limit of 0 seconds"), ("{memory: 1000}", "1,000 bytes of memory")]
)
def test_limits(limits: str, words: str) -> None:
    history = program(limits=limits).train(rows())
    assert history.records[-1]["step"] == 1
    assert words in history.stopped


def test_a_callback_may_stop_it() -> None:
    class Stop(gs.Callback):
        def on_batch_end(self, run: Any, record: Any) -> None:
            if record["step"] == 3:
                run.stop("enough")

    history = program().train(rows(), callbacks=[Stop()])
    assert (history.stopped, history.records[-1]["step"]) == ("enough", 3)


def test_what_callbacks_see() -> None:
    calls: list[tuple[Any, ...]] = []

    class Note(gs.Callback):
        def on_train_begin(self, run: Any) -> None:
            calls.append(("begin", run.name, run.epochs, run.steps, run.batches, run.rows, run.metrics, run.engine))

        def on_epoch_begin(self, run: Any, epoch: int) -> None:
            calls.append(("epoch", epoch, run.epoch))

        def on_epoch_end(self, run: Any, record: Any) -> None:
            calls.append(("end", record["epoch"], run.epoch, record["step"], run.step))

        def on_train_end(self, run: Any, history: Any) -> None:
            calls.append(("over", len(history.records), history.stopped))

    program().train(rows(), epochs=2, callbacks=[Note()])
    assert calls == [
        ("begin", "spec", 2, None, 5, 75, ("loss", "accuracy"), "numpy"),
        ("epoch", 1, 1),
        ("end", 1, 1, 5, 5),
        ("epoch", 2, 2),
        ("end", 2, 2, 10, 10),
        ("over", 2, "all epochs are done"),
    ]


def test_checkpoints_latest_and_best(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    program_ = program(checkpoint="{folder: elsewhere, every: 2, keep: 2}")
    data = {"train": rows(), "validation": rows(40, 2)}
    history = program_.train(data, epochs=4, checkpoint=str(folder))
    assert history.best is not None
    other = program()
    other.load(folder)
    assert other.parameters["logits.weight"].tobytes() == program_.parameters["logits.weight"].tobytes()
    other.load(folder / "best")
    assert other.evaluate(data["validation"])["loss"] == pytest.approx(history.best["validation.loss"], rel=1e-12)
    assert len([entry for entry in folder.iterdir() if entry.is_dir()]) in (2, 3)


def test_the_folder_of_checkpoints_stays_in_the_specs_folder(tmp_path: Path) -> None:
    path = tmp_path / "spec.yaml"
    path.write_text(SPEC.format(dtype="float64") + "  checkpoint: ../elsewhere\n", encoding="utf-8")
    with pytest.raises(gs.FeedError) as info:
        gs.load(path).train(rows())
    assert info.value.diagnostics[0].code == "GS112"
    gs.load(path).train(rows(), checkpoint=str(tmp_path / "given"))
    assert (tmp_path / "given" / "latest").exists()
    assert not (tmp_path.parent / "elsewhere").exists()


def test_averages_are_what_is_evaluated_and_kept(tmp_path: Path) -> None:
    data = {"train": rows(), "validation": rows(40, 2)}
    program_ = program(average="exponential_moving_average(decay=0.9)")
    history = program_.train(data, checkpoint=str(tmp_path))
    assert program_.evaluate(data["validation"])["loss"] == history.records[-1]["validation.loss"]
    other = program()
    other.load(tmp_path)
    assert other.parameters["logits.bias"].tobytes() == program_.parameters["logits.bias"].tobytes()
    plain = program()
    plain.train(data)
    assert plain.parameters["logits.bias"].tobytes() != program_.parameters["logits.bias"].tobytes()


def test_a_loss_that_is_not_finite_names_its_node() -> None:
    text = SPEC.replace("h: relu(linear(x, units=6))", "h: log(linear(x, units=6))").format(dtype="float64")
    with pytest.raises(gs.ExecutionError) as info:
        gs.loads(text).train(rows())
    found = info.value.diagnostics[0]
    assert found.code == "GS649"
    assert found.where is not None
    assert found.where.text is not None
    assert "log(linear" in found.where.text
    assert "epoch 1, batch 1" in found.message
    assert found.related


def test_a_gradient_that_is_not_finite_is_found_in_the_step_before() -> None:
    """sqrt has an infinite slope at 0: the first loss is finite, the parameters behind it are not."""
    text = """
graphspec: 1
inputs: {x: {shape: [batch]}}
parameters: {w: 0.0}
nodes: {loss: "mean(sqrt(w * x))"}
outputs: loss
train: {optimizer: sgd(learning_rate=0.1), batch: 2}
"""
    with pytest.raises(gs.ExecutionError) as info:
        gs.loads(text).train({"x": np.ones(6)})
    message = info.value.diagnostics[0].message
    assert "step before" in message
    assert "sqrt" in message


def test_iterables_of_batches() -> None:
    def batches() -> Iterator[dict[str, np.ndarray]]:
        data = rows()
        yield from ({name: array[i : i + 25] for name, array in data.items()} for i in range(0, 75, 25))

    history = program().train(batches, epochs=2)
    assert [record["step"] for record in history.records] == [3, 6]
    with pytest.raises(gs.FeedError):
        program().train(batches(), epochs=2)  # a generator has its rows once


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"x": np.ones((4, 4)), "z": np.ones(4)}, "GS601"),
        ({"x": np.ones((4, 4))}, "GS602"),
        ({"train": {"x": np.ones((4, 3)), "y": [0, 1, 0, 1]}}, None),
        (None, "GS643"),
        ({"x": np.full((4, 4), math.nan), "y": [0, 1, 0, 1]}, None),
    ],
)
def test_data_that_does_not_fit(data: Any, code: str | None) -> None:
    with pytest.raises(gs.GraphSpecError) as info:
        program().train(data)
    assert code is None or info.value.diagnostics[0].code == code, info.value


def test_predictions_have_a_row_for_each_row() -> None:
    program_ = program()
    data = rows(70)
    found = program_.predict({"x": data["x"]}, batch=32)
    np.testing.assert_array_equal(found["logits"], program_.run(data)["logits"])
    assert list(program_.predict(data, ["h"])) == ["h"]
    with pytest.raises(gs.FeedError) as info:
        program_.predict(data, ["loss"])
    assert info.value.diagnostics[0].code == "GS645"


def test_defaults_that_are_not_needed_do_not_count_rows() -> None:
    text = """
graphspec: 1
inputs: {x: {shape: [batch], value: [1, 2, 3]}, y: {shape: [batch], value: [2, 4, 6]}}
parameters: {w: 1.0}
nodes: {prediction: w * x, loss: "mean_squared_error(prediction, y)"}
outputs: [prediction, loss]
"""
    found = gs.loads(text).predict({"x": np.array([5.0, 7.0])})
    np.testing.assert_array_equal(found["prediction"], [5.0, 7.0])


def test_weights_are_saved_with_statistics(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(
        "a,b,c,d,label\n" + "\n".join(f"{i},{i * i},{-i},{i % 3},{i % 3}" for i in range(30)), encoding="utf-8"
    )
    text = SPEC.format(dtype="float64") + (
        "data: {train: {file: rows.csv, inputs: {x: {columns: [a, b, c, d], standardise: true}, y: label}}}\n"
    )
    (tmp_path / "spec.yaml").write_text(text, encoding="utf-8")
    program_ = gs.load(tmp_path / "spec.yaml")
    program_.train()
    program_.save(tmp_path / "w.safetensors")
    other = gs.load(tmp_path / "spec.yaml")
    other.load(tmp_path / "w.safetensors")
    mine, theirs = (p.predict(tmp_path / "rows.csv") for p in (program_, other))
    np.testing.assert_array_equal(mine["logits"], theirs["logits"])
    rows_ = next(program_.rows(tmp_path / "rows.csv").batches(None))  # transformed, as a file's are
    np.testing.assert_array_equal(program_.predict({"x": rows_["x"]})["logits"], mine["logits"])
    untrained = gs.load(tmp_path / "spec.yaml")  # the statistics of the training rows stand in for saved ones
    np.testing.assert_array_equal(next(untrained.rows("train").batches(None))["x"], rows_["x"])
    partial = gs.loads(text.replace("units=3", "units=4"), folder=tmp_path)
    with pytest.raises(gs.CheckpointError):
        partial.load(tmp_path / "w.safetensors")
    matching = partial.load(tmp_path / "w.safetensors", partial=True)
    assert set(matching.matched) == {"h.linear.weight", "h.linear.bias"}
    assert set(matching.differing) == {"logits.weight", "logits.bias"}


def test_an_earlier_training_in_the_folder_is_moved_aside(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    first = program()
    first.train(rows(), checkpoint=str(folder), epochs=4)
    trainer = program().trainer(rows(), checkpoint=str(folder), epochs=1)
    trainer.run()
    assert trainer.moved == tmp_path / "run-1"
    other = program()
    other.load(tmp_path / "run-1")
    assert other.parameters["logits.bias"].tobytes() == first.parameters["logits.bias"].tobytes()
    program().train(rows(), checkpoint=str(folder), epochs=1, resume=True)
    assert not (tmp_path / "run-2").exists()


def losses(program_: gs.Program, engine: str = "numpy") -> list[float]:
    """Train for one epoch; return the loss of every batch."""
    found: list[float] = []

    class Note(gs.Callback):
        def on_batch_end(self, run: Any, record: Any) -> None:
            found.append(record["loss"])

    program_.train(epochs=1, engine=engine, callbacks=[Note()])
    return found


def test_an_epoch_of_the_digits_perceptron_beside_pytorch_and_jax() -> None:
    """The same first weights and the same order of batches give the same losses, batch by batch, with Adam."""
    folder = Path(__file__).parents[1] / "specs" / "networks"
    text = (folder / "digits_mlp.yaml").read_text(encoding="utf-8")
    text = text.replace("float32", "float64").replace("dropout(h, rate=0.3)", "h")
    program_, twin_ = gs.loads(text, folder=folder), gs.loads(text, folder=folder)
    net = torch.nn.Sequential(torch.nn.Linear(64, 256), torch.nn.ReLU(), torch.nn.Linear(256, 10)).double()
    with torch.no_grad():
        for layer, path in ((net[0], "h.linear"), (net[2], "logits")):
            layer.weight.copy_(torch.tensor(program_.parameters[f"{path}.weight"].T))
            layer.bias.copy_(torch.tensor(program_.parameters[f"{path}.bias"]))
    optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=45 * 40)
    expected = []
    for batch in program_.rows("train").batches(32, seed=0, epoch=0):
        image, label = torch.tensor(batch["image"]).reshape(-1, 64), torch.tensor(batch["label"])
        loss = torch.nn.functional.cross_entropy(net(image), label)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        expected.append(loss.item())
    found = losses(program_)
    assert len(found) == 45
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    np.testing.assert_allclose(losses(twin_, "jax"), found, rtol=1e-10)
