"""One checkpoint on the disk: writing its folder, and reading it with every byte checked."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from graphspec.atomic import whole_folder, write_synced
from graphspec.errors import CheckpointError, Diagnostic, problem
from graphspec.exact_json import LIMIT
from graphspec.tensors_file import MissingPackage, TensorsFileError, read_tensors, tensor_chunks
from graphspec.train.manifest import (
    MANIFEST,
    OWN,
    TRAINING,
    WEIGHTS,
    ManifestError,
    OtherFormat,
    array_facts,
    file_facts,
    read_manifest,
    write_facts,
    write_manifest,
)

_OPEN = os.O_RDONLY
for _flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"):  # no link, no waiting for a pipe; as far as the system has them
    _OPEN |= getattr(os, _flag, 0)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A checkpoint that was read whole.

    ``arrays`` has what was asked for when it was read, by default everything; they belong to the caller.
    """

    path: Path
    manifest: Mapping[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def step(self) -> int:
        """How many steps had been made."""
        return int(self.manifest["step"])

    @property
    def facts(self) -> dict[str, Any]:
        """What the trainer said of itself when it saved."""
        return {name: value for name, value in self.manifest.items() if name not in OWN}

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The arrays that a prediction needs: parameters, the document's state, statistics of the data."""
        told = self.manifest["arrays"]
        return {name: array for name, array in self.arrays.items() if told[name]["file"] == WEIGHTS}


def write_stored(
    target: Path,
    weights: Mapping[str, np.ndarray],
    training: Mapping[str, np.ndarray],
    facts: Mapping[str, Any],
    step: int,
) -> None:
    """Write the folder of a checkpoint; it is there when all of it is on the disk, or not at all.

    Raises:
        OSError: the system refuses.
        TypeError, ValueError: a fact or an array that cannot be saved.
    """
    lines = write_facts(facts, step)
    both = weights.keys() & training.keys()
    if both:
        raise ValueError(f"'{min(both)}' is among the weights and among the rest of the training")
    parts = {WEIGHTS: weights, TRAINING: training}
    told = {name: array_facts(file, array) for file, part in parts.items() for name, array in part.items()}
    with whole_folder(target) as folder:
        files = {}
        for file, part in parts.items():
            seen = _Seen()
            write_synced(folder / file, seen.passing(tensor_chunks(part)))
            files[file] = file_facts(seen.size, seen.digest.hexdigest())
        write_synced(folder / MANIFEST, [write_manifest(lines, files, told)])


def read_stored(folder: Path, wanted: Collection[str] = (WEIGHTS, TRAINING)) -> Checkpoint:
    """Read a checkpoint; all files are checked, and the arrays of the ``wanted`` ones kept.

    Raises:
        CheckpointError: everything that is damaged; or it cannot be read, or is of another format.
    """
    manifest = stored_manifest(folder)
    arrays: dict[str, np.ndarray] = {}
    problems: list[Diagnostic] = []
    for file, facts in manifest["files"].items():
        try:
            found = _read_file(folder / file, facts)
            _compare(folder / file, found, manifest["arrays"])
            arrays |= found if file in wanted else {}
        except CheckpointError as error:
            problems += error.diagnostics
    if problems:
        raise CheckpointError(problems)
    return Checkpoint(folder, MappingProxyType(manifest), arrays)


def stored_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of a checkpoint and check it.

    Raises:
        CheckpointError: it is missing, damaged, cannot be read, or is of another format.
    """
    path = folder / MANIFEST
    with opened(path) as (stream, size):
        if size > LIMIT:
            raise _damaged(path, f"has {size:,} bytes (limit: {LIMIT:,})")
        content = stream.read(LIMIT + 1)
    try:
        return read_manifest(content)
    except OtherFormat as error:
        raise CheckpointError(problem("GS654", f"'{path}' {error}")) from None
    except ManifestError as error:
        raise _damaged(path, str(error)) from None


def looks_whole(folder: Path) -> bool:
    """Tell whether a checkpoint has a whole manifest and files of the right sizes; their bytes are not read."""
    try:
        manifest = stored_manifest(folder)
        for file, facts in manifest["files"].items():
            with opened(folder / file) as (_, size):
                if size != facts["size"]:
                    return False
    except CheckpointError:
        return False
    return True


@contextmanager
def opened(path: Path) -> Iterator[tuple[BufferedReader, int]]:
    """Open a file of a checkpoint and give its size.

    Raises:
        CheckpointError: GS652, it is missing or no ordinary file; GS653, it cannot be read.
    """
    try:
        with open(path, "rb", opener=lambda name, _: os.open(name, _OPEN)) as stream:
            status = os.fstat(stream.fileno())
            if path.is_symlink() or not stat.S_ISREG(status.st_mode):
                raise _damaged(path, "is not an ordinary file")
            yield stream, status.st_size
    except OSError as error:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise _damaged(path, "is missing") from None
        if error.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            what = "a link" if error.errno == errno.ELOOP else "not an ordinary file"
            raise _damaged(path, f"is {what}") from None
        raise CheckpointError(problem("GS653", f"'{path}' cannot be read: {error.strerror}")) from None


class _Seen:
    """Counts and digests the bytes that pass by."""

    def __init__(self, stream: BufferedReader | None = None):
        self.stream, self.size, self.digest = stream, 0, hashlib.sha256()

    def passing(self, chunks: Iterable[bytes | memoryview]) -> Iterator[bytes | memoryview]:
        for chunk in chunks:
            self._see(chunk)
            yield chunk

    def read(self, count: int, /) -> bytes:
        content = self.stream.read(count) if self.stream is not None else b""
        self._see(content)
        return content

    def _see(self, chunk: bytes | memoryview) -> None:
        self.size += len(chunk)
        self.digest.update(chunk)


def _read_file(path: Path, facts: Mapping[str, Any]) -> dict[str, np.ndarray]:
    with opened(path) as (stream, size):
        if size != facts["size"]:
            raise _damaged(path, f"has {size:,} bytes, and {facts['size']:,} were written")
        seen = _Seen(stream)
        try:
            arrays = read_tensors(seen, size)
        except MissingPackage as error:
            raise CheckpointError(problem("GS653", f"'{path}' cannot be read: {error}")) from None
        except TensorsFileError as error:
            raise _damaged(path, f"is not what was written: {error}") from None
        if seen.digest.hexdigest() != facts["sha256"]:
            raise _damaged(path, "is not what was written: its SHA-256 is not the manifest's")
        return arrays


def _compare(path: Path, found: Mapping[str, np.ndarray], told: Mapping[str, Any]) -> None:
    """Compare the arrays of a file with what the manifest says of them; only a forged one says something else."""
    facts = {name: array_facts(path.name, array) for name, array in found.items()}
    if facts != {name: entry for name, entry in told.items() if entry["file"] == path.name}:
        raise _damaged(path, "has not the arrays that the manifest lists")


def _damaged(path: Path, message: str) -> CheckpointError:
    return CheckpointError(problem("GS652", f"'{path}' {message}"))
