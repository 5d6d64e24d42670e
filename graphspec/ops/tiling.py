"""Ops that turn an array around, repeat it, or go on beyond its ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim, product
from graphspec.errors import OpTypeError
from graphspec.op import Axes, Integers, Op, attribute, front_axes, front_axis, op
from graphspec.types import TensorType, kind


def _listed(axis: Axes, rank: int) -> tuple[int, ...]:
    """Return axes counted from the front, all of them for null; C1: they are distinct and in range."""
    return tuple(range(rank)) if axis is None else front_axes("C1", axis, rank)


@op("flip", ports="x")
class Flip(Op):
    """The elements in reverse order along axes.

    Shapes: y as x, of any dtype.
    Constraints: (C1) ``axis`` lists distinct axes of ``x``.
    Gradient: ``ct``, reversed.
    Example: ``flip(x, axis=-1)``
    """

    axis: Axes = attribute("the axes to reverse; null is all of them", default=None)

    def infer(self, *types: TensorType) -> TensorType:
        _listed(self.axis, types[0].rank)
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.asarray(xp.flip(arrays[0], axis=_listed(self.axis, arrays[0].ndim)))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.flip(ct, axis=self.axis),)


@op("roll", ports="x")
class Roll(Op):
    """The elements moved on by ``shift`` places along axes; what leaves at the end comes back at the beginning.

    Shapes: y as x, of any dtype. Without ``axis``, x is rolled as one row, in row-major order.
    Constraints: (C1) ``axis`` lists distinct axes of ``x``; (C2) ``shift`` has one entry, or one for each axis listed.
    Gradient: ``ct``, rolled back.
    Example: ``roll(x, shift=1, axis=-1)``
    """

    shift: Integers = attribute("how many places, towards higher indices; negative ones towards lower")
    axis: Axes = attribute("the axes to roll along; null rolls all elements as one row", default=None)

    def infer(self, *types: TensorType) -> TensorType:
        axes = (0,) if self.axis is None else _listed(self.axis, types[0].rank)
        if len(self.shift) != 1 and len(self.shift) != len(axes):
            raise OpTypeError("C2", f"roll needs 1 or {len(axes)} shifts, found {len(self.shift)}", code="GS404")
        return types[0]

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        if self.axis is None:
            return xp.roll(x, self.shift[0])
        axes = _listed(self.axis, x.ndim)
        shift = self.shift * len(axes) if len(self.shift) == 1 else self.shift
        return xp.roll(x, shift, axis=axes) if axes else x

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.roll(ct, shift=tuple(-shift for shift in self.shift), axis=self.axis),)


@op("tile", ports="x")
class Tile(Op):
    """Copies of the whole array side by side: ``repetitions[i]`` of them along axis i.

    Shapes: ``x[a, b]`` to ``[2*a, 3*b]`` for ``repetitions=[2, 3]``. The shorter of shape and repetitions is filled up
    with 1 in front.
    Gradient: ``ct`` added up over the copies.
    Example: ``tile(x, repetitions=[2, 1])``
    """

    repetitions: Integers = attribute("how many copies along each axis; fewer entries are for the last axes", minimum=0)

    def _aligned(self, x: TensorType) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
        """Return the repetitions and the dims of ``x``, filled up to one length."""
        rank = max(len(self.repetitions), x.rank)
        repetitions = (1,) * (rank - len(self.repetitions)) + self.repetitions
        return repetitions, (1,) * (rank - x.rank) + x.shape

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        return TensorType(x.dtype, tuple(product(pair) for pair in zip(*self._aligned(x), strict=True)))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.tile(arrays[0], self.repetitions)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x = values[0].type
        pairs = zip(*self._aligned(x), strict=True)
        apart = g.reshape(ct, shape=tuple(dim for pair in pairs for dim in pair))
        return (g.reshape(g.sum(apart, axis=tuple(range(0, apart.type.rank, 2))), shape=x.shape),)


@op("repeat", ports="x")
class Repeat(Op):
    """Each element ``repeats`` times, one after another along an axis.

    Shapes: ``x[a, b]`` to ``[a, 3*b]`` for ``repeats=3, axis=1``; without ``axis`` the elements of ``x`` in row-major
    order, in one dim.
    Constraints: (C1) ``axis`` is an axis of ``x``.
    Gradient: ``ct`` added up over the copies of each element.
    Example: ``repeat(x, repeats=2, axis=-1)``
    """

    repeats: Dim = attribute("how often each element comes", minimum=0)
    axis: int | None = attribute("the axis to repeat along; null flattens x first", default=None)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if self.axis is None:
            return TensorType(x.dtype, (product((*x.shape, self.repeats)),))
        axis = front_axis("C1", self.axis, x.rank)
        return TensorType(x.dtype, (*x.shape[:axis], x.shape[axis] * self.repeats, *x.shape[axis + 1 :]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.repeat(arrays[0], self.repeats, axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        shape = values[0].type.shape
        after = len(shape) if self.axis is None else front_axis("C1", self.axis, len(shape)) + 1
        apart = g.reshape(ct, shape=(*shape[:after], self.repeats, *shape[after:]))
        return (g.sum(apart, axis=(after,)),)


@dataclass(frozen=True)
class Margin:
    """What `pad` adds along one axis."""

    axis: int
    before: Any  # a Dim; an integer when run
    after: Any

    @property
    def empty(self) -> bool:
        return self.before == 0 and self.after == 0


@op("pad", ports="x")
class Pad(Op):
    """``x`` with more elements before and after along axes.

    mode constant: all of them are ``value``; edge: the first or last element again; reflect: the elements mirrored at
    the first or last, which is not repeated (3 2 | 1 2 3 | 2 1); wrap: the elements from the other end (2 3 | 1 2 3 |
    1 2).
    Shapes: ``x[a, b]`` to ``[a, b + 3]`` for ``before=1, after=2, axis=1``.
    Constraints: (C1) ``axis`` lists distinct axes of ``x``; (C2) ``before`` and ``after`` have one entry, or one for
    each axis listed; (C3) there is something to pad with: an element, for reflect more elements
    than are added at either end, for wrap at least as many; (C4) ``value`` is a whole number where x holds integers, 0
    or 1 where it holds booleans.
    Gradient: the part of ``ct`` that x is; elements that were repeated add up what their copies get.
    Example: ``pad(image, before=1, after=1, axis=[-2, -1], mode="reflect")``
    """

    before: Integers = attribute("how many elements before the first, for each axis listed, or one for all", minimum=0)
    after: Integers = attribute("how many elements after the last", minimum=0)
    axis: Axes = attribute("the axes to pad; null is all of them", default=None)
    mode: str = attribute(
        "what the new elements are", default="constant", choices=("constant", "reflect", "edge", "wrap")
    )
    value: float = attribute("the new elements in mode constant", default=0.0)

    def margins(self, rank: int) -> tuple[Margin, ...]:
        """Return what is added along each axis where something is. Checks C1 and C2."""
        axes = _listed(self.axis, rank)
        for name, entries in (("before", self.before), ("after", self.after)):
            if len(entries) not in (1, len(axes)):
                message = f"pad needs 1 or {len(axes)} numbers of elements, {name} has {len(entries)}"
                raise OpTypeError("C2", message, code="GS404")
        before, after = ((e * len(axes) if len(e) == 1 else e) for e in (self.before, self.after))
        found = (Margin(*facts) for facts in zip(axes, before, after, strict=True))
        return tuple(margin for margin in found if not margin.empty)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        shape = list(x.shape)
        for margin in self.margins(x.rank):
            self._require_source(x, x.shape[margin.axis], margin)
            shape[margin.axis] = shape[margin.axis] + margin.before + margin.after
        allowed = {"boolean": self.value in (0, 1), "integer": float(self.value).is_integer()}
        if self.mode == "constant" and not allowed.get(kind(x.dtype), True):
            raise OpTypeError("C4", f"{self.value} does not pad {x}", code="GS405")
        return TensorType(x.dtype, tuple(shape))

    def _require_source(self, x: Any, dim: Dim, margin: Margin) -> None:
        """Check C3; what depends on a symbol is checked when run."""
        most = {"edge": None if dim else 0, "reflect": dim - 1, "wrap": dim}.get(self.mode)
        for count in (margin.before, margin.after):
            if isinstance(count, int) and isinstance(most, int) and count > max(most, 0):
                message = f"{count} elements of mode {self.mode} do not fit dim {margin.axis} of {x}, which is {dim}"
                raise OpTypeError("C3", message, code="GS402")

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        widths = [(0, 0)] * x.ndim
        for margin in self.margins(x.ndim):
            self._require_source("the array", x.shape[margin.axis], margin)
            widths[margin.axis] = (margin.before, margin.after)
        if not widths:
            return x
        constant = {"constant_values": xp.asarray(self.value, dtype=x.dtype)} if self.mode == "constant" else {}
        return xp.pad(x, widths, mode=self.mode, **constant)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        shape = values[0].type.shape
        for margin in self.margins(len(shape)):
            dim = shape[margin.axis]
            if self.mode == "constant":
                axis, end = (margin.axis,), margin.before + dim
                ct = g.slice(ct, axis=axis, start=(margin.before,), stop=(end,), inside=axis)
            else:
                ct = g.untake(ct, self._source(g, dim, margin), size=dim, axis=margin.axis)
        return (ct,)

    def _source(self, g: Any, dim: Any, margin: Margin) -> Any:
        """Return the index of the element that each element along a padded axis is a copy of."""
        position = g.arange(start=-margin.before, stop=dim + margin.after)
        if self.mode == "wrap":
            return g.remainder(position, dim)
        if self.mode == "edge":
            return g.clip(position, 0, dim - 1)
        return (dim - 1) - g.abs((dim - 1) - g.abs(position))
