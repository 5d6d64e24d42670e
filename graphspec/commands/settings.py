"""What the command line gives a spec: attributes, values and files of feeds."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from argparse import Namespace
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from graphspec.errors import Diagnostic, FeedError, GraphSpecError, Related, SpecError, problem
from graphspec.scalars import ambiguous, plain_value

if TYPE_CHECKING:
    from graphspec.program import Program

_DAMAGED = (OSError, ValueError, EOFError, KeyError, RuntimeError, MemoryError, zipfile.BadZipFile, zlib.error)


def load_program(path: str, arguments: Namespace) -> Program:
    """Load a spec with the attributes of the command line.

    Raises:
        GraphSpecError: a setting cannot be read, or the spec is wrong.
    """
    attributes = settings(arguments.attribute, "--attribute")
    from graphspec.program import load

    return load(path, attributes=attributes)


def feeds(arguments: Namespace) -> dict[str, Any]:
    """Return the feeds of the command line; ``--set`` wins over ``--feed``, a later one over an earlier one.

    Raises:
        FeedError: a file or value cannot be read.
    """
    found: dict[str, Any] = {}
    for path in arguments.feed:
        found |= _feed_file(path)
    return found | settings(arguments.set, "--set")


def settings(texts: Iterable[str], option: str) -> dict[str, Any]:
    """Return the values of ``NAME=VALUE`` settings.

    Raises:
        FeedError: GS613, for all that cannot be read.
    """
    found: dict[str, Any] = {}
    problems: list[Diagnostic] = []
    for text in texts:
        name, equals, written = text.partition("=")
        if not equals or not name.strip() or not written.strip():
            hint = f"write {option} {name.strip() or 'NAME'}=VALUE"
            problems.append(problem("GS613", f"{option}: expected NAME=VALUE, found '{text}'", hint=hint))
            continue
        try:
            found[name.strip()] = _value(written.strip(), strict=option == "--set")
        except _UnreadableError as error:
            problems.append(problem("GS613", f"{option} {text}: {error}", hint=error.hint))
    if problems:
        raise FeedError(problems)
    return found


class _UnreadableError(Exception):
    def __init__(self, message: str, hint: str = ""):
        self.hint = hint
        super().__init__(message)


def _value(text: str, strict: bool) -> Any:
    """Return the value of a text by the rules of a file (2.7); ``strict``: a number or boolean is wanted."""
    try:
        value, plain = _read(text)
    except OverflowError as error:
        raise _UnreadableError(str(error)) from None
    except SpecError as error:
        first = error.diagnostics[0]
        raise _UnreadableError(first.message, first.hint) from None
    if strict:
        readings = next(filter(None, map(ambiguous, plain)), None)
        if readings is not None:
            raise _UnreadableError(readings, "write a decimal number, true or false")
    return value


def _read(text: str) -> tuple[Any, list[str]]:
    """Return the value of a text, and the unquoted texts in it."""
    if text[0] not in "[{\"'":
        value = plain_value(text)
        return value, [text] if isinstance(value, str) else []
    from graphspec.source import Map, Seq, read_text

    data = read_text(text).data
    plain: list[str] = []
    stack = [data]
    while stack:
        item = stack.pop()
        entries = item.items() if isinstance(item, Map) else enumerate(item) if isinstance(item, Seq) else ()
        for key, value in entries:
            if isinstance(value, str) and item.marks[key].style == "":
                plain.append(value)
            stack.append(value)
    return data, plain


# -- files of feeds -------------------------------------------------------------------------------------------------


def _feed_file(path: str) -> dict[str, Any]:
    readers = {".npz": _read_npz, ".json": _read_json}
    reader = readers.get(os.path.splitext(path)[1].lower())
    if reader is None:
        raise FeedError(problem("GS607", f"'{path}' is not a file of feeds", hint="feeds are .npz or .json files"))
    try:
        # asked before it is opened: opening a pipe would wait for its other end
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FeedError(problem("GS607", f"'{path}' is not a regular file"))
        return reader(path)
    except _DAMAGED as error:
        if isinstance(error, GraphSpecError):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error) or type(error).__name__
        raise FeedError(problem("GS607", f"'{path}' cannot be read: {reason}")) from None


def _read_json(path: str) -> dict[str, Any]:
    from graphspec.source import Map, read_file

    try:
        data = read_file(path).data
    except SpecError as error:
        raise FeedError([_moved(path, found) for found in error.diagnostics]) from None
    if not isinstance(data, Map):
        raise FeedError(problem("GS607", f"'{path}' holds no object", hint='write {"NAME": number or list, ...}'))
    return dict(data)


def _moved(path: str, found: Diagnostic) -> Diagnostic:
    """Return what is wrong with a text as what is wrong with a file of feeds."""
    return problem(
        "GS607",
        f"'{path}' cannot be read: {found.message}",
        found.where,
        hint=found.hint,
        related=tuple(Related(item.message, item.where) for item in found.related),
    )


def _read_npz(path: str) -> dict[str, Any]:
    import numpy as np

    with open(path, "rb") as stream:
        if not zipfile.is_zipfile(stream):
            raise FeedError(
                problem("GS607", f"'{path}' is not a .npz archive", hint="numpy.savez(file, x=...) writes one")
            )
        stream.seek(0)
        with np.load(stream, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
