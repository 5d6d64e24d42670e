"""Sums of products over named dims: the summation convention of Einstein, and `tensordot`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import prod
from string import ascii_letters
from typing import Any

from graphspec.dims import Dim
from graphspec.errors import OpTypeError
from graphspec.op import Axes, Op, attribute, front_axes, make, op, require_kind, same_dtype
from graphspec.types import Shape, TensorType, broadcast_dim

_EQUATION = re.compile(r"([A-Za-z]|\.\.\.)*(,([A-Za-z]|\.\.\.)*)*(->([A-Za-z]|\.\.\.)*)?")
_PIECE = re.compile(r"\.\.\.|[A-Za-z]")
Labels = tuple[str, ...]  # of the dims of one operand; those that `...` stands for are "-1", "-2", ... from its end


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation read: the labels of every operand and of the result."""

    terms: tuple[Labels, ...]
    output: Labels

    def dims(self, shapes: Sequence[Shape]) -> dict[str, Any]:
        """Return the dim of every label.

        Raises:
            OpTypeError: C5, a letter stands for two dims, or dims of `...` do not broadcast.
        """
        found: dict[str, Any] = {}
        for labels, shape in zip(self.terms, shapes, strict=True):
            for label, dim in zip(labels, shape, strict=True):
                before = found.setdefault(label, dim)
                shared = broadcast_dim(before, dim) if label.startswith("-") else dim if dim == before else None
                if shared is None:
                    name = "a dim of '...'" if label.startswith("-") else f"'{label}'"
                    raise OpTypeError("C5", f"{name} is {before} and {dim} in einsum", code="GS402")
                found[label] = shared
        return found

    def stretched(self, i: int, shape: Shape, dims: Mapping[str, Any]) -> tuple[int, ...]:
        """Return the axes of operand ``i`` that broadcasting repeats."""
        return tuple(axis for axis, label in enumerate(self.terms[i]) if shape[axis] != dims[label])


def read(text: str, ranks: Sequence[int]) -> Equation:
    """Read an equation for operands of these ranks.

    Raises:
        OpTypeError: C3, it cannot be read or does not make sense; C4, it does not fit the operands.
    """
    text = text.replace(" ", "")
    if not _EQUATION.fullmatch(text):
        _refuse(text, "expected letters for dims, as in 'ij,jk->ik'")
    left, arrow, right = text.partition("->")
    pieces = [_PIECE.findall(term) for term in left.split(",")]
    if len(pieces) != len(ranks):
        raise OpTypeError("C4", f"'{text}' is for {len(pieces)} operands, found {len(ranks)}", code="GS403")
    terms = tuple(_labels(text, term, rank) for term, rank in zip(pieces, ranks, strict=True))
    hidden = max((sum(label.startswith("-") for label in labels) for labels in terms), default=0)
    ellipsis = tuple(str(-i) for i in range(hidden, 0, -1))
    if not arrow:  # as NumPy: the dims of '...', then the letters that occur once, in alphabetical order
        count = Counter(piece for term in pieces for piece in term if piece != "...")
        return Equation(terms, (*ellipsis, *sorted(letter for letter in count if count[letter] == 1)))
    output = _PIECE.findall(right)
    if max(Counter(output).values(), default=1) > 1:
        _refuse(text, "a label of the result occurs twice")
    if not {*output} - {"..."} <= {piece for term in pieces for piece in term}:
        _refuse(text, "a label of the result occurs in no operand")
    if ellipsis and "..." not in output:
        _refuse(text, "'...' of the operands is missing in the result")
    return Equation(terms, tuple(label for piece in output for label in (ellipsis if piece == "..." else (piece,))))


def _refuse(text: str, why: str) -> None:
    raise OpTypeError("C3", f"einsum cannot use the equation '{text}': {why}", code="GS404")


def _labels(text: str, term: Sequence[str], rank: int) -> Labels:
    """Return the labels of an operand's dims."""
    if term.count("...") > 1:
        _refuse(text, "'...' occurs twice in an operand")
    hidden = rank - sum(piece != "..." for piece in term)
    if hidden < 0 or (hidden > 0 and "..." not in term):
        raise OpTypeError("C4", f"'{''.join(term)}' of '{text}' does not fit an operand of {rank} dims", code="GS403")
    inside = tuple(str(-i) for i in range(hidden, 0, -1))
    return tuple(label for piece in term for label in (inside if piece == "..." else (piece,)))


