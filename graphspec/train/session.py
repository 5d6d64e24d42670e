"""A plan that is run again and again on batches, with values of parameters that change in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from graphspec import feeds
from graphspec.leaf import Leaf
from graphspec.model import Model
from graphspec.plan import schedule


class Session:
    """Runs the nodes ``outputs`` of a model on batches.

    Feeds are checked against the declared types once for each set of shapes and dtypes.

    Args:
        model: the model.
        outputs: the nodes to compute.
        fed: the inputs that batches feed; further ones need a default.
        engine: the function that runs a plan.
        seed: of random ops.

    Attributes:
        dims: the size of every dim in the last batch.
        leaves: the array of every leaf of the plan in the last run, by node.
    """

    def __init__(self, model: Model, outputs: Sequence[int], fed: Sequence[str], engine: Any, seed: int):
        self.model, self.engine, self.seed = model, engine, seed
        self.plan = schedule(model.graph, outputs)
        self.paths = feeds.leaf_paths(model.graph, self.plan.leaves)
        self.needed = [path for path in self.paths.values() if path in model.inputs]
        self.dims: dict[str, int] = {}
        self.leaves: dict[int, Any] = {}
        self.inputs: dict[str, Any] = {}
        self._checked: dict[Any, tuple[dict[str, int], dict[str, Any]]] = {}

    def run(
        self, batch: Mapping[str, Any], values: Mapping[str, Any], step: int = 0, native: bool = False
    ) -> list[Any]:
        """Run on one batch.

        Args:
            batch: arrays by input.
            values: arrays of parameters and state by path.
            step: what random ops depend on besides the seed.
            native: whether the arrays may be the engine's own.

        Raises:
            FeedError: the batch does not fit the inputs.
            ExecutionError: a node failed.
        """
        self.dims, defaults = self._check(batch)
        self.inputs = {**defaults, **batch}
        self.leaves = {node: self.leaf(node, values, step) for node in self.plan.leaves}
        found: list[Any] = self.engine(self.plan, self.leaves, self.dims, native=native)
        return found

    def leaf(self, node: int, values: Mapping[str, Any], step: int = 0) -> Any:
        """Return the array of a leaf."""
        op = self.model.graph.ops[node]
        assert isinstance(op, Leaf)
        if op.role == "seed":
            return np.array([self.seed, step], dtype=np.int64)
        if op.role == "constant":
            return self.model.constants[op.path]
        return self.inputs[op.path] if op.path in self.inputs else values[op.path]

    def _check(self, batch: Mapping[str, Any]) -> tuple[dict[str, int], dict[str, Any]]:
        key = tuple((name, array.shape, array.dtype) for name, array in batch.items())
        if key not in self._checked:
            bound = feeds.bind(self.model, batch, self.needed, every_default=False)
            feeds.require_sizes(self.model, bound, self.plan.dims)
            defaults = {name: array for name, array in bound.arrays.items() if name not in batch}
            self._checked[key] = dict(bound.dims), defaults
        return self._checked[key]
