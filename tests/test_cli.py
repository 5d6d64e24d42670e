"""The command line: its verbs, their JSON and exit codes."""

from __future__ import annotations

import json
import re
import sys
import types
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from command_line import command, write_specs

from graphspec import cli
from graphspec.errors import Diagnostic
from graphspec.program import load


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder with a few specs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    write_specs(tmp_path)
    return tmp_path


def test_run_prints_values_and_gradients() -> None:
    found = command("run", "circuit.yaml")
    assert (found.code, found.err) == (0, "")
    rows = [line.split() for line in found.out.splitlines()]
    assert rows == [
        ["name", "value", "gradient", "of", "f"],
        ["x", "-2", "-4"],
        ["y", "5", "-4"],
        ["z", "-4", "3"],
        ["q", "3", "-4"],
        ["f", "-12", "1"],
    ]


def test_run_as_json() -> None:
    found = command("run", "circuit.yaml", "--json")
    assert found.data == {
        "spec": "circuit.yaml",
        "engine": "numpy",
        "outputs": {"f": -12.0},
        "of": "f",
        "gradients": {"x": -4.0, "y": -4.0, "z": 3.0},
    }
    everything = command("run", "circuit.yaml", "--json", "--all").data
    assert everything["values"]["q"] == 3.0
    assert everything["cotangents"]["q"] == -4.0


def test_run_with_every_node() -> None:
    out = command("run", "circuit.yaml", "--all").out
    assert re.search(r"^q +3 +-4$", out, re.MULTILINE)


def test_run_of_and_wrt() -> None:
    data = command("run", "circuit.yaml", "--json", "--of", "q", "--wrt", "x, y").data
    assert (data["of"], data["gradients"]) == ("q", {"x": 1.0, "y": 1.0})
    found = command("run", "circuit.yaml", "--of", "nothing")
    assert (found.code, found.codes) == (1, ["GS504"])
    found = command("run", "vector.yaml", "--of", "f", "--json")
    assert (found.code, found.codes) == (1, ["GS501"])


def test_run_forward_only() -> None:
    found = command("run", "circuit.yaml", "--json", "--no-grad")
    assert (found.data["of"], found.data["gradients"]) == (None, {})
    assert found.err == ""


def test_run_with_nothing_to_differentiate() -> None:
    found = command("run", "vector.yaml", "--json")
    assert found.code == 0
    assert (found.data["outputs"], found.data["of"], found.data["gradients"]) == ({"f": [2.0, 4.0]}, None, {})
    assert found.err.startswith("note: no gradients: ")


def test_notes_go_to_stderr(folder: Path) -> None:
    (folder / "zero.yaml").write_text("graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: x * x}\noutputs: f\n")
    found = command("run", "zero.yaml", "--json")
    assert (found.code, found.data["gradients"]["y"]) == (0, 0.0)
    assert found.err.startswith("note: GS505 ")


def test_non_finite_numbers_in_json(folder: Path) -> None:
    (folder / "inf.yaml").write_text("graphspec: 1\ninputs: {x: [0, -1]}\nnodes: {f: log(x)}\noutputs: f\n")
    assert command("run", "inf.yaml", "--json").data["outputs"] == {"f": ["-inf", "nan"]}


def test_updates_are_shown(folder: Path) -> None:
    text = "graphspec: 1\nstate: {n: 0}\nnodes: {f: 2 * n}\noutputs: f\nupdates: {n: n + 1}\n"
    (folder / "count.yaml").write_text(text)
    assert command("run", "count.yaml", "--json").data["updates"] == {"n": 1.0}
    assert re.search(r"^n \(next\) +1$", command("run", "count.yaml").out, re.MULTILINE)


def test_attributes_and_seeds(folder: Path) -> None:
    text = "graphspec: 1\nattributes: {n: 2}\nparameters: {w: {shape: [n], init: normal}}\n"
    (folder / "random.yaml").write_text(text + "nodes: {f: sum(w)}\noutputs: f\n")
    assert len(command("run", "random.yaml", "--json", "--attribute", "n=3").data["gradients"]["w"]) == 3
    values = [command("run", "random.yaml", "--json", "--seed", seed).data["outputs"]["f"] for seed in "0115"]
    assert values[1] == values[2]
    assert len(set(values)) == 3
    found = command("show", "random.yaml", "--attribute", "m=3")
    assert (found.code, found.codes) == (1, ["GS608"])


# -- errors ------------------------------------------------------------------------------------------------------------


def test_diagnostics_go_to_stderr() -> None:
    found = command("run", "wrong.yaml")
    assert (found.code, found.out) == (1, "")
    assert found.err.startswith("wrong.yaml:4:10: GS301 ")
    assert found.codes == ["GS301", "GS301"]


@pytest.mark.parametrize("verb", ["run", "show"])
def test_diagnostics_as_json(verb: str) -> None:
    found = command(verb, "wrong.yaml", "--json")
    assert (found.code, found.err) == (1, "")
    first = found.data["diagnostics"][0]
    assert list(found.data) == ["diagnostics"]
    assert set(first) == {"code", "severity", "message", "file", "line", "column", "path", "hint", "related"}
    assert (first["file"], first["line"], first["column"]) == ("wrong.yaml", 4, 10)


