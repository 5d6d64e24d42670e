"""Samples of the ops that move elements."""

from __future__ import annotations

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

INTEGERS = np.arange(6, dtype=np.int64).reshape(2, 3)
BOOLEANS = np.array([[True, False, True]])


def filled(shape: tuple[int, ...], x: np.ndarray) -> np.ndarray:
    """Write the elements of ``x``, in row-major order, into a new array."""
    result = np.empty(shape, dtype=x.dtype)
    for place, element in zip(np.ndindex(*shape), x.flat, strict=True):
        result[place] = element
    return result


SAMPLES["reshape"] = [
    Sample((normal(),), {"shape": ()}, lambda x: x),
    Sample((normal(),), {"shape": (1, 1)}, lambda x: filled((1, 1), x)),
    Sample((normal(1, 1),), {"shape": ()}, lambda x: x[0, 0]),
    Sample((normal(2, 3),), {"shape": (3, 2)}, lambda x: filled((3, 2), x)),
    Sample((normal(2, 3, 4),), {"shape": (6, -1)}, lambda x: filled((6, 4), x)),
    Sample((normal(6),), {"shape": (-1,)}, lambda x: x),
    Sample((normal(0, 3),), {"shape": (-1, 5)}, lambda x: np.zeros((0, 5))),
    Sample((normal(2, 0),), {"shape": (0, 7)}, lambda x: np.zeros((0, 7))),
    Sample((INTEGERS,), {"shape": (6,)}, lambda x: np.arange(6), differentiate=False),
]
WRONG["reshape"] = [
    Wrong((normal(2, 3),), "C1", {"shape": (-1, -1)}),
    Wrong((normal(2, 3),), "C2", {"shape": (2, 4)}),
    Wrong((normal(),), "C2", {"shape": (0,)}),
    Wrong((normal(2, 3),), "C3", {"shape": (-1, 4)}),
    Wrong((normal(2, 3),), "C3", {"shape": (-1, 0)}),
    Wrong((normal(0, 3),), "C3", {"shape": (-1, 0)}),
]

SAMPLES["permute_dims"] = [
    Sample((normal(),), {"axis": ()}, lambda x: x),
    Sample((normal(3),), {"axis": (0,)}, lambda x: x),
    Sample((normal(2, 3),), {"axis": (1, 0)}, lambda x: x.T),
    Sample((normal(2, 3, 4),), {"axis": (2, 0, 1)}, lambda x: np.einsum("abc->cab", x)),
    Sample((normal(2, 1, 4),), {"axis": (0, -1, 1)}, lambda x: np.einsum("abc->acb", x)),
    Sample((normal(2, 3, 4, 2),), {"axis": (3, 0, 2, 1)}, lambda x: np.einsum("abcd->dacb", x)),
    Sample((normal(0, 3),), {"axis": (-1, -2)}, lambda x: np.zeros((3, 0))),
    Sample((BOOLEANS,), {"axis": (1, 0)}, lambda x: np.array([[True], [False], [True]]), differentiate=False),
]
WRONG["permute_dims"] = [
    Wrong((normal(2, 3),), "C1", {"axis": (0,)}),
    Wrong((normal(2, 3),), "C1", {"axis": (0, 0)}),
    Wrong((normal(2, 3),), "C1", {"axis": (1, -1)}),
    Wrong((normal(2, 3),), "C1", {"axis": (0, 2)}),
]

SAMPLES["expand_dims"] = [
    Sample((normal(),), {"axis": (0,)}, lambda x: np.array([x])),
    Sample((normal(),), {"axis": ()}, lambda x: x),
    Sample((normal(),), {"axis": (0, -1)}, lambda x: np.array([[x]])),
    Sample((normal(3),), {"axis": (-1,)}, lambda x: x[:, None]),
    Sample((normal(2, 3),), {"axis": (1, -1)}, lambda x: x[:, None, :, None]),
    Sample((normal(2, 3),), {"axis": (3, 0)}, lambda x: x[None, :, :, None]),
    Sample((normal(0, 2),), {"axis": (0,)}, lambda x: np.zeros((1, 0, 2))),
    Sample((INTEGERS,), {"axis": (2,)}, lambda x: np.array([[[0], [1], [2]], [[3], [4], [5]]]), differentiate=False),
]
WRONG["expand_dims"] = [
    Wrong((normal(2),), "C1", {"axis": (2,)}),
    Wrong((normal(2),), "C1", {"axis": (-3,)}),
    Wrong((normal(2),), "C1", {"axis": (0, -3)}),
]

