"""Say in a reader's words why a text is not the YAML it was meant to be, and show the quoted form."""

from __future__ import annotations

import re
from dataclasses import dataclass

from graphspec.errors import Diagnostic, problem
from graphspec.places import Text
from graphspec.scalars import shortened

_OWNED = {
    "*": "an alias",
    "&": "an anchor",
    "!": "a tag",
    "%": "a directive",
    "@": "later use",
    "`": "later use",
    "|": "block text",
    ">": "block text",
    "-": "a list item",
    "?": "a key of several lines",
    "[": "a list",
    "{": "a mapping",
    "]": "the end of a list",
    "}": "the end of a mapping",
    ",": "the next item",
}
_BEGINS_OWNED = re.compile(r"[*&!%@`|>\[{\]},]|[-?](?=\s|$)")
_KEY = r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'\[\]{},&*!|>%@`-](?:[^:#]|:(?!\s)|(?<!\s)\#)*)"""
_ENTRY = re.compile(rf"[ ]*(?:-[ ]+)*(?:(?P<key>{_KEY})[ ]*:[ \t]+)?(?P<value>\S.*)?")
_GROUPS = re.compile(r"""(?<!\w)'[^'\n]*'|(?<!\w)"[^"\n]*"|[()\[\]{}]|[,\n]|[ \t]\#""")
_COMMENT = re.compile(r"\s+#.*$|\s+$")


@dataclass(frozen=True)
class Found:
    """Where a YAML reader stopped and what it read last; indices into the text."""

    problem: str
    index: int
    context: str
    context_index: int | None
    opened: int | None
    """The innermost flow collection that is open."""
    key: str | None
    """The key of the last scalar, if that was a value."""
    last: tuple[int, int, str] | None
    """Start, end and style of the last scalar."""


def explain(text: Text, found: Found) -> Diagnostic:
    """Return the diagnostic for a syntax error."""
    for rule in _RULES:
        diagnostic = rule(text, found)
        if diagnostic is not None:
            return diagnostic
    if "cannot start any token" in found.problem:
        return _stray(text, found.index)
    if "document start" in found.problem:
        rest = shortened(text.text[found.index : found.index + 100])
        return problem("GS101", f"unexpected '{rest}' after the end of the data", text.location_at(found.index))
    return problem("GS101", f"not valid YAML: {found.problem}", text.location_at(found.index))


def quoted(value: str) -> str:
    """Return the value as a quoted scalar, in the simplest quotes."""
    return f"'{value.replace(chr(39), chr(39) * 2)}'" if '"' in value or "\\" in value else f'"{value}"'


def written(key: str | None, value: str) -> str:
    """Return a hint that shows ``key: "value"``."""
    return f"write {key}: {quoted(value)}" if key else f"write {quoted(value)}"


def is_unbalanced(value: str) -> bool:
    """Tell whether round, square or curly brackets outside quotes do not pair up."""
    depth = 0
    for piece in _GROUPS.finditer(value):
        depth += (piece[0] in "([{") - (piece[0] in ")]}")
        if depth < 0:
            return True
    return depth != 0


def expression_end(text: str, start: int, in_flow: bool) -> int | None:
    """Return where the expression that begins at ``start`` ends, brackets counted; None if they do not pair up."""
    depth, stop = 0, min(len(text), start + 10_000)  # no expression is longer
    for piece in _GROUPS.finditer(text, start, stop):
        if piece[0][0] in "'\"":
            continue
        if piece[0] in "([{":
            depth += 1
        elif piece[0] in ")]}":
            if depth == 0:
                return piece.start()
            depth -= 1
        elif depth == 0 and (in_flow or piece[0] != ","):
            return piece.start()
        elif piece[0] == "\n" and text[piece.end() : piece.end() + 1] not in (" ", "\t"):
            return None
    return stop if depth == 0 else None


def swallowed(text: Text, start: int, end: int, key: str | None, in_flow: bool) -> tuple[Diagnostic, int]:
    """Return GS110 for a scalar that was cut off inside its brackets, and where the whole expression ends."""
    where, hint = text.location_at(start, end - start), ""
    if re.compile(r"[ \t]+#").match(text.text, end):
        message = "' #' begins a comment, which cuts the expression off: quote the expression"
        return problem("GS110", message, where), end
    stop = expression_end(text.text, start, in_flow) or end
    if stop > end:
        hint = written(key, " ".join(text.text[start:stop].split()))
    cause = "a bracket" if text.text[end : end + 1] in ("[", "{") else "a comma"
    message = f"inside {{ }} and [ ] {cause} ends the value: quote the expression"
    return problem("GS110", message, where, hint=hint), stop


def owned(text: Text, index: int, key: str | None, value: str) -> Diagnostic:
    """Return GS101 for an unquoted scalar that begins with a character of YAML's own."""
    mark = value[:1]
    message = f"an unquoted value cannot begin with '{mark}', which YAML reads as {_OWNED.get(mark, 'its own')}"
    if mark in "@`":
        message = f"an unquoted value cannot begin with '{mark}', which YAML keeps for later use"
    return problem("GS101", message, text.location_at(index, len(value)), hint=written(key, value))


def entry(text: Text, index: int) -> tuple[int, str | None, str]:
    """Return the value on the line of ``index`` as it was meant: where it begins, its key, its text."""
    line, _ = text.spot(index)
    content = text.line(line)
    found = _ENTRY.match(content)
    if found is None or found["value"] is None:
        return index, None, ""
    value = _COMMENT.sub("", found["value"])
    return text.index(line, found.start("value") + 1), found["key"], value