@op("einsum", ports="*operands")
class Einsum(Op):
    """The sum of products of elements, over all dims whose label the result lacks.

    A letter stands for a dim of each operand that has it; ``...`` for any number of dims, which broadcast. Without
    ``->`` the result has the dims of ``...``, then the letters that occur once, in alphabetical order. A letter that an
    operand has twice picks its diagonal.
    Shapes: ``a[i, j]``, ``b[j, k]`` to ``[i, k]`` for ``"ij,jk->ik"``. Two operands at a time are multiplied as
    matrices, beginning with those that give the smallest result.
    Constraints: (C1) numbers; (C2) one dtype; (C3) the equation can be read, and each label of the result occurs in it
    once and in an operand; (C4) it has as many terms as there are operands, and each has the operand's dims; (C5) dims
    of one letter are equal, and those of ``...`` broadcast.
    Gradient: to each operand the einsum of ct with the other operands; a diagonal by the product with `eye`.
    Example: ``einsum(query, key, equation="...qd,...kd->...qk")``
    """

    equation: str = attribute("the labels of the operands' dims, separated by commas, -> and those of the result")

    def infer(self, *types: TensorType) -> TensorType:
        require_kind("einsum", "number", *types)
        same_dtype("einsum", *types)
        equation = read(self.equation, [found.rank for found in types])
        dims = equation.dims([found.shape for found in types])
        return TensorType(types[0].dtype, tuple(dims[label] for label in equation.output))

    def settle(self, *types: TensorType) -> Op:
        return make("einsum", equation=self.equation.replace(" ", ""))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        equation = read(self.equation, [array.ndim for array in arrays])
        dims = equation.dims([array.shape for array in arrays])
        operands = []
        for i, array in enumerate(arrays):
            labels, array = _without(equation.terms[i], array, xp, equation.stretched(i, array.shape, dims))
            operands.append(_diagonals(xp, labels, array))
        return _contract(xp, operands, equation.output, dims)

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        operands = values[:-1]
        shapes = [operand.type.shape for operand in operands]
        equation = read(self.equation, [len(shape) for shape in shapes])
        dims = equation.dims(shapes)
        factors: list[tuple[Labels, Any]] = []
        for i, operand in enumerate(operands):
            axes = equation.stretched(i, shapes[i], dims)
            kept = tuple(label for axis, label in enumerate(equation.terms[i]) if axis not in axes)
            factors.append((kept, g.squeeze(operand, axis=axes) if axes else operand))
        pulled = []
        for i, (kept, _) in enumerate(factors):
            others = [(equation.output, ct), *factors[:i], *factors[i + 1 :]]
            found = _pull(g, kept, others, dims, ct.type.dtype)
            axes = equation.stretched(i, shapes[i], dims)
            pulled.append(g.expand_dims(found, axis=axes) if axes else found)
        return tuple(pulled)


def _pull(g: Any, labels: Labels, others: Sequence[tuple[Labels, Any]], dims: Mapping[str, Dim], dtype: str) -> Any:
    """Emit the cotangent of an operand with ``labels`` from the cotangent of the result and the other operands."""
    factors, wanted = list(others), []
    known = {label for other, _ in others for label in other}
    for axis, label in enumerate(labels):
        if label in wanted:  # a diagonal: its elements lie where both indices are equal
            fresh = f"{label}{axis}"
            factors.append(((label, fresh), g.eye(rows=dims[label], dtype=dtype)))
            label = fresh
        elif label not in known:  # it was summed over alone: every element gets the same
            factors.append(((label,), g.ones(shape=(dims[label],), dtype=dtype)))
        wanted.append(label)
    names = _letters([labels for labels, _ in factors])
    left = ",".join("".join(names[label] for label in labels) for labels, _ in factors)
    equation = f"{left}->{''.join(names[label] for label in wanted)}"
    return g.einsum(*(value for _, value in factors), equation=equation)


