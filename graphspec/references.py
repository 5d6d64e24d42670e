"""Stage 3: every name, port and edge; cycles and recursion."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from graphspec.attribute import SHAPE_KINDS
from graphspec.binding import Misfit, bind
from graphspec.callee import Callee, resolve, signature
from graphspec.declaration import Edge, Expression, Function, NodeDeclaration
from graphspec.errors import Diagnostic, Related, did_you_mean, problem
from graphspec.expression import Term, references, walk
from graphspec.graph import declared_order
from graphspec.origin import Origin
from graphspec.structure import expressions_in, functions_in, node_expressions, op_attribute, operand_terms


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
    texts = [text for expression in node_expressions(node) for text in references(expression.term)]
    texts += [text for expression in node_expressions(node) for text in _quoted_keywords(function, expression)]
    texts += [edge.source for edge in function.edges_to(node.name)]
    texts += [edge.weight.parameter for edge in function.edges_to(node.name) if edge.weight]
    texts += [text for slot in node.attributes.values() for text in slot_names(slot.value)]
    known = function.places
    found = (find_declared(known, text) for text in texts)
    return list(dict.fromkeys(name for name in found if name is not None))


def _quoted_keywords(function: Function, expression: Expression) -> Iterator[str]:
    """Yield the quoted paths that are bound to ports by keyword; in attributes a string is a literal."""
    for term in operand_terms(expression):
        quoted = [(name, value) for name, value in term.keywords if value.kind == "string"]
        callee = resolve(function, term.value) if quoted and term.kind == "call" else None
        if callee is not None:
            facts = signature(callee)
            yield from (value.value for name, value in quoted if facts.port(name) or name in facts.parameters)


def slot_names(value: object) -> list[str]:
    """Return the names in the computed parts of an attribute slot, such as ``$(x.shape[0])``."""
    from graphspec.expression import parse

    if isinstance(value, list):
        return [name for item in value for name in slot_names(item)]
    if isinstance(value, str) and value.startswith("$") and not value.startswith("$$"):
        return list(references(parse(value[1:])))
    return []


def check_references(root: Function) -> list[Diagnostic]:
    """Return what is wrong with the names, ports, edges and calls of a file."""
    found: list[Diagnostic] = []
    for function in functions_in(root):
        for expression in expressions_in(function):
            extra = set(function.gradient or ()) and expression in (function.gradient or {}).values()
            found.extend(_names(function, expression, in_rule=bool(extra)))
            found.extend(_calls(function, expression))
        found.extend(_nodes(function))
        found.extend(_edges(function))
        found.extend(_outputs(function))
        found.extend(_cycles(function))
    found.extend(_recursion(root))
    return found


def _unknown(function: Function, text: str, origin: Origin) -> Diagnostic:
    hint = did_you_mean(text, function.places)
    if not hint and "." in text:
        hint = did_you_mean(text.partition(".")[0], function.places)
    if not hint and resolve(function, text) is not None:
        hint = f"'{text}' is an op: call it as {text}(...)"
    return problem("GS301", f"unknown name '{text}'", origin.location, hint=hint)


def _names(function: Function, expression: Expression, in_rule: bool) -> Iterator[Diagnostic]:
    dims = dim_names(function) - set(function.places)
    in_shapes = _shape_positions(function, expression) if dims else set()
    for text, (start, end) in references(expression.term).items():
        first = text.partition(".")[0]
        allowed = first in ("training", "dtype") or (in_rule and first == "ct") or (text in dims and start in in_shapes)
        if not allowed and find_declared(function.places, text) is None:
            o = expression.origin
            yield _unknown(function, text, Origin(o.source, o.mark, o.text, start, end))


def dim_names(function: Function) -> set[str]:
    """Return the names of the dims in the shapes of a document's inputs."""
    slots = [declared.shape for declared in function.inputs.values() if declared.shape is not None]
    terms = [dim for slot in slots for dim in slot.dims if isinstance(dim, Term)]
    return {part.value for term in terms for part in walk(term) if part.kind == "name"}


