"""Random numbers: functions of the run's seed and step and of the node's own key, so that a run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any, ClassVar

import numpy

from graphspec.errors import OpTypeError
from graphspec.op import Dtype, Op, attribute, native, op
from graphspec.types import FLOATS, Shape, TensorType, shape_text


def generator(seed: int, step: int, key: str) -> numpy.random.Generator:
    """Return the generator of one node in one step: Philox, keyed by the seed, the step and the hash of ``key``.

    Source: Salmon et al., Parallel random numbers: as easy as 1, 2, 3 (2011).
    """
    digest = sha256(key.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "little") for i in range(0, len(digest), 4)]
    entropy = [*_halves(seed), *_halves(step), *words]
    return numpy.random.Generator(numpy.random.Philox(numpy.random.SeedSequence(entropy)))


def _halves(number: int) -> tuple[int, int]:
    """Split a 64-bit integer, so that each seed and step fills the same number of words."""
    return number & 0xFFFFFFFF, (number >> 32) & 0xFFFFFFFF


@dataclass(frozen=True)
class Draw(Op):
    """What random ops share: a shape, a dtype, a key, and the seed as implicit last operand."""

    implicit: ClassVar[tuple[str, ...]] = ("seed",)

    shape: Shape = attribute("shape of the result")
    dtype: Dtype = attribute("float dtype of the result", default="float64", choices=FLOATS)
    key: str = attribute("the node's own path; two random nodes with different keys are independent", default="")

    def infer(self, *types: TensorType) -> TensorType:
        if any(isinstance(dim, int) and dim < 0 for dim in self.shape):
            raise OpTypeError(
                "C1", f"{self.name} needs dims of 0 or more, found {shape_text(self.shape)}", code="GS402"
            )
        self.check()
        return TensorType(self.dtype, self.shape)

    def check(self) -> None:
        """Check C2: the distribution exists."""
        raise NotImplementedError(self.name)

    def sample(self, source: numpy.random.Generator, shape: Any, dtype: Any) -> Any:
        """Return numbers of the distribution."""
        raise NotImplementedError(self.name)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        seed, step = (int(word) for word in arrays[0])
        # NumPy draws in 32 and 64 bits; narrower floats are rounded from 32
        drawn = numpy.float64 if self.dtype == "float64" else numpy.float32
        numbers = self.sample(generator(seed, step, self.key), self.shape, drawn)
        return xp.asarray(numbers, dtype=native(xp, self.dtype))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (None,)


@op("random_uniform", ports="")
class RandomUniform(Draw):
    """Numbers drawn uniformly from low (included) to high.

    Shapes: y as ``shape`` says; the run's seed, int64[2], is an implicit operand.
    Constraints: (C1) no dim is negative; (C2) low and high are finite, low is not above high.
    Gradient: none.
    Special values: high itself may appear by rounding.
    Example: ``where(less(random_uniform(shape=[n]), 0.5), x, 0)``
    """

    low: float = attribute("lower bound", default=0.0)
    high: float = attribute("upper bound", default=1.0)

    def check(self) -> None:
        if not (isfinite(self.low) and isfinite(self.high) and self.low <= self.high):
            raise OpTypeError("C2", f"random_uniform needs low <= high, found low {self.low}, high {self.high}")

    def sample(self, source: numpy.random.Generator, shape: Any, dtype: Any) -> Any:
        return self.low + (self.high - self.low) * numpy.asarray(source.random(shape, dtype=dtype))


@op("random_normal", ports="")
class RandomNormal(Draw):
    """Numbers drawn from the normal distribution.

    Shapes: y as ``shape`` says; the run's seed, int64[2], is an implicit operand.
    Constraints: (C1) no dim is negative; (C2) mean and std are finite, std is not negative.
    Gradient: none.
    Example: ``x + random_normal(shape=[n], std=0.1)``
    """

    mean: float = attribute("mean of the distribution", default=0.0)
    std: float = attribute("its standard deviation", default=1.0, minimum=0.0)

    def check(self) -> None:
        if not (isfinite(self.mean) and isfinite(self.std) and self.std >= 0):
            raise OpTypeError("C2", f"random_normal needs std >= 0, found mean {self.mean}, std {self.std}")

    def sample(self, source: numpy.random.Generator, shape: Any, dtype: Any) -> Any:
        return self.mean + self.std * numpy.asarray(source.standard_normal(shape, dtype=dtype))
