"""Ops that take axes away: sums, means, extremes, products and counts."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, nan, prod
from typing import Any

from graphspec.dims import product
from graphspec.errors import OpTypeError
from graphspec.op import Axes, Dtype, Op, attribute, front_axes, native, op, require_kind
from graphspec.types import FLOATS, TensorType, kind


@dataclass(frozen=True)
class Reduction(Op):
    """What reductions share: their attributes, (C1) the kind of x, and (C2) the axes are in range and distinct."""

    axis: Axes = attribute(
        "axis or axes to reduce; negative ones count from the end, null is all of them", default=None
    )
    keepdims: bool = attribute("whether the reduced axes stay, with size 1", default=False)

    def axes(self, rank: int) -> tuple[int, ...]:
        """Return the reduced axes, counted from the front."""
        axis = (self.axis,) if isinstance(self.axis, int) else self.axis
        return tuple(range(rank)) if axis is None else front_axes("C2", axis, rank)

    def reduced(self, x: TensorType, dtype: str) -> TensorType:
        """Return the type of the result."""
        axes = self.axes(x.rank)
        dims = ((1 if i in axes else dim) for i, dim in enumerate(x.shape) if self.keepdims or i not in axes)
        return TensorType(dtype, tuple(dims))

    def require_elements(self, x: TensorType) -> None:
        """Check C3: no reduced axis has size 0. A symbolic one is checked when the graph is run."""
        for axis in self.axes(x.rank):
            if x.shape[axis] == 0:
                message = f"{self.name} over an empty axis has no value: axis {axis} of {x}"
                raise OpTypeError("C3", message, code="GS402")

    def compute(self, xp: Any, function: Any, x: Any) -> Any:
        """Call a reduction of the array namespace."""
        return xp.asarray(function(x, axis=self.axes(x.ndim), keepdims=self.keepdims))

    def spread(self, g: Any, reduced: Any, x: Any) -> Any:
        """Put the reduced axes back into a result or its cotangent, with size 1."""
        axes = self.axes(x.type.rank)
        return reduced if self.keepdims or not axes else g.expand_dims(reduced, axis=axes)


def _widened(g: Any, ct: Any, x: Any) -> Any:
    """Repeat ``ct`` to the shape of ``x``."""
    return ct if ct.type.shape == x.type.shape else g.broadcast_to(ct, shape=x.type.shape)


def _total_dtype(dtype: str) -> str:
    """Return the dtype of sums and products: floats keep theirs, integers take 64 bits, booleans are counted."""
    if kind(dtype) in ("float", "complex"):
        return dtype
    return "uint64" if dtype.startswith("uint") else "int64"


@op("sum", ports="x")
class Sum(Reduction):
    """The sum of the elements along axes.

    Shapes: x of any; y without the axes, or with size 1 there. Booleans and signed integers give int64, unsigned
    integers uint64, as in NumPy.
    Constraints: (C2) the axes are in range and distinct.
    Gradient: ct, repeated.
    Special values: the sum of nothing is 0.
    Example: ``sum(x * y, axis=-1)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        return self.reduced(types[0], _total_dtype(types[0].dtype))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.sum, arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        return (_widened(g, self.spread(g, ct, x), x),)


@op("mean", ports="x")
class Mean(Reduction):
    """The mean of the elements along axes; of booleans their share.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is float or bool; (C2) the axes are in range and distinct.
    Gradient: ct / count, repeated; none to booleans.
    Special values: the mean of nothing is nan.
    Example: ``mean(equal(argmax(logits, axis=-1), label))``
    """

    dtype: Dtype | None = attribute(
        "float dtype of the share when x is bool; null is float64", default=None, choices=FLOATS
    )

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if kind(x.dtype) not in ("float", "boolean"):
            hint = "cast(x, dtype=...) converts" if kind(x.dtype) == "integer" else ""
            raise OpTypeError("C1", f"mean takes floats or booleans, found {x}", hint=hint)
        return self.reduced(x, x.dtype if x.is_float else self.dtype or "float64")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        if x.dtype == native(xp, "bool"):
            x = xp.astype(x, native(xp, self.dtype or "float64"))
        if prod(x.shape[axis] for axis in self.axes(x.ndim)) == 0:
            return xp.asarray(self.compute(xp, xp.sum, x) + nan)  # NumPy's mean of nothing warns
        return self.compute(xp, xp.mean, x)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        count = product(x.type.shape[axis] for axis in self.axes(x.type.rank))
        return (_widened(g, self.spread(g, ct, x) / count, x),)


