"""Ops that make arrays from attributes alone, or from the shape of an operand. None depends on numbers of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from graphspec.dims import Dim, Expr, floordiv
from graphspec.errors import OpTypeError
from graphspec.op import Dtype, Op, attribute, native, op
from graphspec.types import DTYPES, FLOATS, INTEGERS, Shape, TensorType, kind


@dataclass(frozen=True)
class Creation(Op):
    """What ops share that make an array of a given shape and dtype."""

    shape: Shape = attribute("shape of the result", minimum=0)
    dtype: Dtype = attribute("dtype of the result; default: the document's float dtype", default="float64")

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(self.dtype, self.shape)


def _require_value(name: str, value: float, dtype: str) -> None:
    """Check C1: ``dtype`` has the number."""
    fits = True
    if kind(dtype) == "boolean":
        fits = value in (0, 1)
    elif kind(dtype) == "integer":
        bits = int(dtype.lstrip("uint"))
        low, high = (0, 2**bits) if dtype.startswith("u") else (-(2 ** (bits - 1)), 2 ** (bits - 1))
        fits = isfinite(value) and value == int(value) and low <= value < high
    if not fits:
        raise OpTypeError("C1", f"{name} cannot hold {value} in {dtype}", code="GS405")


def _filled(xp: Any, shape: Any, value: float, dtype: str) -> Any:
    number: Any = value if kind(dtype) in ("float", "complex") else int(value)
    return xp.full(shape, number, dtype=native(xp, dtype))


@op("zeros", ports="")
class Zeros(Creation):
    """An array of zeros.

    Shapes: y as ``shape`` says.
    Gradient: none: it has no operand.
    Example: ``zeros(shape=[2, 3])``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.zeros(self.shape, dtype=native(xp, self.dtype))


@op("ones", ports="")
class Ones(Creation):
    """An array of ones; of booleans, all true.

    Shapes: y as ``shape`` says.
    Gradient: none: it has no operand.
    Example: ``ones(shape=[2, 3])``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.ones(self.shape, dtype=native(xp, self.dtype))


@op("full", ports="")
class Full(Creation):
    """An array of one number.

    Shapes: y as ``shape`` says.
    Constraints: (C1) the dtype has the number: integers are whole and in range, booleans 0 or 1.
    Gradient: none: it has no operand. For a number that is computed there is broadcast_to.
    Example: ``full(shape=[2, 3], value=0.5)``
    """

    value: float = attribute("the number", default=0.0)

    def infer(self, *types: TensorType) -> TensorType:
        _require_value(self.name, self.value, self.dtype)
        return super().infer(*types)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return _filled(xp, self.shape, self.value, self.dtype)


@dataclass(frozen=True)
class Like(Op):
    """What ops share that make an array of the shape of an operand."""

    # not a Dtype: that would default to the document's
    dtype: str | None = attribute("dtype of the result; null is that of x", default=None, choices=DTYPES)

    def infer(self, *types: TensorType) -> TensorType:
        return types[0].with_dtype(self.dtype or types[0].dtype)

    def filled(self, xp: Any, x: Any, value: float) -> Any:
        """Return an array of the shape of ``x``."""
        return _filled(xp, x.shape, value, self.dtype or str(x.dtype))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (None,)


@op("zeros_like", ports="x")
class ZerosLike(Like):
    """Zeros in the shape of x.

    Shapes: y as x.
    Gradient: zero, for only the shape of x counts.
    Example: ``zeros_like(x)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.filled(xp, arrays[0], 0)


