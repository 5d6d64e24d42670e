"""Samples of the ops in ops/axes.py."""

from __future__ import annotations

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

SAMPLES["moveaxis"] = [
    Sample((normal(2, 3, 4),), {"source": 0, "destination": -1}, lambda x: np.transpose(x, (1, 2, 0))),
    Sample((normal(2, 3, 4),), {"source": -1, "destination": 0}, lambda x: np.transpose(x, (2, 0, 1))),
    Sample((normal(2, 3, 4),), {"source": 1, "destination": 1}, lambda x: x),
    Sample((normal(5),), {"source": 0, "destination": 0}, lambda x: x),
    Sample((normal(0, 3),), {"source": 0, "destination": 1}, lambda x: x.T),
    Sample((normal(1, 2, 1, 3),), {"source": 3, "destination": 1}, lambda x: np.transpose(x, (0, 3, 1, 2))),
]
WRONG["moveaxis"] = [
    Wrong((normal(2, 3),), "C1", {"source": 2, "destination": 0}),
    Wrong((normal(2, 3),), "C1", {"source": 0, "destination": -3}),
]
