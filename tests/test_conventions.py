"""Gradients at kinks, ties, bounds and zeros: the conventions that the docstrings of the ops state."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import graphspec.ops  # noqa: F401
from graphspec.autodiff import vjp, zeros
from graphspec.engine import jax_engine, numpy_engine
from graphspec.graph import Graph
from graphspec.op import OPS
from graphspec.plan import schedule
from graphspec.types import TensorType
from graphspec.value import Value


def gradients(name: str, *operands: Any, order: int = 1, **given: Any) -> list[Any]:
    """Return the gradients of the sum of an op's output; of order two, those of the sum of the first gradient."""
    graph = Graph()
    arrays = [np.asarray(operand) for operand in operands]
    leaves = [graph.leaf("input", f"x{i}", TensorType(str(x.dtype), x.shape)) for i, x in enumerate(arrays)]
    found = [graph.apply(OPS[name](**given), *leaves)]
    for _ in range(order):
        seed = {found[0].id: zeros(graph, found[0].type) + 1}
        backward = vjp(graph, seed, [leaf.id for leaf in leaves])
        found = [backward.cotangents.get(leaf.id) or zeros(graph, leaf.type) for leaf in leaves]
    return [array.tolist() for array in compute(graph, found, dict(zip(leaves, arrays, strict=True)))]


ENGINE = numpy_engine


