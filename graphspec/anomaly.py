"""Where a value stopped being finite: the node that bore the first nan or infinity, and what it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from graphspec.custom import Custom
from graphspec.errors import Diagnostic, Location, Related, problem
from graphspec.graph import Graph, port_names
from graphspec.leaf import Leaf, Literal, Project
from graphspec.origin import Origin
from graphspec.plan import Plan, schedule, step_failure
from graphspec.remedy import remedy
from graphspec.span import Span, span

_SECTIONS = {"input": "inputs", "parameter": "parameters", "state": "state", "constant": "constants"}
_LIBRARY = "graphspec/library/"


@dataclass(frozen=True)
class Operand:
    """What a node was given: ``port`` and ``path`` name it, ``type`` is its declared type."""

    port: str
    path: str
    type: str
    span: Span
    where: Location | None


@dataclass(frozen=True)
class Anomaly:
    """The node that bore a value that is not finite.

    Attributes:
        node: the node in the graph.
        path: its path; of a node of the backward pass the path of the forward node whose gradient rule emitted it.
        gradient: whether it is a node of the backward pass.
        op, rule: its op, and the op of the forward node (the same where it is no gradient).
        role: "input", "parameter", "state", "constant" or "literal" where a leaf is not finite, else "".
        origin: where the node, or the forward node, was written.
        span: how many of its elements are nan and infinite, and between what numbers the others lie.
        operands: the same of each operand.
        hint: what to do, where that can be said.
    """

    node: int
    path: str
    gradient: bool
    op: str
    rule: str
    role: str
    origin: Origin | None
    span: Span
    operands: tuple[Operand, ...]
    hint: str

    @property
    def expression(self) -> str:
        """The text that the node was written as, in the file of `where`."""
        place = user_place(self.origin)
        return place.expression if place is not None else ""

    @property
    def where(self) -> Location | None:
        """The place in the user's file: of a node inside a library function, that of the call."""
        place = user_place(self.origin)
        return place.location if place is not None else None

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        bad = self.span.bad_text
        if self.role:
            return f"{self.role} '{self.path}' holds {bad}"
        if not self.gradient:
            return f"{self.op} at '{self.path}' gave {bad}{self._given}"
        how = "" if self.op == self.rule else f", its {self.op},"
        return f"the gradient rule of {self.rule} at '{self.path}'{how} gave {bad}{self._given}"

    @property
    def _given(self) -> str:
        return "" if any(operand.span.bad for operand in self.operands) else " from finite operands"

    def diagnostic(self, context: str) -> Diagnostic:
        """Return the error GS649; ``context`` says what was noticed: "the loss is nan in epoch 2, batch 7"."""
        section = _SECTIONS.get(self.role, "nodes")
        related = (*self._operand_lines(), *inner_places(self.origin))
        message = f"{context}: {self.sentence}" if context else self.sentence
        return problem("GS649", message, self.where, path=f"{section}.{self.path}", hint=self.hint, related=related)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data."""
        return {
            "path": self.path,
            "gradient": self.gradient,
            "op": self.op,
            "rule": self.rule,
            "role": self.role,
            "expression": self.expression,
            **self.span.to_dict(),
            "operands": [
                {"port": item.port, "path": item.path, "type": item.type, **item.span.to_dict()}
                for item in self.operands
            ],
        }

    def _operand_lines(self) -> Iterable[Related]:
        """Return a line for each operand, in columns."""
        rows = [(f"{item.port}: {item.path}", item.type, item.span.text) for item in self.operands]
        widths = [max((len(row[i]) for row in rows), default=0) for i in range(2)]
        for row, item in zip(rows, self.operands, strict=True):
            text = f"{row[0].ljust(widths[0])} {row[1].ljust(widths[1])}   {row[2]}"
            yield Related(text, item.where)


def first_anomaly(
    graph: Graph, leaves: Mapping[int, Any], dims: Mapping[str, int], outputs: Sequence[int]
) -> Anomaly | None:
    """Return the node that made one of ``outputs`` not finite, None where all of them are finite.

    The graph is run node by node with NumPy's kernels. Of the nodes whose nan or infinity reached an output, it is the
    first in topological order that was given finite operands only, or whose nan is new. What an infinity of the
    document itself leads to (``where(mask, scores, -inf)``) is named only where there is nothing else.

    Args:
        graph: the graph.
        leaves: the array of every leaf that the outputs need, by node.
        dims: the integer of every symbolic dim.
        outputs: the nodes that ought to be finite, such as a loss and its gradients.

    Raises:
        ExecutionError: a node failed.
    """
    spans: dict[int, Span] = {}

    def see(node: int, value: Any) -> None:
        spans[node] = span(value)

    observe(schedule(graph, outputs), leaves, dims, see)
    node = _bearer(graph, spans, outputs)
    return None if node is None else _anomaly(graph, spans, node)


def observe(plan: Plan, leaves: Mapping[int, Any], dims: Mapping[str, int], see: Callable[[int, Any], None]) -> None:
    """Run a plan with NumPy's kernels and show ``see`` every node with its value, leaves first.

    A value is forgotten when nothing reads it any more, so memory is that of an ordinary run.

    Raises:
        ExecutionError: a node failed.
    """
    arrays: dict[int, Any] = {node: leaves[node] for node in plan.leaves}
    for node, array in arrays.items():
        see(node, array)
    with np.errstate(all="ignore"):
        for step in plan.steps:
            try:
                op = step.op.bind(dims) if dims else step.op
                arrays[step.node] = op.kernel(np, *(arrays[i] for i in step.operands))
            except (ValueError, IndexError, TypeError, ArithmeticError, MemoryError) as error:
                raise step_failure(plan, step, error) from error
            see(step.node, arrays[step.node])
            for dead in step.dies:
                del arrays[dead]


def user_place(origin: Origin | None) -> Origin | None:
    """Return the place of a node in a user's file: what it is in the library is inside a call."""
    if origin is None:
        return None
    places = [*origin.calls, origin]
    return next((place for place in reversed(places) if not _in_library(place)), places[0])


