"""Samples of the ops that write at computed indices; the formulas write one element after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal
from samples.indexing import indices


def written(add: bool, axis: int = 0) -> Callable[..., np.ndarray]:
    """Return the formula of scatter and scatter_add."""

    def formula(x: np.ndarray, at: np.ndarray, updates: np.ndarray) -> np.ndarray:
        y = x.copy()
        for place in np.ndindex(*at.shape):
            target = list(place)
            target[axis] = int(at[place])
            y[tuple(target)] = updates[place] + (y[tuple(target)] if add else 0)
        return y

    return formula


UNIQUE: list[tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]] = [
    (normal(4), indices([2, 0]), normal(2), {}),
    (normal(1), indices([0]), normal(1), {"axis": -1}),
    (normal(4), indices([-1, 1]), normal(2), {"axis": 0}),
    (normal(3, 2), indices([[2, 0]]), normal(1, 2), {"axis": 0}),
    (normal(2, 3), indices([[0, 2], [1, 0]]), normal(2, 2), {"axis": -1}),
    (normal(3, 3), indices([[0, 2], [1, 0]]), normal(2, 2), {"axis": 1}),
    (normal(2, 3, 2), indices([[[0, 2]]]), normal(1, 1, 2), {"axis": 1}),
    (normal(0, 3), np.zeros((0, 2), np.int64), normal(0, 2), {"axis": 1}),
    (normal(2, 3), np.zeros((2, 0), np.int32), normal(2, 0), {"axis": 1}),
    (normal(3), indices([2, 1], dtype="uint64"), normal(2), {}),
]
TWICE: list[tuple[np.ndarray, np.ndarray, np.ndarray, dict[str, Any]]] = [
    (normal(3), indices([1, 1, -2]), normal(3), {}),
    (normal(2, 3), indices([[0, 0], [2, 2]]), normal(2, 2), {"axis": -1}),
]
SIZES = (np.array([1e300, 0.0, -1e-300]), indices([2, 0]), np.array([1e-300, -1e300]), {})
WHOLE = (np.array([1, 2, 3], np.int8), indices([2]), np.array([7], np.int8), {})
BOOLEAN = (np.array([True, True]), indices([1]), np.array([False]), {})
for name, cases in (("scatter", [*UNIQUE, SIZES, WHOLE, BOOLEAN]), ("scatter_add", [*UNIQUE, *TWICE, SIZES, WHOLE])):
    SAMPLES[name] = [
        Sample(
            operands,
            given,
            written(name == "scatter_add", **given),
            operands[0].dtype == float and operands[0] is not SIZES[0],
        )
        for *operands, given in cases
    ]
    WRONG[name] = [
        Wrong((normal(2), normal(1), normal(1)), "C1"),
        Wrong((normal(2), indices([0]), np.array([1])), "C2"),
        Wrong((normal(2, 2), indices([0]), normal(1)), "C3"),
        Wrong((normal(2), indices([0]), normal(1)), "C4", {"axis": 1}),
        Wrong((normal(), indices(0), normal()), "C4"),
        Wrong((normal(2), indices([0]), normal(2)), "C5"),
        Wrong((normal(2, 2), indices([[0], [0], [0]]), normal(3, 1)), "C6", {"axis": 1}),
    ]
WRONG["scatter_add"].append(Wrong((np.array([True]), indices([0]), np.array([True])), "C1"))


def gathered(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    y = np.empty((*at.shape[:-1], *x.shape[at.shape[-1] :]), x.dtype)
    for place in np.ndindex(*at.shape[:-1]):
        y[place] = x[tuple(at[place].tolist())]
    return y


DEPTHS: list[tuple[np.ndarray, np.ndarray]] = [
    (normal(4), indices([2])),
    (normal(4), indices([[2], [0]])),
    (normal(3, 2), indices([[2, 0], [-1, 1]])),
    (normal(3, 2), indices([[2], [0]])),
    (normal(2, 1, 3), indices([[[1, 0]], [[0, -1]]])),
    (normal(2, 2), indices([[1, 0], [0, 1]], dtype="uint64")),
    (normal(), np.zeros(0, np.int64)),
    (normal(3), np.zeros((1, 0), np.int64)),
    (normal(3, 2), np.zeros((0, 2), np.int64)),
    (normal(0, 2), np.zeros((0, 1), np.int64)),
]
SAMPLES["gather_nd"] = [Sample(pair, {}, gathered) for pair in DEPTHS]
SAMPLES["gather_nd"] += [
    Sample((normal(3), indices([[1], [1], [-2]])), {}, gathered),
    Sample((normal(2), np.zeros((3, 0), np.int64)), {}, gathered),
    Sample((np.array([1e300, 1e-300]), indices([[1], [0]])), {}, gathered, differentiate=False),
    Sample((np.array([True, False]), indices([[1]])), {}, gathered, differentiate=False),
]
WRONG["gather_nd"] = [
    Wrong((normal(2), normal(1)), "C1"),
    Wrong((normal(2), indices([0, 0])), "C2"),
    Wrong((normal(2), indices(0)), "C2"),
]


def placed(add: bool) -> Callable[..., np.ndarray]:
    """Return the formula of scatter_nd."""

    def formula(x: np.ndarray, at: np.ndarray, updates: np.ndarray) -> np.ndarray:
        y = x.copy()
        for place in np.ndindex(*at.shape[:-1]):
            target = tuple(at[place].tolist())
            y[target] = updates[place] + (y[target] if add else 0)
        return y

    return formula


SAMPLES["scatter_nd"] = [
    Sample((x, at, normal(*gathered(x, at).shape)), {"reduction": reduction}, placed(reduction == "add"))
    for reduction in ("set", "add")
    for x, at in DEPTHS
]
SAMPLES["scatter_nd"] += [
    Sample((normal(3), indices([[1], [1], [-2]]), normal(3)), {"reduction": "add"}, placed(True)),
    Sample((normal(2), np.zeros((3, 0), np.int64), normal(3, 2)), {"reduction": "add"}, placed(True)),
    Sample((np.array([True, False]), indices([[1]]), np.array([True])), {}, placed(False), differentiate=False),
    Sample((np.array([1, 2]), indices([[1]]), np.array([5])), {"reduction": "add"}, placed(True), differentiate=False),
]
WRONG["scatter_nd"] = [
    Wrong((normal(2), normal(1), normal()), "C1"),
    Wrong((np.array([True]), indices([0]), np.array(True)), "C1", {"reduction": "add"}),
    Wrong((normal(2), indices([0, 0]), normal()), "C2"),
    Wrong((normal(2), indices([[0]]), np.array([1])), "C3"),
    Wrong((normal(2), indices([[0]]), normal()), "C4"),
    Wrong((normal(2, 2), indices([[0]]), normal(1)), "C4"),
]
