"""The training step as a graph: what it updates, settings, groups, clipping, accumulation, averages, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphspec as gs

SPEC = """
graphspec: 1
attributes: {rate: 0.5}
inputs:
  x: {shape: [batch, 3]}
  y: {shape: [batch]}
parameters:
  w: {value: [0.5, -1.0, 2.0]}
  bias: {value: 0.1}
  fixed: {value: 2.0, trainable: false}
nodes:
  prediction: x @ w * fixed + bias
  loss: mean_squared_error(prediction, y)
outputs: [prediction, loss]
"""
X = np.array([[1.0, 2.0, -1.0], [0.5, -0.3, 2.0], [0.0, 1.0, 1.0], [2.0, -2.0, 0.5]])
Y = np.array([1.0, -1.0, 0.5, 0.0])


def program(text: str = SPEC, train: str = "") -> gs.Program:
    return gs.loads(text + train)


def gradients(w: Any, bias: float, x: np.ndarray = X, y: np.ndarray = Y) -> tuple[np.ndarray, float]:
    """Return the gradient of the loss by hand."""
    error = 2.0 * (x @ w) + bias - y
    return 4.0 * x.T @ error / len(y), 2.0 * error.mean()


def updates(step: gs.Program, **feeds: Any) -> dict[str, np.ndarray]:
    return step.run({"x": X, "y": Y, **feeds}).updates


def test_it_is_a_program_that_updates_parameters_and_state() -> None:
    step = program().training_program(optimizer="sgd(learning_rate=0.1, momentum=0.9)")
    found = updates(step)
    w, bias = gradients(np.array([0.5, -1.0, 2.0]), 0.1)
    np.testing.assert_allclose(found["w"], np.array([0.5, -1.0, 2.0]) - 0.1 * w, rtol=1e-13)
    np.testing.assert_allclose(found["bias"], 0.1 - 0.1 * bias, rtol=1e-13)
    assert "fixed" not in found
    assert found["train.step"] == 1
    assert step.parameters["fixed"] == 2.0
    assert all(path.startswith(("w.next.", "bias.next.", "train.")) for path in step.state)


def test_it_is_written_and_reads_back_to_the_same_bits() -> None:
    step = program().training_program(
        optimizer="adam(learning_rate=cosine(step, initial=0.1, total=9))",
        clip=["clip_by_value(limit=1.0)", "clip_by_global_norm(max_norm=0.5)"],
        accumulate=2,
        average="exponential_moving_average(decay=0.9)",
    )
    again = gs.loads(step.to_yaml())
    for number in range(3):
        mine, theirs = step.run(x=X + number, y=Y), again.run(x=X + number, y=Y)
        assert {k: v.tobytes() for k, v in mine.updates.items()} == {k: v.tobytes() for k, v in theirs.updates.items()}
        step.apply(mine)
        again.apply(theirs)
    assert list(again.outputs) == list(step.outputs)


def test_attributes_and_functions_of_the_document_can_be_used() -> None:
    own = """
functions:
  descend:
    inputs: {parameter: null, gradient: null, rate: 1}
    nodes: {next: parameter - rate * sign(gradient)}
    outputs: next
