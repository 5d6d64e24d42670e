"""JSON text to data with marks: strict RFC 8259, in one pass, without recursion."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from graphspec.places import Text
from graphspec.scalars import plain_value
from graphspec.tree import Map, Seq, TreeBuilder

_TOKEN = re.compile(
    r'[ \t\r\n]*(?:("[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")(?:[ \t\r\n]*(:))?'
    r"|(-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?(?![\w.+-])|(?:true|false|null)\b)"
    r"|([{\[])|([}\]])|(,))"
)
_STRING, _KEY, _PLAIN, _OPEN, _CLOSE, _COMMA = range(1, 7)  # the groups, a key being a string with its colon
_SPACE = re.compile(r"[ \t\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

_VALUES = (_STRING, _PLAIN, _OPEN)
_ALLOWED = {
    "a value": _VALUES,
    "a value or ']'": (*_VALUES, _CLOSE),
    "a key in double quotes": (_KEY,),
    "a key in double quotes or '}'": (_KEY, _CLOSE),
    "',' or '}'": (_COMMA, _CLOSE),
    "',' or ']'": (_COMMA, _CLOSE),
    "the end": (),
}
"""The groups that may come next, by what is expected."""


def read_json(text: Text) -> TreeBuilder:
    """Return the builder that has read the text; its ``problems`` may not be empty.

    Raises:
        SpecError: the text is not JSON, or exceeds a limit.
    """
    return _JsonReader(text).read()


class _JsonReader:
    def __init__(self, text: Text):
        self.text, self.builder = text, TreeBuilder(text)
        self.expected = "a value"

    def read(self) -> TreeBuilder:
        starts, text = [*self.text.starts, len(self.text.text) + 1], self.text.text
        line, position = 1, 0
        while self.expected != "the end":
            token = _TOKEN.match(text, position)
            kind = token.lastindex if token else None
            if token is None or kind not in _ALLOWED[self.expected]:
                self._fail(position, kind)
            start = token.start(_STRING if kind == _KEY else kind)
            while start >= starts[line]:
                line += 1
            self._take(token, kind, line, start - starts[line - 1] + 1)
            position = token.end()
        space = _SPACE.match(text, position)
        if space is None or space.end() != len(text):
            self._fail(position, None)
        return self.builder

    def _take(self, token: re.Match[str], kind: int | None, line: int, column: int) -> None:
        builder = self.builder
        if kind == _COMMA:
            self.expected = "a key in double quotes" if builder.style == "{" else "a value"
        elif kind == _KEY:
            self._scalar(token, line, column)
            self.expected = "a value"
        elif kind == _OPEN:
            is_map = token[_OPEN] == "{"
            builder.open(Map() if is_map else Seq(), token[_OPEN], line, column)
            self.expected = "a key in double quotes or '}'" if is_map else "a value or ']'"
        else:
            if kind != _CLOSE:
                self._scalar(token, line, column)
            elif token[_CLOSE] == ("}" if builder.style == "{" else "]"):
                builder.close()
            else:
                self._fail(token.start(_CLOSE), None)
            self.expected = _AFTER_VALUE[builder.style]

    def _scalar(self, token: re.Match[str], line: int, column: int) -> None:
        string, value = token[_STRING], token[_PLAIN]
        if string is None:
            try:
                value = plain_value(value)
            except OverflowError as error:
                self.builder.report("GS107", str(error), self.text.location(line, column, len(value)))
            self.builder.scalar(value, "", line, column)
            return
        value = string[1:-1]
        if "\\" in value:
            value = json.loads(string)
            if _SURROGATE.search(value):
                where = self.text.location(line, column, len(string))
                self.builder.report("GS108", "half of a surrogate pair is not a character", where)
        self.builder.scalar(value, '"', line, column)

    def _fail(self, position: int, kind: int | None) -> NoReturn:
        text, expected, hint = self.text.text, self.expected, ""
        token = _TOKEN.match(text, position)
        if kind == _STRING and token is not None:
            position, expected = token.end(), "':'"
        space = _SPACE.match(text, position)
        position = space.end() if space else position
        if text[position : position + 1] in ("}", "]") and expected in ("a value", "a key in double quotes"):
            hint = "JSON has no comma before a closing bracket"
        message = f"JSON: expected {expected}, found {_found(text, position)}"
        self.builder.fail("GS101", message, self.text.location_at(position), hint=hint)


_AFTER_VALUE: dict[str, Any] = {"{": "',' or '}'", "[": "',' or ']'", "": "the end"}


def _found(text: str, position: int) -> str:
    if position >= len(text):
        return "the end of the text"
    word = re.compile(r"[\w.+-]{1,40}|(?s:.)").match(text, position)
    return f"'{word[0]}'" if word else ""
