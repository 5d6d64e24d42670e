"""Terminals, pipes and files: colour, control characters, readers that go away; what is imported."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import CIRCUIT, command, environment, on_a_terminal, process, write_specs

import graphspec
from graphspec.errors import problem
from graphspec.program import load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder with a few specs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    write_specs(tmp_path)
    return tmp_path


def test_colour_only_on_a_terminal() -> None:
    assert "\x1b[" in on_a_terminal("run", "circuit.yaml")
    assert "\x1b[" in on_a_terminal("run", "wrong.yaml")
    for arguments in (["run", "circuit.yaml"], ["run", "wrong.yaml"], ["ops", "exp"]):
        assert "\x1b" not in on_a_terminal(*arguments, NO_COLOR="1")
        assert "\x1b" not in on_a_terminal(*arguments, TERM="dumb")
        done = process(*arguments, env=environment(FORCE_COLOR="1"))
        assert "\x1b" not in done.stdout + done.stderr


def test_what_a_spec_says_is_not_obeyed() -> None:
    text = 'graphspec: 1\ndoc: "\\e[2Jgone\\a"\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f\n'
    Path("evil.yaml").write_text(text)
    Path("worse.yaml").write_text('graphspec: 1\ninputs: {x: "\\e[2Jgone"}\nnodes: {f: x * x}\noutputs: f\n')
    for arguments in (["show", "evil.yaml"], ["render", "evil.yaml"], ["run", "worse.yaml"], ["show", "\x1b[2J.yaml"]):
        text = on_a_terminal(*arguments)
        assert "\x1b[2J" not in text
        assert "\x07" not in text


def test_narrow_terminals_keep_names_whole() -> None:
    name = "a_name_that_is_longer_than_the_whole_terminal_is_wide"
    Path("long.yaml").write_text(f"graphspec: 1\ninputs: {{x: 2}}\nnodes: {{{name}: x * x}}\noutputs: {name}\n")
    text = re.sub(r"\x1b\[[0-9;]*m", "", on_a_terminal("run", "long.yaml"))
    assert name in re.sub(r"\s", "", text)
    assert all(len(line) <= 40 for line in text.replace("\r", "").splitlines())


def test_a_reader_that_goes_away() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "w") as stream:
        done = process("schema", capture_output=False, stdout=stream, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (0, "")


def test_streams_that_cannot_encode() -> None:
    Path("café.yaml").write_text(CIRCUIT)
    done = process("show", "café.yaml", env=environment(PYTHONIOENCODING="ascii"))
    assert done.returncode == 0
    assert done.stdout.startswith("caf\\xe9")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_full_disk() -> None:
    with open("/dev/full", "w") as stream:
        done = process("run", "circuit.yaml", capture_output=False, stdout=stream, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_help_is_cheap() -> None:
    heavy = ("numpy", "networkx", "yaml", "jsonschema", "rich", "safetensors")
    found = f"[name for name in {heavy!r} if name in sys.modules]"
    program = f"import sys; from graphspec.cli import main; main(['--help']); print({found})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    for verb in ("run", "check", "grad", "show", "render", "ops", "schema", "new", "explain"):
        assert re.search(rf"^    {verb} ", done.stdout, re.MULTILINE)


def test_the_version() -> None:
    assert command("--version").out == f"graphspec {graphspec.__version__}\n"


def test_the_package_offers_its_names() -> None:
    assert set(graphspec.__all__) <= set(dir(graphspec))
    assert graphspec.load is load
    assert issubclass(graphspec.SpecError, graphspec.GraphSpecError)
    assert problem("GS101", "x").code == "GS101"
    with pytest.raises(AttributeError):
        _ = graphspec.nothing
