"""The node that bore the first value that is not finite, and what a person is told about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graphspec import derivative
from graphspec.anomaly import Anomaly, first_anomaly
from graphspec.autodiff import gradient
from graphspec.plan import schedule
from graphspec.program import Program, loads
from graphspec.span import span


def anomaly(program: Program, given: dict[str, Any] | None = None, gradients: bool = True) -> Anomaly | None:
    """Return what is found in the loss and its gradients."""
    given = given or {}
    model = program._models.for_feeds(given)
    target, names = derivative.request(model, None, None)
    graph = model.graph.copy()
    outputs = [derivative.node_of(model, target)]
    if gradients:
        backward = gradient(graph, outputs[0], [derivative.node_of(model, name) for name in names])
        outputs += [value.id for value in backward.cotangents.values()]
    plan = schedule(graph, outputs)
    leaves, bound = program._bound(model, plan, given, 0, program._parameters.snapshot())
    return first_anomaly(graph, leaves, bound.dims, outputs)


def found(expression: str, x: Any, gradients: bool = True) -> Anomaly:
    """Return the anomaly of ``sum(expression)`` at some ``x``."""
    shape = list(np.shape(x))
    text = f"graphspec: 1\ninputs:\n  x: {{shape: {shape}}}\nnodes:\n  h: {expression}\n  f: sum(h)\noutputs: f\n"
    result = anomaly(loads(text), {"x": x}, gradients)
    assert result is not None
    return result


def test_nothing_where_all_is_finite() -> None:
    program = loads("graphspec: 1\ninputs: {x: [1, 2]}\nnodes: {f: sum(log(x))}\noutputs: f")
    assert anomaly(program) is None


@pytest.mark.parametrize(
    ("expression", "x", "path", "op", "hint"),
    [
        ("log(x)", [0.0, 1.0], "h", "log", "log(x + 1e-8)"),
        ("log(x)", [-1.0, 1.0], "h", "log", "log of -1"),
        ("log1p(x)", [-1.0, 1.0], "h", "log1p", "above -1"),
        ("1 / x", [0.0, 1.0], "h", "divide", "division by 0"),
        ("x / x", [0.0, 1.0], "h", "divide", "division by 0"),
        ("exp(x)", [1000.0, 1.0], "h", "exp", "softplus"),
        ("cosh(x)", [1000.0, 1.0], "h", "cosh", "overflows float64"),
        ("sqrt(x)", [-1.0, 1.0], "h", "sqrt", "sqrt(maximum(x, 0)"),
        ("rsqrt(x)", [0.0, 1.0], "h", "rsqrt", "rsqrt(x + 1e-8)"),
        ("x ** 0.5", [-1.0, 1.0], "h", "pow", "is not real"),
        ("x ** -1.5", [0.0, 1.0], "h", "pow", "negative power of 0"),
        ("asin(x)", [2.0, 0.0], "h", "asin", "between -1 and 1"),
        ("x * x", [1e200, 1.0], "h", "multiply", "learning rate"),
        ("2 * sqrt(log(x))", [0.5, 2.0], "h.sqrt", "sqrt", "sqrt of -0.69"),
    ],
)
def test_forward(expression: str, x: list[float], path: str, op: str, hint: str) -> None:
    result = found(expression, x, gradients=False)
    assert (result.path, result.op, result.gradient, result.role) == (path, op, False, "")
    assert result.span.first == (0,)
    assert hint in result.hint


@pytest.mark.parametrize(
    ("expression", "x", "rule", "hint"),
    [
        ("sqrt(x)", [0.0, 1.0], "sqrt", "sqrt(x + 1e-8)"),
        ("x ** 0.5", [0.0, 1.0], "pow", "(x + 1e-8) ** p"),
        ("where(x > 0, log(x), 0)", [0.0, 1.0], "log", "log(where(x > 0, x, 1))"),
        ("where(x > 0, 1 / x, 0)", [0.0, 1.0], "divide", ""),
        ("asin(x)", [1.0, 0.0], "asin", "clip(x"),
    ],
)
def test_backward(expression: str, x: list[float], rule: str, hint: str) -> None:
    """The value is finite, or the node that is not was masked: the gradient rule is to blame."""
    result = found(expression, x)
    assert hint in result.hint
    if result.gradient:
        assert result.rule == rule
        assert result.path.startswith("h")
        assert f"the gradient rule of {rule} at 'h" in result.sentence
        assert result.where is not None
        assert result.where.line == 5
    else:
        assert result.op == rule


def test_an_infinity_that_is_masked_does_no_harm() -> None:
    text = (
        "graphspec: 1\ninputs: {x: [0, 1, 2]}\nnodes:\n  a: log(stop_gradient(x))\n"
        "  b: where(x > 0, a, 0)\n  f: sum(b * sqrt(x - 0.5))\noutputs: f\n"
    )
    result = anomaly(loads(text), gradients=False)
    assert result is not None
    assert result.path == "f.sqrt"


def test_a_mask_of_the_document_is_not_blamed_for_nan() -> None:
    text = """
