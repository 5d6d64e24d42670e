"""Samples of the element-wise ops; the formulas use math and other functions than the kernels."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal, positive

EMPTY = np.zeros((0, 3))
TRUTH = np.array([True, False, True, False])
OTHER = np.array([True, True, False, False])
SPECIAL = np.array([0.0, -0.0, 1.5, -2.0, math.inf, -math.inf, math.nan])
HALVES = np.array([-2.5, -1.5, -0.5, 0.0, 0.5, 1.5, 2.5, 2.6, -2.6])


def each(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a formula that calls a function of Python numbers for every element."""

    def formula(*operands: np.ndarray) -> np.ndarray:
        arrays = np.broadcast_arrays(*operands)
        found = [function(*numbers) for numbers in zip(*(array.ravel().tolist() for array in arrays), strict=True)]
        return np.array(found).reshape(arrays[0].shape)

    return formula


def inside(*shape: int) -> np.ndarray:
    """Return numbers between -0.9 and 0.9, away from 0."""
    return (positive(*shape) - 0.4) / 1.8 * np.where(normal(*shape) > 0, 1, -1)


def unary(name: str, function: Callable[..., Any], draw: Callable[..., np.ndarray] = normal) -> None:
    """Add samples of a function of one float: without axes, empty, axes of size 1, ordinary, tiny or huge."""
    SAMPLES[name] = [
        Sample((draw(*shape),), {}, each(function)) for shape in [(), (0, 3), (1, 4, 1), (2, 3), (3, 1, 2)]
    ]
    # where 0 lies inside of what the function takes, tiny numbers; else large ones
    scale = 1e-5 if draw in (normal, inside) else 1e4
    SAMPLES[name].append(Sample((draw(5) * scale,), {}, each(function), differentiate=False))
    WRONG[name] = [Wrong((np.array([1, 2]),), "C1"), Wrong((TRUTH,), "C1")]


def binary(name: str, function: Callable[..., Any], draw: Callable[..., np.ndarray] = normal) -> None:
    """Add samples of a function of two floats that broadcast in several ways."""
    shapes = [((), ()), ((0, 3), (3,)), ((2, 1, 3), (4, 1)), ((3,), ()), ((1, 1), (2, 2)), ((2, 3), (2, 3))]
    SAMPLES[name] = [Sample((draw(*a), draw(*b)), {}, each(function)) for a, b in shapes]
    mixed = Wrong((normal(2), normal(2).astype(np.float32)), "C2")
    WRONG[name] = [mixed, Wrong((normal(2), normal(3)), "C3"), Wrong((TRUTH, TRUTH), "C1")]


def also(name: str, function: Callable[..., Any], *operands: np.ndarray) -> None:
    """Add a sample at a kink, of special values or of another dtype, where differences mean nothing."""
    SAMPLES[name].append(Sample(operands, {}, each(function), differentiate=False))


for same in ("identity", "stop_gradient"):
    SAMPLES[same] = [
        Sample((x,), {}, lambda x: x.copy(), differentiate=same == "identity" and x.dtype == float)
        for x in (normal(), EMPTY, normal(2, 1), TRUTH, np.array([1, 2], np.uint8), normal(3) * 1e3)
    ]
    WRONG[same] = []

