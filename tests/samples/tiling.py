"""Samples of flip, roll, tile, repeat and pad; the formulas pick elements one after another."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

INTEGERS = np.arange(6, dtype=np.int8).reshape(2, 3)
TRUTH = np.array([[True, False, True]])


def picked(*sources: list[int | None], fill: float = 0) -> Callable[[np.ndarray], np.ndarray]:
    """Return the formula that takes, along each axis, the elements at the listed indices; None stands for ``fill``."""

    def formula(x: np.ndarray) -> np.ndarray:
        result = np.empty([len(source) for source in sources], x.dtype)
        for place in np.ndindex(*result.shape):
            at = tuple(source[i] for source, i in zip(sources, place, strict=True))
            result[place] = fill if None in at else x[at]
        return result

    return formula


ALL = [0, 1, 2]
SAMPLES["flip"] = [
    Sample((normal(),), {}, lambda x: x),
    Sample((normal(3),), {}, picked([2, 1, 0])),
    Sample((normal(1),), {"axis": -1}, lambda x: x),
    Sample((normal(2, 3),), {}, picked([1, 0], [2, 1, 0])),
    Sample((normal(2, 3),), {"axis": 1}, picked([0, 1], [2, 1, 0])),
    Sample((normal(2, 1, 3),), {"axis": [-1, 0]}, picked([1, 0], [0], [2, 1, 0])),
    Sample((normal(2, 3),), {"axis": []}, lambda x: x),
    Sample((normal(0, 3),), {}, lambda x: np.zeros((0, 3))),
    Sample((INTEGERS,), {"axis": -2}, picked([1, 0], ALL), differentiate=False),
    Sample((TRUTH,), {}, lambda x: x[:, ::-1], differentiate=False),
]
WRONG["flip"] = [Wrong((normal(2),), "C1", {"axis": axis}) for axis in (1, -2, [0, 0])]
SAMPLES["roll"] = [
    Sample((normal(),), {"shift": 3}, lambda x: x),
    Sample((normal(3),), {"shift": 1}, picked([2, 0, 1])),
    Sample((normal(3),), {"shift": -4}, picked([1, 2, 0])),
    Sample(
        (normal(2, 3),), {"shift": 1}, lambda x: np.array([[x[1, 2], x[0, 0], x[0, 1]], [x[0, 2], x[1, 0], x[1, 1]]])
    ),
    Sample((normal(2, 3),), {"shift": 1, "axis": -1}, picked([0, 1], [2, 0, 1])),
    Sample((normal(2, 3),), {"shift": [1, 2], "axis": [0, 1]}, picked([1, 0], [1, 2, 0])),
    Sample((normal(2, 1, 3),), {"shift": 10, "axis": [2, 0, 1]}, picked([0, 1], [0], [2, 0, 1])),
    Sample((normal(2, 3),), {"shift": [0], "axis": []}, lambda x: x),
    Sample((normal(0, 3),), {"shift": 5, "axis": 0}, lambda x: np.zeros((0, 3))),
    Sample((INTEGERS,), {"shift": 10**9, "axis": 1}, picked([0, 1], [2, 0, 1]), differentiate=False),
]
WRONG["roll"] = [
    *(Wrong((normal(2),), "C1", {"shift": 1, "axis": axis}) for axis in (1, -2, [0, -1])),
    Wrong((normal(2, 3),), "C2", {"shift": [1, 2]}),
    Wrong((normal(2, 3),), "C2", {"shift": [1, 2], "axis": 0}),
    Wrong((normal(2, 3),), "C2", {"shift": []}),
]
SAMPLES["tile"] = [
    Sample((normal(),), {"repetitions": []}, lambda x: x),
    Sample((normal(),), {"repetitions": [2, 3]}, lambda x: np.full((2, 3), x)),
    Sample((normal(3),), {"repetitions": 2}, picked(ALL + ALL)),
    Sample((normal(3),), {"repetitions": [2, 1]}, lambda x: np.array([x, x])),
    Sample((normal(2, 3),), {"repetitions": [2]}, picked([0, 1], ALL + ALL)),
    Sample((normal(2, 3),), {"repetitions": [3, 2]}, picked([0, 1] * 3, ALL + ALL)),
    Sample((normal(1, 2),), {"repetitions": [2, 1, 3]}, lambda x: np.array([[[*x[0]] * 3]] * 2)),
    Sample((normal(2, 3),), {"repetitions": [0, 2]}, lambda x: np.zeros((0, 6))),
    Sample((normal(0, 2),), {"repetitions": [2, 2]}, lambda x: np.zeros((0, 4))),
    Sample((TRUTH,), {"repetitions": [2, 1]}, lambda x: np.array([x[0], x[0]]), differentiate=False),
]
WRONG["tile"] = []
SAMPLES["repeat"] = [
    Sample((normal(),), {"repeats": 3}, lambda x: np.array([x, x, x])),
    Sample((normal(3),), {"repeats": 2}, picked([0, 0, 1, 1, 2, 2])),
    Sample((normal(2, 2),), {"repeats": 2}, lambda x: np.array([v for v in x.flat for _ in range(2)])),
    Sample((normal(2, 3),), {"repeats": 2, "axis": 0}, picked([0, 0, 1, 1], ALL)),
    Sample((normal(2, 1, 2),), {"repeats": 3, "axis": -2}, picked([0, 1], [0, 0, 0], [0, 1])),
    Sample((normal(2, 3),), {"repeats": 1, "axis": 1}, lambda x: x),
    Sample((normal(2, 3),), {"repeats": 0, "axis": 1}, lambda x: np.zeros((2, 0))),
    Sample((normal(0, 3),), {"repeats": 2, "axis": 0}, lambda x: np.zeros((0, 3))),
    Sample((INTEGERS,), {"repeats": 2, "axis": -1}, picked([0, 1], [0, 0, 1, 1, 2, 2]), differentiate=False),
]
WRONG["repeat"] = [Wrong((normal(2),), "C1", {"repeats": 2, "axis": axis}) for axis in (1, -2)]
WRONG["repeat"].append(Wrong((normal(),), "C1", {"repeats": 2, "axis": 0}))


def pad(before: int | list[int], after: int | list[int], mode: str = "constant", **others: object) -> dict[str, object]:
    return {"before": before, "after": after, "mode": mode, **others}


SAMPLES["pad"] = [
    Sample((normal(),), pad(0, 1), lambda x: x),
    Sample((normal(3),), pad(1, 2), picked([None, 0, 1, 2, None, None])),
    Sample((normal(3),), pad(0, 2, value=-1.5), picked([0, 1, 2, None, None], fill=-1.5)),
    Sample((normal(2, 3),), pad([1, 0], [0, 2]), picked([None, 0, 1], [*ALL, None, None])),
    Sample((normal(2, 3),), pad(1, 0, axis=-1), picked([0, 1], [None, *ALL])),
    Sample((normal(0, 2),), pad(1, 0, axis=0), lambda x: np.zeros((1, 2))),
    Sample((normal(2, 0),), pad(0, 0, "edge"), lambda x: np.zeros((2, 0))),
    Sample((normal(3, 0),), pad(1, 2, "reflect", axis=0), lambda x: np.zeros((6, 0))),
    Sample((normal(3),), pad(2, 2, "reflect"), picked([2, 1, 0, 1, 2, 1, 0])),
    Sample((normal(3),), pad(2, 1, "edge"), picked([0, 0, 0, 1, 2, 2])),
    Sample((normal(3),), pad(2, 3, "wrap"), picked([1, 2, 0, 1, 2, 0, 1, 2])),
    Sample((normal(1),), pad(3, 1, "edge"), picked([0] * 5)),
    Sample((normal(1),), pad(1, 1, "wrap"), picked([0] * 3)),
    Sample((normal(1),), pad(0, 0, "reflect"), lambda x: x),
    Sample((normal(2, 3),), pad([1, 2], [0, 1], "reflect"), picked([1, 0, 1], [2, 1, 0, 1, 2, 1])),
    Sample((normal(2, 3),), pad([1, 2], [0, 1], "edge", axis=[-1, 0]), picked([0, 0, 0, 1, 1], [0, 0, 1, 2])),
    Sample((normal(2, 1, 3),), pad([1, 2], [1, 0], "wrap", axis=[0, 2]), picked([1, 0, 1, 0], [0], [1, 2, 0, 1, 2])),
    Sample((normal(2),), pad(0, 1, value=math.inf), picked([0, 1, None], fill=math.inf), differentiate=False),
    Sample((INTEGERS,), pad(0, 1, value=7, axis=1), picked([0, 1], [*ALL, None], fill=7), differentiate=False),
    Sample((TRUTH,), pad(0, [0, 1], value=1), picked([0], [*ALL, None], fill=True), differentiate=False),
]
WRONG["pad"] = [
    *(Wrong((normal(2),), "C1", pad(1, 1, axis=axis)) for axis in (1, -2, [0, 0])),
    Wrong((normal(2),), "C2", pad([1, 1], 0)),
    Wrong((normal(2, 3),), "C2", pad(1, [1, 1, 1])),
    Wrong((normal(2, 3),), "C2", pad(1, [1, 1], axis=0)),
    Wrong((normal(3),), "C3", pad(3, 0, "reflect")),
    Wrong((normal(1),), "C3", pad(0, 1, "reflect")),
    Wrong((normal(0),), "C3", pad(0, 1, "reflect")),
    Wrong((normal(2, 0),), "C3", pad(0, 1, "edge")),
    Wrong((normal(3),), "C3", pad(4, 0, "wrap")),
    Wrong((INTEGERS,), "C4", pad(1, 0, value=0.5)),
    Wrong((TRUTH,), "C4", pad(1, 0, value=2)),
]
