"""Ops that write into a copy of an array at indices computed in the graph, and the n-dimensional gather."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Op, attribute, front_axis, op, require_kind, same_dtype
from graphspec.types import TensorType


def _signed(xp: Any, indices: Any) -> Any:
    """Return indices of a dtype that NumPy indexes with; what int64 does not hold lies outside of any array."""
    return xp.minimum(indices, 2**63 - 1).astype(xp.int64) if indices.dtype == "uint64" else indices


def _written(x: Any, index: tuple[Any, ...], updates: Any) -> Any:
    """Return a copy of ``x`` with ``updates`` at ``index``."""
    if hasattr(x, "at"):
        return x.at[index].set(updates)
    y = x.copy()
    y[index] = updates
    return y


def _added(xp: Any, x: Any, index: tuple[Any, ...], updates: Any) -> Any:
    """Return a copy of ``x`` with ``updates`` added at ``index``; a place that occurs twice gets both."""
    if hasattr(x, "at"):
        return x.at[index].add(updates)
    y = x.copy()
    xp.add.at(y, index, updates)
    return y


@dataclass(frozen=True)
class AlongAxis(Op):
    """What scatter and scatter_add share."""

    axis: int = attribute("the axis that the indices count along", default=0)

    def infer(self, *types: TensorType) -> TensorType:
        x, indices, updates = types
        require_kind(self.name, "integer", indices)
        same_dtype(self.name, x, updates)
        if x.rank != indices.rank:
            raise OpTypeError("C3", f"{x} and the indices, {indices}, differ in rank", code="GS403")
        axis = front_axis("C4", self.axis, x.rank)
        if indices.shape != updates.shape:
            message = f"{self.name} needs one index for each update, found {indices} and {updates}"
            raise OpTypeError("C5", message, code="GS402")
        pairs = zip(indices.shape, x.shape, strict=True)
        wider = [i for i, (have, room) in enumerate(pairs) if i != axis and not _fits(have, room)]
        if wider:
            raise OpTypeError("C6", f"dim {wider[0]} of the indices, {indices}, does not fit {x}", code="GS402")
        return x

    def index(self, xp: Any, indices: Any) -> tuple[Any, ...]:
        """Return the indices as an index of the whole array."""
        axes = range(indices.ndim)
        index = [xp.reshape(xp.arange(indices.shape[i]), [-1 if i == j else 1 for j in axes]) for i in axes]
        index[self.axis] = _signed(xp, indices)
        return tuple(index)

    def taken(self, g: Any, ct: Any, indices: Any) -> Any:
        """Return the part of ``ct`` at the indices: the cotangent of the updates."""
        axis = self.axis % ct.type.rank
        pairs = enumerate(zip(indices.type.shape, ct.type.shape, strict=True))
        shorter = [(i, have) for i, (have, room) in pairs if i != axis and have != room]
        if shorter:
            axes, sizes = zip(*shorter, strict=True)
            ct = g.slice(ct, axis=axes, start=(0,) * len(axes), stop=sizes)
        return g.take_along_axis(ct, indices, axis=axis)


def _fits(dim: Dim, room: Dim) -> bool:
    return dim == room or (isinstance(dim, int) and isinstance(room, int) and dim < room)


@op("scatter", ports="x indices:integer updates")
class Scatter(AlongAxis):
    """``x`` with ``updates`` written along an axis: ``y[i, indices[i, j]] = updates[i, j]`` for ``axis=1``.

    Shapes: ``x[a, n]``, ``indices[a, k]``, ``updates[a, k]`` to ``[a, n]``; indices that are smaller than x along
    other axes reach its first part. Negative indices count from the end.
    Constraints: (C1) indices are integers; (C2) x and the updates share a dtype; (C3) x and the indices have the same
    rank; (C4) ``axis`` is one of their axes; (C5) the updates have the shape of the indices; (C6) their other dims are
    equal to those of x, or smaller integers. An index outside fails when run.
    Gradient: ct to x, with zeros where it was overwritten, and ct at the indices to the updates.
    Special values: which of two updates stays at an index that occurs twice is undefined; both get ct there.
    Example: ``scatter(x, argmax(x, axis=-1, keepdims=true), zeros(shape=[n, 1]), axis=-1)``
    Source: ONNX ScatterElements.
    """

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices, updates = arrays
        return _written(x, self.index(xp, indices), updates)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        indices, updates = values[1:3]
        return g.scatter(ct, indices, g.zeros_like(updates), axis=self.axis), None, self.taken(g, ct, indices)


@op("scatter_add", ports="x indices:integer updates")
class ScatterAdd(AlongAxis):
    """``x`` with ``updates`` added along an axis: ``y[i, indices[i, j]] += updates[i, j]`` for ``axis=1``.

    Shapes: ``x[a, n]``, ``indices[a, k]``, ``updates[a, k]`` to ``[a, n]``; indices that are smaller than x along
    other axes reach its first part. Negative indices count from the end; one that occurs twice gets both updates.
    Constraints: (C1) indices are integers, x holds numbers; (C2) x and the updates share a dtype; (C3) x and the
    indices have the same rank; (C4) ``axis`` is one of their axes; (C5) the updates have the shape of the indices;
    (C6) their other dims are equal to those of x, or smaller integers. An index outside fails when run.
    Gradient: ct to x, and ct at the indices to the updates.
    Example: ``scatter_add(total, group, amount, axis=0)``
    Source: ONNX ScatterElements with reduction add.
    """

    def infer(self, *types: TensorType) -> TensorType:
        require_kind(self.name, "number", types[0])
        return super().infer(*types)

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices, updates = arrays
        return _added(xp, x, self.index(xp, indices), updates)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        return ct, None, self.taken(g, ct, values[1])


def _index_depth(name: str, x: TensorType, indices: TensorType) -> int:
    """Return how many axes of x each index counts along. Checks C1 and C2 of the n-dimensional ops."""
    require_kind(name, "integer", indices)
    depth = indices.shape[-1] if indices.rank else None
    if not isinstance(depth, int) or depth > x.rank:
        message = f"the last dim of the indices, {indices}, is no number of axes of {x}"
        raise OpTypeError("C2", message, code="GS402")
    return depth


def _places(xp: Any, indices: Any) -> tuple[Any, ...]:
    """Return indices of an array along its first axes."""
    signed = _signed(xp, indices)
    return tuple(signed[..., i] for i in range(indices.shape[-1]))


def _shape_at(x: TensorType, indices: TensorType, depth: int) -> tuple[Dim, ...]:
    return (*indices.shape[:-1], *x.shape[depth:])


@op("gather_nd", ports="x indices:integer")
class GatherNd(Op):
    """The parts of ``x`` at indices along its first axes: ``y[i] = x[indices[i, 0], indices[i, 1]]``.

    Shapes: ``x[a, b, c]``, ``indices[..., 2]`` to ``[..., c]``: the last dim of the indices is the number of axes.
    Negative indices count from the end.
    Constraints: (C1) indices are integers; (C2) their last dim is an integer, at most the rank of x. An index outside
    fails when run.
    Gradient: ct added up at the indices; an index that occurs twice adds twice.
    Example: ``gather_nd(image, stack(row, column, axis=-1))``
    Source: ONNX GatherND.
    """

    def infer(self, *types: TensorType) -> TensorType:
        x, indices = types
        depth = _index_depth(self.name, x, indices)
        return TensorType(x.dtype, _shape_at(x, indices, depth))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices = arrays
        if not indices.shape[-1]:
            return xp.broadcast_to(x, (*indices.shape[:-1], *x.shape))
        return xp.asarray(x[_places(xp, indices)])

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        x, indices, _ = values
        return g.scatter_nd(g.zeros_like(x), indices, ct, reduction="add"), None


@op("scatter_nd", ports="x indices:integer updates")
class ScatterNd(Op):
    """``x`` with updates written, or added, at indices along its first axes: the counterpart of `gather_nd`.

    Shapes: ``x[a, b, c]``, ``indices[..., 2]``, ``updates[..., c]`` to ``[a, b, c]``. Negative indices count from the
    end.
    Constraints: (C1) indices are integers, and x holds numbers if they are added to; (C2) the last dim of the indices
    is an integer, at most the rank of x; (C3) x and the updates share a dtype; (C4) the updates have the shape that
    `gather_nd` gives. An index outside fails when run.
    Gradient: ct to x, with zeros where it was overwritten, and ct at the indices to the updates.
    Special values: which of two updates stays at an index that occurs twice is undefined; both get ct there. Added,
    both count.
    Example: ``scatter_nd(zeros(shape=[8, 8]), moves, scores, reduction="add")``
    Source: ONNX ScatterND.
    """

    reduction: str = attribute("what an update does to what is there", default="set", choices=("set", "add"))

    def infer(self, *types: TensorType) -> TensorType:
        x, indices, updates = types
        if self.reduction == "add":
            require_kind(self.name, "number", x)
        depth = _index_depth(self.name, x, indices)
        if updates.dtype != x.dtype:
            raise OpTypeError("C3", f"scatter_nd needs one dtype, found {x} and {updates}", hint="cast converts")
        shape = _shape_at(x, indices, depth)
        if updates.shape != shape:
            expected = TensorType(x.dtype, shape)
            raise OpTypeError("C4", f"scatter_nd needs updates {expected}, found {updates}", code="GS402")
        return x

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        x, indices, updates = arrays
        if not indices.shape[-1]:  # every update is for the whole of x
            first = xp.zeros((*indices.shape[:-1], 1), dtype=indices.dtype)
            return xp.asarray(self._result(xp, x[None], first, updates)[0])
        return self._result(xp, x, indices, updates)

    def _result(self, xp: Any, x: Any, indices: Any, updates: Any) -> Any:
        index = _places(xp, indices)
        return _added(xp, x, index, updates) if self.reduction == "add" else _written(x, index, updates)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        indices, updates = values[1:3]
        kept = ct if self.reduction == "add" else g.scatter_nd(ct, indices, g.zeros_like(updates))
        return kept, None, g.gather_nd(ct, indices)
