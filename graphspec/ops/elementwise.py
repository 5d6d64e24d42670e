"""Ops that work element by element on operands that broadcast: arithmetic, functions, comparisons, choices.

Constraints of all of them: (C1) operands are of the kind that the op takes, floats unless stated; (C2) they share a
dtype; (C3) their shapes broadcast to the shape of the result.
"""

from __future__ import annotations

from functools import reduce
from math import log as ln
from typing import Any

from graphspec.errors import OpTypeError
from graphspec.op import (
    Dtype,
    Op,
    attribute,
    broadcast_types,
    elementwise,
    native,
    op,
    require_kind,
    same_dtype,
)
from graphspec.types import TensorType, kind


def _pow_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    """Keep 0 * inf out of both gradients: for the base at 0**0, for the exponent wherever the base is 0."""
    if b.number is not None:
        return _power_vjp(g, ct, a, b), None
    zero = g.equal(a, 0)
    exponent = g.where(g.logical_and(zero, g.equal(b, 0)), 1, b) - 1
    base = g.where(zero, 1, a)
    return ct * b * g.pow(a, exponent), ct * g.pow(base, b) * g.log(base)


def _power_vjp(g: Any, ct: Any, a: Any, b: Any) -> Any:
    """Return the cotangent of the base for an exponent that is a written number."""
    if b.number in (0, 1):
        return ct if b.number == 1 else None
    return ct * b * (a if b.number == 2 else g.pow(a, b.number - 1))


def _atan2_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    scaled = ct / (g.square(a) + g.square(b))
    return scaled * b, -scaled * a


def _hypot_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    scaled = ct / g.where(g.equal(y, 0), 1, y)
    return scaled * a, scaled * b


def _copysign_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    return ct * (g.sign(a) * g.copysign(1, b)), None


def _logaddexp_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    """Keep inf - inf out of the shares e**(a - y) and e**(b - y)."""
    alone = g.where(g.equal(a, b), -ln(2), g.zeros_like(y))
    return tuple(ct * g.exp(g.where(g.equal(x, y), alone, x - y)) for x in (a, b))


def _extreme_vjp(g: Any, ct: Any, chosen: Any, other: Any, tie: Any) -> tuple[Any, ...]:
    """Give ``ct`` to the chosen operand; at a tie half to each."""
    shared = g.where(tie, ct * 0.5, 0)
    return g.where(chosen, ct, shared), g.where(other, ct, shared)


def _maximum_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    return _extreme_vjp(g, ct, g.greater(a, b), g.less(a, b), g.equal(a, b))


def _minimum_vjp(g: Any, ct: Any, a: Any, b: Any, y: Any) -> tuple[Any, ...]:
    return _extreme_vjp(g, ct, g.less(a, b), g.greater(a, b), g.equal(a, b))


def _clip_vjp(g: Any, ct: Any, x: Any, low: Any, high: Any, y: Any) -> tuple[Any, ...]:
    inside = g.logical_and(g.less_equal(low, x), g.less_equal(x, high))
    above = g.greater(g.maximum(x, low), high)
    below = g.logical_and(g.less(x, low), g.logical_not(above))
    return g.where(inside, ct, 0), g.where(below, ct, 0), g.where(above, ct, 0)


# A table: each op is its name, doc and ports, then its two formulas.
# fmt: off

# Arithmetic

elementwise("identity", "y = x, of any dtype. Gradient ct.", "x",
            lambda xp, x: x, lambda g, ct, x, y: (ct,), takes="any")
elementwise("stop_gradient", "y = x, of any dtype. Gradient zero by definition: x counts as a constant.", "x",
            lambda xp, x: x, lambda g, ct, x, y: (None,), takes="any")
elementwise("add", "y = the sum of one or more numbers, from left to right. Gradient ct for each.", "*terms",
            lambda xp, *terms: reduce(xp.add, terms), lambda g, ct, *values: (ct,) * (len(values) - 1), takes="number")
