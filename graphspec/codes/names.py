"""GS3xx: names of values, ports and operands, edges, cycles and recursion."""

from __future__ import annotations

from graphspec.codes.code import Code

NAMES = {
    "GS301": Code(
        "unknown name",
        "An expression, edge, output or update refers to a value that the document does not declare. A function sees no "
        "names of its caller.",
        "Declare it, correct the spelling, or pass it to the function as an input. An op needs brackets: exp(x).",
        "graphspec: 1\ninputs: {image: 1}\nnodes: {f: imgae * 2}\noutputs: f",
    ),
    "GS302": Code(
        "a name is declared twice",
        "Inputs, parameters, state, constants, nodes and attributes of a document share one set of names. Two new edge "
        "weights of one edge and an output that is listed twice count as well; the first place is shown.",
        "Rename one of them.",
        "graphspec: 1\ninputs: {x: 1}\nnodes: {x: 2 * 3}\noutputs: x",
    ),
    "GS303": Code(
        "an operand is missing",
        "An op has a port that nothing feeds: no operand in the call, no entry in `inputs:`, no edge. A custom `gradient` "
        "needs an entry for every float input and parameter (null: does not depend).",
        "Give the operand; the hint shows the signature.",
        "graphspec: 1\ninputs: {x: 1}\nnodes: {f: divide(x)}\noutputs: f",
    ),
    "GS304": Code(
        "an operand is given twice",
        "A port gets its operand from an expression, from `inputs:` or from an edge, never from two of them. Only a "
        "variadic port, such as that of `add`, takes several edges.",
        "Remove one of them, or add the values up first.",
        "graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: {op: exp}}\nedges: [x -> f, y -> f]\noutputs: f",
    ),
    "GS305": Code(
        "the wrong number of operands",
        "More operands than the op has ports, several for a port that takes one, or a variadic input where a single value "
        "is wanted.",
        "`graphspec ops NAME` shows the signature. Attributes are never positional: sum(x, axis=0).",
        "graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: exp(x, x)\noutputs: f",
    ),
    "GS306": Code(
        "a cycle",
        "The computation must be a directed acyclic graph: nothing may depend on itself. The message walks a shortest "
        "cycle node by node, with the line of each.",
        "Break the cycle. A value from the run before is `state`, changed by `updates`.",
        "graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: x + g\n  g: 2 * f\noutputs: f",
    ),
    "GS307": Code(
        "recursion",
        "A function calls itself, directly or through others. Calls are expanded when the graph is built, so this would "
        "never end.",
        "Use `repeat:` to apply a function a fixed number of times.",
        "graphspec: 1\nfunctions:\n  twice: {inputs: [x], nodes: {y: twice(x)}, outputs: y}\nnodes: {f: twice(1)}\noutputs: f",
    ),
    "GS308": Code(
        "an edge that ends in the wrong place",
        "The target of an edge is a node in mapping form, {op: ...}. An expression has its operands already, and inputs and "
        "parameters take none.",
        "Write the target as NAME: {op: ...}.",
        "graphspec: 1\ninputs: {x: 1, y: 2}\nnodes: {f: x * y}\nedges: [x -> f]\noutputs: f",
    ),
    "GS309": Code(
        "unknown or unnamed port",
        "The port does not exist, or the op has several and the edge does not say which.",
        "Name it: source -> target.port. `graphspec ops NAME` lists the ports.",
        "graphspec: 1\ninputs: {x: 1}\nnodes: {f: {op: divide, inputs: {b: 1}}}\nedges: [x -> f]\noutputs: f",
    ),
    "GS310": Code(
        "one of several outputs must be named",
        "The node or function has several outputs, and the reference does not say which is meant.",
        "Write node.output; the message lists them.",
        "graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  halves: split(x, parts=2)\n  f: sum(halves)\noutputs: f",
    ),
    "GS311": Code(
        "unknown output or inner value",
        "There is no such output of the node, or no such value inside the call that the path leads into.",
        "`graphspec show SPEC` lists every path.",
        "graphspec: 1\ninputs: {x: [1, 2]}\nnodes:\n  halves: split(x, parts=2)\n  f: sum(halves.y2)\noutputs: f",
    ),
    "GS312": Code(
        "an optional input was not given",
        "A function uses an optional input that this call leaves out.",
        "Guard its use: `... if given(name) else ...`; or pass it.",
        "graphspec: 1\nfunctions:\n  scale: {inputs: {x: null, by: {optional: true}}, nodes: {y: x * by}, outputs: y}\n"
        "nodes: {f: scale(1)}\noutputs: f",
    ),
    "GS313": Code(
        "share of something else",
        "`share` uses all parameters of another node again, which must be a call of the same function.",
        "Name a call of the same function, or bind single parameters: linear(x, weight=other.weight).",
        "graphspec: 1\nfunctions:\n  scale: {inputs: [x], parameters: {w: 2}, nodes: {y: x * w}, outputs: y}\n"
        "nodes: {a: 2 * 3, f: {op: scale, inputs: a, share: a}}\noutputs: f",
    ),
}
