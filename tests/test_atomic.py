"""Files and folders that are whole or absent, whichever call fails."""

from __future__ import annotations

import errno
import os
import stat
import threading
from pathlib import Path

import pytest
from failing_calls import Calls, failing

from graphspec.atomic import (
    locked,
    make_folder,
    remove_parts,
    remove_whole,
    whole_folder,
    write_synced,
    write_whole,
)

NUMBERS = [errno.ENOSPC, errno.EACCES, errno.EIO]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    target = tmp_path / "f"
    write_whole(target, [b"one", memoryview(b" two")])
    assert target.read_bytes() == b"one two"
    target.chmod(0o640)
    write_whole(str(target), [])
    assert target.read_bytes() == b""
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert names(tmp_path) == ["f"]


def test_a_new_file_has_the_mode_that_any_has(tmp_path: Path) -> None:
    write_whole(tmp_path / "ours", [b""])
    (tmp_path / "usual").write_bytes(b"")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_file_that_exists_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "f"
    write_whole(target, [b"one"], overwrite=False)
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    for path in (target, tmp_path / "dangling", tmp_path):
        with pytest.raises(FileExistsError):
            write_whole(path, [b"two"], overwrite=False)
    assert target.read_bytes() == b"one"
    assert names(tmp_path) == ["dangling", "f"]


def test_a_file_system_without_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def link(*arguments: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", link)
    write_whole(tmp_path / "f", [b"one"], overwrite=False)
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "f", [b"two"], overwrite=False)
    assert (tmp_path / "f").read_bytes() == b"one"
    assert names(tmp_path) == ["f"]


def test_links_and_devices(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "there" / "f")
    write_whole(tmp_path / "link", [b"one"])
    write_whole(tmp_path / "link", [b"two"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "f").read_bytes() == b"two"
    write_whole(tmp_path / "link", [b"three"], through_links=False)
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "there" / "f").read_bytes() == b"two"
    write_whole(os.devnull, [b"x"])
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "there", [b"x"])
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "no" / "f", [b"x"])
    if os.path.exists("/dev/full"):
        with pytest.raises(OSError, match="No space left"):
            write_whole("/dev/full", [b"x"])


def test_short_writes_are_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: real(descriptor, bytes(data)[:3]))
    write_whole(tmp_path / "f", [b"0123456789", b"", b"abcd"])
    assert (tmp_path / "f").read_bytes() == b"0123456789abcd"


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
@pytest.mark.parametrize("ever_after", [False, True])
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_file_whichever_call_fails(tmp_path: Path, number: int, ever_after: bool, overwrite: bool) -> None:
    for at in range(100):
        folder = tmp_path / str(at)
        folder.mkdir()
        target, old = folder / "f", b"old" if overwrite else None
        if old is not None:
            target.write_bytes(old)
        calls = Calls(failing(number), at, ever_after)
        error = None
        try:
            with calls.watching():
                write_whole(target, [b"new", b" content"], overwrite)
        except OSError as raised:
            error = raised
        found = target.read_bytes() if target.exists() else None
        assert found in (old, b"new content")
        if error is None:
            assert found == b"new content"
        else:
            assert error.errno == number
            assert error.filename in (str(target), str(folder))
        if not ever_after:
            assert set(names(folder)) <= {"f"} or calls.made[at] == "unlink"
        if not calls.was_reached:
            break
        if calls.made[at] in ("open", "write", "fsync", "close", "replace"):
            assert error is not None
    assert at > 5


@pytest.mark.parametrize("number", NUMBERS, ids=errno.errorcode.get)
def test_a_folder_whichever_call_fails(tmp_path: Path, number: int) -> None:
    for at in range(100):
        folder = tmp_path / str(at)
        calls = Calls(failing(number), at)
        error = None
        try:
            with calls.watching():
                make_folder(folder / "a" / "b")
                with whole_folder(folder / "a" / "b" / "target") as part:
                    write_synced(part / "f", [b"one"])
                    write_synced(part / "g", [b"two"])
        except OSError as raised:
            error = raised
        target = folder / "a" / "b" / "target"
        if target.exists():
            assert names(target) == ["f", "g"]
        assert (error is None) == (not calls.was_reached)
        assert error is None or (error.errno == number and error.filename)
        if error is None:
            break
        assert not (folder / "a" / "b").exists() or set(names(folder / "a" / "b")) <= {"target"}
    assert at > 15


def test_what_is_renamed_is_on_the_disk(tmp_path: Path) -> None:
    with Calls(failing(0), None).watching() as calls, whole_folder(tmp_path / "target") as part:
        write_synced(part / "f", [b"one"])
        write_synced(part / "g", [b"two"])
    wanted = [
        "mkdir",
        *["open", "write", "fsync", "close"] * 2,
        "open",
        "fsync",
        "close",
        "rename",
        "open",
        "fsync",
        "close",
    ]
    assert calls.made == wanted
    with Calls(failing(0), None).watching() as calls:
        write_whole(tmp_path / "f", [b"one"])
    assert calls.made == ["open", "write", "fsync", "close", "replace", "open", "fsync", "close"]


def test_a_block_that_raises_leaves_no_folder(tmp_path: Path) -> None:
    def interrupted() -> None:
        with whole_folder(tmp_path / "target") as part:
            write_synced(part / "f", [b"one"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert names(tmp_path) == []


def test_removing(tmp_path: Path) -> None:
    for name in ("target", "other"):
        (tmp_path / name / "inner").mkdir(parents=True)
        (tmp_path / name / "f").write_bytes(b"x")
    remove_whole(tmp_path / "target")
    assert names(tmp_path) == ["other"]
    (tmp_path / "other").rename(tmp_path / ".graphspec-1-2.part")
    (tmp_path / ".graphspec-3-4.part").write_bytes(b"x")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "f").write_bytes(b"x")
    (tmp_path / ".graphspec-5-6.part").symlink_to(tmp_path / "kept")
    for name in ("f.part", ".graphspec-1-2.part.txt", ".graphspec-a-2.part"):
        (tmp_path / name).write_bytes(b"x")
    remove_parts(tmp_path)
    assert names(tmp_path) == [".graphspec-1-2.part.txt", ".graphspec-a-2.part", "f.part", "kept"]
    assert names(tmp_path / "kept") == ["f"]
    remove_parts(tmp_path / "nothing")


def test_one_block_at_a_time_for_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    order: list[str] = []

    def second() -> None:
        with locked(tmp_path):
            order.append("second")

    with locked(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]