elementwise("subtract", "y = a - b, of numbers. Gradients ct, -ct.", "a b",
            lambda xp, a, b: xp.subtract(a, b), lambda g, ct, a, b, y: (ct, -ct), takes="number")
elementwise("multiply", "y = a * b, of numbers. Gradients ct * b, ct * a.", "a b",
            lambda xp, a, b: xp.multiply(a, b), lambda g, ct, a, b, y: (ct * b, ct * a), takes="number")
elementwise("divide", "y = a / b; 1 / 0 is inf, 0 / 0 is nan. Gradients ct / b, -ct * y / b.", "a b",
            lambda xp, a, b: xp.divide(a, b), lambda g, ct, a, b, y: (ct / b, -ct * y / b))
elementwise("floor_divide", "y = floor(a / b), of real numbers. Gradients zero, at the steps too.", "a b",
            lambda xp, a, b: xp.floor_divide(a, b), lambda g, ct, a, b, y: (None, None), takes="real")
elementwise("remainder", "y = a - b * floor(a / b), of real numbers; it has the sign of b. "
            "Gradients ct, -ct * floor(a / b), at the steps too.", "a b",
            lambda xp, a, b: xp.remainder(a, b), lambda g, ct, a, b, y: (ct, -ct * g.floor_divide(a, b)), takes="real")
elementwise("negative", "y = -x, of numbers. Gradient -ct.", "x",
            lambda xp, x: xp.negative(x), lambda g, ct, x, y: (-ct,), takes="number")
elementwise("reciprocal", "y = 1 / x; inf at 0. Gradient -ct * y**2.", "x",
            lambda xp, x: 1 / x, lambda g, ct, x, y: (-ct * g.square(y),))
elementwise("square", "y = x**2, of numbers. Gradient 2 * ct * x.", "x",
            lambda xp, x: xp.multiply(x, x), lambda g, ct, x, y: (ct * x * 2,), takes="number")
elementwise("pow", "y = a**b, of real numbers; integers take exponents from 0 on; 0**0 is 1. "
            "Gradients ct * b * a**(b - 1), which is 0 at b = 0, and ct * y * log(a), which is 0 at a = 0.", "a b",
            lambda xp, a, b: xp.pow(a, b), _pow_vjp, takes="real")
elementwise("hypot", "y = sqrt(a**2 + b**2) without overflow. Gradients ct * a / y, ct * b / y: 0 where both are 0. "
            "Example: ``hypot(real, imaginary)``", "a b",
            lambda xp, a, b: xp.hypot(a, b), _hypot_vjp)

# Exponentials, logarithms, roots

elementwise("exp", "y = e**x. Gradient ct * y.", "x",
            lambda xp, x: xp.exp(x), lambda g, ct, x, y: (ct * y,))
elementwise("expm1", "y = e**x - 1, exact near 0. Gradient ct * e**x.", "x",
            lambda xp, x: xp.expm1(x), lambda g, ct, x, y: (ct * g.exp(x),))
elementwise("log", "y = the natural logarithm of x; -inf at 0, nan below. Gradient ct / x.", "x",
            lambda xp, x: xp.log(x), lambda g, ct, x, y: (ct / x,))
elementwise("log1p", "y = log(1 + x), exact near 0. Gradient ct / (1 + x).", "x",
            lambda xp, x: xp.log1p(x), lambda g, ct, x, y: (ct / (x + 1),))
elementwise("log2", "y = the logarithm of x to base 2. Gradient ct / (x * log(2)).", "x",
            lambda xp, x: xp.log2(x), lambda g, ct, x, y: (ct / (x * ln(2)),))
elementwise("log10", "y = the logarithm of x to base 10. Gradient ct / (x * log(10)).", "x",
            lambda xp, x: xp.log10(x), lambda g, ct, x, y: (ct / (x * ln(10)),))
elementwise("sqrt", "y = the square root of x; nan below 0. Gradient ct / (2 * y): inf at 0.", "x",
            lambda xp, x: xp.sqrt(x), lambda g, ct, x, y: (ct / (y * 2),))
