"""From a program and its backward pass to a point in float64, and from what is found there to outcomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from graphspec.autodiff import Backward
from graphspec.custom import Custom
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.model import Model
from graphspec.op import Op
from graphspec.plan import schedule
from graphspec.point import Comparison, Point
from graphspec.program import Program
from graphspec.report import GradientOutcome
from graphspec.transform import retype

TOLERANCE: Final = 1e-6
CODE: Final = "GS610"


def point_at(
    program: Program,
    model: Model,
    graph: Graph,
    backward: Backward,
    names: Mapping[str, int],
    weights: Mapping[int, np.ndarray],
    cotangents: Mapping[int, np.ndarray],
    feeds: Mapping[str, Any],
    seed: int,
) -> Point:
    """Return the point of a backward pass in ``graph``.

    Args:
        names: the node of everything that is differentiated by.
        weights: the cotangent of every output that is differentiated.
        cotangents: the arrays of leaves of ``graph`` that the program does not know.

    Raises:
        FeedError: a feed is missing, unknown or ill-typed.
    """
    gradients = {name: (node, ct.id if (ct := backward.cotangents.get(node)) else None) for name, node in names.items()}
    wanted = [*weights, *names.values(), *(ct for _, ct in gradients.values() if ct is not None)]
    plan = schedule(graph, tuple(wanted))
    known = replace(plan, leaves=tuple(node for node in plan.leaves if node not in cotangents))
    arrays, dims = program._leaves(model, known, feeds, seed)
    wide = retype(graph, "float64")
    leaves = {node: _typed(wide, node, array) for node, array in (arrays | dict(cotangents)).items()}
    return Point(wide, leaves, dims, weights, gradients)


def _typed(graph: Graph, node: int, array: np.ndarray) -> np.ndarray:
    op = graph.ops[node]
    assert isinstance(op, Leaf)
    return np.asarray(array, dtype=op.type.dtype)


def outcome(of: str, name: str, found: Comparison, tolerance: float, surrogate: bool) -> GradientOutcome:
    """Judge a comparison."""
    both = f"backprop gives {found.analytic:.10g}, central differences {found.numeric:.10g}"
    if found.kink:
        message = f"not differentiable at this point: {both}"
        return GradientOutcome(of, name, True, found.error, message, surrogate, kink=True)
    both = f"{both}, relative error {found.error:.2g}"
    if surrogate:
        return GradientOutcome(of, name, True, found.error, f"a surrogate, on purpose: {both}", surrogate=True)
    ok = found.error <= tolerance
    return GradientOutcome(of, name, ok, found.error, f"agrees to {found.error:.1e}" if ok else both)


def behind_surrogates(point: Point) -> set[str]:
    """Return the names whose way to what is differentiated has a gradient that is on purpose not the derivative."""
    graph = point.graph
    found = [node for node in graph.ancestors(list(point.weights)) if _is_surrogate(graph.ops[node])]
    upstream = set(graph.ancestors(found))
    return {name for name, (node, _) in point.gradients.items() if node in upstream}


def _is_surrogate(op: Op) -> bool:
    return op.rule.surrogate if isinstance(op, Custom) else op.family == "surrogate"