graphspec: 1
inputs: {x: {shape: [2, 3], value: [[1, 2, 3], [-1, -2, -3]]}}
nodes:
  masked: where(x > 0, x, -1e308 * 10)
  shifted: masked - max(masked, axis=-1, keepdims=true)
  f: sum(exp(shifted))
outputs: f
"""
    result = anomaly(loads(text), gradients=False)
    assert result is not None
    # -inf was computed from two numbers of the document: it is there first, and is named
    assert result.path in ("masked.multiply", "shifted")


def test_a_new_nan_behind_a_written_infinity_is_named() -> None:
    from graphspec.graph import Graph
    from graphspec.types import TensorType

    graph = Graph()
    x = graph.leaf("input", "x", TensorType("float64", (2,)))
    shifted = x - graph.literal(float("-inf"), "float64")
    result = graph.g.multiply(shifted, graph.literal(0.0, "float64"))
    named = first_anomaly(graph, {x.id: np.ones(2)}, {}, [result.id])
    assert named is not None
    assert (named.node, named.span.nan) == (result.id, 2)
    only = first_anomaly(graph, {x.id: np.ones(2)}, {}, [shifted.id])
    assert only is not None
    assert only.role == "literal"


def test_a_feed_and_a_parameter() -> None:
    program = loads(
        "graphspec: 1\ninputs: {x: {shape: [n, 2]}}\nparameters: {w: [1, 2]}\nnodes: {f: sum(x * w)}\noutputs: f"
    )
    x = np.ones((3, 2))
    x[2, 1] = np.nan
    result = anomaly(program, {"x": x})
    assert result is not None
    assert (result.role, result.path, result.span.nan, result.span.first) == ("input", "x", 1, (2, 1))
    assert result.diagnostic("the loss is nan").message == (
        "the loss is nan: input 'x' holds 1 nan of 6 elements (first at [2, 1])"
    )
    program.parameters["w"] = [np.inf, 1.0]
    result = anomaly(program, {"x": np.ones((3, 2))})
    assert result is not None
    assert (result.role, result.path, result.span.infinite) == ("parameter", "w", 1)
    assert "learning rate" in result.hint


def test_the_diagnostic() -> None:
    text = "graphspec: 1\ninputs: {x: {shape: [n, 2]}}\nnodes:\n  p: softmax(x)\n  f: mean(log(p - 0.5))\noutputs: f\n"
    result = anomaly(loads(text), {"x": [[0, 1], [3, 0]]})
    assert result is not None
    about = result.diagnostic("the loss is nan in epoch 1, batch 2 (step 1)")
    assert (about.code, about.severity, about.path) == ("GS649", "error", "nodes.f.log")
    assert about.where is not None
    assert (about.where.line, about.where.column) == (5, 11)
    assert result.expression == "log(p - 0.5)"
    assert about.message.startswith("the loss is nan in epoch 1, batch 2 (step 1): log at 'f.log' gave 2 nan of 4 ")
    assert about.message.endswith("(first at [0, 0]) from finite operands")
    assert "x: f.subtract float64[n, 2]   from -0.45" in about.related[0].message
    data = result.to_dict()
    assert (data["nan"], data["operands"][0]["path"], data["operands"][0]["nan"]) == (2, "f.subtract", 0)


def test_a_node_inside_the_library_is_shown_at_its_call() -> None:
    text = (
        "graphspec: 1\ninputs: {p: [0, 0.5], t: [1, 1]}\nnodes:\n"
        "  f: binary_cross_entropy(p, t, from_logits=false)\noutputs: f\n"
    )
    about = anomaly(loads(text))
    assert about is not None
    diagnostic = about.diagnostic("")
    assert diagnostic.where is not None
    assert (diagnostic.where.line, diagnostic.where.column) == (4, 6)
    inside = [item.where.file for item in diagnostic.related if item.message.startswith("inside: ") and item.where]
    assert inside
    assert set(inside) == {"graphspec/library/losses.yaml"}


def test_the_gradient_as_a_program_names_forward_nodes() -> None:
    program = loads("graphspec: 1\ninputs: {x: 0}\nnodes: {h: sqrt(x), f: h * 2}\noutputs: f").gradient()
    model = program.model
    plan = schedule(model.graph, list(model.outputs.values()))
    leaves, bound = program._bound(model, plan, {}, 0, {})
    result = first_anomaly(model.graph, leaves, bound.dims, list(model.outputs.values()))
    assert result is not None
    assert result.op == "divide"
    assert result.span.infinite == 1


@pytest.mark.parametrize(
    ("value", "text", "bad"),
    [
        (np.array([1.0, np.nan, 3.0, 0.0]), "from 0 to 3, 1 zero, 1 nan", 1),
        (np.array(np.inf), "1 infinite", 1),
        (np.zeros((0, 2)), "empty", 0),
        (np.arange(3), "from 0 to 2, 1 zero", 0),
        (np.array([3 + 4j, complex("nan")]), "5, 1 nan", 1),
        ((np.ones(2), np.array([np.inf])), "1, 1 infinite", 1),
        (np.full(3, 2.5, np.float32), "2.5", 0),
    ],
)
def test_spans(value: Any, text: str, bad: int) -> None:
    assert (span(value).text, span(value).bad) == (text, bad)
