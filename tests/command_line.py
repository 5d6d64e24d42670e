"""What the tests of the command line share: a few specs, and ways to run a command."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pty
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graphspec.cli import main

ROOT = Path(__file__).resolve().parents[1]
CIRCUIT = """\
graphspec: 1
inputs: {x: -2, y: 5, z: -4}
nodes:
  q: x + y
  f: q * z
outputs: f
"""
SPECS = {
    "circuit": CIRCUIT,
    "wrong": "graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: x * yy\n  g: exp(zz)\noutputs: f\n",
    "vector": "graphspec: 1\ninputs: {x: [1, 2]}\nnodes: {f: 2 * x}\noutputs: f\n",
}


def write_specs(folder: Path) -> None:
    """Write the specs to a folder."""
    for name, text in SPECS.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


@dataclass
class Outcome:
    """What a command gave: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)

    @property
    def codes(self) -> list[str]:
        """The codes of its diagnostics, wherever they were written."""
        if self.out.startswith('{"diagnostics"'):
            return [found["code"] for found in self.data["diagnostics"]]
        return re.findall(r"\b(GS\d{3}) ", self.err)


def command(*arguments: str) -> Outcome:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(list(arguments))
    return Outcome(code, out.getvalue(), err.getvalue())


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which the package is found, and colour is not decided from outside."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    return {**kept, "PYTHONPATH": str(ROOT), **more}


def process(*arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    options = {"capture_output": True, "text": True, "env": environment(), "check": False} | more
    return subprocess.run([sys.executable, "-m", "graphspec", *arguments], **options)


def on_a_terminal(*arguments: str, **env: str) -> str:
    """Return what a command writes to a terminal of 40 columns."""
    reader, writer = pty.openpty()
    terminal = environment(**{"TERM": "xterm-256color", "COLUMNS": "40", **env})
    command = [sys.executable, "-m", "graphspec", *arguments]
    with subprocess.Popen(command, stdin=writer, stdout=writer, stderr=writer, env=terminal):
        os.close(writer)
        text = b""
        while True:
            try:
                part = os.read(reader, 65536)
            except OSError:  # the other end was closed
                part = b""
            if not part:
                break
            text += part
    os.close(reader)
    return text.decode()
