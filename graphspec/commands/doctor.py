"""`graphspec doctor`: what is wrong with a network before it is trained."""

from __future__ import annotations

import sys
from argparse import Namespace
from collections.abc import Sequence
from textwrap import fill
from typing import TYPE_CHECKING

from graphspec.commands import console
from graphspec.commands.settings import feeds, load_program
from graphspec.view.table import Block, Table, one_line

if TYPE_CHECKING:
    from graphspec.doctor import Examination

_NARROWEST = 20
_UNFOLDED = 10_000  # off a terminal: one line each, for grep
_WIDE = 120  # columns of a terminal from which on findings are a table; they have long sentences


def doctor(arguments: Namespace) -> int:
    """Look at one batch and report; exit code 1 where the spec or the data is wrong."""
    program = load_program(arguments.spec, arguments)
    from graphspec.doctor import examine

    found = examine(program, feeds(arguments), of=arguments.of, batch=arguments.batch, seed=arguments.seed)
    if arguments.json:
        console.write_json({"spec": arguments.spec, **found.to_dict(arguments.all)})
    else:
        console.report(item.diagnostic for item in found.findings if item.diagnostic.severity == "error")
        console.show(_blocks(arguments.spec, found, arguments.all))
    return 0 if found.ok else 1


def _blocks(spec: str, found: Examination, everything: bool) -> list[Block]:
    """Return the verdict, the findings, and what was measured of parameters and activations."""
    blocks: list[Block] = [_verdict(spec, found)]
    if found.findings:
        blocks += _findings(found)
    blocks += _parameters(found)
    blocks += _activations(found)
    return [*blocks, *_nodes(found)] if everything else blocks


def _verdict(spec: str, found: Examination) -> str:
    from graphspec.view.values import count_text, number_text

    severities = [item.diagnostic.severity for item in found.findings]
    counts = [count_text(severities.count(name), name) for name in ("error", "warning", "note") if name in severities]
    rows = "" if found.vitals.rows is None else f" on {count_text(found.vitals.rows, 'row')}"
    return f"{spec}: {', '.join(counts) or 'healthy'}; the loss '{found.of}' is {number_text(found.loss)}{rows}"


def _findings(found: Examination) -> list[Block]:
    """Return a table where there is room for it, else a paragraph for each."""
    rows = []
    for item in found.findings:
        about = item.diagnostic
        where = str(about.where) if about.where is not None else ""
        rows.append((f"{about.severity} {about.code}", about.path, where, about.message, about.hint))
    if sys.stdout.isatty() and console.width() >= _WIDE:
        return [Table(("finding", "node", "place", "what was found", "what to do"), rows)]
    width = console.width() if sys.stdout.isatty() else _UNFOLDED
    return ["\n" + "\n\n".join(_paragraph(row, max(width, _NARROWEST)) for row in rows)]


def _paragraph(row: tuple[str, ...], width: int) -> str:
    """Return a finding as lines: what and where, then what was found and what to do."""
    head, path, where, message, hint = (one_line(cell) for cell in row)
    lines = [" ".join(word for word in (head, path, where) if word), f"  {message}"]
    lines += [f"  what to do: {hint}"] if hint else []
    return "\n".join(fill(line, width, subsequent_indent="    ", break_on_hyphens=False) for line in lines)


def _parameters(found: Examination) -> list[Block]:
    rows = []
    for item in found.vitals.parameters:
        shown = (item.size, item.gradient, item.ratio, item.signal)
        trained = "" if item.item.trainable else "not trained"
        rows.append((item.item.path, *(_number(value) for value in shown), trained))
    columns = ("parameter", "rms", "gradient rms", "ratio", "signal", "")
    return [_table(columns, rows, (1, 2, 3, 4))] if rows else []


def _activations(found: Examination) -> list[Block]:
    rows = [
        (found.vitals.graph.label(item.node), item.kind, str(answer.units), str(answer.silent), f"{answer.share:.1%}")
        for item, answer in found.vitals.answers
    ]
    columns = ("activation", "kind", "units", "silent units", "silent values")
    return [Table(columns, rows, right=frozenset((2, 3, 4)))] if rows else []


def _nodes(found: Examination) -> list[Block]:
    rows = []
    for node in found.nodes():
        low, high = _number(node["low"]), _number(node["high"])
        bad = " ".join(f"{node[name]} {name}" for name in ("nan", "infinite") if node[name])
        rows.append((node["path"], node["op"], low, high, _number(node["rms"]), _number(node["cotangent"]), bad))
    columns = ("node", "op", "low", "high", "rms", "cotangent rms", "not finite")
    return [_table(columns, rows, (2, 3, 4, 5))]


def _table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], right: tuple[int, ...]) -> Table:
    """Return a table, without its last column where that is empty."""
    if not any(row[-1] for row in rows):
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table(columns, rows, right=frozenset(right))


def _number(value: float | str | None) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else f"{value:.3g}"
