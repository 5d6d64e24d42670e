"""Where text goes: results to stdout, everything else to stderr; colour and folding only on a terminal."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TextIO

from graphspec.errors import Diagnostic
from graphspec.view.table import Block, plain, printable, renderables
from graphspec.view.terminal import colourful

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def show(blocks: Iterable[Block]) -> None:
    """Print blocks to stdout: aligned text, or tables that fit the width where it is a terminal."""
    if not sys.stdout.isatty():
        write(plain(blocks))
        return
    console = _console(sys.stdout)
    for item in renderables(blocks, console.width):
        console.print(item)


def write(text: str) -> None:
    """Print text to stdout as it is, with control characters written as escapes."""
    sys.stdout.write(printable(text).removesuffix("\n") + "\n")


def write_json(data: Any) -> None:
    """Print one JSON document to stdout."""
    sys.stdout.write(json.dumps(data, allow_nan=False) + "\n")


def note(text: str) -> None:
    """Print a line for a person to stderr."""
    print(printable(text), file=sys.stderr)


def report(diagnostics: Iterable[Diagnostic]) -> None:
    """Print diagnostics to stderr, coloured where that is a terminal."""
    texts = [printable(_text(found)) for found in diagnostics]
    if not texts:
        return
    if not colourful(sys.stderr):
        print("\n".join(texts), file=sys.stderr)
        return
    console = _console(sys.stderr)
    for text in texts:
        console.print(_coloured(text), soft_wrap=True)


def fail(diagnostics: Iterable[Diagnostic], as_json: bool) -> int:
    """Report errors, as one JSON document on stdout where that was asked for; return exit code 1."""
    if as_json:
        write_json({"diagnostics": [found.to_dict() for found in diagnostics]})
    else:
        report(diagnostics)
    return 1


def width() -> int:
    """Return the width of the terminal, 80 where there is none."""
    return shutil.get_terminal_size().columns


def _text(found: Diagnostic) -> str:
    return str(found) if found.severity == "error" else f"{found.severity}: {found}"


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    if colourful(stream):
        return Console(file=stream, highlight=False, markup=False, emoji=False)
    # not a terminal to rich, so that it writes no control sequence at all
    return Console(file=stream, force_terminal=False, color_system=None, width=width(), highlight=False, emoji=False)


def _coloured(text: str) -> Text:
    from rich.text import Text

    styled = Text(text)
    styled.highlight_regex(re.compile(r"\A\S+:\d+:\d+:"), "bold")
    styled.highlight_regex(re.compile(r"\bGS\d{3}\b"), "bold red")
    styled.highlight_regex(re.compile(r"^ +\| +\^+$", re.MULTILINE), "red")
    styled.highlight_regex(re.compile(r"^  hint:", re.MULTILINE), "cyan")
    return styled
