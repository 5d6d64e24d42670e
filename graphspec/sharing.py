"""Which call uses the parameters and state of which (rule L7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from graphspec.callee import resolve
from graphspec.declaration import Function, NodeDeclaration
from graphspec.errors import Diagnostic, problem
from graphspec.expression import Term, dotted
from graphspec.origin import Origin


def share_text(term: Term) -> str:
    """Return the node that ``share=`` names, bare or quoted."""
    return str(term.value) if term.kind == "string" else dotted(term) or ""


def share_root(function: Function, name: str) -> str | None:
    """Return the node whose parameters ``name`` has: what it shares, and what that shares; None in a circle."""
    passed: set[str] = set()
    while name not in passed:
        passed.add(name)
        node = function.nodes.get(name)
        shared = None if node is None else _shared_by(node)
        if shared is None:
            return name
        name = shared
    return None


def is_repeated(function: Function, name: str) -> bool:
    """Tell whether a node has copies."""
    node = function.nodes.get(name)
    return node is not None and (node.repeat is not None or node.over is not None)


def check_share(function: Function, callee: str, name: str, place: Origin) -> Iterator[Diagnostic]:
    """Check that ``name``, which is declared, is a call of the same function with parameters of its own."""
    node = function.nodes.get(name)
    called = None if node is None else _callee(node)
    if called is None or (called != callee and resolve(function, called) is not resolve(function, callee)):
        message = f"'{name}' is not a call of {callee}: share takes the parameters of a call of the same function"
        yield problem("GS313", message, place.location)
    elif share_root(function, name) is None:
        message = f"'{name}' shares parameters that nothing declares: the calls share one another's"
        yield problem("GS313", message, place.location)


def _callee(node: NodeDeclaration) -> str | None:
    """Return what a node that is one call calls."""
    if node.op is not None:
        return node.op
    term = node.expression.term if node.expression is not None else None
    return str(term.value) if term is not None and term.kind == "call" else None


def _shared_by(node: NodeDeclaration) -> str | None:
    if node.share is not None:
        return node.share
    term = node.expression.term if node.expression is not None else None
    keywords = dict(term.keywords) if term is not None and term.kind == "call" else {}
    return share_text(keywords["share"]) if "share" in keywords else None