binary("add", lambda a, b: a + b)
SAMPLES["add"] += [
    Sample((normal(3),), {}, lambda a: a.copy()),
    Sample((normal(), normal(2, 1), normal(3), normal(1, 1, 1)), {}, lambda *terms: sum(terms)),
    Sample((np.array([250], np.uint8), np.array([10], np.uint8)), {}, lambda a, b: np.array([4], np.uint8)),
    Sample((np.array([1 + 2j]), np.array([3 - 1j])), {}, lambda a, b: np.array([4 + 1j])),
]
WRONG["add"].append(Wrong((normal(2), normal(2), normal(3)), "C3"))
binary("subtract", lambda a, b: a - b)
also("subtract", lambda a, b: a - b, np.array([1, 2]), np.array([3]))
binary("multiply", lambda a, b: a * b)
also("multiply", lambda a, b: a * b, np.array([3, 2]), np.array(7))
binary("divide", lambda a, b: a / b, positive)
SAMPLES["divide"].append(
    Sample(
        (np.array([1.0, -1.0, 0.0]), np.zeros(3)), {}, lambda a, b: [math.inf, -math.inf, math.nan], differentiate=False
    )
)
WRONG["divide"].append(Wrong((np.array([4]), np.array([2])), "C1"))
FRACTIONS = np.array([2.7, -3.4, 9.2, -0.3])
DIVISORS = np.array([1.1, 1.3, -2.5, -0.7])
for name, function in (("floor_divide", lambda a, b: a // b), ("remainder", lambda a, b: a % b)):
    binary(name, function, positive)
    SAMPLES[name].append(Sample((FRACTIONS[:, None], DIVISORS), {}, each(function)))
    also(name, function, np.array([7, -7, 7, -7]), np.array([2, 2, -2, -2]))
    also(name, function, np.array([4.0, -4.0]), np.array([2.0, 2.0]))
unary("negative", lambda x: -x)
unary("reciprocal", lambda x: 1 / x, positive)
unary("square", lambda x: x**2)
also("square", lambda x: x**2, np.array([3, -4]))
also("negative", lambda x: -x, np.array([3, -4]))
for name in ("negative", "square"):
    WRONG[name] = [Wrong((TRUTH,), "C1")]
binary("pow", lambda a, b: a**b, positive)
also("pow", lambda a, b: a**b, np.array([0.0, 0.0, -2.0, 3.0]), np.array([0.0, 2.0, 3.0, -1.0]))
also("pow", lambda a, b: a**b, np.array([2, -3, 0]), np.array([3, 2, 0]))

unary("exp", math.exp)
unary("expm1", math.expm1)
also("expm1", math.expm1, np.array([1e-12, -1e-9]))
unary("log", math.log, positive)
unary("log1p", math.log1p, inside)
also("log1p", math.log1p, np.array([1e-12, -1e-9]))
unary("log2", math.log2, positive)
unary("log10", math.log10, positive)
unary("sqrt", math.sqrt, positive)
also("sqrt", math.sqrt, np.array([0.0, 4.0]))
SAMPLES["log"].append(Sample((np.array([0.0, -1.0]),), {}, lambda x: [-math.inf, math.nan], differentiate=False))

binary("logaddexp", lambda a, b: max(a, b) + math.log1p(math.exp(-abs(a - b))))
also(
    "logaddexp",
    lambda a, b: max(a, b),
    np.array([1000.0, -1e300, math.inf, -math.inf]),
    np.array([-1e3, 0.0, 1.0, 2.0]),
)
unary("rsqrt", lambda x: x**-0.5, positive)
also("rsqrt", lambda x: x**-0.5, np.array([1e-300, 1e300, 1e-8]))
SAMPLES["rsqrt"].append(Sample((np.array([0.0, -1.0]),), {}, lambda x: [math.inf, math.nan], differentiate=False))
unary("cbrt", lambda x: math.copysign(abs(x) ** (1 / 3), x), inside)
also("cbrt", lambda x: math.copysign(abs(x) ** (1 / 3), x), np.array([-27.0, 0.0, 1e-30, -1e30]))
binary("hypot", lambda a, b: math.sqrt(a * a + b * b))
also("hypot", math.hypot, np.array([3e200, 3e-200, 0.0, math.inf]), np.array([4e200, -4e-200, 0.0, math.nan]))

unary("sin", math.sin)
unary("cos", math.cos)
unary("tan", math.tan, inside)
unary("asin", math.asin, inside)
unary("acos", math.acos, inside)
unary("atan", math.atan)
binary("atan2", math.atan2)
also("atan2", math.atan2, np.array([0.0, -0.0, 1.0]), np.array([-1.0, -1.0, 0.0]))
unary("sinh", math.sinh)
unary("cosh", math.cosh)
unary("tanh", math.tanh)
unary("asinh", math.asinh)
unary("acosh", math.acosh, lambda *shape: positive(*shape) + 1)
unary("atanh", math.atanh, inside)

unary("abs", lambda x: max(x, -x), inside)
also("abs", lambda x: max(x, -x), np.array([-3, 0, 4]))
unary("sign", lambda x: (x > 0) - (x < 0.0) + 0.0, inside)
also("sign", lambda x: (x > 0) - (x < 0), np.array([-3, 0, 4]))
also("sign", lambda x: x if math.isnan(x) else (x > 0) - (x < 0) + 0.0, SPECIAL)
for name in ("abs", "sign"):
    WRONG[name] = [Wrong((TRUTH,), "C1"), Wrong((np.array([1j]),), "C1")]
binary("copysign", lambda a, b: abs(a) if b > 0 else -abs(a), inside)
also("copysign", math.copysign, SPECIAL[:, None], np.array([1.0, -1.0, 0.0, -0.0]))
unary("signbit", lambda x: x < 0)
also("signbit", lambda x: math.copysign(1, x) < 0, SPECIAL)
binary("nextafter", math.nextafter)
also("nextafter", math.nextafter, SPECIAL[:, None], SPECIAL)
SAMPLES["nan_to_num"] = [Sample((normal(*shape),), {}, lambda x: x.copy()) for shape in [(), (0, 3), (1, 4, 1), (2, 3)]]
SAMPLES["nan_to_num"] += [
    Sample(
        (SPECIAL,), {}, lambda x: [0.0, -0.0, 1.5, -2.0, 1.7976931348623157e308, -1.7976931348623157e308, 0.0], False
    ),
    Sample((SPECIAL,), {"value": -1, "posinf": 5, "neginf": -7.5}, lambda x: [0, 0, 1.5, -2, 5, -7.5, -1], False),
    Sample((np.float32(SPECIAL[4:]),), {"neginf": 0}, lambda x: np.array([2**128 - 2**104, 0, 0], np.float32), False),
]
WRONG["nan_to_num"] = [Wrong((np.array([1, 2]),), "C1"), Wrong((TRUTH,), "C1")]
for name, function in (("round", round), ("floor", math.floor), ("ceil", math.ceil), ("trunc", math.trunc)):
    unary(name, lambda x, function=function: float(function(x)), inside)
    also(name, lambda x, function=function: float(function(x)), HALVES)
for name, function in (("maximum", max), ("minimum", min)):
    binary(name, function)
    also(name, function, np.array([1.0, 2.0]), np.array([1.0, 3.0]))
    also(name, function, np.array([1, 5]), np.array([4, 2]))
    SAMPLES[name].append(
        Sample((SPECIAL, np.array(math.nan)), {}, lambda a, b: np.full(7, math.nan), differentiate=False)
    )


def clipped(x: float, low: float, high: float) -> float:
    return high if x > high or low > high else max(x, low)


SAMPLES["clip"] = [
    Sample(operands, {}, each(clipped), differentiate)
    for *operands, differentiate in (
        (np.array(0.3), np.array(0.0), np.array(1.0), True),
        (EMPTY, np.array(0.0), np.array(1.0), True),
        (normal(2, 1, 3) * 2, -positive(4, 1), positive(), True),
        (normal(5), np.array(0.5), np.array(-0.5), True),
        (np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), np.array(0.0), np.array(1.0), False),
        (np.array([-5, 0, 5]), np.array(-1), np.array(2), False),
    )
]
WRONG["clip"] = [
    Wrong((TRUTH, TRUTH, TRUTH), "C1"),
    Wrong((normal(2), normal(2), np.array([1, 2])), "C2"),
    Wrong((normal(2), normal(), normal(3)), "C3"),
]
SAMPLES["where"] = [
    Sample(operands, {}, each(lambda condition, x, y: x if condition else y))
    for operands in (
        (np.array(True), normal(), normal()),
        (np.zeros((0, 1), bool), normal(3), normal()),
        (TRUTH[:, None], normal(1, 3), normal(4, 1)),
        (TRUTH, normal(), normal(2, 1)),
        (np.array(False), normal(2), normal(2)),
    )
]
SAMPLES["where"].append(Sample((TRUTH, np.array(7), np.arange(4)), {}, lambda *_: [7, 1, 7, 3], differentiate=False))
WRONG["where"] = [
    Wrong((normal(2), normal(2), normal(2)), "C1"),
    Wrong((TRUTH, normal(4), np.arange(4)), "C2"),
    Wrong((TRUTH, normal(3), normal()), "C3"),
]

NUMBERS = (np.array([1, 2, 3]), np.array([[2], [3]]))
for name, function in {
    "equal": lambda a, b: a == b,
    "not_equal": lambda a, b: a != b,
    "less": lambda a, b: a < b,
    "less_equal": lambda a, b: a <= b,
    "greater": lambda a, b: a > b,
    "greater_equal": lambda a, b: a >= b,
}.items():
    binary(name, function)
    also(name, function, *NUMBERS)
    also(name, function, SPECIAL[:, None], SPECIAL)
    if name.endswith("equal") and name[0] in "en":
        also(name, function, TRUTH, OTHER)
        WRONG[name].pop()
for name, function in (("isnan", math.isnan), ("isinf", math.isinf), ("isfinite", math.isfinite)):
    unary(name, function)
    also(name, function, SPECIAL)
    also(name, function, np.array([1, 2]))
    WRONG[name] = [Wrong((TRUTH,), "C1")]
for name, function in {
    "logical_and": lambda a, b: a and b,
    "logical_or": lambda a, b: a or b,
    "logical_xor": lambda a, b: a != b,
}.items():
    pairs = [(TRUTH, OTHER), (np.array(True), TRUTH), (np.zeros((0, 1), bool), TRUTH), (TRUTH[:, None], OTHER)]
    pairs += [(OTHER, OTHER), (TRUTH[None, :1], OTHER)]
    SAMPLES[name] = [Sample(pair, {}, each(function)) for pair in pairs]
    WRONG[name] = [Wrong((normal(2), normal(2)), "C1"), Wrong((TRUTH, TRUTH[:3]), "C3")]
SAMPLES["logical_not"] = [
    Sample((x,), {}, each(lambda x: not x)) for x in (TRUTH, TRUTH[0], TRUTH[:0], TRUTH[:, None], TRUTH[None], ~TRUTH)
]
WRONG["logical_not"] = [Wrong((np.array([0, 1]),), "C1")]

SAMPLES["cast"] = [
    Sample((x,), {"dtype": dtype}, lambda x, function=function, dtype=dtype: np.array(each(function)(x), dtype), False)
    for x, dtype, function in (
        (np.array(2.7), "int64", int),
        (EMPTY, "int8", int),
        (np.array([-2.7, 2.2]), "int32", int),
        (np.array([0.0, -0.5, math.nan]), "bool", bool),
        (TRUTH, "float32", float),
        (np.array([1, 300]), "uint8", lambda x: x % 256),
        (np.array([1.5]), "complex128", complex),
    )
]
SAMPLES["cast"].append(Sample((normal(2, 1),), {"dtype": "float64"}, lambda x: x.copy()))
SAMPLES["cast"].append(Sample((normal(3),), {"dtype": "float32"}, lambda x: np.float32(x), differentiate=False))
WRONG["cast"] = [Wrong((np.array([1j]),), "C1", {"dtype": "float64"})]
