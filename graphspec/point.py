"""A gradient at one point, in float64, next to central differences of the same graph."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from graphspec.difference import Slope, slope
from graphspec.engine import engine_named
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.plan import schedule
from graphspec.transform import frozen

ALONE = 16  # so many names are compared one by one; of more, those that are leaves in groups that are halved


@dataclass(frozen=True)
class Comparison:
    """A gradient and a numerical derivative along a random direction.

    ``analytic`` and ``numeric`` are those of the element itself where there is only one.
    """

    analytic: float
    numeric: float
    error: float
    kink: bool


@dataclass(frozen=True)
class Point:
    """Where gradients are compared.

    Attributes:
        graph: the graph in float64, its backward pass included.
        leaves, dims: what its leaves and dims are.
        weights: the cotangent of each output; what is differentiated is the sum of the outputs times these.
        gradients: the node of each name, and the node of its gradient (None: zero).
    """

    graph: Graph
    leaves: Mapping[int, np.ndarray]
    dims: Mapping[str, int]
    weights: Mapping[int, np.ndarray]
    gradients: Mapping[str, tuple[int, int | None]]

    def values(self, nodes: Sequence[int]) -> list[np.ndarray]:
        """Return the values of nodes.

        Raises:
            ExecutionError: a node failed.
        """
        plan = schedule(self.graph, tuple(nodes))
        arrays: list[np.ndarray] = engine_named("numpy")(plan, {i: self.leaves[i] for i in plan.leaves}, self.dims)
        return arrays

    def is_finite(self) -> bool:
        """Tell whether every output is."""
        return all(np.isfinite(value).all() for value in self.values(list(self.weights)))

    def compare(self, random: np.random.Generator, directions: int, tolerance: float) -> dict[str, Comparison]:
        """Compare every gradient along random directions; the result of the worst is kept."""
        found: dict[str, Comparison] = {}
        analytic = self._analytic()
        leaves = [name for name, (node, _) in self.gradients.items() if isinstance(self.graph.ops[node], Leaf)]
        groups = [[name] for name in self.gradients if name not in leaves or len(leaves) <= ALONE]
        if len(leaves) > ALONE:
            groups.append(leaves)
        while groups:
            group = groups.pop()
            worst = self._worst(group, analytic, random, directions, tolerance)
            if len(group) > 1 and (worst.kink or not worst.error <= tolerance):
                half = len(group) // 2
                groups += [group[:half], group[half:]]
            else:
                found.update(dict.fromkeys(group, worst))
        return {name: found[name] for name in self.gradients}

    def _analytic(self) -> dict[str, np.ndarray]:
        present = {name: ct for name, (_, ct) in self.gradients.items() if ct is not None}
        arrays = dict(zip(present, self.values(list(present.values())), strict=True))
        return {name: arrays.get(name, np.zeros(())) for name in self.gradients}

    def _worst(
        self,
        group: Sequence[str],
        analytic: Mapping[str, np.ndarray],
        random: np.random.Generator,
        directions: int,
        tolerance: float,
    ) -> Comparison:
        nodes = [self.gradients[name][0] for name in group]
        line = _Line(self, nodes)
        found = []
        for _ in range(directions):
            steps = [_direction(base, random) for base in line.bases]
            expected = sum(float(np.sum(analytic[n] * step)) for n, step in zip(group, steps, strict=True))
            compared = _compared(slope(line.along(steps), expected), expected, tolerance)
            if len(steps) == 1 and steps[0].size == 1:
                unit = float(steps[0].reshape(()))
                compared = replace(compared, analytic=compared.analytic / unit, numeric=compared.numeric / unit)
            found.append(compared)
        return max(found, key=lambda one: (not one.kink, one.error if one.error == one.error else math.inf))


class _Line:
    """The graph as a function of the values of some nodes; all that does not depend on them is computed once.

    What passes through `stop_gradient` counts as a constant, as it does for the gradient.
    """

    def __init__(self, point: Point, moving: Sequence[int]):
        self.point, self.moving = point, moving
        held = self._held()
        values = dict(zip(held, point.values(held), strict=True))
        self.bases = [values[node] for node in moving]
        self.plan = schedule(frozen(point.graph, held), tuple(point.weights))
        self.leaves = {node: values[node] for node in self.plan.leaves}

    def _held(self) -> list[int]:
        """Return the nodes whose values are given: those that move, and the border of what depends on them."""
        graph = self.point.graph
        reached = graph.descendants(self.moving)
        held = dict.fromkeys(self.moving)
        seen, stack = set(self.moving), list(self.point.weights)
        while stack:
            node = stack.pop()
            if node in seen:
                continue
            seen.add(node)
            if reached[node] and graph.ops[node].name != "stop_gradient":
                stack.extend(graph.operands[node])
            else:
                held[node] = None
        return list(held)

    def along(self, steps: Sequence[np.ndarray]) -> Callable[[float], float]:
        """Return the function of how far the moving values have gone in the direction ``steps``."""
        run = engine_named("numpy")

        def line(distance: float) -> float:
            moved = zip(self.moving, self.bases, steps, strict=True)
            leaves = self.leaves | {n: base + distance * step for n, base, step in moved if n in self.leaves}
            outputs = run(self.plan, leaves, self.point.dims)
            with np.errstate(all="ignore"):
                return float(sum(np.sum(w * y) for w, y in zip(self.point.weights.values(), outputs, strict=True)))

        return line


def _direction(base: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a random direction whose elements are of the size of those of ``base``."""
    sizes = np.abs(base)
    typical = float(np.mean(sizes)) if sizes.size else 0.0
    signs = random.choice((-1.0, 1.0), base.shape)
    found: np.ndarray = np.maximum(sizes, max(0.1 * typical, 0.01)) * random.uniform(0.5, 1.5, base.shape) * signs
    return found


def _compared(found: Slope, expected: float, tolerance: float) -> Comparison:
    gap = abs(found.value - expected)
    scale = max(abs(found.value), abs(expected), found.noise / tolerance)
    error = math.inf if not math.isfinite(gap) else gap / scale if gap else 0.0
    return Comparison(expected, found.value, error, found.kink)
