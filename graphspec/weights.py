"""The values of parameters and state: what was assigned or loaded, else their first values."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.atomic import write_whole
from graphspec.errors import CheckpointError, Diagnostic, FeedError, Location, did_you_mean, problem
from graphspec.feeds import convert
from graphspec.loader import inside
from graphspec.model import Model
from graphspec.parameter import Parameter
from graphspec.tensors_file import TensorsFileError, read_tensors, tensor_chunks
from graphspec.types import TensorType


class Parameters(MutableMapping[str, np.ndarray]):
    """Arrays by path. Reading gives a copy; assigning checks shape and dtype; nothing can be removed."""

    def __init__(self, model: Model, assigned: dict[str, np.ndarray] | None = None, role: str | None = None):
        self._model, self._role = model, role
        self._assigned: dict[str, np.ndarray] = {} if assigned is None else assigned
        self._first: dict[tuple[str, int], np.ndarray] = {}

    def of_role(self, role: str) -> Parameters:
        """Return the view of the parameters ("parameter") or of the state ("state")."""
        view = Parameters(self._model, self._assigned, role)
        view._first = self._first
        return view

    def for_model(self, model: Model) -> Parameters:
        """Return the same values for a program derived from this one; later assignments stay apart."""
        return Parameters(model, dict(self._assigned))

    def _known(self) -> dict[str, Parameter]:
        known = self._model.parameters
        return known if self._role is None else {path: item for path, item in known.items() if item.role == self._role}

    def value(self, parameter: Parameter, seed: int, values: Mapping[str, np.ndarray] | None = None) -> np.ndarray:
        """Return the value of a parameter in a run with ``seed``; ``values`` replaces what is assigned now."""
        found = (self._assigned if values is None else values).get(parameter.path)
        if found is not None:
            return found
        key = (parameter.path, 0 if parameter.init is None else seed)
        if key not in self._first:
            self._first[key] = self._from_file(parameter) if parameter.file else parameter.first_value(seed)
        return self._first[key]

    def types(self) -> dict[str, TensorType]:
        """Return the type of every value by path."""
        return {path: item.type for path, item in self._known().items()}

    def snapshot(self) -> dict[str, np.ndarray]:
        """Return what is assigned now; arrays are replaced, never written into."""
        return dict(self._assigned)

    def __getitem__(self, path: str) -> np.ndarray:
        known = self._known()
        if path not in known:
            raise KeyError(path)
        return np.array(self.value(known[path], 0))

    def __setitem__(self, path: str, value: Any) -> None:
        known = self._known()
        if path not in known:
            hint = did_you_mean(path, known)
            raise FeedError(problem("GS601", f"no parameter is called '{path}'", hint=hint))
        self._assigned[path] = _fitted(known[path], value)

    def assign(self, values: Mapping[str, np.ndarray]) -> None:
        """Set several values together: all of them, or none where one does not fit.

        Raises:
            FeedError: an unknown path, or a shape or dtype that does not fit.
        """
        fitted = Parameters(self._model, {}, self._role)
        for path, value in values.items():
            fitted[path] = value
        self._assigned.update(fitted._assigned)

    def __delitem__(self, path: str) -> None:
        raise TypeError("a parameter cannot be removed")

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())

    def __repr__(self) -> str:
        rows = [f"{path}: {item.type}" for path, item in self._known().items()]
        return f"Parameters({', '.join(rows)})"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write every value to a safetensors file, which is whole or, if it fails, as it was before.

        Raises:
            CheckpointError: the file cannot be written.
        """
        try:
            write_whole(path, tensor_chunks(self))
        except (OSError, TensorsFileError) as error:
            reason = error.strerror if isinstance(error, OSError) else error
            raise CheckpointError(problem("GS606", f"'{os.fspath(path)}' cannot be written: {reason}")) from None

    def load(self, path: str | os.PathLike[str]) -> None:
        """Read every value from a safetensors file; names, shapes and dtypes must be those of the spec.

        Raises:
            CheckpointError: the file cannot be read or does not fit; nothing is changed then.
        """
        found = read_safetensors(Path(path), str(path))
        known = self._known()
        wrong: list[Diagnostic] = [
            problem("GS606", f"'{path}' has no value for '{name}'", hint=did_you_mean(name, found))
            for name in known
            if name not in found
        ]
        wrong += [
            problem(
                "GS606", f"'{path}' has a value '{name}', which the spec does not know", hint=did_you_mean(name, known)
            )
            for name in found
            if name not in known
        ]
        fitted = {}
        for name in known:
            if name in found:
                try:
                    fitted[name] = _fitted(known[name], found[name])
                except FeedError as error:
                    wrong += error.diagnostics
        if wrong:
            raise CheckpointError(wrong)
        self._assigned.update(fitted)

    def _from_file(self, parameter: Parameter) -> np.ndarray:
        """Return the value that `file:` names; loading the spec has checked that the file is inside its folder."""
        file, where = parameter.file or "", parameter.origin.location
        folder = self._model.function.root.folder
        target = None if folder is None else inside(folder, folder, file)
        if target is None:  # a link was put there since
            raise CheckpointError(problem("GS112", f"'{file}' is outside the spec's folder", where))
        found = read_safetensors(target, file, where)
        key = parameter.key or parameter.path
        if key not in found:
            raise CheckpointError(
                problem("GS606", f"'{file}' has no value '{key}'", where, hint=did_you_mean(key, found))
            )
        try:
            return _fitted(parameter, found[key])
        except FeedError as error:
            raise CheckpointError([replace(wrong, where=where) for wrong in error.diagnostics]) from None


def _fitted(parameter: Parameter, value: Any) -> np.ndarray:
    """Return a value in the type of a parameter.

    Raises:
        FeedError: its shape or dtype does not fit.
    """
    try:
        array = convert(value, parameter.type.dtype)
    except (TypeError, ValueError, OverflowError) as error:
        raise FeedError(problem("GS603", f"'{parameter.path}' is {parameter.type}: {error}")) from None
    if array.shape != parameter.shape:
        found = f"{array.dtype}{list(array.shape)}"
        raise FeedError(problem("GS604", f"'{parameter.path}' is {parameter.type}, given {found}"))
    return array


def read_safetensors(path: Path, shown: str, where: Location | None = None) -> dict[str, np.ndarray]:
    """Read a safetensors file; ``where`` is what names it in a spec.

    Raises:
        CheckpointError: it is missing, or not such a file.
    """
    try:
        with open(path, "rb") as stream:
            return read_tensors(stream, os.fstat(stream.fileno()).st_size)
    except OSError as error:
        raise CheckpointError(problem("GS606", f"'{shown}' cannot be read: {error.strerror}", where)) from None
    except TensorsFileError as error:
        raise CheckpointError(problem("GS606", f"'{shown}' is not a safetensors file: {error}", where)) from None
