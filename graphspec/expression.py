"""Expression text -> a tree of terms with positions (L4). Nothing is ever evaluated.

Letters are checked in `tokens`, the grammar in `expression_grammar`; Python's `ast` then settles precedence, and a
closed list of its node kinds becomes terms. Only explicit stacks are used: a sum may have a thousand terms.
"""

from __future__ import annotations

import ast
import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from graphspec import expression_grammar
from graphspec.tokens import CONSTANTS, ExpressionError, tokenize

__all__ = [
    "FACTS",
    "ExpressionError",
    "Term",
    "callees",
    "dotted",
    "mentions",
    "parse",
    "path_text",
    "references",
    "walk",
]

FACTS = ("shape", "dtype")  # what a static expression may ask of a value: x.shape, x.dtype

_OPERATIONS: dict[type[ast.AST], str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.FloorDiv: "floor_divide",
    ast.Mod: "remainder",
    ast.MatMult: "matmul",
    ast.Pow: "pow",
    ast.USub: "negative",
    ast.Eq: "equal",
    ast.NotEq: "not_equal",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
_COMPARISONS = frozenset({"equal", "not_equal", "less", "less_equal", "greater", "greater_equal"})
_CONSTANTS: dict[str, tuple[str, Any]] = {
    "true": ("boolean", True),
    "false": ("boolean", False),
    "null": ("null", None),
    "inf": ("number", math.inf),
    "nan": ("number", math.nan),
}
_BLANKS = str.maketrans("\n\r\t", "   ")


@dataclass(frozen=True, slots=True)
class Term:
    """A node of an expression; ``start`` and ``end`` are offsets into its text, end exclusive.

    ``kind`` says what ``value`` and ``parts`` are:

    ============ ============================== ===========================================
    kind         value                          parts
    ============ ============================== ===========================================
    number       an int or a float              none
    boolean      a bool                         none
    null         None                           none
    string       its text                       none
    name         its text                       none
    operation    a catalogue name, like "add"   the operands
    call         the callee, "f" or "nn.dense"  the positional operands
    member       the name after the dot         the base
    index        None                           the base and the items
    slice        None                           start, stop and step; None where left out
    ellipsis     None                           none
    conditional  None                           then, condition, otherwise
    list         None                           the elements
    and, or, not None                           the operands
    ============ ============================== ===========================================

    ``keywords`` of a call stand in the order in which they are written; ``keyword_starts`` are their offsets.
    """

    kind: str
    value: Any = None
    parts: tuple[Term | None, ...] = ()
    keywords: tuple[tuple[str, Term], ...] = ()
    start: int = 0
    end: int = 0
    keyword_starts: tuple[int, ...] = ()

    def keyword(self, index: int) -> Term:
        """Return the name of a keyword, as a term with its place."""
        name, start = self.keywords[index][0], self.keyword_starts[index]
        return Term("name", name, start=start, end=start + len(name))

    @property
    def children(self) -> list[Term]:
        """The parts that are there, then the values of keywords, in the order of the text."""
        return [part for part in self.parts if part is not None] + [value for _, value in self.keywords]


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> Term:
    """Return the tree of an expression.

    Raises:
        ExpressionError: the text is not an expression of the language; the error has its place.
    """
    tokens = tokenize(text)
    if len(tokens) == 1 and tokens[0].kind == "name" and tokens[0].text not in CONSTANTS:
        return Term("name", tokens[0].text, start=tokens[0].start, end=tokens[0].end)
    expression_grammar.check(tokens)
    shift = len(text) - len(text.lstrip())
    try:
        tree = ast.parse(text.translate(_BLANKS).strip(), mode="eval")
        return _terms(tree.body, shift)
    except (RecursionError, MemoryError):
        raise ExpressionError(
            "the expression is too long or too deep", shift, len(text.rstrip()), "give parts of it nodes of their own"
        ) from None
    except (SyntaxError, ValueError) as error:
        raise _unforeseen(error, text, shift) from None


def walk(term: Term) -> Iterator[Term]:
    """Yield a term and all below it, parents first, in the order of the text."""
    stack = [term]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.children))


def dotted(term: Term) -> str | None:
    """Return the path that a name or a chain of members over a name spells, else None."""
    names: list[str] = []
    while term.kind == "member" and term.parts[0]:
        names.append(term.value)
        term = term.parts[0]
    return ".".join([term.value, *reversed(names)]) if term.kind == "name" else None


def path_text(term: Term) -> str | None:
    """Return the path that a term names, bare or quoted, else None."""
    return term.value if term.kind == "string" else dotted(term)


def callees(term: Term) -> list[tuple[str, int, int]]:
    """Return the callee of every call with its offsets, in the order of the text, without ``given``."""
    calls = [item for item in walk(term) if item.kind == "call" and item.value != "given"]
    return [(call.value, call.start, call.start + len(call.value)) for call in calls]


NamesAnOp: TypeAlias = Callable[[str, str], bool]


def references(term: Term, names_an_op: NamesAnOp = lambda callee, keyword: False) -> dict[str, tuple[int, int]]:
    """Return the names and quoted paths that a term depends on, each with the offsets of its first mention."""
    found: dict[str, tuple[int, int]] = {}
    for path, start, end in mentions(term, names_an_op):
        found.setdefault(path, (start, end))
    return found


