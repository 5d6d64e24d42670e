"""`graphspec new KIND --data FILE`: a starter spec that is fitted to a file of data."""

from __future__ import annotations

import os
from argparse import Namespace
from pathlib import Path

from graphspec.commands import console
from graphspec.commands.files import spec_path, write_file
from graphspec.data_grammar import FORMATS
from graphspec.data_section import format_of, is_pattern
from graphspec.errors import Diagnostic, FeedError, problem
from graphspec.loader import inside, load_text
from graphspec.starter.choice import choose
from graphspec.starter.column import survey
from graphspec.starter.document import document
from graphspec.train.files import open_table


def fit(arguments: Namespace) -> int:
    """Write a starter of the kind ``name`` for the file ``data``; an existing file is not touched."""
    kind, data = arguments.name, arguments.data
    if format_of(data) is None:
        raise FeedError(_no_table(data))
    path = spec_path(arguments.output) if arguments.output else _beside(kind, data)
    file = _inside(data, path)
    table = open_table(Path(data), data)
    chosen = choose(table, survey(table), kind, arguments.target)
    text = document(chosen, kind, file, os.path.basename(path))
    load_text(text, Path(path).parent)  # what is written loads
    write_file(path, text.encode("utf-8", "replace"), overwrite=False)
    console.note(f"wrote {path}; next: graphspec train {path}")
    return 0


def _beside(kind: str, data: str) -> str:
    """Return where a starter goes: to the current folder if the data is inside it, else beside the data."""
    name = f"{kind}.yaml"
    here = Path(data).resolve().is_relative_to(Path.cwd())
    return name if here else os.path.join(os.path.dirname(data), name)


def _inside(data: str, path: str) -> str:
    """Return the path of the data relative to the folder of the spec.

    Raises:
        FeedError: GS112, it is not inside that folder; GS639, it would be read as a pattern.
    """
    folder = Path(path).parent.resolve()
    target = Path(data).resolve()
    text = Path(os.path.relpath(target, folder)).as_posix()
    if is_pattern(text):
        hint = "give it a name without * and ?"
        raise FeedError(problem("GS639", f"'{data}' would be read as a pattern for several files", hint=hint))
    if inside(folder, folder, text) is None:
        message = f"'{data}' is outside the folder of '{path}', and a spec reads data inside its own folder only"
        hint = f"-o {os.path.join(os.path.dirname(data), os.path.basename(path))}, or move the data"
        raise FeedError(problem("GS112", message, hint=hint))
    return text


def _no_table(data: str) -> Diagnostic:
    """Return the diagnostic for a file that is of no format that can be read."""
    known = ", ".join(suffixes[0] for suffixes in FORMATS.values())
    if os.path.splitext(data)[1].lower() not in (".txt", ".text", ".md"):
        return problem("GS639", f"the format of '{data}' is not known by its suffix", hint=f"suffixes are {known}")
    hint = (
        "its bytes are tokens: numpy.fromfile(FILE, 'uint8'), cut into windows of 65 with t[: len(t) // 65 * 65]"
        ".reshape(-1, 65), saved with numpy.save as an .npy file"
    )
    return problem("GS639", f"'{data}' is a text, and no table: a language model reads windows of tokens", hint=hint)