def _shape_positions(function: Function, expression: Expression) -> set[int]:
    """Return where names stand in attributes that are shapes: dims may be named there (L2.3)."""
    found: set[int] = set()
    for term in operand_terms(expression):
        callee = resolve(function, term.value) if term.kind == "call" and term.keywords else None
        if callee is not None:
            known = signature(callee).attributes
            slots = [value for name, value in term.keywords if name in known and known[name].kind in SHAPE_KINDS]
            found.update(part.start for slot in slots for part in walk(slot) if part.kind == "name")
    return found


def _calls(function: Function, expression: Expression) -> Iterator[Diagnostic]:
    for term in operand_terms(expression):
        if term.kind != "call" or op_attribute(function, term.value):
            continue
        callee = resolve(function, term.value)
        if callee is None:
            continue
        facts = signature(callee)
        operands = [part for part in term.parts if part is not None]
        named = {name: [value] for name, value in term.keywords if facts.port(name) or name in facts.parameters}
        for misfit in bind(facts, operands, named).misfits:
            yield _misfit(misfit, expression.at(misfit.operand or term))


def _misfit(misfit: Misfit[Term], place: Origin) -> Diagnostic:
    return problem(misfit.code, misfit.message, place.location, hint=misfit.hint)


def _nodes(function: Function) -> Iterator[Diagnostic]:
    for node in function.nodes.values():
        if node.op is None or op_attribute(function, node.op):
            continue
        callee = resolve(function, node.op)
        if callee is not None:
            yield from _ports(function, node, callee)
        if node.share is not None and node.share_origin is not None:
            yield from _share(function, node, callee)


def _ports(function: Function, node: NodeDeclaration, callee: Callee) -> Iterator[Diagnostic]:
    assert node.op_origin is not None
    edges = [(edge.port, edge.target_origin) for edge in function.edges_to(node.name)]
    positional = [expression.origin for expression in node.positional]
    named = {port: [expression.origin for expression in operands] for port, operands in node.by_port.items()}
    for misfit in bind(signature(callee), positional, named, edges).misfits:
        place = misfit.operand or node.op_origin
        yield problem(misfit.code, misfit.message, place.location, hint=misfit.hint, path=f"nodes.{node.name}")


def _share(function: Function, node: NodeDeclaration, callee: Callee | None) -> Iterator[Diagnostic]:
    other = function.nodes.get(node.share or "")
    assert node.share_origin is not None
    if other is None:
        yield _unknown(function, node.share or "", node.share_origin)
        return
    name = other.op
    if name is None and other.expression is not None and other.expression.term.kind == "call":
        name = other.expression.term.value
    if name is None or resolve(function, name) is not callee:
        message = (
            f"'{node.share}' is not a call of {node.op}: share takes the parameters of a call of the same function"
        )
        yield problem("GS313", message, node.share_origin.location)


def _edges(function: Function) -> Iterator[Diagnostic]:
    for edge in function.edges:
        if find_declared(function.places, edge.source) is None:
            yield _unknown(function, edge.source, _source_place(edge))
        target = function.nodes.get(edge.target)
        if target is None:
            section = function.kinds.get(edge.target)
            if section is None:
                yield _unknown(function, edge.target, edge.target_origin)
            else:
                message = f"an edge ends at a node; '{edge.target}' is declared in {section}"
                yield problem("GS308", message, edge.target_origin.location)
        elif target.op is None:
            message = f"an edge ends at a node in mapping form; '{edge.target}' is an expression"
            hint = f"write {edge.target}: {{op: ...}}"
            yield problem("GS308", message, edge.target_origin.location, hint=hint)
        if (
            edge.weight is not None
            and edge.weight.declared is None
            and edge.weight.parameter not in function.parameters
        ):
            hint = did_you_mean(edge.weight.parameter, function.parameters)
            yield problem(
                "GS301", f"no parameter is called '{edge.weight.parameter}'", edge.weight.origin.location, hint=hint
            )


