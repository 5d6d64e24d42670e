"""Scalars of a model over a whole data set that is read in batches.

A metric is cut where its rows are last told apart: what lies before is computed batch by batch, what lies behind once,
on all rows together. So any metric is that of the whole set, whatever the sizes of the batches: means, but also F1, R2
or a loss with weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from graphspec.dims import Expr, evaluate, symbol
from graphspec.errors import FeedError, problem
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.model import Model
from graphspec.plan import Plan, schedule
from graphspec.train.session import Session
from graphspec.types import TensorType

_MOST = 2**30  # bytes of rows that are kept for a metric; beyond that it is a mean over batches


def batch_dim(model: Model, names: Iterable[str]) -> str:
    """Return the symbolic dim that counts the rows of a batch: the first one of every input that is fed.

    Raises:
        FeedError: an input has none, or inputs have several.
    """
    found: dict[str, str] = {}
    wrong = []
    for name in names:
        type, origin = model.inputs[name].type, model.graph.origins[model.inputs[name].node]
        first = type.shape[0] if type.shape else None
        dim = next(iter(first.symbols)) if isinstance(first, Expr) and len(first.symbols) == 1 else None
        if dim is None or first != symbol(dim):
            message = f"'{name}' is {type}: data comes in batches, so its first dim is a name"
            shape = ", ".join(["batch", *map(str, type.shape[1:])])
            wrong.append(problem("GS642", message, origin.location if origin else None, hint=f"shape: [{shape}]"))
        else:
            found[name] = dim
    if not wrong and len(set(found.values())) > 1:
        pairs = ", ".join(f"{name}: {dim}" for name, dim in found.items())
        wrong.append(problem("GS642", f"the inputs that are fed share their first dim; found {pairs}"))
    if wrong:
        raise FeedError(wrong)
    return next(iter(found.values()), "")


class Evaluation:
    """Computes scalars of a model over data sets.

    Args:
        model: the model; its outputs do not matter.
        nodes: the node of each scalar, by the name it is reported under.
        fed: the inputs that data sets feed.
        engine: the function that runs a plan.
        seed: of random ops.
    """

    def __init__(self, model: Model, nodes: Mapping[str, int], fed: Sequence[str], engine: Any, seed: int):
        self.nodes = dict(nodes)
        self.dim = batch_dim(model, fed)
        graph = model.graph
        self.rowwise = _rowwise(graph, self.dim)
        cut = {name: self._cut(graph, node) for name, node in self.nodes.items()}
        self.cuts = sorted(set().union(*cut.values())) if cut else []
        self.rest = _behind(graph, self.cuts, list(self.nodes.values()))
        if any(_pairs_rows(type, self.dim) for type in self.rest.graph.types):  # a loss on pairs of a batch's rows
            self.cuts = []
        self.session = Session(model, [*self.cuts, *self.nodes.values()], fed, engine, seed)
        self.behind = schedule(self.rest.graph, self.rest.outputs) if self.cuts else None
        self.engine = engine

    def _cut(self, graph: Graph, node: int) -> set[int]:
        """Return the last values that a scalar depends on row by row."""
        found: set[int] = set()
        stack, seen = [node], set()
        while stack:
            item = stack.pop()
            if item in seen:
                continue
            seen.add(item)
            if self.rowwise[item]:
                found.add(item)
            else:
                stack.extend(graph.operands[item])
        return found

    def run(self, batches: Iterable[Mapping[str, np.ndarray]], values: Mapping[str, Any]) -> dict[str, float]:
        """Return the scalars over all batches; ``values`` are the parameters and the state by path.

        Raises:
            FeedError: a batch does not fit the inputs, or there is none.
            ExecutionError: a node failed.
        """
        kept: list[list[np.ndarray]] = [[] for _ in self.cuts]
        sums, rows, size = np.zeros(len(self.nodes)), 0, 0
        for batch in batches:
            arrays = [np.asarray(array) for array in self.session.run(batch, values)]
            count = self.session.dims[self.dim]
            numbers = np.array([float(array) for array in arrays[len(self.cuts) :]])
            sums = sums + numbers * count
            rows += count
            size += sum(array.nbytes for array in arrays[: len(self.cuts)])
            if size > _MOST:
                kept = []
            for store, array in zip(kept, arrays, strict=False):
                store.append(array)
        if not rows:
            raise FeedError(problem("GS643", "there are no rows to evaluate"))
        if not kept or self.behind is None:
            return dict(zip(self.nodes, (sums / rows).tolist(), strict=True))
        return self._whole(self.behind, [np.concatenate(store) for store in kept], values, rows)

    def _whole(self, plan: Plan, arrays: list[np.ndarray], values: Mapping[str, Any], rows: int) -> dict[str, float]:
        """Return the scalars, from the rows of all batches."""
        leaves: dict[int, Any] = {}
        for node in plan.leaves:
            origin = self.rest.origin[node]
            if origin in self.rest.places:
                leaves[node] = arrays[self.rest.places[origin]]
            else:
                leaves[node] = self.session.leaf(origin, values)
        dims = {**self.session.dims, self.dim: rows}
        found = self.engine(plan, leaves, dims)
        return {name: float(array) for name, array in zip(self.nodes, found, strict=True)}


class _Rest:
    """The part of a graph behind a cut, as a graph of its own."""

    def __init__(self) -> None:
        self.graph = Graph()
        self.origin: dict[int, int] = {}  # of each leaf, its node in the whole graph
        self.places: dict[int, int] = {}  # of each node of the cut, its position
        self.outputs: list[int] = []


def _behind(graph: Graph, cuts: Sequence[int], outputs: Sequence[int]) -> _Rest:
    rest = _Rest()
    rest.places = {node: i for i, node in enumerate(cuts)}
    needed: set[int] = set()
    stack = list(outputs)
    while stack:
        node = stack.pop()
        if node not in needed:
            needed.add(node)
            stack.extend(() if node in rest.places else graph.operands[node])
    moved: dict[int, int] = {}
    for node in sorted(needed):
        op, type = graph.ops[node], graph.types[node]
        if node in rest.places or isinstance(op, Leaf):
            assert isinstance(type, TensorType)
            moved[node] = rest.graph.leaf("input", f"%{node}", type).id
            rest.origin[moved[node]] = node
        else:
            moved[node] = rest.graph.emit(op, tuple(moved[i] for i in graph.operands[node]))
    rest.outputs = [moved[node] for node in outputs]
    return rest


def _rowwise(graph: Graph, dim: str) -> list[bool]:
    """Tell for each node whether it computes each row of the batch by itself, so that batches can be put together.

    Its first dim counts the rows, and it reads only such nodes and what has no rows at all: a mean over the rows is
    not among them, nor what reads one.
    """
    rowwise: list[bool] = []
    whole: list[bool] = []  # depends on rows, but not each by itself
    for node, type in enumerate(graph.types):
        operands = graph.operands[node]
        apart = not any(whole[i] for i in operands) and _keeps_rows(graph, node, dim)
        rowwise.append(apart and _counts_rows(graph, node, type, dim))
        whole.append(not rowwise[-1] and any(whole[i] or rowwise[i] for i in operands))
    return rowwise


def _counts_rows(graph: Graph, node: int, type: Any, dim: str) -> bool:
    """Tell whether the first dim of a node is the rows of the batch, or so many rows for each of them."""
    first = type.shape[0] if isinstance(type, TensorType) and type.shape else None
    if not isinstance(first, Expr) or dim not in first.symbols or _pairs_rows(type, dim):
        return False
    return first == symbol(dim) or (graph.ops[node].name == "reshape" and _multiple(first, dim))


def _keeps_rows(graph: Graph, node: int, dim: str) -> bool:
    """Tell whether an op leaves the rows of its operands apart: it does not work along their axis."""
    op, type = graph.ops[node], graph.types[node]
    if op.family == "scatter":
        return False
    axis = getattr(op, "axis", ())
    axes = axis if isinstance(axis, tuple) else (axis,)
    if op.name == "permute_dims":
        return bool(axes) and axes[0] == 0
    rank = len(type.shape) if isinstance(type, TensorType) else 0
    return not any(a in (0, -rank) for a in axes if isinstance(a, int))


def _pairs_rows(type: Any, dim: str) -> bool:
    """Tell whether several dims of a type depend on the rows of a batch."""
    return isinstance(type, TensorType) and sum(isinstance(d, Expr) and dim in d.symbols for d in type.shape) > 1


def _multiple(size: Any, dim: str) -> bool:
    """Tell whether a size is a fixed number of times the rows of a batch."""
    if set(size.symbols) != {dim}:
        return False
    one, two, three = (evaluate(size, {dim: count}) for count in (1, 2, 3))
    return one > 0 and (two, three) == (2 * one, 3 * one)
