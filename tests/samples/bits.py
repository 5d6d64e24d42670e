"""Samples of the ops on bits; the formulas are those of Python's own integers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal

LEFT = np.array([0, 1, 6, -1, -128, 127], np.int8)
RIGHT = np.array([3, -4, 100], np.int8)
PLACES = np.array([0, 1, 7, 8, 100, -1], np.int8)


def wrapped(function: Callable[..., int]) -> Callable[..., np.ndarray]:
    """Return a formula that computes with Python's integers and keeps the low bits."""

    def formula(*operands: np.ndarray) -> np.ndarray:
        arrays = np.broadcast_arrays(*operands)
        dtype = arrays[0].dtype
        low, count = int(np.iinfo(dtype).min), 2 ** (8 * dtype.itemsize)
        found = [function(*numbers) for numbers in zip(*(array.ravel().tolist() for array in arrays), strict=True)]
        return np.array([(number - low) % count + low for number in found], dtype).reshape(arrays[0].shape)

    return formula


def shifted_left(a: int, b: int) -> int:
    return a * 2**b if 0 <= b < 200 else 0


def shifted_right(a: int, b: int) -> int:
    return a // 2 ** (b if b >= 0 else 200)


for name, function in {
    "bitwise_and": lambda a, b: a & b,
    "bitwise_or": lambda a, b: a | b,
    "bitwise_xor": lambda a, b: a ^ b,
    "bitwise_left_shift": shifted_left,
    "bitwise_right_shift": shifted_right,
}.items():
    SAMPLES[name] = [
        Sample(pair, {}, wrapped(function))
        for pair in (
            (np.array(5), np.array(3)),
            (LEFT[:, None], RIGHT if "shift" not in name else PLACES),
            (np.zeros((0, 2), np.int16), np.array([1, 2], np.int16)),
            (np.array([[200], [3]], np.uint8), np.array([1, 7, 255], np.uint8)),
            (np.array([2**63 - 1, -(2**63), 1]), np.array([62, 1, 63])),
            (np.array([2**64 - 1], np.uint64), np.array([[0], [63], [64]], np.uint64)),
        )
    ]
    WRONG[name] = [
        Wrong((normal(2), normal(2)), "C1"),
        Wrong((np.array([True]), np.array([True])), "C1"),
        Wrong((np.array([1]), np.array([1], np.int8)), "C2"),
        Wrong((np.array([1, 2]), np.array([1, 2, 3])), "C3"),
    ]
SAMPLES["bitwise_invert"] = [
    Sample((x,), {}, wrapped(lambda x: -x - 1))
    for x in (np.array(5), LEFT, np.array([[0, 255]], np.uint8), np.zeros((0, 2), np.int32), np.array([2**63 - 1, 0]))
]
SAMPLES["bitwise_invert"].append(Sample((np.array([0, 2**64 - 1], np.uint64),), {}, wrapped(lambda x: -x - 1)))
WRONG["bitwise_invert"] = [Wrong((normal(2),), "C1"), Wrong((np.array([True]),), "C1")]
