"""Calls of functions with a gradient rule of their own (rule L7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphspec.custom import Custom, Rule
from graphspec.declaration import Expression
from graphspec.expression import Term, references
from graphspec.leaf import Project
from graphspec.references import find_declared
from graphspec.scope import Bundle, Operand, Scope, Site
from graphspec.value import Value

if TYPE_CHECKING:
    from graphspec.leaves import LeafBuilder


def guard(
    builder: LeafBuilder,
    scope: Scope,
    outputs: dict[str, Operand],
    site: Site,
    term: Term,
    path: str | None,
    paths: Sequence[str | None],
) -> dict[str, Operand]:
    """Put a `Custom` node between the outputs and their users, so that the gradient is the rule's.

    ``path`` is that of the node, ``paths`` are those of its outputs where it has several.
    """
    raw = [builder.value(operand, site, term) for operand in outputs.values()]
    names = list(dict.fromkeys([*_leaves(scope), *_read_by_rules(scope, outputs)]))
    read = [(name, builder.lookup(scope, name, site.place(term))) for name in names]
    values = [(name, value) for name, value in read if isinstance(value, Value)]
    rule = Rule(
        scope.function.name,
        RuleEmitter(builder, scope, list(outputs), [name for name, _ in values]),
        scope.function.surrogate,
    )
    op = Custom(rule, len(raw))
    place = site.place(term)
    ids = tuple(value.id for value in [*raw, *(value for _, value in values)])
    node = builder.graph.emit(op, ids, path, place)
    builder.custom[node] = scope
    made = [Value(builder.graph, node)]
    if len(raw) > 1:
        made = [
            Value(builder.graph, builder.graph.emit(Project(i, name), (node,), path, place))
            for i, (name, path) in enumerate(zip(outputs, paths, strict=True))
        ]
    for output, value in zip(scope.function.outputs, made, strict=True):
        alias = scope.below(output.path)
        if alias is not None and alias not in builder.graph.names:
            builder.graph.aliases[alias] = value.id
    return dict(zip(outputs, made, strict=True))


def _leaves(scope: Scope) -> list[str]:
    function = scope.function
    inputs = [name for name in function.inputs if isinstance(scope.values.get(name), Value)]
    used = [n for n, p in function.parameters.items() if p.role == "parameter" and n in scope.values]
    return [*inputs, *used]


def _read_by_rules(scope: Scope, outputs: Mapping[str, Operand]) -> list[str]:
    texts = [text for rule in (scope.function.gradient or {}).values() if rule for text in references(rule.term)]
    known = scope.function.places
    found = (find_declared(known, text) and text for text in texts)
    attributes = scope.function.attributes
    return [text for text in found if text and text not in outputs and text.partition(".")[0] not in attributes]


class RuleEmitter:
    """Emits the cotangents of a custom gradient into whatever graph is being differentiated."""

    def __init__(self, builder: LeafBuilder, scope: Scope, outputs: list[str], names: list[str]):
        self.builder, self.scope, self.outputs, self.names = builder, scope, outputs, names

    def __call__(self, ct: Any, values: Sequence[Value]) -> tuple[Value | None, ...]:
        cts = ct if isinstance(ct, tuple) else (ct,)
        graph = cts[0].graph
        count = len(self.outputs)
        operands = dict(zip(self.names, values[count:], strict=False))
        made = dict(zip(self.outputs, values[count + len(self.names) :], strict=True))
        builder = type(self.builder)(graph)
        scope = replace(self.scope, prefix=None, parameter_prefix=None, output_path=None)
        scope.values = {**self.scope.values, **operands, **made}
        for output in scope.function.outputs:
            scope.values[output.path] = made[output.name]
        scope.values["ct"] = cts[0] if count == 1 else Bundle("ct", dict(zip(self.outputs, cts, strict=True)))
        rules = scope.function.gradient or {}
        found = [self._emit(builder, scope, rules.get(name)) for name in self.names]
        return (*(None for _ in range(count)), *found)

    def _emit(self, builder: LeafBuilder, scope: Scope, rule: Expression | None) -> Value | None:
        if rule is None:
            return None
        site = Site(scope, rule, None)
        return builder.value(builder.operand(site, rule.term), site, rule.term)
