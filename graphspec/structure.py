"""Stage 2, after the schema: every op, keyword and attribute value that is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from graphspec.attribute import Attribute, AttributeProblem
from graphspec.callee import INHERITED, Callee, Signature, resolve, signature, unknown_hint
from graphspec.declaration import AttributeSlot, Expression, Function, NodeDeclaration
from graphspec.errors import Diagnostic, did_you_mean, problem
from graphspec.expression import ExpressionError, Term, dotted, parse, walk
from graphspec.grammar import INITIALIZERS
from graphspec.origin import Origin
from graphspec.reader import NODE_KEYS
from graphspec.repeat import check_repeat
from graphspec.source import Seq
from graphspec.static import Environment, StaticError, evaluate
from graphspec.types import DTYPES, FLOATS
from graphspec.written import WrittenProblem
from graphspec.written import check as check_written


def functions_in(root: Function) -> Iterator[Function]:
    """Yield a document and every function in it, outermost first."""
    stack = [root]
    while stack:
        function = stack.pop()
        yield function
        stack.extend(reversed(list(function.functions.values())))


def expressions_in(function: Function) -> Iterator[Expression]:
    """Yield every operand slot of a document, not of the functions in it."""
    for node in function.nodes.values():
        yield from node_expressions(node)
    yield from function.updates.values()
    yield from (rule for rule in (function.gradient or {}).values() if rule is not None)


def node_expressions(node: NodeDeclaration) -> Iterator[Expression]:
    """Yield the operand slots of a node."""
    if node.expression is not None:
        yield node.expression
    yield from node.positional
    for operands in node.by_port.values():
        yield from operands


def operand_terms(expression: Expression) -> Iterator[Term]:
    """Yield the terms of an expression that are computed when the graph runs; static parts are left out."""
    stack = [expression.term]
    while stack:
        term = stack.pop()
        yield term
        if term.kind == "conditional":
            stack.extend(part for part in (term.parts[0], term.parts[2]) if part is not None)
        elif term.kind in ("index", "member"):
            stack.extend(term.parts[:1])  # type: ignore[arg-type]
        elif term.kind in ("operation", "call"):
            stack.extend(part for part in reversed(term.parts) if part is not None)


def op_attribute(function: Function, name: str) -> bool:
    """Tell whether ``name`` before a parenthesis is an attribute of type `op`."""
    declared = function.attributes.get(name)
    return declared is not None and declared.kind == "op"


def check_structure(root: Function) -> list[Diagnostic]:
    """Return what is wrong with the ops, keywords and attribute values of a file."""
    found: list[Diagnostic] = []
    for function in functions_in(root):
        for expression in expressions_in(function):
            found.extend(_expression(function, expression))
        for node in function.nodes.values():
            if node.op is not None:
                found.extend(_node(function, node))
        for declared in function.parameters.values():
            if declared.init is not None:
                found.extend(_initializer(declared.init))
        found.extend(_outputs(function))
        found.extend(_values(function))
        found.extend(_op_defaults(function))
        found.extend(_variadic(function))
    return found


def _variadic(function: Function) -> Iterator[Diagnostic]:
    """Check that at most one input is variadic, the last (L5.1)."""
    for declared in list(function.inputs.values())[:-1]:
        if declared.variadic:
            message = f"the variadic input '{declared.name}' is not the last"
            hint = "it takes all further operands, so there is one at most, behind the others"
            yield problem("GS205", message, declared.origin.location, hint=hint)


def _outputs(function: Function) -> Iterator[Diagnostic]:
    """Check that there are outputs, unless a file has only functions (L8.1)."""
    only_functions = function.outer is None and bool(function.functions) and not function.places
    if "outputs" not in function.data and not only_functions:
        yield problem("GS203", "the key 'outputs' is missing", function.origin.location)
    elif function.data.get("outputs") in ([], {}) and (function.outer is not None or function.places):
        where = function.source.at_key(function.data.marks["outputs"], len("outputs"))
        yield problem("GS203", "'outputs' lists nothing", where)


def _values(function: Function) -> Iterator[Diagnostic]:
    """Check the numbers that are written as values of leaves."""
    places = function.places
    written: list[tuple[str, str, Any, str | None, Origin]]
    written = [("constant", name, value, None, places[name]) for name, value in function.constants.items()]
    written += [("input", name, item.value, item.dtype, item.origin) for name, item in function.inputs.items()]
    written += [(item.role, name, item.value, item.dtype, item.origin) for name, item in function.parameters.items()]
    for role, name, value, dtype, place in written:
        if isinstance(value, bool | int | float | list) and dtype in (None, *DTYPES):
            try:
                check_written(value, function.dtype if function.dtype in FLOATS else "float64", dtype)
            except WrittenProblem as error:
                yield problem(error.code, f"{role} '{name}': {error.message}", place.location)


def _expression(function: Function, expression: Expression) -> Iterator[Diagnostic]:
    for term in operand_terms(expression):
        if term.kind in ("list", "and", "or", "not", "null", "ellipsis", "slice"):
            words = {"list": "a list", "null": "null"}.get(term.kind, f"'{term.kind}'")
            hint = (
                "logical_and, logical_or and logical_not compute with boolean arrays"
                if term.kind in ("and", "or", "not")
                else ""
            )
            yield problem("GS209", f"{words} cannot be an operand", expression.at(term).location, hint=hint)
        elif term.kind == "call":
            yield from _call(function, expression, term)


def _call(function: Function, expression: Expression, term: Term) -> Iterator[Diagnostic]:
    if term.value == "given":
        yield problem("GS209", "given(x) is a static condition, not an operand", expression.at(term).location)
        return
    if op_attribute(function, term.value):
        return
    callee = resolve(function, term.value)
    if callee is None and _refused(function, term.value):
        return
    if callee is None:
        place = Origin(
            expression.origin.source,
            expression.origin.mark,
            expression.origin.text,
            term.start,
            term.start + len(term.value),
        )
        yield _unknown(function, term.value, place)
        return
    facts = signature(callee)
    for i, (name, value) in enumerate(term.keywords):
        if name in facts.attributes:
            yield from _literal(function, facts.attributes[name], value, expression)
        elif name not in facts.names and name != "share" and not _unread(callee, name):
            place = expression.at(term.keyword(i))
            hint = did_you_mean(name, facts.names) or f"its signature is {facts}"
            yield problem(
                "GS210", f"{term.value} has neither a port nor an attribute '{name}'", place.location, hint=hint
            )
    yield from _required(facts, {name for name, _ in term.keywords}, expression.at(term), callee)


def _refused(function: Function, name: str) -> bool:
    """Tell whether a function is declared under this name but could not be read, which was reported."""
    scope: Function | None = function
    while scope is not None:
        declared = scope.data.get("functions", {})
        if not isinstance(declared, dict) or name in declared:
            return True
        scope = scope.outer
    return False


def _unread(callee: Callee, name: str) -> bool:
    """Tell whether a function may declare a port, attribute or parameter that could not be read, which was reported."""
    if not isinstance(callee, Function) or name in signature(callee).names:
        return False
    sections = [callee.data.get(section, {}) for section in ("attributes", "inputs", "parameters", "state")]
    return any(not isinstance(section, dict | list) or name in section for section in sections)


def _unknown(function: Function, name: str, place: Origin) -> Diagnostic:
    return problem("GS201", f"unknown op or function '{name}'", place.location, hint=unknown_hint(function, name))


def _required(facts: Signature, given: set[str], place: Origin, callee: Callee) -> Iterator[Diagnostic]:
    for name, declared in facts.attributes.items():
        if declared.required and name not in given:
            yield problem(
                "GS211", f"{facts.name} needs the attribute '{name}'", place.location, hint=f"its signature is {facts}"
            )


def _literal(function: Function, declared: Attribute, term: Term, expression: Expression) -> Iterator[Diagnostic]:
    """Check an attribute whose value is written out; what names attributes is checked when the graph is built."""
    if declared.kind == "op":
        yield from _op_name(function, declared, term, expression)
        return
    if any(part.kind in ("name", "call", "index", "member") for part in walk(term)):
        return
    try:
        declared.check(evaluate(term, Environment()))
    except AttributeProblem as error:
        yield problem(
            error.code, f"attribute '{declared.name}': {error.message}", expression.at(term).location, hint=error.hint
        )
    except StaticError as error:
        yield problem(error.code, error.message, expression.at(error.term).location, hint=error.hint)


def _op_name(function: Function, declared: Attribute, term: Term, expression: Expression) -> Iterator[Diagnostic]:
    """Check the value of an attribute of type `op`: a name, or a call that sets attributes (L4.4)."""
    name = dotted(term) if term.kind in ("name", "member") else term.value if term.kind in ("call", "string") else None
    place = expression.at(term)
    if not isinstance(name, str):
        message = f"attribute '{declared.name}': expected the name of an op, found '{place.expression}'"
        yield problem("GS205", message, place.location)
    elif not op_attribute(function, name):
        callee = resolve(function, name)
        if callee is not None:
            yield from _bound_attributes(function, callee, term, expression)
        elif not _refused(function, name):
            yield _unknown(function, name, place)


def _bound_attributes(function: Function, callee: Callee, term: Term, expression: Expression) -> Iterator[Diagnostic]:
    """Check what ``leaky_relu(slope=0.2)`` sets: attributes by name, no operands."""
    facts = signature(callee)
    if term.parts and term.kind == "call":
        message = f"{facts.name} gets its operands where it is called; here only its attributes are set, by name"
        yield problem("GS210", message, expression.at(term).location, hint=f"its signature is {facts}")
    for i, (key, value) in enumerate(term.keywords):
        if key in facts.attributes:
            yield from _literal(function, facts.attributes[key], value, expression)
        elif not _unread(callee, key):
            where, hint = expression.at(term.keyword(i)).location, did_you_mean(key, facts.attributes)
            yield problem("GS210", f"{facts.name} has no attribute '{key}'", where, hint=hint)


def _node(function: Function, node: NodeDeclaration) -> Iterator[Diagnostic]:
    assert node.op is not None
    assert node.op_origin is not None
    if op_attribute(function, node.op):
        return
    callee = resolve(function, node.op)
    if callee is None:
        if not _refused(function, node.op):
            yield _unknown(function, node.op, node.op_origin)
        return
    facts = signature(callee)
    for key, slot in node.attributes.items():
        if key not in facts.attributes and _unread(callee, key):
            continue
        if key not in facts.attributes:
            known = [*facts.attributes, *NODE_KEYS]
            ports = [port.name for port in facts.ports] + list(facts.parameters)
            hint = (
                f"operands stand under 'inputs': inputs: {{{key}: ...}}" if key in ports else did_you_mean(key, known)
            )
            place = slot.key(key)
            yield problem(
                "GS202",
                f"unknown key '{key}' in a node of op {node.op}",
                place.location,
                hint=hint,
                path=f"nodes.{node.name}.{key}",
            )
        else:
            yield from _slot(function, facts.attributes[key], slot, f"nodes.{node.name}.{key}")
    for key, slot in (node.over or {}).items():
        for item in slot.items if key in facts.attributes else ():
            yield from _slot(function, facts.attributes[key], item, f"nodes.{node.name}.repeat.over.{key}")
    yield from check_repeat(node, facts)
    yield from _required(facts, {*node.attributes, *(node.over or ())}, node.op_origin, callee)


def _slot(function: Function, declared: Attribute, slot: AttributeSlot, path: str) -> Iterator[Diagnostic]:
    if declared.takes_dims and not declared.is_word(slot.value):
        yield from _texts(slot)
        return
    if _computed(slot.value):
        return
    if declared.kind == "op" and isinstance(slot.value, str):
        yield from _op_text(function, declared, slot.origin)
        return
    try:
        declared.check(slot.value)
    except AttributeProblem as error:
        message = f"attribute '{declared.name}': {error.message}"
        disputed = slot.origin.source.disputed(slot.value, slot.origin.mark, path)
        yield disputed or problem(error.code, message, slot.origin.location, hint=error.hint, path=path)


def _op_text(function: Function, declared: Attribute, place: Origin) -> Iterator[Diagnostic]:
    """Check the name of an op that is written as text."""
    try:
        yield from _op_name(function, declared, parse(place.text), Expression(parse(place.text), place))
    except ExpressionError as error:
        where = Origin(place.source, place.mark, place.text, error.start, error.end).location
        yield problem(error.code, error.message, where, hint=error.hint)


def _op_defaults(function: Function) -> Iterator[Diagnostic]:
    """Check the defaults of attributes of type `op`."""
    for name, declared in function.attributes.items():
        if declared.kind == "op" and isinstance(declared.default, str):
            text, mark = declared.default, function.data["attributes"][name].marks["default"]
            yield from _op_text(function, declared, Origin(function.source, mark, text, 0, len(text)))


def _texts(slot: AttributeSlot) -> Iterator[Diagnostic]:
    """Check the syntax of dims; the reader has seen what begins with ``$``."""
    source, value = slot.origin.source, slot.value
    for text, mark in zip(value, value.marks, strict=True) if isinstance(value, Seq) else [(value, slot.origin.mark)]:
        if isinstance(text, str) and not text.startswith("$"):
            try:
                parse(text)
            except ExpressionError as error:
                place = Origin(source, mark, text, error.start, error.end)
                yield problem(error.code, error.message, place.location, hint=error.hint)


def _computed(value: object) -> bool:
    if isinstance(value, list):
        return any(_computed(item) for item in value)
    return isinstance(value, str) and value.startswith("$")


def _initializer(init: Expression) -> Iterator[Diagnostic]:
    """Check the name and the arguments of an initialiser (L1.5)."""
    term = init.term
    name = term.value if term.kind in ("name", "call") else None
    place = init.at(term).location
    if name not in INITIALIZERS:
        hint = did_you_mean(str(name), INITIALIZERS) or f"initialisers are {', '.join(INITIALIZERS)}"
        yield problem("GS205", f"unknown initialiser '{init.origin.text}'", place, hint=hint)
        return
    arguments = dict(INITIALIZERS[name])
    given = [*list(arguments)[: len(term.parts)], *(key for key, _ in term.keywords)]
    for i, (key, _) in enumerate(term.keywords):
        if key not in arguments:
            where = init.at(term.keyword(i)).location
            yield problem("GS210", f"{name} has no argument '{key}'", where, hint=did_you_mean(key, arguments))
    if len(term.parts) > len(arguments) or len(set(given)) < len(given):
        yield problem("GS210", f"{name} takes the arguments {', '.join(arguments) or 'none'}", place)
    for key, default in arguments.items():
        if default is None and key not in given:
            yield problem("GS211", f"{name} needs the argument '{key}'", place)


__all__ = [
    "INHERITED",
    "check_structure",
    "expressions_in",
    "functions_in",
    "node_expressions",
    "op_attribute",
    "operand_terms",
]
