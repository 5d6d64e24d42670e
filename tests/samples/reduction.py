"""Samples of the reductions; the formulas walk over the elements with Python's own functions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def along(function: Callable[[list[Any]], Any], dtype: str, axis: Any = None, keepdims: bool = False) -> Any:
    """Return a formula that calls ``function`` on the list of elements that fall together."""

    def formula(x: np.ndarray) -> np.ndarray:
        axes = range(x.ndim) if axis is None else [i % x.ndim for i in ([axis] if isinstance(axis, int) else axis)]
        kept = [1 if i in axes else size for i, size in enumerate(x.shape)]
        groups: dict[tuple[int, ...], list[Any]] = {index: [] for index in np.ndindex(*kept)}
        for index in np.ndindex(*x.shape):
            groups[tuple(0 if i in axes else at for i, at in enumerate(index))].append(x[index].item())
        shape = kept if keepdims else [size for i, size in enumerate(x.shape) if i not in axes]
        return np.array([function(group) for group in groups.values()], dtype).reshape(shape)

    return formula


def samples(name: str, function: Callable[[list[Any]], Any], empty: bool, dtype: str = "float64") -> None:
    """Add the samples that every reduction of floats passes; ``empty``: it has a value without elements."""
    cases: list[tuple[np.ndarray, dict[str, Any]]] = [
        (normal(), {}),
        (normal(), {"axis": [], "keepdims": True}),
        (normal(2, 3), {}),
        (normal(2, 3), {"keepdims": True}),
        (normal(4, 3, 2), {"axis": -1}),
        (normal(4, 3, 2), {"axis": [0, -1], "keepdims": True}),
        (normal(2, 1, 3), {"axis": [1]}),
        (normal(2, 3, 2), {"axis": [2, 0]}),
        (normal(3, 0), {"axis": 0}),
    ]
    if empty:
        cases += [(normal(0, 3), {}), (normal(3, 0), {"axis": 1, "keepdims": True})]
    smooth = name != "mean"  # the mean of nothing is nan
    SAMPLES[name] = [Sample((x,), given, along(function, dtype, **given), x.size > 0 or smooth) for x, given in cases]
    WRONG[name] = [Wrong((normal(2, 3),), "C2", {"axis": bad}) for bad in (2, -3, [0, 0], [1, -1])]
    WRONG[name].append(Wrong((normal(),), "C2", {"axis": 0}))
    if not empty:
        WRONG[name] += [Wrong((normal(0, 3),), "C3"), Wrong((normal(3, 0),), "C3", {"axis": 1})]


def also(name: str, function: Callable[[list[Any]], Any], result: str, x: Any, **attributes: Any) -> None:
    """Add a sample with a result of another dtype, or at a tie: without a gradient that differences can show."""
    plain = {key: value for key, value in attributes.items() if key != "dtype"}
    SAMPLES[name].append(Sample((np.asarray(x),), attributes, along(function, result, **plain), differentiate=False))


def share(group: list[Any]) -> float:
    return sum(group) / len(group) if group else math.nan


TRUTH = np.array([[True, False, True], [True, True, True]])
NONE = np.zeros((0, 2), bool)
NAN = np.array([[1.0, math.nan], [3.0, 2.0]])

samples("sum", math.fsum, empty=True)
also("sum", sum, "int64", TRUTH, axis=1)
also("sum", sum, "int64", NONE, axis=0)
also("sum", sum, "int64", np.array([120, 120], np.int8))
also("sum", sum, "uint64", np.array([200, 200], np.uint8), keepdims=True)

samples("mean", share, empty=True)
also("mean", share, "float64", TRUTH)
also("mean", share, "float32", TRUTH, axis=-1, dtype="float32")
also("mean", share, "float64", NONE)
WRONG["mean"].append(Wrong((np.array([1, 2]),), "C1"))

for name, function in (("max", max), ("min", min)):
    samples(name, function, empty=False)
    also(name, function, "float64", [[1.0, 1.0], [0.0, 1.0]], axis=1)
    also(name, function, "int64", [[1, 5], [7, 1]], axis=0)
    also(name, lambda group: math.nan if any(map(math.isnan, group)) else max(group), "float64", NAN, axis=[1])
    WRONG[name].append(Wrong((TRUTH,), "C1"))
SAMPLES["min"].pop()
also("min", lambda group: math.nan if any(map(math.isnan, group)) else min(group), "float64", NAN, axis=[1])

samples("prod", math.prod, empty=True)
SAMPLES["prod"] += [
    Sample((np.array(x),), given, along(math.prod, "float64", **given))
    for x, given in (
        ([2.0, 0.0, 3.0], {}),
        ([2.0, 0.0, 3.0, 0.0, 0.5], {}),
        ([[0.0, 2.0], [3.0, 0.0], [1.5, 4.0]], {"axis": 0}),
        ([[[0.0, 2.0], [3.0, 0.7]]], {"axis": [2, 0, 1], "keepdims": True}),
        ([0.0, 0.0, 0.0], {"axis": -1}),
    )
]
also("prod", math.prod, "int64", np.array([[100, 2], [3, 4]], np.int8), axis=[0])
WRONG["prod"].append(Wrong((TRUTH,), "C1"))


def first(group: list[float]) -> int:
    return group.index(max(group))


SAMPLES["argmax"] = [
    Sample((np.asarray(x),), given, along(first, "int64", **given))
    for x, given in (
        (1.5, {}),
        (normal(2, 3), {}),
        (normal(2, 3), {"keepdims": True}),
        (normal(2, 1, 4), {"axis": -1}),
        (normal(2, 1, 4), {"axis": 1, "keepdims": True}),
        ([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]], {"axis": 1}),
        ([[1, 5], [5, 0]], {}),
        (normal(3, 0), {"axis": 0}),
    )
]
SAMPLES["argmin"] = [
    Sample((-sample.operands[0],), sample.attributes, lambda x, formula=sample.formula: formula(-x))
    for sample in SAMPLES["argmax"]
]
for name in ("argmax", "argmin"):
    SAMPLES[name].append(Sample((np.array([3.0, math.nan, 5.0, math.nan]),), {}, lambda x: 1))
WRONG["argmax"] = WRONG["argmin"] = [
    Wrong((TRUTH,), "C1"),
    Wrong((normal(2, 3),), "C2", {"axis": 2}),
    Wrong((normal(),), "C2", {"axis": 0}),
    Wrong((normal(0),), "C3"),
    Wrong((normal(2, 0),), "C3", {"axis": 1}),
]
SAMPLES["count_nonzero"] = [
    Sample((np.asarray(x),), given, along(lambda group: len([item for item in group if item]), "int64", **given))
    for x, given in (
        (0.0, {}),
        (1e-300, {"axis": [], "keepdims": True}),
        ([[0.0, -0.0, 1.0], [math.nan, math.inf, 0.0]], {"axis": -1}),
        ([[0.0, 2.0], [3.0, 4.0]], {"axis": [0, 1], "keepdims": True}),
        (TRUTH, {"axis": 0}),
        (np.array([0, 7, -1], np.int8), {}),
        (np.array([0j, 1j]), {}),
        (NONE, {}),
        (NONE, {"axis": 0}),
    )
]
WRONG["count_nonzero"] = [Wrong((TRUTH,), "C2", {"axis": bad}) for bad in (2, [0, -2])]
for name, function in (("any", any), ("all", all)):
    cases = [
        (TRUTH, {}),
        (TRUTH, {"axis": -1}),
        (TRUTH[0, 0], {}),
        (NONE, {"axis": [0], "keepdims": True}),
        (NONE, {"axis": 1}),
        (~TRUTH, {"axis": [-1], "keepdims": True}),
    ]
    SAMPLES[name] = [Sample((x,), given, along(function, "bool", **given)) for x, given in cases]
    WRONG[name] = [
        Wrong((normal(2),), "C1"),
        Wrong((TRUTH,), "C2", {"axis": 2}),
        Wrong((TRUTH,), "C2", {"axis": [1, 1]}),
    ]


def spread(root: bool, **given: Any) -> Any:
    """Return a formula from NumPy's own variance."""
    axis = given.get("axis")
    axes = tuple(axis) if isinstance(axis, list) else axis
    function = np.std if root else np.var
    return lambda x: function(x, axis=axes, ddof=given.get("correction", 0), keepdims=given.get("keepdims", False))


