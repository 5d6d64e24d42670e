"""Special functions: the error function and the gamma function's logarithm with all derivatives.

Neither NumPy nor the array API has them, so their kernels are written here, in names that every namespace has. They
compute in 64 bits, whatever the dtype, to about 1e-14 relative; next to a zero of the function on the negative
axis the error is as small only in absolute terms.

Constraints of all of them: (C1) floats.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from math import factorial, inf, log, nan, pi, sqrt
from typing import Any

from graphspec.op import Op, attribute, elementwise, native, op, require_kind
from graphspec.types import TensorType

# Bernoulli numbers B2, B4, ...
BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798, -174611 / 330)

# fmt: off

# W. J. Cody, Rational Chebyshev approximations for the error function (1969): highest power first.
ERF_NEAR = (
    (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
     3.20937758913846947e3),
    (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3),
)
ERFC_MIDDLE = (
    (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
     2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
     1.23033935479799725e3),
    (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
     3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3),
)
ERFC_FAR = (
    (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
     1.60837851487422766e-2, 6.58749161529837803e-4),
    (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
     2.33520497626869185e-3),
)

# Taylor series of lgamma at 2: the coefficient of z**k is (-1)**k * (zeta(k) - 1) / k from k = 2 on, 1 - Euler's
# constant before; and of digamma at its zero on the positive axis, divided by the distance from it.
LGAMMA_AT_2 = (
    0.42278433509846713, 0.3224670334241132, -0.0673523010531981, 0.020580808427784546, -0.007385551028673986,
    0.0028905103307415234, -0.001192753911703261, 0.0005096695247430425, -0.00022315475845357939,
    9.945751278180853e-05, -4.492623673813314e-05, 2.050721277567069e-05, -9.439488275268397e-06,
    4.374866789907488e-06, -2.039215753801366e-06, 9.55141213040742e-07, -4.492469198764566e-07,
    2.1207184805554665e-07, -1.0043224823968099e-07, 4.7698101693639804e-08, -2.2711094608943164e-08,
    1.0838659214896955e-08, -5.183475041970047e-09, 2.4836745438024785e-09, -1.1921401405860912e-09,
)
DIGAMMA_ZERO = (1.4616321449683622, 9.549995429965697e-17)  # what the first leaves out is the second
DIGAMMA_AT_ZERO = (
    0.9676722454476212, -0.4427631689835921, 0.258499760955651, -0.16394270544240652, 0.10782405069126237,
    -0.07219956125645471, 0.04880428816414311, -0.03316112647484736, 0.022597648232218104, -0.01542476590494896,
    0.010538791616612175, -0.007204534386356869, 0.004926781395729853, -0.003369801655439328, 0.002305126326734928,
    -0.0015769367714301972, 0.0010788252019162967, -0.0007380709389960052, 0.000504953265834602,
)

# fmt: on


def polynomial(coefficients: Sequence[float], x: Any) -> Any:
    """Evaluate a polynomial by Horner's rule; the coefficient of the highest power comes first."""
    total: Any = coefficients[0]
    for coefficient in coefficients[1:]:
        total = total * x + coefficient
    return total


def _ratio(approximation: tuple[Sequence[float], Sequence[float]], x: Any) -> Any:
    return polynomial(approximation[0], x) / polynomial(approximation[1], x)


