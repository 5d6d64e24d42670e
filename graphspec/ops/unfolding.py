"""Windows as an array of their own, and arrays put together from windows.

Constraints of both: (C1) x holds numbers; (C3) there are a batch dim, a channel dim and spatial dims; (C4) stride and
dilation are positive integers and, like window and padding, given once or per spatial dim; (C5) a window fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod
from typing import Any

from graphspec.dims import exact_quotient, product
from graphspec.errors import OpTypeError
from graphspec.op import Integers, Op, attribute, op, require_kind
from graphspec.types import Shape, TensorType, shape_text
from graphspec.window import Sliding, Windows, gather, pad, per_dim, scatter


@dataclass(frozen=True, kw_only=True)
class Unfolding(Sliding):
    """What unfold and fold share."""

    window: Integers = attribute("elements of a window along each dim: one number, or one per spatial dim")

    def geometry(self, dims: Sequence[Any]) -> Windows:
        """Return the windows over spatial dims."""
        return self.windows(per_dim("window", self.window, len(dims)), dims)

    def settled(self, dims: Sequence[Any], **others: Any) -> Op:
        """Return the op with its windows written out."""
        windows = self.geometry(dims)
        return replace(self, **self.written(windows), window=windows.size, **others)


@op("unfold", ports="x")
class Unfold(Unfolding):
    """The windows of x as columns, also known as im2col; padding is 0.

    Shapes: x ``[n, c, *dims]`` to ``[n, c * elements, windows]``: the elements of a window in row-major order, and the
    windows in row-major order. With ``layout="channels_last"``: x ``[n, *dims, c]`` to ``[n, windows, c * elements]``.
    Constraints: (C1) x holds numbers; (C3) there are spatial dims; (C4) the attributes fit them; (C5) a window fits.
    Gradient: `fold` of ct.
    Example: ``unfold(image, window=3, padding=1)``
    """

    def infer(self, *types: TensorType) -> TensorType:
        require_kind("unfold", "number", *types)
        shape = self.first(types[0])
        windows = self.geometry(shape[2:])
        columns = (shape[0], shape[1] * product(windows.size), product(windows.count(shape[2:])))
        return TensorType(types[0].dtype, self.laid(columns))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        return self.settled(self.first(types[0])[2:])

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x = xp.permute_dims(arrays[0], self.first_axes(arrays[0].ndim))
        windows = self.geometry(x.shape[2:])
        counts = windows.count(x.shape[2:])
        columns = gather(xp, pad(xp, x, windows), windows, counts)
        columns = xp.reshape(columns, (x.shape[0], x.shape[1] * prod(windows.size), prod(counts)))
        return xp.permute_dims(columns, self.laid_axes(3))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        dims = self.first(values[0].type)[2:]
        windows = self.geometry(dims)
        return (g.fold(ct, size=dims, window=windows.size, layout=self.layout, **self.written(windows)),)


@op("fold", ports="x")
class Fold(Unfolding):
    """The sum of windows that are columns, each where it lies, also known as col2im: the transpose of `unfold`.

    Shapes: x ``[n, c * elements, windows]`` to ``[n, c, *size]``; with ``layout="channels_last"`` x
    ``[n, windows, c * elements]`` to ``[n, *size, c]``. What no window reaches is 0; padding is dropped.
    Constraints: (C1) x holds numbers; (C3) x has three dims; (C4) the attributes fit the spatial dims; (C5) a window
    fits; (C6) x has as many columns as there are windows; (C7) its rows are a multiple of a window's elements.
    Gradient: `unfold` of ct.
    Example: ``fold(columns, size=[8, 8], window=2, stride=2)``
    """

    size: Shape = attribute("spatial dims of the result", minimum=0)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        require_kind("fold", "number", x)
        if x.rank != 3 or not self.size:
            raise OpTypeError("C3", f"fold needs three dims and a size, found {x} and {list(self.size)}", code="GS403")
        batch, rows, columns = self.first(x)
        windows = self.geometry(self.size)
        count = product(windows.count(self.size))
        if columns != count:
            message = f"there are {count} windows in {shape_text(self.size)}, found {columns} in {x}"
            raise OpTypeError("C6", message, code="GS402")
        channels = exact_quotient(rows, product(windows.size))
        if channels is None:
            message = f"{rows} rows are no multiple of the {product(windows.size)} elements of a window"
            raise OpTypeError("C7", message, code="GS402")
        return TensorType(x.dtype, self.laid((batch, channels, *self.size)))

    def settle(self, *types: TensorType) -> Op:
        self.infer(*types)
        return self.settled(self.size)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x = xp.permute_dims(arrays[0], self.first_axes(3))
        dims: Any = self.size
        windows = self.geometry(dims)
        elements = prod(windows.size)
        columns = xp.reshape(x, (x.shape[0], x.shape[1] // elements, elements, *windows.count(dims)))
        return xp.permute_dims(scatter(xp, columns, windows, dims), self.laid_axes(len(dims) + 2))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        windows = self.geometry(self.size)
        return (g.unfold(ct, window=windows.size, layout=self.layout, **self.written(windows)),)
