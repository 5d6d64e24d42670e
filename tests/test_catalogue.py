"""Every op of the catalogue, by its samples: types, numbers, first and second derivatives, errors, conventions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import samples
from samples import SAMPLES, WRONG, Sample, Wrong

import graphspec.ops
from graphspec.autodiff import vjp, zeros
from graphspec.dims import Dim, symbol
from graphspec.engine import numpy_engine
from graphspec.errors import ExecutionError, OpTypeError
from graphspec.graph import Graph
from graphspec.op import OPS, Op, attributes
from graphspec.plan import schedule
from graphspec.types import TensorType, evaluate_shape
from graphspec.value import Value

for family in iter_modules(samples.__path__):
    import_module(f"samples.{family.name}")

CASES = [pytest.param(name, sample, id=f"{name}-{i}") for name in SAMPLES for i, sample in enumerate(SAMPLES[name])]
WRONGS = [pytest.param(name, wrong, id=f"{name}-{i}") for name in WRONG for i, wrong in enumerate(WRONG[name])]
SMOOTH = [
    case
    for case, (name, sample) in ((case, case.values) for case in CASES)
    if OPS[name].differentiable and sample.differentiate and any(np.asarray(x).dtype == float for x in sample.operands)
]
STEP = 1e-5

_PARTS = "attributes with numbers must fit the dims"
_WHICH = "it must know which of two dims is less"
_SEVERAL = "the number of outputs depends on the dim"

# The ops that refuse symbols for the dims of some of their samples, which are known there to fit.
NEEDS_SIZES = {
    "conv": "groups divide the channels; same padding of strides depends on the dim",
    "conv_transpose": "groups divide the channels; same padding of strides depends on the dim",
    "conv_weight_gradient": "a symbol is not known to be the number of windows",
    **dict.fromkeys(("max_pool", "avg_pool"), "ceil_mode: whether there is one window more depends on the dim"),
    **dict.fromkeys(("qr", "svd"), _WHICH),
    "diagonal": _WHICH,
    **dict.fromkeys(("scatter", "scatter_add"), "indices that are fewer than x has along another axis: " + _WHICH),
    **dict.fromkeys(("gather_nd", "scatter_nd"), "the rank of the result depends on the last dim of the indices"),
    **dict.fromkeys(("reshape", "broadcast_to", "random_bernoulli", "unslice"), _PARTS),
    "fold": "a symbol is not known to be the number of windows",
    **dict.fromkeys(("split", "unstack"), _SEVERAL),
}


def make(name: str, given: dict[str, Any]) -> Op:
    """Return an op with attributes as a spec would give them."""
    declared = attributes(OPS[name])
    return OPS[name](**{key: declared[key].check(value) for key, value in given.items()})


@dataclass
class Trial:
    """A graph of one op, and the arrays of its leaves."""

    graph: Graph = field(default_factory=Graph)
    arrays: dict[int, np.ndarray] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    blocked: list[str] = field(default_factory=list)

    def leaf(self, array: np.ndarray, symbolic: bool = False) -> Value:
        """Add an operand; ``symbolic`` makes a symbol of every size above 1."""
        shape = tuple(self.dim(size) if symbolic else size for size in array.shape)
        value = self.graph.leaf("input", f"x{len(self.arrays)}", TensorType(str(array.dtype), shape))
        self.arrays[value.id] = array
        return value

    def dim(self, size: int) -> Dim:
        if size <= 1:
            return size
        self.dims[f"n{size}"] = size
        return symbol(f"n{size}")

    def apply(self, name: str, given: dict[str, Any], operands: Sequence[Value]) -> list[Value]:
        """Add the op and return its outputs."""
        result = self.graph.apply(make(name, given), *operands)
        return list(result) if isinstance(result, tuple) else [result]

    def run(self, values: Sequence[Value], arrays: dict[int, np.ndarray] | None = None) -> list[np.ndarray]:
        """Compute values; with ``arrays`` instead of the leaves' own, of any dtype that the kernels take."""
        leaves = {**self.arrays, **(arrays or {})}
        plan = schedule(self.graph, [value.id for value in values])
        seeds = {node: np.array([7, 3]) for node in plan.leaves if node not in leaves}
        runner = numpy_engine.run if arrays is None else numpy_engine.reference
        return runner(plan, {**leaves, **seeds}, self.dims)

    def pull(self, outputs: Sequence[Value], wrt: Sequence[Value]) -> tuple[list[Value], list[Value]]:
        """Pull random cotangents of distinct float outputs back; return them, and the cotangent of each of ``wrt``."""
        cts = []
        for y in outputs:
            shape = evaluate_shape(y.type.shape, self.dims)
            cts.append(self.graph.leaf("input", f"ct{len(self.graph)}", y.type))
            self.arrays[cts[-1].id] = np.random.default_rng(len(cts)).normal(size=shape).astype(y.type.dtype)
        seeds = {y.id: ct for y, ct in zip(outputs, cts, strict=True)}
        backward = vjp(self.graph, seeds, [x.id for x in wrt])
        self.graph.verify()
        self.blocked = [self.graph.ops[node].name for node in backward.blocked.values()]
        return cts, [backward.cotangents.get(x.id) or zeros(self.graph, x.type) for x in wrt]

    def difference(self, outputs: Sequence[Value], cts: Sequence[Value], along: dict[int, np.ndarray]) -> float:
        """Return the central difference of <cts, outputs> when leaves move along a direction."""
        ends = []
        for step in (STEP, -STEP):
            moved = {node: self.arrays[node] + step * direction for node, direction in along.items()}
            pairs = zip(cts, self.run(outputs, moved), strict=True)
            ends.append(sum(np.sum(self.arrays[ct.id] * y) for ct, y in pairs))
        return float(ends[0] - ends[1]) / (2 * STEP)


