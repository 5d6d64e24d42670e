"""The bound plan against the reference run: the same bits, on the catalogue, on specs, on random graphs, in threads."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import samples
from hypothesis import given, settings
from samples import SAMPLES
from test_random_graphs import document, node_lists

import graphspec as gs
import graphspec.ops
from graphspec import derivative
from graphspec.engine.bound import Bound
from graphspec.engine.memory import Pool
from graphspec.engine.numpy_engine import reference, run
from graphspec.errors import GraphSpecError
from graphspec.graph import Graph
from graphspec.op import OPS, attributes
from graphspec.plan import Plan, schedule
from graphspec.types import TensorType

assert graphspec.ops.__doc__  # the catalogue is filled
for family in iter_modules(samples.__path__):
    import_module(f"samples.{family.name}")

SPECS = sorted(Path(__file__).parent.parent.joinpath("specs").rglob("*.yaml"))
CASES = [(name, i) for name, found in SAMPLES.items() for i in range(len(found))]
LARGE = ("gpt2", "resnet18", "vgg11")


def assert_same_bits(found: Sequence[np.ndarray], expected: Sequence[np.ndarray]) -> None:
    for have, want in zip(found, expected, strict=True):
        assert (have.dtype, have.shape) == (want.dtype, want.shape)
        assert have.tobytes() == want.tobytes()


def plan_of(name: str, index: int) -> tuple[Plan, dict[int, Any]]:
    """Return the plan of one op between other ops, so that its operands die, and the leaves."""
    sample, graph = SAMPLES[name][index], Graph()
    leaves: dict[int, Any] = {}
    values = []
    for i, array in enumerate(sample.operands):
        leaf = graph.leaf("input", f"x{i}", TensorType(str(array.dtype), array.shape))
        leaves[leaf.id] = array
        values.append(graph.g.multiply(leaf, graph.g.ones_like(leaf)) if array.dtype.kind == "f" else leaf)
    known = attributes(OPS[name])
    result = graph.apply(OPS[name](**{k: known[k].check(v) for k, v in sample.attributes.items()}), *values)
    results = result if isinstance(result, tuple) else (result,)
    outputs = [graph.g.add(y, y).id if y.type.dtype.startswith("float") else y.id for y in results]
    leaves |= {node: np.array([3, 0]) for node, op in enumerate(graph.ops) if getattr(op, "role", "") == "seed"}
    return schedule(graph, outputs), leaves


@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{name}-{i}" for name, i in CASES])
def test_every_op(name: str, index: int) -> None:
    plan, leaves = plan_of(name, index)
    expected = reference(plan, leaves, {})
    try:
        bound = Bound(plan, leaves, {})
    except LookupError:
        assert name == "nonzero"  # its size depends on numbers
        return
    for _ in range(2):
        assert_same_bits(bound.run(leaves), expected)


def differentiated(program: gs.Program) -> tuple[Plan, dict[int, Any], dict[str, int]] | None:
    """Return the plan of a program's outputs and gradients on feeds of its own, None where it has none."""
    model = program.model
    draw = np.random.default_rng(0)
    feeds = {}
    for name, item in model.inputs.items():
        if item.default is None:
            shape = tuple(dim if isinstance(dim, int) else 4 for dim in item.type.shape)
            feeds[name] = (draw.normal(size=shape) if item.type.is_float else np.zeros(shape)).astype(item.type.dtype)
    try:
        of, wrt = derivative.request(model, None, None)
        graph, backward = program._backward(model, of, wrt)
        nodes = [derivative.node_of(model, name) for name in wrt]
        pulled = [backward.cotangents[node].id for node in nodes if node in backward.cotangents]
        plan = program._plan(graph, (*model.outputs.values(), *model.updates.values(), *pulled))
        leaves, dims = program._leaves(model, plan, feeds, 0)
    except GraphSpecError:
        return None
    return plan, leaves, dims


@pytest.mark.parametrize("path", [p for p in SPECS if p.stem not in LARGE], ids=lambda path: path.stem)
def test_every_spec(path: Path) -> None:
    found = differentiated(gs.load(path))
    if found is None:
        return  # a library of functions, or feeds that do not go together
    plan, leaves, dims = found
    bound = Bound(plan, leaves, dims)
    expected = reference(plan, leaves, dims)
    for _ in range(2):
        assert_same_bits(bound.run(leaves), expected)


@settings(max_examples=40, deadline=None)
@given(node_lists())
def test_random_graphs(nodes: list[tuple[str, str, str, str]]) -> None:
    found = differentiated(gs.loads(document(nodes)))
    assert found is not None
    plan, leaves, dims = found
    bound = Bound(plan, leaves, dims)
    assert_same_bits(bound.run(leaves), reference(plan, leaves, dims))


