"""The checker is checked: wrong gradient rules, planted in the catalogue, are all found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import graphspec as gs
import graphspec.ops
from graphspec.check import check_gradient
from graphspec.op import OPS

assert graphspec.ops.__doc__  # the catalogue is filled

Rule = Callable[..., tuple[Any, ...]]

# a spec line for each op: its operands are x and w, both [3, 3], and numbers that keep them inside of the domain
EXPRESSIONS = {
    "add": "x + w",
    "subtract": "x - w",
    "multiply": "x * w",
    "divide": "x / w",
    "negative": "-x",
    "pow": "x ** w",
    "exp": "exp(x)",
    "log": "log(x)",
    "sqrt": "sqrt(x)",
    "square": "square(x)",
    "reciprocal": "reciprocal(x)",
    "sin": "sin(x)",
    "cos": "cos(x)",
    "tanh": "tanh(x)",
    "maximum": "maximum(x, w)",
    "where": "where(x > 1, x, w)",
    "matmul": "x @ w",
    "sum": "sum(x, axis=0)",
    "mean": "mean(x, axis=1)",
    "max": "max(x, axis=1)",
    "prod": "prod(x, axis=0)",
    "reshape": "reshape(x, shape=[9])",
    "permute_dims": "permute_dims(x, axis=[1, 0])",
    "concat": "concat(x, w, axis=1)",
    "slice": "x[1:, 0]",
    "take": "take(x, i, axis=0)",
    "cumulative_sum": "cumulative_sum(x, axis=0)",
    "solve": "solve(x, w)",
    "erf": "erf(x)",
}


def scaled(factor: float) -> Callable[[Rule], Rule]:
    def plant(rule: Rule) -> Rule:
        return lambda self, g, ct, *v: tuple(None if c is None else c * factor for c in rule(self, g, ct, *v))

    return plant


def silent(index: int) -> Callable[[Rule], Rule]:
    """Return a plant that forgets one operand."""

    def plant(rule: Rule) -> Rule:
        def wrong(self: Any, g: Any, ct: Any, *v: Any) -> tuple[Any, ...]:
            pulled = rule(self, g, ct, *v)
            return tuple(None if i == index % len(pulled) else c for i, c in enumerate(pulled))

        return wrong

    return plant


def transposed(rule: Rule) -> Rule:
    """Transpose what is square; the types stay right, the numbers do not."""

    def wrong(self: Any, g: Any, ct: Any, *v: Any) -> tuple[Any, ...]:
        def turned(c: Any) -> Any:
            square = c is not None and c.type.rank == 2 and c.type.shape[0] == c.type.shape[1]
            return g.matrix_transpose(c) if square else c

        return tuple(turned(c) for c in rule(self, g, ct, *v))

    return wrong


def offset(rule: Rule) -> Rule:
    """Add a term that does not belong there."""
    return lambda self, g, ct, *v: tuple(None if c is None else c + 0.01 for c in rule(self, g, ct, *v))


def averaged(rule: Rule) -> Rule:
    """Replace every cotangent by its mean: a sum at the wrong place."""

    def wrong(self: Any, g: Any, ct: Any, *v: Any) -> tuple[Any, ...]:
        pulled = rule(self, g, ct, *v)
        return tuple(
            None if c is None or c.type.is_scalar else g.broadcast_to(g.mean(c), shape=c.type.shape) for c in pulled
        )

    return wrong


PLANTS = {
    "sign": scaled(-1.0),
    "factor": scaled(1.001),
    "zero": scaled(0.0),
    "term": offset,
    "missing": silent(0),
    "transposed": transposed,
    "mean": averaged,
}


def program(name: str) -> gs.Program:
    return gs.loads(
        f"""
        graphspec: 1
        inputs:
          x: [[1.3, 0.6, 0.9], [0.4, 1.7, 0.8], [1.1, 0.7, 2.1]]
          w: [[0.7, 1.2, 0.5], [1.4, 0.9, 1.6], [0.3, 1.8, 1.15]]
          i: {{shape: [4], dtype: int64, value: [2, 0, 0, 1]}}
        nodes:
          y: '{EXPRESSIONS[name]}'
          f: sum(sin(y * 1.7 + 0.3 * reshape(cumulative_sum(ones_like(reshape(y, shape=[-1])), axis=0), shape=y.shape)))
        outputs: f
        """.replace("\n        ", "\n")
    )


def differs(name: str, plant: str) -> bool:
    """Tell whether the planted rule gives other numbers at all."""
    right = program(name).backprop().gradients
    original = OPS[name].vjp
    try:
        OPS[name].vjp = PLANTS[plant](original)  # type: ignore[method-assign]
        wrong = program(name).backprop().gradients
    finally:
        OPS[name].vjp = original  # type: ignore[method-assign]
    return any(abs(right[key] - wrong[key]).max() > 1e-6 for key in right)


# plants that change a number: a symmetric cotangent survives its transpose, and two changes of sign undo one another
CASES = [(name, plant) for name in EXPRESSIONS for plant in PLANTS if differs(name, plant)]


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_right_rules_pass(name: str) -> None:
    outcomes = check_gradient(program(name))
    assert outcomes
    assert all(outcome.ok for outcome in outcomes)


@pytest.mark.parametrize(("name", "plant"), CASES, ids=[f"{name}-{plant}" for name, plant in CASES])
def test_a_planted_rule_is_found(name: str, plant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OPS[name], "vjp", PLANTS[plant](OPS[name].vjp))
    assert not all(outcome.ok for outcome in check_gradient(program(name)))


def test_there_are_many() -> None:
    assert len(CASES) >= 150
    assert all(sum(name == other for other, _ in CASES) >= 3 for name in EXPRESSIONS)
