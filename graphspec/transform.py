"""Transforms of graphs that keep every node in its place: another float dtype, values held constant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.op import Op
from graphspec.types import FLOATS, TensorType


def retype(graph: Graph, dtype: str) -> Graph:
    """Return the graph with every float in ``dtype``: leaves, literals, casts and all types that follow.

    Nodes keep their numbers and paths; dtypes other than floats stay.
    """
    twin = Graph()
    for name in ("operands", "paths", "origins", "names", "aliases", "forward"):
        setattr(twin, name, getattr(graph, name).copy())
    for op, operands in zip(graph.ops, graph.operands, strict=True):
        twin.ops.append(_retyped(op, dtype))
        twin.types.append(twin.infer(twin.ops[-1], tuple(twin.types[i] for i in operands)))
    twin.verify()
    return twin


def _retyped(op: Op, dtype: str) -> Op:
    known: Any = op
    if isinstance(op, Leaf) and op.type.dtype in FLOATS:
        return replace(op, type=op.type.with_dtype(dtype))
    return replace(known, dtype=dtype) if getattr(op, "dtype", None) in FLOATS else op


def frozen(graph: Graph, nodes: Iterable[int]) -> Graph:
    """Return the graph with ``nodes`` as leaves, whose values are then given instead of computed.

    Nodes keep their numbers and paths.
    """
    twin = graph.copy()
    for node in nodes:
        found = twin.types[node]
        assert isinstance(found, TensorType)
        twin.ops[node], twin.operands[node] = Leaf("frozen", twin.label(node), found), ()
    return twin
