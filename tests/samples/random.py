"""Samples of the random ops: types only; `test_random.py` looks at the numbers."""

from __future__ import annotations

import math

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

for name in ("random_uniform", "random_normal"):
    SAMPLES[name] = [
        Sample((), attributes)
        for attributes in (
            {"shape": []},
            {"shape": [0, 3], "dtype": "float32"},
            {"shape": [2, 1, 3], "key": "h.dropout"},
            {"shape": [4], "dtype": "float32", "key": "a"},
            {"shape": [], "dtype": "float16"},
        )
    ]
    WRONG[name] = [Wrong((), "C1", {"shape": [2, -1]})]
SAMPLES["random_uniform"].append(Sample((), {"shape": [3], "low": 2, "high": 2}, lambda: [2.0, 2.0, 2.0]))
SAMPLES["random_normal"].append(Sample((), {"shape": [3], "mean": -1, "std": 0}, lambda: [-1.0, -1.0, -1.0]))
WRONG["random_uniform"] += [
    Wrong((), "C2", {"shape": [], "low": 1, "high": 0}),
    Wrong((), "C2", {"shape": [], "high": math.inf}),
]
WRONG["random_normal"] += [Wrong((), "C2", {"shape": [], "mean": math.nan})]

SAMPLES["random_bernoulli"] = [
    Sample((np.array(0.5),), {}),
    Sample((np.array([[0.0, 1.0]] * 50),), {"key": "a"}, lambda p: p == 1),
    Sample((np.array([-1.0, 2.0, math.nan]),), {"shape": [9, 3]}, lambda p: np.array([[False, True, False]] * 9)),
    Sample((np.array(0.3),), {"shape": [2, 0]}, lambda p: np.zeros((2, 0), bool)),
    Sample((np.float32([[0.2], [0.7]]),), {"shape": [2, 3]}),
    Sample((np.zeros((0, 3)),), {}, lambda p: np.zeros((0, 3), bool)),
]
WRONG["random_bernoulli"] = [
    Wrong((np.array([1]),), "C1"),
    Wrong((np.array([0.5, 0.5]),), "C2", {"shape": [3]}),
    Wrong((np.array([0.5, 0.5]),), "C2", {"shape": []}),
]
SAMPLES["random_categorical"] = [
    Sample((normal(3),), {}),
    Sample((normal(1),), {"axis": 0}, lambda x: 0),
    Sample((normal(2, 3, 4),), {"axis": 1, "key": "a"}),
    Sample((np.array([[-math.inf, 5.0, -math.inf]] * 4),), {}, lambda x: [1] * 4),
    Sample((np.array([[1e300, 0.0], [-1e300, 1e-300]]),), {}, lambda x: [0, 1]),
    Sample((np.float32(normal(0, 3)),), {}, lambda x: np.zeros(0, int)),
]
WRONG["random_categorical"] = [
    Wrong((np.array([1, 2]),), "C1"),
    Wrong((normal(),), "C2"),
    Wrong((normal(2),), "C2", {"axis": 1}),
    Wrong((normal(2, 0),), "C3"),
]
SAMPLES["random_permutation"] = [
    Sample((), {"n": 0}, lambda: np.zeros(0, int)),
    Sample((), {"n": 1}, lambda: [0]),
    Sample((), {"n": 2}),
    Sample((), {"n": 100, "key": "a"}),
    Sample((), {"n": 7, "key": "h.shuffle"}),
    Sample((), {"n": 1000}),
]
WRONG["random_permutation"] = []
