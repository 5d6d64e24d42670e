"""Samples of triangles and diagonals; the formulas look at each pair of indices."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

INTEGERS = np.arange(6, dtype=np.int8).reshape(2, 3)
CASES = [
    (normal(3, 3), 0),
    (normal(2, 4), 1),
    (normal(4, 2), -1),
    (normal(2, 1, 3, 2), 0),
    (normal(1, 1), 0),
    (normal(3, 3), 2),
    (normal(3, 3), -3),
    (normal(3, 3), 7),
    (normal(0, 3), 0),
    (normal(2, 3, 0), 1),
    (normal(0, 2, 2), -1),
]


def kept(keep: Callable[[int], bool]) -> Callable[[np.ndarray], np.ndarray]:
    """Return the formula that keeps the elements on the diagonals that ``keep`` holds for."""

    def formula(x: np.ndarray) -> np.ndarray:
        y = x.copy()
        for place in np.ndindex(*x.shape):
            if not keep(place[-1] - place[-2]):
                y[place] = 0
        return y

    return formula


for name, compare in (("tril", lambda d, k: d <= k), ("triu", lambda d, k: d >= k)):
    SAMPLES[name] = [Sample((x,), {"k": k}, kept(lambda d, k=k, compare=compare: compare(d, k))) for x, k in CASES]
    SAMPLES[name] += [
        Sample((INTEGERS,), {}, kept(lambda d, compare=compare: compare(d, 0)), differentiate=False),
        Sample((np.ones((2, 2), bool),), {}, kept(lambda d, compare=compare: compare(d, 0)), differentiate=False),
    ]
    WRONG[name] = [Wrong((normal(3),), "C1"), Wrong((normal(),), "C1")]


def diagonal(x: np.ndarray, offset: int) -> np.ndarray:
    found = [x[..., i, j] for i, j in np.ndindex(*x.shape[-2:]) if j - i == offset]
    return np.stack(found, axis=-1) if found else np.zeros((*x.shape[:-2], 0), x.dtype)


SAMPLES["diagonal"] = [
    Sample((x,), {"offset": offset}, lambda x, offset=offset: diagonal(x, offset)) for x, offset in CASES
]
SAMPLES["diagonal"].append(Sample((INTEGERS,), {}, lambda x: np.array([0, 4], np.int8), differentiate=False))
WRONG["diagonal"] = [Wrong((normal(3),), "C1"), Wrong((normal(),), "C1")]