SAMPLES["squeeze"] = [
    Sample((normal(1),), {"axis": (0,)}, lambda x: x[0]),
    Sample((normal(),), {"axis": ()}, lambda x: x),
    Sample((normal(1, 3),), {"axis": (0,)}, lambda x: x[0]),
    Sample((normal(2, 1, 3, 1),), {"axis": (-1, 1)}, lambda x: x[:, 0, :, 0]),
    Sample((normal(2, 1, 3, 1),), {"axis": (1,)}, lambda x: x[:, 0]),
    Sample((normal(0, 1),), {"axis": (1,)}, lambda x: np.zeros(0)),
    Sample((BOOLEANS,), {"axis": (0,)}, lambda x: x[0], differentiate=False),
]
WRONG["squeeze"] = [
    Wrong((normal(1, 3),), "C1", {"axis": (2,)}),
    Wrong((normal(1, 3),), "C1", {"axis": (0, -2)}),
    Wrong((normal(),), "C1", {"axis": (0,)}),
    Wrong((normal(1, 3),), "C2", {"axis": (1,)}),
    Wrong((normal(0),), "C2", {"axis": (0,)}),
]

SAMPLES["broadcast_to"] = [
    Sample((normal(),), {"shape": ()}, lambda x: x),
    Sample((normal(),), {"shape": (2, 3)}, lambda x: x + np.zeros((2, 3))),
    Sample((normal(3),), {"shape": (2, 3)}, lambda x: np.array([x, x])),
    Sample((normal(2, 1),), {"shape": (4, 2, 3)}, lambda x: x + np.zeros((4, 2, 3))),
    Sample((normal(1, 1),), {"shape": (1, 5)}, lambda x: np.full((1, 5), x[0, 0])),
    Sample((normal(1),), {"shape": (0,)}, lambda x: np.zeros(0)),
    Sample((normal(0, 1),), {"shape": (2, 0, 3)}, lambda x: np.zeros((2, 0, 3))),
    Sample((BOOLEANS,), {"shape": (2, 3)}, lambda x: np.array([x[0], x[0]]), differentiate=False),
]
WRONG["broadcast_to"] = [
    Wrong((normal(3),), "C1", {"shape": (2,)}),
    Wrong((normal(3),), "C1", {"shape": ()}),
    Wrong((normal(2, 3),), "C1", {"shape": (3,)}),
    Wrong((normal(3),), "C1", {"shape": (1,)}),
]

SAMPLES["concat"] = [
    Sample((normal(3),), {}, lambda x: x),
    Sample((normal(2), normal(1), normal(3)), {}, lambda x, y, z: np.array([*x, *y, *z])),
    Sample((normal(2, 3), normal(1, 3)), {"axis": 0}, lambda x, y: np.array([*x, *y])),
    Sample((normal(2, 3), normal(2, 1)), {"axis": -1}, lambda x, y: np.hstack([x, y])),
    Sample(
        (normal(2, 1, 2), normal(2, 2, 2)),
        {"axis": 1},
        lambda x, y: np.array([[*p, *q] for p, q in zip(x, y, strict=True)]),
    ),
    Sample((normal(0, 2), normal(2, 2)), {"axis": 0}, lambda x, y: y),
    Sample((normal(0, 2), normal(0, 3)), {"axis": 1}, lambda x, y: np.zeros((0, 5))),
    Sample((INTEGERS, INTEGERS), {"axis": -2}, lambda x, y: np.array([*x, *y]), differentiate=False),
]
WRONG["concat"] = [
    Wrong((normal(), normal()), "C1"),
    Wrong((normal(2), normal(2, 1)), "C1"),
    Wrong((normal(2, 3), INTEGERS), "C2"),
    Wrong((normal(2, 3), normal(2, 3)), "C3", {"axis": 2}),
    Wrong((normal(2, 3), normal(2, 3)), "C3", {"axis": -3}),
    Wrong((normal(2, 3), normal(2, 1)), "C4", {"axis": 0}),
]

