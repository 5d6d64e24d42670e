"""Samples of linear systems, inverses and determinants; the formulas are elimination and expansion in plain loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def eliminate(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve one system by Gauss and Jordan's elimination with pivots."""
    rows = np.concatenate([a, b], axis=1)
    n = len(a)
    for i in range(n):
        pivot = i + int(np.argmax(np.abs(rows[i:, i])))
        rows[[i, pivot]] = rows[[pivot, i]]
        rows[i] = rows[i] / rows[i, i]
        for k in range(n):
            if k != i:
                rows[k] = rows[k] - rows[k, i] * rows[i]
    return rows[:, n:]


def solve(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Solve each system of a batch."""
    right = b[:, None] if b.ndim == 1 else b
    batch = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    lefts, rights = (np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (a, right))
    y = np.zeros(rights.shape)
    for index in np.ndindex(*batch):
        y[index] = eliminate(lefts[index], rights[index])
    return y[..., 0] if b.ndim == 1 else y


def substitute(
    a: np.ndarray, b: np.ndarray, lower: bool = True, transpose: bool = False, unit_diagonal: bool = False
) -> np.ndarray:
    """Solve with the triangle of each matrix."""
    n = a.shape[-1]
    kept = [[i == j or (i > j if lower else i < j) for j in range(n)] for i in range(n)]
    t = np.where(kept, a, 0)
    if unit_diagonal:
        t = np.where(np.eye(n, dtype=bool), 1, t)
    return solve(np.moveaxis(t, -1, -2) if transpose else t, b)


def expand(a: np.ndarray) -> Any:
    """Return the determinant of one matrix by expansion along its first row."""
    if not len(a):
        return 1.0
    minors = (np.delete(a[1:], j, axis=1) for j in range(len(a)))
    return sum((-1) ** j * a[0, j] * expand(minor) for j, minor in enumerate(minors))


def each(function: Callable[[np.ndarray], Any], x: np.ndarray) -> np.ndarray:
    """Call a function on each matrix of a batch."""
    flat = [function(x[index]) for index in np.ndindex(*x.shape[:-2])]
    return np.array(flat).reshape((*x.shape[:-2], *np.shape(flat[0])))


def pseudo_inverse(x: np.ndarray) -> np.ndarray:
    """Invert a matrix of full rank by the normal equations."""
    if x.shape[0] >= x.shape[1]:
        return eliminate(x.T @ x, x.T)
    return eliminate(x @ x.T, x).T


def regular(*shape: int) -> np.ndarray:
    """Return matrices that are far from singular."""
    return normal(*shape) * 0.4 + 2 * np.eye(shape[-2], shape[-1])


SYSTEMS = [
    ((3, 3), (3,)),
    ((3, 3), (3, 2)),
    ((1, 1), (1, 1)),
    ((2, 3, 3), (3, 2)),
    ((3, 3), (2, 3, 1)),
    ((2, 2, 2), (2,)),
]
SYSTEMS += [((2, 1, 2, 2), (3, 2, 2))]
SAMPLES["solve"] = [Sample((regular(*a), normal(*b)), {}, solve) for a, b in SYSTEMS]
SAMPLES["triangular_solve"] = [
    Sample((regular(*a), normal(*b)), given, lambda a, b, given=given: substitute(a, b, **given))
    for i, (a, b) in enumerate(SYSTEMS)
    for given in (
        {"lower": bool(i % 2), "transpose": bool(i % 3)},
        {"lower": bool((i + 1) % 2), "transpose": bool((i + 1) % 3), "unit_diagonal": bool(i % 4)},
    )
]
WRONG["solve"] = WRONG["triangular_solve"] = [
    Wrong((np.eye(2, dtype=int), np.ones(2, int)), "C1"),
    Wrong((np.eye(2, dtype=np.float16), np.ones(2, np.float16)), "C1"),
    Wrong((np.eye(2), np.ones(2, np.float32)), "C2"),
    Wrong((normal(2), normal(2)), "C3"),
    Wrong((normal(2, 3), normal(2)), "C3"),
    Wrong((np.eye(2), normal()), "C4"),
    Wrong((np.eye(2), normal(3)), "C4"),
    Wrong((np.eye(2), normal(3, 2)), "C4"),
    Wrong((normal(2, 3, 3), normal(5, 3, 1)), "C5"),
]

BATCHES = [(1, 1), (2, 2), (3, 3), (2, 3, 3), (2, 1, 2, 2), (4, 4)]
SAMPLES["inv"] = [
    Sample((regular(*shape),), {}, lambda x: each(lambda a: eliminate(a, np.eye(len(a))), x)) for shape in BATCHES
]
SAMPLES["det"] = [Sample((regular(*shape),), {}, lambda x: each(expand, x)) for shape in BATCHES]
SAMPLES["slogdet"] = [
    Sample((regular(*shape),), {}, lambda x: (np.sign(each(expand, x)), np.log(np.abs(each(expand, x)))))
    for shape in BATCHES
]
WRONG["inv"] = WRONG["det"] = WRONG["slogdet"] = [
    Wrong((np.eye(2, dtype=int),), "C1"),
    Wrong((np.eye(2, dtype=np.float16),), "C1"),
    Wrong((normal(2),), "C3"),
    Wrong((normal(2, 3),), "C3"),
]
SAMPLES["pinv"] = [
    Sample((regular(*shape),), {}, lambda x: each(pseudo_inverse, x)) for shape in (*BATCHES, (3, 2), (2, 4), (2, 3, 2))
]
SAMPLES["pinv"] += [
    Sample((np.eye(3),), {}, lambda x: x),
    Sample((np.diag([2.0, 0.0]),), {}, lambda x: np.diag([0.5, 0.0]), differentiate=False),
    Sample((np.diag([2.0, 0.1]),), {"rtol": 0.2}, lambda x: np.diag([0.5, 0.0]), differentiate=False),
]
WRONG["pinv"] = [
    Wrong((np.ones((2, 3), int),), "C1"),
    Wrong((np.ones((2, 3), np.float16),), "C1"),
    Wrong((normal(2),), "C3"),
]