def _source_place(edge: Edge) -> Origin:
    start = max(edge.origin.text.find(edge.source), 0)
    return Origin(edge.origin.source, edge.origin.mark, edge.origin.text, start, start + len(edge.source))


def _outputs(function: Function) -> Iterator[Diagnostic]:
    for output in function.outputs:
        if find_declared(function.places, output.path) is None:
            yield _unknown(function, output.path, output.origin)
    if not function.outputs and (function.outer is not None or function.nodes):
        yield problem("GS203", "the key 'outputs' is missing", function.origin.location)
    for name in function.updates:
        if name not in function.parameters:
            mark = function.data["updates"].marks[name]
            where = function.source.at_key(mark, len(name))
            hint = did_you_mean(name, function.parameters)
            yield problem("GS301", f"'{name}' is no state or parameter of this document", where, hint=hint)
    yield from _gradient_keys(function)


def _gradient_keys(function: Function) -> Iterator[Diagnostic]:
    """Check that a custom gradient has a key for every input and parameter (L7.4)."""
    if function.gradient is None:
        return
    leaves = [*function.inputs, *(name for name, p in function.parameters.items() if p.role == "parameter")]
    rules = function.data["gradient"]
    for name in function.gradient:
        if name not in leaves:
            where = function.source.at_key(rules.marks[name], len(name))
            yield problem(
                "GS301", f"'{name}' is no input or parameter of {function.name}", where, hint=did_you_mean(name, leaves)
            )
    for name in leaves:
        declared = function.inputs.get(name)
        if name not in function.gradient and (declared is None or declared.dtype in (None, "float32", "float64")):
            where = function.source.at_key(function.data.marks["gradient"], len("gradient"))
            yield problem(
                "GS303",
                f"the gradient has no entry for '{name}'",
                where,
                hint=f"{name}: null says that it does not depend",
            )


def _cycles(function: Function) -> Iterator[Diagnostic]:
    wanted = {name: node_references(function, node) for name, node in function.nodes.items()}
    _, cycles = declared_order(wanted)
    for cycle in cycles:
        names = [*cycle, cycle[0]]
        related = tuple(
            Related(f"{name} needs {before}", function.places[name].location)
            for before, name in itertools.pairwise(names)
        )
        where = function.places[cycle[0]].location
        yield problem("GS306", f"a cycle: {' -> '.join(names)}", where, related=related, path=f"nodes.{cycle[0]}")


def _recursion(root: Function) -> Iterator[Diagnostic]:
    """Report functions that call themselves, directly or through others (2.5)."""
    calls: dict[int, list[tuple[Function, Origin]]] = {}
    functions = list(functions_in(root))
    for function in functions:
        calls[id(function)] = list(_called(function))
    members = {str(i): function for i, function in enumerate(functions)}
    index = {id(function): key for key, function in members.items()}
    uses = {key: [index[id(f)] for f, _ in calls[id(function)] if id(f) in index] for key, function in members.items()}
    for cycle in declared_order(uses)[1]:
        first = cycle.index(min(cycle, key=int))
        path = [members[key] for key in reversed(cycle[first + 1 :] + cycle[: first + 1])]
        ring = [*path, path[0]]
        places = [
            next(origin for called, origin in calls[id(caller)] if called is callee)
            for caller, callee in itertools.pairwise(ring)
        ]
        related = tuple(
            Related(f"{caller.name} calls {callee.name}", origin.location)
            for caller, callee, origin in zip(ring, ring[1:], places, strict=False)
        )
        names = " -> ".join(function.name for function in ring)
        yield problem("GS307", f"recursion: {names}", places[0].location, related=related)


def _called(function: Function) -> Iterator[tuple[Function, Origin]]:
    for expression in expressions_in(function):
        for term in operand_terms(expression):
            callee = resolve(function, term.value) if term.kind == "call" else None
            if isinstance(callee, Function):
                yield callee, expression.at(term)
    for node in function.nodes.values():
        callee = resolve(function, node.op) if node.op else None
        if isinstance(callee, Function) and node.op_origin is not None:
            yield callee, node.op_origin
