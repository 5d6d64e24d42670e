"""GS1xx: text and files, before anything in them is understood."""

from __future__ import annotations

from graphspec.codes.code import Code

TEXT = {
    "GS101": Code(
        title="not valid YAML or JSON",
        explanation=(
            "The text cannot be read as YAML (or, in a file named *.json, as strict JSON): a bracket or quote that "
            "is never closed, a tab as indentation, a line in the wrong column, or an unquoted value that begins "
            "with a character that YAML keeps for itself, such as * & ! @ or %."
        ),
        remedy=(
            "The caret shows where reading stopped; the cause is there or just before. Put values that contain ': "
            "' or begin with a special character in quotes."
        ),
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: *x\noutputs: f",
    ),
    "GS102": Code(
        title="a key is written twice",
        explanation=(
            "A mapping has the same key twice. Many YAML readers keep the last one silently; here it is an error, "
            "and both places are shown."
        ),
        remedy="Remove or rename one of them.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: x * x\n  f: x + 1\noutputs: f",
    ),
    "GS103": Code(
        title="a key is not a string",
        explanation="Keys are names. An unquoted number, true, false or null is read as that value, not as text.",
        remedy="Choose a name that begins with a letter, or put the key in quotes where it is meant as text.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  1: x * x\noutputs: x",
    ),
    "GS104": Code(
        title="a limit was exceeded",
        explanation=(
            "The file is larger than 64 MiB, nested deeper than 100 levels, or holds more values or aliases than a "
            "file may. The limits keep a broken or hostile file from taking all memory."
        ),
        remedy="Flatten the file or split it with `imports`; keep large arrays in a safetensors file (`file:`).",
    ),
    "GS105": Code(
        title="a feature of YAML that specs do not use",
        explanation=(
            "Tags (`!!python/...`, `!include`), merge keys (`<<`), directives other than %YAML and a second "
            "document after `---` are refused: a spec is data, and what you read is all there is."
        ),
        remedy="Write the values out. Text that begins with `!` needs quotes.",
        example="graphspec: 1\ninputs: {x: 1}\nnodes:\n  f: !!str x\noutputs: f",
    ),
    "GS106": Code(
        title="a number that readers understand differently",
        explanation=(
            "YAML 1.1 and 1.2 disagree about texts such as 012 (octal or decimal), 1:30 (base sixty), 0x1F, 1_000, "
            "yes, on and dates. Where a number or a boolean is wanted, such a text is an error that lists the "
            "readings."
        ),
        remedy="Write a plain decimal number, or true and false.",
        example="graphspec: 1\ninputs: {x: 012}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS107": Code(
        title="a number that no float64 holds",
        explanation=(
            "The number is larger than the largest float64, about 1.8e308, or an integer of more than 400 digits. "
            "Numbers written in a file are finite."
        ),
        remedy="Write a number that fits. Infinity can be written in an expression as `inf`.",
        example="graphspec: 1\ninputs: {x: 1e999}\nnodes: {f: x * x}\noutputs: f",
    ),
    "GS108": Code(
        title="a character that is not allowed, or not UTF-8",
        explanation=(
            "Specs are UTF-8 text without control characters. The file may be in another encoding (Latin-1, "
            "UTF-16), may not be text at all, or has an invisible character at the place shown."
        ),
        remedy='Save the file as UTF-8. In double quotes a character can be written as an escape, such as "\\u00e9".',
    ),
    "GS109": Code(
        title="the file is empty",
        explanation="There is nothing in the file but blanks and comments.",
        remedy="Begin with `graphspec: 1`; `graphspec new NAME` writes a first file.",
        example="# nothing but a comment",
    ),
    "GS110": Code(
        title="an expression that YAML cuts off",
        explanation=(
            "Inside { } and [ ] a comma or a closing bracket ends the value, and ' #' begins a comment anywhere. "
            "YAML reads `{f: sum(x, axis=0)}` as the value `sum(x` and a second key `axis=0)`."
        ),
        remedy="Put the expression in quotes, or write it on a line of its own.",
        example="graphspec: 1\ninputs: {x: [1, 2]}\nnodes: {f: sum(x, axis=0)}\noutputs: f",
    ),
    "GS111": Code(
        title="no such file",
        explanation=(
            "The spec, or a file of weights or a spec that it names, does not exist. Files are looked up relative to "
            "the file that names them."
        ),
        remedy="Check the spelling; the hint lists files of similar names.",
        example="graphspec: 1\nimports: {layer: no_such_file.yaml}\nnodes: {f: layer(1)}\noutputs: f",
    ),
    "GS112": Code(
        title="a path that leaves the spec's folder",
        explanation=(
            "Imports, weights and data are files inside the folder of the spec that was loaded. Absolute paths, "
            "addresses and paths that lead out of it with `..` or a link are refused, so that loading a spec "
            "touches nothing else. A spec given as text has no folder unless one is named."
        ),
        remedy=(
            "Move the file into the folder, or load a spec that stands higher. In Python: loads(text, folder=...)."
        ),
        example="graphspec: 1\nimports: {layer: ../layer.yaml}\nnodes: {f: layer(1)}\noutputs: f",
    ),
    "GS113": Code(
        title="files import one another",
        explanation=(
            "Following the imports leads back to a file that is still being read; the message shows the way round."
        ),
        remedy="Move what both files need into a third one.",
        example="graphspec: 1\nimports: {again: spec.yaml}\nnodes: {f: again(1)}\noutputs: f",
    ),
    "GS114": Code(
        title="a file that cannot be read",
        explanation="It is a folder, a pipe or a device, or reading it is not permitted.",
        remedy="Name a regular file that you may read.",
        example="graphspec: 1\nimports: {layer: .}\nnodes: {f: layer(1)}\noutputs: f",
    ),
}
