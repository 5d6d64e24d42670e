"""Metrics over a whole data set equal those of one run on all rows, whatever the batches."""

from __future__ import annotations

import numpy as np
import pytest

import graphspec as gs

SPEC = """
graphspec: 1
inputs:
  x: {shape: [batch, 4]}
  y: {shape: [batch], dtype: int64}
  target: {shape: [batch, 2]}
nodes:
  logits: linear(x, units=3)
  predicted: argmax(logits, axis=-1)
  regression: linear(x, units=2)
outputs: {METRICS}
"""
METRICS = {
    "mean": "mean(square(regression - target))",
    "sum": "sum(regression)",
    "accuracy": "mean(equal(predicted, y))",
    "cross_entropy": "cross_entropy(logits, y)",
    "weighted": "cross_entropy(logits, y, [0.2, 1.0, 3.0])",
    "ignoring": "cross_entropy(logits, y, ignore_index=1)",
    "precision": "precision(predicted == 1, y == 1)",
    "f1": "f1(predicted == 1, y == 1)",
    "r2": "r2(regression, target)",
    "greatest": "max(regression)",
    "spread": "std(regression[:, 0])",
    "flat": "mean(abs(reshape(regression, shape=[-1]) - reshape(target, shape=[-1])))",
    "transposed": "mean(matrix_transpose(regression) * 2)",
    "per_column": "max(mean(square(regression - target), axis=0))",
    "with_parameters": "mean(square(regression - target)) + 0.1 * sum(square(logits.weight))",
    "sorted": "mean(sort(regression, axis=0) * target)",
    "running": "mean(cumulative_sum(regression, axis=0))",
    "reversed": "mean(regression[::-1] * target)",
    "standardised": "mean(abs((regression - mean(regression, axis=0)) / std(regression, axis=0)))",
    "softmax_over_rows": "max(softmax(regression, axis=0))",
    "no_rows": "sum(logits.weight)",
    "perplexity": "exp(cross_entropy(logits, y))",
}


def rows(count: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(1)
    return {
        "x": draw.normal(size=(count, 4)),
        "y": draw.integers(0, 3, count),
        "target": draw.normal(size=(count, 2)),
    }


@pytest.mark.parametrize("batch", [1, 7, 32, 100, 1000])
@pytest.mark.parametrize("name", METRICS)
def test_metrics_do_not_depend_on_batches(name: str, batch: int) -> None:
    text = SPEC.replace("{METRICS}", "{value: '" + METRICS[name] + "'}")
    if METRICS[name].count("[0.2"):
        text = text.replace("nodes:", "constants: {w: [0.2, 1.0, 3.0]}\nnodes:").replace("[0.2, 1.0, 3.0])'", "w)'")
    program = gs.loads(text)
    data = rows(100)
    expected = program.run({key: data[key] for key in program.inputs if key in data})["value"]
    found = program.evaluate({key: data[key] for key in program.inputs}, ["value"], batch=batch)
    assert found["value"] == pytest.approx(float(expected), rel=1e-12, abs=1e-14)


def test_a_loss_on_pairs_of_rows_is_a_mean_over_batches() -> None:
    """A matrix of all pairs of a batch cannot be put together from those of smaller batches."""
    program = gs.loads(
        "graphspec: 1\ninputs: {x: {shape: [batch, 4]}}\nnodes: {loss: 'mean(x @ matrix_transpose(x))'}\noutputs: loss"
    )
    x = rows(30)["x"]
    parts = [float(program.run(x=part)["loss"]) for part in (x[:20], x[20:])]
    assert program.evaluate({"x": x}, batch=20)["loss"] == pytest.approx(
        (20 * parts[0] + 10 * parts[1]) / 30, rel=1e-13
    )


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        ("x: 0", "its first dim is a name"),
        ("x: {shape: [3]}", "its first dim is a name"),
        ("x: {shape: [2 * n]}", "its first dim is a name"),
    ],
)
def test_inputs_without_rows_are_refused(inputs: str, words: str) -> None:
    program = gs.loads(f"graphspec: 1\ninputs: {{{inputs}}}\nnodes: {{loss: sum(x)}}\noutputs: loss")
    with pytest.raises(gs.FeedError) as info:
        program.evaluate({"x": np.ones(4)})
    assert words in str(info.value) or info.value.diagnostics[0].code == "GS638"


def test_inputs_share_their_rows() -> None:
    program = gs.loads(
        "graphspec: 1\ninputs: {x: {shape: [n]}, y: {shape: [m]}}\nnodes: {loss: sum(x) + sum(y)}\noutputs: loss"
    )
    with pytest.raises(gs.FeedError) as info:
        program.evaluate({"x": np.ones(4), "y": np.ones(4)})
    assert info.value.diagnostics[0].code == "GS642"