@pytest.fixture(autouse=True, params=[numpy_engine, jax_engine], ids=["numpy", "jax"])
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test on both engines."""
    monkeypatch.setitem(globals(), "ENGINE", request.param)


def compute(graph: Graph, values: list[Value], arrays: dict[Value, np.ndarray]) -> list[np.ndarray]:
    plan = schedule(graph, [value.id for value in values])
    return ENGINE.run(plan, {leaf.id: array for leaf, array in arrays.items()}, {})


def test_abs_is_flat_at_zero() -> None:
    assert gradients("abs", [-2.0, 0.0, 3.0]) == [[-1.0, 0.0, 1.0]]


@pytest.mark.parametrize("name", ["sign", "round", "floor", "ceil", "trunc", "stop_gradient"])
def test_steps_are_flat(name: str) -> None:
    assert gradients(name, [-1.5, 0.0, 0.5, 2.0]) == [[0.0, 0.0, 0.0, 0.0]]


def test_maximum_and_minimum_share_ties() -> None:
    a, b = [1.0, 2.0, 3.0], [3.0, 2.0, 1.0]
    assert gradients("maximum", a, b) == [[0.0, 0.5, 1.0], [1.0, 0.5, 0.0]]
    assert gradients("minimum", a, b) == [[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]]


def test_max_and_min_share_ties() -> None:
    x = [[1.0, 4.0, 4.0], [2.0, 2.0, 2.0]]
    assert gradients("max", x, axis=1) == [[[0.0, 0.5, 0.5], [1 / 3, 1 / 3, 1 / 3]]]
    assert gradients("max", x) == [[[0.0, 0.5, 0.5], [0.0, 0.0, 0.0]]]
    assert gradients("min", x, axis=(0, -1), keepdims=True) == [[[1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]


def test_max_gives_nan_no_gradient() -> None:
    assert gradients("max", [1.0, math.nan, 2.0]) == [[0.0, 0.0, 0.0]]


def test_clip_passes_at_its_bounds() -> None:
    x = [-1.0, 0.0, 0.5, 1.0, 2.0]
    assert gradients("clip", x, 0.0, 1.0) == [[0.0, 1.0, 1.0, 1.0, 0.0], 1.0, 1.0]
    assert gradients("clip", [-1.0, 0.0, 3.0], 2.0, 1.0) == [[0.0, 0.0, 0.0], 0.0, 3.0]


def test_remainder_has_one_slope_at_its_steps() -> None:
    assert gradients("remainder", [4.0, -4.0], [2.0, 3.0]) == [[1.0, 1.0], [-2.0, 2.0]]
    assert gradients("floor_divide", [4.0, -4.0], [2.0, 3.0]) == [[0.0, 0.0], [0.0, 0.0]]


def test_pow_is_finite_at_base_zero() -> None:
    assert gradients("pow", [0.0, 0.0, 0.0, 3.0], [2.0, 1.0, 0.0, 0.0])[0] == [0.0, 1.0, 0.0, 0.0]
    assert gradients("pow", [0.0, 0.0, 0.0, 1.0], [2.0, 1.0, 0.0, 5.0])[1] == [0.0, 0.0, 0.0, 0.0]
    assert gradients("pow", 2.0, 0.0, order=2) == [0.0, 0.5]  # of b * a**(b - 1)
    assert gradients("pow", [0.0, 2.0], [-1.0, 3.0])[1] == pytest.approx([0.0, 8 * math.log(2)])


def test_pow_bends_rightly_at_zero() -> None:
    """Differentiate twice along the base only: a constant exponent is what squares and cubes have."""
    graph = Graph()
    x = graph.leaf("input", "x", TensorType("float64", (4,)))
    exponent = graph.leaf("input", "n", TensorType("float64", (4,)))
    y = x**exponent
    for _ in range(2):
        y = vjp(graph, {y.id: zeros(graph, y.type) + 1}, [x.id]).cotangents[x.id]
    arrays = {x: np.array([0.0, 0.0, 0.0, 2.0]), exponent: np.array([2.0, 1.0, 0.0, 0.0])}
    assert compute(graph, [y], arrays)[0].tolist() == [2.0, 0.0, 0.0, 0.0]


def test_prod_is_right_with_zeros() -> None:
    assert gradients("prod", [2.0, 0.0, 3.0]) == [[0.0, 6.0, 0.0]]
    assert gradients("prod", [2.0, 0.0, 0.0]) == [[0.0, 0.0, 0.0]]
    assert gradients("prod", [2.0, 0.0, 0.0], order=2) == [[0.0, 2.0, 2.0]]
    assert gradients("prod", [[2.0, 0.0], [3.0, 5.0]], axis=(0, 1)) == [[[0.0, 30.0], [0.0, 0.0]]]


def test_sqrt_is_steep_at_zero() -> None:
    assert gradients("sqrt", [0.0, 4.0]) == [[math.inf, 0.25]]


def test_where_gives_the_branch_not_chosen_nothing() -> None:
    assert gradients("where", [True, False], [1.0, 2.0], 3.0)[1:] == [[1.0, 0.0], 1.0]


def test_second_derivatives_of_kinks_are_zero() -> None:
    assert gradients("maximum", [1.0, 2.0], [3.0, 2.0], order=2) == [[0.0, 0.0], [0.0, 0.0]]
    assert gradients("abs", [-1.0, 0.0], order=2) == [[0.0, 0.0]]


def test_comparisons_have_no_gradient_and_say_so() -> None:
    graph = Graph()
    x = graph.leaf("input", "x", TensorType("float64", ()))
    step = graph.g.where(graph.g.greater(x, 0), 2 * zeros(graph, x.type), 1)
    backward = vjp(graph, {step.id: zeros(graph, x.type)}, [x.id])
    assert [graph.ops[node].name for node in backward.blocked.values()] == ["greater"]


def test_hypot_is_flat_at_the_origin() -> None:
    assert gradients("hypot", [4.0, 0.0, 0.0], [-3.0, 0.0, 2.0]) == [[0.8, 0.0, 0.0], [pytest.approx(-0.6), 0.0, 1.0]]


def test_copysign_is_flat_at_zero() -> None:
    assert gradients("copysign", [2.0, -2.0, 0.0], [-1.0, -0.0, 3.0]) == [[-1.0, 1.0, 0.0], [0.0, 0.0, 0.0]]


def test_logaddexp_gives_shares_at_infinity_too() -> None:
    a, b = [0.0, math.inf, -math.inf, -math.inf, 1e300], [0.0, 1.0, 1.0, -math.inf, 1e300]
    found = gradients("logaddexp", a, b)
    assert found == [pytest.approx([0.5, 1.0, 0.0, 0.5, 0.5]), pytest.approx([0.5, 0.0, 1.0, 0.5, 0.5])]
    assert np.isfinite(gradients("logaddexp", a, b, order=2)).all()


def test_roots_are_steep_at_zero() -> None:
    assert gradients("cbrt", [0.0, 8.0, -8.0]) == [pytest.approx([math.inf, 1 / 12, 1 / 12])]
    assert gradients("rsqrt", [0.0, 4.0]) == [[-math.inf, -0.0625]]


def test_nan_to_num_passes_only_what_is_finite() -> None:
    assert gradients("nan_to_num", [1.0, math.nan, math.inf, -math.inf]) == [[1.0, 0.0, 0.0, 0.0]]


def test_surrogates_change_only_the_gradient() -> None:
    assert gradients("scale_gradient", [1.0, 2.0], -0.5) == [[-0.5, -0.5], 0.0]
    assert gradients("clip_gradient", [1.0, 2.0], [-2.0, -2.0], [0.25, 3.0]) == [[0.25, 1.0], [0.0, 0.0], [0.0, 0.0]]


def test_cumulative_prod_is_right_with_zeros() -> None:
    assert gradients("cumulative_prod", [2.0, 0.0, 3.0]) == [[1.0, 8.0, 0.0]]
    assert gradients("cumulative_prod", [0.0, 0.0, 3.0], reverse=True) == [[0.0, 3.0, 1.0]]
    assert gradients("cumulative_prod", [0.0, 0.0], include_initial=True, order=2) == [[1.0, 1.0]]


@pytest.mark.parametrize(
    ("descending", "numbers", "expected"),
    [(False, [5.0, 2.0, 5.0, 7.0], [2.0, 1.0, 3.0, 4.0]), (True, [2.0, 2.0, 5.0, 5.0], [3.0, 4.0, 1.0, 2.0])],
)
def test_sorting_keeps_the_order_of_ties(descending: bool, numbers: list[float], expected: list[float]) -> None:
    graph = Graph()
    x, ct = (graph.leaf("input", name, TensorType("float64", (4,))) for name in ("x", "ct"))
    y = graph.g.sort(x, descending=descending)
    pulled = vjp(graph, {y.id: ct}, [x.id]).cotangents[x.id]
    arrays = {x: np.array(numbers), ct: np.array([1.0, 2.0, 3.0, 4.0])}
    assert compute(graph, [pulled], arrays)[0].tolist() == expected


def test_top_k_gives_the_first_of_ties_the_gradient() -> None:
    graph = Graph()
    x = graph.leaf("input", "x", TensorType("float64", (4,)))
    values, _ = graph.g.top_k(x, k=2)
    pulled = vjp(graph, {values.id: zeros(graph, values.type) + 1}, [x.id]).cotangents[x.id]
    assert compute(graph, [pulled], {x: np.array([1.0, 3.0, 3.0, 3.0])})[0].tolist() == [0.0, 1.0, 1.0, 0.0]


def test_indices_that_occur_twice_add_their_cotangents() -> None:
    assert gradients("gather_nd", [1.0, 2.0, 3.0], [[1], [1], [0]])[0] == [1.0, 2.0, 0.0]
    assert gradients("pad", [1.0, 2.0, 3.0], before=(2,), after=(2,), mode="reflect") == [[2.0, 3.0, 2.0]]
    assert gradients("pad", [1.0, 2.0], before=(2,), after=(3,), mode="edge") == [[3.0, 4.0]]
    assert gradients("scatter", [1.0, 2.0], [1, 1], [3.0, 4.0]) == [[1.0, 0.0], [0, 0], [1.0, 1.0]]
    found = gradients("scatter_nd", [1.0, 2.0], [[1], [1]], [3.0, 4.0], reduction="add")
    assert found == [[1.0, 1.0], [[0], [0]], [1.0, 1.0]]


@pytest.mark.parametrize("name", ["zeros_like", "ones_like", "full_like"])
def test_only_the_shape_counts(name: str) -> None:
    assert gradients(name, [1.0, math.nan]) == [[0.0, 0.0]]
