"""Checkpoints: whole or absent, `latest` and `best` never dangle, damage is named, kills and failures lose nothing."""

from __future__ import annotations

import errno
import json
import math
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from failing_calls import Calls, failing
from killed_saves import check, check_folder
from killed_saves import save as save_step
from safetensors.numpy import load_file

from graphspec.errors import CheckpointError
from graphspec.exact_json import write_json
from graphspec.train.checkpoint import Checkpoints, read_checkpoint, weights_of
from graphspec.train.manifest import read_manifest, write_facts, write_manifest
from graphspec.train.matching import matching
from graphspec.types import TensorType

FILES = ("weights.safetensors", "training.safetensors", "manifest.json")
SPEC = "graphspec: 1\nparameters: {w: {shape: [2]}} # é\nnodes: {f: sum(w)}\noutputs: f\n"


def failure(work: Any, *arguments: Any, **keywords: Any) -> CheckpointError:
    with pytest.raises(CheckpointError) as info:
        work(*arguments, **keywords)
    return info.value


def codes(error: CheckpointError) -> list[str]:
    return [found.code for found in error.diagnostics]


def several(folder: Path, *steps: int, best: int = -1, keep: int | None = None) -> Checkpoints:
    """Save checkpoints of these steps into a folder."""
    checkpoints = Checkpoints(folder, keep)
    for step in steps:
        save_step(checkpoints, step, best=step == best)
    return checkpoints


def name(step: int) -> str:
    return f"step-{step:09d}"


# -- what is saved ------------------------------------------------------------------------------------------------------


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    weights = {"w": np.arange(3.0), "x -> z": np.array(0.1), "image.mean": np.ones(2, np.float32)}
    training = {
        "w.next.m": np.full(3, 1e-300),
        "step": np.array(7),
        "mask": np.array([True, False]),
        "e": np.ones((0, 2)),
    }
    facts = {
        "epoch": 3,
        "seed": 2**127 + 1,
        "spec": SPEC,
        "name": "mnist é\n",
        "resumed": None,
        "shuffle": True,
        "losses": [0.1, 1 / 3, 5e-324, -0.0],
        "best": math.inf,
        "position": {"batch": (1, 2), "rate": np.float32(0.1)},
    }
    path = Checkpoints(tmp_path / "runs" / "mnist").save(weights, training, facts, step=7)
    assert path == tmp_path / "runs" / "mnist" / name(7)
    assert sorted(os.listdir(path)) == sorted(FILES)
    found = Checkpoints(tmp_path / "runs" / "mnist").load()
    assert (found.path, found.step) == (path, 7)
    assert found.arrays.keys() == weights.keys() | training.keys()
    assert found.weights.keys() == weights.keys()
    for key, array in (weights | training).items():
        assert found.arrays[key].dtype == array.dtype
        assert found.arrays[key].shape == array.shape
        assert found.arrays[key].tobytes() == array.tobytes()
    wanted = {**facts, "position": {"batch": [1, 2], "rate": float(np.float32(0.1))}}
    assert found.facts == wanted
    assert math.copysign(1, found.facts["losses"][3]) == -1
    assert found.manifest["format"] == 1
    with pytest.raises(TypeError):
        found.manifest["step"] = 8  # type: ignore[index]