train: {optimizer: "descend(rate=rate / 5)"}
"""
    found = updates(program(train=own).training_program())
    w, bias = gradients(np.array([0.5, -1.0, 2.0]), 0.1)
    np.testing.assert_allclose(found["w"], np.array([0.5, -1.0, 2.0]) - 0.1 * np.sign(w), rtol=1e-13)
    np.testing.assert_allclose(found["bias"], 0.1 - 0.1 * np.sign(bias), rtol=1e-13)


def test_an_optimizer_may_be_an_attribute() -> None:
    text = SPEC.replace("{rate: 0.5}", "{rate: 0.5, method: {type: op, default: sgd}}")
    step = program(text, 'train: {optimizer: "method(learning_rate=0.1)"}').training_program()
    w, _ = gradients(np.array([0.5, -1.0, 2.0]), 0.1)
    np.testing.assert_allclose(updates(step)["w"], np.array([0.5, -1.0, 2.0]) - 0.1 * w, rtol=1e-13)


@pytest.mark.parametrize(
    ("train", "expected"),
    [
        ({"groups": [{"pattern": "bi*", "learning_rate": 1.0}]}, {"w": 0.1, "bias": 1.0}),
        ({"groups": [{"pattern": ["w", "bias"], "learning_rate": 1.0}]}, {"w": 1.0, "bias": 1.0}),
        (
            {"groups": [{"pattern": "*", "learning_rate": 1}, {"pattern": "b*", "learning_rate": 2}]},
            {"w": 1, "bias": 2},
        ),
        ({"groups": [{"pattern": "bias", "learning_rate": "rate"}]}, {"w": 0.1, "bias": 0.5}),
        (
            {"groups": [{"pattern": "bias", "learning_rate": "step_decay(step, initial=4, every=3)"}]},
            {"w": 0.1, "bias": 4},
        ),
        ({"groups": [{"pattern": "w", "optimizer": "sgd(learning_rate=3)"}]}, {"w": 3, "bias": 0.1}),
        ({"groups": [{"pattern": "w", "frozen": True}]}, {"bias": 0.1}),
        ({"frozen": "bi*"}, {"w": 0.1}),
        ({"frozen": ["bias", "fixed"]}, {"w": 0.1}),
    ],
)
def test_groups(train: dict[str, Any], expected: dict[str, float]) -> None:
    step = program().training_program(optimizer="sgd(learning_rate=0.1)", **train)
    found = updates(step)
    first = {"w": np.array([0.5, -1.0, 2.0]), "bias": np.array(0.1)}
    slopes = dict(zip(first, gradients(first["w"], 0.1), strict=True))
    assert {path for path in found if path in first} == set(expected)
    for path, rate in expected.items():
        np.testing.assert_allclose(found[path], first[path] - rate * slopes[path], rtol=1e-13)


def test_clipping_is_applied_in_order() -> None:
    w, bias = gradients(np.array([0.5, -1.0, 2.0]), 0.1)
    step = program().training_program(
        optimizer="sgd(learning_rate=1.0)", clip=["clip_by_value(limit=2.0)", "clip_by_global_norm(max_norm=1.5)"]
    )
    values = [np.clip(w, -2, 2), np.clip(bias, -2, 2)]
    norm = np.sqrt(sum(np.sum(np.square(value)) for value in values))
    found = updates(step)
    scale = min(1.0, 1.5 / (norm + 1e-6))
    np.testing.assert_allclose(found["w"], np.array([0.5, -1.0, 2.0]) - scale * values[0], rtol=1e-12)
    np.testing.assert_allclose(found["bias"], 0.1 - scale * values[1], rtol=1e-12)


def test_accumulation_is_the_step_of_the_joined_batches() -> None:
    """Two halves of equal size give the mean gradient of the whole; the optimizer and the step move on with the second."""
    step = program().training_program(optimizer="sgd(learning_rate=0.1, momentum=0.5)", accumulate=2)
    whole = program().training_program(optimizer="sgd(learning_rate=0.1, momentum=0.5)")
    for _ in range(3):
        first = step.run(x=X[:2], y=Y[:2])
        assert first.updates["w"].tobytes() == step.parameters["w"].tobytes()
        before = step.state["train.step"]
        assert first.updates["train.step"] == before
        step.apply(first)
        step.apply(step.run(x=X[2:], y=Y[2:]))
        assert step.state["train.step"] == before + 1
        whole.apply(whole.run(x=X, y=Y))
        for path in ("w", "bias"):
            np.testing.assert_allclose(step.parameters[path], whole.parameters[path], rtol=1e-12)


def test_averages_follow_the_parameters() -> None:
    step = program().training_program(
        optimizer="sgd(learning_rate=0.01)", average="exponential_moving_average(decay=0.75)"
    )
    average = None
    for _ in range(4):
        step.apply(step.run(x=X, y=Y))
        now = step.parameters["w"]
        average = now if average is None else 0.75 * average + 0.25 * now
    assert average is not None
    np.testing.assert_allclose(step.state["w.average.average"], average, rtol=1e-13)


def test_parameters_of_another_dtype_keep_it() -> None:
    text = SPEC.replace("bias: {value: 0.1}", "bias: {value: 0.1, dtype: float32}").replace(
        "* fixed + bias", '* fixed + cast(bias, dtype="float64")'
    )
    step = program(text).training_program(
        optimizer="adam(learning_rate=cosine(step, initial=0.1, total=9))", clip="clip_by_global_norm(max_norm=1.0)"
    )
    found = updates(step)
    assert found["bias"].dtype == np.float32
    assert step.state["bias.next.m"].dtype == np.float32
    assert step.state["w.next.m"].dtype == np.float64


def test_state_and_updates_of_the_document_are_kept() -> None:
    text = SPEC.replace("parameters:", "state: {count: 0}\nupdates: {count: count + 1}\nparameters:")
    assert updates(program(text).training_program())["count"] == 1.0


def test_nodes_called_train_do_not_collide() -> None:
    text = SPEC.replace("loss: mean", "train: 2 * prediction\n  loss: mean").replace("[prediction, ", "[train, ")
    assert updates(program(text).training_program())["train_2.step"] == 1


@pytest.mark.parametrize(
    ("train", "code", "place", "words"),
    [
        ("train: {optimizer: adma}", "GS201", (15, 20), "did you mean 'adam'"),
        ("train: {optimizer: adam(learning_rat=1)}", "GS210", (15, 25), "did you mean 'learning_rate'"),
        ("train: {optimizer: adam(learning_rate=rat)}", "GS301", (15, 39), "did you mean 'rate'"),
        ("train: {optimizer: sgd(0.1)}", "GS304", None, "parameter"),
        ("train: {optimizer: 3 * 4}", "GS209", (15, 20), "adam(learning_rate=1e-3)"),
        ("train: {optimizer: exp}", "GS309", (15, 20), "no input 'parameter'"),
        ("train: {optimiser: adam}", "GS202", (15, 9), "did you mean 'optimizer'"),
        ("train: {epochs: 0}", "GS205", (15, 17), "at least 1"),
        ("train: {epochs: many}", "GS204", (15, 17), "an integer"),
        ("train: {minimize: los}", "GS301", (15, 19), "did you mean 'loss'"),
        ("train: {metrics: [loss, accurcy]}", "GS301", (15, 25), "accurcy"),
        ("train: {groups: [{pattern: w, learning_rte: 1}]}", "GS210", (15, 45), "did you mean 'learning_rate'"),
        ("train: {groups: [{learning_rate: 1}]}", "GS203", None, "pattern"),
        ("train: {checkpoint: {every: epoch}}", "GS203", None, "folder"),
        ("train: {checkpoint: {folder: a, evry: 3}}", "GS202", (15, 33), "did you mean 'every'"),
        ("train: {validate: {every: epochs}}", "GS205", (15, 27), "epoch"),
    ],
)
def test_what_is_wrong_with_the_section_is_found_when_loading(
    train: str, code: str, place: tuple[int, int] | None, words: str
) -> None:
    with pytest.raises(gs.SpecError) as info:
        program(train=train)
    found = info.value.diagnostics[0]
    assert found.code == code, found
    assert found.where is not None
    if place is not None:
        assert (found.where.line, found.where.column) == place
    assert words in str(found)


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        ({"frozen": "b.*"}, "GS301", "fits no parameter"),
        ({"groups": [{"pattern": "weights", "learning_rate": 1}]}, "GS301", "fits no parameter"),
        ({"frozen": "*"}, "GS640", "no parameter to train"),
        ({"metrics": ["prediction"]}, "GS641", "float64[batch]"),
        ({"minimize": "prediction"}, "GS501", "scalar"),
        ({"average": "clip_by_value(limit=1.0)"}, "GS309", "parameter"),
        ({"epochs": 2.5}, "GS204", "an integer"),
        ({"epoch": 2}, "GS202", "did you mean 'epochs'"),
        ({"optimizer": "adam(learning_rate=x)"}, "GS301", "x"),
    ],
)
def test_what_is_wrong_with_settings(settings: dict[str, Any], code: str, words: str) -> None:
    with pytest.raises(gs.GraphSpecError) as info:
        program().training_program(**settings)
    assert info.value.diagnostics[0].code == code, info.value
    assert words in str(info.value)


def test_what_has_no_influence_is_not_trained() -> None:
    text = SPEC.replace("  bias:", "  unused: {value: 1.0}\n  bias:").replace("y)\n", "y)\n  other: 2 * unused\n")
    program_ = program(text)
    assert "unused" not in updates(program_.training_program())


def test_a_parameter_is_trained_or_updated() -> None:
    text = SPEC.replace("outputs:", "updates: {w: 2 * w}\noutputs:")
    with pytest.raises(gs.SpecError) as info:
        program(text).training_program()
    assert info.value.diagnostics[0].code == "GS302"