SAMPLES["stack"] = [
    Sample((normal(),), {}, lambda x: np.array([x])),
    Sample((normal(), normal(), normal()), {}, lambda x, y, z: np.array([x, y, z])),
    Sample((normal(3), normal(3)), {"axis": 0}, lambda x, y: np.array([x, y])),
    Sample((normal(3), normal(3)), {"axis": -1}, lambda x, y: np.array(list(zip(x, y, strict=True)))),
    Sample((normal(2, 3), normal(2, 3)), {"axis": 1}, lambda x, y: np.array(list(zip(x, y, strict=True)))),
    Sample((normal(0, 2), normal(0, 2)), {"axis": -2}, lambda x, y: np.zeros((0, 2, 2))),
    Sample((BOOLEANS, BOOLEANS), {"axis": -3}, lambda x, y: np.array([x, y]), differentiate=False),
]
WRONG["stack"] = [
    Wrong((normal(2), normal(1)), "C1"),
    Wrong((normal(2), normal()), "C1"),
    Wrong((normal(2, 3), INTEGERS), "C2"),
    Wrong((normal(2), normal(2)), "C3", {"axis": 2}),
    Wrong((normal(), normal()), "C3", {"axis": -2}),
]

SAMPLES["split"] = [
    Sample((normal(4),), {"parts": 2}, lambda x: (x[:2], x[2:])),
    Sample((normal(3),), {"parts": 1}, lambda x: (x,)),
    Sample((normal(3),), {"sizes": (3,)}, lambda x: (x,)),
    Sample((normal(2, 6),), {"parts": 3, "axis": -1}, lambda x: (x[:, :2], x[:, 2:4], x[:, 4:])),
    Sample((normal(5, 2),), {"sizes": (1, 4)}, lambda x: (x[:1], x[1:])),
    Sample((normal(2, 5),), {"sizes": (2, 0, 3), "axis": 1}, lambda x: (x[:, :2], np.zeros((2, 0)), x[:, 2:])),
    Sample((normal(1, 3),), {"sizes": (1, 1, 1), "axis": -1}, lambda x: (x[:, :1], x[:, 1:2], x[:, 2:])),
    Sample((normal(0, 2),), {"parts": 2}, lambda x: (np.zeros((0, 2)), np.zeros((0, 2)))),
    Sample((INTEGERS,), {"parts": 2}, lambda x: (np.array([[0, 1, 2]]), np.array([[3, 4, 5]])), differentiate=False),
]
SAMPLES["unstack"] = [
    Sample((normal(2),), {}, lambda x: (x[0], x[1])),
    Sample((normal(1, 3),), {"axis": 0}, lambda x: (x[0],)),
    Sample((normal(2, 3),), {"axis": -1}, lambda x: (x[:, 0], x[:, 1], x[:, 2])),
    Sample((normal(2, 2, 3),), {"axis": 1}, lambda x: (x[:, 0], x[:, 1])),
    Sample((normal(2, 0),), {}, lambda x: (np.zeros(0), np.zeros(0))),
    Sample((INTEGERS,), {}, lambda x: (np.array([0, 1, 2]), np.array([3, 4, 5])), differentiate=False),
]
WRONG["unstack"] = [
    Wrong((normal(2),), "C1", {"axis": 1}),
    Wrong((normal(),), "C1"),
    Wrong((normal(0, 2),), "C2"),
    Wrong((np.broadcast_to(0.0, (10_001, 0)),), "C2"),
]
WRONG["split"] = [
    Wrong((normal(4),), "C1"),
    Wrong((normal(4),), "C1", {"parts": 2, "sizes": (2, 2)}),
    Wrong((normal(0),), "C1", {"sizes": ()}),
    Wrong((normal(4),), "C2", {"parts": 2, "axis": 1}),
    Wrong((normal(),), "C2", {"parts": 1}),
    Wrong((normal(4),), "C3", {"parts": 3}),
    Wrong((normal(4),), "C3", {"sizes": (2, 3)}),
]
