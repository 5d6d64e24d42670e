"""`graphspec run`: forward and backprop."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from graphspec.commands import console
from graphspec.commands.settings import feeds, load_program
from graphspec.errors import NotDifferentiableError

if TYPE_CHECKING:
    from graphspec.program import Program
    from graphspec.result import Result


def run(arguments: Namespace) -> int:
    """Run a spec, print values and gradients, save them where that was asked for."""
    program = load_program(arguments.spec, arguments)
    result = _result(program, feeds(arguments), arguments)
    if arguments.save:
        from graphspec.commands.files import save_result

        save_result(arguments.save, result)
    console.report(result.notes)
    if arguments.json:
        console.write_json({"spec": arguments.spec, **result.to_dict(arguments.all)})
    else:
        _print(program, result, arguments.all)
    return 0


def _result(program: Program, given: dict[str, Any], arguments: Namespace) -> Result:
    """Differentiate, or run forward where nothing was asked for and there is nothing to differentiate (L8.2)."""
    options = {"engine": arguments.engine, "seed": arguments.seed}
    if arguments.no_grad:
        return program.run(given, **options)
    asked = arguments.of is not None or arguments.wrt is not None
    if asked or program.model.of is not None:
        return program.backprop(given, of=arguments.of, wrt=arguments.wrt, **options)
    try:
        return program.backprop(given, **options)  # the feeds may decide what is built
    except NotDifferentiableError as error:
        if [found.code for found in error.diagnostics] != ["GS504"]:
            raise
        console.note(f"note: no gradients: {error.diagnostics[0].message}")
        return program.run(given, **options)


def _print(program: Program, result: Result, everything: bool) -> None:
    from graphspec.view.text import result_table

    leaves = [*program.inputs, *program.parameters, *program.state]
    console.show([result_table(result, everything, leaves)])
