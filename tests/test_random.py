"""The random ops: what the numbers depend on, and how they are distributed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import graphspec.ops  # noqa: F401
from graphspec.graph import Graph
from graphspec.op import OPS


def draw(name: str, seed: int = 0, step: int = 0, **given: Any) -> np.ndarray:
    """Return the numbers of one node."""
    numbers: np.ndarray = OPS[name](**{"shape": (1000,), **given}).kernel(np, np.array([seed, step]))
    return numbers


@pytest.mark.parametrize("name", ["random_uniform", "random_normal"])
class TestBoth:
    def test_seed_step_and_key_decide(self, name: str) -> None:
        first = draw(name, seed=1, step=2, key="h")
        assert np.array_equal(first, draw(name, seed=1, step=2, key="h"))
        others = [(2, 2, "h"), (1, 1, "h"), (2, 1, "h"), (1, 2, "g"), (-1, 2, "h"), (1 + 2**32, 2, "h")]
        for seed, step, key in others:
            assert not np.intersect1d(first, draw(name, seed=seed, step=step, key=key)).size

    def test_float32_is_drawn_in_float32(self, name: str) -> None:
        assert draw(name, dtype="float32").dtype == np.float32
        assert draw(name, dtype="float16").dtype == np.float16

    def test_seed_is_an_implicit_operand_and_equal_nodes_merge(self, name: str) -> None:
        graph = Graph()
        op = OPS[name]
        first = graph.apply(op(shape=(2,), key="a"))
        assert graph.operands[first.id] == (graph.seed(),)
        assert graph.apply(op(shape=(2,), key="a")) == first
        assert graph.apply(op(shape=(2,), key="b")) != first


def test_uniform_numbers_fill_their_range() -> None:
    numbers = draw("random_uniform", shape=(20_000,), low=-1.0, high=3.0)
    assert numbers.min() >= -1
    assert numbers.max() <= 3
    assert numbers.mean() == pytest.approx(1, abs=0.05)
    assert numbers.var() == pytest.approx(16 / 12, rel=0.03)


def test_normal_numbers_have_their_moments() -> None:
    numbers = draw("random_normal", shape=(20_000,), mean=2.0, std=0.5)
    assert numbers.mean() == pytest.approx(2, abs=0.02)
    assert numbers.std() == pytest.approx(0.5, rel=0.03)
    assert ((numbers - 2) ** 3).mean() == pytest.approx(0, abs=0.02)


def test_bernoulli_numbers_are_true_as_often_as_asked() -> None:
    op = OPS["random_bernoulli"](shape=(20_000, 3), key="a")
    drawn = op.kernel(np, np.array([0.1, 0.5, 0.9]), np.array([0, 0]))
    assert drawn.mean(axis=0) == pytest.approx([0.1, 0.5, 0.9], abs=0.015)


def test_categories_are_drawn_with_the_probabilities_of_softmax() -> None:
    logits = np.broadcast_to(np.log([1.0, 2.0, 5.0]) + 3, (20_000, 3))
    drawn = OPS["random_categorical"](key="a").kernel(np, logits, np.array([0, 0]))
    assert np.bincount(drawn) / len(drawn) == pytest.approx([0.125, 0.25, 0.625], abs=0.015)


def test_permutations_have_each_number_once_and_no_favourite() -> None:
    op = OPS["random_permutation"](n=5, key="a")
    drawn = np.array([op.kernel(np, np.array([0, step])) for step in range(2000)])
    assert (np.sort(drawn, axis=1) == np.arange(5)).all()
    assert drawn.mean(axis=0) == pytest.approx([2.0] * 5, abs=0.15)


@pytest.mark.parametrize(
    ("name", "operands", "given"),
    [
        ("random_bernoulli", [np.full(100, 0.5)], {}),
        ("random_categorical", [np.zeros((100, 4))], {}),
        ("random_permutation", [], {"n": 100}),
    ],
)
def test_choices_depend_on_seed_step_and_key_and_have_no_gradient(
    name: str, operands: list[np.ndarray], given: dict[str, Any]
) -> None:
    def choose(seed: int, step: int, key: str) -> np.ndarray:
        result: np.ndarray = OPS[name](**given, key=key).kernel(np, *operands, np.array([seed, step]))
        return result

    first = choose(1, 2, "h")
    assert np.array_equal(first, choose(1, 2, "h"))
    others = [choose(2, 2, "h"), choose(1, 1, "h"), choose(2, 1, "h"), choose(1, 2, "g")]
    assert not any(np.array_equal(first, other) for other in others)
    assert not OPS[name].differentiable
