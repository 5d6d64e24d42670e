"""Samples of the decompositions; the formulas are textbook algorithms, with the signs that LAPACK chooses."""

from __future__ import annotations

from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def batched(function: Any, x: np.ndarray) -> Any:
    """Call a function on each matrix of a batch and stack what it returns."""
    found = [function(x[index]) for index in np.ndindex(*x.shape[:-2])]
    if isinstance(found[0], tuple):
        return tuple(np.array(parts).reshape((*x.shape[:-2], *parts[0].shape)) for parts in zip(*found, strict=True))
    return np.array(found).reshape((*x.shape[:-2], *found[0].shape))


def cholesky(x: np.ndarray) -> np.ndarray:
    """Decompose by the method of Cholesky and Crout, element by element."""
    lower = np.zeros(x.shape)
    for i in range(len(x)):
        for j in range(i + 1):
            rest = x[i, j] - sum(lower[i, k] * lower[j, k] for k in range(j))
            lower[i, j] = np.sqrt(rest) if i == j else rest / lower[j, j]
    return lower


def qr(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decompose by Householder's reflections, whose sign is against that of the element they reflect on."""
    rows, columns = x.shape
    least, r, q = min(rows, columns), x.copy(), np.eye(rows)
    for k in range(min(rows - 1, columns)):
        v = r[k:, k].copy()
        v[0] += np.copysign(np.sqrt(v @ v), v[0])
        reflection = np.eye(rows)
        reflection[k:, k:] -= 2 * np.outer(v, v) / (v @ v)
        r, q = reflection @ r, q @ reflection
    return q[:, :least], np.triu(r[:least])


def jacobi(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Find the eigenvalues of a symmetric matrix by Jacobi's rotations; they rise."""
    a, v = x.copy(), np.eye(len(x))
    for _ in range(12):
        for i in range(len(x)):
            for j in range(i):
                angle = 0.5 * np.arctan2(2 * a[i, j], a[j, j] - a[i, i])
                turn = np.eye(len(x))
                turn[[i, j], [i, j]] = np.cos(angle)
                turn[i, j], turn[j, i] = np.sin(angle), -np.sin(angle)
                a, v = turn.T @ a @ turn, v @ turn
    order = np.argsort(np.diag(a))
    return np.diag(a)[order], v[:, order]


def eigh(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the eigenvectors of Jacobi's rotations the signs of LAPACK's."""
    values, vectors = jacobi((x + x.T) / 2)
    return values, vectors * np.sign(np.sum(vectors * np.linalg.eigh((x + x.T) / 2)[1], axis=0))


def svd(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Decompose by the eigenvalues of the smaller of x.T @ x and x @ x.T, with the signs of LAPACK."""
    if x.shape[0] < x.shape[1]:
        u, s, vh = svd_tall(x.T)
        u, vh = vh.T, u.T
    else:
        u, s, vh = svd_tall(x)
    sign = np.sign(np.sum(u * np.linalg.svd(x, full_matrices=False)[0], axis=0))
    return u * sign, s, vh * sign[:, None]


def svd_tall(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    squares, v = jacobi(x.T @ x)
    s, v = np.sqrt(squares[::-1]), v[:, ::-1]
    return x @ v / s, s, v.T


def definite(*shape: int) -> np.ndarray:
    """Return positive definite matrices, not quite symmetric: their symmetric part is what counts."""
    x = normal(*shape) * 0.4
    return x @ np.moveaxis(x, -1, -2) + np.eye(shape[-1]) + 0.1 * normal(*shape)


def spread(*shape: int) -> np.ndarray:
    """Return matrices whose singular values and eigenvalues are far apart."""
    least = min(shape[-2:])
    x = np.zeros(shape)
    x[..., range(least), range(least)] = np.arange(1, least + 1)
    return x + 0.2 * normal(*shape)


def symmetric_cholesky(x: np.ndarray) -> np.ndarray:
    return batched(lambda a: cholesky((a + a.T) / 2), x)


SQUARES = [(1, 1), (2, 2), (3, 3), (2, 3, 3), (2, 1, 2, 2), (4, 4)]
OBLONGS = [(3, 2), (4, 1), (2, 3), (1, 3), (2, 3, 2), (2, 2, 4)]
SAMPLES["cholesky"] = [Sample((definite(*shape),), {}, symmetric_cholesky) for shape in SQUARES]
SAMPLES["cholesky"] += [
    Sample((definite(*shape),), {"upper": True}, lambda x: np.moveaxis(symmetric_cholesky(x), -1, -2))
    for shape in ((3, 3), (2, 2, 2))
]
SAMPLES["qr"] = [Sample((spread(*shape),), {}, lambda x: batched(qr, x)) for shape in SQUARES + OBLONGS]
SAMPLES["svd"] = [Sample((spread(*shape),), {}, lambda x: batched(svd, x)) for shape in SQUARES + OBLONGS]
SAMPLES["eigh"] = [Sample((spread(*shape),), {}, lambda x: batched(eigh, x)) for shape in SQUARES]
for name in ("cholesky", "qr", "svd", "eigh"):
    WRONG[name] = [
        Wrong((np.eye(2, dtype=int),), "C1"),
        Wrong((np.eye(2, dtype=np.float16),), "C1"),
        Wrong((normal(2),), "C2"),
        Wrong((normal(),), "C2"),
    ]
WRONG["cholesky"].append(Wrong((normal(2, 3),), "C3"))
WRONG["eigh"].append(Wrong((normal(3, 2),), "C3"))
