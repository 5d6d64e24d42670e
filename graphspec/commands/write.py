"""The verbs that write files or text: `grad`, `render`, `schema`, `new`."""

from __future__ import annotations

import os
from argparse import Namespace

from graphspec.commands import console
from graphspec.commands.files import spec_path, write_file
from graphspec.commands.settings import load_program
from graphspec.view.table import one_line

_STARTER = """\
# yaml-language-server: $schema=graphspec.schema.json
# Editors complete and check this file once the schema is next to it: graphspec schema > graphspec.schema.json
graphspec: 1
doc: A neuron and its squared error.

# Values that are fed; a number is the default:  graphspec run {file} --set x=3
inputs:
  x: 2
  target: 1

# Trainable values, by the value they begin with. An array: {{shape: [3, 2], init: glorot_uniform}}
parameters:
  weight: 0.5
  bias: 0

# Each node is an expression over inputs, parameters and other nodes, in any order:  graphspec ops
nodes:
  z: weight * x + bias
  y: 1 / (1 + exp(-z))
  loss: (y - target) ** 2

# What a run reports, and the scalar whose gradients it computes
outputs: [y, loss]
differentiate: loss

# What should come out:  graphspec check {file}
tests:
  - {{name: at zero the neuron is undecided, feeds: {{x: 0}}, expect: {{y: 0.5, loss: 0.25}}}}
"""


def grad(arguments: Namespace) -> int:
    """Write the gradient graph of a spec as a spec."""
    program = load_program(arguments.spec, arguments)
    return _put(program.gradient(arguments.of, arguments.wrt).to_yaml(), arguments.output)


def render(arguments: Namespace) -> int:
    """Write a spec with everything expanded, inferred and defaulted."""
    program = load_program(arguments.spec, arguments)
    return _put((program.training_program() if arguments.training else program).to_yaml(), arguments.output)


def schema(arguments: Namespace) -> int:
    """Print the JSON Schema of a spec."""
    import json

    from graphspec.schema import document_schema

    console.write(json.dumps(document_schema(), indent=1))
    return 0


def new(arguments: Namespace) -> int:
    """Write a first spec with comments, or one that is fitted to a file; an existing file is not touched."""
    if arguments.data is not None:
        from graphspec.commands.fit import fit

        return fit(arguments)
    path = spec_path(arguments.name)
    text = _STARTER.format(file=one_line(os.path.basename(path)))
    write_file(path, text.encode("utf-8", "replace"), overwrite=False)
    console.note(f"wrote {path}; next: graphspec run {path}")
    return 0


def _put(text: str, output: str | None) -> int:
    if output is None:
        console.write(text)
    else:
        write_file(output, text.encode())
        console.note(f"wrote {output}")
    return 0
