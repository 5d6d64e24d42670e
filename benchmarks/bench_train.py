"""How long an epoch of the digits perceptron and of the digits CNN takes beside PyTorch, and how much memory it needs.

Both train the same model on the same rows, in float32 and batches of 32, with adam, dropout and a shuffled order, and
read the loss of every batch; nothing is validated. Each has a process of its own, which is blocked on a pipe while the
other one runs: epochs alternate, with a rest between them in which the threads of the one before stop spinning. The
ratio is the median over rounds of paired quotients. Memory is the growth of the resident set to its peak from after the
imports; ours includes the spec and its graph. `python -m benchmarks.bench_train 2` gives both two threads, not one.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
SPECS = ("digits_mlp", "digits_cnn")
PEERS = ("graphspec", "torch")
ROUNDS = {"digits_mlp": 15, "digits_cnn": 7}
REST = 0.125  # seconds


# -- a process for each ------------------------------------------------------------------------------------------------


def worker(peer: str, spec: str) -> None:
    """Run an epoch for each line on stdin and answer with its seconds; for the last, with the growth of memory."""
    import graphspec.train.entry  # noqa: F401 (before memory is looked at)

    if peer == "graphspec":
        with_graphspec(spec, memory("VmRSS"))
    else:
        with_torch(spec)


def with_graphspec(spec: str, before: int) -> None:
    class Alternating:
        def on_epoch_begin(self, run: Any, epoch: int) -> None:
            if not sys.stdin.readline():
                run.stop("measured")
            self.start = time.perf_counter()

        def on_epoch_end(self, run: Any, record: Any) -> None:
            answer(f"{time.perf_counter() - self.start} {memory('VmHWM') - before}")

    program, rows = loaded(spec)
    answer(f"NumPy {np.__version__}")
    program.train({"train": rows}, epochs=100, batch=32, metrics=["loss"], callbacks=[Alternating()])


def loaded(spec: str) -> tuple[Any, dict[str, np.ndarray]]:
    import graphspec as gs

    program = gs.load(ROOT / "specs" / "networks" / f"{spec}.yaml")
    return program, next(program.rows("train").batches(None))


def with_torch(spec: str) -> None:
    import torch

    from benchmarks.peers import PEERS as MODELS
    from benchmarks.peers import Training

    rows = loaded(spec)[1]
    before = memory("VmRSS")
    training = Training(MODELS[spec], rows, 32, 100, 0)
    answer(f"PyTorch {torch.__version__}, channels first")
    while sys.stdin.readline():
        start = time.perf_counter()
        training.epoch()
        answer(f"{time.perf_counter() - start} {memory('VmHWM') - before}")


def answer(text: str) -> None:
    print(text, flush=True)


def memory(name: str) -> int:
    """Return the resident bytes of this process: VmRSS are those of now, VmHWM the most so far."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return 1024 * int(found[1])


# -- the measurement ---------------------------------------------------------------------------------------------------


def measure(spec: str, threads: str) -> tuple[dict[str, list[float]], dict[str, int], dict[str, str]]:
    """Return the seconds of every epoch, the growth of memory, and what each says about itself."""
    command = [sys.executable, "-m", "benchmarks.bench_train"]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": threads, "OMP_NUM_THREADS": threads}
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": ROOT}
    pipes["env"] = environment
    running = {peer: subprocess.Popen([*command, peer, spec], **pipes) for peer in PEERS}
    about = {peer: process.stdout.readline().strip() for peer, process in running.items()}
    seconds: dict[str, list[float]] = {peer: [] for peer in PEERS}
    growth = dict.fromkeys(PEERS, 0)
    for turn in range(ROUNDS[spec] + 1):
        for peer in PEERS if turn % 2 else PEERS[::-1]:
            time.sleep(REST)
            process = running[peer]
            process.stdin.write("epoch\n")
            process.stdin.flush()
            taken, grown = process.stdout.readline().split()
            seconds[peer] += [float(taken)] if turn else []  # the first one warms up
            growth[peer] = int(grown)
    for process in running.values():
        process.stdin.close()
        process.stdout.read()
        process.wait()
    return seconds, growth, about


def main(threads: str = "1") -> None:
    """Print a table, in Markdown."""
    print("| spec | graphspec, ms an epoch | PyTorch, ms an epoch | ratio | graphspec, MB | PyTorch, MB |")
    print("|---|---|---|---|---|---|", flush=True)
    for spec in SPECS:
        seconds, growth, about = measure(spec, threads)
        ours, theirs = (seconds[peer] for peer in PEERS)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        cells = [f"{1000 * statistics.median(found):.0f}" for found in (ours, theirs)]
        sizes = [f"{growth[peer] / 2**20:.0f}" for peer in PEERS]
        print(f"| {spec} | {' | '.join(cells)} | {ratio:.2f} | {' | '.join(sizes)} |", flush=True)
    print(f"\nfloat32, batches of 32, {threads} of {os.cpu_count()} cores each; {'; '.join(about.values())}.")


if __name__ == "__main__":
    worker(*sys.argv[1:]) if len(sys.argv) > 2 else main(*sys.argv[1:])