def test_the_files_are_what_others_read(tmp_path: Path) -> None:
    import hashlib

    path = Checkpoints(tmp_path).save({"w": np.arange(3.0)}, {"m": np.ones((2, 1), np.int8)}, {"spec": SPEC}, step=1)
    assert load_file(path / "weights.safetensors")["w"].tolist() == [0, 1, 2]
    manifest = json.loads((path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["spec"] == SPEC
    assert manifest["spec_sha256"] == hashlib.sha256(SPEC.encode()).hexdigest()
    for file in FILES[:2]:
        content = (path / file).read_bytes()
        assert manifest["files"][file] == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert manifest["arrays"] == {
        "w": {"file": FILES[0], "dtype": "float64", "shape": [3]},
        "m": {"file": FILES[1], "dtype": "int8", "shape": [2, 1]},
    }
    content = (path / "manifest.json").read_bytes()
    zeros = content.replace(manifest["sha256"].encode(), b"0" * 64, 1)
    assert hashlib.sha256(zeros).hexdigest() == manifest["sha256"]
    assert (tmp_path / "latest").read_text().splitlines()[0] == path.name


def test_the_same_checkpoint_is_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        several(tmp_path / folder, 1)
    for file in FILES:
        assert (tmp_path / "a" / name(1) / file).read_bytes() == (tmp_path / "b" / name(1) / file).read_bytes()


def test_awkward_arrays_come_back(tmp_path: Path) -> None:
    base = np.arange(12.0).reshape(3, 4)
    arrays = {"f": np.asfortranarray(base), "t": base.T, "s": base[:, ::2], "b": base.astype(">f4"), "o": base[1:]}
    arrays |= {"c": np.ones(2) * 1j, "z": np.broadcast_to(np.ones(()), (2, 2))}
    Checkpoints(tmp_path).save(arrays, {}, {}, step=0)
    found = Checkpoints(tmp_path).load().arrays
    assert all(np.array_equal(found[key], array) for key, array in arrays.items())


def test_bfloat16_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    Checkpoints(tmp_path).save({"w": np.ones(3, bfloat16)}, {}, {}, step=0)
    assert Checkpoints(tmp_path).load().arrays["w"].dtype == bfloat16

    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    assert codes(failure(Checkpoints(tmp_path).load)) == ["GS653"]


@pytest.mark.parametrize(
    ("weights", "training", "facts", "message"),
    [
        ({"w": np.array([object()])}, {}, {}, "no place for 'w', which is object"),
        ({}, {"m": np.array(["a"])}, {}, "no place for 'm'"),
        ({"w": np.ones(1)}, {"w": np.ones(1)}, {}, "'w' is among the weights and among the rest"),
        ({}, {}, {"a": object()}, "JSON has no place for a object"),
        ({}, {}, {"a": "\ud800"}, "surrogates not allowed"),
        ({}, {}, {"step": 3}, "'step' is an entry of the manifest's own"),
        ({}, {}, {"arrays": 3}, "'arrays' is an entry"),
        ({}, {}, {"a": np.ones(2)}, "JSON has no place for a ndarray"),
        ({}, {}, {"a": "x" * 2**26}, "the manifest has 67,109,"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, weights: Any, training: Any, facts: Any, message: str) -> None:
    several(tmp_path, 1)
    error = failure(Checkpoints(tmp_path).save, weights, training, facts, step=2)
    assert codes(error) == ["GS650"]
    assert message in str(error)
    assert name(2) in str(error)
    assert error.diagnostics[0].hint == f"the newest whole checkpoint is '{tmp_path / name(1)}'"
    assert sorted(os.listdir(tmp_path)) == ["latest", name(1)]
    assert check_folder(tmp_path) == 1


def test_mistakes_of_a_caller() -> None:
    for keep in (0, -1):
        with pytest.raises(ValueError, match="keep is at least 1"):
            Checkpoints(Path("x"), keep)
    with pytest.raises(ValueError, match="a step is at least 0"):
        Checkpoints(Path("x")).save({}, {}, {}, step=-1)


# -- latest, best, keep -------------------------------------------------------------------------------------------------


def test_latest_and_best(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 10, 20, 9, best=20)
    assert checkpoints.names() == [name(9), name(10), name(20)]
    assert check(checkpoints.load()) == 9
    assert check(checkpoints.load("best")) == 20
    assert check(checkpoints.load(name(10))) == 10


@pytest.mark.parametrize(
    ("keep", "best", "left"),
    [
        (None, 1, [1, 2, 3, 4, 5]),
        (1, -1, [5]),
        (1, 2, [2, 5]),
        (1, 5, [5]),
        (2, 1, [1, 4, 5]),
        (2, 4, [4, 5]),
        (3, -1, [3, 4, 5]),
        (9, -1, [1, 2, 3, 4, 5]),
    ],
)
def test_keep(tmp_path: Path, keep: int | None, best: int, left: list[int]) -> None:
    checkpoints = several(tmp_path, 1, 2, 3, 4, 5, best=best, keep=keep)
    assert checkpoints.names() == list(map(name, left))
    assert sorted(os.listdir(tmp_path)) == sorted([*map(name, left), "latest", *(["best"] if best > 0 else [])])
    assert check(checkpoints.load()) == 5


def test_what_latest_names_is_kept_where_there_are_newer_steps(tmp_path: Path) -> None:
    several(tmp_path, 100, 200, best=100)
    checkpoints = several(tmp_path, 10, keep=1)
    assert checkpoints.names() == [name(10), name(100), name(200)]
    assert check(checkpoints.load()) == 10


def test_the_best_moves(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1, 2, best=1, keep=1)
    save_step(checkpoints, 3, best=True)
    assert checkpoints.names() == [name(3)]
    assert check(checkpoints.load("best")) == 3


def test_nothing_is_removed_while_the_best_is_not_known(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1, 2, best=1, keep=1)
    (tmp_path / "best").write_text("step-000000007\n")
    save_step(checkpoints, 3)
    assert checkpoints.names() == [name(1), name(2), name(3)]
    save_step(checkpoints, 4, best=True)
    assert checkpoints.names() == [name(4)]


def test_a_step_that_is_saved_again_replaces_the_first(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1, 2, best=2)
    for value in (5.0, 6.0):
        path = checkpoints.save({"w": np.full(1, value)}, {}, {}, step=2)
        assert len(checkpoints.names()) == 2
        for which in ("latest", "best", name(2), path.name):
            found = checkpoints.load(which)
            assert (found.path, found.arrays["w"].tolist()) == (path, [value])
    assert path.name == "step-000000002.2"
    save_step(checkpoints, 10)
    assert checkpoints.names() == [name(1), path.name, name(10)]
    assert check(checkpoints.load()) == 10


def test_a_damaged_one_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1, 2)
    (tmp_path / name(2) / "manifest.json").unlink()
    save_step(checkpoints, 2)
    assert check(checkpoints.load()) == 2
    assert not (tmp_path / name(2)).exists()


def test_what_a_killed_save_left_is_removed_by_the_next(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1)
    shutil.copytree(tmp_path / name(1), tmp_path / ".graphspec-77-0.part")
    (tmp_path / ".graphspec-77-1.part").write_text("step-")
    assert checkpoints.names() == [name(1)]
    save_step(checkpoints, 2)
    assert sorted(os.listdir(tmp_path)) == ["latest", name(1), name(2)]


def test_other_files_in_the_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "step-1").mkdir()
    (tmp_path / "step-000000001x").mkdir()
    (tmp_path / "log.jsonl").write_text("{}")
    (tmp_path / name(3)).write_text("a file")
    checkpoints = several(tmp_path, 1, 2, keep=1)
    assert checkpoints.names() == [name(2)]
    assert {"step-1", "step-000000001x", "log.jsonl", name(3)} <= set(os.listdir(tmp_path))


def test_two_that_save_into_one_folder_wait_for_each_other(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def saves(first: int) -> None:
        several(tmp_path, *range(first, first + 10), keep=2)

    with ThreadPoolExecutor() as pool:
        list(pool.map(saves, (0, 100)))
    check_folder(tmp_path)


# -- what is not there --------------------------------------------------------------------------------------------------


def test_no_checkpoint(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "no" / "such"):
        checkpoints = Checkpoints(folder)
        assert checkpoints.names() == []
        assert checkpoints.is_empty
        for which in ("latest", "best", name(1)):
            assert codes(failure(checkpoints.load, which)) == ["GS651"]


@pytest.mark.parametrize(
    ("which", "hint"),
    [
        ("lastest", "did you mean 'latest'?"),
        ("step-00000002", "did you mean 'step-000000002' or 'step-000000001'?"),
        ("best", f"there are {name(1)} to {name(2)}"),
        ("../elsewhere", f"there are {name(1)} to {name(2)}"),
        ("/etc", f"there are {name(1)} to {name(2)}"),
        ("", f"there are {name(1)} to {name(2)}"),
    ],
)
def test_no_checkpoint_of_that_name(tmp_path: Path, which: str, hint: str) -> None:
    error = failure(several(tmp_path, 1, 2).load, which)
    assert codes(error) == ["GS651"]
    assert error.diagnostics[0].hint == hint


def test_reading_by_path(tmp_path: Path) -> None:
    several(tmp_path / "run", 1, 2, best=1)
    shutil.copytree(tmp_path / "run" / name(1), tmp_path / "final")
    assert check(read_checkpoint(tmp_path / "run")) == 2
    assert check(read_checkpoint(str(tmp_path / "run" / name(1)))) == 1
    assert check(read_checkpoint(tmp_path / "final")) == 1
    (tmp_path / "link").symlink_to("final")
    assert check(read_checkpoint(tmp_path / "link")) == 1
    for path, step in (
        ("run", 2),
        (f"run/{name(1)}", 1),
        ("final", 1),
        ("run/latest", 2),
        ("run/best", 1),
        (f"run/{name(2)}/weights.safetensors", 2),
    ):
        found = weights_of(tmp_path / path)
        assert found.keys() == {"w", "v"}
        assert (found["w"] == step).all()
    for path in ("rum", "final/manifest.json", "no/such/thing", f"run/{name(3)}"):
        assert codes(failure(read_checkpoint, tmp_path / path)) == ["GS651"]
    assert failure(weights_of, tmp_path / "rum").diagnostics[0].hint == "did you mean 'run'?"
    assert codes(failure(weights_of, tmp_path / "final" / "manifest.json")) == ["GS606"]
    assert codes(failure(weights_of, tmp_path)) == ["GS651"]


def test_weights_only_are_kept_but_all_is_checked(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1)
    assert checkpoints.load(weights_only=True).arrays.keys() == {"w", "v"}
    flip(tmp_path / name(1) / "training.safetensors", 3000, 1)
    assert codes(failure(weights_of, tmp_path)) == ["GS652"]


def test_latest_that_is_missing_is_the_newest_whole_one(tmp_path: Path) -> None:
    checkpoints = several(tmp_path, 1, 2, 3)
    (tmp_path / "latest").unlink()
    (tmp_path / name(3) / "weights.safetensors").unlink()
    assert check(checkpoints.load()) == 2
    for step in (1, 2):
        (tmp_path / name(step) / "manifest.json").unlink()
    assert not checkpoints.is_empty
    assert codes(failure(checkpoints.load)) == ["GS652"]


def test_a_reader_that_is_overtaken_looks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from graphspec.train import checkpoint

    checkpoints, real = several(tmp_path, 1, keep=1), checkpoint.read_stored
    steps = iter((2, 3))

    def overtaken(folder: Path, *arguments: Any) -> Any:
        for step in steps:
            save_step(checkpoints, step)
            break
        return real(folder, *arguments)

    monkeypatch.setattr(checkpoint, "read_stored", overtaken)
    assert check(checkpoints.load()) == 3


# -- damage -------------------------------------------------------------------------------------------------------------


def flip(path: Path, at: int, change: int) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= change
    path.write_bytes(content)


def damaged(folder: Path, path: Path) -> None:
    """Check that loading names a damaged file, and offers the newest other checkpoint."""
    in_folder = path.parent == folder  # latest or best
    errors = [failure(Checkpoints(folder).load, path.name if in_folder else path.parent.name)]
    errors += [] if path.name == "best" else [failure(read_checkpoint, folder)]
    for error in errors:
        assert codes(error) == ["GS652"]
        assert f"'{path}'" in error.diagnostics[0].message
        newest = folder / name(2 if in_folder else 1)
        assert error.diagnostics[0].hint == f"the newest whole checkpoint is '{newest}'"


def test_five_hundred_flipped_bytes(tmp_path: Path) -> None:
    chance = random.Random(5)
    several(tmp_path, 1, 2, best=1)
    paths = [tmp_path / name(2) / file for file in FILES] + [tmp_path / "latest", tmp_path / "best"]
    for number in range(500):
        path = paths[number % len(paths)]
        content = path.read_bytes()
        edge = chance.random() < 0.3 and len(content) > 200  # the header as often as the data
        flip(path, chance.randrange(200 if edge else len(content)), chance.randrange(1, 256))
        damaged(tmp_path, path)
        path.write_bytes(content)
    assert check_folder(tmp_path) == 2


def test_a_hundred_truncations_and_additions(tmp_path: Path) -> None:
    chance = random.Random(6)
    several(tmp_path, 1, 2, best=1)
    paths = [tmp_path / name(2) / file for file in FILES] + [tmp_path / "latest", tmp_path / "best"]
    for number in range(100):
        path = paths[number % len(paths)]
        content = path.read_bytes()
        path.write_bytes(content[: chance.choice([0, 1, len(content) - 1, chance.randrange(len(content))])])
        damaged(tmp_path, path)
        if path.parent != tmp_path:
            assert Checkpoints(tmp_path).names() == [name(1)]
        path.write_bytes(content + bytes(chance.choice([b"\0", b"\n", b" ", b"}"])))
        damaged(tmp_path, path)
        path.write_bytes(content)
    assert check_folder(tmp_path) == 2


def test_files_that_are_exchanged(tmp_path: Path) -> None:
    several(tmp_path, 1, 2)
    for file in FILES:
        content = (tmp_path / name(2) / file).read_bytes()
        (tmp_path / name(2) / file).write_bytes((tmp_path / name(1) / file).read_bytes())
        assert set(codes(failure(Checkpoints(tmp_path).load))) == {"GS652"}
        (tmp_path / name(2) / file).write_bytes(content)


def test_every_damaged_file_is_named(tmp_path: Path) -> None:
    several(tmp_path, 1, 2, 3)
    flip(tmp_path / name(3) / "weights.safetensors", -1, 1)
    (tmp_path / name(3) / "training.safetensors").unlink()
    flip(tmp_path / name(2) / "training.safetensors", -1, 1)  # of its size, so that only reading it shows
    assert Checkpoints(tmp_path).names() == [name(1), name(2)]
    error = failure(Checkpoints(tmp_path).load)
    assert [FILES[0] in str(error.diagnostics[0]), FILES[1] in str(error.diagnostics[1])] == [True, True]
    assert "SHA-256" in error.diagnostics[0].message
    assert error.diagnostics[1].message.endswith("is missing")
    assert error.diagnostics[1].hint.endswith(f"{name(1)}'")
    flip(tmp_path / name(1) / "manifest.json", 100, 1)
    assert [found.hint for found in failure(Checkpoints(tmp_path).load).diagnostics] == ["", ""]


@pytest.mark.parametrize("file", [*FILES, "latest", "best"])
def test_links_folders_and_pipes_in_place_of_files(tmp_path: Path, file: str) -> None:
    several(tmp_path / "run", 1, 2, best=2)
    which = file if file in ("latest", "best") else "latest"
    path = tmp_path / "run" / file if file in ("latest", "best") else tmp_path / "run" / name(2) / file
    path.rename(tmp_path / "moved")
    for place in (
        lambda: path.symlink_to(tmp_path / "moved"),
        lambda: path.symlink_to(tmp_path / "nothing"),
        lambda: os.mkfifo(path),
        lambda: path.mkdir(),
    ):
        place()
        error = failure(Checkpoints(tmp_path / "run").load, which)
        assert set(codes(error)) == {"GS652"}
        assert f"'{path}'" in str(error)
        path.rmdir() if path.is_dir() else path.unlink()


def test_a_folder_that_is_a_link_is_no_checkpoint(tmp_path: Path) -> None:
    several(tmp_path / "run", 1)
    several(tmp_path / "other", 2)
    (tmp_path / "run" / name(2)).symlink_to(tmp_path / "other" / name(2))
    (tmp_path / "run" / "latest").write_bytes((tmp_path / "other" / "latest").read_bytes())
    assert Checkpoints(tmp_path / "run").names() == [name(1)]
    error = failure(Checkpoints(tmp_path / "run").load)
    assert codes(error) == ["GS652"]
    assert f"names '{name(2)}', which is not there" in str(error)
    assert error.diagnostics[0].hint.endswith(f"{name(1)}'")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    several(tmp_path, 1)
    (tmp_path / name(1) / "weights.safetensors").chmod(0)
    error = failure(Checkpoints(tmp_path).load)
    assert codes(error) == ["GS653"]
    assert "Permission denied" in str(error)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    several(tmp_path, 1)
    for at in range(100):
        calls, error = Calls(failing(errno.EIO), at), None
        with calls.watching():
            try:
                check(Checkpoints(tmp_path).load())
            except CheckpointError as raised:
                error = raised
        if not calls.was_reached:
            break
        if error is not None:
            assert set(codes(error)) == {"GS653"}
            assert "Input/output error" in str(error)
    assert error is None
    assert at > 5


def forged(folder: Path, **entries: Any) -> Path:
    """Replace entries of a manifest, with a digest that fits."""
    path = folder / "manifest.json"
    manifest = read_manifest(path.read_bytes()) | entries
    lines = [
        f"{write_json(key)}: {write_json(manifest[key])}"
        for key in manifest
        if key not in ("sha256", "files", "arrays")
    ]
    files, arrays = manifest["files"], manifest["arrays"]
    content = write_manifest([line for line in lines if not line.endswith('"REMOVED"')], files, arrays)
    path.write_bytes(content)
    return folder


W, M = ({"file": file, "dtype": "float64", "shape": [2]} for file in FILES[:2])
SIZED = {"size": 1, "sha256": ""}


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        ({"format": 2}, "GS654"),
        ({"format": "1"}, "GS654"),
        ({"format": "REMOVED"}, "GS654"),
        ({"step": "REMOVED"}, "GS652"),
        ({"step": 1.0}, "GS652"),
        ({"step": True}, "GS652"),
        ({"files": {}}, "GS652"),
        ({"files": {FILES[0]: SIZED}}, "GS652"),
        ({"files": {FILES[0]: SIZED, "../../secret": SIZED}}, "GS652"),
        ({"files": {FILES[0]: SIZED, FILES[1]: 3}}, "GS652"),
        ({"files": {FILES[0]: SIZED, FILES[1]: {"size": "1", "sha256": ""}}}, "GS652"),
        ({"arrays": {}}, "GS652"),
        ({"arrays": {"w": 3}}, "GS652"),
        ({"arrays": {"w": W, "m": {**M, "file": "../x"}}}, "GS652"),
        ({"arrays": {"w": W, "m": {**M, "shape": [3]}}}, "GS652"),
        ({"arrays": {"w": W, "m": {**M, "dtype": "float32"}}}, "GS652"),
        ({"arrays": {"w": W, "m": M, "other": M}}, "GS652"),
        ({"arrays": {"w": W, "m": M}}, ""),
    ],
)
def test_manifests_that_are_forged(tmp_path: Path, entries: dict[str, Any], code: str) -> None:
    Checkpoints(tmp_path).save({"w": np.ones(2)}, {"m": np.ones(2)}, {}, step=1)
    forged(tmp_path / name(1), **entries)
    if code:
        assert set(codes(failure(Checkpoints(tmp_path).load))) == {code}
    else:
        assert Checkpoints(tmp_path).load().step == 1


def test_a_manifest_that_is_too_long_is_not_read(tmp_path: Path) -> None:
    several(tmp_path, 1)
    with open(tmp_path / name(1) / "manifest.json", "r+b") as stream:
        stream.truncate(2**40)
    assert codes(failure(Checkpoints(tmp_path).load)) == ["GS652"]


def test_the_other_format_is_named() -> None:
    content = write_manifest([*write_facts({}, 1)[1:], '"format": 7'], {}, {})
    with pytest.raises(
        ValueError, match=r"was written by graphspec .* in format 7; this is graphspec .* reads format 1"
    ):
        read_manifest(content)


# -- kills and failures -------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_kills_while_saving_leave_a_loadable_newest_checkpoint(tmp_path: Path) -> None:
    """Two hundred kills at random moments, and one after every call of a save."""
    program = Path(__file__).with_name("killed_saves.py")
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, program, tmp_path, "220"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    at_random, at_every_call = json.loads(done.stdout)
    assert at_random["kills"] == 220
    assert at_random["torn"] > 20  # so many were killed in the middle of a save
    assert at_every_call["kills"] > 150
    assert done.stderr == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO], ids=errno.errorcode.get)
