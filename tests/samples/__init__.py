"""Samples of every op: operands, attributes and an independent formula; errors with the constraint they violate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Sample:
    """One way to call an op.

    ``formula(*operands)`` is an oracle in plain NumPy (or math) that does not use the op's kernel; ``differentiate``
    is False at kinks and ties, where differences mean nothing.
    """

    operands: tuple[np.ndarray, ...]
    attributes: dict[str, Any] = field(default_factory=dict)
    formula: Callable[..., Any] | None = None
    differentiate: bool = True


@dataclass(frozen=True)
class Wrong:
    """Operands or attributes that must raise OpTypeError with ``constraint``."""

    operands: tuple[np.ndarray, ...]
    constraint: str
    attributes: dict[str, Any] = field(default_factory=dict)


SAMPLES: dict[str, list[Sample]] = {}
WRONG: dict[str, list[Wrong]] = {}
RANDOM = np.random.default_rng(7)


def normal(*shape: int) -> np.ndarray:
    """Return standard normal float64 numbers."""
    return RANDOM.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    """Return numbers between 0.5 and 2."""
    return RANDOM.uniform(0.5, 2.0, size=shape)
