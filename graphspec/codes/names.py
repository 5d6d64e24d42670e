"""GS3xx: names of values, ports and operands, edges, cycles and recursion."""

from __future__ import annotations

from graphspec.codes.code import Code

NAMES = {
    "GS301": Code(
        title="unknown name",
        explanation=(
            "An expression, edge, output or update refers to a value that the document does not declare. A "
            "function sees no names of its caller."
        ),
        remedy=(
            "Declare it, correct the spelling, or pass it to the function as an input. An op needs brackets: exp(x)."
        ),
        example="graphspec: 1\ninputs: {image: 1}\nnodes: {f: imgae * 2}\noutputs: f",
    ),
    "GS302": Code(
        title="a name is declared twice",
        explanation=(
            "Inputs, parameters, state, constants, nodes and attributes of a document share one set of names. Two "
            "new edge weights of one edge and an output that is listed twice count as well; the first place is "
            "shown."
        ),
        remedy="Rename one of them.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {x: 2 * 3}\noutputs: x",
    ),
    "GS303": Code(
        title="an operand is missing",
        explanation=(
            "An op has a port that nothing feeds: no operand in the call, no entry in `inputs:`, no edge. A custom "
            "`gradient` needs an entry for every float input and parameter (null: does not depend)."
        ),
        remedy="Give the operand; the hint shows the signature.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: divide(x)}\noutputs: f",
    ),
    "GS304": Code(
        title="an operand is given twice",
        explanation=(
            "A port gets its operand from an expression, from `inputs:` or from an edge, never from two of them. "
            "Only a variadic port, such as that of `add`, takes several edges."
        ),
        remedy="Remove one of them, or add the values up first.",
        example="graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: {op: exp}}\nedges: [x -> f, y -> f]\noutputs: f",
    ),
    "GS305": Code(
        title="the wrong number of operands",
        explanation=(
            "More operands than the op has ports, several for a port that takes one, or a variadic input where a "
            "single value is wanted."
        ),
        remedy="`graphspec ops NAME` shows the signature. Attributes are never positional: sum(x, axis=0).",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: exp(x, x)\noutputs: f",
    ),
    "GS306": Code(
        title="a cycle",
        explanation=(
            "The computation must be a directed acyclic graph: nothing may depend on itself. The message walks a "
            "shortest cycle node by node, with the line of each."
        ),
        remedy="Break the cycle. A value from the run before is `state`, changed by `updates`.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: x + g\n  g: 2 * f\noutputs: f",
    ),
    "GS307": Code(
        title="recursion",
        explanation=(
            "A function calls itself, directly or through others. Calls are expanded when the graph is built, so "
            "this would never end."
        ),
        remedy="Use `repeat:` to apply a function a fixed number of times.",
        example=(
            "graphspec: 1\n"
            "functions:\n"
            "  twice: {inputs: [x], nodes: {y: twice(x)}, outputs: y}\n"
            "nodes: {f: twice(1)}\n"
            "outputs: f"
        ),
    ),
    "GS308": Code(
        title="an edge that ends in the wrong place",
        explanation=(
            "The target of an edge is a node in mapping form, {op: ...}. An expression has its operands already, "
            "and inputs and parameters take none."
        ),
        remedy="Write the target as NAME: {op: ...}.",
        example="graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: x * y}\nedges: [x -> f]\noutputs: f",
    ),
    "GS309": Code(
        title="unknown or unnamed port",
        explanation="The port does not exist, or the op has several and the edge does not say which.",
        remedy="Name it: source -> target.port. `graphspec ops NAME` lists the ports.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes: {f: {op: divide, inputs: {b: 1}}}\nedges: [x -> f]\noutputs: f",
    ),
    "GS310": Code(
        title="one of several outputs must be named",
        explanation="The node or function has several outputs, and the reference does not say which is meant.",
        remedy="Write node.output; the message lists them.",
        example=(
            "graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  halves: split(x, parts=2)\n  f: sum(halves)\noutputs: f"
        ),
    ),
    "GS311": Code(
        title="unknown output or inner value",
        explanation="There is no such output of the node, or no such value inside the call that the path leads into.",
        remedy="`graphspec show SPEC` lists every path.",
        example=(
            "graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  halves: split(x, parts=2)\n  f: sum(halves.y2)\noutputs: f"
        ),
    ),
    "GS312": Code(
        title="an optional input was not given",
        explanation="A function uses an optional input that this call leaves out.",
        remedy="Guard its use: `... if given(name) else ...`; or pass it.",
        example=(
            "graphspec: 1\n"
            "functions:\n"
            "  scale: {inputs: {x: null, by: {optional: true}}, nodes: {y: x * by}, outputs: y}\n"
            "nodes: {f: scale(1)}\n"
            "outputs: f"
        ),
    ),
    "GS313": Code(
        title="share of something else",
        explanation="`share` uses all parameters of another node again, which must be a call of the same function.",
        remedy="Name a call of the same function, or bind single parameters: linear(x, weight=other.weight).",
        example=(
            "graphspec: 1\n"
            "functions:\n"
            "  scale: {inputs: [x], parameters: {w: 2}, nodes: {y: x * w}, outputs: y}\n"
            "nodes: {a: 2 * 3, f: {op: scale, inputs: a, share: a}}\n"
            "outputs: f"
        ),
    ),
}
