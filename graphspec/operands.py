"""Which terms of an expression are operands, and in which order they are built."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graphspec.callee import Reference, resolve, signature
from graphspec.expression import Term, dotted
from graphspec.mentions import find_declared
from graphspec.scope import Scope


def called(scope: Scope, term: Term) -> Reference | None:
    """Return what a call calls: the value of an attribute of type `op`, or what the name is found to be."""
    declared = scope.function.attributes.get(term.value)
    if declared is not None and declared.kind == "op":
        passed = scope.attributes.get(term.value)
        return passed if isinstance(passed, Reference) else None
    callee = resolve(scope.function, term.value)
    return None if callee is None else Reference(term.value.rpartition(".")[2], callee)


def is_leaf(scope: Scope, term: Term) -> bool:
    """Tell whether a chain of members is a path, or an index reads a shape or a list that is an attribute."""
    if term.kind == "member":
        return dotted(term) is not None
    return term.kind == "index" and (_reads_shape(scope, term) or _reads_list(scope, term))


def _reads_list(scope: Scope, term: Term) -> bool:
    base: Term | None = term
    while base is not None and base.kind == "index":
        base = base.parts[0]
    return base is not None and base.kind == "name" and base.value in scope.function.attributes


def _reads_shape(scope: Scope, term: Term) -> bool:
    base = term.parts[0]
    if base is None or base.kind != "member" or base.value != "shape":
        return False
    text = dotted(base)
    if text is None:
        return base.parts[0] is not None and base.parts[0].kind == "string"
    return find_declared(scope.function.places, text) != text


def operands_of(scope: Scope, term: Term) -> list[Term]:
    """Return the operands of a term, in the order of the text; its static parts are left out."""
    parts = [part for part in term.parts if part is not None]
    if term.kind == "operation":
        return parts
    if term.kind in ("index", "member") and not is_leaf(scope, term):
        return parts[:1]
    reference = called(scope, term) if term.kind == "call" else None
    if reference is None:
        return []
    attributes = signature(reference.callee).attributes
    return parts + [value for key, value in term.keywords if key not in attributes and key != "share"]


def inner_operands(scope: Scope, term: Term, chosen: Callable[[Term], Term]) -> Iterator[tuple[Term, Term]]:
    """Yield the operands below a term that are computed themselves, each behind its own operands.

    Each comes with what it stands for: ``chosen`` gives the branch of a conditional, or the term itself.
    """
    stack = [(part, chosen(part), False) for part in reversed(operands_of(scope, term))]
    while stack:
        part, built, ready = stack.pop()
        below = [] if ready else operands_of(scope, built)
        if ready:
            yield part, built
        elif below:
            stack.append((part, built, True))
            stack.extend((inner, chosen(inner), False) for inner in reversed(below))
