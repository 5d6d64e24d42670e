"""Samples of the special functions; the formulas are those of `math`, and sums of plain Python numbers."""

from __future__ import annotations

import math

import numpy as np

from samples import SAMPLES, WRONG, Sample, Wrong, normal, positive
from samples.elementwise import also, each, inside, unary

EULER = 0.5772156649015329
ZETA_3 = 1.2020569031595942
SIZES = np.array([1e-300, 1e-20, 1e-8, 0.4687, 0.4689, 1.0, 2.5, 3.999, 4.001, 10.0, 26.0])
ARGUMENTS = np.array([1e-300, 1e-9, 0.3, 0.5, 0.999999, 1.5, 1.9999, 2.7, 9.99, 10.1, 33.3, 170.5, 1e10, 1e300])
BELOW = np.array([-1e-9, -0.3, -0.5, -1.5, -2.7, -9.99, -33.3, -170.6])
POLES = np.array([0.0, -0.0, -1.0, -2.0, math.inf, math.nan])


def digamma(x: float) -> float:
    """Step up to an argument beyond 2000, where three terms of the asymptotic series are enough; no reflection."""
    steps = max(0, math.ceil(2000 - x))
    y = x + steps
    tail = [math.log(y), -1 / (2 * y), -((1 / y) ** 2) / 12, (1 / y) ** 4 / 120]
    return math.fsum([-1 / (x + k) for k in range(steps)] + tail)


def polygamma(x: float, order: int) -> float:
    """Sum the series up to an argument beyond 3000; the rest is an integral and two corrections. No reflection."""
    steps, s = max(0, math.ceil(3000 - x)), order + 1
    y = x + steps
    terms = [(x + k) ** -s for k in range(steps)]
    tail = [y**-order / order, y**-s / 2, s * y ** -(s + 1) / 12, -s * (s + 1) * (s + 2) * y ** -(s + 3) / 720]
    return (-1) ** s * math.factorial(order) * math.fsum(terms + tail)


def right(*shape: int) -> np.ndarray:
    """Return numbers between 0.5 and 6."""
    return positive(*shape) ** 2.5


for name, function in (("erf", math.erf), ("erfc", math.erfc)):
    unary(name, function)
    also(name, function, SIZES)
    also(name, function, -SIZES)
    also(name, function, np.array([0.0, -0.0, math.inf, -math.inf, math.nan, 30.0, 1e300]))
    SAMPLES[name].append(
        Sample((np.float32(SIZES),), {}, lambda x, f=function: np.float32(each(f)(x)), differentiate=False)
    )
unary("lgamma", math.lgamma, right)
also("lgamma", math.lgamma, ARGUMENTS)
also("lgamma", math.lgamma, np.array([1.0, 2.0, *(1 + BELOW[1:3] * 1e-9), *(2 - BELOW[1:3] * 1e-9)]))
also("lgamma", math.lgamma, BELOW)
SAMPLES["lgamma"].append(Sample((BELOW[1:5],), {}, each(math.lgamma)))
SAMPLES["lgamma"].append(Sample((POLES,), {}, lambda x: [*[math.inf] * 5, math.nan], differentiate=False))
unary("digamma", digamma, right)
also("digamma", digamma, ARGUMENTS[1:])
SAMPLES["digamma"] += [
    Sample((BELOW[1:],), {}, each(digamma), differentiate=False),
    Sample((BELOW[1:5],), {}, each(digamma)),
    Sample((np.array([1.46, 1.4616321449683622, 1.5]),), {}, lambda x: each(digamma)(x)),
    Sample((np.array([1.0, 0.5]),), {}, lambda x: [-EULER, -EULER - 2 * math.log(2)]),
    Sample((POLES,), {}, lambda x: [-math.inf, math.inf, math.nan, math.nan, math.inf, math.nan], differentiate=False),
]
unary("trigamma", lambda x: polygamma(x, 1), right)
also("trigamma", lambda x: polygamma(x, 1), ARGUMENTS[1:])
SAMPLES["trigamma"] += [
    Sample((BELOW[1:],), {}, each(lambda x: polygamma(x, 1)), differentiate=False),
    Sample((BELOW[1:5],), {}, each(lambda x: polygamma(x, 1))),
    Sample((np.array([1.0, 0.5]),), {}, lambda x: [math.pi**2 / 6, math.pi**2 / 2]),
    Sample((POLES,), {}, lambda x: [*[math.inf] * 4, 0.0, math.nan], differentiate=False),
]
SAMPLES["polygamma"] = [
    Sample((x,), {"order": order}, each(lambda x, order=order: polygamma(x, order)), smooth)
    for x, order, smooth in (
        (right(), 2, True),
        (right(0, 3), 3, True),
        (right(1, 4, 1), 4, True),
        (right(2, 3), 5, True),
        (BELOW[1:5], 2, True),
        (BELOW[1:], 3, False),
        (ARGUMENTS[2:12], 2, False),
        (ARGUMENTS[2:12], 9, False),
        (inside(4) + 40, 100, False),
    )
]
SAMPLES["polygamma"] += [
    Sample((np.array([1.0, 0.5]),), {"order": 2}, lambda x: [-2 * ZETA_3, -14 * ZETA_3]),
    Sample(
        (POLES,), {"order": 2}, lambda x: [-math.inf, math.inf, *[math.nan] * 2, -0.0, math.nan], differentiate=False
    ),
    Sample((np.float32(normal(3) ** 2 + 1),), {"order": 2}, None, differentiate=False),
]
WRONG["polygamma"] = [Wrong((np.array([1, 2]),), "C1", {"order": 2})]
