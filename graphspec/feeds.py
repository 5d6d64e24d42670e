"""Feeds: what a caller gives is checked against the declared types, and binds the symbolic dims (rule L6.4)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphspec.dims import symbols
from graphspec.errors import Diagnostic, FeedError, did_you_mean, problem
from graphspec.graph import Graph
from graphspec.leaf import Leaf
from graphspec.model import Input, Model
from graphspec.types import DimConflict, TensorType, check_arithmetic, evaluate_shape, kind, match

_NON_FINITE = {"nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}


@dataclass
class Bound:
    """Checked feeds: an array for every leaf by path, and the integer of every dim."""

    arrays: dict[str, np.ndarray] = field(default_factory=dict)
    dims: dict[str, int] = field(default_factory=dict)
    problems: list[Diagnostic] = field(default_factory=list)


def bind(model: Model, feeds: Mapping[str, Any], needed: Iterable[str], *, every_default: bool = True) -> Bound:
    """Check ``feeds`` against ``model``; ``needed`` are the paths of the leaves that the run uses.

    ``every_default``: whether the defaults of inputs that it does not use bind dims too.

    Raises:
        FeedError: every unknown, missing or ill-typed feed.
    """
    bound = Bound()
    declared: dict[str, TensorType] = {name: item.type for name, item in model.inputs.items()}
    declared |= {name: item.type for name, item in model.parameters.items()}
    for name, value in feeds.items():
        if name not in declared:
            hint = did_you_mean(name, declared) or f"the inputs are {', '.join(model.inputs) or 'none'}"
            bound.problems.append(problem("GS601", f"no input is called '{name}'", hint=hint))
        else:
            _feed(model, bound, name, declared[name], value)
    _defaults(model, bound, set(needed), every_default)
    for name, array in bound.arrays.items():
        _match(model, bound, name, declared[name], array)
    if not bound.problems:
        _arithmetic(model, bound, declared)
    if bound.problems:
        raise FeedError(bound.problems)
    return bound


def _feed(model: Model, bound: Bound, name: str, type: TensorType, value: Any) -> None:
    try:
        array = convert(value, type.dtype)
        if name in model.parameters and array.ndim == 0:  # a number fills a parameter, as in its declaration (L1.4)
            array = np.full(model.parameters[name].shape, array)
        bound.arrays[name] = array
    except (TypeError, ValueError, OverflowError) as error:
        bound.problems.append(problem("GS603", f"'{name}' is {type}: {error}", _place(model, name)))


def _place(model: Model, name: str) -> Any:
    item: Any = model.inputs.get(name) or model.parameters.get(name)
    origin = model.graph.origins[item.node] if item is not None else None
    return origin.location if origin is not None else None


def _defaults(model: Model, bound: Bound, needed: set[str], every: bool) -> None:
    for name, item in model.inputs.items():
        if not every and name not in needed:
            continue
        if name in bound.arrays or any(found.path == name for found in bound.problems):
            continue
        if item.default is not None:
            bound.arrays[name] = item.default
        elif name in needed and not any(f"'{name}'" in found.message for found in bound.problems):
            message = f"input '{name}' has no default and was not given: it is {item.type}"
            hint = f"--set {name}=..., or run({name}=...)"
            bound.problems.append(problem("GS602", message, _place(model, name), hint=hint))


def _match(model: Model, bound: Bound, name: str, type: TensorType, array: np.ndarray) -> None:
    env: dict[str, Any] = bound.dims
    try:
        match(type.shape, array.shape, env, {})
    except DimConflict as conflict:
        code = "GS605" if "elsewhere" in conflict.message else "GS604"
        found = TensorType(str(array.dtype), array.shape)
        bound.problems.append(
            problem(code, f"'{name}' is {type}, fed {found}: {conflict.message}", _place(model, name))
        )


def _arithmetic(model: Model, bound: Bound, declared: Mapping[str, TensorType]) -> None:
    for name, array in bound.arrays.items():
        try:
            check_arithmetic(declared[name].shape, array.shape, dict(bound.dims), {})
        except DimConflict as conflict:
            bound.problems.append(
                problem("GS605", f"'{name}' is {declared[name]}: {conflict.message}", _place(model, name))
            )


def convert(value: Any, dtype: str) -> np.ndarray:
    """Return a fed value as an array of ``dtype``.

    Numbers and lists adopt the dtype, integers also a float one, never the other way; arrays are cast only where
    NumPy calls it safe (L6.4). "nan", "inf" and "-inf" stand for numbers that JSON cannot write.

    Raises:
        TypeError: a dtype that does not fit.
        ValueError: a ragged list or a string that is no number.
    """
    if isinstance(value, np.ndarray | np.generic) or hasattr(value, "__array__"):
        array = np.asarray(value)
        if not np.can_cast(array.dtype, dtype, "safe"):
            raise TypeError(f"an array of {array.dtype} is not cast to {dtype} silently; convert it with astype")
        return np.array(array, dtype=dtype)
    array = _from_python(value)
    have, want = kind(str(array.dtype)), kind(dtype)
    if (
        array.size
        and have != want
        and (have, want) not in (("integer", "float"), ("integer", "complex"), ("float", "complex"))
    ):
        raise TypeError(f"a {have} does not become {dtype}")
    result = np.array(array, dtype=dtype)
    if want == "integer" and array.size and not np.array_equal(result, array):
        raise OverflowError(f"a number does not fit {dtype}")
    return result


def _from_python(value: Any) -> np.ndarray:
    value = _numbers(value)
    try:
        array = np.asarray(value)
    except ValueError:
        raise ValueError("the rows of the list have different lengths") from None
    if array.dtype == object or array.dtype.kind in "US":
        raise ValueError("expected numbers or booleans, or lists of them")
    return array


def _numbers(value: Any) -> Any:
    """Replace the names of non-finite numbers."""
    if isinstance(value, str):
        if value not in _NON_FINITE:
            raise ValueError(f"expected a number, found string '{value[:60]}'")
        return _NON_FINITE[value]
    if isinstance(value, list | tuple):
        return [_numbers(item) for item in value]
    return value


def leaf_paths(graph: Graph, nodes: Iterable[int]) -> dict[int, str]:
    """Return the path of every input, parameter and state among ``nodes``."""
    found = {}
    for node in nodes:
        op = graph.ops[node]
        if isinstance(op, Leaf) and op.role in ("input", "parameter", "state"):
            found[node] = op.path
    return found


def require_sizes(model: Model, bound: Bound, dims: Iterable[str]) -> None:
    """Check that feeds and defaults bind ``dims``.

    Raises:
        FeedError: GS602, the inputs that have them were not given.
    """
    missing = set(dims) - set(bound.dims)
    if not missing:
        return
    names = [name for name, item in model.inputs.items() if missing & _symbols(item.type) and name not in bound.arrays]
    wanted = [f"'{name}'" for name in names] or ["a feed"]
    message = f"the size {', '.join(sorted(missing))} is not known: {' or '.join(wanted)} was not given"
    raise FeedError(problem("GS602", message, _place(model, names[0]) if names else None))


def _symbols(type: TensorType) -> set[str]:
    return {name for dim in type.shape for name in symbols(dim)}


__all__ = ["Bound", "Input", "bind", "convert", "evaluate_shape", "leaf_paths", "require_sizes"]
