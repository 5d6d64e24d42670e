"""Expressions to nodes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from graphspec import diagnose
from graphspec.attribute import REQUIRED, Attribute, AttributeProblem
from graphspec.callee import Reference, resolve, signature, unknown_hint
from graphspec.declaration import AttributeSlot, Expression
from graphspec.dims import Expr
from graphspec.errors import OpTypeError, did_you_mean, problem
from graphspec.expression import FACTS, ExpressionError, Term, dotted, parse, path_text
from graphspec.graph import Graph
from graphspec.mentions import find_declared
from graphspec.names import join
from graphspec.op import OPS, Op, attributes
from graphspec.operands import called, inner_operands, is_leaf
from graphspec.origin import Origin
from graphspec.scope import FRESH, NOT_GIVEN, POISON, Bundle, Failure, Many, Operand, Scope, Site, flatten
from graphspec.slicing import slice_attributes
from graphspec.static import Environment, StaticError, condition, evaluate, in_shape, static_operation
from graphspec.types import TensorType
from graphspec.value import Number, Value, adopt


class Evaluator(ABC):
    """Builds the nodes of expressions into ``graph``."""

    def __init__(self, graph: Graph):
        self.graph = graph
        self.declared: set[str] = set()  # paths that declarations will take: no anonymous node may
        self.statics: dict[int, Number] = {}  # the results of operations on numbers only
        self._counters: dict[str, int] = {}
        self._ready: dict[int, Operand] = {}  # operands that are built before the term they stand in

    @abstractmethod
    def parameter(self, scope: Scope, name: str) -> Value:
        """Return a parameter or state of the scope, created when it is first used."""

    # -- names ------------------------------------------------------------------------------------------------------

    def fresh(self, below: str | None, name: str) -> str | None:
        """Return ``below.name``, numbered from the second on (L3.1)."""
        if below is None:
            return None
        base = f"{below}.{name}"
        number = self._counters.get(base, 0)
        while True:
            number += 1
            path = base if number == 1 else f"{base}_{number}"
            if path not in self.declared and self.graph.find(path) is None:
                self._counters[base] = number
                return path

    def lookup(self, scope: Scope, text: str, place: Origin) -> Operand:
        """Return what a name or path stands for in a scope."""
        name = text if text in scope.values else find_declared(scope.function.places, text)
        name = name or find_declared(scope.values, text)
        if name is None:
            raise Failure(problem("GS301", f"unknown name '{text}'", place.location, related=place.chain))
        if name not in scope.values and name in scope.function.parameters:
            scope.values[name] = self.parameter(scope, name)
        operand = scope.values.get(name, scope.attributes.get(name, POISON))
        if operand is POISON:
            raise Failure()
        if name == text:
            return self._usable(operand, name, place)
        return self._inside(scope, operand, name, text, place)

    def _usable(self, operand: Operand, name: str, place: Origin) -> Operand:
        if operand is NOT_GIVEN:
            hint = f"guard it: ... if given({name}) else ..."
            raise Failure(
                problem("GS312", f"input '{name}' was not given", place.location, hint=hint, related=place.chain)
            )
        if operand is None or isinstance(operand, str | tuple | list | Reference):
            shown = "null" if operand is None else operand
            message = f"attribute '{name}' is {shown} and no number: it cannot be an operand"
            raise Failure.at("GS204", message, place)
        return operand

    def _inside(self, scope: Scope, operand: Operand, name: str, text: str, place: Origin) -> Operand:
        """Return what a path names inside a node: an output, or anything built below it."""
        rest = text[len(name) + 1 :]
        if isinstance(operand, Bundle) and rest in operand.outputs:
            found: Operand = operand.outputs[rest]
            return found
        full = join(scope.prefix or "", text)
        node = self.graph.find(full)
        if node is None or isinstance(self.graph.types[node], tuple):
            start = join(scope.prefix or "", name) + "."
            known = [path[len(start) :] for path in (*self.graph.names, *self.graph.aliases) if path.startswith(start)]
            known_when_built = f"'{text}' stands in static conditions and in attributes"
            hint = known_when_built if rest in FACTS else did_you_mean(rest, [*known, *FACTS])
            raise Failure(
                problem("GS311", f"there is no '{rest}' in '{name}'", place.location, hint=hint, related=place.chain)
            )
        return Value(self.graph, node)

    # -- operands ---------------------------------------------------------------------------------------------------

    def operand(self, site: Site, term: Term, path: str | None = FRESH) -> Operand:
        """Build a term. ``path`` is that of its outermost operation; a bare name or number gets a node of its own.

        What lies below is built first, from the inside out: expressions may be deep.
        """
        if id(term) in self._ready:
            return self._ready.pop(id(term))
        chosen = self._chosen(site, term)
        if path != FRESH:
            self.reserve(site, chosen)
        waiting: list[int] = []
        try:
            for part, built in inner_operands(site.scope, chosen, lambda part: self._chosen(site, part)):
                found = self._term(site, built, FRESH)
                self._ready[id(part)] = found
                waiting.append(id(part))
            return self._term(site, chosen, path)
        finally:
            for key in waiting:
                self._ready.pop(key, None)

    @abstractmethod
    def reserve(self, site: Site, term: Term) -> None:
        """Keep the paths that a declared node will take free, if it is a call of a function."""

    def _chosen(self, site: Site, term: Term) -> Term:
        """Return the branch of a conditional that is built."""
        while term.kind == "conditional":
            then, test, otherwise = (part for part in term.parts if part is not None)
            term = then if self._decide(site, test) else otherwise
        return term

    def _term(self, site: Site, term: Term, path: str | None) -> Operand:
        """Build a term whose operands are ready."""
        if term.kind == "call":
            return self._call(site, term, path)
        if term.kind == "operation":
            return self._operation(term, [self.operand(site, part) for part in term.parts if part], site, path)
        if term.kind in ("index", "member") and not is_leaf(site.scope, term) and term.parts[0]:
            build = self._index if term.kind == "index" else self._member
            return build(self.operand(site, term.parts[0]), site, term, path)
        found = self._atom(site, term)
        if path == FRESH:
            return found
        if isinstance(found, Bundle):
            return self._refuse(found, site, term)
        return self.emit(OPS["identity"](), [found], site, term, path)

    def _operation(self, term: Term, operands: list[Operand], site: Site, path: str | None) -> Operand:
        """Emit an operation; one on numbers only has a result that adopts dtypes as they do (L6.3)."""
        for operand, part in zip(operands, term.parts, strict=True):
            self.plain(operand, site, part or term)
        if term.value == "negative" and is_number(operands[0]):
            found = -operands[0]  # type: ignore[operator]  # the sign belongs to the number, there is no operation
            return found if path == FRESH else self.emit(OPS["identity"](), [found], site, term, path)
        numbers = [self._number(operand) for operand in operands]
        known = None if None in numbers else static_operation(term.value, numbers)
        if isinstance(known, Expr):  # it is filled in when the plan is bound
            return known if path == FRESH else self.emit(OPS["identity"](), [known], site, term, path)
        result = self.emit(OPS[term.value](), operands, site, term, path)
        if known is not None and path == FRESH and isinstance(result, Value):
            self.statics[result.id] = known
        return result

    def _number(self, operand: Operand) -> Any:
        """Return the number that an operand is or is computed from others, else None."""
        if isinstance(operand, Value):
            return self.statics.get(operand.id)
        return operand if is_number(operand) else None

    def _atom(self, site: Site, term: Term) -> Operand:
        if term.kind in ("number", "boolean"):
            found: Operand = term.value
            return found
        if term.kind == "index":
            try:
                place = site.place(term)
                return self._usable(evaluate(term, self.environment(site.scope)), place.expression, place)
            except StaticError as error:
                raise self.static_failure(error, site) from None
        text = path_text(term)
        if text in ("training",):
            return bool(site.scope.attributes[text])
        return self.lookup(site.scope, text or "", site.place(term))

    def _call(self, site: Site, term: Term, path: str | None) -> Operand:
        reference = called(site.scope, term)
        if reference is None:
            raise Failure()
        return self.call_reference(reference, site, term, path)

    @abstractmethod
    def call_reference(self, reference: Reference, site: Site, term: Term, path: str | None) -> Operand:
        """Build a call."""

    def _index(self, base: Operand, site: Site, term: Term, path: str | None) -> Operand:
        value = self.value(base, site, term)
        try:
            values = slice_attributes(
                value.type.shape, [p for p in term.parts[1:] if p is not None], self.environment(site.scope)
            )
        except StaticError as error:
            raise self.static_failure(error, site) from None
        except AttributeProblem as error:
            raise Failure(
                problem("GS404", error.message, site.place(term).location, related=site.place(term).chain)
            ) from None
        return self.emit(OPS["slice"](**values), [value], site, term, path)

    def _member(self, base: Operand, site: Site, term: Term, path: str | None) -> Operand:
        if not isinstance(base, Bundle) or term.value not in base.outputs:
            known = base.outputs if isinstance(base, Bundle) else ()
            message = f"there is no output '{term.value}'"
            raise Failure.at("GS311", message, site.place(term), did_you_mean(term.value, known))
        found: Operand = base.outputs[term.value]
        return found if path == FRESH else self.emit(OPS["identity"](), [found], site, term, path)

    def plain(self, operand: Operand, site: Site, term: Term, variadic: bool = False) -> Operand:
        """Return an operand that is one value; a variadic port takes the many of a variadic input too (L5.1, L5.3)."""
        if isinstance(operand, Bundle) or (isinstance(operand, Many) and not variadic):
            self._refuse(operand, site, term)
        return operand

    def _refuse(self, operand: Operand, site: Site, term: Term) -> Any:
        place = site.place(term)
        if isinstance(operand, Bundle):
            names = ", ".join(f"{operand.label}.{name}" for name in operand.outputs)
            message = f"'{operand.label}' has several outputs: {names}"
            raise Failure.at("GS310", message, place)
        message = "a variadic input can only be an operand of a variadic port"
        raise Failure.at("GS305", message, place)

    def value(self, operand: Operand, site: Site, term: Term, dtype: str | None = None) -> Value:
        """Return an operand as a value; a number becomes a literal of ``dtype``."""
        if isinstance(operand, Value):
            return operand
        if isinstance(operand, bool | int | float | Expr):
            try:
                return adopt(self.graph, OPS["identity"].ports, [operand], dtype or site.scope.dtype)[0]
            except OpTypeError as error:
                raise Failure(diagnose.type_problem(error, site.place(term), [])) from None
        return self._refuse(operand, site, term)

    # -- emission ---------------------------------------------------------------------------------------------------

    def emit(self, op: Op, operands: list[Operand], site: Site, term: Term, path: str | None = FRESH) -> Operand:
        """Add the node of an op; its path is ``path``, or the next free one below the site's node."""
        place = site.place(term)
        variadic = bool(op.ports) and op.ports[-1].variadic
        flat = flatten(operands) if variadic else operands
        for operand in flat:
            if isinstance(operand, Bundle | Many):
                self._refuse(operand, site, term)
        try:
            values = adopt(self.graph, op.ports, flat, site.scope.dtype, self.statics)  # type: ignore[arg-type]
            where = self.fresh(site.below, op.name) if path == FRESH else path
            result = self.graph.apply(op, *values, path=where, origin=place)
        except OpTypeError as error:
            known = [operand for operand in flat if isinstance(operand, Value)]
            raise Failure(diagnose.type_problem(error, place, known)) from None
        if isinstance(result, tuple):
            names = op.outputs or tuple(f"y{i}" for i in range(len(result)))
            return Bundle(where or op.name, dict(zip(names, result, strict=True)))
        return result

    # -- attributes -------------------------------------------------------------------------------------------------

    def environment(self, scope: Scope) -> Environment:
        """Return what names mean in the static expressions of a scope."""
        return Environment(scope.attributes, lambda path: self._type(scope, path), scope.given.get)

    def _type(self, scope: Scope, path: Term) -> TensorType | None:
        """Return the type of the value that a path names in a static expression; None where it names none.

        A number that adopts dtypes has the document's float dtype there (L6.3).
        """
        text = path_text(path) or ""
        declared = find_declared(scope.function.places, text)
        if declared is None or declared in scope.function.attributes:
            return None
        place = scope.function.places[declared]
        try:
            found = self.plain(self.lookup(scope, text, place), Site(scope, Expression(path, place), None), path)
        except Failure as failure:
            if failure.diagnostic is None:
                raise
            told = failure.diagnostic
            raise StaticError(told.message, path, told.code, told.hint) from None
        if isinstance(found, Value):
            return found.type
        return TensorType("bool" if isinstance(found, bool) else scope.dtype, ())

    def _decide(self, site: Site, test: Term) -> bool:
        try:
            return condition(test, self.environment(site.scope))
        except StaticError as error:
            raise self.static_failure(error, site) from None

    def static_failure(self, error: StaticError, site: Site) -> Failure:
        place = site.place(error.term)
        return Failure(problem(error.code, error.message, place.location, hint=error.hint, related=place.chain))

    def attribute_term(self, declared: Attribute, term: Term, site: Site) -> Any:
        """Return the value of an attribute written as a keyword of a call."""
        if declared.kind == "op":
            return self.reference(site.scope, term, site.place(term))
        environment = self.environment(site.scope)
        if declared.takes_dims:
            environment = in_shape(environment, site.scope.dims)
        try:
            return declared.check(evaluate(term, environment))
        except StaticError as error:
            raise self.static_failure(error, site) from None
        except AttributeProblem as error:
            place = site.place(term)
            message = f"attribute '{declared.name}': {error.message}"
            raise Failure(problem(error.code, message, place.location, hint=error.hint, related=place.chain)) from None

    def attribute_slot(self, declared: Attribute, slot: AttributeSlot, scope: Scope) -> Any:
        """Return the value of an attribute written as a key of a node: literal, unless it begins with ``$`` (L4.4)."""
        place = scope.chained(slot.origin)
        try:
            if declared.kind == "op" and isinstance(slot.value, str) and not slot.value.startswith("$"):
                return self.reference(scope, parse(slot.value), place)
            if declared.is_word(slot.value):
                return declared.check(slot.value)
            return declared.check(self._computed(slot.value, scope, in_dims=declared.takes_dims))
        except AttributeProblem as error:
            message = f"attribute '{declared.name}': {error.message}"
            raise Failure(problem(error.code, message, place.location, hint=error.hint, related=place.chain)) from None
        except (StaticError, ExpressionError) as error:
            raise Failure(
                problem(error.code, error.message, place.location, hint=error.hint, related=place.chain)
            ) from None

    def _computed(self, value: Any, scope: Scope, *, in_dims: bool = False) -> Any:
        if isinstance(value, list):
            return [self._computed(item, scope, in_dims=in_dims) for item in value]
        if not isinstance(value, str):
            return value
        environment = self.environment(scope)
        if in_dims:
            environment = in_shape(environment, scope.dims)
            return evaluate(parse(value.removeprefix("$")), environment)
        if value.startswith("$$"):
            return value[1:]
        return evaluate(parse(value[1:]), environment) if value.startswith("$") else value

    def reference(self, scope: Scope, term: Term, place: Origin) -> Reference:
        """Return the op that a value of an attribute of type `op` names, resolved where it is written."""
        name = (
            dotted(term) if term.kind in ("name", "member") else term.value if term.kind in ("call", "string") else None
        )
        passed = scope.attributes.get(name) if isinstance(name, str) else None
        if isinstance(passed, Reference):
            return passed
        callee = resolve(scope.function, name) if isinstance(name, str) else None
        if callee is None or not isinstance(name, str):
            hint = unknown_hint(scope.function, str(name))
            raise Failure.at("GS201", f"unknown op or function '{name}'", place, hint)
        facts = signature(callee)
        site = Site(scope, Expression(term, place), None)
        bound = []
        for key, value in term.keywords:
            if key not in facts.attributes:
                hint = did_you_mean(key, facts.attributes)
                raise Failure.at("GS210", f"{name} has no attribute '{key}'", place, hint)
            bound.append((key, self.attribute_term(facts.attributes[key], value, site)))
        return Reference(name.rpartition(".")[2], callee, tuple(bound))

    def op_instance(self, cls: type[Op], given: Mapping[str, Any], scope: Scope, path: str | None) -> Op:
        """Return an op with its attributes; a dtype defaults to the document's, a random key to the path (L8.4)."""
        values = dict(given)
        for name, declared in attributes(cls).items():
            if name in values or declared.default is REQUIRED:
                continue
            if declared.kind == "dtype":
                values[name] = scope.dtype
            elif name == "key":
                values[name] = path or ""
        return cls(**values)


def is_number(operand: Operand) -> bool:
    """Tell whether an operand is a number that was written, not a value of the graph."""
    return isinstance(operand, int | float | Expr) and not isinstance(operand, bool)
