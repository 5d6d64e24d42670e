"""Generated rows for examples: points of two moons, of spirals, and of a sine."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from graphspec.data_section import GeneratedRows
from graphspec.train.table import ArrayTable


def generated_table(declared: GeneratedRows) -> ArrayTable:
    """Return the rows of a generator: a function of its arguments alone."""
    facts = dict(declared.arguments)
    rng = np.random.Generator(np.random.Philox(int(facts.pop("seed"))))
    arrays = _GENERATORS[declared.name](rng, int(facts.pop("rows")), **facts)
    return ArrayTable(declared.name, arrays)


def two_moons(rng: np.random.Generator, rows: int, noise: float) -> dict[str, np.ndarray]:
    """Return points on two half circles that reach into each other: x0, x1, and label 0 or 1, alternating."""
    label = np.arange(rows) % 2
    angle = np.pi * rng.random(rows)
    x0 = np.where(label == 0, np.cos(angle), 1 - np.cos(angle))
    x1 = np.where(label == 0, np.sin(angle), 0.5 - np.sin(angle))
    return _points(rng, x0, x1, noise, label)


def spirals(rng: np.random.Generator, rows: int, classes: float, turns: float, noise: float) -> dict[str, np.ndarray]:
    """Return points on the arms of a spiral, one arm per class: x0, x1 and label."""
    label = np.arange(rows) % int(classes)
    radius = np.sqrt(rng.random(rows))
    angle = 2 * np.pi * (turns * radius + label / int(classes))
    return _points(rng, radius * np.cos(angle), radius * np.sin(angle), noise, label)


def sine(rng: np.random.Generator, rows: int, periods: float, noise: float) -> dict[str, np.ndarray]:
    """Return points of a sine: x from -1 to 1, and y = sin(pi * periods * x) with noise."""
    x = 2 * rng.random(rows) - 1
    return {"x": x, "y": np.sin(np.pi * periods * x) + noise * rng.standard_normal(rows)}


def _points(
    rng: np.random.Generator, x0: np.ndarray, x1: np.ndarray, noise: float, label: np.ndarray
) -> dict[str, np.ndarray]:
    moved = noise * rng.standard_normal((2, len(label)))
    return {"x0": x0 + moved[0], "x1": x1 + moved[1], "label": label.astype("int64")}


_GENERATORS: dict[str, Callable[..., dict[str, np.ndarray]]] = {
    "two_moons": two_moons,
    "spirals": spirals,
    "sine": sine,
}