for name in ("var", "std"):
    cases = [
        (normal(5), {}),
        (normal(2, 3, 4), {"axis": [0, -1]}),
        (normal(2, 3), {"axis": 1, "keepdims": True}),
        (normal(4, 3), {"axis": 0, "correction": 1}),
        (normal(3, 0), {"axis": 0}),
        (normal(3, 4) * 1e3, {"axis": -1, "correction": 1}),
    ]
    SAMPLES[name] = [Sample((x,), given, spread(name == "std", **given)) for x, given in cases]
    SAMPLES[name].append(Sample((normal(),), {}, lambda x: np.zeros(()), differentiate=False))
    SAMPLES[name].append(Sample((normal(0, 2),), {"axis": 0}, lambda x: np.full(2, np.nan), differentiate=False))
    WRONG[name] = [
        Wrong((np.array([1, 2]),), "C1"),
        Wrong((normal(2),), "C2", {"axis": 1}),
        Wrong((normal(2, 2),), "C2", {"axis": [0, -2]}),
    ]


def log_sum(group: list[float]) -> float:
    return math.log(math.fsum(map(math.exp, group))) if group else -math.inf


cases = [
    (normal(5), {"axis": None}),
    (normal(), {"axis": []}),
    (normal(2, 3), {"axis": [], "keepdims": True}),
    (normal(2, 3, 4), {"axis": [0, -1]}),
    (normal(2, 3), {"axis": 1, "keepdims": True}),
    (normal(4, 3) * 50, {"axis": 0}),
    (normal(3, 0), {"axis": 0}),
    (normal(0, 3), {"axis": 0}),
    (normal(3, 0, 2), {"axis": None, "keepdims": True}),
]
SAMPLES["logsumexp"] = [Sample((x,), given, along(log_sum, "float64", **given), x.size > 0) for x, given in cases]
SAMPLES["logsumexp"].append(Sample((normal(2, 3),), {}, along(log_sum, "float64", axis=-1)))
WRONG["logsumexp"] = [
    Wrong((np.array([1, 2]),), "C1"),
    Wrong((normal(),), "C2"),
    Wrong((normal(2, 2),), "C2", {"axis": [0, -2]}),
]
