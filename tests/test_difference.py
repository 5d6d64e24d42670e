"""Numerical derivatives of functions of one number."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from graphspec.difference import slope

SMOOTH: dict[str, tuple[Callable[[float], float], float]] = {
    "a constant": (lambda t: 3.0, 0.0),
    "a line": (lambda t: 2 * t - 1, 2.0),
    "exp": (math.exp, 1.0),
    "large beside its slope": (lambda t: 1e6 + math.sin(t), 1.0),
    "fast": (lambda t: math.sin(1000 * t), 1000.0),
    "close to the end of its domain": (lambda t: math.log(1e-6 + t) if t > -1e-6 else math.nan, 1e6),
    "a kink close by": (lambda t: abs(t + 1e-4), 1.0),
    "even": (lambda t: t * t, 0.0),
    "with a derivative and no second one": (lambda t: t * abs(t), 0.0),
}

KINKED: dict[str, tuple[Callable[[float], float], float]] = {
    "abs": (abs, 0.0),
    "relu": (lambda t: max(t, 0.0), 0.0),
    "a step": (lambda t: math.floor(t), 0.0),
    "sqrt": (lambda t: math.sqrt(t) if t >= 0 else math.nan, math.inf),
    "a vertical tangent": (
        math.cbrt if hasattr(math, "cbrt") else lambda t: math.copysign(abs(t) ** (1 / 3), t),
        math.inf,
    ),
    "a small kink": (lambda t: math.exp(t) + 0.01 * abs(t), 1.0),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth(name: str) -> None:
    function, expected = SMOOTH[name]
    found = slope(function, expected)
    assert not found.kink
    assert abs(found.value - expected) <= max(1e-8 * abs(expected), found.noise)
    assert found.noise <= max(1e-6 * abs(expected), 1e-5)


@pytest.mark.parametrize("name", KINKED)
def test_kinked(name: str) -> None:
    assert slope(*KINKED[name]).kink


@pytest.mark.parametrize("factor", [-1.0, 0.0, 0.5, 1.0001, 2.0, math.nan, math.inf])
@pytest.mark.parametrize("name", ["a line", "exp", "large beside its slope", "fast", "a kink close by"])
def test_wrong_expectations_do_not_change_the_value(name: str, factor: float) -> None:
    function, right = SMOOTH[name]
    found = slope(function, right * factor)
    assert not found.kink
    assert found.value == pytest.approx(right, rel=1e-6)
    assert found.noise <= 1e-5 * abs(right)


@pytest.mark.parametrize("right", [True, False])
def test_many_kinks_close_by(right: bool) -> None:
    """A network of rectified units: the table of large steps settles nowhere, or by chance where nothing is."""
    random = np.random.default_rng(0)
    at, weight = random.uniform(-1, 1, 20_000), random.normal(size=20_000)

    def line(t: float) -> float:
        return float(np.sum(weight * np.maximum(t - at, 0)))

    slope_at_0 = float(np.sum(weight[at < 0]))
    found = slope(line, slope_at_0 if right else slope_at_0 * 1.001)
    assert not found.kink
    assert found.value == pytest.approx(slope_at_0, rel=1e-6)
    assert found.noise <= 1e-4 * abs(slope_at_0)
