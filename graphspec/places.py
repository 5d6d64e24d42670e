"""The raw text of a file and the places in it: lines, columns, and where a character of a value was written."""

from __future__ import annotations

import re
from bisect import bisect_right
from functools import cached_property

from graphspec.errors import Location

_BREAK = re.compile(r"\r\n|[\r\n]")
_FOLD = r"[ \t]*(?:\r\n|[\r\n])[ \t\r\n]*"
_HEX = "[0-9a-fA-F]"
_PIECES = {
    "": re.compile(rf"(?P<fold>{_FOLD})|(?s:.)"),
    "'": re.compile(rf"''|(?P<fold>{_FOLD})|(?s:.)"),
    '"': re.compile(
        rf"\\u[dD][89abAB]{_HEX}{{2}}\\u[dD][c-fC-F]{_HEX}{{2}}|(?P<fold>\\?{_FOLD})"
        rf"|\\(?:x{_HEX}{{2}}|u{_HEX}{{4}}|U{_HEX}{{8}}|(?s:.))|(?s:.)"
    ),
}


class Text:
    """A text with its name; lines and columns count from 1, indices from 0, in characters."""

    def __init__(self, text: str, file: str):
        self.text, self.file = text, file

    @cached_property
    def starts(self) -> list[int]:
        """The index of the first character of each line."""
        return [0, *(found.end() for found in _BREAK.finditer(self.text))]

    def spot(self, index: int) -> tuple[int, int]:
        """Return line and column of a character."""
        line = bisect_right(self.starts, index)
        return line, index - self.starts[line - 1] + 1

    def index(self, line: int, column: int) -> int:
        """Return the index of a place."""
        return self.starts[min(line, len(self.starts)) - 1] + column - 1

    def line(self, number: int) -> str:
        """Return a line without its break."""
        start = self.index(number, 1)
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def location(self, line: int, column: int, length: int = 1) -> Location:
        """Return the place with its source line; the length is cut at the end of the line."""
        text = self.line(line)
        return Location(self.file, line, column, max(1, min(length, len(text) - column + 1)), text)

    def location_at(self, index: int, length: int = 1) -> Location:
        """Return the place of a character."""
        return self.location(*self.spot(index), length)


def value_index(text: str, start: int, style: str, offset: int, parent_indent: int) -> int:
    """Return the index in ``text`` at which character ``offset`` of a scalar's value was written.

    The scalar begins at ``start`` (its quote or block indicator) and has the style of its `Mark`; ``parent_indent``
    is the indentation of the collection around a block scalar. A line break that was folded away is found at its
    first character.
    """
    if style in ("|", ">"):
        return _block_index(text, start, style == "|", offset, parent_indent)
    position = start + len(style)
    passed = 0
    while position < len(text):
        piece = _PIECES[style].match(text, position)
        assert piece is not None, "the last alternative matches any character"
        passed += _width(piece)
        if passed > offset:
            break
        position = piece.end()
    return position


def _width(piece: re.Match[str]) -> int:
    """Return how many characters of the value a piece of a flow scalar stands for."""
    fold = piece["fold"]
    if fold is None:
        return 1
    breaks = len(_BREAK.findall(fold))
    return breaks - 1 if breaks > 1 or fold[0] == "\\" else 1


def _block_index(text: str, start: int, literal: bool, offset: int, parent_indent: int) -> int:
    """Return the index of a character of a literal or folded scalar, one line of it after the other."""
    header = _BREAK.search(text, start)
    if header is None:
        return start
    indent = _block_indent(text, start, header.end(), parent_indent)
    position, pending, was_text = header.end(), 0, False
    while position < len(text):
        following = _BREAK.search(text, position)
        end = following.start() if following else len(text)
        if end - position > indent:
            # Folding drops a break between two lines of text; lines that begin with a blank keep theirs.
            is_text = text[position + indent] not in " \t"
            if not literal and was_text and is_text:
                pending = max(1, pending - 1)
            if offset < pending:
                return max(start, position - 1)
            offset -= pending
            if offset < end - position - indent:
                return position + indent + offset
            offset -= end - position - indent
            pending, was_text = 0, is_text
        pending += 1
        position = following.end() if following else len(text)
    return len(text)


def _block_indent(text: str, start: int, body: int, parent_indent: int) -> int:
    explicit = re.match(r"[|>][-+]?([1-9])", text[start : start + 3])
    if explicit:
        return parent_indent + int(explicit[1])
    first = re.compile(r"(?:[ \t]*(?:\r\n|[\r\n]))*( *)").match(text, body)
    return len(first[1]) if first else 0
