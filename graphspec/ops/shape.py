"""Ops that move elements and change none: reshape, permute, broadcast, join and split."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

from graphspec.attribute import has_dims
from graphspec.dims import Dim, exact_quotient, product
from graphspec.errors import OpTypeError
from graphspec.op import Integers, Op, attribute, front_axes, front_axis, make, op, same_dtype
from graphspec.types import Shape, TensorType, broadcast, shape_text


@op("reshape", ports="x")
class Reshape(Op):
    """The same elements in the same (row-major) order in another shape.

    Shapes: ``x[...]`` to ``[*shape]``; one dim of ``shape`` may be -1 and is worked out from the others.
    Constraints: (C1) dims of ``shape`` are not negative, but one may be -1; (C2) ``shape`` has as many elements as
    ``x``: as polynomials, where dims are symbolic; (C3) there is exactly one dim that -1 can stand for.
    Gradient: ``ct`` in the shape of ``x``.
    Example: ``reshape(x, shape=[x.shape[0], -1])``
    """

    shape: Shape = attribute("the new shape; one dim may be -1", minimum=-1)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        if any(isinstance(dim, int) and dim < -1 for dim in self.shape) or self.shape.count(-1) > 1:
            found = shape_text(self.shape)
            raise OpTypeError("C1", f"a shape has no negative dims but one -1, found {found}", code="GS402")
        if -1 in self.shape:
            return TensorType(x.dtype, tuple(self._rest(x) if dim == -1 else dim for dim in self.shape))
        if product(x.shape) != product(self.shape):
            message = f"{x} has {product(x.shape)} elements, {shape_text(self.shape)} has {product(self.shape)}"
            raise OpTypeError("C2", message, code="GS402")
        return TensorType(x.dtype, self.shape)

    def settle(self, *types: TensorType) -> Op:
        # the array may be empty when it runs, and NumPy cannot work -1 out then
        return make("reshape", shape=self.infer(*types).shape) if -1 in self.shape else self

    def _rest(self, x: TensorType) -> Dim:
        """Return the dim that -1 stands for."""
        have, known = product(x.shape), product(dim for dim in self.shape if dim != -1)
        rest = exact_quotient(have, known)
        if rest is None:
            problem = "any dim would do" if have == known == 0 else f"{have} is not a multiple of {known}"
            message = f"no dim can stand for -1 in {shape_text(self.shape)}: {x} has {have} elements; {problem}"
            raise OpTypeError("C3", message, code="GS402")
        return rest

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.reshape(arrays[0], self.shape)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.reshape(ct, shape=values[0].type.shape),)


@op("permute_dims", ports="x")
class PermuteDims(Op):
    """The dims of ``x`` in another order: dim ``i`` of the result is dim ``axis[i]`` of ``x``.

    Shapes: ``x[a, b, c]`` to ``[c, a, b]`` for ``axis=[2, 0, 1]``.
    Constraints: (C1) ``axis`` lists each axis of ``x`` once; negative ones count from the end.
    Gradient: ``ct`` permuted back.
    Example: ``permute_dims(x, axis=[0, 2, 1])``
    """

    axis: Integers = attribute("the axis of x that each dim of the result is")

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        axes = front_axes("C1", self.axis, x.rank)
        if len(axes) != x.rank:
            raise OpTypeError("C1", f"{x} has {x.rank} dims, axis lists {len(axes)}", code="GS403")
        return TensorType(x.dtype, tuple(x.shape[axis] for axis in axes))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.permute_dims(arrays[0], front_axes("C1", self.axis, arrays[0].ndim))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        axes = front_axes("C1", self.axis, ct.type.rank)
        return (g.permute_dims(ct, axis=tuple(axes.index(i) for i in range(len(axes)))),)


@op("expand_dims", ports="x")
class ExpandDims(Op):
    """New dims of size 1; each entry of ``axis`` is a position in the result.

    Shapes: ``x[a, b]`` to ``[1, a, b, 1]`` for ``axis=[0, -1]``.
    Constraints: (C1) ``axis`` lists distinct axes of the result.
    Gradient: ``ct`` without the new dims.
    Example: ``expand_dims(x, axis=-1)``
    """

    axis: Integers = attribute("where the new dims are in the result")

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        rank = x.rank + len(self.axis)
        added = front_axes("C1", self.axis, rank)
        old = iter(x.shape)
        return TensorType(x.dtype, tuple(1 if i in added else next(old) for i in range(rank)))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.expand_dims(arrays[0], axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.squeeze(ct, axis=self.axis),)


@op("squeeze", ports="x")
class Squeeze(Op):
    """``x`` without the listed dims, each of size 1.

    Shapes: ``x[1, a, b, 1]`` to ``[a, b]`` for ``axis=[0, -1]``.
    Constraints: (C1) ``axis`` lists distinct axes of ``x``; (C2) their dims are the integer 1.
    Gradient: ``ct`` with the dims put back.
    Example: ``squeeze(x, axis=0)``
    """

    axis: Integers = attribute("the dims to drop")

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        dropped = front_axes("C1", self.axis, x.rank)
        for axis in dropped:
            if x.shape[axis] != 1:
                raise OpTypeError("C2", f"dim {axis} of {x} is {x.shape[axis]}: only a dim 1 is dropped", code="GS402")
        return TensorType(x.dtype, tuple(dim for i, dim in enumerate(x.shape) if i not in dropped))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.squeeze(arrays[0], axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.expand_dims(ct, axis=front_axes("C1", self.axis, values[0].type.rank)),)


@op("broadcast_to", ports="x")
class BroadcastTo(Op):
    """``x`` repeated along new leading dims and along dims of size 1.

    Shapes: ``x[1, b]`` to ``[a, n, b]``.
    Constraints: (C1) the shape of ``x`` broadcasts to ``shape``, which has no negative dims.
    Gradient: ``ct`` summed over what was repeated.
    Example: ``broadcast_to(x, shape=[4, 3])``
    """

    shape: Shape = attribute("the new shape", minimum=0)

    def infer(self, *types: TensorType) -> TensorType:
        (x,) = types
        negative = any(isinstance(dim, int) and dim < 0 for dim in self.shape)
        if negative or broadcast(x.shape, self.shape) != self.shape:
            raise OpTypeError("C1", f"{x} does not broadcast to {shape_text(self.shape)}", code="GS402")
        return TensorType(x.dtype, self.shape)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.broadcast_to(arrays[0], self.shape)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (ct,)


@op("concat", ports="*arrays")
class Concat(Op):
    """Arrays one after another along an axis.

    Shapes: ``[n, a]``, ``[5, a]`` to ``[n + 5, a]`` for ``axis=0``.
    Constraints: (C1) the arrays have the same number of dims, at least one; (C2) they share a dtype; (C3) ``axis`` is
    one of their axes; (C4) their other dims are equal.
    Gradient: the part of ``ct`` that each array is.
    Example: ``concat(a, b, axis=-1)``
    """

    axis: int = attribute("the axis to join along", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        first = types[0]
        for found in types:
            if found.rank != first.rank or not found.rank:
                raise OpTypeError(
                    "C1", f"concat needs arrays of one rank, at least 1, found {_listed(types)}", code="GS403"
                )
        same_dtype("concat", *types)
        axis = front_axis("C3", self.axis, first.rank)
        for found in types[1:]:
            if _without(found.shape, axis) != _without(first.shape, axis):
                raise OpTypeError("C4", f"dims other than {axis} differ in concat: {first} and {found}", code="GS402")
        total: Dim = sum((found.shape[axis] for found in types[1:]), first.shape[axis])
        return TensorType(first.dtype, (*first.shape[:axis], total, *first.shape[axis + 1 :]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.concat(arrays, axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        *arrays, _ = values
        sizes = tuple(array.type.shape[self.axis] for array in arrays)
        return tuple(g.split(ct, sizes=sizes, axis=self.axis))


@op("stack", ports="*arrays")
class Stack(Op):
    """Arrays of one shape side by side along a new axis.

    Shapes: ``k`` arrays ``[a, b]`` to ``[a, k, b]`` for ``axis=1``, which counts in the result.
    Constraints: (C1) the arrays have the same shape; (C2) they share a dtype; (C3) ``axis`` is an axis of the result.
    Gradient: the part of ``ct`` that each array is.
    Example: ``stack(a, b, axis=0)``
    """

    axis: int = attribute("where the new axis is in the result", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        first = types[0]
        for found in types[1:]:
            if found.shape != first.shape:
                raise OpTypeError("C1", f"shapes differ in stack: {first} and {found}", code="GS402")
        same_dtype("stack", *types)
        axis = front_axis("C3", self.axis, first.rank + 1)
        return TensorType(first.dtype, (*first.shape[:axis], len(types), *first.shape[axis:]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return xp.stack(arrays, axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        axis = front_axes("C3", (self.axis,), ct.type.rank)
        count = len(values) - 1
        return tuple(g.slice(ct, axis=axis, start=(i,), stop=(i + 1,), drop=axis) for i in range(count))


@op("split", ports="x", outputs="*")
class Split(Op):
    """The parts of ``x`` along an axis, ``y0``, ``y1``, ...: ``parts`` equal ones, or parts of the listed ``sizes``.

    Shapes: ``x[n + 5, a]`` to ``[n, a]`` and ``[5, a]`` for ``sizes=[n, 5]``.
    Constraints: (C1) exactly one of ``parts`` and ``sizes`` is given, and there is at least one part; (C2) ``axis`` is
    an axis of ``x``; (C3) its dim is a multiple of ``parts``, or the sum of ``sizes``: as polynomials, where symbolic.
    Gradient: the cotangents of the parts, joined.
    Example: ``split(x, parts=2, axis=-1).y0``
    """

    parts: int | None = attribute("the number of equal parts", default=None, minimum=1, maximum=10_000)
    sizes: Shape | None = attribute("the size of each part", default=None, minimum=0)
    axis: int = attribute("the axis to split", default=0)

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        if (self.parts is None) == (self.sizes is None) or self.sizes == () or has_dims(self.parts):
            message = f"split needs either parts (a number) or sizes (a list), found {self.parts} and {self.sizes}"
            raise OpTypeError("C1", message, code="GS402")
        axis = front_axis("C2", self.axis, x.rank)
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        return tuple(TensorType(x.dtype, (*before, size, *after)) for size in self._sizes(x, x.shape[axis]))

    def _sizes(self, x: TensorType, dim: Dim) -> Shape:
        """Return the size of each part of ``dim``."""
        if self.sizes is not None:
            negative = any(isinstance(size, int) and size < 0 for size in self.sizes)
            if negative or sum(self.sizes[1:], self.sizes[0]) != dim:
                message = f"parts of sizes {shape_text(self.sizes)} do not make up the dim {dim} of {x}"
                raise OpTypeError("C3", message, code="GS402")
            return self.sizes
        parts = self.parts or 0
        size = exact_quotient(dim, parts)
        if size is None or parts < 1:
            raise OpTypeError("C3", f"the dim {dim} of {x} does not split into {parts} equal parts", code="GS402")
        return (size,) * parts

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        (x,) = arrays
        if self.sizes is None:
            return tuple(xp.split(x, self.parts, axis=self.axis))
        sizes: Any = self.sizes
        if min(sizes) < 0:
            raise ValueError(f"a part has a negative size: {list(sizes)}")
        return tuple(xp.split(x, list(accumulate(sizes[:-1])), axis=self.axis))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.concat(*ct, axis=self.axis),)


@op("unstack", ports="x", outputs="*")
class Unstack(Op):
    """The parts of ``x`` at each position of an axis, ``y0``, ``y1``, ..., without that axis: `stack` undone.

    Shapes: ``x[a, k, b]`` to ``k`` arrays ``[a, b]`` for ``axis=1``.
    Constraints: (C1) ``axis`` is an axis of ``x``; (C2) its dim is an integer from 1 to 10,000.
    Gradient: the cotangents of the parts, stacked.
    Example: ``unstack(point, axis=-1).y0``
    """

    axis: int = attribute("the axis to take apart", default=0)

    def infer(self, *types: TensorType) -> tuple[TensorType, ...]:
        (x,) = types
        axis = front_axis("C1", self.axis, x.rank)
        count = x.shape[axis]
        if not isinstance(count, int) or not 1 <= count <= 10_000:
            message = f"unstack needs a known dim from 1 to 10,000, dim {axis} of {x} is {count}"
            raise OpTypeError("C2", message, code="GS402")
        return (TensorType(x.dtype, _without(x.shape, axis)),) * count

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return tuple(xp.asarray(part) for part in xp.unstack(arrays[0], axis=self.axis))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return (g.stack(*ct, axis=self.axis),)


def _without(shape: Shape, axis: int) -> Shape:
    return shape[:axis] + shape[axis + 1 :]


def _listed(types: tuple[TensorType, ...]) -> str:
    return ", ".join(map(str, types))
