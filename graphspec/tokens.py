"""Expression text -> tokens, and everything that is refused by its letters alone (L4.1)."""

from __future__ import annotations

import keyword
import math
import re
import unicodedata
from dataclasses import dataclass

LENGTH = 10_000
DIGITS = 400
CONSTANTS = frozenset({"true", "false", "null", "inf", "nan"})

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\n\r]+)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>(?:[0-9][0-9_]*(?:\.(?!\.\.)[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?[A-Za-z0-9_]*)
    | (?P<triple>'{3}|"{3})
    | (?P<string>'[^']*'|"[^"]*")
    | (?P<refused>&&|\|\||:=|->|=>|=<|<>|<<|>>|===|!==|(?:\*\*|//|[-+*/%@&|^])=(?!=))
    | (?P<operator>\.\.\.|\*\*|//|==|!=|<=|>=|[-+*/%@<>=.,:()\[\]])
    | (?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_DECIMAL = re.compile(r"(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_PREFIX = re.compile(r"(?i:[fbru]|br|rb|fr|rf)")

_LOOKALIKES = {
    **dict.fromkeys("×∗⋅·•✕", "multiplication is *"),
    **dict.fromkeys("−–—‐‑‒", "minus is -"),
    **dict.fromkeys("÷∕⁄", "division is /"),
    **dict.fromkeys("“”„«»″", 'a quote is "'),
    **dict.fromkeys("‘’‚′´", "a quote is '"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2009\u202f\u3000\u200b\ufeff", "use a plain space"),
    "²": "a square is **2",
    "³": "a cube is **3",
    "≤": "less or equal is <=",
    "≥": "greater or equal is >=",
    "≠": "not equal is !=",
    "…": "an ellipsis is three dots",
    "√": "a square root is sqrt(x)",
    "∞": "infinity is inf",
    "→": "an edge is written ->, in quotes where it is a path",
    "¬": "negation is logical_not(x)",
    "∧": "conjunction is logical_and(a, b)",
    "∨": "disjunction is logical_or(a, b)",
}

_SYMBOLS = {
    "&&": "write logical_and(a, b); in a static condition: and",
    "||": "write logical_or(a, b); in a static condition: or",
    "&": "write logical_and(a, b) or bitwise_and(a, b)",
    "|": "write logical_or(a, b) or bitwise_or(a, b)",
    "^": "a power is written **; exclusive or is logical_xor(a, b) or bitwise_xor(a, b)",
    "~": "write logical_not(x) or bitwise_invert(x)",
    "!": "write logical_not(x); in a static condition: not x",
    "<<": "write bitwise_left_shift(a, b)",
    ">>": "write bitwise_right_shift(a, b)",
    "->": "a path that is not made of names is quoted: 'a -> b'",
    "=>": "greater or equal is >=",
    "=<": "less or equal is <=",
    "<>": "not equal is !=",
    "===": "== compares",
    "!==": "!= compares",
    ":=": "a node is named by its key, not inside an expression",
    "#": "a comment of YAML begins with ' #' outside the expression",
    ";": "one expression is one value; give the other a node of its own",
    "$": "in an expression an attribute is written without $",
    "`": "a path is quoted with ' or \"",
    "\\": "an expression may go on in the next line without a mark",
    "{": "there are no mappings and sets in expressions; a list is [a, b]",
    "}": "there are no mappings and sets in expressions; a list is [a, b]",
    "?": "a choice is written: a if condition else b",
}

_WORDS = {
    "True": "write true",
    "False": "write false",
    "None": "write null",
    "is": "== compares",
    "in": "compare with == instead",
    "lambda": "declare a function under functions: and give its name",
    "for": "there are no comprehensions; use repeat: on a node",
    "await": "",
    "yield": "",
}
_GRAMMAR_WORDS = frozenset({"if", "else", "and", "or", "not"})
_REFUSED_WORDS = frozenset(keyword.kwlist) - _GRAMMAR_WORDS


class ExpressionError(Exception):
    """A text is not an expression; ``start`` and ``end`` are offsets into it, end exclusive."""

    def __init__(self, message: str, start: int, end: int, hint: str = "", code: str = "GS209"):
        self.message, self.start, self.end, self.hint, self.code = message, start, end, hint, code
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of an expression; ``kind`` is "name", "number", "string", "word" or "operator"."""

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)

    def error(self, message: str, hint: str = "", code: str = "GS209") -> ExpressionError:
        """Return an error at this token."""
        return ExpressionError(message, self.start, self.end, hint, code)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of an expression, at least one.

    Raises:
        ExpressionError: a character, number, string or word is not in the language.
    """
    if len(text) > LENGTH:
        raise ExpressionError(f"the expression is too long: {len(text)} characters, {LENGTH} are allowed", 0, LENGTH)
    _refuse_characters(text)
    tokens: list[Token] = []
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind != "space":
            tokens.append(_token(str(kind), match.group(), match.start(), tokens))
    if not tokens:
        raise ExpressionError("the expression is empty", 0, len(text))
    return tokens


def _token(kind: str, text: str, start: int, before: list[Token]) -> Token:
    token = Token(kind, text, start)
    if kind == "name":
        if text in _GRAMMAR_WORDS:
            return Token("word", text, start)
        _refuse_word(token)
    elif kind == "number":
        _refuse_number(token, before)
    elif kind == "string":
        _refuse_string(token, before)
    elif kind != "operator":
        raise _refused(token)
    return token


def _refuse_characters(text: str) -> None:
    """Refuse what is not printable ASCII or white space: `ast` would normalise it or count its bytes."""
    if text.isascii() and text.isprintable():
        return
    for index, character in enumerate(text):
        if character in "\n\r\t" or " " <= character <= "~":
            continue
        shown = f"'{character}'" if character.isprintable() else "a character"
        name = unicodedata.name(character, "control character" if ord(character) < 160 else "unnamed")
        message = f"{shown} ({name}, U+{ord(character):04X}) is not in the language: expressions are ASCII"
        raise ExpressionError(message, index, index + 1, _LOOKALIKES.get(character, ""))


def _refuse_word(token: Token) -> None:
    if token.text in _REFUSED_WORDS:
        hint = _WORDS.get(token.text, "it is a keyword of Python, which cannot be a name here")
        raise token.error(f"'{token.text}' is not in the language", hint)


def _refuse_number(token: Token, before: list[Token]) -> None:
    text = token.text
    if before and before[-1].end == token.start and before[-1].kind == "name" and text.startswith("."):
        raise token.error(f"'{text}' is no name", f"a path with a number is quoted, like '{before[-1].text}{text}'")
    if not _DECIMAL.fullmatch(text):
        raise _bad_number(token)
    if text.isdigit() and len(text) > DIGITS:
        raise token.error(f"the number has {len(text)} digits, {DIGITS} are allowed")
    if not text.isdigit() and math.isinf(float(text)):
        raise token.error(f"{text} is too large for a float", "infinity is written inf")


def _bad_number(token: Token) -> ExpressionError:
    text = token.text
    plain = text.replace("_", "")
    if len(text) > DIGITS:
        return token.error("the number is not decimal, or too long")
    if re.fullmatch(r"0[xX][0-9a-fA-F]+|0[oO][0-7]+|0[bB][01]+", plain):
        return token.error(f"{text} is not decimal: numbers are decimal", f"write {int(plain, 0)}", "GS106")
    if "_" in text and _DECIMAL.fullmatch(plain):
        return token.error(f"{text} has underscores: numbers are written without", f"write {plain}", "GS106")
    stripped = plain.lstrip("0") if plain.lstrip("0")[:1].isdigit() else "0" + plain.lstrip("0")
    if text.startswith("0") and _DECIMAL.fullmatch(stripped):
        reading = f"; some read it as octal {int(plain, 8)}" if re.fullmatch("[0-7]+", plain) else ""
        return token.error(f"{text} has leading zeros{reading}: numbers are decimal", f"write {stripped}", "GS106")
    if plain[-1] in "jJ":
        return token.error(f"{text} is a complex number, which is not in the language")
    return token.error(f"'{text}' is neither a number nor a name", "a name begins with a letter or _")


def _refuse_string(token: Token, before: list[Token]) -> None:
    if before and before[-1].end == token.start and before[-1].kind == "name" and _PREFIX.fullmatch(before[-1].text):
        prefix = before[-1].text
        message = f"the prefix {prefix} before a string is not in the language"
        raise ExpressionError(message, before[-1].start, token.end, f"write {token.text}")
    if "\\" in token.text:
        start = token.start + token.text.index("\\")
        raise ExpressionError("a backslash is not in the language, also in strings", start, start + 1)


def _refused(token: Token) -> ExpressionError:
    if token.kind == "triple":
        return token.error("triple quotes are not in the language", f"write {token.text[0]}…{token.text[0]}")
    if token.text in "'\"":
        return token.error(f"the quote {token.text} is not closed")
    message = f"'{token.text}' is not in the language"
    if token.text in _SYMBOLS:
        return token.error(message, _SYMBOLS[token.text])
    return token.error(message, "an assignment is not an expression; == compares")