def test_values_in_the_middle_are_right_too() -> None:
    """Every node as an output: nothing may be overwritten then."""
    program = gs.load(Path(__file__).parents[1] / "specs/networks/lecture_matmul.yaml")
    plan, leaves, dims = differentiated(program) or pytest.fail("it is differentiable")
    everything = schedule(
        plan.graph, [step.node for step in plan.steps if isinstance(plan.graph.types[step.node], TensorType)]
    )
    assert_same_bits(run(everything, leaves, dims), reference(everything, leaves, dims))


CHAIN = """
graphspec: 1
inputs: {x: {shape: [n, 64]}}
nodes:
LAYERS
  f: mean(hLAST)
outputs: f
"""


def chain(count: int) -> gs.Program:
    lines = [f"  h{i + 1}: tanh({f'h{i}' if i else 'x'}) * 1.5 + 0.1" for i in range(count)]
    return gs.loads(CHAIN.replace("LAYERS", "\n".join(lines)).replace("LAST", str(count)))


def test_memory_is_shared_by_values_that_do_not_live_together() -> None:
    """Run forward, a chain of any length needs the memory of two of its values."""
    sizes = []
    for count in (5, 100):
        program = chain(count)
        plan = program._plan(program.graph, tuple(program.model.outputs.values()))
        leaves, dims = program._leaves(program.model, plan, {"x": np.ones((32, 64))}, 0)
        sizes.append(Bound(plan, leaves, dims).bytes)
    assert sizes[0] == sizes[1]
    assert sizes[0] <= 3 * 32 * 64 * 8 + 4096


def test_a_bound_run_allocates_nothing_that_grows_with_the_nodes() -> None:
    counts = []
    for count in (10, 200):
        program = chain(count)
        plan = program._plan(program.graph, tuple(program.model.outputs.values()))
        leaves, dims = program._leaves(program.model, plan, {"x": np.ones((4, 64))}, 0)
        bound = Bound(plan, leaves, dims)
        bound.run(leaves)
        gc.collect()
        before = sys.getallocatedblocks()
        found = bound.run(leaves)
        counts.append(sys.getallocatedblocks() - before)
        assert len(found) == 1
    assert abs(counts[0] - counts[1]) < 50  # of 190 more nodes, each with three steps


def test_threads_have_memory_of_their_own() -> None:
    program = chain(50)
    draw = np.random.default_rng(0)
    feeds = [draw.normal(size=(16, 64)) for _ in range(8)]
    expected = [program.backprop(x=feed).gradients["x"].tobytes() for feed in feeds]
    found: dict[int, bytes] = {}

    def work(number: int) -> None:
        for _ in range(20):
            found[number] = program.backprop(x=feeds[number]).gradients["x"].tobytes()
            assert found[number] == expected[number]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[number] for number in range(8)] == expected


def test_results_belong_to_the_caller() -> None:
    program = chain(3)
    first = program.run(x=np.ones((2, 64)))["f"]
    kept = float(first)
    program.run(x=np.zeros((2, 64)))
    assert float(first) == kept


def test_a_plan_is_bound_for_a_few_sizes_at_a_time() -> None:
    program = chain(3)
    for size in range(1, 12):
        program.run(x=np.ones((size, 64)))
    (plan,) = program._plans.values()
    assert 1 <= len(plan.bound) <= 5


def test_a_node_that_fails_is_named_every_time() -> None:
    program = gs.loads(
        "graphspec: 1\ninputs: {x: {shape: [3]}, i: {shape: [2], dtype: int64}}\n"
        "nodes: {y: 'take(x, i, axis=0)', f: sum(y)}\noutputs: f"
    )
    assert float(program.run(x=[1.0, 2.0, 3.0], i=[0, 2])["f"]) == 4.0
    for _ in range(2):
        with pytest.raises(gs.ExecutionError) as info:
            program.run(x=[1.0, 2.0, 3.0], i=[0, 7])
        assert "'y'" in str(info.value) or "at y" in str(info.value)
    assert float(program.run(x=[1.0, 2.0, 3.0], i=[0, 2])["f"]) == 4.0


def test_the_pool_lends_the_smallest_block_that_fits() -> None:
    pool = Pool()
    large, _ = pool.array((1000,), "float64")
    small, array = pool.array((3, 5), "float32")
    assert array.flags.c_contiguous
    assert array.ctypes.data % 64 == 0
    pool.give(large)
    pool.give(small)
    again, _ = pool.array((10,), "float32")
    assert again is small
    assert pool.array((900,), "float64")[0] is large
    assert pool.total == 8000 + 64
