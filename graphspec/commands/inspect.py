"""The verbs that tell about things: `show`, `ops`, `explain`."""

from __future__ import annotations

from argparse import Namespace

from graphspec.commands import console
from graphspec.errors import SpecError, problem


def show(arguments: Namespace) -> int:
    """Print a summary of a spec."""
    from graphspec.commands.settings import load_program

    program = load_program(arguments.spec, arguments)
    if arguments.json:
        from graphspec.view.summary import summary

        console.write_json({"spec": arguments.spec, **summary(program.model)})
    else:
        from graphspec.view.text import summary_blocks

        console.show(summary_blocks(program))
    return 0


def ops(arguments: Namespace) -> int:
    """Print the catalogue, or the page of one op."""
    from graphspec.view.catalogue import op_page, ops_table, unknown_op_hint

    if arguments.name is None:
        console.show(ops_table())
        return 0
    try:
        console.show(op_page(arguments.name))
    except KeyError:
        hint = unknown_op_hint(arguments.name) or "`graphspec ops` lists all"
        raise SpecError(problem("GS201", f"unknown op or function '{arguments.name}'", hint=hint)) from None
    return 0


def explain(arguments: Namespace) -> int:
    """Print what an error code means."""
    from graphspec.codes import explanation

    console.write(explanation(arguments.code, min(console.width(), 100)))
    return 0
