"""Ops as bound calls: functions without arguments that compute one step of a plan into its buffer.

An op whose kernel is one NumPy function binds that function with its output by position, the cheapest form of a call.
Other hot ops have a binder of their own; all others run their kernel and copy the result. A call gives the same bits as
the kernel does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import prod
from typing import Any

import numpy as np

from graphspec.op import Op

Call = Callable[[], Any]

UFUNCS: dict[str, np.ufunc] = {
    **{name: getattr(np, name) for name in ("subtract", "multiply", "divide", "negative", "hypot", "copysign")},
    **{name: getattr(np, name) for name in ("exp", "expm1", "log", "log1p", "log2", "log10", "sqrt")},
    **{name: getattr(np, name) for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{f"a{name}": getattr(np, f"arc{name}") for name in ("sin", "cos", "tan", "tan2", "sinh", "cosh", "tanh")},
    **{name: getattr(np, name) for name in ("equal", "not_equal", "less", "less_equal", "greater", "greater_equal")},
    **{f"logical_{name}": getattr(np, f"logical_{name}") for name in ("and", "or", "xor", "not")},
    **{name: getattr(np, name) for name in ("isnan", "isinf", "isfinite")},
}
IN_PLACE = frozenset({*UFUNCS, "add", "maximum", "minimum", "square", "abs"})  # may overwrite an operand


def bind_step(op: Op, out: Any, operands: Sequence[Any]) -> Call:
    """Return the call that computes an op into ``out``, an array or a tuple of them.

    Args:
        op: the op, with its dims bound.
        out: where the result goes; for an op of `IN_PLACE` it may be an operand.
        operands: the arrays that it reads, each time it is called.
    """
    if isinstance(out, np.ndarray):
        function = UFUNCS.get(op.name)
        if function is not None:
            return partial(function, *operands, out)
        binder = BINDERS.get(op.name)
        call = binder(op, out, *operands) if binder is not None else None
        if call is not None:
            return call
    return partial(_run_kernel, op, out, tuple(operands))


def _run_kernel(op: Op, out: Any, operands: tuple[Any, ...]) -> None:
    """Run the kernel and copy the result."""
    found = op.kernel(np, *operands)
    pairs = zip(out, found, strict=True) if isinstance(out, tuple) else ((out, found),)
    for place, array in pairs:
        if place.shape != np.shape(array):
            raise ValueError(f"the result has shape {np.shape(array)}, not {place.shape}")
        place[...] = array


def _each(calls: Sequence[Call]) -> None:
    for call in calls:
        call()


def _add(op: Op, out: np.ndarray, *terms: np.ndarray) -> Call | None:
    """Add from left to right."""
    if len(terms) == 1:
        return partial(np.copyto, out, terms[0])
    first = partial(np.add, terms[0], terms[1], out)
    if len(terms) == 2:
        return first
    if any(np.may_share_memory(out, term) for term in terms[2:]):
        return None
    return partial(_each, [first, *(partial(np.add, out, term, out) for term in terms[2:])])


def _keyword(function: np.ufunc) -> Callable[..., Call]:
    """Bind a function whose output NumPy wants by keyword."""

    def bind(op: Op, out: np.ndarray, *operands: np.ndarray) -> Call:
        return partial(function, *operands, out=(out,))

    return bind


def _square(op: Op, out: np.ndarray, x: np.ndarray) -> Call:
    return partial(np.multiply, x, x, out)


def _where(op: Op, out: np.ndarray, condition: np.ndarray, a: np.ndarray, b: np.ndarray) -> Call:
    """Choose; where one choice is a written zero, multiply the bits of the other by 0 or 1, which is exact."""
    if _is_zero(b) and _lie_alike(out, a, condition):
        return partial(np.multiply, _bits(a), condition, _bits(out))
    if _is_zero(a) and _lie_alike(out, b, condition):
        other = np.empty_like(condition)
        return partial(
            _each, [partial(np.logical_not, condition, other), partial(np.multiply, _bits(b), other, _bits(out))]
        )
    return partial(_each, [partial(np.copyto, out, b), partial(np.copyto, out, a, "same_kind", condition)])


def _is_zero(array: np.ndarray) -> bool:
    """Tell whether an array is a literal 0: one that no run changes."""
    return (
        array.ndim == 0
        and not array.flags.writeable
        and array.dtype.kind in "fiu"
        and array.tobytes().strip(b"\0") == b""
    )


def _lie_alike(*arrays: np.ndarray) -> bool:
    first = arrays[0]
    return first.dtype.itemsize in (4, 8) and all(a.flags.c_contiguous and a.shape == first.shape for a in arrays)


def _bits(array: np.ndarray) -> np.ndarray:
    return array.view(f"i{array.dtype.itemsize}")


def _cast(op: Op, out: np.ndarray, x: np.ndarray) -> Call | None:
    return partial(np.copyto, out, x, "unsafe") if x.dtype.kind in "biuf" and out.dtype.kind != "b" else None


def _matmul(op: Op, out: np.ndarray, a: np.ndarray, b: np.ndarray) -> Call | None:
    return partial(np.matmul, a, b, out) if a.ndim > 1 and b.ndim > 1 else None


def _reduction(function: np.ufunc) -> Callable[..., Call | None]:
    def bind(op: Any, out: np.ndarray, x: np.ndarray) -> Call | None:
        axes = op.axes(x.ndim)
        if x.dtype != out.dtype or not axes or not x.size:
            return None
        reduce: Callable[..., Any] = function.reduce
        return partial(reduce, x, axes if len(axes) > 1 else axes[0], None, out, op.keepdims)

    return bind


def _mean(op: Any, out: np.ndarray, x: np.ndarray) -> Call | None:
    total = _SUM(op, out, x)
    if total is None or x.dtype.kind != "f" or x.dtype == np.float16:
        return None
    count = np.asarray(prod(x.shape[axis] for axis in op.axes(x.ndim)), dtype=out.dtype)
    return partial(_each, [total, partial(np.divide, out, count, out)])


_SUM = _reduction(np.add)
BINDERS: dict[str, Callable[..., Call | None]] = {
    "add": _add,
    "cast": _cast,
    "matmul": _matmul,
    "max": _reduction(np.maximum),
    "maximum": _keyword(np.maximum),
    "mean": _mean,
    "min": _reduction(np.minimum),
    "minimum": _keyword(np.minimum),
    "square": _square,
    "sum": _SUM,
    "where": _where,
}
