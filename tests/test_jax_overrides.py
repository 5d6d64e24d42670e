"""What JAX computes another way than the kernels, against the kernels; and errors of JAX, which become ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from samples import SAMPLES
from test_jax_engine import RANDOM

import graphspec as gs
from graphspec.engine.jax_checks import CHECKS
from graphspec.engine.jax_overrides import OVERRIDES
from graphspec.op import OPS, Op, attributes

OVERRIDDEN = [
    name for name in OVERRIDES if name not in RANDOM
]  # what is drawn at random, engines draw in their own way
CASES = [(name, i) for name in OVERRIDDEN for i in range(len(SAMPLES[name]))]
PRECISIONS = ("float64", "float32")
TOLERANCES = {"float64": 1e-12, "float32": 1e-5, "float16": 1e-3}  # integers agree exactly


def test_every_override_and_every_check_names_an_op_that_has_samples() -> None:
    assert set(OVERRIDES) <= set(OPS)
    assert set(CHECKS) <= set(OPS)
    assert all(SAMPLES[name] for name in OVERRIDDEN)


def op_named(name: str, **given: Any) -> Op:
    known = attributes(OPS[name])
    return OPS[name](**{key: known[key].check(value) for key, value in given.items()})


def results(function: Callable[..., Any], *operands: Any) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        found = function(*operands)
    return [np.asarray(array) for array in (found if isinstance(found, tuple) else (found,))]


def compare(op: Op, operands: tuple[np.ndarray, ...], dtype: str) -> None:
    """Compare an override with the kernel on NumPy and on JAX."""
    with np.errstate(over="ignore"):
        operands = tuple(array.astype(dtype) if array.dtype == np.float64 else array for array in operands)
    override = OVERRIDES[op.name]
    with jax.enable_x64(True):
        arrays = [jnp.asarray(array) for array in operands]
        found = results(jax.jit(lambda *given: override(op, *given)), *arrays)
        plain = results(jax.jit(lambda *given: op.kernel(jnp, *given)), *arrays)
    for have, *wants in zip(found, results(lambda *given: op.kernel(np, *given), *operands), plain, strict=True):
        for want in wants:
            assert (have.dtype, have.shape) == (want.dtype, want.shape)
            tolerance = TOLERANCES.get(str(want.dtype), 0)
            scale = max(1.0, float(np.abs(want[np.isfinite(want)]).max(initial=0)))
            np.testing.assert_allclose(have, want, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(("name", "index"), CASES, ids=[f"{name}-{i}" for name, i in CASES])
def test_overrides_agree_with_the_kernels(name: str, index: int, dtype: str) -> None:
    sample = SAMPLES[name][index]
    if sample.attributes.get("dtype") == "float64" and dtype == "float32":
        pytest.skip("the sample is in float64 only")
    compare(op_named(name, **sample.attributes), sample.operands, dtype)


WINDOWS: dict[str, tuple[tuple[int, ...], dict[str, Any]]] = {
    "wide": ((2, 3, 20, 17), {"window": (7, 5), "padding": (3, 2)}),
    "apart": ((2, 3, 21, 16), {"window": (5, 4), "stride": (5, 4)}),
    "apart, padded": ((2, 3, 21, 16), {"window": (5, 4), "stride": (5, 4), "padding": (2, 3, 1, 0)}),
    "apart, few": ((2, 3, 9, 8), {"window": (2,), "stride": (2,)}),
    "gaps": ((1, 2, 23, 19), {"window": (5,), "stride": (7, 6), "padding": (1,)}),
    "dilated": ((2, 2, 17, 19), {"window": (3, 4), "dilation": (2, 3), "stride": (1, 2), "padding": (2, 3)}),
    "one dim apart": ((2, 2, 17, 20), {"window": (3, 5), "stride": (1, 5)}),
    "one dim": ((2, 3, 30), {"window": (18,), "stride": (3,), "padding": (4, 7)}),
    "three dims": ((1, 2, 7, 8, 9), {"window": (3,), "stride": (2,), "padding": (1,)}),
    "channels last": ((2, 18, 17, 3), {"window": (5,), "stride": (2,), "padding": (2,), "layout": "channels_last"}),
    "all of it": ((2, 3, 12, 11), {"window": (12, 11)}),
    "no batch": ((0, 3, 12, 11), {"window": (5, 5)}),
}
NUMBERS = np.random.default_rng(3)


def awkward(shape: tuple[int, ...]) -> np.ndarray:
    """Return numbers with ties and zeros of both signs."""
    x = NUMBERS.integers(-3, 4, shape).astype(np.float64)
    return np.where(x == 0, np.copysign(0.0, NUMBERS.standard_normal(shape)), x)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("case", WINDOWS)
def test_windows_of_all_kinds(case: str, dtype: str) -> None:
    shape, given = WINDOWS[case]
    strided = {"stride": (1,), **given}
    x = NUMBERS.standard_normal(shape)
    for operand in (x, awkward(shape)):
        compare(op_named("max_pool", **given), (operand,), dtype)
        compare(op_named("max_pool", ceil_mode=True, **given), (operand,), dtype)
        for included in (True, False):
            compare(op_named("avg_pool", count_include_pad=included, **given), (operand,), dtype)
            compare(op_named("avg_pool", count_include_pad=included, ceil_mode=True, **given), (operand,), dtype)
    unfold = op_named("unfold", **strided)
    for operand in (x, awkward(shape).astype(np.int32)):
        compare(unfold, (operand,), dtype)
        columns = unfold.kernel(np, operand)
        size = shape[1:-1] if given.get("layout") else shape[2:]
        compare(op_named("fold", size=size, **strided), (columns,), dtype)


@pytest.mark.parametrize("special", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("case", ["wide", "apart", "apart, few", "dilated", "gaps"])
def test_pooling_keeps_what_is_not_finite_where_it_is(case: str, special: float) -> None:
    shape, given = WINDOWS[case]
    x = NUMBERS.standard_normal(shape)
    x[..., 3, 4] = special
    for name in ("max_pool", "avg_pool"):
        compare(op_named(name, **given), (x,), "float64")
    strided = {"stride": (1,), **given}
    compare(op_named("unfold", **strided), (x,), "float64")
    compare(op_named("fold", size=shape[2:], **strided), (op_named("unfold", **strided).kernel(np, x),), "float64")


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    ("window", "given"),
    [
        ((3, 3), {"padding": (1,)}),
        ((3, 2), {"stride": (2, 1), "padding": (1, 0, 2, 1)}),
        ((2, 3), {"stride": (3, 4), "dilation": (2, 1)}),
        ((9, 9), {"padding": (4,)}),  # more elements than are taken one by one
        ((3, 3), {"layout": "channels_last"}),
    ],
)
def test_convolution_of_each_channel_alone(window: tuple[int, ...], given: dict[str, Any], dtype: str) -> None:
    shape = (2, 12, 13, 6) if given.get("layout") else (2, 6, 12, 13)
    x, weight = NUMBERS.standard_normal(shape), NUMBERS.standard_normal((6, 1, *window))
    conv = op_named("conv", groups=6, **given)
    compare(conv, (x, weight), dtype)
    y = conv.kernel(np, x, weight)
    rest = {"output_padding": (1, 0)} if given.get("stride") == (2, 1) else {}
    compare(op_named("conv_transpose", groups=6, **given, **rest), (y, weight), dtype)
    compare(op_named("conv_weight_gradient", groups=6, window=window, **given), (x, y), dtype)


@pytest.mark.parametrize("largest", [True, False])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int64"])
def test_top_k_orders_ties_zeros_and_nan_as_the_kernel_does(dtype: str, largest: bool) -> None:
    x = awkward((4, 30))
    if dtype.startswith("float"):
        x[1, ::7], x[2, ::5], x[2, 3::9] = np.nan, np.inf, -np.inf
        x[3, ::4], x[3, 1::4] = -np.nan, np.inf
    for k in (0, 5, 30):
        compare(op_named("top_k", k=k, largest=largest), (x.astype(dtype),), dtype)
        compare(op_named("top_k", k=min(k, 4), axis=0, largest=largest), (x.astype(dtype),), dtype)


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("transpose", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_triangles_of_all_kinds(lower: bool, transpose: bool, unit: bool, dtype: str) -> None:
    op = op_named("triangular_solve", lower=lower, transpose=transpose, unit_diagonal=unit)
    side = 100  # more than one block of rows of the kernel
    a = NUMBERS.standard_normal((2, 1, side, side)) / side + 2 * np.eye(side)
    off = np.triu(np.full((side, side), np.nan), 1)
    compare(op, (a + (off if lower else off.T), NUMBERS.standard_normal((3, side, 4))), dtype)
    compare(op, (a[0, 0], NUMBERS.standard_normal(side)), dtype)


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("name", ["erf", "erfc"])
def test_error_function_over_its_range(name: str, dtype: str) -> None:
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, 1e30, -1e30]
    compare(op_named(name), (np.concatenate([np.linspace(-8, 8, 2001), special]),), dtype)


@pytest.mark.parametrize("size", [0, 3, 100])
def test_nonzero_has_room_for_its_size(size: int) -> None:
    for x in (awkward((4, 9)), np.zeros((3, 2)), awkward((5, 4)) > 1, np.array([np.nan, 0.0, 1.0])):
        compare(op_named("nonzero", size=size), (x,), "float64")


def equations(function: Callable[..., Any], *operands: np.ndarray) -> int:
    with jax.enable_x64(True):
        return len(jax.make_jaxpr(function)(*operands).jaxpr.eqns)


@pytest.mark.parametrize(
    ("name", "given", "shapes"),
    [
        ("max_pool", {"window": (9,), "stride": (1,)}, [(1, 2, 20, 20)]),
        ("avg_pool", {"window": (20,)}, [(1, 2, 20, 20)]),
        ("unfold", {"window": (9,)}, [(1, 2, 20, 20)]),
        ("unfold", {"window": (10,), "stride": (10,)}, [(1, 2, 20, 20)]),
        ("fold", {"window": (9,), "size": (20, 20)}, [(1, 81, 144)]),
        ("fold", {"window": (10,), "stride": (10,), "size": (20, 20)}, [(1, 100, 4)]),
        ("recurrence", {}, [(3, 200), (3, 200)]),
        ("triangular_solve", {}, [(1024, 1024), (1024, 3)]),
    ],
)
def test_what_is_compiled_stays_small(name: str, given: dict[str, Any], shapes: list[tuple[int, ...]]) -> None:
    op, operands = op_named(name, **given), [np.ones(shape) for shape in shapes]
    assert equations(lambda *arrays: OVERRIDES[name](op, *arrays), *operands) <= 80
    assert equations(lambda *arrays: op.kernel(jnp, *arrays), *operands) > 80


@pytest.mark.parametrize("window", ["window=2", "window=3, stride=2, padding=1", "window=6", "window=5, stride=1"])
def test_ties_share_the_gradient_equally_on_both_engines(window: str) -> None:
    text = (
        "{graphspec: 1, inputs: {x: {shape: [2, 3, 13, 12]}}, "
        f"nodes: {{y: 'max_pool(x, {window})', f: sum(y * y)}}, outputs: f}}"
    )
    program, x = gs.loads(text), awkward((2, 3, 13, 12))
    want, have = (program.backprop(x=x, engine=engine).gradients["x"] for engine in ("numpy", "jax"))
    np.testing.assert_allclose(have, want, rtol=1e-12, atol=1e-12)


FAILING = {
    "take": ("take(x, i)", {"x": [1.0, 2.0], "i": 2}),
    "take, negative": ("take(x, i)", {"x": [1.0, 2.0], "i": -3}),
    "take along axis 1": ("take(x, i, axis=1)", {"x": [[1.0, 2.0]], "i": 2}),
    "untake": ("untake(x, i, size=2)", {"x": [1.0, 2.0], "i": [0, 2]}),
    "take_along_axis": ("take_along_axis(x, i)", {"x": [1.0, 2.0], "i": [0, 2]}),
    "untake_along_axis": ("untake_along_axis(x, i, size=2)", {"x": [1.0, 2.0], "i": [0, 2]}),
    "scatter": ("scatter(x, i, x)", {"x": [1.0, 2.0], "i": [0, 2]}),
    "scatter_add": ("scatter_add(x, i, x)", {"x": [1.0, 2.0], "i": [-3, 0]}),
    "gather_nd": ("gather_nd(x, i)", {"x": [[1.0, 2.0]], "i": [[1, 0]]}),
    "scatter_nd": ("scatter_nd(x, i, b)", {"x": [[1.0, 2.0]], "i": [[0, 2]], "b": [1.0]}),
    "cholesky": ("cholesky(x)", {"x": [[1.0, 2.0], [2.0, 1.0]]}),
    "solve": ("solve(x, b)", {"x": [[1.0, 1.0], [1.0, 1.0]], "b": [1.0, 2.0]}),
    "inv": ("inv(x)", {"x": [[1.0, 1.0], [1.0, 1.0]]}),
    "triangular_solve": ("triangular_solve(x, b)", {"x": [[1.0, 0.0], [1.0, 0.0]], "b": [1.0, 2.0]}),
}


def test_every_check_has_an_example_that_fails() -> None:
    assert {text.partition("(")[0] for text, _ in FAILING.values()} == set(CHECKS)


@pytest.mark.parametrize("engine", ["numpy", "jax"])
@pytest.mark.parametrize("case", FAILING)
def test_what_fails_on_numpy_fails_on_jax(case: str, engine: str) -> None:
    call, given = FAILING[case]
    inputs = ", ".join(
        f"{key}: {{value: {value}, dtype: {'int64' if key == 'i' else 'float64'}}}" for key, value in given.items()
    )
    program = gs.loads(f"graphspec: 1\ninputs: {{{inputs}}}\nnodes:\n  y: {call}\n  f: sum(y)\noutputs: f")
    with pytest.raises(gs.ExecutionError, match=f"{call.partition('(')[0]} failed at y: ") as caught:
        program.run(engine=engine)
    (found,) = caught.value.diagnostics
    assert found.code == "GS620"
    assert found.where is not None
    assert found.where.line == 4


def test_the_first_node_that_fails_is_named() -> None:
    text = "{graphspec: 1, inputs: {x: [1, 2], i: {value: 5, dtype: int64}}, nodes: {a: 'take(x, i)', b: 'take(x, i + 1)'}, outputs: [b, a]}"
    with pytest.raises(gs.ExecutionError, match="take failed at a"):
        gs.loads(text).run(engine="jax")


def test_nan_that_arrives_does_not_fail() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: {shape: [2, 2]}}, nodes: {f: inv(x)}, outputs: f}")
    for engine in ("numpy", "jax"):
        assert np.isnan(program.run(x=np.full((2, 2), np.nan), engine=engine)["f"]).all()


def test_too_little_memory_is_an_error_of_ours() -> None:
    program = gs.loads("{graphspec: 1, inputs: {x: 1}, nodes: {f: 'x * ones(shape=[10000000, 10000000])'}, outputs: f}")
    for engine in ("numpy", "jax"):
        with pytest.raises(gs.ExecutionError, match=r"allocat") as caught:
            program.run(engine=engine)
        assert caught.value.diagnostics[0].code == "GS620"


def lacking(op: Op, x: Any) -> Any:
    return jnp.there_is_no_such_function(x)


def refusing(op: Op, x: Any) -> Any:
    raise NotImplementedError("not on this device")


def peeking(op: Op, x: Any) -> Any:
    return x if x > 0 else -x


@pytest.mark.parametrize("kernel", [lacking, refusing, peeking])
def test_an_op_that_jax_cannot_compute_is_named(kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(OVERRIDES, "exp", kernel)
    program = gs.loads("graphspec: 1\ninputs: {x: 1}\nnodes:\n  y: sin(x)\n  f: exp(y)\noutputs: f")
    with pytest.raises(gs.EngineError, match="JAX cannot compute exp at f: ") as caught:
        program.run(engine="jax")
    (found,) = caught.value.diagnostics
    assert found.where is not None
    assert found.where.line == 5
    assert "\n" not in found.message
    assert "numpy" in found.hint


def test_a_failure_while_compiling_is_an_error_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(op: Op, x: Any) -> Any:
        raise jax.errors.JaxRuntimeError("INTERNAL: no luck")

    monkeypatch.setitem(OVERRIDES, "exp", failing)
    with pytest.raises(gs.ExecutionError, match="exp failed at f: INTERNAL: no luck"):
        gs.loads("{graphspec: 1, inputs: {x: 1}, nodes: {f: exp(x)}, outputs: f}").run(engine="jax")
