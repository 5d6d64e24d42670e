"""Ops that pick elements by indices computed in the graph, and their transposes."""

from __future__ import annotations

from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Dtype, Op, attribute, front_axis, native, op, require_kind
from graphspec.types import Shape, TensorType, broadcast


@op("take", ports="x indices:integer")
class Take(Op):
    """The elements of ``x`` at ``indices`` along an axis; negative indices count from the end.

    Shapes: ``x[a, n, b]``, ``indices[...]`` of any rank to ``[a, ..., b]`` for ``axis=1``.
    Constraints: (C1) indices are integers; (C2) ``axis`` is an axis of ``x``. An index outside fails when run.
    Gradient: `untake`: ``ct`` added up at the indices; an index that occurs twice adds twice.
    Example: ``take(table, tokens, axis=0)``
    """

    axis: int = attribute("the axis that the indices count along", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        x, indices = types
        require_kind("take", "integer", indices)
        axis = front_axis("C2", self.axis, x.rank)
        return TensorType(x.dtype, (*x.shape[:axis], *indices.shape, *x.shape[axis + 1 :]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices = arrays
        return xp.asarray(xp.take(x, _signed(xp, indices), axis=self.axis))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, indices, _ = values
        axis = front_axis("C2", self.axis, x.type.rank)
        return g.untake(ct, indices, size=x.type.shape[axis], axis=axis), None


@op("untake", ports="x indices:integer")
class Untake(Op):
    """Zeros with ``x`` added at ``indices`` along an axis: the transpose of `take`.

    Shapes: ``x[a, ..., b]``, ``indices[...]`` to ``[a, size, b]`` for ``axis=1``, which counts in the result.
    Constraints: (C1) ``x`` holds numbers, indices are integers; (C2) ``x`` has the dims of the indices at ``axis``;
    (C3) ``axis`` is an axis of the result. An index outside fails when run.
    Gradient: ``ct`` taken at the indices.
    Example: ``untake(x, indices, size=10)``
    """

    size: Dim = attribute("the dim of the result along the axis", minimum=0)
    axis: int = attribute("the axis of the result that the indices count along", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        x, indices = types
        require_kind("untake", "number", x)
        require_kind("untake", "integer", indices)
        if x.rank < indices.rank:
            raise OpTypeError("C2", f"{x} lacks dims of the indices, {indices}", code="GS403")
        axis = front_axis("C3", self.axis, x.rank - indices.rank + 1)
        after = axis + indices.rank
        if x.shape[axis:after] != indices.shape:
            raise OpTypeError("C2", f"{x} does not have the dims of {indices} at axis {axis}", code="GS402")
        return TensorType(x.dtype, (*x.shape[:axis], self.size, *x.shape[after:]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices = arrays
        axis = front_axis("C3", self.axis, x.ndim - indices.ndim + 1)
        shape: Any = (*x.shape[:axis], self.size, *x.shape[axis + indices.ndim :])
        return _accumulate(xp, shape, (*[slice(None)] * axis, _signed(xp, indices)), x)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return g.take(ct, values[1], axis=self.axis), None


@op("take_along_axis", ports="x indices:integer")
class TakeAlongAxis(Op):
    """One element of ``x`` for each index: ``y[i, j] = x[i, indices[i, j]]`` for ``axis=1``.

    Shapes: ``x[a, n]``, ``indices[a, k]`` to ``[a, k]``; dims other than ``axis`` broadcast. Negative indices count
    from the end.
    Constraints: (C1) indices are integers; (C2) ``x`` and the indices have the same rank; (C3) ``axis`` is one of
    their axes; (C4) their other dims broadcast. An index outside fails when run.
    Gradient: `untake_along_axis`: ``ct`` added up at the indices.
    Example: ``take_along_axis(log_p, expand_dims(label, axis=-1), axis=-1)``
    """

    axis: int = attribute("the axis that the indices count along", default=-1)

    def infer(self, *types: TensorType) -> TensorType:
        x, indices = types
        require_kind("take_along_axis", "integer", indices)
        axis = _shared_axis(self.axis, x, indices)
        # along the axis the result has the dim of the indices, whatever that of x is
        return TensorType(x.dtype, _broadcast("take_along_axis", x, indices, axis, skipped=True))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices = arrays
        return xp.take_along_axis(x, _signed(xp, indices), axis=self.axis)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, indices, _ = values
        return g.untake_along_axis(ct, indices, size=x.type.shape[self.axis], axis=self.axis), None


@op("untake_along_axis", ports="x indices:integer")
class UntakeAlongAxis(Op):
    """Zeros with ``x`` added at ``indices`` along an axis: the transpose of `take_along_axis`.

    Shapes: ``x[a, k]``, ``indices[a, k]``, which broadcast, to ``[a, size]`` for ``axis=1``.
    Constraints: (C1) ``x`` holds numbers, indices are integers; (C2) they have the same rank; (C3) ``axis`` is one of
    their axes; (C4) they broadcast. An index outside fails when run.
    Gradient: ``ct`` taken at the indices.
    Example: ``untake_along_axis(x, indices, size=10, axis=-1)``
    """

    size: Dim = attribute("the dim of the result along the axis", minimum=0)
    axis: int = attribute("the axis that the indices count along", default=-1)

    def infer(self, *types: TensorType) -> TensorType:
        x, indices = types
        require_kind("untake_along_axis", "number", x)
        require_kind("untake_along_axis", "integer", indices)
        axis = _shared_axis(self.axis, x, indices)
        shape = _broadcast("untake_along_axis", x, indices, axis, skipped=False)
        return TensorType(x.dtype, (*shape[:axis], self.size, *shape[axis + 1 :]))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices = arrays
        axis = self.axis % x.ndim
        wide = [max(p, q) if p and q else 0 for p, q in zip(x.shape, indices.shape, strict=True)]
        index = [xp.arange(dim).reshape([-1 if i == j else 1 for j in range(x.ndim)]) for i, dim in enumerate(wide)]
        index[axis] = _signed(xp, indices)
        return _accumulate(xp, (*wide[:axis], self.size, *wide[axis + 1 :]), tuple(index), x)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return g.take_along_axis(ct, values[1], axis=self.axis), None


@op("one_hot", ports="indices:integer")
class OneHot(Op):
    """1 where the position along a new last axis is the index, else 0; an index outside gives zeros only.

    Shapes: ``indices[...]`` to ``[..., depth]``.
    Constraints: (C1) indices are integers.
    Gradient: none: indices are integers.
    Example: ``one_hot(label, depth=10, dtype="float32")``
    """

    depth: Dim = attribute("the size of the new axis", minimum=0)
    dtype: Dtype = attribute("the dtype of the result", default="float64")

    def infer(self, *types: TensorType) -> TensorType:
        (indices,) = types
        require_kind("one_hot", "integer", indices)
        return TensorType(self.dtype, (*indices.shape, self.depth))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        return (arrays[0][..., None] == xp.arange(self.depth)).astype(native(xp, self.dtype))


def _shared_axis(axis: int, x: TensorType, indices: TensorType) -> int:
    """Check C2 and C3 of the ops along an axis."""
    if x.rank != indices.rank:
        raise OpTypeError("C2", f"{x} and the indices, {indices}, differ in rank", code="GS403")
    return front_axis("C3", axis, x.rank)


def _broadcast(name: str, x: TensorType, indices: TensorType, axis: int, *, skipped: bool) -> Shape:
    """Return the broadcast of two shapes; along a ``skipped`` axis the dim of ``x`` does not count. Checks C4."""
    own = (*x.shape[:axis], 1, *x.shape[axis + 1 :]) if skipped else x.shape
    shape = broadcast(own, indices.shape)
    if shape is None:
        raise OpTypeError("C4", f"dims do not broadcast in {name}: {x} and {indices}", code="GS402")
    return shape


def _signed(xp: Any, indices: Any) -> Any:
    """Return indices of a dtype that NumPy indexes with; what int64 does not hold lies outside of any array."""
    return xp.minimum(indices, 2**63 - 1).astype(xp.int64) if indices.dtype == "uint64" else indices


def _accumulate(xp: Any, shape: tuple[Any, ...], index: tuple[Any, ...], values: Any) -> Any:
    """Return zeros of ``shape`` with ``values`` added at ``index``, where places may occur repeatedly."""
    zeros = xp.zeros(shape, dtype=values.dtype)
    if hasattr(zeros, "at"):
        return zeros.at[index].add(values)
    xp.add.at(zeros, index, values)
    return zeros
