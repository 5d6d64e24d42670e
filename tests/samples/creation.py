"""Samples of the ops that make arrays."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

SHAPES: list[dict[str, Any]] = [
    {"shape": []},
    {"shape": [3]},
    {"shape": [0, 3]},
    {"shape": [2, 1, 2], "dtype": "float32"},
    {"shape": [2, 2], "dtype": "int8"},
    {"shape": [2], "dtype": "bool"},
    {"shape": [1], "dtype": "complex128"},
]


def listed(shape: Any, value: Any, dtype: str = "float64") -> np.ndarray:
    """Return an array of one number, made from nested lists."""
    for size in reversed(shape):
        value = [value] * size
    return np.array(value, dtype).reshape(shape)


for name, value in (("zeros", 0), ("ones", 1)):
    SAMPLES[name] = [
        Sample((), given, lambda value=value, given=given: listed(value=value, **given)) for given in SHAPES
    ]
    WRONG[name] = []
SAMPLES["full"] = [
    Sample((), {**given, "value": value}, lambda value=value, given=given: listed(value=value, **given))
    for given, value in zip(SHAPES, (2.5, -1e300, 7, 0.1, -128, 1, 0.5), strict=True)
]
SAMPLES["full"] += [
    Sample((), {"shape": [2], "value": math.nan}, lambda: [math.nan] * 2),
    Sample((), {"shape": [1], "value": 2**63, "dtype": "uint64"}, lambda: np.array([2**63], np.uint64)),
    Sample((), {"shape": [2]}, lambda: np.zeros(2)),
]
TOO_MUCH = [
    {"value": 0.5, "dtype": "int64"},
    {"value": math.inf, "dtype": "int64"},
    {"value": 128, "dtype": "int8"},
    {"value": -1, "dtype": "uint8"},
    {"value": 2, "dtype": "bool"},
]
WRONG["full"] = [Wrong((), "C1", {"shape": [2], **given}) for given in TOO_MUCH]
for name, value in (("zeros_like", 0.0), ("ones_like", 1.0), ("full_like", -2.0)):
    given = {"value": value} if name == "full_like" else {}
    cases: list[tuple[np.ndarray, str | None]] = [
        (normal(), None),
        (normal(0, 3), None),
        (normal(2, 1), None),
        (normal(1, 3, 1), "float64"),
        (np.array([1, 2], np.int8), None),
        (np.array([1, 2]), "float32"),
        (normal(2), "int64"),
        (np.array([[True]]), "int32"),
    ]
    SAMPLES[name] = [
        Sample((x,), {**given, "dtype": d}, lambda x, v=value, d=d: listed(x.shape, v, d or str(x.dtype)))
        for x, d in cases
    ]
    special = np.array([math.nan, math.inf, 1e300])
    SAMPLES[name].append(Sample((special,), given, lambda x, v=value: listed([3], v), differentiate=False))
    WRONG[name] = []
WRONG["full_like"] = [Wrong((normal(2),), "C1", given) for given in TOO_MUCH]
WRONG["full_like"].append(Wrong((np.array([1, 2]),), "C1", {"value": 0.5}))


def eye(rows: int, columns: int | None = None, k: int = 0, dtype: str = "float64") -> np.ndarray:
    width = rows if columns is None else columns
    return np.array([[j - i == k for j in range(width)] for i in range(rows)]).reshape(rows, width).astype(dtype)


SAMPLES["eye"] = [
    Sample((), given, lambda given=given: eye(**given))  # type: ignore[misc]
    for given in (
        {"rows": 1},
        {"rows": 3},
        {"rows": 0},
        {"rows": 2, "columns": 0},
        {"rows": 2, "columns": 4, "k": 1},
        {"rows": 3, "columns": 2, "k": -2, "dtype": "int64"},
        {"rows": 3, "k": 5, "dtype": "bool"},
        {"rows": 2, "dtype": "float32"},
    )
]
WRONG["eye"] = []
SAMPLES["arange"] = [
    Sample(
        (), given, lambda given=given, arguments=arguments: np.array([*range(*arguments)], given.get("dtype", "int64"))
    )
    for given, arguments in (
        ({"stop": 4}, (4,)),
        ({"stop": 0}, (0,)),
        ({"stop": -3}, (-3,)),
        ({"stop": 1}, (1,)),
        ({"stop": 3, "start": -2}, (-2, 3)),
        ({"stop": 10, "start": 1, "step": 4}, (1, 10, 4)),
        ({"stop": 9, "start": 1, "step": 4}, (1, 9, 4)),
        ({"stop": -4, "start": 5, "step": -3}, (5, -4, -3)),
        ({"stop": 4, "step": -1}, (0, 4, -1)),
        ({"stop": 4, "dtype": "float32"}, (4,)),
        ({"stop": 2**62 + 2, "start": 2**62}, (2**62, 2**62 + 2)),
    )
]
WRONG["arange"] = [Wrong((), "C1", {"stop": 3, "step": 0})]


def spaced(start: float, stop: float, num: int, endpoint: bool = True, dtype: str = "float64") -> np.ndarray:
    parts = max(1, num - endpoint)
    return np.array([(start * (parts - i) + stop * i) / parts for i in range(num)], dtype)


SAMPLES["linspace"] = [
    Sample((), {"start": a, "stop": b, **given}, lambda a=a, b=b, given=given: spaced(a, b, **given))  # type: ignore[misc]
    for a, b, given in (
        (0, 1, {"num": 5}),
        (0, 1, {"num": 5, "endpoint": False}),
        (2, -3, {"num": 4}),
        (2, 3, {"num": 1}),
        (2, 3, {"num": 1, "endpoint": False}),
        (2, 3, {"num": 0}),
        (1.5, 1.5, {"num": 3}),
        (-1e100, 1e100, {"num": 3}),
        (0, 1, {"num": 3, "dtype": "float32"}),
    )
]
WRONG["linspace"] = [
    Wrong((), "C1", {"start": 0, "stop": math.inf, "num": 3}),
    Wrong((), "C1", {"start": math.nan, "stop": 0, "num": 3}),
]
