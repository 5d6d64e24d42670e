"""Graphs that nobody wrote: long chains, long cycles, shuffled documents, one function in several forms."""

from __future__ import annotations

import cProfile
import random
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rules import diagnostics, place, related

import graphspec as gs

EXPRESSIONS = {
    "add": "{a} + {b}",
    "subtract": "{a} - {b}",
    "multiply": "{a} * {b}",
    "divide": "{a} / (2.5 + {b} * {b})",
    "sin": "sin({a})",
    "tanh": "tanh({a})",
    "square": "{a} ** 2 / 4",
    "negative": "-{a}",
    "exp": "exp(-{a} * {a})",
    "mean": "mean({a}) + {b}",
    "sigmoid": "sigmoid({a} + {b})",
}
INPUTS = {"x": [0.3, -1.2, 0.7], "y": [[0.5], [-0.4]], "z": 0.9}


@st.composite
def node_lists(draw: st.DrawFn, most: int = 50) -> list[tuple[str, str, str, str]]:
    """Return nodes as (name, kind, operand, operand); operands come first."""
    known = list(INPUTS)
    nodes = []
    for i in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(sorted(EXPRESSIONS)))
        a, b = draw(st.sampled_from(known)), draw(st.sampled_from(known))
        nodes.append((f"n{i}", kind, a, b))
        known.append(f"n{i}")
    return nodes


def document(nodes: list[tuple[str, str, str, str]]) -> str:
    """Return a document whose output is the mean of the last nodes, kept small."""
    lines = [f"  {name}: {EXPRESSIONS[kind].format(a=a, b=b)}" for name, kind, a, b in nodes]
    last = " + ".join(f"mean(tanh({name}))" for name, *_ in nodes[-3:])
    inputs = ", ".join(f"{name}: {value}" for name, value in INPUTS.items())
    return f"graphspec: 1\ninputs: {{{inputs}}}\nnodes:\n" + "\n".join(lines) + f"\n  f: {last}\noutputs: f\n"


# -- derivatives --------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(node_lists(), st.integers(0, 2**32 - 1))
def test_reverse_mode_agrees_with_central_differences(nodes: list[tuple[str, str, str, str]], seed: int) -> None:
    program = gs.loads(document(nodes))
    rng = np.random.default_rng(seed)
    point = {name: np.asarray(value, dtype=np.float64) for name, value in INPUTS.items()}
    gradients = program.backprop(point).gradients
    for _ in range(2):
        direction = {name: rng.standard_normal(value.shape) for name, value in point.items()}

        def along(step: float, direction: dict[str, np.ndarray] = direction) -> float:
            return float(program.run({name: point[name] + step * direction[name] for name in point})["f"])

        predicted = sum(float(np.sum(gradients[name] * direction[name])) for name in point)
        step = 1e-5
        central = (along(step) - along(-step)) / (2 * step)
        richer = (4 * (along(step / 2) - along(-step / 2)) / step - central) / 3
        assert predicted == pytest.approx(richer, rel=1e-5, abs=1e-7)


@settings(max_examples=30, deadline=None)
@given(node_lists(20), st.integers(0, 2**32 - 1))
def test_second_derivatives_are_symmetric_and_agree_with_differences(
    nodes: list[tuple[str, str, str, str]], seed: int
) -> None:
    program = gs.loads(document(nodes))
    gradient = program.gradient(wrt=list(INPUTS))
    rng = np.random.default_rng(seed)
    point = {name: np.asarray(value, dtype=np.float64) for name, value in INPUTS.items()}
    u, v = ({name: rng.standard_normal(value.shape) for name, value in point.items()} for _ in range(2))

    def pulled(left: dict[str, np.ndarray], right: dict[str, np.ndarray]) -> float:
        """Return left' H right, by forward differences of the gradient: the dot-product test."""
        step = 1e-6
        ahead, behind = (
            gradient.run({name: point[name] + sign * step * right[name] for name in point}).outputs for sign in (1, -1)
        )
        return sum(float(np.sum(left[n] * (ahead[f"d_{n}"] - behind[f"d_{n}"]))) for n in point) / (2 * step)

    assert pulled(u, v) == pytest.approx(pulled(v, u), rel=1e-4, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(node_lists(30), st.integers(0, 2**32 - 1))
def test_every_cotangent_passes_the_dot_product_test(nodes: list[tuple[str, str, str, str]], seed: int) -> None:
    """What a node's cotangent predicts for a small change of the node is what happens downstream of it."""
    result = gs.loads(document(nodes)).backprop()
    rng = np.random.default_rng(seed)
    names = [name for name, *_ in nodes if name in result.cotangents]
    if not names:
        return
    name = names[int(rng.integers(len(names)))]
    at = next(i for i, node in enumerate(nodes) if node[0] == name)
    value = result.values[name]
    direction = rng.standard_normal(value.shape)
    lines = [f"  {n}: {EXPRESSIONS[kind].format(a=a, b=b)}" for i, (n, kind, a, b) in enumerate(nodes) if i != at]
    last = " + ".join(f"mean(tanh({n}))" for n, *_ in nodes[-3:])
    inputs = ", ".join(f"{n}: {v}" for n, v in INPUTS.items())
    shape = ", ".join(map(str, value.shape))
    text = (
        f"graphspec: 1\ninputs: {{{inputs}, {name}: {{shape: [{shape}]}}}}\nnodes:\n"
        + "\n".join(lines)
        + f"\n  f: {last}\noutputs: f\n"
    )
    cut = gs.loads(text)
    step = 1e-6
    ahead, behind = (float(cut.run({name: value + sign * step * direction})["f"]) for sign in (1, -1))
    predicted = float(np.sum(result.cotangents[name] * direction))
    assert predicted == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-7)


