"""Stage 3: every name, port and edge; cycles and recursion."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from graphspec.binding import Bound, Misfit, bind
from graphspec.callee import Callee, Signature, resolve, signature
from graphspec.declaration import Expression, Function, NodeDeclaration
from graphspec.errors import Diagnostic, Related, did_you_mean, problem, suggestions
from graphspec.expression import Term
from graphspec.graph import declared_order
from graphspec.mentions import (
    dim_names,
    expression_mentions,
    find_declared,
    node_order,
    shape_positions,
    slot_mentions,
    slots,
)
from graphspec.origin import Origin
from graphspec.sharing import check_share, share_text
from graphspec.structure import expressions_in, functions_in, op_attribute, operand_terms


def check_references(root: Function) -> list[Diagnostic]:
    """Return what is wrong with the names, ports, edges and calls of a file."""
    found: list[Diagnostic] = []
    for function in functions_in(root):
        dims = {name for name in dim_names(function) if name not in function.places}
        rules = {id(rule) for rule in (function.gradient or {}).values()}
        for expression in expressions_in(function):
            found.extend(_names(function, expression, dims, in_rule=id(expression) in rules))
            found.extend(_calls(function, expression))
        for node in function.nodes.values():
            found.extend(_slots(function, node, dims))
        found.extend(_initializers(function))
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
    if not hint and text in dim_names(function):
        hint = f"'{text}' is a dim, named in shapes only: {_size(function, text)} is its size"
    if not hint and resolve(function, text) is not None:
        hint = f"'{text}' is an op: call it as {text}(...)"
    return problem("GS301", f"unknown name '{text}'", origin.location, hint=hint)


def _size(function: Function, dim: str) -> str:
    """Return how an expression writes the size of a dim, such as ``x.shape[0]``."""
    for name, declared in function.inputs.items():
        dims = declared.shape.dims if declared.shape is not None else ()
        for axis, term in enumerate(dims):
            if isinstance(term, Term) and term.kind == "name" and term.value == dim and ... not in dims[:axis]:
                return f"{name}.shape[{axis}]"
    return "x.shape[i]"


def _names(function: Function, expression: Expression, dims: set[str], in_rule: bool) -> Iterator[Diagnostic]:
    in_shapes = shape_positions(function, expression) if dims else set()
    for text, place in expression_mentions(function, expression):
        if not (text in dims and place.start in in_shapes) and not (in_rule and text.partition(".")[0] == "ct"):
            yield from _known(function, text, place)


def _known(function: Function, text: str, place: Origin) -> Iterator[Diagnostic]:
    if text.partition(".")[0] not in ("training", "dtype") and find_declared(function.places, text) is None:
        yield _unknown(function, text, place)


def _slots(function: Function, node: NodeDeclaration, dims: set[str]) -> Iterator[Diagnostic]:
    """Check the names in the attribute slots of a node; dims may be named in shapes (L2.3)."""
    for slot, declared in slots(function, node):
        in_shape = declared is not None and declared.takes_dims
        for text, place in slot_mentions(slot, declared):
            if not (in_shape and text in dims):
                yield from _known(function, text, place)


def _initializers(function: Function) -> Iterator[Diagnostic]:
    """Check the names in the arguments of initialisers."""
    for declared in function.parameters.values():
        if declared.init is not None and declared.init.term.kind == "call":
            for text, place in expression_mentions(function, declared.init):
                if place.expression == text:  # a string is one that is not a number, which is reported when it is built
                    yield from _known(function, text, place)


def _calls(function: Function, expression: Expression) -> Iterator[Diagnostic]:
    for term in operand_terms(expression):
        if term.kind != "call":
            continue
        for name, value in term.keywords:
            if name == "share":
                yield from _share(function, term.value, share_text(value), expression.at(value))
        callee = None if op_attribute(function, term.value) else resolve(function, term.value)
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
    unknown = {edge.target for edge in function.edges if edge.target not in function.places}
    meant = {name for target in unknown for name in suggestions(target, function.nodes)}  # their operands went astray
    for node in function.nodes.values():
        if node.op is None:
            continue
        if node.share is not None and node.share_origin is not None:
            yield from _share(function, node.op, node.share, node.share_origin)
        callee = None if op_attribute(function, node.op) else resolve(function, node.op)
        if callee is not None:
            found = _ports(function, node, callee)
            yield from (item for item in found if item.code != "GS303" or node.name not in meant)


def _ports(function: Function, node: NodeDeclaration, callee: Callee) -> Iterator[Diagnostic]:
    assert node.op_origin is not None
    edges = [(edge.port, edge.target_origin) for edge in function.edges_to(node.name)]
    positional = [expression.origin for expression in node.positional]
    named = {port: [expression.origin for expression in operands] for port, operands in node.by_port.items()}
    bound = bind(signature(callee), positional, named, edges)
    if (node.repeat is not None or node.over is not None) and not bound.misfits:
        yield from _chained(node, signature(callee), bound)
    for misfit in bound.misfits:
        place = misfit.operand or node.op_origin
        yield problem(misfit.code, misfit.message, place.location, hint=misfit.hint, path=f"nodes.{node.name}")


def _chained(node: NodeDeclaration, facts: Signature, bound: Bound[Origin]) -> Iterator[Diagnostic]:
    """Check that a repeated node has a first input, through which its copies are chained (L7.2)."""
    if facts.ports and facts.ports[0].name in bound.ports:
        return
    what = f"no operand for its first input '{facts.ports[0].name}'" if facts.ports else "no input"
    place = (node.op_origin or node.origin).location
    yield problem("GS303", f"copies are chained through the first input: {facts.name} has {what}", place)


def _share(function: Function, callee: str, name: str, place: Origin) -> Iterator[Diagnostic]:
    if name not in function.places:
        yield _unknown(function, name, place)
    else:
        yield from check_share(function, callee, name, place)


def _edges(function: Function) -> Iterator[Diagnostic]:
    for edge in function.edges:
        if find_declared(function.places, edge.source) is None:
            yield _unknown(function, edge.source, edge.source_origin)
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


def _outputs(function: Function) -> Iterator[Diagnostic]:
    for output in function.outputs:
        if find_declared(function.places, output.path) is None:
            yield _unknown(function, output.path, output.origin)
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
    for cycle in node_order(function)[1]:
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
