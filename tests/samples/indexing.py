"""Samples of slices and of the ops that pick elements by computed indices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def indices(*values: Any, dtype: str = "int64") -> np.ndarray:
    """Return an array of indices."""
    return np.array(values[0] if len(values) == 1 else values, dtype=dtype)


def into(shape: tuple[int, ...], index: Any) -> Callable[[np.ndarray], np.ndarray]:
    """Return the function that writes an array into zeros at ``index``."""

    def write(x: np.ndarray) -> np.ndarray:
        places = np.arange(int(np.prod(shape))).reshape(shape)[index]
        result = np.zeros(int(np.prod(shape)), dtype=x.dtype)
        for place, element in zip(np.asarray(places).flat, x.flat, strict=True):
            result[place] = element
        return result.reshape(shape)

    return write


def bounds(axis: Any, start: Any, stop: Any, **others: Any) -> dict[str, Any]:
    """Return the attributes of a slice; of one axis, its bounds may stand alone."""
    if isinstance(axis, int):
        axis, start, stop = (axis,), (start,), (stop,)
    return {"axis": axis, "start": start, "stop": stop, **others}


S = np.s_
# shape of the array, attributes, the same index in NumPy's notation
SLICES: list[tuple[tuple[int, ...], dict[str, Any], Any]] = [
    ((), bounds((), (), ()), S[()]),
    ((4,), bounds((), (), ()), S[:]),
    ((5,), bounds(0, 1, 4), S[1:4]),
    ((5,), bounds(0, -3, None), S[-3:]),
    ((5,), bounds(0, None, -1), S[:-1]),
    ((5,), bounds(0, -10, 10), S[-10:10]),
    ((5,), bounds(0, 4, 2), S[4:2]),
    ((5,), bounds(0, None, None, step=(-1,)), S[::-1]),
    ((5,), bounds(0, 3, None, step=(-2,)), S[3::-2]),
    ((5,), bounds(0, -1, -6, step=(-3,)), S[-1:-6:-3]),
    ((5,), bounds(0, None, None, step=(3,)), S[::3]),
    ((5,), bounds(0, 2, 3, drop=(0,)), S[2]),
    ((5,), bounds(0, -1, None, drop=(0,)), S[-1]),
    ((1,), bounds(0, 0, 1, drop=(-1,)), S[0]),
    ((5,), bounds(0, 1, -1, inside=(0,)), S[1:-1]),
    ((5,), bounds(0, None, None, step=(-1,), inside=(0,)), S[::-1]),
    ((0,), bounds(0, None, None, step=(-1,), inside=(0,)), S[::-1]),
    ((0, 3), bounds(0, None, 2), S[:2]),
    ((3, 4), bounds(-1, 1, 3), S[:, 1:3]),
    ((3, 4), bounds((1, 0), (0, 1), (1, None), drop=(1,)), S[1:, 0]),
    ((3, 4), bounds((0, 1), (1, -1), (2, None), drop=(0, 1)), S[1, -1]),
    ((2, 3, 4), bounds((0, 2), (1, None), (2, None), step=(1, -2), drop=(0,)), S[1, :, ::-2]),
]
SAMPLES["slice"] = [
    Sample((normal(*shape),), attributes, lambda x, index=index: x[index]) for shape, attributes, index in SLICES
]
SAMPLES["slice"].append(Sample((np.arange(5),), bounds(0, 1, 3), lambda x: np.array([1, 2]), differentiate=False))
SAMPLES["unslice"] = [
    Sample((normal(*shape)[index],), {"shape": shape, **attributes}, into(shape, index))
    for shape, attributes, index in SLICES
]
_WRONG_SLICES = [
    ("C1", bounds(2, 0, 1)),
    ("C1", bounds((0, -2), (0, 0), (1, 1))),
    ("C1", bounds(0, 0, 1, drop=(2,))),
    ("C1", bounds(0, 0, 1, inside=(-3,))),
    ("C2", bounds((0, 1), (0,), (1, 1))),
    ("C2", bounds((0, 1), (0, 0), (1,))),
    ("C2", bounds((0, 1), (0, 0), (1, 1), step=(1,))),
    ("C2", bounds(0, 0, 1, step=(0,))),
    ("C3", bounds(0, 3, 4, drop=(0,))),
    ("C3", bounds(0, -4, -3, drop=(0,))),
    ("C3", bounds(0, None, None, drop=(0,))),
    ("C3", bounds(0, 0, 1, drop=(1,))),
]
WRONG["slice"] = [Wrong((normal(3, 4),), constraint, attributes) for constraint, attributes in _WRONG_SLICES]
WRONG["unslice"] = [
    *(Wrong((normal(3, 4),), constraint, {"shape": (3, 4), **attributes}) for constraint, attributes in _WRONG_SLICES),
    Wrong((normal(1),), "C5", {"shape": (5,), **bounds(0, 1, 3)}),
    Wrong((normal(),), "C5", {"shape": (5,), **bounds(0, 1, 3)}),
]

SAMPLES["take"] = [
    Sample((normal(3), indices(2)), {}, lambda x, i: x[2]),
    Sample((normal(1), indices([-1])), {}, lambda x, i: x),
    Sample((normal(5), indices([0, 3, 3, -1])), {}, lambda x, i: np.array([x[0], x[3], x[3], x[4]])),
    Sample((normal(3, 4), indices([[1, 0], [2, 2]])), {"axis": 0}, lambda x, i: np.array([[x[1], x[0]], [x[2], x[2]]])),
    Sample((normal(3, 4), indices([1, -4])), {"axis": -1}, lambda x, i: np.array([x[:, 1], x[:, 0]]).T),
    Sample((normal(2, 3, 2), indices(1)), {"axis": 1}, lambda x, i: x[:, 1, :]),
    Sample((normal(3, 2), np.zeros((0, 2), np.int32)), {}, lambda x, i: np.zeros((0, 2, 2))),
    Sample((normal(0, 2), np.zeros(0, np.int64)), {}, lambda x, i: np.zeros((0, 2))),
    Sample((normal(3), indices([1, 1], dtype="uint64")), {}, lambda x, i: np.array([x[1], x[1]])),
]
WRONG["take"] = [
    Wrong((normal(3), normal(2)), "C1"),
    Wrong((normal(3), np.array([True])), "C1"),
    Wrong((normal(3), indices([0])), "C2", {"axis": 1}),
    Wrong((normal(), indices([0])), "C2"),
]

SAMPLES["untake"] = [
    Sample((normal(), indices(2)), {"size": 4}, lambda x, i: np.array([0, 0, x, 0])),
    Sample((normal(3), indices([1, 1, -1])), {"size": 4}, lambda x, i: np.array([0, x[0] + x[1], 0, x[2]])),
    Sample((normal(1, 2), indices([[0, 1]])), {"size": 2}, lambda x, i: x[0]),
    Sample((normal(2, 3), indices([1, 0])), {"size": 2, "axis": 0}, lambda x, i: np.array([x[1], x[0]])),
    Sample((normal(2, 2), indices([2, 2])), {"size": 3, "axis": -1}, lambda x, i: np.outer(x.sum(axis=1), [0, 0, 1])),
    Sample(
        (normal(2, 2, 2), indices([[0, 1], [1, 0]])),
        {"size": 2},
        lambda x, i: np.array([x[0, 0] + x[1, 1], x[0, 1] + x[1, 0]]),
    ),
    Sample((normal(0, 2), np.zeros(0, np.int64)), {"size": 2}, lambda x, i: np.zeros((2, 2))),
    Sample((normal(0), np.zeros(0, np.int64)), {"size": 0}, lambda x, i: np.zeros(0)),
]
WRONG["untake"] = [
    Wrong((np.array([True]), indices([0])), "C1", {"size": 2}),
    Wrong((normal(1), normal(1)), "C1", {"size": 2}),
    Wrong((normal(1), indices([[0]])), "C2", {"size": 2}),
    Wrong((normal(2), indices([0])), "C2", {"size": 2}),
    Wrong((normal(2, 1), indices([0])), "C2", {"size": 2, "axis": 0}),
    Wrong((normal(2), indices([0, 1])), "C3", {"size": 2, "axis": 1}),
]


def along(x: np.ndarray, i: np.ndarray, axis: int) -> np.ndarray:
    """Take one element for each index, one after another."""
    wide = np.broadcast_shapes((*x.shape[:axis], 1, *x.shape[axis + 1 :]), i.shape)
    x = np.broadcast_to(x, (*wide[:axis], x.shape[axis], *wide[axis + 1 :]))
    i = np.broadcast_to(i, wide)
    result = np.empty(wide)
    for place in np.ndindex(*wide):
        result[place] = x[(*place[:axis], i[place], *place[axis + 1 :])]
    return result


def onto(x: np.ndarray, i: np.ndarray, size: int, axis: int) -> np.ndarray:
    """Add each element at its index, one after another."""
    wide = np.broadcast_shapes(x.shape, i.shape)
    x, i = np.broadcast_to(x, wide), np.broadcast_to(i, wide)
    result = np.zeros((*wide[:axis], size, *wide[axis + 1 :]))
    for place in np.ndindex(*wide):
        result[(*place[:axis], i[place], *place[axis + 1 :])] += x[place]
    return result


SAMPLES["take_along_axis"] = [
    Sample((normal(3), indices([2, 0, 0, -1])), {}, lambda x, i: x[[2, 0, 0, 2]]),
    Sample((normal(1), indices([0])), {}, lambda x, i: x),
    Sample((normal(2, 3), indices([[0], [2]])), {"axis": -1}, lambda x, i: np.array([[x[0, 0]], [x[1, 2]]])),
    Sample((normal(2, 3), indices([[1, 0, -1]])), {"axis": 0}, lambda x, i: along(x, i, 0)),
    Sample((normal(2, 3), indices([[1, 1]])), {"axis": 1}, lambda x, i: along(x, i, 1)),
    Sample((normal(1, 3), indices([[1, 1], [0, 2]])), {"axis": 1}, lambda x, i: along(x, i, 1)),
    Sample((normal(2, 3, 1), indices([[[0, 2]], [[1, 1]]])), {"axis": 1}, lambda x, i: along(x, i, 1)),
    Sample((normal(0, 3), np.zeros((0, 1), np.int64)), {}, lambda x, i: np.zeros((0, 1))),
    Sample((normal(2, 3), np.zeros((2, 0), np.int64)), {}, lambda x, i: np.zeros((2, 0))),
]
WRONG["take_along_axis"] = [
    Wrong((normal(2), normal(2)), "C1"),
    Wrong((normal(2, 3), indices([0])), "C2"),
    Wrong((normal(2), indices([0])), "C3", {"axis": 1}),
    Wrong((normal(), indices(0)), "C3"),
    Wrong((normal(2, 3), indices([[0], [0], [0]])), "C4", {"axis": 1}),
]

SAMPLES["untake_along_axis"] = [
    Sample((normal(3), indices([1, 1, -1])), {"size": 4}, lambda x, i: np.array([0, x[0] + x[1], 0, x[2]])),
    Sample((normal(1), indices([0])), {"size": 1}, lambda x, i: x),
    Sample((normal(2, 2), indices([[0, 0], [2, 1]])), {"size": 3, "axis": -1}, lambda x, i: onto(x, i, 3, 1)),
    Sample((normal(2, 3), indices([[1, 0, 1], [1, 1, 0]])), {"size": 2, "axis": 0}, lambda x, i: onto(x, i, 2, 0)),
    Sample((normal(2, 2), indices([[0, 2]])), {"size": 3, "axis": 1}, lambda x, i: onto(x, i, 3, 1)),
    Sample((normal(1, 2), indices([[0, 2], [1, 1]])), {"size": 3, "axis": 1}, lambda x, i: onto(x, i, 3, 1)),
    Sample((normal(2, 1), indices([[0, 2], [1, 1]])), {"size": 3, "axis": 1}, lambda x, i: onto(x, i, 3, 1)),
    Sample((normal(0, 1), np.zeros((0, 1), np.int64)), {"size": 3}, lambda x, i: np.zeros((0, 3))),
    Sample((normal(2, 0), np.zeros((2, 0), np.int64)), {"size": 3}, lambda x, i: np.zeros((2, 3))),
]
WRONG["untake_along_axis"] = [
    Wrong((np.array([True]), indices([0])), "C1", {"size": 2}),
    Wrong((normal(2), normal(2)), "C1", {"size": 2}),
    Wrong((normal(2, 3), indices([0])), "C2", {"size": 2}),
    Wrong((normal(2), indices([0])), "C3", {"size": 2, "axis": 1}),
    Wrong((normal(2, 3), indices([[0, 0]])), "C4", {"size": 2, "axis": 1}),
]

SAMPLES["one_hot"] = [
    Sample((indices(1),), {"depth": 3}, lambda i: np.array([0.0, 1.0, 0.0]), differentiate=False),
    Sample((indices([2, 0]),), {"depth": 3}, lambda i: np.eye(3)[[2, 0]], differentiate=False),
    Sample(
        (indices([[1], [0]]),),
        {"depth": 2, "dtype": "int64"},
        lambda i: np.array([[[0, 1]], [[1, 0]]]),
        differentiate=False,
    ),
    Sample(
        (indices([3, -1, 0]),),
        {"depth": 3},
        lambda i: np.array([[0.0] * 3, [0.0] * 3, [1.0, 0, 0]]),
        differentiate=False,
    ),
    Sample((indices([1]),), {"depth": 2, "dtype": "bool"}, lambda i: np.array([[False, True]]), differentiate=False),
    Sample(
        (indices([0], dtype="uint64"),),
        {"depth": 1, "dtype": "float32"},
        lambda i: np.ones((1, 1), np.float32),
        differentiate=False,
    ),
    Sample((indices([1]),), {"depth": 0}, lambda i: np.zeros((1, 0)), differentiate=False),
    Sample((np.zeros((0, 2), np.int32),), {"depth": 3}, lambda i: np.zeros((0, 2, 3)), differentiate=False),
]
WRONG["one_hot"] = [
    Wrong((normal(2),), "C1", {"depth": 3}),
    Wrong((np.array([True]),), "C1", {"depth": 3}),
]