# -- order and form -----------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(node_lists(30), st.randoms(use_true_random=False))
def test_results_do_not_depend_on_the_order_of_the_document(
    nodes: list[tuple[str, str, str, str]], shuffle: random.Random
) -> None:
    text = document(nodes)
    head, _, rest = text.partition("nodes:\n")
    body, _, tail = rest.partition("\noutputs")
    lines = body.split("\n")
    shuffle.shuffle(lines)
    sections = [head.removeprefix("graphspec: 1\n"), "nodes:\n" + "\n".join(lines) + "\n", f"outputs{tail}"]
    shuffle.shuffle(sections)
    first, second = gs.loads(text).backprop(), gs.loads("graphspec: 1\n" + "".join(sections)).backprop()
    assert first["f"].tobytes() == second["f"].tobytes()
    assert set(first.values) == set(second.values)
    for name, array in first.values.items():
        assert array.tobytes() == second.values[name].tobytes()
    for name, array in first.gradients.items():
        assert np.allclose(array, second.gradients[name], rtol=1e-13, atol=1e-15)


FORMS = {
    "one expression": "nodes: {f: sigmoid((x + y) * (x - 2)) + y * y}",
    "explicit nodes": """nodes:
  f: {op: add, inputs: [g, h]}
  g: {op: sigmoid, inputs: {x: p}}
  p: {op: multiply, inputs: [a, b]}
  a: {op: add, inputs: [x, y]}
  b: {op: subtract, inputs: {a: x, b: 2}}
  h: {op: multiply, inputs: [y, y]}""",
    "edges": """nodes: {a: {op: add}, b: {op: subtract}, p: {op: multiply}, g: {op: sigmoid}, h: {op: multiply}, f: {op: add}}
constants: {two: 2}
edges:
  - x -> a
  - y -> a
  - x -> b.a
  - two -> b.b
  - a -> p.a
  - b -> p.b
  - p -> g -> f
  - y -> h.a
  - y -> h.b
  - h -> f""",
    "a function": """functions:
  inner: {inputs: [a, b], nodes: {y: (a + b) * (a - 2)}, outputs: y}
  square: {inputs: [a], nodes: {y: a * a}, outputs: y}
nodes:
  f: sigmoid(inner(x, y)) + square(y)""",
    "mixed": """functions:
  square: {inputs: [a], nodes: {y: {op: multiply}}, edges: [a -> y.a, a -> y.b], outputs: y}
nodes:
  s: {op: add}
  t: {op: sigmoid, inputs: s * (x - 2)}
  f: t + square(y)
edges: [x -> s, y -> s]""",
    "from the other side": "nodes: {f: g + y * y, g: sigmoid(s * d), d: x - 2, s: x + y}",
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(("x", "y"), [(3.0, 4.0), (-1.5, 0.25), (0.0, 0.0)])
def test_one_function_in_several_forms(form: str, x: float, y: float) -> None:
    result = gs.loads(f"graphspec: 1\ninputs: {{x: 3, y: 4}}\n{FORMS[form]}\noutputs: f").backprop(x=x, y=y)
    expected = gs.loads(f"graphspec: 1\ninputs: {{x: 3, y: 4}}\n{FORMS['one expression']}\noutputs: f").backprop(
        x=x, y=y
    )
    assert result["f"].tobytes() == expected["f"].tobytes()
    s = 1 / (1 + np.exp(-(x + y) * (x - 2)))
    assert result.gradients["x"] == pytest.approx(s * (1 - s) * (2 * x + y - 2), rel=1e-12)
    assert result.gradients["y"] == pytest.approx(s * (1 - s) * (x - 2) + 2 * y, rel=1e-12)


# -- size ---------------------------------------------------------------------------------------------------------------


def chain(length: int, order: list[int] | None = None) -> str:
    """Return a chain of nodes that each add 1."""
    lines = [f"  n{i}: {f'n{i - 1}' if i else 'x'} + 1" for i in range(length)]
    lines = lines if order is None else [lines[i] for i in order]
    return "graphspec: 1\ninputs: {x: 1}\nnodes:\n" + "\n".join(lines) + f"\noutputs: n{length - 1}\n"


def test_a_chain_of_200_000_nodes() -> None:
    limit = sys.getrecursionlimit()
    program = gs.loads(chain(200_000))
    result = program.backprop()
    assert result["n199999"] == 200_001
    assert result.gradients["x"] == 1
    assert sys.getrecursionlimit() == limit


def test_a_long_chain_in_any_order() -> None:
    order = list(range(20_000))
    random.Random(0).shuffle(order)
    for lines in (order, order[::-1], list(range(19_999, -1, -1))):
        result = gs.loads(chain(20_000, lines)).backprop()
        assert (result["n19999"], result.gradients["x"]) == (20_001, 1)


def test_loading_takes_work_in_proportion() -> None:
    def calls(length: int) -> int:
        profile = cProfile.Profile()
        profile.runcall(gs.loads, chain(length))
        return sum(entry.callcount for entry in profile.getstats())

    calls(100)
    small = calls(1_000)  # first: what is parsed is remembered
    assert calls(4_000) < 4.4 * small


def test_a_wide_graph() -> None:
    count = 5_000
    lines = [f"  n{i}: x * {i}" for i in range(count)]
    inputs = ", ".join(f"n{i}" for i in range(count))
    text = (
        "graphspec: 1\ninputs: {x: 2}\nnodes:\n"
        + "\n".join(lines)
        + f"\n  f: {{op: add, inputs: [{inputs}]}}\noutputs: f\n"
    )
    result = gs.loads(text).backprop()
    assert result.gradients["x"] == count * (count - 1) / 2


def test_a_node_with_many_users() -> None:
    count = 3_000
    lines = [f"  - s -> n{i}.a" for i in range(count)] + [f"  - n{i} -> f: {i}" for i in range(count)]
    nodes = "\n".join(f"  n{i}: {{op: multiply, inputs: {{b: 2}}}}" for i in range(count))
    text = (
        f"graphspec: 1\ninputs: {{x: 3}}\nnodes:\n  s: x * x\n{nodes}\n  f: {{op: add}}\nedges:\n"
        + "\n".join(lines)
        + "\noutputs: f\n"
    )
    result = gs.loads(text).backprop()
    assert result.gradients["x"] == 12 * count * (count - 1) / 2
    assert result.gradients["n7 -> f"] == 18


@pytest.mark.parametrize("length", [1, 2, 1_000, 20_000])
def test_a_cycle_names_every_node(length: int) -> None:
    lines = "\n".join(f"  n{i}: n{(i + 1) % length} * 2" for i in range(length))
    found = diagnostics(f"nodes:\n{lines}\noutputs: n0")
    assert len(found) == 1
    assert place(found[0]) == ("GS306", 3, 3)
    assert len(related(found[0])) == length


def nested_calls(depth: int) -> str:
    """Return a document with calls inside one another."""
    functions = [f"  f{i}: {{inputs: [x], nodes: {{y: f{i + 1}(x) + 1}}, outputs: y}}" for i in range(depth)]
    functions.append(f"  f{depth}: {{inputs: [x], nodes: {{y: x * x}}, outputs: y}}")
    return "inputs: {x: 3}\nfunctions:\n" + "\n".join(functions) + "\nnodes: {f: f0(x)}\noutputs: f\n"


def test_calls_inside_one_another() -> None:
    result = gs.loads("graphspec: 1\n" + nested_calls(15)).backprop()
    assert (result["f"], result.gradients["x"]) == (24, 6)


@pytest.mark.parametrize("depth", [61, 200])
def test_too_many_calls_inside_one_another(depth: int) -> None:
    found = diagnostics(nested_calls(depth))
    assert [item.code for item in found] == ["GS307"]


def test_a_caller_that_is_deep_itself() -> None:
    def below(levels: int) -> None:
        if levels:
            below(levels - 1)
        else:
            assert [item.code for item in diagnostics(nested_calls(59))] == ["GS307"]

    gs.loads("graphspec: 1\n" + nested_calls(1))
    below(max(0, sys.getrecursionlimit() - 500))
