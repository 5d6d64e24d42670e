"""Sliding windows over the spatial dims of an array: where they lie, how many there are, and what is in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product as combinations
from math import prod
from typing import Any, ClassVar

from graphspec.dims import Dim, Expr, exact_quotient, floordiv
from graphspec.errors import OpTypeError
from graphspec.op import Integers, Op, Padding, attribute
from graphspec.types import Shape, TensorType

LAYOUTS = ("channels_first", "channels_last")
_BLOCK = 2**20  # elements that a kernel gathers at a time, so that its memory is bounded and stays in the cache


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows over spatial dims; each field has an entry per dim.

    A window takes ``size`` elements, ``dilation`` apart; the next one begins ``stride`` further on. ``before`` and
    ``after`` is how much the array is padded. Fields are integers when a kernel runs.
    """

    size: tuple[Any, ...]
    stride: tuple[Any, ...]
    dilation: tuple[Any, ...]
    before: tuple[Any, ...]
    after: tuple[Any, ...]

    @property
    def reach(self) -> tuple[Any, ...]:
        """How far each window reaches, gaps included."""
        return tuple(step * (size - 1) + 1 for size, step in zip(self.size, self.dilation, strict=True))

    @property
    def padding(self) -> tuple[Any, ...]:
        """The padding as an attribute: before and after, dim by dim."""
        return tuple(entry for pair in zip(self.before, self.after, strict=True) for entry in pair)

    @property
    def is_padded(self) -> bool:
        return any(entry != 0 for entry in self.padding)

    def widened(self, extra: Sequence[Any]) -> Windows:
        """Return the same windows with more padding at the end."""
        return replace(self, after=tuple(a + b for a, b in zip(self.after, extra, strict=True)))

    def padded(self, dims: Sequence[Any]) -> tuple[Any, ...]:
        """Return spatial dims with their padding."""
        return tuple(a + dim + b for a, dim, b in zip(self.before, dims, self.after, strict=True))

    def count(self, dims: Sequence[Any], constraint: str = "C5") -> tuple[Any, ...]:
        """Return how many windows there are along each of the spatial dims.

        Raises:
            OpTypeError: not one window fits.
        """
        counts = []
        for dim, wide, reach, stride in zip(dims, self.padded(dims), self.reach, self.stride, strict=True):
            counts.append(quotient(wide - reach + stride, stride))
            if isinstance(counts[-1], int) and counts[-1] < 1:
                found = f"{dim}" if wide == dim else f"{dim} padded to {wide}"
                raise OpTypeError(constraint, f"a window that reaches {reach} does not fit dim {found}", code="GS402")
        return tuple(counts)

    def spanned(self, counts: Sequence[Any]) -> tuple[Any, ...]:
        """Return the least spatial dims that have so many windows."""
        sides = zip(counts, self.stride, self.reach, self.before, self.after, strict=True)
        return tuple((count - 1) * stride + reach - a - b for count, stride, reach, a, b in sides)

    def offsets(self) -> Iterator[tuple[int, ...]]:
        """Yield where each element of a window lies, counted from its first, in row-major order."""
        places = (range(0, step * size, step) for size, step in zip(self.size, self.dilation, strict=True))
        return combinations(*places)

    def slices(self, counts: Sequence[int]) -> Iterator[tuple[Any, ...]]:
        """Yield, for each element of a window, the index that picks it from all windows of a padded array."""
        for offset in self.offsets():
            ends = zip(offset, counts, self.stride, strict=True)
            yield (..., *(slice(start, start + stride * (count - 1) + 1, stride) for start, count, stride in ends))