@pytest.mark.parametrize("verb", ["run", "check", "grad", "show", "render"])
def test_missing_files(verb: str) -> None:
    found = command(verb, "circuti.yaml")
    assert (found.code, found.codes) == (1, ["GS111"])
    assert "circuit.yaml" in found.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["walk"],
        ["run"],
        ["run", "circuit.yaml", "--bogus"],
        ["run", "circuit.yaml", "--jso"],
        ["run", "circuit.yaml", "--seed", "one"],
        ["run", "circuit.yaml", "--seed", str(2**63)],
        ["run", "circuit.yaml", "--no-grad", "--of", "f"],
        ["run", "circuit.yaml", "--wrt", "x,"],
        ["explain", "GS999"],
    ],
)
def test_wrong_usage(arguments: list[str]) -> None:
    found = command(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("usage: graphspec")


def test_engines() -> None:
    assert command("run", "circuit.yaml", "--engine", "numpyy").codes == ["GS611"]


def test_interruption(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(arguments: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "_command", interrupt)
    assert command("show", "circuit.yaml").code == 130


# -- the other verbs ---------------------------------------------------------------------------------------------------


@dataclass
class Test:
    __test__ = False
    name: str
    ok: bool
    message: str = ""


@dataclass
class Gradient:
    of: str
    name: str
    ok: bool
    error: float = 0.0
    message: str = ""
    surrogate: bool = False
    kink: bool = False


@dataclass
class Report:
    tests: list[Test] = field(default_factory=list)
    gradients: list[Gradient] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return all(item.ok for item in [*self.tests, *self.gradients])

    def to_dict(self) -> dict[str, Any]:
        return {"tests": [vars(item) for item in self.tests], "gradients": [vars(item) for item in self.gradients]}


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the checker: fail on the vector. Returns what it was asked for."""
    asked: list[dict[str, Any]] = []

    def check_program(program: Any, **options: Any) -> Report:
        asked.append(options)
        good = program.name != "vector"
        warning = Diagnostic("GS505", "warning", "look here")
        return Report(
            [Test("at zero", good, "" if good else "f is 1, expected 2")],
            [Gradient("f", "x", True, 1e-9, "agrees")],
            [warning],
        )

    stand_in = types.ModuleType("graphspec.check")
    stand_in.check_program = check_program  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "graphspec.check", stand_in)
    return asked


def test_check_several_specs(checked: list[dict[str, Any]]) -> None:
    found = command("check", "circuit.yaml", "wrong.yaml", "vector.yaml", "--seed", "3")
    assert found.code == 1
    assert found.codes == ["GS505", "GS301", "GS301", "GS505"]
    assert "circuit.yaml: ok, 1 test, 1 gradient" in found.out
    assert "wrong.yaml: failed, 2 errors" in found.out
    assert "vector.yaml: failed" in found.out
    assert re.search(r"^test +at zero +FAILED +f is 1, expected 2$", found.out, re.MULTILINE)
    assert re.search(r"^gradient of f +x +ok +agrees$", found.out, re.MULTILINE)
    assert checked == [{"gradients": True, "seed": 3}] * 2


def test_check_as_json(checked: list[dict[str, Any]]) -> None:
    found = command("check", "circuit.yaml", "wrong.yaml", "--json", "--no-gradients")
    assert (found.code, found.err) == (1, "")
    assert found.data["ok"] is False
    assert [entry["ok"] for entry in found.data["specs"]] == [True, False]
    assert [item["code"] for item in found.data["diagnostics"]] == ["GS505", "GS301", "GS301"]
    assert found.data["specs"][0]["tests"][0]["name"] == "at zero"
    assert checked == [{"gradients": False, "seed": 0}]
    assert command("check", "circuit.yaml").code == 0


def test_check_for_real() -> None:
    assert command("check", "circuit.yaml").code == 0


def test_grad_writes_a_spec() -> None:
    out = command("grad", "circuit.yaml", "--wrt", "x,z").out
    found = command("grad", "circuit.yaml", "--wrt", "x,z", "-o", "gradient.yaml")
    assert (found.code, found.out) == (0, "")
    assert Path("gradient.yaml").read_text() == out
    outputs = load("gradient.yaml").run().outputs
    assert {name: float(value) for name, value in outputs.items()} == {"d_x": -4.0, "d_z": 3.0}
    assert command("grad", "vector.yaml").codes == ["GS504"]


def test_render_writes_a_spec() -> None:
    out = command("render", "circuit.yaml").out
    assert out == load("circuit.yaml").to_yaml()
    command("render", "circuit.yaml", "-o", "flat.yaml")
    assert float(load("flat.yaml").run()["f"]) == -12.0


def test_show() -> None:
    out = command("show", "circuit.yaml").out
    assert re.search(r"^q +add +float64\[\]$", out, re.MULTILINE)
    data = command("show", "circuit.yaml", "--json").data
    assert data["spec"] == "circuit.yaml"
    assert [node["path"] for node in data["nodes"]] == ["q", "f"]


def test_ops() -> None:
    assert "matmul(a, b)" in command("ops").out
    assert "matrix product" in command("ops", "matmul").out
    found = command("ops", "mul")
    assert (found.code, found.codes) == (1, ["GS201"])
    assert "'multiply'" in found.err


def test_schema() -> None:
    from graphspec.schema import document_schema

    found = command("schema")
    assert found.data == document_schema()
    assert found.out == json.dumps(document_schema(), indent=1) + "\n"


def test_new() -> None:
    assert command("new", "first").code == 0
    text = Path("first.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=")
    data = command("run", "first.yaml", "--json", "--set", "x=0").data
    assert data["outputs"] == {"y": 0.5, "loss": 0.25}
    assert len(data["gradients"]) == 4
    found = command("new", "first.yaml")
    assert (found.code, found.codes) == (1, ["GS614"])
    assert Path("first.yaml").read_text(encoding="utf-8") == text
    assert command("new", "two\nlines").code == 0
    assert command("run", "two\nlines.yaml").code == 0


def test_the_new_spec_passes_its_check() -> None:
    command("new", "first")
    assert command("check", "first.yaml").code == 0


def test_explain() -> None:
    out = command("explain", "gs402").out
    assert out.startswith("GS402: dims do not match\n")
    assert "What to do:" in out