def _letters(terms: Sequence[Labels]) -> dict[str, str]:
    """Return a letter for each label: itself where it is one.

    Raises:
        OpTypeError: there are more labels than letters.
    """
    labels = list(dict.fromkeys(label for term in terms for label in term))
    free = iter(letter for letter in ascii_letters if letter not in labels)
    try:
        return {label: label if label in ascii_letters else next(free) for label in labels}
    except StopIteration:
        raise OpTypeError(
            "C3", f"einsum has at most {len(ascii_letters)} labels in its gradient", code="GS404"
        ) from None


def _without(labels: Labels, array: Any, xp: Any, axes: tuple[int, ...]) -> tuple[Labels, Any]:
    """Drop dims of size 1."""
    kept = tuple(label for axis, label in enumerate(labels) if axis not in axes)
    return kept, xp.squeeze(array, axis=axes) if axes else array


def _diagonals(xp: Any, labels: Labels, array: Any) -> tuple[Labels, Any]:
    """Take the diagonal of dims that share a label, until none do."""
    while len(set(labels)) < len(labels):
        last = len(labels) - 1
        second = max(axis for axis in range(len(labels)) if labels[axis] in labels[:axis])
        first = labels.index(labels[second])
        array = xp.diagonal(xp.moveaxis(array, second, last), 0, first, last)
        labels = (*(label for axis, label in enumerate(labels) if axis not in (first, second)), labels[second])
    return labels, array


def _contract(xp: Any, operands: list[tuple[Labels, Any]], output: Labels, dims: Mapping[str, int]) -> Any:
    """Multiply pairs of operands until one is left, the pair with the smallest result first."""
    while len(operands) > 1:
        terms = [labels for labels, _ in operands]
        results = {pair: _needed(terms, pair, output) for pair in combinations(range(len(operands)), 2)}
        i, j = min(results, key=lambda pair: prod(dims[label] for label in results[pair]))
        joined = _multiply(xp, operands[i], operands[j], results[i, j], dims)
        operands = [joined, *(operand for k, operand in enumerate(operands) if k not in (i, j))]
    labels, array = _summed(xp, operands[0], output)
    return xp.permute_dims(array, tuple(labels.index(label) for label in output))


def _needed(terms: Sequence[Labels], pair: tuple[int, int], output: Labels) -> Labels:
    """Return the labels of a pair of operands that the result or another operand has too."""
    needed = {*output, *(label for k, labels in enumerate(terms) if k not in pair for label in labels)}
    return tuple(label for label in dict.fromkeys(terms[pair[0]] + terms[pair[1]]) if label in needed)


def _summed(xp: Any, operand: tuple[Labels, Any], kept: Iterable[str]) -> tuple[Labels, Any]:
    """Sum over the labels that are not kept."""
    labels, array = operand
    axes = tuple(axis for axis, label in enumerate(labels) if label not in kept)
    if not axes:
        return operand
    total = xp.asarray(xp.sum(array, axis=axes, dtype=array.dtype))
    return tuple(label for label in labels if label in kept), total


def _multiply(
    xp: Any, left: tuple[Labels, Any], right: tuple[Labels, Any], kept: Labels, dims: Mapping[str, int]
) -> tuple[Labels, Any]:
    """Multiply two operands as batches of matrices; what only one of them has and nobody needs is summed before."""
    a_labels, a = _summed(xp, left, {*kept, *right[0]})
    b_labels, b = _summed(xp, right, {*kept, *left[0]})
    batch = [label for label in a_labels if label in b_labels and label in kept]
    inner = [label for label in a_labels if label in b_labels and label not in kept]
    rows = [label for label in a_labels if label not in b_labels]
    columns = [label for label in b_labels if label not in a_labels]
    sizes = [prod(dims[label] for label in group) for group in (batch, rows, inner, columns)]
    a = xp.permute_dims(a, tuple(a_labels.index(label) for label in (*batch, *rows, *inner)))
    b = xp.permute_dims(b, tuple(b_labels.index(label) for label in (*batch, *inner, *columns)))
    a, b = xp.reshape(a, (sizes[0], sizes[1], sizes[2])), xp.reshape(b, (sizes[0], sizes[2], sizes[3]))
    labels = (*batch, *rows, *columns)
    return labels, xp.reshape(xp.matmul(a, b), tuple(dims[label] for label in labels))