@op("ones_like", ports="x")
class OnesLike(Like):
    """Ones in the shape of x; of booleans, all true.

    Shapes: y as x.
    Gradient: zero, for only the shape of x counts.
    Example: ``sum(ones_like(x), axis=0)``
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.filled(xp, arrays[0], 1)


@op("full_like", ports="x")
class FullLike(Like):
    """One number in the shape of x.

    Shapes: y as x.
    Constraints: (C1) the dtype has the number: integers are whole and in range, booleans 0 or 1.
    Gradient: zero, for only the shape of x counts.
    Example: ``full_like(x, value=-inf)``
    """

    value: float = attribute("the number", default=0.0)

    def infer(self, *types: TensorType) -> TensorType:
        found = super().infer(*types)
        _require_value(self.name, self.value, found.dtype)
        return found

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return self.filled(xp, arrays[0], self.value)


@op("eye", ports="")
class Eye(Op):
    """A matrix with ones on a diagonal and zeros elsewhere.

    Shapes: ``[rows, columns]``.
    Gradient: none: it has no operand.
    Example: ``eye(rows=3)``
    """

    rows: Dim = attribute("the number of rows", minimum=0)
    columns: Dim | None = attribute("the number of columns; null is as many as rows", default=None, minimum=0)
    k: int = attribute("which diagonal: 0 is the main one, higher ones lie above it", default=0)
    dtype: Dtype = attribute("dtype of the result; default: the document's float dtype", default="float64")

    def infer(self, *types: TensorType) -> TensorType:
        shape = (self.rows, self.rows if self.columns is None else self.columns)
        return TensorType(self.dtype, shape)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.eye(self.rows, self.columns, k=self.k, dtype=native(xp, self.dtype))


@op("arange", ports="")
class Arange(Op):
    """The numbers from ``start`` to before ``stop``, ``step`` apart.

    Shapes: [(stop - start) / step], rounded up; 0 where stop lies before start. A symbolic one is taken not to, which
    is checked when run.
    Constraints: (C1) step is not 0.
    Gradient: none: it has no operand.
    Special values: what a narrow integer dtype cannot hold is undefined. For fractions there is linspace.
    Example: ``arange(stop=x.shape[0])``
    """

    stop: Dim = attribute("where to end; not included")
    start: Dim = attribute("the first number", default=0)
    step: int = attribute("the distance of two numbers", default=1)
    # not a Dtype: that would default to the document's
    dtype: str = attribute("dtype of the result", default="int64", choices=(*INTEGERS, *FLOATS))

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType(self.dtype, (self._count(),))

    def _count(self) -> Dim:
        """Return how many numbers there are."""
        if self.step == 0:
            raise OpTypeError("C1", "arange needs a step other than 0", code="GS402")
        distance = self.stop - self.start if self.step > 0 else self.start - self.stop
        count = floordiv(distance + abs(self.step) - 1, abs(self.step))
        return count if isinstance(count, Expr) else max(count, 0)

    def bind(self, env: Mapping[str, int]) -> Op:
        """Return the op with integers for its symbols.

        Raises:
            ValueError: stop lies before start.
        """
        bound: Any = super().bind(env)
        if bound is not self and (bound.stop - bound.start) * self.step < 0:
            raise ValueError(
                f"arange from {self.start} to {self.stop}, here {bound.start} to {bound.stop}, has no length"
            )
        return bound

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        numbers = xp.arange(self.start, self.stop, self.step, dtype=native(xp, "int64"))
        return xp.astype(numbers, native(xp, self.dtype))


@op("linspace", ports="")
class Linspace(Op):
    """``num`` numbers from ``start`` to ``stop``, equally far apart.

    Shapes: ``[num]``.
    Constraints: (C1) start and stop are finite.
    Gradient: none: it has no operand. For ends that are computed, a + (b - a) * linspace(...).
    Special values: one number is start.
    Example: ``linspace(start=0, stop=1, num=11)``
    """

    start: float = attribute("the first number")
    stop: float = attribute("the last number")
    num: Dim = attribute("how many numbers", minimum=0)
    endpoint: bool = attribute("whether stop is the last number; else it would be the next", default=True)
    dtype: Dtype = attribute(
        "dtype of the result; default: the document's float dtype", default="float64", choices=FLOATS
    )

    def infer(self, *types: TensorType) -> TensorType:
        if not (isfinite(self.start) and isfinite(self.stop)):
            raise OpTypeError("C1", f"linspace needs finite ends, found {self.start} and {self.stop}")
        return TensorType(self.dtype, (self.num,))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        kept: Any = self.num
        numbers = xp.linspace(self.start, self.stop, kept, endpoint=self.endpoint, dtype=native(xp, "float64"))
        return xp.astype(numbers, native(xp, self.dtype))
