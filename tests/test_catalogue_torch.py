"""The catalogue against PyTorch: values and gradients of every op that it has too, on the samples of the ops."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
import samples
import torch
from samples import SAMPLES, Sample
from torch.nn import functional

import graphspec.ops
from graphspec.autodiff import vjp, zeros
from graphspec.engine import numpy_engine
from graphspec.graph import Graph, Value
from graphspec.op import OPS, attributes
from graphspec.plan import schedule
from graphspec.types import TensorType

assert graphspec.ops.__doc__  # the catalogue is filled
for family in iter_modules(samples.__path__):
    import_module(f"samples.{family.name}")

Tensor = torch.Tensor
TOLERANCE = 1e-10
KNOWN = {"bool", "uint8", "int8", "int16", "int32", "int64", "float64"}

# PyTorch has none of these, or draws other numbers.
LACKS = {
    *("cbrt", "recurrence", "scale_gradient", "clip_gradient"),
    *("random_uniform", "random_normal", "random_bernoulli", "random_categorical", "random_permutation"),
}
# Its trigamma, which is its gradient of digamma, has ten digits.
LOOSE = {"trigamma": 2e-9, "digamma": 2e-9}

# of no elements the variance is nan here and there
pytestmark = pytest.mark.filterwarnings("ignore:.*degrees of freedom:UserWarning")


def at_pole(x: np.ndarray) -> bool:
    return bool((((x <= 0) & (x == np.floor(x))) | np.isinf(x)).any())


# Samples in which it has other conventions: the sign of nan is 0; poles are large numbers; ties come in any order.
DIFFERS: dict[str, Callable[[np.ndarray], bool]] = {
    "sign": lambda x: bool(np.isnan(x).any()),
    "trigamma": at_pole,
    "polygamma": at_pole,
    "top_k": lambda x: np.unique(x).size < x.size,
}


def axes(axis: Any, rank: int) -> list[int]:
    """Return axes as a list, counted from the front."""
    listed = range(rank) if axis is None else [axis] if isinstance(axis, int) else axis
    return [i % rank for i in listed]


def dtype_of(name: str) -> torch.dtype:
    found: torch.dtype = getattr(torch, name)
    return found


def over(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a reduction along several axes; torch takes an empty list for all of them."""

    def reduced(x: Tensor, axis: Any = None, keepdims: bool = False, **_: Any) -> Tensor:
        if not x.ndim or axis == []:
            return function(x.unsqueeze(0), dim=[0], keepdim=False)
        return function(x, dim=axes(axis, x.ndim), keepdim=keepdims)

    return reduced


