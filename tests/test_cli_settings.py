"""What the command line gives a spec: `--set`, `--feed`, and what it saves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import command, write_specs


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run in an empty folder with a few specs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    write_specs(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("written", "value"), [("3", 3.0), ("1e-3", 1e-3), (" -2.5 ", -2.5), ("nan", "nan"), ("-inf", "-inf")]
)
def test_set_a_number(written: str, value: Any) -> None:
    data = command("run", "circuit.yaml", "--json", "--all", "--set", f"x={written}").data
    assert data["values"]["x"] == value


def test_set_a_list() -> None:
    assert command("run", "vector.yaml", "--json", "--set", "x=[3, 4e0]").data["outputs"]["f"] == [6.0, 8.0]


@pytest.mark.parametrize(
    "setting",
    ["x", "x=", "=3", "x=012", "x=yes", "x=1:30", "x=0x1F", "x=1_000", "x=.inf", "x=1e999", "x=[1, 2", "x=[1, 012]"],
)
def test_settings_that_cannot_be_read(setting: str) -> None:
    found = command("run", "circuit.yaml", "--set", setting)
    assert (found.code, found.out, found.codes) == (1, "", ["GS613"])


@pytest.mark.parametrize(
    ("setting", "code"),
    [
        ("w=3", "GS601"),
        ("x=true", "GS603"),
        ("x=word", "GS603"),
        ('x="3"', "GS603"),
        ("x={a: 1}", "GS603"),
        ("x=[1]", "GS604"),
    ],
)
def test_settings_that_do_not_fit(setting: str, code: str) -> None:
    found = command("run", "circuit.yaml", "--json", "--set", setting)
    assert (found.code, found.codes) == (1, [code])


def test_all_bad_settings_are_reported() -> None:
    found = command("run", "circuit.yaml", "--json", "--set", "x", "--set", "y=012")
    assert found.codes == ["GS613", "GS613"]


def test_an_edge_weight_can_be_set(folder: Path) -> None:
    (folder / "edge.yaml").write_text(
        "graphspec: 1\ninputs: {x: 2}\nnodes: {f: {op: add}}\nedges: [x -> f: 3]\noutputs: f\n"
    )
    data = command("run", "edge.yaml", "--json", "--set", "x -> f=5", "--wrt", "x -> f").data
    assert (data["outputs"], data["gradients"]) == ({"f": 10.0}, {"x -> f": 2.0})


def test_feeds_from_files() -> None:
    Path("feed.json").write_text('{"x": 7, "y": 1}')
    np.savez("feed.npz", y=np.float32(2))
    data = command(
        "run", "circuit.yaml", "--json", "--all", "--set", "z=1", "--feed", "feed.json", "--feed", "feed.npz"
    ).data
    assert [data["values"][name] for name in "xyz"] == [7.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.json", None),
        ("missing.npz", None),
        ("feed.txt", b"x: 1"),
        ("octal.json", b'{"x": 012}'),
        ("nan.json", b'{"x": NaN}'),
        ("twice.json", b'{"x": 1, "x": 2}'),
        ("list.json", b"[1, 2]"),
        ("broken.npz", b"PK\x03\x04 and then nothing"),
        ("text.npz", b"x = 1"),
    ],
)
@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_files_that_are_no_feeds(name: str, content: bytes | None, flags: list[str]) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    found = command("run", "circuit.yaml", "--feed", name, *flags)
    assert (found.code, found.codes) == (1, ["GS607"])
    assert name in found.out + found.err


def test_no_object_is_unpickled() -> None:
    class Trap:
        def __reduce__(self) -> Any:
            return (os.mkdir, ("sprung",))

    np.savez("trap.npz", allow_pickle=True, x=np.array([Trap()], dtype=object))
    found = command("run", "circuit.yaml", "--feed", "trap.npz")
    assert (found.code, found.codes) == (1, ["GS607"])
    assert not Path("sprung").exists()


def test_a_pipe_is_no_file_of_feeds() -> None:
    os.mkfifo("pipe.npz")
    assert command("run", "circuit.yaml", "--feed", "pipe.npz").codes == ["GS607"]


def test_save() -> None:
    text = "graphspec: 1\ninputs: {x: 2, d_x: 1}\nnodes: {file: {op: add}, f: file * d_x}\nedges: [x -> file: 3]\n"
    Path("save.yaml").write_text(text + "outputs: [file, d_x, f]\ndifferentiate: f\n")
    assert command("run", "save.yaml", "--save", "out.bin").code == 0
    with np.load("out.bin", allow_pickle=False) as saved:
        assert set(saved.files) == {"file", "d_x", "f", "d_x_2", "d_d_x", "d_x_to_file"}
        assert [float(saved[name]) for name in ("f", "d_x", "d_x_2", "d_x_to_file")] == [6.0, 1.0, 3.0, 2.0]


@pytest.mark.parametrize("arguments", [["run", "circuit.yaml", "--save"], ["grad", "circuit.yaml", "-o"]])
def test_files_that_cannot_be_written(arguments: list[str]) -> None:
    found = command(*arguments, "missing/file")
    assert (found.code, found.out, found.codes) == (1, "", ["GS614"])
