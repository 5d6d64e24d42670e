"""Samples of sums of products; the formulas walk over all labels, or pair dims in plain loops."""

from __future__ import annotations

from collections import Counter
from itertools import product
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal


def einsum(equation: str, *operands: np.ndarray) -> np.ndarray:
    """Add up the products, one combination of indices after another; dims of ``...`` get capital letters."""
    left, _, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    hidden = [x.ndim - len(term.replace("...", "")) for term, x in zip(terms, operands, strict=True)]
    names = "UVWXYZ"[: max(hidden)]
    terms = [term.replace("...", names[len(names) - n :]) for term, n in zip(terms, hidden, strict=True)]
    if "->" not in equation:
        count = Counter(left.replace("...", "").replace(",", ""))
        right = "..." + "".join(sorted(label for label in count if count[label] == 1))
    right = right.replace("...", names)
    sizes: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, size in zip(term, x.shape, strict=True):
            sizes[label] = size if sizes.get(label, 1) == 1 else sizes[label]
    y = np.zeros([sizes[label] for label in right])
    for index in product(*map(range, sizes.values())):
        at = dict(zip(sizes, index, strict=True))
        factors = [
            x[tuple(at[label] if x.shape[axis] > 1 else 0 for axis, label in enumerate(term))]
            for term, x in zip(terms, operands, strict=True)
        ]
        y[tuple(at[label] for label in right)] += np.prod(factors)
    return y


def sample(equation: str, *shapes: tuple[int, ...]) -> Sample:
    """Return a sample with random operands."""
    return Sample(
        tuple(normal(*shape) for shape in shapes), {"equation": equation}, lambda *arrays: einsum(equation, *arrays)
    )


SAMPLES["einsum"] = [
    sample("ij,jk->ik", (2, 3), (3, 4)),
    sample("ij,jk", (2, 3), (3, 4)),
    sample("ba", (2, 3)),
    sample("ij->", (2, 3)),
    sample("ij->j", (2, 3)),
    sample("i,i->", (3,), (3,)),
    sample("i,j->ji", (2,), (3,)),
    sample("i,i->i", (3,), (3,)),
    sample("ii->", (3, 3)),
    sample("ii", (3, 3)),
    sample("ii->i", (3, 3)),
    sample("iji,i->j", (2, 3, 2), (2,)),
    sample("iii->i", (2, 2, 2)),
    sample("iijj->ij", (2, 2, 3, 3)),
    sample("bqd,bkd->bqk", (2, 2, 3), (2, 4, 3)),
    sample("...qd,...kd->...qk", (2, 1, 2, 3), (4, 2, 3)),
    sample("...i,i", (2, 3), (3,)),
    sample("i...,i...->...", (3, 2), (3, 1)),
    sample("i...j,j...->...i", (2, 1, 4, 3), (3, 5, 4)),
    sample("ij, jk, kl -> il", (2, 3), (3, 2), (2, 3)),
    sample("a,b,c->cab", (2,), (3,), (2,)),
    sample("ij,k->i", (2, 3), (2,)),
    sample("...->...", (2, 3)),
    sample(",i->i", (), (3,)),
    sample("ij,ij,ij->", (2, 3), (2, 3), (2, 3)),
    sample("ij,jk->ik", (2, 0), (0, 3)),
]
SAMPLES["einsum"].append(
    Sample((np.array([[1, 2], [3, 4]]), np.array([5, 6])), {"equation": "ij,j->i"}, lambda a, b: np.array([17, 39]))
)
A, B = normal(2, 3), normal(3, 4)
WRONG["einsum"] = [
    Wrong((A > 0, B > 0), "C1", {"equation": "ij,jk"}),
    Wrong((A, B.astype(np.float32)), "C2", {"equation": "ij,jk"}),
    *(
        Wrong((A, B), "C3", {"equation": bad})
        for bad in ("ij,jk->ii", "ij,jk->il", "ij;jk", "ij,jk->ik->", "i.j,jk", "i1,1k", "...i...,jk", "...j,jk->k")
    ),
    *(Wrong((A, B), "C4", {"equation": bad}) for bad in ("ij", "ij,jk,kl", "ijk,jk", "i,jk", "", "ij...k,jk")),
    Wrong((A, B), "C5", {"equation": "ij,ik"}),
    Wrong((A, normal(1, 4)), "C5", {"equation": "ij,jk"}),
    Wrong((A, B), "C5", {"equation": "...,..."}),
]


def tensordot(a: np.ndarray, b: np.ndarray, of_a: Any, of_b: Any) -> np.ndarray:
    """Pair the dims by an equation in letters."""
    left, right = list("abcdef"[: a.ndim]), list("uvwxyz"[: b.ndim])
    for i, j in zip(of_a, of_b, strict=True):
        right[j] = left[i]
    output = [label for label in left + right if (left + right).count(label) == 1]
    return einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)


SAMPLES["tensordot"] = [
    Sample((normal(2, 3, 4), normal(3, 4, 2)), {}, lambda a, b: tensordot(a, b, (1, 2), (0, 1))),
    Sample((normal(2, 3), normal(3, 4)), {"axis": 1}, lambda a, b: tensordot(a, b, (1,), (0,))),
    Sample((normal(2), normal(3)), {"axis": 0}, lambda a, b: tensordot(a, b, (), ())),
    Sample((normal(2, 3), normal(2, 3)), {}, lambda a, b: tensordot(a, b, (0, 1), (0, 1))),
    Sample(
        (normal(2, 3, 4), normal(4, 2, 3)),
        {"a_axis": [2, 0], "b_axis": [0, 1]},
        lambda a, b: tensordot(a, b, (2, 0), (0, 1)),
    ),
    Sample(
        (normal(3, 2, 4), normal(2, 5, 4, 3)),
        {"a_axis": [0, -1, 1], "b_axis": [3, 2, 0]},
        lambda a, b: tensordot(a, b, (0, 2, 1), (3, 2, 0)),
    ),
    Sample((normal(2, 3), normal(4, 3)), {"a_axis": 1, "b_axis": 1}, lambda a, b: tensordot(a, b, (1,), (1,))),
    Sample((normal(2, 0), normal(0, 3)), {"axis": 1}, lambda a, b: np.zeros((2, 3))),
    Sample((np.array([1, 2]), np.array([3, 4])), {"axis": 1}, lambda a, b: 11),
]
WRONG["tensordot"] = [
    Wrong((A > 0, B > 0), "C1", {"axis": 1}),
    Wrong((A, B.astype(np.float32)), "C2", {"axis": 1}),
    Wrong((A, B), "C3", {"a_axis": [1]}),
    Wrong((A, B), "C3", {"b_axis": [1]}),
    Wrong((A, B), "C3", {"a_axis": [0, 1], "b_axis": [0]}),
    Wrong((A, B), "C4", {"axis": 3}),
    Wrong((A, B), "C4", {"a_axis": [2], "b_axis": [0]}),
    Wrong((A, B), "C4", {"a_axis": [1, 1], "b_axis": [0, 1]}),
    Wrong((A, B), "C5", {"axis": 2}),
    Wrong((A, B), "C5", {"a_axis": [0], "b_axis": [0]}),
]
