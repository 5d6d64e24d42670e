"""Rules L9.1 to L9.3: what graphspec writes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import graphspec as gs

SPECS = sorted(Path(__file__).parent.parent.joinpath("specs").rglob("*.yaml"))

EVERYTHING = """
graphspec: 1
doc: One of everything that render has to expand.
attributes: {width: 3}
inputs:
  x: {shape: [batch, 2], value: [[1, -2], [0.5, 3]]}
  label: {shape: [batch], dtype: int64, value: [0, 1]}
parameters:
  scale: 1.5
  kernel: {shape: [2, $(width)], init: normal(std=0.5)}
state: {runs: 0}
constants: {offset: [1, 2, 3], half: 0.5}
functions:
  layer:
    inputs: {y: {shape: [n, k]}}
    attributes: {gain: 2.0}
    parameters: {shift: {shape: [k], init: ones}}
    nodes: {out: tanh(y) * gain + shift}
    outputs: out
  rounded:
    inputs: [a]
    attributes: {slope: 1.0}
    nodes: {r: round(a)}
    outputs: r
    gradient: {a: ct * slope}
    surrogate: true
nodes:
  h: x @ kernel + offset
  deep: {op: layer, inputs: h, repeat: 2, gain: 0.5}
  pair: split(deep, sizes=[1, 2], axis=1)
  z: {op: add}
  soft: rounded(deep * 3, slope=0.25)
  loss: mean(z[:, 0] * half) + sum(soft) * 1e-2 - -scale
edges:
  - pair.y0 -> z: 0.5
  - pair.y1 -> z: scale
outputs: loss
updates: {runs: runs + 1}
"""
EVERYTHING = EVERYTHING.replace("$(width)", "width")


def same(a: gs.Program, b: gs.Program) -> None:
    """Assert that two programs have the same paths and give the same bits."""
    left, right = a.backprop(seed=3), b.backprop(seed=3)
    for one, other in (
        (left.outputs, right.outputs),
        (left.gradients, right.gradients),
        (left.values, right.values),
        (left.cotangents, right.cotangents),
        (left.updates, right.updates),
    ):
        assert list(one) == list(other) or set(one) == set(other)
        for name in one:
            np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_l9_1_render_gives_the_same_paths_and_the_same_bits() -> None:
    program = gs.loads(EVERYTHING)
    again = gs.loads(program.to_yaml())
    same(program, again)
    assert again.to_yaml() == program.to_yaml()


def test_l9_1_render_expands_calls_repeats_and_edges_and_keeps_initialisers() -> None:
    text = gs.loads(EVERYTHING).to_yaml()
    assert "deep.0.shift" in text
    assert "deep.1.shift" in text
    assert "init: normal(mean=0.0, std=0.5)" in text or "normal(mean=0.0, std=0.5)" in text
    assert "repeat" not in text
    assert "edges" not in text
    assert "->" in text  # the parameter of the weighted edge keeps its name


def test_l9_1_functions_with_a_gradient_stay_functions() -> None:
    text = gs.loads(EVERYTHING).to_yaml()
    assert "surrogate: true" in text
    assert "a: ct * 0.25" in text


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_l9_1_every_spec_renders_to_itself(path: Path) -> None:
    program = gs.load(path)
    again = gs.loads(program.to_yaml(), folder=path.parent)
    assert set(again.graph.names) == set(program.graph.names)
    assert again.to_yaml() == program.to_yaml()


def test_l9_2_grad_writes_one_node_per_cotangent_with_its_rule() -> None:
    circuit = "{graphspec: 1, inputs: {x: -2, y: 5, z: -4}, nodes: {q: x + y, f: q * z}, outputs: f}"
    text = gs.loads(circuit).gradient().to_yaml()
    assert "d_q: d_f * z  # cotangent of q: rule of multiply at f" in text
    assert "outputs: [d_x, d_y, d_z]" in text
    assert "differentiate" not in text
    assert "x: -2" in text


@pytest.mark.parametrize("text", [EVERYTHING])
def test_l9_2_a_gradient_file_runs_and_gives_the_same_gradients(text: str) -> None:
    program = gs.loads(text)
    expected = program.backprop().gradients
    derived = program.gradient()
    file = gs.loads(derived.to_yaml())
    names = ["d_" + name.replace(" -> ", "_to_").replace(".", "_") for name in expected]
    assert list(file.outputs) == names
    for name, d_name in zip(expected, names, strict=True):
        np.testing.assert_allclose(file.run()[d_name], expected[name], rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(derived.run()[d_name], expected[name], rtol=1e-13, atol=1e-13)


def test_l9_2_a_gradient_file_differentiates_again() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: 0.7}, nodes: {f: exp(sin(x) * 2) / (x**2 + 1)}, outputs: f}")
    first = gs.loads(program.gradient().to_yaml())
    second = gs.loads(first.gradient().to_yaml())

    def slope(x: float) -> float:
        return float(program.backprop(x=x).gradients["x"])

    difference = (slope(0.7 + 1e-5) - slope(0.7 - 1e-5)) / 2e-5
    assert list(second.outputs) == ["d_x_2"]
    assert float(second.run()["d_x_2"]) == pytest.approx(difference, rel=1e-8)
    assert float(program.gradient().gradient().run()["d_x_2"]) == pytest.approx(difference, rel=1e-8)


def test_l9_2_names_are_numbered_where_they_are_taken() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: 2, d_x: 3}, nodes: {f: x * x * d_x}, outputs: f}")
    derived = program.gradient()
    assert list(derived.outputs) == ["d_x_2", "d_d_x"]
    assert float(derived.run()["d_x_2"]) == 12.0


def test_l9_2_names_of_weighted_edges() -> None:
    text = "{graphspec: 1, inputs: {x: 2}, nodes: {z: {op: add}}, edges: [{x -> z: 3}], outputs: z}"
    assert list(gs.loads(text).gradient(wrt=["x -> z", "z.multiply"]).outputs) == ["d_x_to_z", "d_z_multiply"]


def test_l9_1_a_string_keeps_its_quotes() -> None:
    text = """{graphspec: 1, nodes: {a: {op: random_normal, shape: [3], key: 'say "x"'}}, outputs: a}"""
    same_bits = gs.loads(gs.loads(text).to_yaml()).run()["a"]
    np.testing.assert_array_equal(same_bits, gs.loads(text).run()["a"])


def test_l9_3_inputs_with_the_names_of_options_go_through_the_mapping() -> None:
    text = "{graphspec: 1, inputs: {of: 1, engine: 2}, nodes: {f: of * engine}, outputs: f}"
    assert float(gs.loads(text).run({"of": 3.0, "engine": 5.0})["f"]) == 15.0


def test_l9_3_attributes_override_from_python() -> None:
    text = "{graphspec: 1, attributes: {n: 2}, inputs: {x: 3}, nodes: {f: x * n}, outputs: f}"
    assert float(gs.loads(text, attributes={"n": 5}).run()["f"]) == 15.0
