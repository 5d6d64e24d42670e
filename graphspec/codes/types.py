"""GS4xx: types - dtypes, dims, ranks, axes and literals."""

from __future__ import annotations

from graphspec.codes.code import Code

TYPES = {
    "GS401": Code(
        title="the dtype does not fit",
        explanation=(
            "Arrays of different dtypes are never mixed silently, and an op may take only floats, only integers or "
            "only booleans. Booleans take part in no arithmetic; `/` needs floats."
        ),
        remedy='Convert one operand: cast(n, dtype="float64"). To count booleans, sum them.',
        example=(
            "graphspec: 1\ninputs: {n: {shape: [2], dtype: int64}, x: {shape: [2]}}\nnodes: {f: n * x}\noutputs: f"
        ),
    ),
    "GS402": Code(
        title="dims do not match",
        explanation=(
            "The shapes of the operands contradict each other: inner dims of a product, dims that do not "
            "broadcast, a reshape to another number of elements. A symbolic dim such as batch equals only itself; "
            "only the integer 1 stretches."
        ),
        remedy="The message lists every operand with its shape and where it was declared; compare them dim by dim.",
        example="graphspec: 1\ninputs: {x: [1, 2], y: [1, 2, 3]}\nnodes: {f: x + y}\noutputs: f",
    ),
    "GS403": Code(
        title="the wrong number of dims",
        explanation="An op or a declared input wants another number of dims than the operand has.",
        remedy="Use expand_dims, squeeze, reshape or an index to change it. To multiply by a scalar use *, not @.",
        example="graphspec: 1\ninputs: {x: 1, y: [1, 2]}\nnodes: {f: x @ y}\noutputs: f",
    ),
    "GS404": Code(
        title="an axis or index out of range",
        explanation=(
            "An axis is 0 to rank - 1, or negative to count from the end, and is listed once. An index of a known "
            "dim lies inside it."
        ),
        remedy="Correct the axis or index; the message shows the number of dims.",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  f: sum(x, axis=1)\noutputs: f",
    ),
    "GS405": Code(
        title="a literal that does not fit",
        explanation=(
            "A number in an expression takes the dtype of the array it meets. A fraction that meets integers, or a "
            "number too large for the dtype, has no such value."
        ),
        remedy='Convert the array first: cast(n, dtype="float64") + 0.5.',
        example="graphspec: 1\ninputs: {n: {value: 3, dtype: int64}}\nnodes: {f: n + 0.5}\noutputs: f",
    ),
    "GS406": Code(
        title="a dim that nothing binds",
        explanation=(
            "The shape of a parameter or state is integers once the graph is built. A name in it must be an "
            "attribute, or a dim that the call binds to an integer."
        ),
        remedy="Write the integer, declare an attribute of that name, or bind it by an operand.",
        example="graphspec: 1\nparameters: {w: {shape: [units], init: zeros}}\nnodes: {f: sum(w)}\noutputs: f",
    ),
    "GS407": Code(
        title="a value of another shape than declared",
        explanation=(
            "A default or first value differs from the `shape` next to it, or a repeated function does not return "
            "the type of its first input."
        ),
        remedy="Make the two agree; a number fills any shape.",
        example="graphspec: 1\nparameters: {w: {shape: [2], value: [1, 2, 3]}}\nnodes: {f: sum(w)}\noutputs: f",
    ),
}
