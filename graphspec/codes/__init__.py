"""Every error code: what it means, an example, and what to do. `graphspec explain` and docs/errors.md print it."""

from __future__ import annotations

from textwrap import fill, indent

from graphspec.codes.checkpoints import CHECKPOINTS
from graphspec.codes.code import Code
from graphspec.codes.data import DATA
from graphspec.codes.differentiation import DIFFERENTIATION
from graphspec.codes.health import HEALTH
from graphspec.codes.names import NAMES
from graphspec.codes.running import RUNNING
from graphspec.codes.structure import STRUCTURE
from graphspec.codes.text import TEXT
from graphspec.codes.training import TRAINING
from graphspec.codes.types import TYPES

STAGES = {
    "GS1xx: text and files": TEXT,
    "GS2xx: structure": STRUCTURE,
    "GS3xx: names, ports, edges, cycles": NAMES,
    "GS4xx: types": TYPES,
    "GS5xx: differentiation": DIFFERENTIATION,
    "GS6xx: feeds and running": RUNNING,
    "GS63x: data": DATA,
    "GS64x: training": TRAINING,
    "GS65x: checkpoints": CHECKPOINTS,
    "GS66x: what `graphspec doctor` finds": HEALTH,
}
CODES: dict[str, Code] = {code: entry for stage in STAGES.values() for code, entry in stage.items()}

_INTRODUCTION = """\
# Error codes

A diagnostic begins with its place and its code. The hundreds are the stage that found it; a spec that fails at one
stage is not looked at by the next, and all problems of that stage are reported together. `graphspec explain CODE`
prints an entry of this page."""


def explanation(code: str, width: int = 88) -> str:
    """Return an entry of `CODES` as plain text, its sentences folded to a width.

    Raises:
        KeyError: there is no such code.
    """
    entry = CODES[code]
    parts = [f"{code}: {entry.title}", fill(entry.explanation, width)]
    if entry.example:
        parts += ["Example:", indent(entry.example, "    ")]
    if entry.command:
        parts.append(f"    $ {entry.command}")
    return "\n\n".join([*parts, fill(f"What to do: {entry.remedy}", width)])


def errors_markdown() -> str:
    """Return the text of docs/errors.md."""
    parts = [_INTRODUCTION]
    for stage, entries in STAGES.items():
        parts.append(f"## {stage}")
        parts += [_section(code, entry) for code, entry in entries.items()]
    return "\n\n".join(parts) + "\n"


def _section(code: str, entry: Code) -> str:
    parts = [f"### {code}: {entry.title}", entry.explanation]
    if entry.example:
        parts.append(f"```yaml\n{entry.example}\n```")
    if entry.command:
        parts.append(f"```\n$ {entry.command}\n```")
    return "\n\n".join([*parts, f"**What to do:** {entry.remedy}"])


__all__ = ["CODES", "STAGES", "Code", "errors_markdown", "explanation"]