class Extreme(Reduction):
    """What max and min share."""

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind(self.name, "real", x)
        self.require_elements(x)
        return self.reduced(x, x.dtype)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        hit = g.equal(x, self.spread(g, y, x))
        count = g.sum(g.cast(hit, dtype=x.type.dtype), axis=self.axes(x.type.rank), keepdims=True)
        return (g.where(hit, self.spread(g, ct, x) / count, 0),)


@dataclass(frozen=True)
class Spread(Reduction):
    """What `var` and `std` share."""

    correction: int = attribute("what is taken off the count: 1 gives the unbiased variance of a sample", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        return self.reduced(types[0], types[0].dtype)

    def variance(self, xp: Any, x: Any) -> Any:
        """Return the variance, nan where the count is not above the correction."""
        axes = self.axes(x.ndim)
        count = prod(x.shape[axis] for axis in axes)
        centred = x - xp.sum(x, axis=axes, keepdims=True) / max(count, 1)
        total = xp.sum(centred * centred, axis=axes, keepdims=self.keepdims)
        return total / (count - self.correction) if count > self.correction else total * nan

    def centred(self, g: Any, x: Any) -> tuple[Any, Any]:
        """Emit x less its mean; and return the count less the correction."""
        axes = self.axes(x.type.rank)
        count = product(x.type.shape[axis] for axis in axes)
        return x - g.mean(x, axis=axes, keepdims=True), count - self.correction


@op("var", ports="x")
class Var(Spread):
    """The variance along axes: the mean of (x - mean)**2, or their sum over the count less ``correction``.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is float; (C2) the axes are in range and distinct.
    Gradient: ct * 2 * (x - mean) / (count - correction).
    Special values: nan where the count is not above the correction.
    Example: ``var(x, axis=0, correction=1)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(self.variance(xp, arrays[0]))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        centred, count = self.centred(g, values[0])
        return (self.spread(g, ct, values[0]) * 2 * centred / count,)


@op("std", ports="x")
class Std(Spread):
    """The standard deviation along axes, the square root of `var`.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is float; (C2) the axes are in range and distinct.
    Gradient: ct * (x - mean) / ((count - correction) * y), and 0 where y is 0.
    Special values: nan where the count is not above the correction.
    Example: ``std(x, axis=[0, 1])``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(xp.sqrt(self.variance(xp, arrays[0])))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        centred, count = self.centred(g, x)
        flat = g.equal(y, 0)
        scale = g.where(flat, 0, ct / g.where(flat, 1, y))
        return (self.spread(g, scale, x) * centred / count,)


@op("logsumexp", ports="x")
class LogSumExp(Reduction):
    """The logarithm of the sum of e**x along axes; the greatest element is taken off first, so nothing overflows.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is float; (C2) the axes are in range and distinct.
    Gradient: ct * e**(x - y), the softmax of x.
    Special values: of nothing, and of -inf only, -inf; inf where there is an inf. There the gradient to them is nan.
    Example: ``logsumexp(logits)``
    """

    axis: Axes = attribute(
        "axis or axes of the sum; negative ones count from the end, null is all of them", default=(-1,)
    )

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "float", *types)
        return self.reduced(types[0], types[0].dtype)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        if prod(x.shape[axis] for axis in self.axes(x.ndim)) == 0:
            return xp.asarray(self.compute(xp, xp.sum, x) - inf)
        greatest = xp.max(x, axis=self.axes(x.ndim), keepdims=True)
        shift = xp.where(xp.isfinite(greatest), greatest, 0)  # inf - inf would be nan
        y = xp.log(xp.sum(xp.exp(x - shift), axis=self.axes(x.ndim), keepdims=True)) + shift
        return xp.asarray(y if self.keepdims else xp.squeeze(y, axis=self.axes(x.ndim)))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, y = values
        return (self.spread(g, ct, x) * g.exp(x - self.spread(g, y, x)),)


