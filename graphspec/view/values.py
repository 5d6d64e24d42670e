"""Numbers and arrays as short text."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_SMALL = 6  # arrays of up to so many elements are shown in full
_SHORT = 8  # numbers of up to so many characters are shown exactly, others with six significant digits


def value_text(value: Any) -> str:
    """Return an array as text: numbers and small arrays in full, others by dtype, shape and range."""
    array = np.asarray(value)
    if array.ndim == 0:
        return number_text(array[()])
    if 0 < array.size <= _SMALL:
        return _nested(array)
    return f"{array.dtype}[{', '.join(map(str, array.shape))}] {_range(array)}"


def number_text(number: Any) -> str:
    """Return a number as text: exact where that is short, else with six significant digits."""
    if isinstance(number, bool | np.bool_):
        return "true" if number else "false"
    if isinstance(number, complex | np.complexfloating):
        imaginary = number_text(number.imag)
        sign = "" if imaginary.startswith("-") else "+"
        return f"{number_text(number.real)}{sign}{imaginary}j"
    if isinstance(number, int | np.integer):
        return str(int(number))
    text = str(number).removesuffix(".0")
    return text if len(text) <= _SHORT else f"{float(number):.6g}"


def _nested(array: np.ndarray) -> str:
    if array.ndim == 0:
        return number_text(array[()])
    return f"[{', '.join(_nested(item) for item in array)}]"  # as deep as the array has dims: at most 64


def _range(array: np.ndarray) -> str:
    if not array.size:
        return "empty"
    if array.dtype.kind == "b":
        return f"{int(array.sum())} of {array.size} true"
    if array.dtype.kind == "c":
        return f"of magnitude up to {number_text(np.abs(array).max())}"
    finite = array[np.isfinite(array)]
    others = [
        f"{count} {name}"
        for name, count in (("nan", int(np.isnan(array).sum())), ("infinite", int(np.isinf(array).sum())))
        if count
    ]
    return ", ".join([*_span(finite), *others])


def _span(finite: np.ndarray) -> list[str]:
    if not finite.size:
        return []
    low, high = finite.min(), finite.max()
    return [f"all {number_text(low)}" if low == high else f"from {number_text(low)} to {number_text(high)}"]


def count_text(count: int, unit: str = "") -> str:
    """Return a count with thousands separated, and its unit in the plural where that is due."""
    return f"{count:,} {unit}{'s' * (count != 1)}" if unit else f"{count:,}"


def size_text(size: int) -> str:
    """Return a number of bytes in the unit that suits it."""
    if size < 1000:
        return count_text(size, "byte")
    power = min(int(math.log(size, 1000)), 4)
    return f"{size / 1000**power:.3g} {('kB', 'MB', 'GB', 'TB')[power - 1]}"
