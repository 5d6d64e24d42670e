"""GS6xx: feeds, files given to a run, engines, running."""

from __future__ import annotations

from graphspec.codes.code import Code

_SQUARE = "graphspec: 1\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f"

RUNNING = {
    "GS601": Code(
        title="unknown input or parameter",
        explanation=(
            "A feed, or a value that is assigned, has a name that is neither an input nor a parameter or state of "
            "the spec."
        ),
        remedy="`graphspec show SPEC` lists them.",
        example=_SQUARE,
        command="graphspec run spec.yaml --set y=2",
    ),
    "GS602": Code(
        title="an input was not given",
        explanation="The run needs an input that has no default and was not fed.",
        remedy="Give it with --set NAME=VALUE or --feed FILE, in Python as a keyword, or declare a default.",
        example="graphspec: 1\ninputs: {x: null}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS603": Code(
        title="a value that the dtype cannot hold",
        explanation=(
            "Numbers and lists take the declared dtype, integers also become floats, but never the other way. "
            "Arrays are converted only where nothing can be lost. Text is no number, and rows have one length."
        ),
        remedy="Give numbers of the declared dtype, or convert the array with astype.",
        example="graphspec: 1\ninputs: {n: {value: 3, dtype: int64}}\nnodes: {f: n + 1}\noutputs: f",
        command="graphspec run spec.yaml --set n=2.5",
    ),
    "GS604": Code(
        title="a value of the wrong shape",
        explanation="The value that was fed or assigned does not have the declared shape.",
        remedy="Reshape it, or declare a symbolic dim where its size may vary.",
        example="graphspec: 1\ninputs: {x: {shape: [2]}}\nnodes: {f: sum(x)}\noutputs: f",
        command="graphspec run spec.yaml --set x=[1,2,3]",
    ),
    "GS605": Code(
        title="feeds that disagree about a dim",
        explanation=(
            "Two feeds give one symbolic dim different sizes, or a dim computed from others has another size than "
            "was fed."
        ),
        remedy="Feed arrays that belong together, or use two names for the dims.",
        example="graphspec: 1\ninputs: {x: {shape: [n]}, y: {shape: [n]}}\nnodes: {f: sum(x * y)}\noutputs: f",
        command="graphspec run spec.yaml --set x=[1,2] --set y=[1,2,3]",
    ),
    "GS606": Code(
        title="a file of weights",
        explanation=(
            "A safetensors file cannot be read or written, is damaged, or has not the names, shapes and dtypes "
            "that the spec declares."
        ),
        remedy="`key:` names the array in the file where it is not the parameter's path.",
        example=("graphspec: 1\nparameters: {w: {shape: [2], file: spec.yaml}}\nnodes: {f: sum(w)}\noutputs: f"),
    ),
    "GS607": Code(
        title="a file of feeds",
        explanation=(
            "The file after --feed cannot be read. It is a .npz archive of numeric arrays, or a .json file with "
            "one object {name: number or list}; arrays of Python objects are refused, since reading them would run "
            "code from the file."
        ),
        remedy="Write it with numpy.savez(file, x=...), or as strict JSON.",
        example=_SQUARE,
        command="graphspec run spec.yaml --feed missing.json",
    ),
    "GS608": Code(
        title="an attribute from outside",
        explanation=(
            "An attribute that was given on the command line or in Python is not one of the document's, or its "
            "value does not fit the declaration."
        ),
        remedy="The `attributes:` of the spec list names, types and limits.",
        example=_SQUARE,
        command="graphspec run spec.yaml --attribute hidden=64",
    ),
    "GS609": Code(
        title="a test of the spec fails",
        explanation=(
            "`graphspec check` runs the `tests` of a spec. A value or gradient differs from what the test expects by "
            "more than the tolerances, has another shape, or the test names something that does not exist."
        ),
        remedy="Correct the expectation or the spec; `rtol` and `atol` set the tolerances of a test.",
        example=(
            "graphspec: 1\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f\ntests:\n  - {feeds: {x: 3}, expect: {f: 10}}"
        ),
        command="graphspec check spec.yaml",
    ),
    "GS610": Code(
        title="a gradient that is not the derivative",
        explanation=(
            "`graphspec check` compares every gradient with central differences. They disagree: as a rule because a "
            "function has a `gradient` of its own that is wrong. As a note: a rule could not be compared."
        ),
        remedy=(
            "Correct the rule. Where it is on purpose another one, as in a straight-through estimator, write "
            "`surrogate: true` next to it."
        ),
        example=(
            "graphspec: 1\nfunctions:\n"
            "  cube: {inputs: [x], nodes: {y: x ** 3}, outputs: y, gradient: {x: 2 * ct * x}}\n"
            "inputs: {x: 2}\nnodes: {f: cube(x)}\noutputs: f"
        ),
        command="graphspec check spec.yaml",
    ),
    "GS611": Code(
        title="unknown engine",
        explanation="An engine runs the graph on an array library. There are numpy, the default, and jax.",
        remedy="Choose one of them.",
        example=_SQUARE,
        command="graphspec run spec.yaml --engine numpyy",
    ),
    "GS612": Code(
        title="a package is not installed",
        explanation=(
            "An engine, a file format, the TensorBoard writer or the drawing of curves needs a package that cannot be "
            "imported."
        ),
        remedy="Install the extra that the hint names, such as graphspec[jax].",
    ),
    "GS613": Code(
        title="NAME=VALUE that cannot be read",
        explanation=(
            "--set and --attribute take a name, an equals sign and a value. Values follow the rules of the file: "
            "decimal numbers, true and false, lists in brackets. What YAML readers disagree about, such as 012 or "
            "yes, is refused here too."
        ),
        remedy="Write --set x=3, --set x=1e-3, --set 'x=[1, 2]'.",
        example=_SQUARE,
        command="graphspec run spec.yaml --set x=012",
    ),
    "GS614": Code(
        title="a file that cannot be written",
        explanation=(
            "The folder does not exist or may not be written to, the disk is full, or `graphspec new` would overwrite "
            "a file."
        ),
        remedy="Choose another name or folder.",
        example=_SQUARE,
        command="graphspec grad spec.yaml -o missing/gradient.yaml",
    ),
    "GS615": Code(
        title="a log that cannot be gone on with",
        explanation=(
            "A training that is resumed goes on with the log.jsonl beside its checkpoints. A line of it is no record "
            "of an epoch, or the file cannot be read."
        ),
        remedy="Remove or rename the log to begin a new one.",
    ),
    "GS620": Code(
        title="a node failed while running",
        explanation=(
            "The numbers that arrived cannot be computed with: an index outside an array whose size was not known "
            "before, or more memory than there is. The message names the node."
        ),
        remedy="Look at the operands of the node: `graphspec run SPEC --all` prints every value up to it.",
        example="graphspec: 1\ninputs: {x: [1, 2], i: {value: 5, dtype: int64}}\nnodes:\n  f: take(x, i)\noutputs: f",
    ),
}