@op("tensordot", ports="a b")
class Tensordot(Op):
    """The sum of products over pairs of dims, one of each operand: the other dims of a, then those of b are left.

    Shapes: ``a[i, j, k]``, ``b[j, k, l]`` to ``[i, l]`` for ``axis=2``: the last two of a with the first two of b. With
    ``a_axis`` and ``b_axis`` the pairs are listed.
    Constraints: (C1) numbers; (C2) one dtype; (C3) both lists are given, equally long, or neither; (C4) they are
    distinct axes, and there are as many as ``axis`` says; (C5) the dims of a pair are equal.
    Gradient: tensordot of ct and the other operand over the dims that are left of it.
    Example: ``tensordot(a, b, a_axis=[0, 1], b_axis=[1, 0])``
    """

    axis: int = attribute("how many of the last dims of a meet the first ones of b, in order", default=2, minimum=0)
    a_axis: Axes = attribute("the axes of a, in place of the last", default=None)
    b_axis: Axes = attribute("the axes of b that they meet, in place of the first", default=None)

    def pairs(self, a: int, b: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return the axes that meet of operands of these ranks. Checks C3 and C4."""
        if self.a_axis is None and self.b_axis is None:
            if self.axis > min(a, b):
                raise OpTypeError("C4", f"{self.axis} axes do not meet in {a} and {b} dims", code="GS404")
            return tuple(range(a - self.axis, a)), tuple(range(self.axis))
        if self.a_axis is None or self.b_axis is None or len(self.a_axis) != len(self.b_axis):
            found = f"{self.a_axis} and {self.b_axis}"
            raise OpTypeError("C3", f"tensordot needs two lists of axes, equally long, found {found}", code="GS404")
        return front_axes("C4", self.a_axis, a), front_axes("C4", self.b_axis, b)

    def infer(self, *types: TensorType) -> TensorType:
        a, b = types
        require_kind("tensordot", "number", a, b)
        same_dtype("tensordot", a, b)
        of_a, of_b = self.pairs(a.rank, b.rank)
        for left, right in zip(of_a, of_b, strict=True):
            if a.shape[left] != b.shape[right]:
                message = f"dim {left} of {a} meets dim {right} of {b} in tensordot"
                raise OpTypeError("C5", message, code="GS402")
        return TensorType(a.dtype, (*_rest(a.shape, of_a), *_rest(b.shape, of_b)))

    def kernel(self, xp: Any, *arrays: Any) -> Any:
        a, b = arrays
        return xp.asarray(xp.tensordot(a, b, axes=self.pairs(a.ndim, b.ndim)))

    def vjp(self, g: Any, ct: Any, *values: Any) -> tuple[Any, ...]:
        a, b, _ = values
        of_a, of_b = self.pairs(a.type.rank, b.type.rank)
        left, right = _rest(range(a.type.rank), of_a), _rest(range(b.type.rank), of_b)
        in_ct = tuple(range(len(left))), tuple(range(len(left), ct.type.rank))
        to_a = g.tensordot(
            ct, b, a_axis=in_ct[1], b_axis=right
        )  # the dims left of a, then those that met, in b's order
        to_b = g.tensordot(a, ct, a_axis=left, b_axis=in_ct[0])  # those that met, in a's order, then the dims left of b
        met_a = tuple(axis for _, axis in sorted(zip(of_b, of_a, strict=True)))
        met_b = tuple(axis for _, axis in sorted(zip(of_a, of_b, strict=True)))
        return _arranged(g, to_a, (*left, *met_a)), _arranged(g, to_b, (*met_b, *right))


def _rest(entries: Sequence[Any], dropped: Sequence[int]) -> tuple[Any, ...]:
    return tuple(entry for axis, entry in enumerate(entries) if axis not in dropped)


def _arranged(g: Any, x: Any, axes: tuple[int, ...]) -> Any:
    """Emit a value whose dim i is to be dim ``axes[i]``."""
    if axes == tuple(range(len(axes))):
        return x
    return g.permute_dims(x, axis=tuple(axes.index(i) for i in range(len(axes))))