def trial(name: str, sample: Sample, symbolic: bool = False) -> tuple[Trial, list[Value], list[Value]]:
    """Return the graph of a sample, its float operands and its outputs."""
    made = Trial()
    operands = [made.leaf(np.asarray(array), symbolic) for array in sample.operands]
    given = dict(sample.attributes)
    if symbolic and name == "slice":  # as those who emit it do: what is known of a symbol is checked when run
        axes = np.atleast_1d(np.asarray(given["axis"], int)).tolist()
        given["inside"] = [axis for axis in axes if not isinstance(operands[0].type.shape[axis], int)]
    outputs = made.apply(name, given, operands)
    return made, [x for x in operands if x.type.is_float], outputs


def test_every_op_has_samples() -> None:
    assert set(OPS) == set(SAMPLES) == set(WRONG)
    assert all(len(samples) >= 6 for samples in SAMPLES.values())
    assert graphspec.ops.__doc__


@pytest.mark.parametrize("name", OPS)
def test_every_op_and_attribute_is_documented(name: str) -> None:
    assert OPS[name].__doc__
    assert all(declared.doc for declared in attributes(OPS[name]).values())


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_kernel_gives_the_inferred_type(name: str, sample: Sample) -> None:
    made, _, outputs = trial(name, sample)
    for array, value in zip(made.run(outputs), outputs, strict=True):
        assert (str(array.dtype), array.shape) == (value.type.dtype, value.type.shape)
    operands = [np.asarray(array) for array in sample.operands] + [np.array([7, 3])] * len(OPS[name].implicit)
    with np.errstate(all="ignore"):
        result = make(name, sample.attributes).kernel(np, *operands)
    assert all(isinstance(array, np.ndarray) for array in (result if isinstance(result, tuple) else (result,)))