@op("max", ports="x")
class Max(Extreme):
    """The greatest element along axes.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x holds real numbers; (C2) the axes are in range and distinct; (C3) they are not empty.
    Gradient: ct to the greatest element, in equal shares where there are several.
    Special values: nan where there is a nan, without a gradient.
    Example: ``x - max(x, axis=-1, keepdims=true)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.max, arrays[0])


@op("min", ports="x")
class Min(Extreme):
    """The least element along axes.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x holds real numbers; (C2) the axes are in range and distinct; (C3) they are not empty.
    Gradient: ct to the least element, in equal shares where there are several.
    Special values: nan where there is a nan, without a gradient.
    Example: ``min(distance, axis=0)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.min, arrays[0])


@op("prod", ports="x")
class Prod(Reduction):
    """The product of the elements along axes.

    Shapes: x of any; y without the axes, or with size 1 there. Signed integers give int64, unsigned ones uint64.
    Constraints: (C1) x holds numbers; (C2) the axes are in range and distinct.
    Gradient: ct times the product of the other elements, computed without division: right where elements are 0.
    Special values: the product of nothing is 1.
    Example: ``prod(probabilities, axis=0)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "number", *types)
        return self.reduced(types[0], _total_dtype(types[0].dtype))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.prod, arrays[0])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0]
        axes = self.axes(x.type.rank)
        partial = [x]  # the product over several axes is one over the first, then one over the second, ...
        for axis in axes[:-1]:
            partial.append(g.prod(partial[-1], axis=(axis,), keepdims=True))
        ct = self.spread(g, ct, x)
        for factors, axis in zip(reversed(partial), reversed(axes), strict=False):
            before = g.recurrence(factors, 0, axis=axis, initial=1.0)
            after = g.recurrence(factors, 0, axis=axis, initial=1.0, reverse=True)
            ct = ct * (before * after)
        return (ct,)


@op("count_nonzero", ports="x")
class CountNonzero(Reduction):
    """The number of elements along axes that are not 0, or true.

    Shapes: x of any dtype; y, int64, without the axes, or with size 1 there.
    Constraints: (C2) the axes are in range and distinct.
    Gradient: none.
    Special values: nan counts, -0 does not.
    Example: ``count_nonzero(weight, axis=0)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        return self.reduced(types[0], "int64")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        found = self.compute(xp, xp.sum, arrays[0] != 0)
        return xp.astype(found, native(xp, "int64"))


class Quantifier(Reduction):
    """What any and all share."""

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "boolean", *types)
        return self.reduced(types[0], "bool")


@op("any", ports="x")
class AnyTrue(Quantifier):
    """Whether an element along axes is true.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is bool; (C2) the axes are in range and distinct.
    Gradient: none.
    Special values: of nothing, false.
    Example: ``any(isnan(x))``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.any, arrays[0])


@op("all", ports="x")
class AllTrue(Quantifier):
    """Whether all elements along axes are true.

    Shapes: x of any; y without the axes, or with size 1 there.
    Constraints: (C1) x is bool; (C2) the axes are in range and distinct.
    Gradient: none.
    Special values: of nothing, true.
    Example: ``all(isfinite(x))``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.compute(xp, xp.all, arrays[0])
