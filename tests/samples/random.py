"""Samples of the random ops: types only; `test_random.py` looks at the numbers."""

from __future__ import annotations

import math

from samples import SAMPLES, WRONG, Sample, Wrong

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
