"""Reverse-mode differentiation: a graph in, the same graph with cotangent nodes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphspec.graph import Graph
from graphspec.leaf import Leaf, Literal, Project
from graphspec.types import TensorType, broadcast, broadcast_axes
from graphspec.value import Value


@dataclass
class Backward:
    """What a reverse pass found.

    Attributes:
        cotangents: the cotangent of every float value that was reached, by node, in reverse topological order.
        zero: nodes asked for that have no influence, or only through derivatives that are zero everywhere.
        sources: for each of them, the forward nodes whose rules contributed to it, in the order of their addition.
        blocked: nodes asked for that reach the output only through an op without gradient, with the first such node.
    """

    cotangents: dict[int, Value] = field(default_factory=dict)
    sources: dict[int, list[int]] = field(default_factory=dict)
    zero: list[int] = field(default_factory=list)
    blocked: dict[int, int] = field(default_factory=dict)


def vjp(graph: Graph, seeds: Mapping[int, Value], wrt: Sequence[int]) -> Backward:
    """Emit the nodes that pull the cotangents ``seeds`` of some nodes back to every node between them and ``wrt``.

    The nodes of ``graph`` are in topological order, so a walk down the list is the reverse topological order.
    """
    influenced = graph.descendants(wrt)
    pending: dict[int, list[Value]] = {node: [ct] for node, ct in seeds.items()}
    outputs: dict[int, dict[int, Value]] = {}
    projections = _projections(graph)
    result = Backward()
    for node in range(max(seeds), -1, -1):
        if node in pending:
            with graph.rule_of(node):
                ct = _total(graph, pending.pop(node))
            result.cotangents[node] = ct
            op = graph.ops[node]
            if isinstance(op, Project):
                outputs.setdefault(graph.operands[node][0], {})[op.index] = ct
                continue
        elif node in outputs:
            with graph.rule_of(node):
                ct = _filled(graph, projections[node], outputs.pop(node))  # type: ignore[assignment]
        else:
            continue
        for operand, pulled in _pull(graph, node, ct, projections.get(node), influenced):
            pending.setdefault(operand, []).append(pulled)
            result.sources.setdefault(operand, []).append(node)
    _explain_missing(graph, result, seeds, wrt)
    return result


def gradient(graph: Graph, of: int, wrt: Sequence[int]) -> Backward:
    """Emit the gradient of the scalar ``of`` with respect to each node of ``wrt``; see `vjp`."""
    with graph.rule_of(of):
        one = graph.g.identity(graph.literal(1.0, graph.types[of].dtype))  # type: ignore[union-attr]
    return vjp(graph, {of: one}, wrt)


def zeros(graph: Graph, type: TensorType) -> Value:
    """Return the value of zeros of a type."""
    zero = graph.literal(0.0, type.dtype)
    return zero if type.is_scalar else graph.g.broadcast_to(zero, shape=type.shape)


def _projections(graph: Graph) -> dict[int, list[int]]:
    """Return, for each node with several outputs, the node of each output."""
    found: dict[int, list[int]] = {}
    for node, op in enumerate(graph.ops):
        if isinstance(op, Project):
            found.setdefault(graph.operands[node][0], []).append(node)
    return {parent: sorted(nodes, key=lambda n: graph.ops[n].index) for parent, nodes in found.items()}  # type: ignore[attr-defined]


def _total(graph: Graph, contributions: list[Value]) -> Value:
    return contributions[0] if len(contributions) == 1 else graph.g.add(*contributions)


def _filled(graph: Graph, projections: list[int], known: Mapping[int, Value]) -> tuple[Value, ...]:
    """Return one cotangent per output, zeros where nothing used it."""
    types = [graph.types[node] for node in projections]
    return tuple(known.get(i) or zeros(graph, found) for i, found in enumerate(types))  # type: ignore[arg-type]


def _pull(
    graph: Graph, node: int, ct: Any, projections: list[int] | None, influenced: bytearray
) -> Iterable[tuple[int, Value]]:
    """Apply the gradient rule of one node; return the cotangents of those operands that need one."""
    op, operands = graph.ops[node], graph.operands[node]
    wanted = [influenced[i] == 1 and _is_float(graph, i) for i in operands]
    if isinstance(op, Leaf | Literal) or not op.differentiable or not any(wanted):
        return []
    values = [Value(graph, i) for i in operands]
    results = [Value(graph, i) for i in projections or [node]]
    start = len(graph)
    with graph.rule_of(node):
        rule = op.vjp(graph.g, ct, *values, *results)
        pulled = [
            (operand, sum_to(graph, got, graph.types[operand]))  # type: ignore[arg-type]
            for operand, got, want in zip(operands, rule, wanted, strict=True)
            if want and got is not None
        ]
    return pulled if all(wanted) else graph.prune(start, pulled)


def _is_float(graph: Graph, node: int) -> bool:
    found = graph.types[node]
    return isinstance(found, tuple) or found.is_float


def sum_to(graph: Graph, ct: Value, type: TensorType) -> Value:
    """Undo broadcasting: sum a cotangent over the axes along which an operand of ``type`` was repeated."""
    if ct.type.shape == type.shape:
        return ct
    if broadcast(ct.type.shape, type.shape) == type.shape:
        return graph.g.broadcast_to(ct, shape=type.shape)
    leading, stretched = broadcast_axes(type.shape, ct.type.shape)
    if leading:
        ct = graph.g.sum(ct, axis=leading)
    return graph.g.sum(ct, axis=stretched, keepdims=True) if stretched else ct


def _explain_missing(graph: Graph, result: Backward, seeds: Mapping[int, Value], wrt: Sequence[int]) -> None:
    for node in wrt:
        if node in result.cotangents:
            continue
        block = _first_block(graph, node, list(seeds))
        if block is None:
            result.zero.append(node)
        else:
            result.blocked[node] = block


def _first_block(graph: Graph, node: int, outputs: Sequence[int]) -> int | None:
    """Return the first op without gradient on a way from ``node`` to ``outputs``, if there is one."""
    reached = graph.descendants([node])
    for other in graph.ancestors(outputs):
        op = graph.ops[other]
        leaf = isinstance(op, Leaf | Literal | Project)
        # what a gradient rule compares are cases of the derivative: within each it is constant, so its slope is 0
        if reached[other] and other != node and other not in graph.forward and not leaf and not op.differentiable:
            return other
    return None
