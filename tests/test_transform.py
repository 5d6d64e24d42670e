"""Transforms that keep every node in its place."""

from __future__ import annotations

import numpy as np
import pytest

import graphspec as gs
from graphspec.engine import engine_named
from graphspec.leaf import Leaf
from graphspec.plan import schedule
from graphspec.transform import frozen, retype

TEXT = """
graphspec: 1
dtype: float32
inputs: {x: {shape: [n, 2]}, label: {shape: [n], dtype: int64}}
parameters: {w: {shape: [2], value: [1, 2]}}
nodes:
  noise: random_uniform(shape=[3])
  h: cast(cast(x * w, dtype="float16"), dtype="float32") + 0.5
  f: mean(h) + sum(one_hot(label, depth=3)) + sum(noise) + mean(label == 1)
outputs: f
"""


@pytest.mark.parametrize("dtype", ["float64", "float16"])
def test_retype_leaves_no_other_float(dtype: str) -> None:
    graph = gs.loads(TEXT).graph
    twin = retype(graph, dtype)
    twin.verify()
    assert {found.dtype for found in twin.types} <= {dtype, "int64", "bool"}
    assert [found.shape for found in twin.types] == [found.shape for found in graph.types]
    assert (twin.names, twin.operands, twin.paths) == (graph.names, graph.operands, graph.paths)
    assert {found.dtype for found in graph.types} == {"float32", "float16", "int64", "bool"}


def test_retyped_graph_runs_in_that_dtype() -> None:
    graph = retype(
        gs.loads("{graphspec: 1, dtype: float32, inputs: {x: 1}, nodes: {f: x / 3}, outputs: f}").graph, "float64"
    )
    plan = schedule(graph, (graph.names["f"],))
    (found,) = engine_named("numpy")(plan, {graph.names["x"]: np.array(1.0)}, {})
    assert found.dtype == np.float64
    assert found == 1 / 3


def test_frozen_nodes_are_leaves() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: 1}, nodes: {q: exp(x), f: q * q}, outputs: f}")
    graph = program.graph
    q, f = graph.names["q"], graph.names["f"]
    twin = frozen(graph, [q])
    twin.verify()
    plan = schedule(twin, (f,))
    assert plan.leaves == (q,)
    (found,) = engine_named("numpy")(plan, {q: np.array(3.0)}, {})
    assert found == 9
    assert not isinstance(graph.ops[q], Leaf)
