"""Written numbers as arrays: what a number or a list in a spec may hold, and what it becomes (rules L1.2, L1.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from graphspec.attribute import describe
from graphspec.types import kind

if TYPE_CHECKING:
    import numpy

_LARGEST = {"float16": 65504.0, "float32": 3.4028234663852886e38}


class WrittenProblem(ValueError):
    """Numbers that make no array; ``code`` is that of the diagnostic."""

    def __init__(self, message: str, code: str = "GS204"):
        self.message, self.code = message, code
        super().__init__(message)


def array(value: Any, dtype: str, declared: str | None = None) -> numpy.ndarray:
    """Return written numbers as an array: of the declared dtype, bool where all are booleans, else of ``dtype``.

    Raises:
        WrittenProblem: a ragged list, no numbers, or a number that the dtype does not hold.
    """
    import numpy

    return numpy.array(value, dtype=check(value, dtype, declared))


def check(value: Any, dtype: str, declared: str | None = None) -> str:
    """Return the dtype of what `array` makes of written numbers.

    Raises:
        WrittenProblem: as `array`.
    """
    if declared == "bfloat16":
        raise WrittenProblem("NumPy has no bfloat16, so a value of it cannot be written", "GS205")
    flat = _flat(value)
    found = _target(flat, dtype, declared)
    _check_range(flat, found)
    return found


def _flat(value: Any) -> list[Any]:
    """Return the numbers of nested lists, level by level."""
    level = [value]
    while any(isinstance(item, list | tuple) for item in level):
        if not all(isinstance(item, list | tuple) for item in level) or len({len(item) for item in level}) > 1:
            raise WrittenProblem("the rows of a list have different lengths")
        level = [item for row in level for item in row]
    for item in level:
        if not isinstance(item, bool | int | float):
            raise WrittenProblem(f"expected numbers, found {describe(item)}")
    return level


def _target(flat: list[Any], dtype: str, declared: str | None) -> str:
    """Return the dtype of the array: booleans and numbers neither mix nor stand for one another."""
    booleans = sum(isinstance(item, bool) for item in flat)
    if 0 < booleans < len(flat):
        raise WrittenProblem("booleans and numbers are mixed")
    if declared is None:
        return "bool" if booleans else dtype
    if flat and (kind(declared) == "boolean") != bool(booleans):
        wanted = "booleans" if kind(declared) == "boolean" else "numbers"
        raise WrittenProblem(f"the dtype {declared} wants {wanted}, found {describe(flat[0])}")
    return declared


def _check_range(numbers: list[Any], dtype: str) -> None:
    """Check that a dtype holds every number."""
    low, high = _range(dtype)
    for number in numbers:
        if kind(dtype) == "integer" and isinstance(number, float) and not number.is_integer():
            raise WrittenProblem(f"the fraction {number} is no {dtype}", "GS205")
        if not low <= number <= high:
            raise WrittenProblem(f"the number {str(number)[:20]} does not fit {dtype}", "GS205")


def _range(dtype: str) -> tuple[float, float]:
    """Return the least and the greatest number of a dtype."""
    if kind(dtype) != "integer":
        largest = _LARGEST.get(dtype, 1.7976931348623157e308)
        return -largest, largest
    bits = int(dtype.removeprefix("u").removeprefix("int"))
    return (0, 2**bits - 1) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
