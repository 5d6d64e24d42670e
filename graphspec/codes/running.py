"""GS6xx: feeds, files given to a run, engines, running."""

from __future__ import annotations

from graphspec.codes.code import Code

_SQUARE = "graphspec: 1\ninputs: {x: 1}\nnodes: {f: x * x}\noutputs: f"

RUNNING = {
    "GS601": Code(
        "unknown input or parameter",
        "A feed, or a value that is assigned, has a name that is neither an input nor a parameter or state of the spec.",
        "`graphspec show SPEC` lists them.",
        _SQUARE,
        "graphspec run spec.yaml --set y=2",
    ),
    "GS602": Code(
        "an input was not given",
        "The run needs an input that has no default and was not fed.",
        "Give it with --set NAME=VALUE or --feed FILE, in Python as a keyword, or declare a default.",
        "graphspec: 1\ninputs: {x: null}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS603": Code(
        "a value that the dtype cannot hold",
        "Numbers and lists take the declared dtype, integers also become floats, but never the other way. Arrays are "
        "converted only where nothing can be lost. Text is no number, and rows have one length.",
        "Give numbers of the declared dtype, or convert the array with astype.",
        "graphspec: 1\ninputs: {n: {value: 3, dtype: int64}}\nnodes: {f: n + 1}\noutputs: f",
        "graphspec run spec.yaml --set n=2.5",
    ),
    "GS604": Code(
        "a value of the wrong shape",
        "The value that was fed or assigned does not have the declared shape.",
        "Reshape it, or declare a symbolic dim where its size may vary.",
        "graphspec: 1\ninputs: {x: {shape: [2]}}\nnodes: {f: sum(x)}\noutputs: f",
        "graphspec run spec.yaml --set x=[1,2,3]",
    ),
    "GS605": Code(
        "feeds that disagree about a dim",
        "Two feeds give one symbolic dim different sizes, or a dim computed from others has another size than was fed.",
        "Feed arrays that belong together, or use two names for the dims.",
        "graphspec: 1\ninputs: {x: {shape: [n]}, y: {shape: [n]}}\nnodes: {f: sum(x * y)}\noutputs: f",
        "graphspec run spec.yaml --set x=[1,2] --set y=[1,2,3]",
    ),
    "GS606": Code(
        "a file of weights",
        "A safetensors file cannot be read or written, is damaged, or has not the names, shapes and dtypes that the spec "
        "declares.",
        "`key:` names the array in the file where it is not the parameter's path.",
        "graphspec: 1\nparameters: {w: {shape: [2], file: missing.safetensors}}\nnodes: {f: sum(w)}\noutputs: f",
    ),
    "GS607": Code(
        "a file of feeds",
        "The file after --feed cannot be read. It is a .npz archive of numeric arrays, or a .json file with one object "
        "{name: number or list}; arrays of Python objects are refused, since reading them would run code from the file.",
        "Write it with numpy.savez(file, x=...), or as strict JSON.",
        _SQUARE,
        "graphspec run spec.yaml --feed missing.json",
    ),
    "GS608": Code(
        "an attribute from outside",
        "An attribute that was given on the command line or in Python is not one of the document's, or its value does not "
        "fit the declaration.",
        "The `attributes:` of the spec list names, types and limits.",
        _SQUARE,
        "graphspec run spec.yaml --attribute hidden=64",
    ),
    "GS609": Code(
        "NAME=VALUE that cannot be read",
        "--set and --attribute take a name, an equals sign and a value. Values follow the rules of the file: decimal numbers, "
        "true and false, lists in brackets. What YAML readers disagree about, such as 012 or yes, is refused here too.",
        "Write --set x=3, --set x=1e-3, --set 'x=[1, 2]'.",
        _SQUARE,
        "graphspec run spec.yaml --set x=012",
    ),
    "GS610": Code(
        "a file that cannot be written",
        "The folder does not exist or may not be written to, or `graphspec new` would overwrite a file.",
        "Choose another name or folder.",
        _SQUARE,
        "graphspec grad spec.yaml -o missing/gradient.yaml",
    ),
    "GS611": Code(
        "unknown engine",
        "An engine runs the graph on an array library. There are numpy, the default, and jax.",
        "Choose one of them.",
        _SQUARE,
        "graphspec run spec.yaml --engine numpyy",
    ),
    "GS612": Code(
        "an engine is not installed",
        "The engine needs a package that cannot be imported.",
        "Install the extra of the same name, such as graphspec[jax].",
    ),
    "GS620": Code(
        "a node failed while running",
        "The numbers that arrived cannot be computed with: an index outside an array whose size was not known before, or "
        "more memory than there is. The message names the node.",
        "Look at the operands of the node: `graphspec run SPEC --all` prints every value up to it.",
        "graphspec: 1\ninputs: {x: [1, 2], i: {value: 5, dtype: int64}}\nnodes:\n  f: take(x, i)\noutputs: f",
    ),
}
