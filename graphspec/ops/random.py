"""Random numbers: functions of the run's seed and step and of the node's own key, so that a run can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any, ClassVar

import numpy

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Dtype, Op, attribute, front_axis, native, op, require_kind
from graphspec.types import FLOATS, Shape, TensorType, broadcast, shape_text

KEY = "the node's own path; two random nodes with different keys are independent"


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
    key: str = attribute(KEY, default="")

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


@dataclass(frozen=True)
class Choice(Op):
    """What random ops share whose results are no floats: the seed as implicit last operand, and no gradient."""

    implicit: ClassVar[tuple[str, ...]] = ("seed",)

    def source(self, key: str, seed: Any) -> numpy.random.Generator:
        """Return the generator of the node in this run."""
        return generator(int(seed[0]), int(seed[1]), key)


@op("random_bernoulli", ports="p")
class RandomBernoulli(Choice):
    """Booleans, each true with probability ``p``.

    Shapes: y, bool, as ``shape`` says, or as p; p broadcasts to it. The run's seed, int64[2], is an implicit operand.
    Constraints: (C1) p is float; (C2) p broadcasts to ``shape``.
    Gradient: none.
    Special values: never true at p = 0 or below, or nan; always at 1 or above.
    Example: ``where(random_bernoulli(0.9, shape=[n]), x / 0.9, 0)``
    """

    shape: Shape | None = attribute("shape of the result; null is that of p", default=None, minimum=0)
    key: str = attribute(KEY, default="")

    def infer(self, *types: TensorType) -> TensorType:
        p = types[0]
        require_kind(self.name, "float", p)
        shape = p.shape if self.shape is None else self.shape
        if broadcast(p.shape, shape) != shape:
            raise OpTypeError("C2", f"p, {p}, does not broadcast to {shape_text(shape)}", code="GS402")
        return TensorType("bool", shape)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        p, seed = arrays
        shape: Any = p.shape if self.shape is None else self.shape
        return xp.asarray(self.source(self.key, seed).random(shape) < p)


@op("random_categorical", ports="logits")
class RandomCategorical(Choice):
    """One index along an axis, drawn with the probabilities softmax(logits).

    Shapes: ``logits[a, n]`` to ``[a]``, int64, for ``axis=-1``; broadcast the logits for more draws. The run's seed,
    int64[2], is an implicit operand.
    Constraints: (C1) logits are floats; (C2) ``axis`` is an axis of the logits; (C3) it is not empty.
    Gradient: none.
    Special values: -inf is never drawn, unless all are.
    Example: ``random_categorical(logits, axis=-1)``
    Source: Maddison, Tarlow and Minka, A* sampling (2014): the greatest logit after Gumbel noise.
    """

    axis: int = attribute("the axis of the categories", default=-1)
    key: str = attribute(KEY, default="")

    def infer(self, *types: TensorType) -> TensorType:
        logits = types[0]
        require_kind(self.name, "float", logits)
        axis = front_axis("C2", self.axis, logits.rank)
        if logits.shape[axis] == 0:
            raise OpTypeError("C3", f"random_categorical has nothing to draw: axis {axis} of {logits}", code="GS402")
        return TensorType("int64", (*logits.shape[:axis], *logits.shape[axis + 1 :]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        logits, seed = arrays
        noise = self.source(self.key, seed).gumbel(size=logits.shape)
        return xp.asarray(xp.argmax(logits + noise, axis=self.axis), dtype=native(xp, "int64"))


@op("random_permutation", ports="")
class RandomPermutation(Choice):
    """The numbers from 0 to n - 1 in an order drawn at random, all orders equally likely.

    Shapes: ``[n]``, int64; the run's seed, int64[2], is an implicit operand.
    Gradient: none.
    Example: ``take(x, random_permutation(n=x.shape[0]), axis=0)``
    """

    n: Dim = attribute("how many numbers", minimum=0)
    key: str = attribute(KEY, default="")

    def infer(self, *types: TensorType) -> TensorType:
        return TensorType("int64", (self.n,))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        count: Any = self.n
        return xp.asarray(self.source(self.key, arrays[0]).permutation(count), dtype=native(xp, "int64"))
