"""Basic indexing, whose bounds are known when the graph is built: slices and their transpose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim, Expr, exact_quotient, floordiv
from graphspec.errors import OpTypeError
from graphspec.op import Bounds, Integers, Op, attribute, front_axes, op
from graphspec.types import Shape, TensorType, shape_text


@dataclass(frozen=True, slots=True)
class Span:
    """What a slice takes of one axis: ``start:stop:step``, or the one element ``start`` where the axis is dropped."""

    axis: int
    start: Any  # a Dim or None; an integer or None when run
    stop: Any
    step: int
    dropped: bool = False
    inside: bool = False

    @property
    def index(self) -> Any:
        """The span as an index of an array."""
        return self.start if self.dropped else slice(self.start, self.stop, self.step)

    @property
    def same_end(self) -> bool:
        """Whether both bounds are given and count from the same end, so that it is known which comes first."""
        return None not in (self.start, self.stop) and (self.start < 0) == (self.stop < 0)

    def ends(self, dim: Any) -> tuple[Any, Any]:
        """Return where the span begins and ends, from the front and not clipped; -1 is before the first element."""
        first, last = (0, dim) if self.step > 0 else (dim - 1, -1)
        return _from_front(self.start, dim, first), _from_front(self.stop, dim, last)

    def length(self, dim: Any) -> Dim:
        """Return how many elements the span takes of ``dim``; with symbols, bounds are taken to lie inside (L4.2)."""
        if not any(isinstance(bound, Expr) for bound in (dim, self.start, self.stop)):
            return len(range(*slice(self.start, self.stop, self.step).indices(dim)))
        begin, end = self.ends(dim)
        distance, stride = (end - begin, self.step) if self.step > 0 else (begin - end, -self.step)
        length = exact_quotient(distance, stride)
        if length is None:
            length = floordiv(distance + stride - 1, stride)
        return max(0, length) if isinstance(length, int) else length

    def require_inside(self, dim: int) -> None:
        """Check, when run, what `length` took for granted.

        Raises:
            IndexError: a bound lies outside, or the span ends before it begins.
        """
        if self.dropped:
            inside = -dim <= self.start < dim
        else:
            begin, end = self.ends(dim)
            low, high = (0, dim) if self.step > 0 else (-1, dim - 1)
            inside = low <= min(begin, end) <= max(begin, end) <= high
            inside = inside and (self.same_end or (end - begin) * self.step >= 0)
        if not inside:
            raise IndexError(f"{self} does not lie inside dim {self.axis}, which is {dim}")

    def __str__(self) -> str:
        parts = [self.start] if self.dropped else [self.start, self.stop, self.step]
        return f"[{':'.join('' if part is None else str(part) for part in parts)}]"


def _from_front(bound: Any, dim: Any, default: Any) -> Any:
    """Return a bound counted from the front; a symbolic bound is taken not to be negative."""
    if bound is None:
        return default
    return dim + bound if isinstance(bound, int) and bound < 0 else bound


@dataclass(frozen=True, kw_only=True)
class Slicing(Op):
    """What `slice` and its transpose share: the attributes, and (C1) to (C4)."""

    axis: Integers = attribute("the axes to slice; others are taken whole")
    start: Bounds = attribute("for each axis, where to begin")
    stop: Bounds = attribute("for each axis, where to end")
    step: Integers = attribute("for each axis, the stride; none given: 1 each", default=())
    drop: Integers = attribute("axes taken at one index", default=())
    inside: Integers = attribute("axes whose bounds must lie inside, checked when run", default=())

    def spans(self, rank: int) -> tuple[Span, ...]:
        """Return what a slice of an array of ``rank`` dims takes of each listed axis.

        Raises:
            OpTypeError: C1, C2, or C3 without the range of an index.
        """
        axes, dropped, inside = (front_axes("C1", listed, rank) for listed in (self.axis, self.drop, self.inside))
        steps: Any = self.step or (1,) * len(axes)
        if not len(axes) == len(self.start) == len(self.stop) == len(steps):
            raise OpTypeError("C2", "axis, start, stop and step are not equally long", code="GS404")
        for step in steps:
            if not isinstance(step, int) or step == 0:
                raise OpTypeError("C2", f"a step is an integer other than 0, found {step}", code="GS404")
        spans = tuple(
            Span(axis, start, stop, step, axis in dropped, axis in inside)
            for axis, start, stop, step in zip(axes, self.start, self.stop, steps, strict=True)
        )
        if not set(dropped) <= set(axes) or any(span.dropped and span.start is None for span in spans):
            raise OpTypeError("C3", "a dropped axis is listed in axis, with a start", code="GS404")
        return spans

    def sliced(self, shape: Shape) -> Shape:
        """Return the shape of a slice of an array of ``shape``.

        Raises:
            OpTypeError: C1, C2, C3 or C4.
        """
        dims: list[Dim | None] = list(shape)
        for span in self.spans(len(shape)):
            dim: Any = shape[span.axis]
            symbolic = any(isinstance(bound, Expr) for bound in (dim, span.start, span.stop))
            if span.dropped and not symbolic and not -dim <= span.start < dim:
                message = f"index {span.start} lies outside dim {span.axis}, which is {dim}"
                raise OpTypeError("C3", message, code="GS404")
            if symbolic and not span.inside and not span.dropped and (span.start, span.stop) != (None, None):
                message = f"{span} of a dim {dim} can only be checked when run"
                raise OpTypeError("C4", message, code="GS404", hint=f"inside=[{span.axis}]")
            dims[span.axis] = None if span.dropped else span.length(dim)
        return tuple(dim for dim in dims if dim is not None)

    def index(self, shape: tuple[int, ...]) -> tuple[Any, ...]:
        """Return the slice as an index of an array of ``shape``.

        Raises:
            IndexError: a bound that must lie inside does not.
        """
        index: list[Any] = [slice(None)] * len(shape)
        for span in self.spans(len(shape)):
            if span.dropped or span.inside:
                span.require_inside(shape[span.axis])
            index[span.axis] = span.index
        return (*index, ...)

    def shared(self) -> dict[str, Any]:
        """Return the attributes that a slice and its transpose share."""
        return {name: getattr(self, name) for name in ("axis", "start", "stop", "step", "drop", "inside")}

    def bind(self, env: Mapping[str, int]) -> Op:
        """Return the op with integers for its symbols.

        Raises:
            IndexError: a symbolic bound is negative, and would count from the end, or a span ends before it begins.
        """
        bound: Any = super().bind(env)
        if bound is self:
            return self
        for i, step in enumerate(bound.step or (1,) * len(bound.axis)):
            old, new = (self.start[i], self.stop[i]), Span(i, bound.start[i], bound.stop[i], step)
            symbolic = [now for was, now in zip(old, (new.start, new.stop), strict=True) if isinstance(was, Expr)]
            if min(symbolic, default=0) < 0 or (symbolic and new.same_end and (new.stop - new.start) * step < 0):
                raise IndexError(f"the bounds {old[0]} and {old[1]} are {new.start} and {new.stop}")
        return bound


@op("slice", ports="x")
class Slice(Slicing):
    """The elements of ``x`` from ``start`` to before ``stop`` in steps of ``step`` along each listed axis, as in NumPy.

    Null bounds are the beginning and the end (for a negative step, the end and the beginning). ``drop`` lists axes
    that are taken at one index and lose their dim: ``start`` is i, ``stop`` i + 1, or null where i is -1.

    Shapes: a dim of integer size d gives what NumPy gives: negative bounds count from the end, others clip. A
    symbolic dim n, or symbolic bounds, give (stop - start) / step, rounded up: bounds are taken to lie inside.
    Constraints: (C1) ``axis``, ``drop`` and ``inside`` list distinct axes of ``x``; (C2) ``start``, ``stop`` and
    ``step`` have an entry for each axis, and no step is 0; (C3) a dropped axis is listed, and its index lies inside;
    (C4) an axis with a symbolic dim or bound is listed in ``inside``, unless it is dropped or has no bounds.
    Gradient: `unslice`: ``ct`` at the same places in zeros.
    Example: ``x[:, 1:, -1]``
    """

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        return TensorType(x.dtype, self.sliced(x.shape))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        return x[self.index(x.shape)]

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.unslice(ct, shape=values[0].type.shape, **self.shared()),)


@op("unslice", ports="x")
class Unslice(Slicing):
    """Zeros of ``shape``, with ``x`` where a `slice` of them with the same attributes would be: its transpose.

    Shapes: ``x`` in the shape of the slice, to ``[*shape]``.
    Constraints: (C1), (C2), (C3), (C4) as in `slice`, of the zeros; (C5) the shape of ``x`` is that of the slice.
    Gradient: the slice of ``ct``.
    Example: ``unslice(x, shape=[5], axis=0, start=[1], stop=[4])``
    """

    shape: Shape = attribute("the shape of the result", minimum=0)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        expected = self.sliced(self.shape)
        if x.shape != expected:
            message = f"the slice of {shape_text(self.shape)} is {shape_text(expected)}, found {x}"
            raise OpTypeError("C5", message, code="GS402")
        return TensorType(x.dtype, self.shape)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        shape: Any = self.shape
        index, zeros = self.index(shape), xp.zeros(shape, dtype=x.dtype)
        if zeros[index].shape != x.shape:  # else assignment would broadcast
            raise IndexError(f"the slice of {shape_text(shape)} is {shape_text(zeros[index].shape)}, found {x.shape}")
        if hasattr(zeros, "at"):
            return zeros.at[index].set(x)
        zeros[index] = x
        return zeros

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.slice(ct, **self.shared()),)