elementwise("logaddexp", "y = log(e**a + e**b) without overflow. Gradients ct * e**(a - y), ct * e**(b - y), the "
            "shares of the two; where both are the same infinity half each. Example: ``logaddexp(x, 0)``", "a b",
            lambda xp, a, b: xp.logaddexp(a, b), _logaddexp_vjp)
elementwise("rsqrt", "y = 1 / sqrt(x); inf at 0, nan below. Gradient -ct * y**3 / 2: -inf at 0. "
            "Example: ``x * rsqrt(variance + 1e-5)``", "x",
            lambda xp, x: 1 / xp.sqrt(x), lambda g, ct, x, y: (ct * (y * g.square(y)) * -0.5,))
elementwise("cbrt", "y = the real number whose cube is x. Gradient ct / (3 * y**2): inf at 0. "
            "Example: ``cbrt(volume)``", "x",
            lambda xp, x: xp.cbrt(x), lambda g, ct, x, y: (ct / (g.square(y) * 3),))

# Angles, in radians, and hyperbolic functions

elementwise("sin", "y = sin(x). Gradient ct * cos(x).", "x",
            lambda xp, x: xp.sin(x), lambda g, ct, x, y: (ct * g.cos(x),))
elementwise("cos", "y = cos(x). Gradient -ct * sin(x).", "x",
            lambda xp, x: xp.cos(x), lambda g, ct, x, y: (-ct * g.sin(x),))
elementwise("tan", "y = tan(x). Gradient ct * (1 + y**2).", "x",
            lambda xp, x: xp.tan(x), lambda g, ct, x, y: (ct * (g.square(y) + 1),))
elementwise("asin", "y in [-pi/2, pi/2], the angle whose sine is x. Gradient ct / sqrt(1 - x**2).", "x",
            lambda xp, x: xp.asin(x), lambda g, ct, x, y: (ct / g.sqrt((1 - x) * (1 + x)),))
elementwise("acos", "y in [0, pi], the angle whose cosine is x. Gradient -ct / sqrt(1 - x**2).", "x",
            lambda xp, x: xp.acos(x), lambda g, ct, x, y: (-ct / g.sqrt((1 - x) * (1 + x)),))
elementwise("atan", "y in [-pi/2, pi/2], the angle whose tangent is x. Gradient ct / (1 + x**2).", "x",
            lambda xp, x: xp.atan(x), lambda g, ct, x, y: (ct / (g.square(x) + 1),))
elementwise("atan2", "y in [-pi, pi], the angle of the point with height a and width b. "
            "Gradients ct * b / r, -ct * a / r with r = a**2 + b**2: nan at the origin.", "a b",
            lambda xp, a, b: xp.atan2(a, b), _atan2_vjp)
elementwise("sinh", "y = sinh(x). Gradient ct * cosh(x).", "x",
            lambda xp, x: xp.sinh(x), lambda g, ct, x, y: (ct * g.cosh(x),))
elementwise("cosh", "y = cosh(x). Gradient ct * sinh(x).", "x",
            lambda xp, x: xp.cosh(x), lambda g, ct, x, y: (ct * g.sinh(x),))
elementwise("tanh", "y = tanh(x). Gradient ct * (1 - y**2).", "x",
            lambda xp, x: xp.tanh(x), lambda g, ct, x, y: (ct * ((1 - y) * (1 + y)),))
elementwise("asinh", "y whose sinh is x. Gradient ct / sqrt(x**2 + 1).", "x",
            lambda xp, x: xp.asinh(x), lambda g, ct, x, y: (ct / g.sqrt(g.square(x) + 1),))
elementwise("acosh", "y >= 0 whose cosh is x; nan below 1. Gradient ct / sqrt(x**2 - 1): inf at 1.", "x",
            lambda xp, x: xp.acosh(x), lambda g, ct, x, y: (ct / g.sqrt((x - 1) * (x + 1)),))
elementwise("atanh", "y whose tanh is x; nan outside [-1, 1]. Gradient ct / (1 - x**2).", "x",
            lambda xp, x: xp.atanh(x), lambda g, ct, x, y: (ct / ((1 - x) * (1 + x)),))

