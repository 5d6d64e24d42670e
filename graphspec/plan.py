"""From graph to schedule: which node runs when, and when each value dies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphspec.errors import ExecutionError, problem
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.op import Op


@dataclass(frozen=True, slots=True)
class Step:
    """One node of a schedule: ``dies`` are the operands that nothing reads after it."""

    node: int
    op: Op
    operands: tuple[int, ...]
    dies: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """A schedule that computes ``outputs`` from ``leaves``, in topological order.

    ``dims`` are the symbolic dims whose sizes its steps need; ``bound`` is where engines keep what they made of it, by
    shapes.
    """

    graph: Graph
    outputs: tuple[int, ...]
    leaves: tuple[int, ...]
    steps: tuple[Step, ...]
    dims: frozenset[str] = frozenset()
    bound: dict[Any, Any] = field(default_factory=dict, repr=False)


def step_failure(plan: Plan, step: Step, error: Exception) -> ExecutionError:
    """Return the error of a node that failed while it was run."""
    origin = plan.graph.origins[step.node]
    where = origin.location if origin else None
    message = f"{step.op.name} failed at {plan.graph.label(step.node)}: {error}"
    return ExecutionError(problem("GS620", message, where))


def schedule(graph: Graph, outputs: Sequence[int]) -> Plan:
    """Return the plan of everything that ``outputs`` need, in the order of the graph."""
    order = graph.ancestors(outputs)
    kept = set(outputs)
    last: dict[int, int] = {}
    for node in order:
        for operand in graph.operands[node]:
            last[operand] = node
    dies: dict[int, list[int]] = {}
    for value, user in last.items():
        if value not in kept:
            dies.setdefault(user, []).append(value)
    leaves = tuple(node for node in order if isinstance(graph.ops[node], Leaf))
    steps = tuple(
        Step(node, graph.ops[node], graph.operands[node], tuple(dies.get(node, ())))
        for node in order
        if not isinstance(graph.ops[node], Leaf)
    )
    dims = frozenset().union(*(step.op.dims() for step in steps))
    return Plan(graph, tuple(outputs), leaves, steps, dims)
