"""Weights and a spec that may have changed since: which of them fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from graphspec.errors import CheckpointError, Diagnostic, did_you_mean, problem
from graphspec.feeds import convert
from graphspec.types import TensorType

_HINTS = 20  # comparing every name with every other takes time


@dataclass(frozen=True, eq=False)
class Matching:
    """Arrays by name beside the types that a spec declares.

    ``matched`` has the dtypes of the spec; ``missing`` are names that only the spec has, ``unexpected`` those that
    only the file has, and ``differing`` gives for a name that both have what was found and what is wanted.
    """

    matched: dict[str, np.ndarray]
    missing: tuple[str, ...]
    unexpected: tuple[str, ...]
    differing: dict[str, tuple[TensorType, TensorType]]

    @property
    def is_complete(self) -> bool:
        """Whether everything fits, and nothing is left over."""
        return not (self.missing or self.unexpected or self.differing)

    def complete(self, shown: str) -> dict[str, np.ndarray]:
        """Return the arrays, all of which must fit; ``shown`` is what they were read from.

        Raises:
            CheckpointError: GS655, every difference.
        """
        if not self.is_complete:
            raise CheckpointError(list(self._differences(shown)))
        return self.matched

    def lines(self) -> list[str]:
        """Return what matched and what did not, a line each: what `--partial` shows.

        Example:
            >>> found = matching({"w": np.zeros(3), "c": np.ones(2)}, {"w": TensorType("float64", (4,))})
            >>> print(*found.lines(), sep="\\n")
            differs w: float64[3] where the spec has float64[4]
            unknown c
        """
        matched = [f"matches {name}: {_type(array)}" for name, array in self.matched.items()]
        differing = [
            f"differs {name}: {found} where the spec has {wanted}" for name, (found, wanted) in self.differing.items()
        ]
        rest = [f"missing {name}" for name in self.missing] + [f"unknown {name}" for name in self.unexpected]
        return matched + differing + rest

    def _differences(self, shown: str) -> Iterator[Diagnostic]:
        for name, (found, wanted) in self.differing.items():
            yield problem("GS655", f"'{name}' is {found} in '{shown}', and {wanted} in the spec")
        for names, others, message in (
            (self.missing, self.unexpected, f"'{shown}' has no value for"),
            (self.unexpected, self.missing, f"the spec does not know a value of '{shown}':"),
        ):
            for number, name in enumerate(names):
                hint = did_you_mean(name, others) if number < _HINTS else ""
                yield problem("GS655", f"{message} '{name}'", hint=hint)


def matching(arrays: Mapping[str, np.ndarray], wanted: Mapping[str, TensorType]) -> Matching:
    """Compare arrays with the types of a spec; a dtype is converted only where nothing can be lost."""
    matched: dict[str, np.ndarray] = {}
    differing: dict[str, tuple[TensorType, TensorType]] = {}
    for name, type in wanted.items():
        if name in arrays:
            fitted = _fitted(arrays[name], type)
            if fitted is None:
                differing[name] = _type(arrays[name]), type
            else:
                matched[name] = fitted
    missing = tuple(name for name in wanted if name not in arrays)
    return Matching(matched, missing, tuple(name for name in arrays if name not in wanted), differing)


def _fitted(array: np.ndarray, type: TensorType) -> np.ndarray | None:
    if array.shape != type.shape:
        return None
    if array.dtype.name == type.dtype:
        return array
    try:
        return convert(array, type.dtype)
    except (TypeError, ValueError):
        return None


def _type(array: np.ndarray) -> TensorType:
    return TensorType(array.dtype.name, array.shape)
