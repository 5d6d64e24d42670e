"""Kill processes while they save checkpoints, and look at what is left: run by `test_checkpoint.py`.

A program of its own, so that what is forked is small and has one thread.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from failing_calls import Calls, killing

from graphspec.train.checkpoint import Checkpoint, Checkpoints


def save(checkpoints: Checkpoints, step: int, best: bool = False) -> None:
    """Save a checkpoint whose arrays and facts say its step."""
    weights = {"w": np.full(2000, float(step)), "v": np.full((3, 5), step)}
    training = {"m": np.full(4000, step / 3)}
    checkpoints.save(weights, training, {"epoch": step, "loss": step / 7}, step=step, best=best)


def check(found: Checkpoint) -> int:
    """Return the step of a checkpoint, all of whose content must say it."""
    step = found.step
    assert found.facts == {"epoch": step, "loss": step / 7}
    assert set(found.arrays) == {"w", "v", "m"}
    assert (found.arrays["w"] == step).all()
    assert (found.arrays["v"] == step).all()
    assert (found.arrays["m"] == step / 3).all()
    return step


def check_folder(folder: Path) -> int:
    """Return the step of the newest checkpoint; nothing that can be seen in the folder is broken."""
    checkpoints = Checkpoints(folder)
    latest = check(checkpoints.load())
    there = sorted(path.name for path in folder.iterdir() if path.name.startswith("step-"))
    assert sorted(checkpoints.names()) == there
    for name in there:
        check(checkpoints.load(name))
    if (folder / "best").exists():
        check(checkpoints.load("best"))
    return latest


def fork(work: Any) -> tuple[int, int]:
    """Start a process that does some work; return its number, and a pipe that it writes into."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        try:
            work(writing)
            os._exit(0)
        except BaseException as error:
            print(f"the child failed: {error!r}", file=sys.stderr)
            os._exit(1)
    os.close(writing)
    return child, reading


def parts(folder: Path) -> int:
    return len([path for path in folder.iterdir() if path.name.endswith(".part")])


def at_random(folder: Path, kills: int, seed: int) -> dict[str, int]:
    """Kill a process that saves and saves, at random moments."""
    chance = random.Random(seed)
    save(Checkpoints(folder), 0)
    start = time.perf_counter()
    save(Checkpoints(folder), 1)
    span = min(0.1, 3 * (time.perf_counter() - start))
    saved = torn = 0
    for number in range(kills):
        first, keep, again = check_folder(folder), chance.choice([1, 2, None]), chance.random() < 0.3

        def work(pipe: int, first: int = first, keep: int | None = keep, again: bool = again) -> None:
            os.write(pipe, b"\0")
            for step in range(first + (not again), first + 1000):
                save(Checkpoints(folder, keep), step, best=step % 3 == 0)
                os.write(pipe, b"x")

        child, pipe = fork(work)
        os.read(pipe, 1)
        time.sleep(chance.random() * span)
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        done = 0
        while got := os.read(pipe, 1000):
            done += len(got)
        os.close(pipe)
        latest = check_folder(folder)
        assert latest >= first + done - again, f"kill {number}: {done} were saved after {first}, and {latest} is newest"
        saved, torn = saved + done, torn + (parts(folder) > 0)
        if number % 8 == 7:  # of those that were all kept
            save(Checkpoints(folder, 1), latest)
    save(Checkpoints(folder), latest)
    assert parts(folder) == 0
    return {"kills": kills, "saved": saved, "torn": torn}


def at_every_call(folder: Path) -> dict[str, int]:
    """Kill a process after every call of one save, and when half is written; it is new, or replaces one."""
    before = folder / "before"
    for step in (1, 2, 3):
        save(Checkpoints(before), step, best=step == 2)
    kills = 0
    for step in (2, 3, 4):  # replaces the best, replaces the latest, is new
        shutil.copytree(before, folder / "whole")
        with Calls(killing("after"), None).watching() as calls:
            save(Checkpoints(folder / "whole", 1), step)
        assert {path.name[:14] for path in (folder / "whole").glob("step-*")} == {
            f"step-{number:09d}" for number in (2, max(step, 3))
        }
        shutil.rmtree(folder / "whole")
        places = [("before", 0), *(("after", at) for at in range(len(calls.made)))]
        places += [("within", at) for at, name in enumerate(calls.made) if name == "write"]
        for when, at in places:
            kill_at(when, at, step, Path(shutil.copytree(before, folder / f"{step}-{when}-{at}")))
            kills += 1
    return {"kills": kills}


def kill_at(when: str, at: int, step: int, folder: Path) -> None:
    """Kill a process at a call of its save; look at what is left; save again, and look for what should be gone."""

    def work(pipe: int) -> None:
        with Calls(killing(when), at).watching():
            save(Checkpoints(folder, 1), step)

    child, pipe = fork(work)
    os.close(pipe)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert check_folder(folder) in (3, step)
    assert check(Checkpoints(folder).load("best")) == 2
    save(Checkpoints(folder, 1), 5)
    assert check_folder(folder) == 5
    assert {path.name[:14] for path in folder.glob("step-*")} == {"step-000000002", "step-000000005"}
    assert parts(folder) == 0
    shutil.rmtree(folder)


if __name__ == "__main__":
    root = Path(sys.argv[1])
    print(json.dumps([at_random(root / "random", int(sys.argv[2]), 4), at_every_call(root / "calls")]))