def _tab(text: Text, found: Found) -> Diagnostic | None:
    line, column = text.spot(found.index)
    content = text.line(line)
    blank = content[: len(content) - len(content.lstrip())]
    tab = blank.find("\t")
    if tab < 0 or column > len(blank) + 1:
        return None
    return problem("GS101", "a tab cannot indent", text.location(line, tab + 1), hint="use spaces")


def _stray(text: Text, index: int) -> Diagnostic:
    if text.text[index : index + 1] == "\t":
        return problem("GS101", "a tab cannot stand here", text.location_at(index), hint="use spaces")
    line, column = text.spot(index)
    return owned(text, index, None, _COMMENT.sub("", text.line(line)[column - 1 :]))


def _directive(text: Text, found: Found) -> Diagnostic | None:
    if "directive" not in found.context and "incompatible" not in found.problem:
        return None
    return problem("GS105", "no directive but %YAML 1.x is allowed", text.location_at(found.index))


def _open_quote(text: Text, found: Found) -> Diagnostic | None:
    if "quoted scalar" not in found.context or found.context_index is None or "unexpected" not in found.problem:
        return None
    return problem("GS101", "this quote is never closed", text.location_at(found.context_index))


def _escape(text: Text, found: Found) -> Diagnostic | None:
    if "quoted scalar" not in found.context:
        return None
    index = text.text.rfind("\\", 0, found.index + 1)
    shown = text.text[index : index + 2]
    message = f"'{shown}' is not an escape that YAML knows"
    return problem(
        "GS101", message, text.location_at(index, 2), hint="write \\\\ for a backslash, or use single quotes"
    )


def _cut_by_bracket(text: Text, found: Found) -> Diagnostic | None:
    if found.opened is None or found.last is None or found.last[2] != "":
        return None
    start, end, _ = found.last
    if text.text[end : end + 1] not in ("[", "{") or found.index > end + 1:
        return None
    return swallowed(text, start, end, found.key, True)[0]


def _owned(text: Text, found: Found) -> Diagnostic | None:
    start, key, value = entry(text, found.index)
    if found.opened is not None:
        start = found.index if found.context_index is None or "flow" in found.context else found.context_index
        if text.text[start : start + 1] not in tuple("*&!%@`|>"):
            return None
        end = expression_end(text.text, start + 1, True)
        return owned(text, start, None, " ".join(text.text[start:end].split()))
    if not _BEGINS_OWNED.match(value) or (value[0] in "[{" and is_unbalanced(value)):
        return None
    return owned(text, start, key, value)


def _after_quote(text: Text, found: Found) -> Diagnostic | None:
    if found.last is None or found.last[2] not in ("'", '"') or "quoted scalar" in found.context:
        return None
    start, end, _ = found.last
    line, _ = text.spot(end)
    if text.spot(found.index)[0] != line or not text.line(line)[text.spot(end)[1] - 1 :].strip():
        return None
    stop = expression_end(text.text, start, found.opened is not None) or end
    hint = written(found.key, _COMMENT.sub("", text.text[start:stop]))
    return problem(
        "GS101", "a quoted value ends at its closing quote: quote all of it", text.location_at(end), hint=hint
    )


def _second_colon(text: Text, found: Found) -> Diagnostic | None:
    if "mapping values are not allowed" not in found.problem or found.last is None:
        return None
    first, here = text.spot(found.last[0])[0], text.spot(found.index)[0]
    _, key, value = entry(text, found.last[0])
    if first == here:
        message = "a value that contains ': ' must be quoted"
        return problem("GS101", message, text.location_at(found.index), hint=written(key, value))
    if key is None:
        return _expected_key(text, found.last[0])
    content = text.line(here)
    column = len(content) - len(content.lstrip()) + 1
    message = f"this line is indented deeper than line {first}, which has a value already"
    return problem("GS101", message, text.location(here, column, len(content.strip())))


def _no_colon(text: Text, found: Found) -> Diagnostic | None:
    if "could not find expected ':'" not in found.problem or found.context_index is None:
        return None
    return _expected_key(text, found.context_index)


def _expected_key(text: Text, index: int) -> Diagnostic:
    line, column = text.spot(index)
    rest = text.line(line)[column - 1 :].rstrip()
    hint = f"a list item has a space behind its '-': - {rest[1:]}" if re.match(r"-[^\s-]", rest) else ""
    return problem("GS101", "expected 'key: value', found no ': '", text.location_at(index, len(rest)), hint=hint)


def _open_bracket(text: Text, found: Found) -> Diagnostic | None:
    if found.opened is None or "flow" not in found.context:
        return None
    close = "]" if text.text[found.opened] == "[" else "}"
    line, _ = text.spot(found.opened)
    if text.spot(found.index)[0] != line or found.index >= len(text.text):
        message = f"'{text.text[found.opened]}' is not closed: expected ',' or '{close}'"
        return problem("GS101", message, text.location_at(found.opened))
    return problem("GS101", f"expected ',' or '{close}'", text.location_at(found.index))


def _indentation(text: Text, found: Found) -> Diagnostic | None:
    if "block" not in found.context or "node" in found.context:
        return None
    line, column = text.spot(found.index)
    before, rest = text.line(line)[: column - 1], text.line(line)[column - 1 :]
    if before.strip():
        _, key, value = entry(text, found.index)
        message, hint = f"unexpected '{shortened(rest)}' after the value", written(key, value)
    elif "collection" in found.context or rest.startswith("- "):
        message, hint = "list items and keys cannot be mixed in one block", ""
    else:
        message, hint = "this line does not begin in the same column as the lines above that it belongs to", ""
    return problem("GS101", message, text.location_at(found.index, len(rest)), hint=hint)


_RULES = (
    _tab,
    _directive,
    _open_quote,
    _escape,
    _cut_by_bracket,
    _owned,
    _after_quote,
    _second_colon,
    _no_colon,
    _open_bracket,
    _indentation,
)
