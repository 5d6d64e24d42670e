"""What an array holds in a few numbers: its range, and how much of it is not finite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class Span:
    """The elements of an array: ``low`` and ``high`` are the least and greatest finite ones, None where there are none.

    ``size``, ``nan``, ``infinite`` and ``zeros`` count elements; ``first`` is the index of the first that is not
    finite, ``dtype`` is the array's. Of complex arrays, ``low`` and ``high`` are magnitudes.
    """

    size: int
    nan: int
    infinite: int
    zeros: int
    low: float | None
    high: float | None
    first: tuple[int, ...] | None
    dtype: str

    @property
    def bad(self) -> int:
        """How many elements are not finite."""
        return self.nan + self.infinite

    @property
    def bad_text(self) -> str:
        """How many elements are not finite, in words."""
        parts = [f"{count} {name}" for count, name in ((self.nan, "nan"), (self.infinite, "infinite")) if count]
        if self.size == 1:
            return "nan" if self.nan else "infinity"
        at = f" (first at [{', '.join(map(str, self.first))}])" if self.first else ""
        return f"{' and '.join(parts)} of {self.size} elements{at}"

    @property
    def text(self) -> str:
        """The range, and how many elements are not finite."""
        parts = []
        if self.low is not None and self.high is not None:
            same = self.low == self.high
            parts.append(f"{self.low:.6g}" if same else f"from {self.low:.6g} to {self.high:.6g}")
        if self.zeros and self.size > 1 and self.zeros < self.size:
            parts.append(f"{self.zeros} zero")
        parts += [f"{count} {name}" for count, name in ((self.nan, "nan"), (self.infinite, "infinite")) if count]
        return ", ".join(parts) or "empty"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data."""
        return {
            "elements": self.size,
            "nan": self.nan,
            "infinite": self.infinite,
            "low": self.low,
            "high": self.high,
            "first": None if self.first is None else list(self.first),
        }


def span(value: Any) -> Span:
    """Return the span of an array; of a node with several outputs that of all of them."""
    if isinstance(value, tuple):
        return _together([span(part) for part in value])
    array = np.asarray(value)
    kind = array.dtype.kind
    if kind not in "biufc":  # bfloat16
        return _floats(array.astype(np.float64), str(array.dtype))
    if kind in "biu":
        low, high = (float(array.min()), float(array.max())) if array.size else (None, None)
        return Span(array.size, 0, 0, int(array.size - np.count_nonzero(array)), low, high, None, str(array.dtype))
    return _floats(array, str(array.dtype))


def _floats(array: np.ndarray, dtype: str) -> Span:
    finite = np.isfinite(array)
    zeros = int(array.size - np.count_nonzero(array))
    size = np.abs(array) if array.dtype.kind == "c" else array
    if finite.all():
        low, high = (float(size.min()), float(size.max())) if array.size else (None, None)
        return Span(array.size, 0, 0, zeros, low, high, None, dtype)
    nan = int(np.isnan(array).sum())
    good = size[finite]
    low, high = (float(good.min()), float(good.max())) if good.size else (None, None)
    first = tuple(int(i) for i in np.unravel_index(int(np.argmin(finite)), array.shape))
    return Span(array.size, nan, int(array.size - finite.sum()) - nan, zeros, low, high, first, dtype)


def _together(parts: list[Span]) -> Span:
    low = min((part.low for part in parts if part.low is not None), default=None)
    high = max((part.high for part in parts if part.high is not None), default=None)
    first = next((part.first for part in parts if part.first is not None), None)
    size, nan, infinite, zeros = (
        sum(getattr(part, name) for part in parts) for name in ("size", "nan", "infinite", "zeros")
    )
    return Span(size, nan, infinite, zeros, low, high, first, parts[0].dtype if parts else "")