def inner_places(origin: Origin | None) -> list[Related]:
    """Return the places inside the library that lead from `user_place` to a node, outermost first."""
    if origin is None:
        return []
    places = [*origin.calls, origin]
    return [Related(f"inside: {place.expression}", place.location) for place in places if _in_library(place)]


def _in_library(place: Origin) -> bool:
    return place.source.file.startswith(_LIBRARY)


# -- finding it -------------------------------------------------------------------------------------------------------


def _bearer(graph: Graph, spans: Mapping[int, Span], outputs: Sequence[int]) -> int | None:
    """Return the first node that bore what made an output not finite.

    Only nodes from which a way of values that are not finite leads to an output count: an infinity that `where` or
    a softmax has removed did no harm.
    """
    chain = {node for node in outputs if spans[node].bad}
    stack = list(chain)
    while stack:
        found = {i for i in graph.operands[stack.pop()] if spans[i].bad} - chain
        chain |= found
        stack.extend(found)
    born = sorted(node for node in chain if _bore(graph, spans, node))
    harmful = [node for node in born if not _written(graph, node)]
    return next(iter(harmful or born), None)


def _bore(graph: Graph, spans: Mapping[int, Span], node: int) -> bool:
    """Tell whether all operands are finite, or none has a nan and the node has."""
    operands = [spans[i] for i in graph.operands[node]]
    new_nan = spans[node].nan and not any(operand.nan for operand in operands)
    return bool(new_nan) or not any(operand.bad for operand in operands)


def _written(graph: Graph, node: int) -> bool:
    """Tell whether a node is what the document itself says: a literal, a constant, an array filled with a number."""
    op = graph.ops[node]
    return op.role == "constant" if isinstance(op, Leaf) else not graph.operands[node]


def _anomaly(graph: Graph, spans: Mapping[int, Span], node: int) -> Anomaly:
    forward = forward_of(graph, node)
    op = graph.ops[node]
    names = port_names(op, len(graph.operands[node]))
    operands = tuple(_operand(graph, spans, name, i) for name, i in zip(names, graph.operands[node], strict=True))
    role = op.role if isinstance(op, Leaf) else "literal" if isinstance(op, Literal) else ""
    gradient = node in graph.forward and not role
    rule = op_name(graph, forward) if gradient else op_name(graph, node)
    dtype = getattr(graph.types[node], "dtype", "")
    hint = remedy(op.name, rule if gradient else "", role, dtype, spans[node], [item.span for item in operands])
    path = graph.label(forward if gradient else node)
    origin = graph.origins[forward]
    return Anomaly(node, path, gradient, op_name(graph, node), rule, role, origin, spans[node], operands, hint)


def _operand(graph: Graph, spans: Mapping[int, Span], port: str, node: int) -> Operand:
    forward = forward_of(graph, node)
    place = user_place(graph.origins[forward])
    kind = graph.types[node]
    text = ", ".join(map(str, kind)) if isinstance(kind, tuple) else str(kind)
    return Operand(port, operand_name(graph, node), text, spans[node], place.location if place else None)


def operand_name(graph: Graph, node: int) -> str:
    """Return the path of a node as a person calls it: a number, or a part of a gradient, where it has none."""
    op = graph.ops[node]
    if isinstance(op, Literal):
        return str(op.value)
    if graph.paths[node] is not None:
        return graph.label(node)
    forward = forward_of(graph, node)
    return f"{op.name} in the gradient of {graph.label(forward)}" if forward != node else graph.label(node)


def forward_of(graph: Graph, node: int) -> int:
    """Return the forward node whose gradient rule emitted a node of the backward pass; another node is its own."""
    while graph.forward.get(node, node) < node:
        node = graph.forward[node]
    return graph.operands[node][0] if isinstance(graph.ops[node], Project) else node


def op_name(graph: Graph, node: int) -> str:
    """Return the name of a node's op; of one with a gradient of its own that of its function."""
    op = graph.ops[node]
    return op.rule.name if isinstance(op, Custom) else op.name


__all__ = ["Anomaly", "Operand", "first_anomaly", "forward_of", "inner_places", "observe", "op_name", "user_place"]
