"""The catalogue of ops and library functions for people."""

from __future__ import annotations

import inspect
import re
from typing import Any

from graphspec.attribute import Attribute, to_json
from graphspec.callee import FOREIGN, INHERITED, Callee, Signature, resolve_catalogue, signature
from graphspec.declaration import Function
from graphspec.errors import did_you_mean
from graphspec.op import Port
from graphspec.view.table import Block, Table


def ops_table() -> list[Block]:
    """Return one table per family: signature, and the first sentence about each op."""
    families: dict[str, list[tuple[str, str]]] = {}
    for callee in resolve_catalogue().values():
        families.setdefault(family(callee), []).append((str(signature(callee)), _first_sentence(documentation(callee))))
    return [Table(("signature", "what it is"), rows, family) for family, rows in families.items()]


def op_page(name: str) -> list[Block]:
    """Return signature, documentation, operands and attributes of one op or library function.

    Raises:
        KeyError: there is none of that name.
    """
    callee = resolve_catalogue()[name]
    facts = signature(callee)
    blocks: list[Block] = [
        str(facts),
        "",
        inspect.cleandoc(documentation(callee)) or "Not documented.",
        "",
        *nature(callee),
    ]
    if facts.ports:
        blocks.append(f"operands: {', '.join(map(_port, facts.ports))}")
    rows = attribute_rows(facts)
    if rows:
        blocks.append(Table(("attribute", "kind", "default", "limits", "about"), rows))
    if facts.parameters:
        blocks.append(f"parameters: {', '.join(facts.parameters)}")
    return blocks


def attribute_rows(facts: Signature) -> list[tuple[str, str, str, str, str]]:
    """Return name, kind, default, limits and documentation of every attribute that is the callee's own."""
    own = [declared for name, declared in facts.attributes.items() if declared is not INHERITED.get(name)]
    return [(item.name, item.kind, _default(item), _limits(item), item.doc) for item in own]


def unknown_op_hint(name: str) -> str:
    """Return what a person may have meant by an op that is not in the catalogue."""
    foreign = FOREIGN.get(name.lower())
    known = resolve_catalogue()
    return f"did you mean '{foreign}'?" if foreign in known else did_you_mean(name, known)


def documentation(callee: Callee) -> str:
    """Return the text that documents an op or function."""
    return callee.doc if isinstance(callee, Function) else callee.__doc__ or ""


def family(callee: Callee) -> str:
    """Return the family of an op, or the library file of a function."""
    return callee.root.name if isinstance(callee, Function) else callee.family


def _first_sentence(doc: str) -> str:
    paragraph = " ".join(doc.strip().split("\n\n")[0].split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", paragraph)[0].removesuffix(".")


def nature(callee: Callee) -> list[Block]:
    """Return lines on what it is and what it gives."""
    if isinstance(callee, Function):
        rule = "with a gradient of its own" if callee.gradient is not None else "differentiated through its nodes"
        return [
            f"a library function of {family(callee)}, {rule}",
            f"outputs: {', '.join(o.name for o in callee.outputs)}",
        ]
    gradient = "has a gradient" if callee.differentiable else "has no gradient"
    return [f"an op of {callee.family}; {gradient}", f"outputs: {', '.join(callee.outputs) or 'y0, y1, ...'}"]


def _port(port: Port) -> str:
    notes = [{"integer": "integers", "boolean": "booleans"}[port.group]] if port.group != "T" else []
    notes += ["one or more"] if port.variadic else []
    notes += ["may be left out"] if port.optional else []
    notes += [port.doc] if port.doc else []
    return f"{port.name} ({'; '.join(notes)})" if notes else port.name


def _default(item: Attribute) -> str:
    return "required" if item.required else _text(to_json(item.default))


def _limits(item: Attribute) -> str:
    parts = [f"at least {item.minimum}"] if item.minimum is not None else []
    parts += [f"at most {item.maximum}"] if item.maximum is not None else []
    for kind in item.kinds:
        choices = ", ".join(map(str, item.choices_of(kind)))
        parts += [f"{f'{kind} ' if len(item.kinds) > 1 else ''}one of {choices}"] if choices else []
    return ", ".join(parts)


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
