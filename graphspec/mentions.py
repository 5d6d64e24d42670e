"""Which names the slots of a document mention, and where."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from graphspec.attribute import Attribute
from graphspec.callee import resolve, signature
from graphspec.declaration import AttributeSlot, Expression, Function, NodeDeclaration
from graphspec.expression import Term, mentions, parse, walk
from graphspec.graph import declared_order
from graphspec.origin import Origin
from graphspec.source import Seq
from graphspec.structure import node_expressions, op_attribute, operand_terms

Mention = tuple[str, Origin]


def find_declared(known: Iterable[str] | dict[str, object], path: str) -> str | None:
    """Return the longest declared name that ``path`` is or begins with."""
    names = known if isinstance(known, dict) else set(known)
    while path:
        if path in names:
            return path
        path = path.rpartition(".")[0]
    return None


def node_references(function: Function, node: NodeDeclaration) -> list[str]:
    """Return the declared names that a node refers to."""
    found: dict[str, None] = {}
    for expression in node_expressions(node):
        found.update(dict.fromkeys(text for text, _ in expression_mentions(function, expression)))
    for edge in function.edges_to(node.name):
        found[edge.source] = None
        if edge.weight:
            found[edge.weight.parameter] = None
    for slot, declared in slots(function, node):
        found.update(dict.fromkeys(text for text, _ in slot_mentions(slot, declared)))
    declared_names = (find_declared(function.places, text) for text in found)
    return list(dict.fromkeys(name for name in declared_names if name is not None))


def node_order(function: Function) -> tuple[list[str], list[list[str]]]:
    """Return the nodes so that operands come first, and the cycles among them; found once."""
    if function.order is None:
        function.order = declared_order(
            {name: node_references(function, node) for name, node in function.nodes.items()}
        )
    return function.order


def expression_mentions(function: Function, expression: Expression) -> Iterator[Mention]:
    """Yield the values that an operand slot refers to.

    A name in an attribute of type `op` is none (L2.2), nor is the node after ``share=``, which need not come first.
    """

    def names_an_op(name: str, keyword: str) -> bool:
        callee = resolve(function, name)
        declared = callee.attributes.get(keyword) if isinstance(callee, Function) else None
        return keyword == "share" or (declared is not None and declared.kind == "op")

    o = expression.origin
    for text, start, end in mentions(expression.term, names_an_op):
        yield text, Origin(o.source, o.mark, o.text, start, end)
    yield from _quoted_keywords(function, expression)


def _quoted_keywords(function: Function, expression: Expression) -> Iterator[Mention]:
    """Yield the quoted paths that are bound to ports by keyword; in attributes a string is a literal."""
    for term in operand_terms(expression):
        quoted = [(name, value) for name, value in term.keywords if value.kind == "string"]
        callee = resolve(function, term.value) if quoted and term.kind == "call" else None
        if callee is not None and not op_attribute(function, term.value):
            facts = signature(callee)
            operands = [value for name, value in quoted if facts.port(name) or name in facts.parameters]
            yield from ((value.value, expression.at(value)) for value in operands)


def slots(function: Function, node: NodeDeclaration) -> Iterator[tuple[AttributeSlot, Attribute | None]]:
    """Yield the attribute slots of a node, each with the attribute that it sets where that is known."""
    callee = None if node.op is None or op_attribute(function, node.op) else resolve(function, node.op)
    known = signature(callee).attributes if callee is not None else {}
    for key, slot in node.attributes.items():
        yield slot, known.get(key)
    for key, slot in (node.over or {}).items():
        yield from ((item, known.get(key)) for item in slot.items)
        if isinstance(slot.value, str):
            yield slot, None
    if node.repeat is not None:
        yield node.repeat, None


def slot_mentions(slot: AttributeSlot, declared: Attribute | None) -> Iterator[Mention]:
    """Yield the names in the computed parts of an attribute slot, such as ``$(x.shape[0])``, and in its dims."""
    in_shape = declared is not None and declared.takes_dims and not declared.is_word(slot.value)
    stack = [(slot.value, slot.origin.mark)]
    while stack:
        value, mark = stack.pop()
        if isinstance(value, Seq):
            stack.extend(zip(value, value.marks, strict=True))
        elif isinstance(value, str) and not value.startswith("$$") and (in_shape or value.startswith("$")):
            shift = int(value.startswith("$"))
            for text, start, end in mentions(parse(value[shift:])):
                yield text, Origin(slot.origin.source, mark, value, start + shift, end + shift)


def dim_names(function: Function) -> set[str]:
    """Return the names of the dims in the shapes of a document's inputs."""
    declared_shapes = [declared.shape for declared in function.inputs.values() if declared.shape is not None]
    terms = [dim for shape in declared_shapes for dim in shape.dims if isinstance(dim, Term)]
    return {part.value for term in terms for part in walk(term) if part.kind == "name"}


def shape_positions(function: Function, expression: Expression) -> set[int]:
    """Return where names stand in attributes that are shapes: dims may be named there (L2.3)."""
    found: set[int] = set()
    for term in operand_terms(expression):
        callee = resolve(function, term.value) if term.kind == "call" and term.keywords else None
        if callee is not None:
            known = signature(callee).attributes
            written = [value for name, value in term.keywords if name in known and known[name].takes_dims]
            found.update(part.start for value in written for part in walk(value) if part.kind == "name")
    return found