# Kinks and steps

elementwise("abs", "y = |x|, of real numbers. Gradient ct * sign(x): 0 at 0.", "x",
            lambda xp, x: xp.abs(x), lambda g, ct, x, y: (ct * g.sign(x),), takes="real")
elementwise("sign", "y = -1, 0 or 1, of real numbers; nan stays. Gradient zero, at 0 too.", "x",
            lambda xp, x: xp.sign(x), lambda g, ct, x, y: (None,), takes="real")
elementwise("copysign", "y = |a| with the sign of b, also of a zero. Gradient ct * sign(a), with the sign of b: 0 "
            "where a is 0. To b zero, at its step too. Example: ``copysign(1, x)``", "a b",
            lambda xp, a, b: xp.copysign(a, b), _copysign_vjp)
elementwise("signbit", "y = whether x has a minus sign, -0 and -nan too. No gradient. Example: ``signbit(x)``", "x",
            lambda xp, x: xp.signbit(x), gives="bool")
elementwise("nextafter", "y = the float next to a in the direction of b; a where they are equal. No gradient. "
            "Example: ``nextafter(x, inf)``", "a b",
            lambda xp, a, b: xp.nextafter(a, b))
elementwise("round", "y = the nearest integer, of halves the even one. Gradient zero, at the steps too.", "x",
            lambda xp, x: xp.round(x), lambda g, ct, x, y: (None,))
elementwise("floor", "y = the greatest integer up to x. Gradient zero, at the steps too.", "x",
            lambda xp, x: xp.floor(x), lambda g, ct, x, y: (None,))
elementwise("ceil", "y = the least integer from x on. Gradient zero, at the steps too.", "x",
            lambda xp, x: xp.ceil(x), lambda g, ct, x, y: (None,))
elementwise("trunc", "y = x without its fraction. Gradient zero, at the steps too.", "x",
            lambda xp, x: xp.trunc(x), lambda g, ct, x, y: (None,))
elementwise("maximum", "y = the greater of two real numbers; nan if one is. "
            "Gradient ct to the greater, half each at a tie.", "a b",
            lambda xp, a, b: xp.maximum(a, b), _maximum_vjp, takes="real")
elementwise("minimum", "y = the lesser of two real numbers; nan if one is. "
            "Gradient ct to the lesser, half each at a tie.", "a b",
            lambda xp, a, b: xp.minimum(a, b), _minimum_vjp, takes="real")
elementwise("clip", "y = minimum(maximum(x, low), high), of real numbers. Gradient ct to x between the bounds and at "
            "them; strictly outside to the bound that y is.", "x low high",
            lambda xp, x, low, high: xp.minimum(xp.maximum(x, low), high), _clip_vjp, takes="real")

# Comparisons: bool, without gradient

elementwise("equal", "y = whether a is b. No gradient.", "a b",
            lambda xp, a, b: xp.equal(a, b), takes="any", gives="bool")
elementwise("not_equal", "y = whether a is not b. No gradient.", "a b",
            lambda xp, a, b: xp.not_equal(a, b), takes="any", gives="bool")
elementwise("less", "y = whether a < b, of real numbers. No gradient.", "a b",
            lambda xp, a, b: xp.less(a, b), takes="real", gives="bool")
elementwise("less_equal", "y = whether a <= b, of real numbers. No gradient.", "a b",
            lambda xp, a, b: xp.less_equal(a, b), takes="real", gives="bool")
elementwise("greater", "y = whether a > b, of real numbers. No gradient.", "a b",
            lambda xp, a, b: xp.greater(a, b), takes="real", gives="bool")
elementwise("greater_equal", "y = whether a >= b, of real numbers. No gradient.", "a b",
            lambda xp, a, b: xp.greater_equal(a, b), takes="real", gives="bool")
elementwise("isnan", "y = whether a number is nan. No gradient.", "x",
            lambda xp, x: xp.isnan(x), takes="number", gives="bool")
