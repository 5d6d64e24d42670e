"""GS2xx: structure - version, keys, kinds of values, the syntax of expressions, ops and their attributes."""

from __future__ import annotations

from graphspec.codes.code import Code

STRUCTURE = {
    "GS201": Code(
        title="unknown op or function",
        explanation=(
            "What is called is neither a function of this document, nor one of its imports, nor in the catalogue "
            "or library."
        ),
        remedy="`graphspec ops` lists the catalogue. The hint knows the names that NumPy, PyTorch and ONNX use.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: tnah(x)}\noutputs: f",
    ),
    "GS202": Code(
        title="unknown key",
        explanation=(
            "Nothing is ignored silently: a key that has no meaning where it stands is an error. In a node the "
            "keys are those of every node and the attributes of its op."
        ),
        remedy="Correct the spelling; the hint names the nearest key.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f\nparamters: {w: 2}",
    ),
    "GS203": Code(
        title="a key is missing",
        explanation=(
            "Something required is not there: `outputs` of a document, `op` of a node in mapping form, exactly one "
            "of `value`, `init` and `file` of a parameter, or its `shape` where it has an `init` or a `file`."
        ),
        remedy="Add the key that the message names.",
        example="graphspec: 1\nparameters:\n  w: {shape: [2]}\nnodes: {f: sum(w)}\noutputs: f",
    ),
    "GS204": Code(
        title="a value of the wrong kind",
        explanation=(
            "A list stands where a mapping is wanted, text where a number is wanted, a list has rows of different "
            "lengths, and the like."
        ),
        remedy="The message says what was expected and what was found.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: [x * x]\noutputs: x",
    ),
    "GS205": Code(
        title="a value that is not allowed here",
        explanation=(
            "The value is of the right kind but outside its range, not among the choices, or not what an attribute "
            "takes."
        ),
        remedy="Choose one of the values in the message; `graphspec ops NAME` shows the attributes of an op.",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  f: sum(x, axis=1.5)\noutputs: f",
    ),
    "GS206": Code(
        title="the format version",
        explanation=(
            "Every file begins with `graphspec: 1`, the version of the format. Another version is refused, not "
            "guessed at."
        ),
        remedy="Write `graphspec: 1` as the first key.",
        example="inputs: {x: 1}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS207": Code(
        title="a name that cannot be used",
        explanation=(
            "A name is letters, digits and underscores and does not begin with a digit. Python's keywords, the "
            "words of expressions (true, null, ct, given, ...) and, for inputs and attributes, the keys of a node "
            "are taken."
        ),
        remedy="Choose another name: my_node instead of my-node.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  my-node: x * x\noutputs: x",
    ),
    "GS208": Code(
        title="reserved for a later version",
        explanation=(
            "The key or dtype will get a meaning later. It is refused today, so that no file changes its meaning then."
        ),
        remedy="Leave it out, or use another name.",
        example="graphspec: 1\npresets: {}\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS209": Code(
        title="an expression that cannot be read",
        explanation=(
            "Expressions are numbers, names, arithmetic, one comparison, calls, indexing and `a if condition else "
            "b`. A bracket or operand is missing, or a part of Python is used that is not in the language."
        ),
        remedy=(
            "The caret shows where reading stopped. For choices on values use where(condition, a, b); for logic "
            "use logical_and, logical_or and logical_not."
        ),
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: 2 * (x + 1\noutputs: f",
    ),
    "GS210": Code(
        title="unknown keyword in a call",
        explanation=(
            "A keyword in a call names an operand, an attribute or a parameter of what is called. There is none of "
            "that name."
        ),
        remedy="`graphspec ops NAME` shows the signature.",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  f: sum(x, axes=0)\noutputs: f",
    ),
    "GS211": Code(
        title="an attribute is missing",
        explanation=(
            "An op, a function or the document itself has an attribute without a default, and no value was given "
            "for it."
        ),
        remedy=(
            "Give it: as a keyword in the call, as a key of the node, or with --attribute NAME=VALUE for the "
            "document's own."
        ),
        example="graphspec: 1\nattributes:\n  units: {type: integer}\nnodes: {f: 2 * units}\noutputs: f",
    ),
    "GS212": Code(
        title="not known when the graph is built",
        explanation=(
            "Conditions of `if`, slice bounds, attribute values and dims are computed once, when the graph is "
            "built, from literals, attributes and shapes. A value that is only known when the graph runs cannot "
            "stand there, and a condition is a boolean."
        ),
        remedy=(
            "Use where(condition, a, b) for a choice on values and take(x, indices) for computed indices, or make "
            "it an attribute."
        ),
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: x if x > 0 else 2\noutputs: f",
    ),
    "GS213": Code(
        title="a shape that cannot be",
        explanation=(
            "A dim is an integer of 0 or more, a name, or arithmetic over names; `...` stands once in a shape, for "
            "any number of leading dims."
        ),
        remedy="Correct the list of dims.",
        example="graphspec: 1\ninputs:\n  x: {shape: [..., 2, ...]}\nnodes: {f: sum(x)}\noutputs: f",
    ),
    "GS214": Code(
        title="not an edge",
        explanation=(
            "An edge is `source -> target`, `source -> target.port`, a chain `a -> b -> c`, or {from, to, weight}. "
            "Only an edge of two ends takes a weight."
        ),
        remedy="Write it in one of these forms; split a weighted chain.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: {op: add}}\nedges: [x => f]\noutputs: f",
    ),
}
