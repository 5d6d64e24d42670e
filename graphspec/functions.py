"""Building a document: its nodes in an order in which operands come first, edges, repeats and updates."""

from __future__ import annotations

from typing import Any

from graphspec import diagnose
from graphspec.attribute import Attribute
from graphspec.binding import Bound, bind
from graphspec.callee import Reference, signature
from graphspec.calls import CallBuilder, Written
from graphspec.declaration import AttributeSlot, Edge, Expression, Function, NodeDeclaration
from graphspec.errors import did_you_mean
from graphspec.expression import Term
from graphspec.graph import Graph
from graphspec.mentions import node_order
from graphspec.names import join
from graphspec.op import OPS, make
from graphspec.origin import Origin
from graphspec.repeat import MAX_COPIES, check_lengths, check_repeat
from graphspec.scope import FRESH, POISON, Failure, Operand, Scope, Site
from graphspec.static import StaticError
from graphspec.value import Value


class Builder(CallBuilder):
    """Builds documents and the functions they call into one graph."""

    def __init__(self, graph: Graph):
        super().__init__(graph)
        self.updates: dict[str, Value] = {}

    # -- bodies -----------------------------------------------------------------------------------------------------

    def body(self, scope: Scope) -> None:
        """Build everything that a document declares, in an order in which operands come first."""
        function = scope.function
        if scope.prefix is not None:
            self.declared.update(join(scope.prefix, name) for name in function.places if "." in name)
        for name, value in function.constants.items():
            scope.values[name] = self.constant(scope, name, value)
        for name in node_order(function)[0]:
            node = function.nodes[name]
            try:
                scope.values[name] = self.node(scope, node)
            except Failure as failure:
                self.note(failure)
                scope.values[name] = POISON
        for name, expression in function.updates.items():
            try:
                if not self._stays(scope, name, expression):
                    self._update(scope, name, expression)
            except Failure as failure:
                self.note(failure)

    def _stays(self, scope: Scope, name: str, expression: Expression) -> bool:
        """Tell whether a condition lets a state stay as it is that nothing built uses: it is not created (L4.3)."""
        if expression.term.kind != "conditional" or name in scope.values:
            return False
        term = self._chosen(Site(scope, expression, None), expression.term)
        return term.kind == "name" and term.value == name

    def _update(self, scope: Scope, name: str, expression: Expression) -> None:
        target = self.lookup(scope, name, expression.origin)
        site = Site(scope, expression, scope.below(f"{name}.next"))
        assert isinstance(target, Value)
        path = self.graph.paths[target.id] or name
        after = self.fresh(path, "next")
        found = self.operand(site, expression.term, after if _is_operation(expression.term) else FRESH)
        value = self.value(found, site, expression.term, target.type.dtype)
        if self.graph.paths[value.id] != after:
            fills = value.number is not None and not target.type.is_scalar
            op = make("broadcast_to", shape=target.type.shape) if fills else make("identity")
            value = self.graph.apply(op, value, path=after, origin=site.place(expression.term))
        if value.type != target.type:
            why = "the value after the run is of the type of the value before"
            raise Failure(
                diagnose.mismatch(f"'{name}'", str(target.type), value.type, site.place(expression.term), why)
            )
        self.updates[path] = value

    # -- nodes ------------------------------------------------------------------------------------------------------

    def node(self, scope: Scope, node: NodeDeclaration) -> Operand:
        """Build a declared node."""
        path, below = scope.path(node.name), scope.below(node.name)
        if scope.function.gradient is not None and any(output.path == node.name for output in scope.function.outputs):
            path = None  # the path is the custom gradient's, see `_guard`
        if node.expression is not None:
            site = Site(scope, node.expression, below)
            result = self.operand(site, node.expression.term, path)
        elif node.op is None:
            raise Failure()
        else:
            result = self._mapping(scope, node, path, below)
        if below is not None and path != below and isinstance(result, Value):
            self.graph.aliases[below] = result.id
        return result

    def _mapping(self, scope: Scope, node: NodeDeclaration, path: str | None, below: str | None) -> Operand:
        """Build a node in mapping form."""
        assert node.op is not None
        assert node.op_origin is not None
        term = Term("call", node.op, (), (), node.op_origin.start, node.op_origin.end)
        site = Site(scope, Expression(term, node.op_origin), below)
        reference = self._callee(scope, node)
        if isinstance(reference.callee, Function) and below is not None:
            self.declared.update(join(below, name) for name in reference.callee.places)
        positional = [self._written(scope, expression, below) for expression in node.positional]
        named = {port: [self._written(scope, e, below) for e in items] for port, items in node.by_port.items()}
        edges = [(edge.port, self._edge(scope, edge, below)) for edge in scope.function.edges_to(node.name)]
        bound = bind(signature(reference.callee), positional, named, edges)
        values = dict(reference.attributes)
        for key, slot in node.attributes.items():
            declared = signature(reference.callee).attributes.get(key)
            if declared is None:
                raise self._unknown_key(reference, key, scope.chained(slot.origin))
            values[key] = self.attribute_slot(declared, slot, scope)
        if node.repeat is not None or node.over is not None:
            return self._repeat(node, reference, bound, values, site, term, path)
        share = self.shared(site, node.share, node.share_origin)
        return self.apply(reference.callee, bound, values, site, term, path, share)

    def _unknown_key(self, reference: Reference, key: str, origin: Origin) -> Failure:
        hint = did_you_mean(key, signature(reference.callee).attributes)
        return Failure.at("GS202", f"{reference.name} has no attribute '{key}'", origin, hint)

    def _callee(self, scope: Scope, node: NodeDeclaration) -> Reference:
        declared = scope.function.attributes.get(node.op or "")
        if declared is not None and declared.kind == "op":
            found = scope.attributes.get(node.op or "")
            if not isinstance(found, Reference):
                raise Failure()
            return found
        callee = self.resolve(scope.function, node.op or "")
        return Reference((node.op or "").rpartition(".")[2], callee)

    def _written(self, scope: Scope, expression: Expression, below: str | None) -> Written:
        site = Site(scope, expression, below)
        return Written(self.operand(site, expression.term), site, expression.term)

    def _edge(self, scope: Scope, edge: Edge, below: str | None) -> Written:
        """Return what an edge carries: its source, times its weight."""
        term = Term("name", edge.source, (), (), edge.source_origin.start, edge.source_origin.end)
        site = Site(scope, Expression(term, edge.source_origin), below)
        carried = self.lookup(scope, edge.source, site.place(term))
        if edge.weight is not None:
            weight = self.lookup(scope, edge.weight.parameter, site.place(term))
            carried = self.emit(OPS["multiply"](), [carried, weight], site, term)
        return Written(carried, site, term)

    def _repeat(
        self,
        node: NodeDeclaration,
        reference: Reference,
        bound: Bound[Written],
        values: dict[str, Any],
        site: Site,
        term: Term,
        path: str | None,
    ) -> Operand:
        """Chain the copies of a repeated node through its first input (L7.2)."""
        self.refuse_misfits(bound, site, term)
        facts = signature(reference.callee)
        first = facts.ports[0].name if facts.ports else ""
        if first not in bound.ports:
            message = f"copies are chained through the first input: {facts.name} has no operand for one"
            raise Failure.at("GS303", message, site.place(term))
        passed, *others = bound.ports[first]
        for i, extra in enumerate(self._copies(node, reference, site.scope)):
            inside = Bound({**bound.ports, first: [passed, *others]}, bound.parameters)
            copy = f"{site.below}.{i}" if site.below is not None else None
            inner = Site(site.scope, site.expression, copy)
            share = self.shared(site, node.share, node.share_origin, i)
            result = self.apply(reference.callee, inside, {**values, **extra}, inner, term, copy, share)
            before = self.value(passed.operand, site, term)
            if not isinstance(result, Value) or result.type != before.type:
                found = result.type if isinstance(result, Value) else "several outputs"
                message = f"a repeated function returns the type of its first input: {before.type} in, {found} out"
                raise Failure.at("GS407", message, site.place(term))
            passed = Written(result, site, term)
        return self.emit(OPS["identity"](), [passed.operand], site, term, path)

    def _copies(self, node: NodeDeclaration, reference: Reference, scope: Scope) -> list[dict[str, Any]]:
        """Return the attributes of each copy."""
        facts = signature(reference.callee)
        if node.over is not None:
            for found in check_repeat(node, facts):  # of an op that an attribute names, not known before
                raise Failure(found)
            columns = {key: self._column(facts.attributes[key], slot, scope) for key, slot in node.over.items()}
            for found in check_lengths(node.over, {key: len(column) for key, column in columns.items()}):
                raise Failure(found)
            return [dict(zip(columns, copy, strict=True)) for copy in zip(*columns.values(), strict=True)]
        assert node.repeat is not None
        count = self._count(node.repeat.value, node.repeat.origin, scope)
        return [{} for _ in range(count)]

    def _column(self, declared: Attribute, slot: AttributeSlot, scope: Scope) -> list[Any]:
        """Return the values of an attribute of all copies: a list of slots, or a slot that is computed to be a list."""
        items = slot.items
        if isinstance(slot.value, str):
            found = self.attribute_slot(Attribute(declared.name, ("list",)), slot, scope)
            items = tuple(AttributeSlot(item, slot.origin) for item in found)
        return [self.attribute_slot(declared, item, scope) for item in items]

    def _count(self, value: Any, origin: Origin, scope: Scope) -> int:
        try:
            found = self._computed(value, scope)
        except StaticError as error:
            raise Failure.at(error.code, error.message, scope.chained(origin), error.hint) from None
        if isinstance(found, float) and found.is_integer():
            found = int(found)
        if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= MAX_COPIES:
            message = f"repeat expects a count from 0 to {MAX_COPIES:,}, found {found}"
            raise Failure.at("GS205", message, scope.chained(origin))
        return found


def _is_operation(term: Term) -> bool:
    """Tell whether a term makes a node of its own, which then takes the path of what it is written for."""
    return term.kind in ("operation", "call", "index", "conditional")
