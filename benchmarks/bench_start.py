"""How long `graphspec run` takes as a whole process, beside a process that only imports what it stands on.

The goal is a ratio under 1.5. The two run in turn, so that whatever else the machine does falls on both alike.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SPEC = ROOT / "specs" / "functions" / "circuit.yaml"
COMMANDS = {
    "graphspec run circuit.yaml": [sys.executable, "-m", "graphspec", "run", str(SPEC)],
    "import numpy, networkx, yaml, jsonschema": [sys.executable, "-c", "import numpy, networkx, yaml, jsonschema"],
}
RUNS = 15


def seconds(command: list[str], environment: dict[str, str]) -> float:
    """Return the wall time of a process."""
    start = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return time.perf_counter() - start


def measure() -> dict[str, list[float]]:
    """Return the times of both commands, with bytecode that is compiled once, as in an installation."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for command in COMMANDS.values():
            seconds(command, environment)
        for _ in range(RUNS):
            for name, command in COMMANDS.items():
                times[name].append(seconds(command, environment))
    return times


def main() -> None:
    """Print the median of both and their ratio."""
    times = measure()
    medians = {name: statistics.median(found) for name, found in times.items()}
    for name, median in medians.items():
        print(f"{name:42} {1000 * median:7.1f} ms   (of {RUNS}, from {1000 * min(times[name]):.1f} ms)")
    ours, theirs = medians.values()
    print(f"{'ratio':42} {ours / theirs:7.2f}")


if __name__ == "__main__":
    main()
