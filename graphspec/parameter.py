"""Parameters and state: their declaration with everything resolved, and their first values."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from graphspec.declaration import ParameterDeclaration
from graphspec.ops.random import generator
from graphspec.origin import Origin
from graphspec.types import TensorType


@dataclass(frozen=True)
class Parameter:
    """A trainable leaf, or (role "state") one that `updates` change.

    ``init`` is the name of an initialiser with its arguments, for parameters without a value or file.
    """

    path: str
    node: int
    type: TensorType
    role: str
    trainable: bool
    declared: ParameterDeclaration
    origin: Origin
    value: Any = None
    init: tuple[str, Mapping[str, float]] | None = None
    file: str | None = None
    key: str | None = None
    doc: str = field(default="", compare=False)

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(int(dim) for dim in self.type.shape)  # type: ignore[arg-type]

    def first_value(self, seed: int) -> np.ndarray:
        """Return the first value: the declared one, or the initialiser's for the run's ``seed``."""
        if self.init is None:
            return np.array(np.broadcast_to(np.asarray(self.value, dtype=self.type.dtype), self.shape))
        name, arguments = self.init
        return initial(name, arguments, self.shape, self.type.dtype, generator(seed, 0, self.path))


def fans(shape: tuple[int, ...]) -> tuple[float, float]:
    """Return fan-in and fan-out: two dims are [in, out]; more are [out, in, *window] (L1.5)."""
    if len(shape) < 2:
        size = float(shape[0]) if shape else 1.0
        return size, size
    if len(shape) == 2:
        return float(shape[0]), float(shape[1])
    window = math.prod(shape[2:])
    return float(shape[1] * window), float(shape[0] * window)


def initial(
    name: str, arguments: Mapping[str, float], shape: tuple[int, ...], dtype: str, random: np.random.Generator
) -> np.ndarray:
    """Return the array of an initialiser.

    Sources: Glorot and Bengio (2010); He et al. (2015); LeCun et al. (1998); Saxe, McClelland and Ganguli (2014) for
    `orthogonal`. The normal forms of the three families are truncated at two standard deviations and rescaled.
    """
    a = dict(arguments)
    if name in ("zeros", "ones", "constant"):
        return np.full(shape, {"zeros": 0.0, "ones": 1.0}.get(name, a.get("value", 0.0)), dtype=dtype)
    if name == "eye":
        return np.broadcast_to(np.eye(shape[-2], shape[-1]), shape).astype(dtype)
    if name == "normal":
        return (a["mean"] + a["std"] * random.standard_normal(shape)).astype(dtype)
    if name == "uniform":
        return random.uniform(a["low"], a["high"], shape).astype(dtype)
    if name == "truncated_normal":
        return (a["mean"] + a["std"] * truncated(random, shape)).astype(dtype)
    if name == "orthogonal":
        return _orthogonal(random, shape, a["gain"]).astype(dtype)
    family, _, form = name.partition("_")
    fan_in, fan_out = fans(shape)
    variance = {"glorot": 2.0 / (fan_in + fan_out or 1.0), "he": 2.0 / (fan_in or 1.0), "lecun": 1.0 / (fan_in or 1.0)}[
        family
    ]
    if form == "uniform":
        limit = math.sqrt(3.0 * variance)
        return random.uniform(-limit, limit, shape).astype(dtype)
    return (math.sqrt(variance) / _TRUNCATED_STD * truncated(random, shape)).astype(dtype)


_TRUNCATED_STD = 0.87962566103423978  # standard deviation of a standard normal cut at two


def truncated(random: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Return standard normal numbers cut at two standard deviations: outliers are drawn again."""
    values = np.asarray(random.standard_normal(shape))
    while True:
        outside = np.abs(values) > 2.0
        count = int(outside.sum())
        if not count:
            return values
        values[outside] = random.standard_normal(count)


def _orthogonal(random: np.random.Generator, shape: tuple[int, ...], gain: float) -> np.ndarray:
    rows, columns = shape[0], math.prod(shape[1:])
    tall = random.standard_normal((max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(tall)
    q = q * np.where(np.diagonal(r) < 0, -1.0, 1.0)  # makes the distribution uniform (Haar)
    return gain * (q if rows >= columns else q.T).reshape(shape)