def mentions(term: Term, names_an_op: NamesAnOp = lambda callee, keyword: False) -> Iterator[tuple[str, int, int]]:
    """Yield every name and quoted path that a term depends on with its offsets, in the order of the text.

    ``names_an_op`` tells of a callee and a keyword whether a name there is that of an op, which is no value.

    A chain of names counts as a whole, but ``x.shape`` and ``x.dtype`` as ``x``. A string counts where an operand
    stands, not as the value of a keyword, in an index or in a static condition. Both branches of a conditional count.
    """
    stack = [(term, True)]
    while stack:
        current, operand = stack.pop()
        path = _reference(current, operand)
        if path:
            yield path, current.start, current.end
        else:
            below = _with_role(current, operand)
            ops = {id(value) for key, value in current.keywords if dotted(value) and names_an_op(current.value, key)}
            stack.extend(part for part in reversed(below) if id(part[0]) not in ops)


def _reference(term: Term, operand: bool) -> str | None:
    if term.kind == "string":
        return term.value if operand else None
    return None if term.kind == "member" and term.value in FACTS else dotted(term)


def _with_role(term: Term, operand: bool) -> list[tuple[Term, bool]]:
    """Return the terms below, each with whether a string there is a path."""
    if term.kind == "call":
        return [(part, True) for part in term.parts if part] + [(value, False) for _, value in term.keywords]
    if term.kind == "conditional":
        return [(part, operand and role) for part, role in zip(term.parts, (True, False, True), strict=True) if part]
    if term.kind == "index":
        base, *items = term.children
        return [(base, True), *((item, False) for item in items)]
    computed = term.kind == "member" or (term.kind == "operation" and term.value not in _COMPARISONS)
    return [(part, computed or operand) for part in term.children]


Content: TypeAlias = "tuple[str, Any, list[ast.expr | None]]"


def _terms(root: ast.expr, shift: int) -> Term:
    """Convert a tree: list it parents first, then build it from the end, so that parts come before their whole."""
    order: list[tuple[ast.expr, Content]] = []
    stack = [root]
    while stack:
        node = stack.pop()
        try:
            content = _CONTENTS[type(node)](node)
        except KeyError:
            message = f"{type(node).__name__} is not in the language of expressions"
            raise ExpressionError(message, *_span(node, shift)) from None
        order.append((node, content))
        stack.extend(part for part in content[2] if part)
    terms: dict[ast.expr | None, Term] = {}
    for node, (kind, value, below) in reversed(order):
        parts = tuple([terms.get(part) for part in below])
        names = node.keywords if isinstance(node, ast.Call) else []
        count = len(parts) - len(names)
        keywords = tuple((str(name.arg), part) for name, part in zip(names, parts[count:], strict=True) if part)
        starts = tuple(name.col_offset + shift for name in names)
        terms[node] = Term(kind, value, parts[:count], keywords, *_span(node, shift), starts)
    return terms[root]


def _span(node: ast.expr, shift: int) -> tuple[int, int]:
    return node.col_offset + shift, (node.end_col_offset or 0) + shift


def _constant(node: ast.Constant) -> Content:
    if node.value is ...:
        return "ellipsis", None, []
    return ("string" if isinstance(node.value, str) else "number"), node.value, []


def _call(node: ast.Call) -> Content:
    """Read a call; the grammar has seen to it that the callee is NAME or NAME.NAME."""
    below: list[ast.expr | None] = [*node.args, *(keyword.value for keyword in node.keywords)]
    return "call", ".".join(_segments(node.func)), below


def _segments(callee: ast.expr) -> list[str]:
    if isinstance(callee, ast.Attribute):
        return [*_segments(callee.value), callee.attr]
    return [callee.id] if isinstance(callee, ast.Name) else []


def _subscript(node: ast.Subscript) -> Content:
    return "index", None, [node.value, *(node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice])]


def _unary(node: ast.UnaryOp) -> Content:
    if isinstance(node.op, ast.Not):
        return "not", None, [node.operand]
    return "operation", _OPERATIONS[type(node.op)], [node.operand]


_CONTENTS: dict[type[ast.expr], Callable[[Any], Content]] = {
    ast.Constant: _constant,
    ast.Name: lambda node: (*_CONSTANTS.get(node.id, ("name", node.id)), []),
    ast.BinOp: lambda node: ("operation", _OPERATIONS[type(node.op)], [node.left, node.right]),
    ast.UnaryOp: _unary,
    ast.BoolOp: lambda node: ("and" if isinstance(node.op, ast.And) else "or", None, node.values),
    ast.Compare: lambda node: ("operation", _OPERATIONS[type(node.ops[0])], [node.left, *node.comparators]),
    ast.Call: _call,
    ast.Attribute: lambda node: ("member", node.attr, [node.value]),
    ast.Subscript: _subscript,
    ast.Slice: lambda node: ("slice", None, [node.lower, node.upper, node.step]),
    ast.IfExp: lambda node: ("conditional", None, [node.body, node.test, node.orelse]),
    ast.List: lambda node: ("list", None, node.elts),
}


def _unforeseen(error: Exception, text: str, shift: int) -> ExpressionError:
    """Return the error for what `ast` refuses although the grammar accepted it."""
    start, reason = shift, "invalid syntax"
    if isinstance(error, SyntaxError):
        start, reason = shift + max(0, (error.offset or 1) - 1), error.msg
    start = min(start, max(0, len(text) - 1))
    return ExpressionError(f"the expression cannot be read: {reason}", start, min(start + 1, len(text)))
