"""Samples of the ops whose gradient is on purpose not the derivative: `test_conventions.py` looks at the gradients."""

from __future__ import annotations

import math

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

SHAPES = [((), ()), ((0, 3), ()), ((2, 3), ()), ((2, 3), (3,)), ((2, 1, 3), (2, 1, 1)), ((1, 4), (1, 4))]
SPECIAL = np.array([0.0, math.inf, math.nan, 1e300])
for name, count in (("scale_gradient", 1), ("clip_gradient", 2)):
    SAMPLES[name] = [
        Sample((normal(*a), *[normal(*b)] * count), {}, lambda x, *_: x.copy(), differentiate=False) for a, b in SHAPES
    ]
    SAMPLES[name].append(Sample((SPECIAL, *[normal()] * count), {}, lambda x, *_: x.copy(), differentiate=False))
    WRONG[name] = [
        Wrong((np.array([1, 2]), *[np.array(1)] * count), "C1"),
        Wrong((normal(2), *[normal().astype(np.float32)] * count), "C2"),
        Wrong((normal(2), *[normal(3)] * count), "C3"),
        Wrong((normal(2), *[normal(2, 2)] * count), "C3"),
    ]