@pytest.mark.parametrize(("name", "sample"), [case for case in CASES if case.values[1].formula])
def test_forward_agrees_with_the_formula(name: str, sample: Sample) -> None:
    made, _, outputs = trial(name, sample)
    expected = sample.formula(*map(np.asarray, sample.operands))  # type: ignore[misc]
    found = made.run(outputs)
    for array, wanted in zip(found, expected if isinstance(expected, tuple) else (expected,), strict=True):
        np.testing.assert_allclose(array, np.asarray(wanted).reshape(array.shape), rtol=1e-12, atol=1e-14)
        assert np.shape(wanted) == array.shape


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_symbolic_dims_agree_with_integers(name: str, sample: Sample) -> None:
    try:
        made, operands, outputs = trial(name, sample, symbolic=True)
    except OpTypeError:
        assert name in NEEDS_SIZES
        return
    known, known_operands, known_outputs = trial(name, sample)
    shapes = [evaluate_shape(value.type.shape, made.dims) for value in outputs]
    if shapes != [value.type.shape for value in known_outputs]:
        with pytest.raises(ExecutionError):  # what was taken for granted about a symbol is checked when run
            made.run(outputs)
        return
    if OPS[name].differentiable and operands and all(value.type.is_float for value in outputs):
        outputs, known_outputs = made.pull(outputs, operands)[1], known.pull(known_outputs, known_operands)[1]
    for array, wanted in zip(made.run(outputs), known.run(known_outputs), strict=True):
        np.testing.assert_array_equal(array, wanted)


@pytest.mark.parametrize("name", NEEDS_SIZES)
def test_the_listed_need_sizes(name: str) -> None:
    assert any(needs_sizes(name, sample) for sample in SAMPLES[name])
    assert not all(needs_sizes(name, sample) for sample in SAMPLES[name])


def needs_sizes(name: str, sample: Sample) -> bool:
    """Tell whether an op refuses symbols for the dims of a sample."""
    try:
        trial(name, sample, symbolic=True)
    except OpTypeError:
        return True
    return False


@pytest.mark.parametrize(("name", "sample"), SMOOTH)
def test_gradients_agree_with_differences(name: str, sample: Sample) -> None:
    made, operands, outputs = trial(name, sample)
    cts, gradients = made.pull(outputs, operands)
    assert not made.blocked
    compare(made, outputs, cts, operands, gradients)
    outputs = list(dict.fromkeys(gradients))
    leaves = operands + cts
    cts, gradients = made.pull(outputs, leaves)
    assert not made.blocked
    compare(made, outputs, cts, leaves, gradients)


def compare(made: Trial, outputs: list[Value], cts: list[Value], wrt: list[Value], gradients: list[Value]) -> None:
    """Compare the slope of <cts, outputs> along one random direction with the difference."""
    rng = np.random.default_rng(1)
    along = {x.id: rng.normal(size=made.arrays[x.id].shape) for x in wrt}
    slope = sum(np.sum(array * along[x.id]) for array, x in zip(made.run(gradients), wrt, strict=True))
    assert slope == pytest.approx(made.difference(outputs, cts, along), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize(("name", "sample"), SMOOTH)
def test_gradients_keep_float32(name: str, sample: Sample) -> None:
    narrow = [np.float32(array) if np.asarray(array).dtype == np.float64 else array for array in sample.operands]
    made, operands, outputs = trial(name, Sample(tuple(narrow), sample.attributes))
    _, gradients = made.pull(outputs, operands)
    assert {str(array.dtype) for array in made.run(gradients)} <= {"float32"}


@pytest.mark.parametrize(("name", "wrong"), WRONGS)
def test_wrong_operands_name_their_constraint(name: str, wrong: Wrong) -> None:
    made = Trial()
    operands = [made.leaf(array) for array in wrong.operands]
    with pytest.raises(OpTypeError) as info:
        made.apply(name, wrong.attributes, operands)
    assert info.value.constraint == wrong.constraint
    family = [import_module(OPS[name].__module__), *(op for op in OPS.values() if op.family == OPS[name].family)]
    assert any(f"({wrong.constraint})" in str(documented.__doc__) for documented in family)
