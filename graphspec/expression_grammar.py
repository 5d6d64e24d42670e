"""The grammar of expressions over tokens (L4), so that a mistake is found where a person made it.

`ast` builds the tree afterwards. It accepts more than the language (tuples, stars, implicit concatenation, trailing
commas) and reports less (a position for "invalid syntax"), so what may follow what is decided here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from graphspec.tokens import CONSTANTS, ExpressionError, Token

DEPTH = 100
_CLOSERS = {"(": ")", "[": "]"}
_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_OPERANDS = frozenset({"name", "number", "string"})
_BEFORE_NOT = frozenset({"(", "[", ",", "=", ":", "and", "or", "not", "if", "else"})
_ELLIPSIS = "'...' stands only in an index, as an item of its own, as in x[..., 0]"


def check(tokens: list[Token]) -> None:
    """Refuse what is not an expression.

    Raises:
        ExpressionError: the first mistake from the left.
    """
    _Grammar(tokens).check()


@dataclass(slots=True)
class _Frame:
    """An open bracket, or the whole expression, and what was seen of its current argument."""

    kind: str
    opener: Token | None = None
    depth: int = 0
    first: int = 0
    keyword: bool = False
    keywords: dict[str, Token] = field(default_factory=dict)
    condition: Token | None = None
    comparison: bool = False
    colons: int = 0
    unary: int = 0
    negations: int = 0
    conditionals: int = 0

    @property
    def level(self) -> int:
        """How deep the next operand lies."""
        return self.depth + self.unary + self.negations + self.conditionals

    def clause(self) -> None:
        """Begin an operand of `and`, `or`, `if` or `else`."""
        self.unary = self.negations = 0
        self.comparison = False

    def argument(self, first: int) -> None:
        """Begin an argument or an item."""
        self.clause()
        self.conditionals = self.colons = 0
        self.first, self.keyword = first, False


class _Grammar:
    """One pass from the left; an operand is either wanted or has just ended."""

    def __init__(self, tokens: list[Token]):
        self.tokens = tokens
        self.index = 0
        self.frame = _Frame("top")
        self.outer: list[_Frame] = []
        self.ended = False
        self.closed = ""

    @property
    def previous(self) -> Token | None:
        return self.tokens[self.index - 1] if self.index else None

    def check(self) -> None:
        while self.index < len(self.tokens):
            token = self.tokens[self.index]
            if self.ended:
                self.after_operand(token)
            elif token.kind in _OPERANDS:
                self.ended = True
            else:
                self.before_operand(token)
            self.index += 1
        if self.frame.opener:
            raise self.frame.opener.error(f"'{self.frame.opener.text}' is not closed")
        if not self.ended:
            raise self.missing(self.tokens[-1])
        self.end_argument()

    # Where an operand is wanted.

    def before_operand(self, token: Token) -> None:
        text = token.text
        if text in _CLOSERS:
            self.push("group" if text == "(" else "list", token)
        elif text == "-":
            self.frame.unary += 1
            self.limit(token)
        elif text == "not":
            self.negation(token)
        elif text == "...":
            self.ellipsis(token)
        elif self.may_be_empty(text):
            (self.colon if text == ":" else self.comma if text == "," else self.close)(token)
        else:
            raise self.missing(token)

    def negation(self, token: Token) -> None:
        if self.previous and self.previous.text not in _BEFORE_NOT:
            raise token.error("'not' stands in the middle of an operation", "put it in parentheses: (not x)")
        self.frame.negations += 1
        self.limit(token)

    def ellipsis(self, token: Token) -> None:
        following = self.tokens[self.index + 1].text if self.index + 1 < len(self.tokens) else ""
        if self.frame.kind != "index" or self.index != self.frame.first or following not in ("]", ","):
            raise token.error(_ELLIPSIS)
        self.ended = True

    def may_be_empty(self, text: str) -> bool:
        """Whether nothing may stand before this: `f()`, `[]`, and the bounds of a slice."""
        frame, previous = self.frame, self.previous
        if frame.kind == "index" and previous and text in ("]", ",", ":"):
            return previous.text == ":" or (text == ":" and self.index == frame.first)
        if frame.kind not in ("call", "list") or previous is None or previous is not frame.opener:
            return False
        return text == _CLOSERS[previous.text]

    # After an operand.

    def after_operand(self, token: Token) -> None:
        text = token.text
        if token.kind in _OPERANDS or text in ("not", "..."):
            raise self.adjacent(token)
        match text:
            case "(":
                self.call(token)
            case "[":
                self.push("index", token)
            case ")" | "]":
                self.close(token)
            case ".":
                self.member(token)
            case ",":
                self.comma(token)
            case ":":
                self.colon(token)
            case "=":
                self.keyword(token)
            case _:
                self.operator(token)

    def operator(self, token: Token) -> None:
        text, frame = token.text, self.frame
        if text == "if":
            self.condition(token)
        elif text == "else":
            self.otherwise(token)
        elif text in ("and", "or"):
            frame.clause()
        elif text == "**":
            frame.unary += 1
            self.limit(token)
        else:
            frame.unary = 0
        if text in _COMPARISONS:
            if frame.comparison:
                raise token.error("comparisons do not chain", "write two of them and logical_and(a, b)")
            frame.comparison = True
        self.ended = False

    def condition(self, token: Token) -> None:
        if self.frame.condition:
            raise token.error("a condition holds another 'if'", "put the inner one in parentheses")
        self.frame.clause()
        self.frame.condition = token
        self.frame.conditionals += 1
        self.limit(token)

    def otherwise(self, token: Token) -> None:
        if not self.frame.condition:
            raise token.error("'else' without 'if'", "write: a if condition else b")
        self.frame.condition = None
        self.frame.clause()

    def call(self, token: Token) -> None:
        """Accept NAME( and NAME.NAME( only."""
        before = [
            item.text if item.text == "." else item.kind for item in self.tokens[max(0, self.index - 4) : self.index]
        ]
        callee = self.tokens[self.index - 1]
        if before[-2:-1] == ["."]:
            named = before[-3:] == ["name", ".", "name"] and before[-4:-3] != ["."]
        else:
            named = before[-1] == "name"
        if not named:
            raise callee.error("only an op can be called: name(...) or alias.name(...)", "is an operator missing?")
        if callee.text in CONSTANTS:
            raise callee.error(f"'{callee.text}' is a constant and cannot be called")
        self.push("call", token)

    def member(self, dot: Token) -> None:
        base = self.tokens[self.index - 1]
        named = base.kind == "string" or (base.kind == "name" and base.text not in CONSTANTS)
        if not named and not (base.text == ")" and self.closed == "call"):
            raise dot.error("only a name or a call has something after a dot", "give the value a node of its own")
        self.index += 1
        name = self.tokens[self.index] if self.index < len(self.tokens) else None
        if name is None or name.kind != "name":
            raise dot.error("a name must stand after the dot", "a path that is not made of names is quoted")
        if name.start != dot.end or (base.kind == "name" and base.end != dot.start):
            raise dot.error("there is white space around the dot", "write the path without it")
        self.refuse_constant(name)

    def keyword(self, token: Token) -> None:
        frame, name = self.frame, self.tokens[self.index - 1]
        if frame.kind != "call" or name.kind != "name" or self.index - 1 != frame.first:
            raise token.error("'=' stands only between a keyword and its value in a call", "== compares")
        self.refuse_constant(name)
        if name.text in frame.keywords:
            first = frame.keywords[name.text].start + 1
            raise name.error(f"the keyword '{name.text}' is repeated; the first is at character {first}")
        frame.keywords[name.text] = name
        frame.keyword, self.ended = True, False

    # Brackets and what separates inside them.

    def push(self, kind: str, token: Token) -> None:
        self.outer.append(self.frame)
        self.frame = _Frame(kind, token, self.frame.level + 1, self.index + 1)
        self.ended = False
        self.limit(token)

    def close(self, token: Token) -> None:
        opener = self.frame.opener
        if opener is None:
            raise token.error(f"'{token.text}' closes nothing")
        if token.text != _CLOSERS[opener.text]:
            place = f"'{opener.text}' at character {opener.start + 1}"
            raise token.error(f"'{token.text}' does not close {place}", f"is a '{_CLOSERS[opener.text]}' missing?")
        self.end_argument()
        self.closed, self.frame = self.frame.kind, self.outer.pop()
        self.ended = True

    def comma(self, token: Token) -> None:
        if self.frame.kind in ("top", "group"):
            raise token.error("there are no tuples in expressions", "a list is [a, b]")
        self.end_argument()
        self.frame.argument(self.index + 1)
        self.ended = False

    def colon(self, token: Token) -> None:
        frame = self.frame
        if frame.kind != "index" or frame.colons == 2:
            raise token.error("':' stands only in an index, at most twice: x[start:stop:step]")
        self.end_argument()
        frame.clause()
        frame.conditionals = 0
        frame.colons += 1
        self.ended = False

    def end_argument(self) -> None:
        frame = self.frame
        if frame.condition:
            raise frame.condition.error("'if' without 'else'", "write: a if condition else b")
        if frame.keywords and not frame.keyword:
            raise self.tokens[frame.first].error("an operand by position stands after one by keyword")

    # Refusals.

    def refuse_constant(self, name: Token) -> None:
        if name.text in CONSTANTS:
            raise name.error(f"'{name.text}' is a constant and cannot be a name")

    def limit(self, token: Token) -> None:
        if self.frame.level > DEPTH:
            raise token.error(f"the expression is too deep: {DEPTH} levels are allowed", "give a part its own node")

    def adjacent(self, token: Token) -> ExpressionError:
        previous = self.tokens[self.index - 1]
        if token.text == "...":
            return token.error(_ELLIPSIS)
        if token.kind == previous.kind == "string":
            return token.error("two strings stand side by side", "strings are not concatenated; is a comma missing?")
        inside = " or a comma" if self.frame.kind in ("call", "index", "list") else ""
        return token.error(f"an operator{inside} is missing between {previous.text} and {token.text}")

    def missing(self, token: Token) -> ExpressionError:
        """Return the error for a token that stands where an operand is wanted."""
        text, previous = token.text, self.previous
        before = previous.text if previous else ""
        if self.index == len(self.tokens):
            return token.error(f"an operand is missing after '{text}'")
        if text == "+":
            return token.error("a sign + is not in the language", "leave it out")
        if text in ("*", "**") and before in ("", "(", "[", ","):
            return token.error(f"'{text}' before an operand is not in the language", "name the operands one by one")
        if previous is None or previous is self.frame.opener:
            if previous and text in (")", "]"):
                return ExpressionError(f"'{before}{text}' is empty", previous.start, token.end)
            return token.error(f"an operand is missing before '{text}'")
        if before == "," and text in (")", "]", ","):
            return previous.error("a comma without an operand after it", "leave it out")
        return previous.error(f"an operand is missing after '{before}'")
