"""Samples of linear algebra; the formulas are einsum and plain loops."""

from __future__ import annotations

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def product(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Compute the matrix product with einsum."""
    left, right = ("k" if a.ndim == 1 else "...mk"), ("k" if b.ndim == 1 else "...kn")
    batch = "..." if a.ndim > 1 or b.ndim > 1 else ""
    return np.einsum(f"{left},{right}->{batch}{'m' if a.ndim > 1 else ''}{'n' if b.ndim > 1 else ''}", a, b)


SAMPLES["matmul"] = [
    Sample((normal(*a), normal(*b)), {}, product)
    for a, b in (
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3, 4)),
        ((1, 1), (1, 1)),
        ((5, 2, 3), (3, 4)),
        ((5, 2, 3), (3,)),
        ((3,), (5, 3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((5, 1, 2, 3), (6, 3, 4)),
        ((6, 5, 2, 3), (3, 4)),
        ((1, 2, 3), (5, 3, 4)),
        ((0, 3), (3, 2)),
        ((2, 0), (0, 3)),
        ((0,), (0,)),
        ((0, 2, 3), (3, 4)),
        ((4, 0, 3), (3,)),
    )
]
SAMPLES["matmul"].append(Sample((np.array([[1, 2], [3, 4]]), np.array([5, 6])), {}, lambda a, b: [17, 39]))
WRONG["matmul"] = [
    Wrong((np.eye(2, dtype=bool), np.eye(2, dtype=bool)), "C1"),
    Wrong((normal(2, 2), normal(2, 2).astype(np.float32)), "C2"),
    Wrong((normal(), normal(2, 2)), "C3"),
    Wrong((normal(2, 2), normal()), "C3"),
    Wrong((normal(2, 3), normal(4, 3)), "C4"),
    Wrong((normal(2, 3), normal(2)), "C4"),
    Wrong((normal(3), normal(2, 3)), "C4"),
    Wrong((normal(2, 4, 3), normal(5, 3, 2)), "C5"),
]

SAMPLES["matrix_transpose"] = [
    Sample((x,), {}, lambda x: np.einsum("...mn->...nm", x))
    for x in (
        normal(2, 3),
        normal(4, 1, 3),
        normal(0, 2),
        normal(2, 1, 3, 0),
        np.array([[1, 2, 3]]),
        normal(3, 3) * 1e3,
    )
]
WRONG["matrix_transpose"] = [Wrong((normal(3),), "C1"), Wrong((normal(),), "C1")]
