"""The JAX engine against the NumPy engine: the same graph, the same kernels or tested overrides."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import numpy as np
import pytest
import samples
from samples import SAMPLES

import graphspec as gs
import graphspec.ops
from graphspec.engine import jax_engine, numpy_engine
from graphspec.engine.jax_overrides import OVERRIDES
from graphspec.graph import Graph
from graphspec.op import OPS, attributes
from graphspec.plan import Plan, schedule
from graphspec.types import TensorType

assert graphspec.ops.__doc__  # the catalogue is filled
for family in iter_modules(samples.__path__):
    import_module(f"samples.{family.name}")

SPECS = sorted(Path(__file__).parent.parent.joinpath("specs").rglob("*.yaml"))
RANDOM = {name for name, cls in OPS.items() if cls.implicit}
CASES = [(name, i) for name in OPS if name not in RANDOM for i in range(len(SAMPLES.get(name, ())))]


def plan_of(name: str, index: int, operands: Sequence[np.ndarray] | None = None) -> tuple[Plan, dict[int, np.ndarray]]:
    """Return the plan of one op on one sample, or on other operands, and its leaves."""
    sample, graph = SAMPLES[name][index], Graph()
    operands = sample.operands if operands is None else operands
    values = [
        graph.leaf("input", f"x{i}", TensorType(str(array.dtype), array.shape)) for i, array in enumerate(operands)
    ]
    known = attributes(OPS[name])
    given = {key: known[key].check(value) for key, value in sample.attributes.items()}
    result = graph.apply(OPS[name](**given), *values)
    outputs = [value.id for value in (result if isinstance(result, tuple) else (result,))]
    leaves = {value.id: array for value, array in zip(values, operands, strict=True)}
    return schedule(graph, outputs), leaves


@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{name}-{i}" for name, i in CASES])
def test_every_op_agrees_with_numpy(name: str, index: int) -> None:
    plan, leaves = plan_of(name, index)
    for want, have in zip(numpy_engine.run(plan, leaves, {}), jax_engine.run(plan, leaves, {}), strict=True):
        assert have.dtype == want.dtype
        assert have.shape == want.shape
        tolerance = 1e-5 if want.dtype == np.float32 else 1e-12
        np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance)


def comparable(path: Path) -> bool:
    """Tell whether a spec runs as it stands and draws nothing at random, which the engines do each in their own way."""
    program = gs.load(path)
    random = any(op.name in RANDOM for op in program.graph.ops)
    needs = any(item.default is None for item in program.model.inputs.values())
    return not random and not needs and program.model.of is not None


@pytest.mark.parametrize("path", list(filter(comparable, SPECS)), ids=lambda path: path.stem)
def test_every_spec_agrees_with_numpy(path: Path) -> None:
    program = gs.load(path)
    a, b = program.backprop(), program.backprop(engine="jax")
    tolerance = 1e-5 if program.model.dtype == "float32" else 1e-12
    for name, want in {**a.outputs, **a.gradients}.items():
        have = {**b.outputs, **b.gradients}[name]
        np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance, err_msg=name)
        assert have.dtype == want.dtype


def test_random_ops_repeat_their_bits_and_depend_on_seed_and_path() -> None:
    text = "{graphspec: 1, nodes: {a: 'random_normal(shape=[64])', b: 'random_normal(shape=[64])'}, outputs: [a, b]}"
    program = gs.loads(text)
    first, again, other = (program.run(engine="jax", seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first["a"], again["a"])
    assert not np.array_equal(first["a"], first["b"])
    assert not np.array_equal(first["a"], other["a"])
    assert abs(float(first["a"].mean())) < 0.6


def test_a_plan_is_compiled_once_for_each_set_of_shapes() -> None:
    text = "{graphspec: 1, inputs: {x: {shape: [n]}}, nodes: {f: sum(x * x)}, outputs: f}"
    program = gs.loads(text)
    for size in (2, 3, 2, 3):
        program.run({"x": np.ones(size)}, engine="jax")
    (plan,) = program._plans.values()
    assert len(plan.bound) == 2


def test_the_callers_precision_setting_stays() -> None:
    import jax.numpy as jnp

    gs.loads("{graphspec: 1, inputs: {x: 1}, nodes: {f: exp(x)}, outputs: f}").run(engine="jax")
    assert jnp.asarray(1.0).dtype == jnp.float32


def test_threads_get_the_same_bits() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: {shape: [8]}}, nodes: {f: sum(exp(sin(x)))}, outputs: f}")
    feeds = np.linspace(0, 1, 8)
    want = program.backprop(x=feeds, engine="jax").gradients["x"]
    found: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: found.append(program.backprop(x=feeds, engine="jax").gradients["x"]))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert all(np.array_equal(item, want) for item in found)


def test_a_missing_jax_is_an_engine_error_with_the_pip_line(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "graphspec.engine.jax_engine", None)
    with pytest.raises(gs.EngineError, match="pip install") as caught:
        gs.loads("{graphspec: 1, inputs: {x: 1}, nodes: {f: exp(x)}, outputs: f}").run(engine="jax")
    assert caught.value.diagnostics[0].code == "GS612"


def test_every_override_names_an_op() -> None:
    assert set(OVERRIDES) <= set(OPS)


FLOAT32 = [
    (name, i)
    for name, i in CASES
    if any(array.dtype == np.float64 for array in SAMPLES[name][i].operands)
    and SAMPLES[name][i].differentiate  # kinks and extremes lie elsewhere in float32
    and SAMPLES[name][i].attributes.get("dtype") != "float64"
    and all(np.abs(array[np.isfinite(array)]).max(initial=0) < 1e30 for array in SAMPLES[name][i].operands)
]
SIGNS_ARE_FREE = ("svd", "eigh", "qr")  # of the vectors: rounding decides them


@pytest.mark.parametrize(("name", "index"), FLOAT32, ids=[f"{name}-{i}" for name, i in FLOAT32])
def test_float32_agrees_with_numpy(name: str, index: int) -> None:
    sample = SAMPLES[name][index]
    narrow = [array.astype(np.float32) if array.dtype == np.float64 else array for array in sample.operands]
    plan, leaves = plan_of(name, index, narrow)
    for want, have in zip(numpy_engine.run(plan, leaves, {}), jax_engine.run(plan, leaves, {}), strict=True):
        assert have.dtype == want.dtype
        if name in SIGNS_ARE_FREE:
            want, have = np.abs(want), np.abs(have)
        scale = max(1.0, float(np.abs(want).max(initial=0.0))) if want.dtype == np.float32 else 1.0
        np.testing.assert_allclose(have, want, rtol=1e-5, atol=1e-5 * scale)
