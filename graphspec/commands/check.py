"""`graphspec check`: every diagnostic, the tests in the spec, and every gradient against a numerical one."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from graphspec.commands import console
from graphspec.commands.settings import load_program, settings
from graphspec.errors import Diagnostic, GraphSpecError
from graphspec.view.table import Block, Table

if TYPE_CHECKING:
    from graphspec.check import Report


def check(arguments: Namespace) -> int:
    """Check every spec and report on all of them; exit code 1 if one failed."""
    settings(arguments.attribute, "--attribute")  # what is wrong with it is wrong for all specs: say it once
    checked = [(spec, *_check(spec, arguments)) for spec in arguments.specs]
    if arguments.json:
        console.write_json(_data(checked))
    else:
        for spec, report, diagnostics in checked:
            console.report(diagnostics)
            console.show(_blocks(spec, report, diagnostics))
    return 0 if all(_ok(report) for _, report, _ in checked) else 1


def _check(spec: str, arguments: Namespace) -> tuple[Report | None, list[Diagnostic]]:
    """Return the report on one spec, None where it cannot be loaded or run, and all diagnostics."""
    try:
        program = load_program(spec, arguments)
        from graphspec.check import check_program

        report = check_program(program, gradients=not arguments.no_gradients, seed=arguments.seed)
    except GraphSpecError as error:
        return None, list(error.diagnostics)
    return report, list(report.diagnostics)


def _ok(report: Report | None) -> bool:
    return report is not None and report.ok


def _data(checked: list[tuple[str, Report | None, list[Diagnostic]]]) -> dict[str, Any]:
    """Return the JSON of all reports; `diagnostics` are those of all specs together."""
    specs = []
    for spec, report, diagnostics in checked:
        entry: dict[str, Any] = {"spec": spec, "ok": _ok(report)}
        entry |= {} if report is None else report.to_dict()
        entry["diagnostics"] = [found.to_dict() for found in diagnostics]
        specs.append(entry)
    everything = [found for entry in specs for found in entry["diagnostics"]]
    return {"ok": all(entry["ok"] for entry in specs), "diagnostics": everything, "specs": specs}


def _blocks(spec: str, report: Report | None, diagnostics: list[Diagnostic]) -> list[Block]:
    """Return one line on a spec, and a table of what was tested."""
    from graphspec.view.values import count_text

    if report is None:
        return [f"{spec}: failed, {count_text(sum(found.severity == 'error' for found in diagnostics), 'error')}"]
    rows = [("test", item.name, _verdict(item.ok), item.message) for item in report.tests]
    rows += [
        (f"gradient of {item.of}", item.name, _verdict(item.ok, item.surrogate, item.kink), item.message)
        for item in report.gradients
    ]
    counts = f"{count_text(len(report.tests), 'test')}, {count_text(len(report.gradients), 'gradient')}"
    blocks: list[Block] = [f"{spec}: {'ok' if report.ok else 'failed'}, {counts}"]
    return [*blocks, Table(("checked", "name", "verdict", "about"), rows)] if rows else blocks


def _verdict(ok: bool, surrogate: bool = False, kink: bool = False) -> str:
    return "surrogate" if surrogate else "kink" if kink else "ok" if ok else "FAILED"
