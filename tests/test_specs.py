"""The specs that are shipped: they load, their own tests pass, they survive writing and reading."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from graphspec.program import Program, load, loads

FOLDER = Path(__file__).resolve().parent.parent / "specs"
SPECS = {path.relative_to(FOLDER).as_posix(): path for path in sorted(FOLDER.rglob("*.yaml"))}
SMALL = 50_000  # parameters: what is larger is loaded, and its own tests run, but nothing is compared in full size
LECTURE_WEIGHTS = {
    "w1": "x1 -> z",
    "w2": "x2 -> z",
    "w3": "a -> z1",
    "w4": "a -> z2",
    "w5": "a1 -> za",
    "w6": "a1 -> zb",
    "w7": "a2 -> za",
    "w8": "a2 -> zb",
}


def spec(name: str) -> Program:
    return load(SPECS[f"{name}.yaml"])


def is_small(program: Program) -> bool:
    return sum(math.prod(item.shape) for item in program.model.parameters.values()) < SMALL


def cases(name: str) -> Iterator[tuple[Program, dict[str, Any]]]:
    """Yield a spec with the attributes of each of its tests, and the feeds of it, where that is small.

    What only such feeds make exist, an optional input, is not in a spec that is written without them.
    """
    for test in load(SPECS[name]).model.function.tests:
        program, feeds = load(SPECS[name], attributes=test.get("attributes")), dict(test.get("feeds", {}))
        if is_small(program) and all(program.model.find(feed) is not None for feed in feeds):
            yield program, feeds


@pytest.mark.parametrize("name", SPECS)
def test_names_its_schema_and_says_what_it_is(name: str) -> None:
    first = SPECS[name].read_text(encoding="utf-8").splitlines()[0]
    schema = first.removeprefix("# yaml-language-server: $schema=")
    assert (SPECS[name].parent / schema).resolve() == FOLDER.parent / "schemas" / "graphspec.schema.json"
    program = load(SPECS[name])
    document = program.model.function
    assert document.doc
    assert document.tests or not document.outputs or not is_small(program)


@pytest.mark.parametrize("name", SPECS)
def test_its_own_tests_pass(name: str) -> None:
    check = pytest.importorskip("graphspec.check")
    program = load(SPECS[name])
    report = check.check_program(program, gradients=is_small(program))
    assert report.ok, report


# -- written and read back --------------------------------------------------------------------------------------------


def run(program: Program, feeds: dict[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return outputs and gradients."""
    if program.model.of is None:
        return program.run(feeds).outputs, {}
    result = program.backprop(feeds)
    return result.outputs, result.gradients


def assert_same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert set(found) == set(expected)
    for name, array in expected.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array), name


@pytest.mark.parametrize("name", SPECS)
def test_render_keeps_paths_and_bits(name: str) -> None:
    for program, feeds in cases(name):
        flat = loads(program.to_yaml())
        for found, expected in zip(run(flat, feeds), run(program, feeds), strict=True):
            assert_same(found, expected)
        assert_same(flat.run(feeds).values, program.run(feeds).values)
        assert flat.to_yaml() == program.to_yaml()


@pytest.mark.parametrize("name", SPECS)
def test_grad_is_a_spec_with_the_same_bits(name: str) -> None:
    for program, feeds in cases(name):
        if program.model.of is None:
            continue
        expected = list(program.backprop(feeds).gradients.values())
        written = loads(program.gradient().to_yaml())
        known = {path: value for path, value in feeds.items() if written.model.find(path) is not None}
        found = list(written.run(known).outputs.values())
        assert len(found) == len(expected)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))


# -- the numbers of the notes -----------------------------------------------------------------------------------------


def test_circuit() -> None:
    result = spec("functions/circuit").backprop()
    assert result["f"] == -12
    assert {name: array.item() for name, array in result.gradients.items()} == {"x": -4, "y": -4, "z": 3}
    assert result.cotangents["q"] == -4


@pytest.mark.parametrize("name", ["sigmoid_neuron", "sigmoid_op"])
def test_sigmoid_neuron(name: str) -> None:
    result = spec(f"functions/{name}").backprop()
    found = {key: round(array.item(), 4) for key, array in result.gradients.items()}
    assert round(result["f"].item(), 4) == 0.7311
    assert found == {"w0": -0.1966, "x0": 0.3932, "w1": -0.3932, "x1": -0.5898, "w2": 0.1966}


# -- the lecture's network, in three ways -----------------------------------------------------------------------------


