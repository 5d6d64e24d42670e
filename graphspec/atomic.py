"""Files and folders that are whole or absent, whatever happens while they are written.

Each is written beside its place under the name of a part, synced to the disk and renamed; the folder that holds the
name is synced too. What a process that was killed leaves behind is such parts, which nothing reads.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
import shutil
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

T = TypeVar("T")

_PART = re.compile(r"\.graphspec-\d+-\d+\.part")
_NUMBERS = itertools.count()
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def write_whole(
    path: str | os.PathLike[str],
    chunks: Iterable[bytes | memoryview],
    overwrite: bool = True,
    through_links: bool = True,
) -> None:
    """Write a file. One that exists keeps its mode; a device or a pipe is written into, and so is what a link names.

    Raises:
        FileExistsError: it exists, and may not be overwritten.
        OSError: it cannot be written; what was there before is whole.
    """
    before = _status(path) if overwrite and through_links else None
    if before is not None and not stat.S_ISREG(before.st_mode):
        with open(path, "wb") as stream:
            stream.writelines(chunks)
        return
    target = Path(os.path.realpath(path) if overwrite and through_links else path)
    with _named(target, instead=True):
        part, descriptor = _create(target, lambda part: os.open(part, _NEW, 0o666))
        try:
            _fill(descriptor, target, chunks)
            if before is not None:
                os.chmod(part, stat.S_IMODE(before.st_mode))
            if overwrite:
                os.replace(part, target)
            else:
                _place(part, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(part)
            raise
    sync_folder(target.parent)


def write_synced(path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    """Write a new file of a folder that is a part itself.

    Raises:
        OSError: it cannot be written.
    """
    _fill(os.open(path, _NEW, 0o666), path, chunks)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """Give a new folder to fill; at the end of the block it becomes ``target``, which must not exist.

    Raises:
        OSError: it cannot be made; there is no ``target`` then.
    """
    part, _ = _create(target, os.mkdir)
    try:
        yield part
        sync_folder(part)
        os.rename(part, target)
    except BaseException:
        with suppress(OSError):
            _delete(part)
        raise
    sync_folder(target.parent)


def remove_whole(path: Path) -> None:
    """Remove a folder with what is in it; at no moment is there half of it.

    Raises:
        OSError: it cannot be removed.
    """
    part, _ = _create(path, lambda part: os.rename(path, part))
    _delete(part)


def remove_parts(folder: Path) -> None:
    """Remove what processes that were killed have left in a folder, as far as that is possible."""
    with suppress(OSError):
        for name in os.listdir(folder):
            if _PART.fullmatch(name):
                with suppress(OSError):
                    _delete(folder / name)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, where they are missing.

    Raises:
        OSError: one of them cannot be made.
    """
    if path.is_dir():
        return
    make_folder(path.parent)
    with suppress(FileExistsError):  # another process was faster
        os.mkdir(path)
    sync_folder(path.parent)


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Wait until no other process is in such a block for this folder; the system opens the lock of one that dies.

    Raises:
        OSError: there is no such folder.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk.

    Raises:
        OSError: the disk reports an error.
    """
    if os.name == "nt":  # which cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    with _named(path):
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # a file system that does not sync folders
                raise
        finally:
            os.close(descriptor)


def _create(target: Path, make: Callable[[Path], T]) -> tuple[Path, T]:
    """Make a part beside ``target``; a killed process of the same number may have left one of the same name."""
    while True:
        part = target.with_name(f".graphspec-{os.getpid()}-{next(_NUMBERS)}.part")
        if not os.path.lexists(part):
            return part, make(part)


def _fill(descriptor: int, path: Path, chunks: Iterable[bytes | memoryview]) -> None:
    with _named(path):
        try:
            for chunk in chunks:
                rest = memoryview(chunk)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def _named(path: Path, instead: bool = False) -> Iterator[None]:
    """Name the file in an error of a call that knows only its descriptor, or a part ``instead`` of the file."""
    try:
        yield
    except OSError as error:
        if instead or error.filename is None:
            error.filename = os.fspath(path)
        raise


def _place(part: Path, target: Path) -> None:
    """Give a part its name unless there is something of that name."""
    try:
        os.link(part, target)
    except OSError:
        if os.path.lexists(target):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), os.fspath(target)) from None
        os.rename(part, target)  # a file system without links
    else:
        os.unlink(part)


def _status(path: str | os.PathLike[str]) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        os.unlink(path)