@dataclass(frozen=True, kw_only=True)
class Sliding(Op):
    """What ops on sliding windows share: their attributes, (C3) the number of dims and (C4) that attributes fit."""

    default_stride: ClassVar[bool] = False  # whether a stride of null is the window

    stride: Integers = attribute("steps from one window to the next: one number, or one per spatial dim", default=(1,))
    padding: Padding = attribute(
        "padding around the spatial dims: one number, one per dim, or a pair [before, after, ...] for each; "
        "valid: none; same: so much that there are dim / stride windows, rounded up, more of it after where it is odd",
        default=(0,),
    )
    dilation: Integers = attribute("steps between elements of a window: one number, or one per dim", default=(1,))
    layout: str = attribute("where the channels are", default="channels_first", choices=LAYOUTS)

    def windows(self, size: Sequence[Any], dims: Sequence[Any] | None) -> Windows:
        """Return the windows of a size over spatial dims; without ``dims``, those whose number is to be kept.

        Raises:
            OpTypeError: C4.
        """
        rank = len(size)
        if any(isinstance(entry, int) and entry < 1 for entry in size):
            raise OpTypeError("C4", f"a window has at least one element, found {list(size)}", code="GS404")
        stride = size if self.stride is None and self.default_stride else numbers("stride", self.stride, rank)
        dilation = numbers("dilation", self.dilation, rank)
        bare = Windows(tuple(size), tuple(stride), dilation, (0,) * rank, (0,) * rank)
        if self.padding == "valid":
            return bare
        if isinstance(self.padding, str):
            pairs = [_halves(total) for total in _same_padding(bare, dims)]
        else:
            pairs = _pairs(self.padding, rank)
        return replace(bare, before=tuple(pair[0] for pair in pairs), after=tuple(pair[1] for pair in pairs))

    def written(self, windows: Windows) -> dict[str, Any]:
        """Return the attributes that describe windows, each written out."""
        return {"stride": windows.stride, "padding": windows.padding, "dilation": windows.dilation}

    def first(self, type: TensorType) -> Shape:
        """Return the shape of an operand with its channels first.

        Raises:
            OpTypeError: C3, there are too few dims.
        """
        if type.rank < 3:
            message = f"{self.name} needs a batch dim, a channel dim and spatial dims, found {type}"
            raise OpTypeError("C3", message, code="GS403")
        return type.shape if self.layout == LAYOUTS[0] else (type.shape[0], type.shape[-1], *type.shape[1:-1])

    def laid(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        """Return a shape with channels first in the layout of the op."""
        return tuple(shape) if self.layout == LAYOUTS[0] else (shape[0], *shape[2:], shape[1])

    def first_axes(self, rank: int) -> tuple[int, ...]:
        """Return the permutation that puts the channels first."""
        return tuple(range(rank)) if self.layout == LAYOUTS[0] else (0, rank - 1, *range(1, rank - 1))

    def laid_axes(self, rank: int) -> tuple[int, ...]:
        """Return the permutation that puts channels, which are first, where the layout has them."""
        return tuple(range(rank)) if self.layout == LAYOUTS[0] else (0, *range(2, rank), 1)

    def values_first(self, g: Any, x: Any) -> Any:
        """Emit a value with its channels first."""
        return x if self.layout == LAYOUTS[0] else g.permute_dims(x, axis=self.first_axes(x.type.rank))

    def values_laid(self, g: Any, x: Any) -> Any:
        """Emit a value, whose channels are first, in the layout of the op."""
        return x if self.layout == LAYOUTS[0] else g.permute_dims(x, axis=self.laid_axes(x.type.rank))


def numbers(name: str, values: Integers, rank: int) -> tuple[int, ...]:
    """Return an attribute with an entry per spatial dim. Checks C4: these are positive integers."""
    found = tuple(values) * rank if len(values) == 1 else tuple(values)
    if len(found) != rank or any(not isinstance(entry, int) or entry < 1 for entry in found):
        message = f"{name} is one integer from 1 on, or one for each of {rank} spatial dims, found {list(values)}"
        raise OpTypeError("C4", message, code="GS404")
    return found  # type: ignore[return-value]


def per_dim(name: str, values: Sequence[Dim], rank: int) -> tuple[Dim, ...]:
    """Return an attribute, whose entries may be symbolic, with an entry per spatial dim. Checks C4."""
    found = tuple(values) * rank if len(values) == 1 else tuple(values)
    if len(found) != rank or any(isinstance(entry, int) and entry < 0 for entry in found):
        message = f"{name} is one number, or one for each of {rank} spatial dims, found {list(map(str, values))}"
        raise OpTypeError("C4", message, code="GS404")
    return found


def quotient(a: Dim, b: int) -> Dim:
    """Return ``a // b``; a constant remainder does not keep it from being exact: ``(2*n + 1) // 2`` is ``n``."""
    if isinstance(a, Expr):
        constant = dict(a.terms).get((), 0)
        exact = exact_quotient(a - constant, b)
        if exact is not None:
            return exact + constant // b
    return floordiv(a, b)


def _pairs(padding: Integers, rank: int) -> list[tuple[Dim, Dim]]:
    """Return the padding before and after each spatial dim. Checks C4."""
    if len(padding) == 2 * rank:
        entries = per_dim("padding", padding, 2 * rank)
        return list(zip(entries[::2], entries[1::2], strict=True))
    return [(entry, entry) for entry in per_dim("padding", padding, rank)]


def _halves(total: Dim) -> tuple[Dim, Dim]:
    """Split padding in two; where it is odd, more of it comes after."""
    before = floordiv(total, 2)
    return before, total - before


def _same_padding(windows: Windows, dims: Sequence[Any] | None) -> Iterator[Dim]:
    """Yield the padding that gives ``dim / stride`` windows, rounded up; without ``dims``, dims are multiples."""
    for i, (reach, stride) in enumerate(zip(windows.reach, windows.stride, strict=True)):
        overlap, dim = reach - stride, 0 if dims is None else dims[i]
        # the elements that the last window lacks, and how far it reaches over them
        missing = quotient(dim + stride - 1, stride) * stride - dim
        total = overlap + missing
        if stride > 1 and isinstance(total, Expr) and not (isinstance(overlap, int) and overlap >= 0):
            message = f"same padding of dim {dim} is unknown for windows that reach {reach}, {stride} apart"
            raise OpTypeError("C4", message, code="GS404", hint="give the padding as numbers")
        yield max(total, 0) if isinstance(total, int) else total


def pad(xp: Any, x: Any, windows: Windows, value: float = 0.0) -> Any:
    """Pad the spatial dims, which are last."""
    if not windows.is_padded:
        return x
    pairs = zip(windows.before, windows.after, strict=True)
    return xp.pad(x, [(0, 0), (0, 0), *pairs], constant_values=value)


def gather(xp: Any, x: Any, windows: Windows, counts: Sequence[int]) -> Any:
    """Copy the windows of a padded array ``[n, c, *dims]`` side by side: ``[n, c, elements of a window, *counts]``."""
    parts = [x[index] for index in windows.slices(counts)]
    return xp.stack(parts, axis=2) if len(parts) > 1 else xp.expand_dims(parts[0], axis=2)


def scatter(xp: Any, columns: Any, windows: Windows, dims: Sequence[int]) -> Any:
    """Add windows ``[n, c, elements, *counts]`` up where they lie and drop the padding: the transpose of `gather`."""
    total = xp.zeros((*columns.shape[:2], *windows.padded(dims)), dtype=columns.dtype)
    for i, index in enumerate(windows.slices(columns.shape[3:])):
        part = columns[:, :, i, ...]
        if hasattr(total, "at"):
            total = total.at[index].add(part)
        else:
            total[index] += part
    if not windows.is_padded:
        return total
    return total[(..., *(slice(a, a + dim) for a, dim in zip(windows.before, dims, strict=True)))]


def blocks(batch: int, windows: Windows, channels: int, counts: Sequence[int]) -> Iterator[slice]:
    """Yield parts of the batch, each small enough that its windows can be gathered."""
    each = max(1, channels * prod(windows.size) * prod(counts))
    step = max(1, _BLOCK // each)
    return (slice(start, start + step) for start in range(0, max(1, batch), step))