def lecture_feeds(seed: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return the same random numbers for the three files."""
    x1, x2, target_a, target_b, b, *w = np.random.default_rng(seed).normal(size=13).tolist()
    leaves = {"x1": x1, "x2": x2, "target_a": target_a, "target_b": target_b, "b": b}
    matrices = {
        "weight1": [[w[0]], [w[1]]],
        "weight2": [[w[2], w[3]]],
        "weight3": [[w[4], w[5]], [w[6], w[7]]],
    }
    return (
        leaves | dict(zip(LECTURE_WEIGHTS.values(), w, strict=True)),
        leaves | dict(zip(LECTURE_WEIGHTS, w, strict=True)),
        {"x": [x1, x2], "target": [target_a, target_b], "b": [b]} | matrices,
    )


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
def test_lecture_edge_by_edge(seed: int | None) -> None:
    feeds = ({}, {}, {}) if seed is None else lecture_feeds(seed)
    edges, expressions, matmul = (
        spec(f"networks/lecture_{name}").backprop(given)
        for name, given in zip(("edges", "expressions", "matmul"), feeds, strict=True)
    )
    assert edges["loss"].item() == pytest.approx(expressions["loss"].item(), rel=1e-12)
    assert edges["loss"].item() == pytest.approx(matmul["loss"].item(), rel=1e-12)
    layers = [matmul.gradients[f"weight{i}"].ravel() for i in (1, 2, 3)]
    by_matrix = dict(zip(LECTURE_WEIGHTS, np.concatenate(layers).tolist(), strict=True))
    for weight, edge in LECTURE_WEIGHTS.items():
        found = edges.gradients[edge].item()
        assert found == pytest.approx(expressions.gradients[weight].item(), rel=1e-12, abs=1e-12)
        assert found == pytest.approx(by_matrix[weight], rel=1e-12, abs=1e-12)
    for i, name in enumerate(("x1", "x2")):
        assert edges.gradients[name].item() == pytest.approx(matmul.gradients["x"][i].item(), rel=1e-12, abs=1e-12)
    assert edges.gradients["b"].item() == pytest.approx(matmul.gradients["b"].item(), rel=1e-12, abs=1e-12)


def test_lecture_loss_falls_along_every_edge() -> None:
    """Each edge's gradient is the slope of the loss along its weight."""
    program, step = spec("networks/lecture_edges"), 1e-6
    gradients = program.backprop().gradients
    for edge in LECTURE_WEIGHTS.values():
        weight = program.parameters[edge].item()
        up, down = (program.run({edge: weight + h})["loss"].item() for h in (step, -step))
        assert gradients[edge].item() == pytest.approx((up - down) / (2 * step), rel=1e-6, abs=1e-9)


# -- networks ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["xor", "logistic_regression"])
def test_the_loss_falls_along_the_gradient(name: str) -> None:
    program = spec(f"networks/{name}")
    before = program.backprop()
    step = {path: program.parameters[path] - 0.01 * before.gradients[path] for path in program.parameters}
    assert program.run(step)["loss"] < before["loss"]


def test_mlp_takes_its_sizes_from_attributes() -> None:
    program = load(SPECS["networks/mlp.yaml"], attributes={"pixels": 6, "hidden": 7, "classes": 4})
    assert {path: array.shape for path, array in program.parameters.items()} == {
        "h.linear.weight": (6, 7),
        "h.linear.bias": (7,),
        "logits.weight": (7, 4),
        "logits.bias": (4,),
    }
    rng = np.random.default_rng(0)
    result = program.backprop(image=rng.normal(size=(5, 6)).astype("float32"), label=[0, 1, 2, 3, 0])
    assert result["logits"].shape == (5, 4)
    assert 0.5 * math.log(4) < result["loss"] < 2 * math.log(4)
    assert {array.dtype.name for array in result.gradients.values()} == {"float32"}


# -- the rules that files show ----------------------------------------------------------------------------------------


def test_unused_parameters_do_not_exist() -> None:
    assert list(spec("functions/conditions").parameters) == ["used"]
    other = load(SPECS["functions/conditions.yaml"], attributes={"wide": False})
    assert list(other.parameters) == ["unused"]


def test_initialisers_depend_on_seed_and_path_only() -> None:
    program = spec("functions/initialisers")
    names = ["gauss", "cut", "flat", "turned", "glorot", "he_n"]

    def drawn(seed: int, program: Program = program) -> dict[str, np.ndarray]:
        return {name: program.run(seed=seed).values[name] for name in names}

    first, again, other = drawn(0), drawn(0, spec("functions/initialisers")), drawn(1)
    assert all(np.array_equal(first[name], again[name]) for name in names)
    assert not any(np.array_equal(first[name], other[name]) for name in names)
    assert np.abs(first["cut"]).max() <= 4
    np.testing.assert_allclose(first["turned"] @ first["turned"].T, 4 * np.eye(4), atol=1e-12)


def test_updates_take_effect_when_applied() -> None:
    program = spec("functions/running_mean")
    numbers = [1.0, 2.0, 3.0, 6.0]
    for number in numbers:
        result = program.run(x=number)
        assert program.state["count"] == result["n"] - 1
        program.apply(result)
    assert program.state["mean"] == np.mean(numbers)
    assert program.state["last"].tolist() == [3, 6]


def test_an_untrained_weight_is_no_default_of_wrt() -> None:
    gradients = spec("functions/edges").backprop().gradients
    assert "x1 -> z" in gradients
    assert "a -> mixed" not in gradients