@pytest.mark.parametrize("ever_after", [False, True])
def test_a_save_whichever_call_fails(tmp_path: Path, number: int, ever_after: bool) -> None:
    """What fails, once or from then on, is reported, and the checkpoints before are whole."""
    several(tmp_path / "before", 1, 2, 3, best=1, keep=2)
    made: list[str] = []
    failed: list[str] = []
    for at in range(1000):
        folder = tmp_path / "trial"
        shutil.copytree(tmp_path / "before", folder)
        calls = Calls(failing(number), at, ever_after)
        error = None
        with calls.watching():
            try:
                save_step(Checkpoints(folder, 2), 4)
            except CheckpointError as raised:
                error = raised
        latest = check_folder(folder)
        assert latest in (3, 4)
        assert check(Checkpoints(folder).load("best")) == 1
        if error is None:
            assert latest == 4
        else:
            (found,) = error.diagnostics
            assert found.code in ("GS650", "GS656")
            assert found.code != "GS656" or latest == 4
            assert os.strerror(number) in found.message or calls.made[at] == "close"  # which rmtree then tries again
            assert str(folder) in found.message
        if not calls.was_reached:
            break
        made.append(calls.made[at])
        failed += [calls.made[at]] if error is not None else []
        save_step(Checkpoints(folder, 2), 5)
        assert check_folder(folder) == 5
        assert not [item for item in os.listdir(folder) if item.endswith(".part")]
        shutil.rmtree(folder)
    assert len(made) > 40
    for call in ("mkdir", "write", "fsync", "rename", "replace", "rmdir"):
        assert made.count(call) == failed.count(call) > 0, call