elementwise("isinf", "y = whether a number is inf or -inf. No gradient.", "x",
            lambda xp, x: xp.isinf(x), takes="number", gives="bool")
elementwise("isfinite", "y = whether a number is neither nan nor inf nor -inf. No gradient.", "x",
            lambda xp, x: xp.isfinite(x), takes="number", gives="bool")
elementwise("logical_and", "y = whether both booleans are true. No gradient.", "a b",
            lambda xp, a, b: xp.logical_and(a, b), takes="boolean")
elementwise("logical_or", "y = whether one of two booleans is true, or both. No gradient.", "a b",
            lambda xp, a, b: xp.logical_or(a, b), takes="boolean")
elementwise("logical_xor", "y = whether exactly one of two booleans is true. No gradient.", "a b",
            lambda xp, a, b: xp.logical_xor(a, b), takes="boolean")
elementwise("logical_not", "y = whether a boolean is false. No gradient.", "x",
            lambda xp, x: xp.logical_not(x), takes="boolean")

# fmt: on


@op("where", ports="condition:boolean x y")
class Where(Op):
    """The element of x where the condition holds, else the element of y.

    Shapes: all three broadcast to the shape of the result; x and y are of any dtype.
    Constraints: (C1) condition is bool; (C2) x and y share a dtype; (C3) the shapes broadcast.
    Gradient: ct to the one that was chosen, 0 to the other, none to the condition.
    Special values: 0 times an infinite derivative of the branch not chosen is nan, so keep its operand in range:
    ``log(where(x > 0, x, 1))``, not ``where(x > 0, log(x), 0)``.
    Example: ``where(x > 0, x, 0.1 * x)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        condition, x, y = types
        if condition.dtype != "bool":
            hint = "compare it: x != 0"
            raise OpTypeError("C1", f"where takes a bool condition, found {condition}", hint=hint)
        same_dtype("where", x, y)
        return TensorType(x.dtype, broadcast_types("where", condition, x, y))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.where(*arrays)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        condition = values[0]
        return None, g.where(condition, ct, 0), g.where(condition, 0, ct)


@op("cast", ports="x")
class Cast(Op):
    """The same values in another dtype.

    Shapes: y as x. From float to integer fractions are cut off; to bool, y = x != 0.
    Constraints: (C1) complex numbers stay complex.
    Gradient: from float to float ct, cast back to the dtype of x; else none.
    Special values: what an integer dtype cannot hold, nan and inf too, gives an undefined integer.
    Example: ``cast(label, dtype="float32")``
    """

    dtype: Dtype = attribute("dtype of the result")

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if kind(x.dtype) == "complex" and kind(self.dtype) != "complex":
            raise OpTypeError("C1", f"complex numbers do not cast to {self.dtype}, found {x}")
        return x.with_dtype(self.dtype)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.astype(arrays[0], native(xp, self.dtype))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        return (g.cast(ct, dtype=x.type.dtype) if x.type.is_float else None,)


@op("nan_to_num", ports="x")
class NanToNum(Op):
    """The finite elements of ``x`` as they are, and numbers in place of the others.

    Shapes: y as x.
    Constraints: (C1) floats.
    Gradient: ct where x is finite, else 0.
    Special values: null as ``posinf`` or ``neginf`` stands for the greatest or least finite number of the dtype.
    Example: ``nan_to_num(x, value=0, posinf=1e6)``
    """

    value: float = attribute("what stands for nan", default=0.0)
    posinf: float | None = attribute("what stands for inf; null is the greatest finite number", default=None)
    neginf: float | None = attribute("what stands for -inf; null is the least finite number", default=None)

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        limits = xp.finfo(x.dtype)
        high = limits.max if self.posinf is None else self.posinf
        low = limits.min if self.neginf is None else self.neginf
        high, low, value = (xp.asarray(number, dtype=x.dtype) for number in (high, low, self.value))
        return xp.where(xp.isnan(x), value, xp.where(xp.isfinite(x), x, xp.where(x > 0, high, low)))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.where(g.isfinite(values[0]), ct, 0),)
