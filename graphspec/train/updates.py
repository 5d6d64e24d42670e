"""The updates of a training step: what optimizer, clipping, averages and the clock add to a graph with gradients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from graphspec.binding import Bound
from graphspec.callee import signature
from graphspec.calls import Written
from graphspec.declaration import Expression, ParameterDeclaration
from graphspec.errors import SpecError, did_you_mean, first_stage
from graphspec.expression import Term
from graphspec.functions import Builder
from graphspec.model import Input, Model
from graphspec.names import join
from graphspec.op import make
from graphspec.operands import called
from graphspec.parameter import Parameter
from graphspec.scope import FRESH, Failure, Operand, Scope, Site
from graphspec.train_section import CLOCK, Group, TrainSection
from graphspec.types import TensorType
from graphspec.value import Value

_CLOCK_TYPES = {"epoch": "int64", "monitor": None}  # None: the document's float dtype


class StepBuilder:
    """Adds the updates of the optimizer to a graph that has the gradients."""

    def __init__(self, model: Model, section: TrainSection):
        self.model, self.section, self.graph = model, section, model.graph
        self.builder = Builder(model.graph)
        self.builder.parameters, self.builder.constants = model.parameters, dict(model.constants)
        function = section.function
        attributes = {"training": True, "dtype": model.dtype, **model.attributes}
        prefix = _free("train", [*model.graph.names, *model.parameters])
        self.scope = Scope(function, prefix, prefix, None, attributes)  # where the clock and the settings lie
        self.home = Scope(function, "", "", None, attributes)  # where the calls for the parameters are built
        self.settings: dict[tuple[int, str], Operand] = {}
        self.reported: dict[str, int] = {}
        self.averages: dict[str, str] = {}

    def raise_errors(self) -> None:
        found = first_stage(self.builder.diagnostics)
        if any(diagnostic.severity == "error" for diagnostic in found):
            raise SpecError(found)

    def build(self, gradients: Mapping[str, int]) -> None:
        """Add the next value of every parameter, the state of optimizer and schedules, and the clock."""
        before = set(self.model.updates)
        values = {path: Value(self.graph, node) for path, node in gradients.items()}
        try:
            apply, values = self._accumulated(values)
            values = self._clipped(values)
            for path, gradient in values.items():
                after = self._next(path, gradient)
                self.builder.updates[path] = after
            self._average(list(values))
            self._tick()
        except Failure as failure:
            self.builder.note(failure)
            return
        if apply is not None:
            self._only_when(apply)
        self.model.updates |= {path: value.id for path, value in self.builder.updates.items() if path not in before}
        self.model.constants = self.builder.constants

    # -- names ------------------------------------------------------------------------------------------------------

    def clock(self, name: str) -> Value:
        """Return the step (state), or the epoch or the watched value (inputs), created when first used."""
        if name not in self.scope.values:
            path = join(self.scope.prefix or "", name)
            if name == "step":
                self.scope.values[name] = self.builder.parameter(self.scope, name)
            else:
                found = TensorType(_CLOCK_TYPES[name] or self.model.dtype, ())
                leaf = self.graph.leaf("input", path, found)
                self.model.inputs[path] = Input(path, leaf.id, found, None, _CLOCK_DOCS[name])
                self.scope.values[name] = leaf
        value = self.scope.values[name]
        assert isinstance(value, Value)
        return value

    def _named(self, op: str, path: str | None, *operands: Value) -> Value:
        """Return the result of an op, under a path."""
        found: Value = self.graph.apply(make(op), *operands, path=path, origin=self.section.function.origin)
        return found

    def _site(self, expression: Expression, below: str | None, scope: Scope | None = None) -> Site:
        return Site(scope or self.scope, expression, below)

    def call(
        self, expression: Expression, given: Mapping[str, Value], path: str, dtype: str, group: Group | None = None
    ) -> Operand:
        """Build one call of the section for one parameter.

        Args:
            expression: the call.
            given: what differs between parameters.
            path: that of the result.
            dtype: the float dtype of the parameter.
            group: keywords that replace those of the call.
        """
        term = expression.term
        site = self._site(expression, path, self.home)
        reference = called(self.scope, term)
        if reference is None:
            raise Failure()
        facts = signature(reference.callee)
        attributes = dict(reference.attributes)
        if dtype != self.model.dtype:
            attributes["dtype"] = dtype
        named: dict[str, list[Written]] = {}
        keywords = {key: Expression(value, expression.origin) for key, value in term.keywords}
        for key, written in {**keywords, **(group.settings if group is not None else {})}.items():
            inner = self._site(written, None)
            if key in facts.attributes:
                attributes[key] = self.builder.attribute_term(facts.attributes[key], written.term, inner)
            elif key in facts.names:
                operand: Operand = given[key] if key in given else self._setting(key, written, group)
                if isinstance(operand, Value) and operand.type.is_float and operand.type.dtype != dtype:
                    operand = self.graph.g.cast(operand, dtype=dtype)
                named[key] = [Written(operand, inner, written.term)]
            else:
                hint = did_you_mean(key, facts.names) or f"its signature is {facts}"
                place = inner.place(written.term)
                raise Failure.at("GS210", f"{facts.name} has neither a port nor an attribute '{key}'", place, hint)
        bound = Bound({key: items for key, items in named.items() if facts.port(key)})
        bound.parameters = {key: items[0] for key, items in named.items() if not facts.port(key)}
        return self.builder.apply(reference.callee, bound, attributes, site, term, path, None)

    def _setting(self, key: str, written: Expression, group: Group | None) -> Operand:
        """Return a keyword that is the same for all parameters: it is built once, below `train`."""
        known = (id(written.term), key)
        if known not in self.settings:
            for name in CLOCK:
                if _mentions(written.term, name):
                    self.clock(name)
            simple = written.term.kind in ("number", "boolean", "name", "string")
            path = self.builder.fresh(self.scope.prefix, key)
            operand = self.builder.operand(self._site(written, path), written.term, FRESH if simple else path)
            self.settings[known] = operand
            if key not in self.reported and isinstance(operand, Value) and not simple:
                self.reported[key] = operand.id
        return self.settings[known]

    # -- parameters -------------------------------------------------------------------------------------------------

    def _group(self, path: str) -> Group | None:
        """Return the last group that fits a parameter and is not only about freezing."""
        fits = [g for g in self.section.groups if any(fnmatchcase(path, pattern) for pattern in g.patterns)]
        return fits[-1] if fits else None

    def _next(self, path: str, gradient: Value) -> Value:
        """Return the next value of a parameter: what the optimizer makes of it."""
        group = self._group(path)
        expression = group.optimizer if group is not None and group.optimizer is not None else self.section.optimizer
        return self._same("optimizer", expression, path, "next", {"gradient": gradient}, group)

    def _same(
        self,
        role: str,
        expression: Expression,
        path: str,
        name: str,
        given: Mapping[str, Value],
        group: Group | None = None,
    ) -> Value:
        """Return the result of a call, which is of the type of the parameter that it is for."""
        parameter = self.model.parameters[path]
        values = {"parameter": Value(self.graph, parameter.node), **given}
        where = self.builder.fresh(path, name) or ""
        result = self.call(expression, values, where, parameter.type.dtype, group)
        if not isinstance(result, Value) or result.type != parameter.type:
            found = result.type if isinstance(result, Value) else "several outputs"
            message = (
                f"the {role} gives a value of the type of the parameter: '{path}' is {parameter.type}, found {found}"
            )
            raise Failure.at("GS407", message, self._site(expression, None).place(expression.term))
        return result

    def _clipped(self, gradients: Mapping[str, Value]) -> dict[str, Value]:
        found = dict(gradients)
        for expression in self.section.clip:
            shared = {}
            if any(key == "global_norm" for key, _ in expression.term.keywords):
                shared["global_norm"] = self._global_norm(list(found.values()))
            found = {
                path: self._same("clip function", expression, path, "clipped", {"gradient": gradient, **shared})
                for path, gradient in found.items()
            }
        return found

    def _global_norm(self, gradients: Sequence[Value]) -> Value:
        """Return the root of the sum of the squares of all gradients."""
        g, dtype = self.graph.g, self.model.dtype
        squares = [g.sum(g.square(gradient)) for gradient in gradients]
        same = [square if square.type.dtype == dtype else g.cast(square, dtype=dtype) for square in squares]
        total = same[0] if len(same) == 1 else g.add(*same)
        return self._named("sqrt", self.builder.fresh(self.scope.prefix, "global_norm"), total)

    def _average(self, paths: Sequence[str]) -> None:
        """Add the running average of each parameter."""
        expression = self.section.average
        if expression is None:
            return
        for path in paths:
            after = self.builder.updates[path]
            before = set(self.model.parameters)
            given = {"parameter": after}
            self._same("average", expression, path, "average", given)
            made = [p for p in self.model.parameters if p not in before and p.endswith(".average")]
            if len(made) != 1:
                message = "the function of `average` has a state 'average' with the averages of a parameter"
                raise Failure.at("GS303", message, self._site(expression, None).place(expression.term))
            self.averages[path] = made[0]

    # -- the clock --------------------------------------------------------------------------------------------------

    def _tick(self) -> None:
        step = self.clock("step")
        path = self.builder.fresh(self.graph.paths[step.id], "next")
        one = self.graph.literal(1, "int64")
        self.builder.updates[self.graph.paths[step.id] or ""] = self._named("add", path, step, one)

    def _accumulated(self, gradients: dict[str, Value]) -> tuple[Value | None, dict[str, Value]]:
        """Return when the optimizer runs, and the mean gradient of the batches since it last did."""
        count = self.section.accumulate
        if count == 1:
            return None, gradients
        g = self.graph.g
        batch = self._state(join(self.scope.prefix or "", "batch"), TensorType("int64", ()))
        after = g.add(batch, 1)
        apply: Value = g.equal(after, count)
        self._update(batch, g.where(apply, 0, after))
        found = {}
        for path, gradient in gradients.items():
            total = self._state(f"{path}.accumulated", self.model.parameters[path].type)
            sum_now = g.add(total, gradient)
            self._update(total, g.where(apply, 0.0, sum_now))
            found[path] = g.divide(sum_now, float(count))
        return apply, found

    def _update(self, state: Value, value: Value) -> None:
        """Note the next value of a state that is kept also where the optimizer does not run."""
        path = self.graph.paths[state.id] or ""
        self.model.updates[path] = self._named("identity", self.builder.fresh(path, "next"), value).id

    def _state(self, path: str, type: TensorType) -> Value:
        """Return a state of zeros."""
        place = self.section.function.origin
        name = path.rpartition(".")[2]
        leaf = self.graph.leaf("state", path, type, place)
        declared = ParameterDeclaration(name, place, "state", dtype=type.dtype, trainable=False)
        facts = Parameter(path, leaf.id, type, "state", False, declared, place, None, ("zeros", {}))
        self.model.parameters[path] = facts
        return leaf

    def _only_when(self, apply: Value) -> None:
        """Let what the optimizer changes keep its value in the batches between two steps."""
        for path, after in self.builder.updates.items():
            before = Value(self.graph, self.model.parameters[path].node)
            where = self.graph.g.where(apply, after, before)
            self.builder.updates[path] = self._named("identity", self.builder.fresh(path, "next"), where)


_CLOCK_DOCS = {
    "epoch": "epochs that have been completed",
    "monitor": "the value that is watched, as the last validation or epoch gave it; nan before the first",
}


def _mentions(term: Term, name: str) -> bool:
    stack = [term]
    while stack:
        item = stack.pop()
        if item.kind == "name" and item.value == name:
            return True
        stack.extend(item.children)
    return False


def _free(name: str, taken: Iterable[str]) -> str:
    """Return ``name``, numbered where something lies there already."""
    used = {path.partition(".")[0] for path in taken}
    found, number = name, 1
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found