def test_a_failed_save_says_what_failed(tmp_path: Path) -> None:
    several(tmp_path, 1)
    found: dict[str, str] = {}
    for at in range(1000):
        calls = Calls(failing(errno.ENOSPC), at)
        try:
            with calls.watching():
                save_step(Checkpoints(tmp_path), 2 + at)
        except CheckpointError as error:
            found[error.diagnostics[0].message] = error.diagnostics[0].hint
        if not calls.was_reached:
            break
    assert all(hint.startswith(f"the newest whole checkpoint is '{tmp_path}") for hint in found.values())
    for file in (*FILES, "latest"):
        assert any(f"cannot be saved: {file}: No space left on device" in message for message in found), file


def test_an_old_one_that_cannot_be_removed_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoints = several(tmp_path, 1, keep=1)
    real = os.rename

    def rename(source: Any, target: Any) -> None:
        if Path(source).name == name(1):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(source))
        real(source, target)

    monkeypatch.setattr(os, "rename", rename)
    error = failure(save_step, checkpoints, 2)
    assert codes(error) == ["GS656"]
    assert str(error) == (
        f"GS656 the checkpoint is saved, but '{tmp_path / name(1)}' cannot be removed: {os.strerror(errno.EACCES)}"
    )
    assert check(checkpoints.load()) == 2


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("x")
    error = failure(save_step, Checkpoints(tmp_path / "run"), 1)
    assert codes(error) == ["GS650"]
    assert failure(Checkpoints(tmp_path / "run").load).diagnostics[0].code == "GS651"


