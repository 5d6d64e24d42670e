"""Where a network bends: rectifiers and sigmoids in a graph, found by their form, and how their units answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphspec.graph import Graph
from graphspec.leaf import Literal
from graphspec.types import TensorType

FLAT = 1e-3  # a derivative below it is as good as none: 1/250 of sigmoid's steepest slope, 1/1,000 of tanh's
STUCK = 10.0  # times the median size of a relu's operands: single units that are off are common, these stay off
_NEAR = 8  # nodes between a convolution and its activation, or a gate and what it gates
_LOSSES = "graphspec/library/losses.yaml"
_MIXING = ("matmul", "conv", "conv_transpose", "einsum", "sum", "mean", "max", "take", "concat")


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation: ``kind`` is "relu", "sigmoid" or "tanh"; ``node`` is its output, ``before`` a relu's operand.

    ``axis`` counts its units; None where it is one unit.
    """

    node: int
    kind: str
    axis: int | None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """How units answered on a batch: how many do not answer any ``observations``, and for what share of all values.

    A relu does not answer where it is 0, a sigmoid or tanh where its derivative is below `FLAT`.
    """

    units: int
    observations: int
    silent: int
    share: float


def activations(graph: Graph, end: int, batch: Any) -> Iterator[Activation]:
    """Yield the activations among the first ``end`` nodes; ``batch`` is the dim that counts the rows.

    What a loss is made of is left out, and what gates itself (``x * sigmoid(x)``): there a flat sigmoid does no harm.
    """
    users: list[list[int]] = [[] for _ in range(end)]
    for node in range(end):
        for operand in graph.operands[node]:
            users[operand].append(node)
    for node in range(end):
        kind = _kind(graph, node, users)
        if kind is not None and not _in_a_loss(graph, node) and not _gates_itself(graph, node, users):
            yield Activation(node, kind, _units(graph, node, batch), _before(graph, node) if kind == "relu" else None)


def answer(found: Activation, value: np.ndarray) -> Answer:
    """Return how the units of an activation answered, given its value."""
    y = value.astype(np.float64)
    if found.kind == "relu":
        silent = y == 0
    else:
        slope = y * (1 - y) if found.kind == "sigmoid" else (1 - y) * (1 + y)
        silent = np.abs(slope) < FLAT
    if not silent.size:
        return Answer(0, 0, 0, 0.0)
    others = tuple(i for i in range(silent.ndim) if i != found.axis)
    units = silent.all(axis=others)
    return Answer(units.size, silent.size // max(1, units.size), int(units.sum()), float(silent.mean()))


def stuck(found: Activation, before: np.ndarray) -> int:
    """Return how many units of a relu are so far below 0, for every row, that they will not come back."""
    x = before.astype(np.float64)
    if found.axis is None or found.axis >= x.ndim or not x.size:
        return 0
    others = tuple(i for i in range(x.ndim) if i != found.axis)
    return int((x.max(axis=others, initial=-np.inf) < -STUCK * np.median(np.abs(x))).sum())


# -- forms ------------------------------------------------------------------------------------------------------------


def _kind(graph: Graph, node: int, users: list[list[int]]) -> str | None:
    name, operands = graph.ops[node].name, graph.operands[node]
    if name == "where":
        return "relu" if _is_rectifier(graph, *operands) else None
    if name == "maximum":
        return "relu" if 0 in (_number(graph, i) for i in operands) else None
    if name == "clip":
        return "relu" if _number(graph, operands[1]) == 0 else None
    if name == "tanh":
        return None if any(_halved(graph, user) for user in users[node]) else "tanh"
    return "sigmoid" if name == "add" and _is_sigmoid(graph, operands) else None


def _is_rectifier(graph: Graph, condition: int, chosen: int, other: int) -> bool:
    """Tell ``where(x <= 0, 0, x)`` and ``where(x > 0, x, 0)``."""
    name, compared = graph.ops[condition].name, graph.operands[condition]
    if name == "less_equal" and _number(graph, chosen) == 0:
        return compared[0] == other and _number(graph, compared[1]) == 0
    if name == "greater" and _number(graph, other) == 0:
        return compared[0] == chosen and _number(graph, compared[1]) == 0
    return False


def _before(graph: Graph, node: int) -> int:
    """Return what a rectifier is applied to."""
    return next(i for i in graph.operands[node] if _number(graph, i) is None and not _is_condition(graph, i))


def _is_condition(graph: Graph, node: int) -> bool:
    found = graph.types[node]
    return isinstance(found, TensorType) and found.dtype == "bool"


def _is_sigmoid(graph: Graph, operands: tuple[int, ...]) -> bool:
    """Tell ``0.5 * tanh(0.5 * x) + 0.5``, as the library writes it."""
    if len(operands) != 2 or _number(graph, operands[1]) != 0.5 or not _halved(graph, operands[0]):
        return False
    inner = _other(graph, operands[0], 0.5)
    return inner is not None and graph.ops[inner].name == "tanh" and _halved(graph, graph.operands[inner][0])


def _halved(graph: Graph, node: int) -> bool:
    return graph.ops[node].name == "multiply" and _other(graph, node, 0.5) is not None


def _other(graph: Graph, node: int, number: float) -> int | None:
    """Return the operand besides a written number."""
    a, b = graph.operands[node]
    return b if _number(graph, a) == number else a if _number(graph, b) == number else None


def _number(graph: Graph, node: int) -> Any:
    op = graph.ops[node]
    return op.value if isinstance(op, Literal) else None


def _in_a_loss(graph: Graph, node: int) -> bool:
    origin = graph.origins[node]
    if origin is None:
        return False
    return any(place.source.file == _LOSSES for place in (*origin.calls, origin))


def _gates_itself(graph: Graph, node: int, users: list[list[int]]) -> bool:
    """Tell whether a sigmoid or tanh multiplies what it was computed from."""
    if graph.ops[node].name in ("where", "maximum", "clip"):
        return False
    behind = set(_behind(graph, node, _MIXING))
    products = [user for user in users[node] if graph.ops[user].name == "multiply"]
    return any(operand in behind for user in products for operand in graph.operands[user] if operand != node)


def _behind(graph: Graph, node: int, stop: tuple[str, ...]) -> Iterator[int]:
    """Yield what a node is computed from, element by element, up to `_NEAR` steps back."""
    level = [node]
    for _ in range(_NEAR):
        reached = dict.fromkeys(i for n in level for i in graph.operands[n])
        level = [i for i in reached if not isinstance(graph.ops[i], Literal)]
        yield from level
        level = [i for i in level if graph.ops[i].name not in stop]


def _units(graph: Graph, node: int, batch: Any) -> int | None:
    """Return the axis of the units: the channels behind a convolution, else the last; None of a single unit."""
    found = graph.types[node]
    assert isinstance(found, TensorType)
    if found.rank < 2:
        return 0 if found.rank and found.shape[0] != batch else None
    for other in _behind(graph, node, ("conv", "conv_transpose", "matmul", "einsum")):
        kind = graph.types[other]
        if graph.ops[other].name in ("conv", "conv_transpose") and getattr(kind, "rank", 0) == found.rank:
            op: Any = graph.ops[other]
            return int(op.first_axes(found.rank)[1])
    return found.rank - 1
