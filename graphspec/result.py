"""What a run gives back: arrays by name, which belong to the caller."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from graphspec.errors import Diagnostic

Arrays = dict[str, np.ndarray]


@dataclass
class Result:
    """The result of `Program.run` and `Program.backprop`.

    Attributes:
        outputs: the outputs by the name they are reported under.
        updates: the next value of every parameter and state that `updates` change; `Program.apply` writes them.
        of: what was differentiated, None after `run`.
        gradients: the gradient of ``of`` with respect to every name asked for, of the shape of its value.
        notes: what is worth knowing, such as a gradient that is zero because nothing depends on it.
    """

    engine: str
    seed: int
    outputs: Arrays
    updates: Arrays = field(default_factory=dict)
    of: str | None = None
    gradients: Arrays = field(default_factory=dict)
    notes: tuple[Diagnostic, ...] = ()
    details: Callable[[], tuple[Arrays, Arrays]] = field(default=lambda: ({}, {}), repr=False, compare=False)

    def __getitem__(self, name: str) -> np.ndarray:
        if name in self.outputs:
            return self.outputs[name]
        if name in self.values:
            return self.values[name]
        raise KeyError(name)

    @cached_property
    def _details(self) -> tuple[Arrays, Arrays]:
        return self.details()

    @property
    def values(self) -> Arrays:
        """The value of every node by path; computed when it is first asked for."""
        return self._details[0]

    @property
    def cotangents(self) -> Arrays:
        """The cotangent of every float node that ``of`` depends on, by path."""
        return self._details[1]

    def to_dict(self, everything: bool = False) -> dict[str, Any]:
        """Return JSON data: arrays as nested lists, non-finite numbers as "nan", "inf" and "-inf"."""
        data: dict[str, Any] = {
            "engine": self.engine,
            "outputs": listed(self.outputs),
            "of": self.of,
            "gradients": listed(self.gradients),
        }
        if self.updates:
            data["updates"] = listed(self.updates)
        if everything:
            data["values"] = listed(self.values)
            cotangents = listed(self.cotangents)
            data["cotangents"] = {name: cotangents.get(name) for name in data["values"]}
        return data

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        from graphspec.view.text import result_html, result_text

        return {"text/plain": result_text(self), "text/html": result_html(self)}


def listed(arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Return arrays as nested lists."""
    return {name: to_list(array) for name, array in arrays.items()}


def to_list(array: np.ndarray) -> Any:
    """Return one array as a number or nested lists that JSON can write."""
    values = np.asarray(array)
    if values.dtype.kind == "c":
        return [to_list(values.real), to_list(values.imag)]
    data = values.tolist()
    return data if values.dtype.kind not in "f" or np.isfinite(values).all() else _named(data)


def _named(data: Any) -> Any:
    if isinstance(data, list):
        return [_named(item) for item in data]
    if data != data:
        return "nan"
    return ("inf" if data > 0 else "-inf") if data in (float("inf"), float("-inf")) else data