# -- weights and a spec that has changed -----------------------------------------------------------------------------------


WANTED = {
    "h.weight": TensorType("float64", (2, 3)),
    "h.bias": TensorType("float64", (3,)),
    "count": TensorType("int64", ()),
    "half": TensorType("float16", (2,)),
}


def test_weights_that_match() -> None:
    arrays = {
        "h.weight": np.ones((2, 3)),
        "h.bias": np.ones(3, np.float32),
        "count": np.array(3),
        "half": np.ones(2, "f2"),
    }
    found = matching(arrays, WANTED)
    assert found.is_complete
    assert found.complete("file") == found.matched
    assert [found.matched[key].dtype.name for key in WANTED] == [wanted.dtype for wanted in WANTED.values()]
    assert found.lines()[1] == "matches h.bias: float64[3]"


def test_weights_that_do_not_match() -> None:
    arrays = {
        "h.weight": np.ones((3, 2)),
        "h.bais": np.ones(3),
        "count": np.array(3.0),
        "half": np.ones(2),
        "v": np.ones(1),
    }
    found = matching(arrays, WANTED)
    assert not found.is_complete
    assert found.matched == {}
    assert found.missing == ("h.bias",)
    assert found.unexpected == ("h.bais", "v")
    assert found.differing["h.weight"] == (TensorType("float64", (3, 2)), TensorType("float64", (2, 3)))
    assert list(found.differing) == ["h.weight", "count", "half"]
    error = failure(found.complete, "runs/mnist")
    assert set(codes(error)) == {"GS655"}
    assert str(error).splitlines() == [
        "GS655 'h.weight' is float64[3, 2] in 'runs/mnist', and float64[2, 3] in the spec",
        "GS655 'count' is float64[] in 'runs/mnist', and int64[] in the spec",
        "GS655 'half' is float64[2] in 'runs/mnist', and float16[2] in the spec",
        "GS655 'runs/mnist' has no value for 'h.bias'",
        "  hint: did you mean 'h.bais'?",
        "GS655 the spec does not know a value of 'runs/mnist': 'h.bais'",
        "  hint: did you mean 'h.bias'?",
        "GS655 the spec does not know a value of 'runs/mnist': 'v'",
    ]


def test_some_weights_match() -> None:
    found = matching({"h.weight": np.ones((2, 3)), "x": np.ones(1)}, {"h.weight": WANTED["h.weight"]})
    assert list(found.matched) == ["h.weight"]
    assert found.lines() == ["matches h.weight: float64[2, 3]", "unknown x"]


def test_bfloat16_weights_match_only_bfloat16() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    types = {"w": TensorType("bfloat16", (2,))}
    assert matching({"w": np.ones(2, bfloat16)}, types).is_complete
    assert list(matching({"w": np.ones(2)}, types).differing) == ["w"]
