"""A folder of checkpoints: one folder each, and two small files, `latest` and `best`, that name one.

What is named is always there: a checkpoint is whole before it is named, and is removed only when it is not. The one
that replaces another of the same step gets a name of its own, such as ``step-000000120.1``.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.atomic import locked, make_folder, remove_parts, remove_whole, write_whole
from graphspec.errors import CheckpointError, did_you_mean, problem
from graphspec.train.manifest import MANIFEST, TRAINING, WEIGHTS
from graphspec.train.stored import Checkpoint, looks_whole, opened, read_stored, write_stored
from graphspec.weights import read_safetensors

__all__ = ["Checkpoint", "Checkpoints", "read_checkpoint", "weights_of"]

_NAME = re.compile(r"step-([0-9]{9,18})(?:\.([0-9]{1,9}))?")
_POINTERS = ("latest", "best")
_BOTH = (WEIGHTS, TRAINING)


class Checkpoints:
    """The checkpoints in a folder, which need not exist before the first is saved.

    Args:
        folder: where they are.
        keep: how many of the newest to keep, besides those that `latest` and `best` name; default: all.

    Example:
        >>> import tempfile
        >>> checkpoints = Checkpoints(Path(tempfile.mkdtemp()) / "run", keep=2)
        >>> for step in (10, 20, 30):
        ...     weights, facts = {"w": np.full(2, 1 / step)}, {"epoch": step // 10}
        ...     path = checkpoints.save(weights, {}, facts, step=step, best=step == 10)
        >>> checkpoints.names()
        ['step-000000010', 'step-000000020', 'step-000000030']
        >>> checkpoints.load().facts, checkpoints.load("best").arrays["w"]
        ({'epoch': 3}, array([0.1, 0.1]))
    """

    def __init__(self, folder: str | os.PathLike[str], keep: int | None = None):
        if keep is not None and keep < 1:
            raise ValueError(f"keep is at least 1, given {keep}")
        self.folder, self.keep = Path(folder), keep

    def save(
        self,
        weights: Mapping[str, np.ndarray],
        training: Mapping[str, np.ndarray],
        facts: Mapping[str, Any],
        *,
        step: int,
        best: bool = False,
    ) -> Path:
        """Save a checkpoint, call it `latest` (and `best`), remove what `keep` does not keep; return its folder.

        One of the same step is replaced, and `best` with it.

        Args:
            weights: what a prediction needs: parameters, the document's state, statistics of the data.
            training: what else the training needs to go on, such as the optimizer's state; under other names.
            facts: what else to remember, as JSON; numbers come back exactly. ``spec`` is the spec's text, to which
                its SHA-256 is added.
            step: how many steps have been made.
            best: whether it is the best so far.

        Raises:
            CheckpointError: GS650, it cannot be saved, and those before it are whole; GS656, it is saved, and an
                older one cannot be removed.
        """
        if step < 0:
            raise ValueError(f"a step is at least 0, given {step}")
        path = self.folder / f"step-{step:09d}"
        with self._saving(path):
            make_folder(self.folder)
            with locked(self.folder):
                remove_parts(self.folder)
                replaced = [name for name in self._listed() if _order(name)[0] == step]
                if replaced:
                    path = self.folder / f"step-{step:09d}.{_order(replaced[-1])[1] + 1}"
                write_stored(path, weights, training, facts, step)
                if best or self._told("best") in replaced:
                    self._tell("best", path.name)
                self._tell("latest", path.name)
                self._prune(replaced)
        return path

    def load(self, which: str = "latest", *, weights_only: bool = False) -> Checkpoint:
        """Read a checkpoint: "latest", "best", or one by its name.

        Raises:
            CheckpointError: GS651, there is none; GS652, it is damaged, and the hint names the newest whole one;
                GS653, it cannot be read; GS654, it is of another format.
        """
        for last in [False] * 9 + [True]:  # a training that goes on may remove a checkpoint while it is read
            name = self._find(which)
            try:
                return read_stored(self.folder / name, (WEIGHTS,) if weights_only else _BOTH)
            except CheckpointError as error:
                if last or which not in _POINTERS or self._told(which) in (name, None):
                    raise self._offering(error, name) from None
        raise AssertionError  # the last turn returns or raises

    @property
    def is_empty(self) -> bool:
        """Whether there is no checkpoint at all, whole or damaged."""
        return not self._all()

    @property
    def has_best(self) -> bool:
        """Whether a checkpoint was called the best."""
        return os.path.lexists(self.folder / "best")

    def names(self) -> list[str]:
        """Return the whole ones, by their steps; files are there and of their sizes, their bytes are not read."""
        return self._whole(self._all())

    def _all(self) -> list[str]:
        """Return the names of all, whole or not."""
        try:
            return self._listed()
        except OSError as error:
            raise CheckpointError(problem("GS653", f"'{self.folder}' cannot be read: {error.strerror}")) from None

    def _listed(self) -> list[str]:
        try:
            with os.scandir(self.folder) as entries:
                found = [entry.name for entry in entries if _NAME.fullmatch(entry.name) and _is_folder(entry)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        return sorted(found, key=_order)

    def _whole(self, names: list[str]) -> list[str]:
        return [name for name in names if looks_whole(self.folder / name)]

    def _find(self, which: str) -> str:
        """Return the name of a checkpoint that is there."""
        there = self._all()
        name: str | None = which
        if which in _POINTERS:
            try:
                name = self._pointed(which)
            except CheckpointError as error:
                raise self._offering(error, "") from None
            if name is None and which == "latest":  # a first save that was killed before its last step
                name = next(iter(reversed(self.names() or there)), None)
            elif name is not None and name not in there and _latest_of(name, there) is None:
                message = f"'{self.folder / which}' names '{name}', which is not there"
                raise self._offering(CheckpointError(problem("GS652", message)), name)
        found = name if name in there else _latest_of(name, there)
        if found is None:
            raise CheckpointError(problem("GS651", self._none(which), hint=self._hint(which, there)))
        return found

    def _none(self, which: str) -> str:
        if which in _POINTERS and not self._all():
            return f"there is no checkpoint in '{self.folder}'"
        return f"'{self.folder}' has no checkpoint '{which}'"

    def _hint(self, which: str, there: list[str]) -> str:
        hint = did_you_mean(which, [name for name in (*_POINTERS, *there) if name != which])
        return hint or (f"there are {there[0]} to {there[-1]}" if len(there) > 1 else "".join(there))

    def _pointed(self, pointer: str) -> str | None:
        """Return what `latest` or `best` names, None where it is not there.

        Raises:
            CheckpointError: it is damaged, or cannot be read.
        """
        path = self.folder / pointer
        if not os.path.lexists(path):
            return None
        with opened(path) as (stream, _):
            content = stream.read(1000)
        name = content.split(b"\n")[0].decode("ascii", "replace")
        if _NAME.fullmatch(name) is None or content != _pointer_text(name):
            raise CheckpointError(problem("GS652", f"'{path}' was changed: it does not name a checkpoint"))
        return name

    def _told(self, pointer: str) -> str | None:
        """Return what `latest` or `best` names, None where it is damaged too."""
        try:
            return self._pointed(pointer)
        except CheckpointError:
            return None

    def _tell(self, pointer: str, name: str) -> None:
        write_whole(self.folder / pointer, [_pointer_text(name)], through_links=False)

    def _prune(self, replaced: list[str]) -> None:
        """Remove the checkpoints of the same step as the new one, and the oldest where there are more than `keep`."""
        named = [self._told(pointer) for pointer in _POINTERS if os.path.lexists(self.folder / pointer)]
        if None in named:
            return  # any of them may be the best
        name = ""
        try:
            others = [name for name in self._listed() if name not in replaced] if self.keep else []
            for name in [*replaced, *self._whole(others)[: -(self.keep or 1)]]:
                if name not in named:
                    remove_whole(self.folder / name)
        except OSError as error:
            message = f"the checkpoint is saved, but '{self.folder / name}' cannot be removed: {error.strerror}"
            raise CheckpointError(problem("GS656", message)) from None

    @contextmanager
    def _saving(self, path: Path) -> Iterator[None]:
        """Turn what goes wrong into an error that names the file and the checkpoint to go on from."""
        try:
            yield
        except (OSError, TypeError, ValueError) as error:
            reason = str(error)
            if isinstance(error, OSError):
                name = os.path.basename(os.fsdecode(error.filename or ""))
                reason = f"{name}: {error.strerror}" if name and not name.endswith(".part") else str(error.strerror)
            last = self._told("latest")
            hint = f"the newest whole checkpoint is '{self.folder / last}'" if last else ""
            raise CheckpointError(problem("GS650", f"'{path}' cannot be saved: {reason}", hint=hint)) from None

    def _offering(self, error: CheckpointError, damaged: str) -> CheckpointError:
        """Return an error about damage with the newest whole checkpoint as its hint, every byte of it checked."""
        if any(found.code != "GS652" for found in error.diagnostics) or any(found.hint for found in error.diagnostics):
            return error
        for name in reversed(self._all()):
            if name != damaged:
                try:
                    read_stored(self.folder / name, ())
                except CheckpointError:
                    continue
                hint = f"the newest whole checkpoint is '{self.folder / name}'"
                *others, last = error.diagnostics
                return CheckpointError([*others, replace(last, hint=hint)])
        return error


def read_checkpoint(path: str | os.PathLike[str], *, weights_only: bool = False) -> Checkpoint:
    """Read a checkpoint: its folder, a folder of checkpoints, of which the latest is read, or its `latest` or `best`.

    Raises:
        CheckpointError: there is none, or it is damaged, cannot be read, or is of another format.
    """
    path = Path(path)
    if (path.name in _POINTERS and path.is_file()) or (_NAME.fullmatch(path.name) and path.is_dir()):
        return Checkpoints(path.parent).load(path.name, weights_only=weights_only)
    if any(os.path.lexists(path / file) for file in (MANIFEST, *_BOTH)):
        return read_stored(path, (WEIGHTS,) if weights_only else _BOTH)
    if path.is_dir():
        return Checkpoints(path).load(weights_only=weights_only)
    if path.exists():
        raise CheckpointError(problem("GS651", f"'{path}' is a file, not a checkpoint's folder"))
    near = os.listdir(path.parent) if path.parent.is_dir() else []
    raise CheckpointError(problem("GS651", f"there is no checkpoint '{path}'", hint=did_you_mean(path.name, near)))


def weights_of(path: str | os.PathLike[str]) -> dict[str, np.ndarray]:
    """Read weights: of a safetensors file, a checkpoint, or the latest in a folder of checkpoints.

    Raises:
        CheckpointError: there are none, or they are damaged or cannot be read.
    """
    if os.path.isfile(path) and Path(path).name not in _POINTERS:
        return read_safetensors(Path(path), os.fspath(path))
    return read_checkpoint(path, weights_only=True).weights


def _order(name: str) -> tuple[int, int]:
    found = _NAME.fullmatch(name)
    return (int(found[1]), int(found[2] or 0)) if found else (-1, 0)


def _latest_of(name: str | None, there: list[str]) -> str | None:
    """Return the checkpoint that replaced one of the same step."""
    match = _NAME.fullmatch(name or "")
    if match is None or match[2]:
        return None
    return next((other for other in reversed(there) if _order(other)[0] == int(match[1])), None)


def _pointer_text(name: str) -> bytes:
    """Return the content of `latest` or `best`: the name, and a digest of it, so that a change shows."""
    return f"{name}\n{hashlib.sha256(name.encode()).hexdigest()}\n".encode()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return entry.is_dir(follow_symlinks=False)