def one_by_one(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Return a reduction along several axes made of one along each."""

    def reduced(x: Tensor, dim: Sequence[int], keepdim: bool) -> Tensor:
        for axis in sorted(dim, reverse=True):
            x = function(x, dim=axis, keepdim=keepdim)
        return x

    return over(reduced)


def search(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    def found(x: Tensor, axis: int | None = None, keepdims: bool = False) -> Tensor:
        y = function(x, dim=axis, keepdim=keepdims and axis is not None)
        return y.reshape([1] * x.ndim) if keepdims and axis is None else y

    return found


def cumulative(function: Callable[..., Tensor], start: int) -> Callable[..., Tensor]:
    def scan(x: Tensor, axis: int = 0, include_initial: bool = False, reverse: bool = False) -> Tensor:
        y = function(x.flip(axis) if reverse else x, dim=axis)
        if include_initial:
            first = torch.full_like(x.sum(axis, keepdim=True), start)
            y = torch.cat([first.to(y.dtype), y], axis)
        return y.flip(axis) if reverse else y

    return scan


def split(x: Tensor, parts: int = 0, sizes: Sequence[int] | None = None, axis: int = 0) -> Sequence[Tensor]:
    return x.split(list(sizes) if sizes else x.shape[axis] // parts or 1, axis) if x.shape[axis] else [x] * parts


def expand_dims(x: Tensor, axis: Sequence[int]) -> Tensor:
    rank = x.ndim + len(axis)
    for i in sorted(i % rank for i in axis):
        x = x.unsqueeze(i)
    return x


def picks(axis: Any, start: Any, stop: Any, step: Any = (), drop: Any = (), **_: Any) -> Callable[..., Tensor]:
    """Return a slice as selections of indices one axis after another: torch has no negative steps."""

    def pick(x: Tensor) -> Tensor:
        gone = axes(drop, x.ndim)
        for i, at in enumerate(axes(axis, x.ndim)):
            chosen = (
                slice(start[i], start[i] + 1 or None) if at in gone else slice(start[i], stop[i], (step or [1] * 9)[i])
            )
            x = x.index_select(at, torch.arange(x.shape[at])[list(range(*chosen.indices(x.shape[at])))])
        return x.squeeze(gone) if gone else x

    return pick


def unslice(x: Tensor, shape: Sequence[int], **bounds: Any) -> Tensor:
    places = picks(**bounds)(torch.arange(math.prod(shape)).reshape(list(shape)))
    return torch.zeros(math.prod(shape), dtype=x.dtype).put(places.reshape(-1), x.reshape(-1)).reshape(list(shape))


def from_front(indices: Tensor, size: int) -> Tensor:
    """Return indices counted from the front: torch knows no others."""
    return indices.long() % max(size, 1)


def take(x: Tensor, indices: Tensor, axis: int = 0) -> Tensor:
    at = axis % x.ndim
    y = x.index_select(at, from_front(indices, x.shape[at]).reshape(-1))
    return y.reshape([*x.shape[:at], *indices.shape, *x.shape[at + 1 :]])


def untake(x: Tensor, indices: Tensor, size: int, axis: int = 0) -> Tensor:
    at = axis % (x.ndim - indices.ndim + 1)
    before, after = x.shape[:at], x.shape[at + indices.ndim :]
    flat = x.reshape([*before, indices.numel(), *after])
    return torch.zeros([*before, size, *after], dtype=x.dtype).index_add(
        at, from_front(indices, size).reshape(-1), flat
    )


def take_along_axis(x: Tensor, indices: Tensor, axis: int = -1) -> Tensor:
    return torch.take_along_dim(x, from_front(indices, x.shape[axis]), axis)


def untake_along_axis(x: Tensor, indices: Tensor, size: int, axis: int = -1) -> Tensor:
    x, indices = torch.broadcast_tensors(x, from_front(indices, size))
    shape = [*x.shape]
    shape[axis] = size
    return torch.zeros(shape, dtype=x.dtype).scatter_add(axis, indices, x)


def one_hot(indices: Tensor, depth: int, dtype: str = "float64") -> Tensor:
    inside = (indices >= 0) & (indices < depth)
    found = functional.one_hot(torch.where(inside, indices.long(), depth), depth + 1)[..., :depth]
    return found.to(dtype_of(dtype))


def scatter(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    return lambda x, indices, updates, axis=0: function(x, axis, from_front(indices, x.shape[axis]), updates)


def places(x: Tensor, indices: Tensor) -> tuple[Tensor, ...]:
    return tuple(from_front(part, size) for part, size in zip(indices.unbind(-1), x.shape, strict=False))


def gather_nd(x: Tensor, indices: Tensor) -> Tensor:
    return x[places(x, indices)] if indices.shape[-1] else x.expand([*indices.shape[:-1], *x.shape])


def scatter_nd(x: Tensor, indices: Tensor, updates: Tensor, reduction: str = "set") -> Tensor:
    if not indices.shape[-1]:
        return scatter_nd(x[None], torch.zeros([*indices.shape[:-1], 1], dtype=torch.long), updates, reduction)[0]
    return x.index_put(places(x, indices), updates, accumulate=reduction == "add")


def pad(x: Tensor, before: Any, after: Any, axis: Any = None, mode: str = "constant", value: float = 0) -> Tensor:
    listed = axes(axis, x.ndim)
    widths = [[entries] * len(listed) if isinstance(entries, int) else entries for entries in (before, after)]
    for at, first, last in zip(listed, *widths, strict=True):
        rows = x.movedim(at, -1)
        if mode == "constant":
            rows = functional.pad(rows, [first, last], value=value)
        elif first or last:
            named = {"edge": "replicate", "wrap": "circular"}.get(mode, mode)
            flat = rows.reshape(1, math.prod(rows.shape[:-1]), rows.shape[-1])
            flat = functional.pad(flat, [first, last], mode=named) if flat.numel() else flat.new_zeros(1, 0, 0)
            rows = flat.reshape([*rows.shape[:-1], rows.shape[-1] + first + last])
        x = rows.movedim(-1, at)
    return x


def roll(x: Tensor, shift: Any, axis: Any = None) -> Tensor:
    if axis is None or not axes(axis, x.ndim):
        return torch.roll(x, shift) if axis is None else x
    listed = axes(axis, x.ndim)
    return torch.roll(x, [shift] * len(listed) if isinstance(shift, int) else shift, listed)


def nonzero(x: Tensor, size: int) -> tuple[Tensor, ...]:
    return tuple(
        functional.pad(part[:size], [0, size - len(part[:size])], value=-1) for part in x.nonzero(as_tuple=True)
    )


def like(value: float) -> Callable[..., Tensor]:
    return lambda x, dtype=None, value=value: torch.full_like(x, value, dtype=dtype and dtype_of(dtype))


def eye(rows: int, columns: int | None = None, k: int = 0, dtype: str = "float64") -> Tensor:
    return torch.ones(rows, rows if columns is None else columns).tril(k).triu(k).to(dtype_of(dtype))


def linspace(start: float, stop: float, num: int, endpoint: bool = True, dtype: str = "float64") -> Tensor:
    return torch.linspace(start, stop, num + (not endpoint), dtype=torch.float64)[:num].to(dtype_of(dtype))


def arange(stop: int, start: int = 0, step: int = 1, dtype: str = "int64") -> Tensor:
    empty = (stop - start) * step < 0
    return torch.arange(start, start if empty else stop, step, dtype=dtype_of(dtype))


SAME = (  # the same name and order of operands
    "add subtract multiply divide remainder negative reciprocal square pow exp expm1 log log1p log2 log10 "
    "sqrt rsqrt sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh abs sign round floor ceil trunc "
    "maximum minimum less less_equal greater greater_equal isnan isinf isfinite logical_and logical_or logical_xor "
    "logical_not where hypot copysign logaddexp nextafter signbit erf erfc lgamma digamma bitwise_and bitwise_or "
    "bitwise_xor bitwise_left_shift bitwise_right_shift matmul"
)
TORCH: dict[str, Callable[..., Any]] = {name: getattr(torch, name) for name in SAME.split()}
TORCH |= {
    "identity": torch.clone,
    "stop_gradient": torch.detach,
    "add": lambda *terms: reduce(torch.add, terms),
    "floor_divide": lambda a, b: torch.floor_divide(a.detach(), b.detach()),
    "clip": lambda x, low, high: torch.minimum(torch.maximum(x, low), high),
    "equal": torch.eq,
    "not_equal": torch.ne,
    "bitwise_invert": torch.bitwise_not,
    "nan_to_num": lambda x, value=0, posinf=None, neginf=None: torch.nan_to_num(x, value, posinf, neginf),
    "cast": lambda x, dtype: x.to(dtype_of(dtype)),
    "trigamma": lambda x: torch.polygamma(1, x),
    "polygamma": lambda x, order: torch.polygamma(order, x),
    "sum": over(torch.sum),
    "mean": lambda x, dtype="float64", **given: over(torch.mean)(
        x if x.is_floating_point() else x.to(dtype_of(dtype)), **given
    ),
    "var": lambda x, correction=0, **given: over(
        lambda x, dim, keepdim: torch.var(x, dim, correction=correction, keepdim=keepdim)
    )(x, **given),
    "std": lambda x, correction=0, **given: over(
        lambda x, dim, keepdim: torch.std(x, dim, correction=correction, keepdim=keepdim)
    )(x, **given),
    "logsumexp": lambda x, axis=-1, **given: over(torch.logsumexp)(x, axis=axis, **given),
    "max": over(torch.amax),
    "min": over(torch.amin),
    "prod": one_by_one(torch.prod),
    "any": one_by_one(torch.any),
    "all": one_by_one(torch.all),
    "count_nonzero": over(lambda x, dim, keepdim: (x != 0).sum(dim, keepdim=keepdim)),
    "argmax": search(torch.argmax),
    "argmin": search(torch.argmin),
    "cumulative_sum": cumulative(torch.cumsum, 0),
    "cumulative_prod": cumulative(torch.cumprod, 1),
    "reshape": lambda x, shape: x.reshape([*shape]),
    "permute_dims": lambda x, axis: x.permute([*axis]),
    "expand_dims": expand_dims,
    "squeeze": lambda x, axis: x.squeeze([*axis]) if len(axis) else x,
    "broadcast_to": lambda x, shape: x.broadcast_to([*shape]),
    "concat": lambda *arrays, axis=0: torch.cat(arrays, axis),
    "stack": lambda *arrays, axis=0: torch.stack(arrays, axis),
    "split": split,
    "unstack": lambda x, axis=0: x.unbind(axis),
    "flip": lambda x, axis=None: x.flip(axes(axis, x.ndim)),
    "roll": roll,
    "tile": lambda x, repetitions: x.tile([repetitions] if isinstance(repetitions, int) else repetitions),
    "repeat": lambda x, repeats, axis=None: x.repeat_interleave(repeats, dim=axis),
    "pad": pad,
    "slice": lambda x, **bounds: picks(**bounds)(x),
    "unslice": unslice,
    "take": take,
    "untake": untake,
    "take_along_axis": take_along_axis,
    "untake_along_axis": untake_along_axis,
    "one_hot": one_hot,
    "gather_nd": gather_nd,
    "scatter": scatter(torch.scatter),
    "scatter_add": scatter(torch.scatter_add),
    "scatter_nd": scatter_nd,
    "sort": lambda x, axis=-1, descending=False: x.sort(dim=axis, descending=descending, stable=True).values,
    "argsort": lambda x, axis=-1, descending=False: x.argsort(dim=axis, descending=descending, stable=True),
    "top_k": lambda x, k, axis=-1, largest=True: tuple(x.topk(k, dim=axis, largest=largest)),
    "searchsorted": lambda x, values, side="left": torch.searchsorted(x, values, side=side),
    "nonzero": nonzero,
    "tril": lambda x, k=0: x.tril(k),
    "triu": lambda x, k=0: x.triu(k),
    "diagonal": lambda x, offset=0: x.diagonal(offset, -2, -1),
    "matrix_transpose": lambda x: x.mT,
    "zeros": lambda shape, dtype="float64": torch.zeros([*shape], dtype=dtype_of(dtype)),
    "ones": lambda shape, dtype="float64": torch.ones([*shape], dtype=dtype_of(dtype)),
    "full": lambda shape, value=0, dtype="float64": torch.full([*shape], value, dtype=dtype_of(dtype)),
    "zeros_like": like(0),
    "ones_like": like(1),
    "full_like": like(0),
    "eye": eye,
    "arange": arange,
    "linspace": linspace,
}

CASES = [
    pytest.param(name, sample, id=f"{name}-{i}")
    for name in TORCH
    for i, sample in enumerate(SAMPLES[name])
    if all(str(np.asarray(x).dtype) in KNOWN for x in sample.operands)
    if name not in DIFFERS or not DIFFERS[name](np.asarray(sample.operands[0]))
]
SMOOTH = [
    case
    for case, (name, sample) in ((case, case.values) for case in CASES)
    if OPS[name].differentiable and sample.differentiate and any(np.asarray(x).dtype == float for x in sample.operands)
]


def ours(name: str, sample: Sample) -> tuple[Graph, list[Value], list[Value], dict[int, np.ndarray]]:
    """Return the graph of a sample, its operands and outputs, and the arrays of its leaves."""
    graph, arrays = Graph(), [np.asarray(x) for x in sample.operands]
    operands = [graph.leaf("input", f"x{i}", TensorType(str(x.dtype), x.shape)) for i, x in enumerate(arrays)]
    declared = attributes(OPS[name])
    given = {key: declared[key].check(value) for key, value in sample.attributes.items()}
    result = graph.apply(OPS[name](**given), *operands)
    outputs = list(result) if isinstance(result, tuple) else [result]
    return graph, operands, outputs, {leaf.id: x for leaf, x in zip(operands, arrays, strict=True)}


def theirs(name: str, sample: Sample) -> tuple[list[Tensor], list[Tensor]]:
    """Return the operands as tensors that record gradients where they are floats, and the outputs."""
    operands = [torch.tensor(np.array(x)) for x in sample.operands]
    for x in operands:
        x.requires_grad_(x.is_floating_point())
    result = TORCH[name](*operands, **sample.attributes)
    return operands, [result] if isinstance(result, Tensor) else list(result)


def compute(graph: Graph, values: Sequence[Value], arrays: dict[int, np.ndarray]) -> list[np.ndarray]:
    return numpy_engine.run(schedule(graph, [value.id for value in values]), arrays, {})


def assert_close(found: np.ndarray, expected: Tensor, tolerance: float) -> None:
    wanted = expected.detach().numpy()
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


def test_every_op_is_compared_or_lacking() -> None:
    modules = {OPS[name].__module__ for name in TORCH} - {OPS["matmul"].__module__}  # those have oracles of their own
    assert {name for name, cls in OPS.items() if cls.__module__ in modules} - set(TORCH) <= LACKS


@pytest.mark.parametrize(("name", "sample"), CASES)
def test_values_agree(name: str, sample: Sample) -> None:
    graph, _, outputs, arrays = ours(name, sample)
    _, expected = theirs(name, sample)
    for found, wanted in zip(compute(graph, outputs, arrays), expected, strict=True):
        assert_close(found, wanted, LOOSE["trigamma"] if name == "trigamma" else TOLERANCE)


@pytest.mark.parametrize(("name", "sample"), SMOOTH)
def test_gradients_agree(name: str, sample: Sample) -> None:
    graph, operands, outputs, arrays = ours(name, sample)
    tensors, expected = theirs(name, sample)
    tolerance = LOOSE.get(name, TOLERANCE)
    smooth = [(y, wanted) for y, wanted in zip(outputs, expected, strict=True) if y.type.is_float]
    seeds: dict[int, Value] = {}
    total = torch.zeros((), dtype=torch.float64)
    for y, wanted in smooth:
        numbers = np.random.default_rng(y.id).normal(size=wanted.shape)
        ct = seeds[y.id] = graph.leaf("input", f"ct{y.id}", y.type)
        arrays[ct.id] = numbers
        total = total + (torch.tensor(numbers) * wanted).sum()
    wrt = [i for i, x in enumerate(operands) if x.type.is_float]
    if not seeds:
        return  # a result of integers
    backward = vjp(graph, seeds, [operands[i].id for i in wrt])
    found = [backward.cotangents.get(operands[i].id) or zeros(graph, operands[i].type) for i in wrt]
    slopes: Sequence[Tensor | None] = [None] * len(wrt)
    if total.requires_grad:
        slopes = torch.autograd.grad(total, [tensors[i] for i in wrt], allow_unused=True)
    for array, slope, i in zip(compute(graph, found, arrays), slopes, wrt, strict=True):
        assert_close(array, torch.zeros_like(tensors[i]) if slope is None else slope, tolerance)
