"""Numbers that look random and are functions of a seed and a position alone: orders of rows, and splits."""

from __future__ import annotations

import hashlib

import numpy as np

_GOLDEN = 0x9E3779B97F4A7C15
_MASK = (1 << 64) - 1


def mixed(values: np.ndarray) -> np.ndarray:
    """Return a bijection of uint64 that scatters them (splitmix64; Steele, Lea, Flood 2014)."""
    values = values ^ (values >> np.uint64(30))
    values = values * np.uint64(0xBF58476D1CE4E5B9)
    values = values ^ (values >> np.uint64(27))
    values = values * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def key(*numbers: int) -> int:
    """Return one number for several."""
    found = 0
    for number in numbers:
        found = int(mixed(np.array([(found + _GOLDEN + (number & _MASK)) & _MASK], np.uint64))[0])
    return found


def scattered(start: int, stop: int, seed: int) -> np.ndarray:
    """Return a number for every position in a range, no two of them equal: uint64."""
    positions = np.arange(start, stop, dtype=np.uint64)
    return mixed(mixed(positions + np.uint64(_GOLDEN)) ^ np.uint64(seed))


def permutation(count: int, *numbers: int) -> np.ndarray:
    """Return an order of ``count`` things, the same for the same numbers on every machine and version of NumPy."""
    return np.argsort(scattered(0, count, key(*numbers)), kind="stable")


def share(text: str, seed: int) -> float:
    """Return a number from 0 to 1 for a text."""
    digest = hashlib.blake2b(text.encode(), digest_size=8, key=key(seed).to_bytes(8, "little")).digest()
    return int.from_bytes(digest, "little") / 2**64