def in_double(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a kernel that computes a function of one array in 64 bits and keeps the dtype of the array."""
    return lambda xp, x, *given: xp.astype(function(xp, xp.astype(x, native(xp, "float64")), *given), x.dtype)


def _erf_near(xp: Any, x: Any) -> Any:
    """Compute erf where |x| is at most 15/32."""
    near = xp.where(xp.abs(x) <= 0.46875, x, 0.0)
    return near * _ratio(ERF_NEAR, near * near)


def _erfc_tail(xp: Any, x: Any) -> Any:
    """Compute erfc from 15/32 on."""
    x = xp.minimum(xp.maximum(x, 0.46875), 30.0)  # it is 0 from 27 on
    far = xp.maximum(x, 4.0)
    inverse = 1 / (far * far)
    factor = (1 / sqrt(pi) - inverse * _ratio(ERFC_FAR, inverse)) / far
    coarse = xp.floor(x * 16) / 16  # its square has no rounding error, which exp would blow up
    weight = xp.exp(-coarse * coarse) * xp.exp(-(x - coarse) * (x + coarse))
    return weight * xp.where(x > 4, factor, _ratio(ERFC_MIDDLE, xp.minimum(x, 4.0)))


def erf(xp: Any, x: Any) -> Any:
    """Compute the error function."""
    size = xp.abs(x)
    return xp.where(size <= 0.46875, _erf_near(xp, x), xp.sign(x) * (1 - _erfc_tail(xp, size)))


def erfc(xp: Any, x: Any) -> Any:
    """Compute 1 - erf(x)."""
    size = xp.abs(x)
    tail = _erfc_tail(xp, size)
    return xp.where(size <= 0.46875, 1 - _erf_near(xp, x), xp.where(x < 0, 2 - tail, tail))


def _from_integer(xp: Any, x: Any) -> Any:
    """Return the distance from the nearest integer, which the trigonometric functions of pi * x are computed from."""
    return x - xp.round(x)


def lgamma(xp: Any, x: Any) -> Any:
    """Compute the logarithm of |gamma(x)|; below 0 by reflection."""
    size = xp.abs(x)
    right = _lgamma_right(xp, size)
    finite = xp.where(size == inf, 0.5, size)
    reflected = log(pi) - xp.log(xp.abs(xp.sin(pi * _from_integer(xp, finite)))) - xp.log(finite) - right
    pole = (xp.floor(x) == x) | (x == -inf)
    return xp.where(x > 0, right, xp.where(pole, inf, reflected))


def _lgamma_right(xp: Any, x: Any) -> Any:
    """Compute lgamma above 0: Stirling's series from 10 on, else the series at 2, after steps to its range."""
    far = xp.maximum(x, 10.0)
    terms = [b / ((2 * k) * (2 * k - 1)) for k, b in enumerate(BERNOULLI, 1)]
    tail = polynomial(terms[::-1], 1 / (far * far)) / far
    stirling = (far - 0.5) * (xp.log(far) - 1) + (log(2 * pi) / 2 - 0.5) + tail
    near = xp.minimum(xp.where(x == x, x, 3.0), 10.0)
    steps = xp.floor(near - 1.5)
    factors = xp.ones_like(near)
    for j in range(1, 9):
        factors = factors * xp.where(j <= steps, near - j, 1.0)
    # the distance from 2: after steps down; from x + 1; and from x + 2
    z = xp.where(near >= 1.5, near - xp.maximum(steps, 0.0) - 2, xp.where(near >= 0.5, near - 1, near))
    up = xp.where(near < 1.5, xp.log1p(z), 0.0) + xp.where(near < 0.5, xp.log(near), 0.0)
    series = z * polynomial(LGAMMA_AT_2[::-1], z)
    return xp.where(x < 10, series + xp.log(factors) - up, stirling)


def digamma(xp: Any, x: Any) -> Any:
    """Compute the derivative of lgamma; below 0 by reflection."""
    right = _digamma_right(xp, xp.where(x > 0, x, 1 - x))
    reflected = right - pi / xp.tan(pi * _from_integer(xp, xp.where(x == -inf, 0.5, x)))
    return xp.where(x > 0, right, _at_poles(xp, x, reflected))


def _digamma_right(xp: Any, x: Any) -> Any:
    """Compute digamma above 0: the asymptotic series from 10 on, steps up to it, and the series at its zero."""
    total, at = xp.zeros_like(x), x
    for _ in range(10):
        total, at = total - xp.where(at < 10, 1 / at, 0.0), xp.where(at < 10, at + 1, at)
    squared = 1 / (at * at)
    terms = [b / (2 * k) for k, b in enumerate(BERNOULLI, 1)]
    far = total + xp.log(at) - 0.5 / at - squared * polynomial(terms[::-1], squared)
    z = xp.where(xp.abs(x - 1.46) < 0.22, (x - DIGAMMA_ZERO[0]) - DIGAMMA_ZERO[1], 0.0)
    return xp.where(z == 0, far, z * polynomial(DIGAMMA_AT_ZERO[::-1], z))


def _at_poles(xp: Any, x: Any, reflected: Any) -> Any:
    """Return the values at and below 0 of a function whose sign changes at its poles."""
    reflected = xp.where((xp.floor(x) == x) | (x == -inf), nan, reflected)
    return xp.where(x == 0, xp.copysign(inf, -x), reflected)


def polygamma(xp: Any, x: Any, order: int) -> Any:
    """Compute derivative number ``order`` (from 1 on) of digamma; below 0 by reflection."""
    sign = 1 if order % 2 else -1
    right = sign * float(factorial(order)) * _zeta(xp, order + 1, xp.where(x > 0, x, 1 - x))
    reflected = -sign * right - _cotangent_derivative(xp, x, order)
    reflected = xp.where(x == -inf, nan, reflected) if sign == 1 else _at_poles(xp, x, reflected)
    return xp.where(x > 0, right, reflected)


def _zeta(xp: Any, s: int, x: Any) -> Any:
    """Compute the sum of (x + k)**-s over k >= 0, for x > 0, by the summation formula of Euler and Maclaurin."""
    total, at = xp.zeros_like(x), x
    for _ in range(10 + s):
        total, at = total + at ** float(-s), at + 1
    total = total + at ** float(1 - s) / (s - 1) + at ** float(-s) * 0.5
    rising = s * at ** float(-s - 1)
    for k, b in enumerate(BERNOULLI, 1):
        total = total + rising * (b / factorial(2 * k))
        rising = rising * ((s + 2 * k - 1) * (s + 2 * k)) / (at * at)
    return total


@cache
def _cotangent_coefficients(order: int) -> tuple[int, ...]:
    """Return the polynomial in c = cot(x) that is derivative number ``order`` of c; lowest power first."""
    found = [0, 1]
    for _ in range(order):
        slope = [k * found[k] for k in range(1, len(found))] + [0, 0]
        found = [-(slope[k] + (slope[k - 2] if k > 1 else 0)) for k in range(len(slope))]
    return tuple(found)


def _cotangent_derivative(xp: Any, x: Any, order: int) -> Any:
    """Compute derivative number ``order`` of pi * cot(pi * x)."""
    c = 1 / xp.tan(pi * _from_integer(xp, xp.where(x == -inf, 0.5, x)))
    odd = (order + 1) % 2  # only every second power occurs
    terms = [float(term) * pi ** (order + 1) for term in _cotangent_coefficients(order)[odd::2]]
    return polynomial(terms[::-1], c * c) * (c if odd else 1.0)


elementwise(
    "erf",
    "y = 2 / sqrt(pi) times the integral of e**-t**2 from 0 to x. Gradient ct * 2 / sqrt(pi) * e**-x**2. "
    "Source: W. J. Cody, Rational Chebyshev approximations for the error function (1969). "
    "Example: ``x * 0.5 * (1 + erf(x / 2**0.5))``",
    "x",
    in_double(erf),
    lambda g, ct, x, y: (ct * g.exp(-g.square(x)) * (2 / sqrt(pi)),),
)
elementwise(
    "erfc",
    "y = 1 - erf(x), exact where it is small; 0 from 27 on. Gradient -ct * 2 / sqrt(pi) * e**-x**2. "
    "Source: as of erf. Example: ``0.5 * erfc(-x / 2**0.5)``",
    "x",
    in_double(erfc),
    lambda g, ct, x, y: (ct * g.exp(-g.square(x)) * (-2 / sqrt(pi)),),
)
elementwise(
    "lgamma",
    "y = the logarithm of |gamma(x)|; inf at 0, -1, -2, ... and at -inf. Gradient ct * digamma(x). "
    "Source: Abramowitz and Stegun 6.1.33 near 2, 6.1.41 from 10 on, 6.1.17 below 0. "
    "Example: ``x * log(rate) - rate - lgamma(x + 1)``",
    "x",
    in_double(lgamma),
    lambda g, ct, x, y: (ct * g.digamma(x),),
)
elementwise(
    "digamma",
    "y = the derivative of lgamma; -inf at 0, inf at -0, nan at -1, -2, ... Gradient ct * trigamma(x). "
    "Source: Abramowitz and Stegun 6.3.18, 6.3.5, 6.3.7. Example: ``digamma(x) - log(x)``",
    "x",
    in_double(digamma),
    lambda g, ct, x, y: (ct * g.trigamma(x),),
)
elementwise(
    "trigamma",
    "y = the derivative of digamma; inf at 0, -1, -2, ... Gradient ct * polygamma(x, order=2). "
    "Source: as of polygamma. Example: ``trigamma(x) - 1 / x``",
    "x",
    in_double(lambda xp, x: polygamma(xp, x, 1)),
    lambda g, ct, x, y: (ct * g.polygamma(x, order=2),),
)


@op("polygamma", ports="x")
class Polygamma(Op):
    """Derivative number ``order`` of digamma: (-1)**(order + 1) * order! * the sum of (x + k)**-(order + 1), k >= 0.

    Shapes: y as x. Orders 0 and 1 are digamma and trigamma.
    Constraints: (C1) floats.
    Gradient: ct * polygamma(x, order + 1); an order above 100, which only that can reach, is allowed.
    Special values: at 0, -1, -2, ... odd orders are inf, even ones nan; but -inf at 0 and inf at -0.
    Example: ``polygamma(x, order=2)``
    Source: Abramowitz and Stegun 6.4.10, 23.1.30, 6.4.7.
    """

    order: int = attribute("which derivative of digamma", minimum=2, maximum=100)

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(in_double(polygamma)(xp, arrays[0], self.order))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (ct * g.polygamma(values[0], order=self.order + 1),)
