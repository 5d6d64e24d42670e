"""Calls of functions with a gradient rule of their own (rule L7.4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from graphspec.custom import Custom, Rule
from graphspec.declaration import Expression
from graphspec.diagnose import mismatch
from graphspec.errors import NotDifferentiableError, problem
from graphspec.expression import Term, references
from graphspec.graph import Graph
from graphspec.leaf import Project
from graphspec.mentions import find_declared
from graphspec.scope import NOT_GIVEN, Bundle, Failure, Many, Operand, Scope, Site, flatten
from graphspec.types import TensorType, broadcast
from graphspec.value import Value

if TYPE_CHECKING:
    import numpy as np

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
    place = site.place(term)
    read = _read(builder, scope, outputs, site, term)
    emitter = RuleEmitter(builder, scope, list(outputs), list(read))
    emitter.try_out([value.type for value in raw], [value.type for value in read.values()])
    op = Custom(Rule(scope.function.name, emitter, scope.function.surrogate), len(raw))
    node = builder.graph.emit(op, tuple(value.id for value in [*raw, *read.values()]), path, place)
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


def _read(
    builder: LeafBuilder, scope: Scope, outputs: Mapping[str, Operand], site: Site, term: Term
) -> dict[str, Value]:
    """Return everything that a rule may read or has a rule, by name or path: inputs, parameters and inner nodes."""
    found: dict[str, Value] = {}
    for name in [*_leaves(scope), *_read_by_rules(scope, outputs)]:
        operand = builder.lookup(scope, name, site.place(term))
        if isinstance(operand, Many):
            many = (builder.value(item, site, term) for item in flatten([operand]))
            found.update({f"{name}.{i}": value for i, value in enumerate(many)})
        elif isinstance(operand, Value):
            found[name] = operand
    return found


def _leaves(scope: Scope) -> list[str]:
    function = scope.function
    inputs = [name for name in function.inputs if isinstance(scope.values.get(name), Value | Many)]
    used = [n for n, p in function.parameters.items() if p.role == "parameter" and n in scope.values]
    return [*inputs, *used]


def _read_by_rules(scope: Scope, outputs: Mapping[str, Operand]) -> list[str]:
    """Return the names and paths in the rules that stand for values of the forward part, except the outputs."""
    texts = [text for rule in (scope.function.gradient or {}).values() if rule for text in references(rule.term)]
    function, found = scope.function, {output.path for output in scope.function.outputs} | set(outputs)
    declared = {text: find_declared(function.places, text) for text in texts if text not in found}
    return [
        text
        for text, name in declared.items()
        if name is not None and name not in function.attributes and scope.values.get(name) is not NOT_GIVEN
    ]


class RuleEmitter:
    """Emits the cotangents of a custom gradient into whatever graph is being differentiated.

    ``names`` are those of the operands behind the outputs; the operands of a variadic input are ``NAME.0``, ...
    """

    def __init__(self, builder: LeafBuilder, scope: Scope, outputs: list[str], names: list[str]):
        self.builder, self.scope, self.outputs, self.names = builder, scope, outputs, names
        # what is left are numbers, and inputs that were not given: values belong to the graph they were built in
        self._fixed = {n: v for n, v in scope.values.items() if not isinstance(v, Value | Bundle | Many)}

    def __call__(self, ct: Any, values: Sequence[Value]) -> tuple[Value | None, ...]:
        """Return one cotangent per operand.

        Raises:
            NotDifferentiableError: a rule cannot be built.
        """
        try:
            return self._emit(ct, values, self.builder.constants)
        except Failure as failure:
            raise NotDifferentiableError(failure.diagnostic or ()) from None

    def try_out(self, outputs: Sequence[TensorType], operands: Sequence[TensorType]) -> None:
        """Build the rules once in a graph of their own, so that what is wrong with them is known when a spec is loaded.

        Raises:
            Failure: a rule cannot be built.
        """
        graph = Graph()
        labels = ["ct"] if len(outputs) == 1 else [f"ct.{name}" for name in self.outputs]
        cts = [graph.leaf("input", label, type) for label, type in zip(labels, outputs, strict=True)]
        known = zip([*self.outputs, *self.names, *self.outputs], [*outputs, *operands, *outputs], strict=True)
        values = [graph.leaf("input", name, type) for name, type in known]
        self._emit(cts[0] if len(cts) == 1 else tuple(cts), values, {})

    def _emit(self, ct: Any, values: Sequence[Value], constants: dict[str, np.ndarray]) -> tuple[Value | None, ...]:
        cts = ct if isinstance(ct, tuple) else (ct,)
        count = len(self.outputs)
        operands = dict(zip(self.names, values[count : count + len(self.names)], strict=True))
        builder = type(self.builder)(cts[0].graph)
        builder.constants = constants
        scope = self._instance(cts, operands, values[count + len(self.names) :])
        rules = scope.function.gradient or {}
        named = {name: name if name in rules else name.rpartition(".")[0] for name in operands}
        found = [self._rule(builder, scope, rules.get(named[name]), value) for name, value in operands.items()]
        for path, parameter in builder.parameters.items():
            message = f"a gradient rule creates no {parameter.role}: '{path}' would be a new one"
            hint = f"bind it: {path}=..., a parameter or input of {scope.function.name}"
            place = parameter.origin
            raise Failure(problem("GS303", message, place.location, hint=hint, related=place.chain))
        return (*(None for _ in range(count)), *found)

    def _instance(self, cts: Sequence[Value], operands: Mapping[str, Value], results: Sequence[Value]) -> Scope:
        """Return what names mean in the rules."""
        scope = replace(self.scope, prefix=None, parameter_prefix=None, output_path=None)
        scope.values = {**self._fixed, **operands}
        for name, declared in scope.function.inputs.items():
            if declared.variadic:
                scope.values[name] = Many(tuple(operands[key] for key in self.names if key.startswith(f"{name}.")))
        for output, value in zip(scope.function.outputs, results, strict=True):
            scope.values[output.name] = scope.values[output.path] = value
        scope.values["ct"] = cts[0] if len(cts) == 1 else Bundle("ct", dict(zip(self.outputs, cts, strict=True)))
        return scope

    def _rule(self, builder: LeafBuilder, scope: Scope, rule: Expression | None, operand: Value) -> Value | None:
        """Emit one rule; its result must be of the operand's dtype, and of a shape that sums to the operand's."""
        if rule is None or not operand.type.is_float:
            return None
        site = Site(scope, rule, None)
        found = builder.value(builder.operand(site, rule.term), site, rule.term, operand.type.dtype)
        fits = broadcast(found.type.shape, operand.type.shape) in (found.type.shape, operand.type.shape)
        if found.type.dtype != operand.type.dtype or not fits:
            name, place = f"a cotangent in {scope.function.name}", site.place(rule.term)
            raise Failure(mismatch(name, str(operand.type), found.type, place, "it cannot be summed to that"))
        return found
