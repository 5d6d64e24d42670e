"""Trains in child processes that kill themselves: a process of its own, since one with threads cannot be forked.

Reads lines ``PATH AFTER`` from stdin; for each it trains the spec until so many batches are done, kills the child with
SIGKILL, and writes the child's status. The data is that of `test_resume`.
"""

from __future__ import annotations

import os
import signal
import sys

import numpy as np

import graphspec as gs
from graphspec.train.callback import Callback, Record, Run


def data() -> dict[str, dict[str, np.ndarray]]:
    """Return rows whose numbers fit float32 and float64."""
    draw = np.random.default_rng(3)
    x = draw.normal(size=(53, 3)).astype("float32")
    y = (x[:, 0] * x[:, 1] > 0).astype("int64")
    return {"train": {"x": x[:40], "y": y[:40]}, "validation": {"x": x[40:], "y": y[40:]}}


class Killed(Callback):
    """Kills the process after so many batches."""

    def __init__(self, after: int):
        self.left = after

    def on_batch_end(self, run: Run, record: Record) -> None:
        self.left -= 1
        if not self.left:
            os.kill(os.getpid(), signal.SIGKILL)


def in_a_child(path: str, after: int) -> int:
    """Return the status of a child that trains and kills itself."""
    child = os.fork()
    if child == 0:
        try:
            gs.load(path).train(data(), callbacks=[Killed(after)])
        finally:
            os._exit(3)
    return os.waitpid(child, 0)[1]


if __name__ == "__main__":
    for line in sys.stdin:
        path, after = line.rsplit(" ", 1)
        print(in_a_child(path, int(after)), flush=True)
