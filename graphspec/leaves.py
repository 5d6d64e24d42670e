"""What a function declares besides nodes: attributes, parameters, constants and defaults."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import numpy as np

from graphspec import written
from graphspec.callee import Callee, Reference, resolve
from graphspec.declaration import Function, InputDeclaration, ParameterDeclaration, ShapeSlot
from graphspec.dims import Expr
from graphspec.errors import Diagnostic, Related, did_you_mean, problem
from graphspec.evaluate import Evaluator
from graphspec.expression import Term, parse
from graphspec.grammar import INITIALIZERS
from graphspec.graph import Graph
from graphspec.names import join
from graphspec.origin import Origin
from graphspec.parameter import Parameter
from graphspec.scope import NOT_GIVEN, POISON, Failure, Operand, Scope, Site
from graphspec.static import StaticError, evaluate, in_shape
from graphspec.types import FLOATS, TensorType, expand, shape_text
from graphspec.value import Value
from graphspec.written import WrittenProblem


class LeafBuilder(Evaluator):
    """Builds the leaves of a scope."""

    def __init__(self, graph: Graph):
        super().__init__(graph)
        self.parameters: dict[str, Parameter] = {}
        self.constants: dict[str, np.ndarray] = {}
        self.custom: dict[int, Scope] = {}  # the instance behind each node of a custom gradient
        self.diagnostics: list[Diagnostic] = []

    def note(self, failure: Failure) -> None:
        """Keep the diagnostic of a failure."""
        if failure.diagnostic is not None:
            self.diagnostics.append(failure.diagnostic)

    def resolve(self, function: Function, name: str) -> Callee:
        """Return what is called; an unknown one was reported by the check of the structure."""
        callee = resolve(function, name)
        if callee is None:
            raise Failure()
        return callee

    def attributes(self, function: Function, values: Mapping[str, Any], outer: Scope, place: Origin) -> dict[str, Any]:
        """Return the attributes of an instance: given, inherited (`training`, `dtype`) or default."""
        found: dict[str, Any] = {"training": outer.attributes["training"], "dtype": outer.attributes["dtype"]}
        home = Scope(function, None, None, None, {})
        for name, declared in function.attributes.items():
            if name not in values and declared.kind == "op" and isinstance(declared.default, str):
                found[name] = self.default_reference(function, declared.default, home, place)
            elif name not in values:
                found[name] = declared.check(declared.default)
        return {**found, **values}

    def default_reference(self, function: Function, text: str, home: Scope, place: Origin) -> Reference:
        """Return the op that is the default of an attribute of type `op`, resolved where the function is declared."""
        return self.reference(home, parse(text), place)

    def constant(self, scope: Scope, name: str, value: Any) -> Operand:
        """Return a constant: a number is a literal, a list an array (L1.4)."""
        if not isinstance(value, list):
            literal: Operand = value
            return literal
        place = scope.chained(scope.function.places[name])
        try:
            array = written.array(value, scope.dtype)
        except WrittenProblem as error:
            self.note(Failure.at(error.code, f"constant '{name}': {error.message}", place))
            return POISON
        return self._array_leaf(scope, name, array, place)

    def _array_leaf(self, scope: Scope, name: str, array: np.ndarray, place: Origin) -> Value:
        """Return a constant leaf; in a gradient rule, where nothing has a path, its content tells it from others."""
        content = f"{array.dtype}{array.shape}".encode() + array.tobytes()
        path = scope.below(name) or f"{name}_{sha256(content).hexdigest()[:12]}"
        known = self.graph.find(path) if scope.prefix is None else None
        if known is not None:
            return Value(self.graph, known)
        leaf = self.graph.leaf("constant", path, TensorType(str(array.dtype), array.shape), place)
        self.constants[path] = array
        return leaf

    def default_array(self, scope: Scope, declared: InputDeclaration) -> np.ndarray:
        """Return the default of an input, in its declared dtype or the document's (L1.2)."""
        try:
            return written.array(declared.value, scope.dtype, declared.dtype)
        except WrittenProblem as error:
            place = scope.chained(declared.origin)
            message = f"input '{declared.name}': {error.message}"
            raise Failure(problem(error.code, message, place.location, related=place.chain)) from None

    def _default(self, scope: Scope, declared: InputDeclaration) -> Operand:
        """Return the default of an input that was left out, in its declared dtype or the document's (L1.2, L1.3)."""
        if declared.value is None:
            return NOT_GIVEN
        array = self.default_array(scope, declared)
        if array.ndim == 0 and declared.shape is None:
            return self.graph.literal(array.item(), str(array.dtype))
        if declared.shape is not None:
            pattern = self.pattern(declared.shape, scope, open_dims=True)
            array = np.broadcast_to(array, tuple(int(d) for d in expand(pattern, scope.dims, scope.ellipsis)))  # type: ignore[arg-type]
        return self._array_leaf(scope, declared.name, np.array(array), scope.chained(declared.origin))

    def pattern(self, shape: ShapeSlot, scope: Scope, open_dims: bool = False) -> tuple[Any, ...]:
        """Return a declared shape with its dims evaluated: names are attributes, else dims (L2.3)."""
        environment = in_shape(self.environment(scope), None if open_dims else scope.dims)
        found: list[Any] = []
        for dim, place in zip(shape.dims, shape.places, strict=True):
            if dim is ... or isinstance(dim, int):
                found.append(dim)
                continue
            try:
                value = evaluate(dim, environment)
            except StaticError as error:
                raise self._unbound(scope, place, error) from None
            if isinstance(value, bool) or not isinstance(value, int | Expr) or (isinstance(value, int) and value < 0):
                raise Failure.at("GS213", f"a dim is an integer of 0 or more, found {value}", scope.chained(place))
            found.append(value)
        return tuple(found)

    def _unbound(self, scope: Scope, place: Origin, error: StaticError) -> Failure:
        """Return the failure of a dim that cannot be evaluated."""
        where = scope.chained(place)
        if not error.message.startswith("no attribute"):
            return Failure(problem(error.code, error.message, where.location, related=where.chain))
        name = str(error.term.value)
        hint = did_you_mean(name, [*scope.function.attributes, *scope.dims])
        return Failure(
            problem("GS406", f"dim '{name}' is bound by nothing", where.location, hint=hint, related=where.chain)
        )

    # -- parameters -------------------------------------------------------------------------------------------------

    def parameter(self, scope: Scope, name: str) -> Value:
        declared = scope.function.parameters[name]
        path = join(scope.parameter_prefix or "", name)
        place = scope.chained(declared.origin)
        dtype = declared.dtype or self._value_dtype(declared) or scope.dtype
        try:
            value = None if declared.value is None else written.array(declared.value, scope.dtype, dtype)
        except WrittenProblem as error:
            message = f"{declared.role} '{name}': {error.message}"
            raise Failure(problem(error.code, message, place.location, related=place.chain)) from None
        shape = self._parameter_shape(scope, declared, value, place)
        type = TensorType(dtype, shape)
        if path in self.parameters:
            return self._shared_parameter(self.parameters[path], type, place)
        leaf = self.graph.leaf(declared.role, path, type, place)
        facts = (value, self._initializer(scope, declared, type), declared.file, declared.key, declared.doc)
        self.parameters[path] = Parameter(
            path, leaf.id, type, declared.role, declared.trainable, declared, place, *facts
        )
        return leaf

    def _shared_parameter(self, known: Parameter, type: TensorType, place: Origin) -> Value:
        """Return a parameter that another call uses too; it has one type (L7.1)."""
        if known.type != type:
            message = f"'{known.path}' is shared: it is {type} here and {known.type} elsewhere"
            code = "GS401" if known.type.shape == type.shape else "GS402"
            related = (Related("it is used here too", known.origin.location), *known.origin.chain, *place.chain)
            raise Failure(problem(code, message, place.location, related=related))
        return Value(self.graph, known.node)

    def _value_dtype(self, declared: ParameterDeclaration) -> str | None:
        value = declared.value
        while isinstance(value, list) and value:
            value = value[0]
        return "bool" if isinstance(value, bool) else None

    def _parameter_shape(
        self, scope: Scope, declared: ParameterDeclaration, value: np.ndarray | None, place: Origin
    ) -> tuple[int, ...]:
        if declared.shape is None:
            if value is None and declared.file is not None:
                raise Failure(
                    problem("GS203", f"{declared.role} '{declared.name}' has a file and needs a shape", place.location)
                )
            return () if value is None else value.shape
        shape = self._integers(scope, declared, declared.shape)
        if value is not None and value.ndim and value.shape != shape:
            message = (
                f"the value of '{declared.name}' has shape {shape_text(value.shape)}, declared {shape_text(shape)}"
            )
            raise Failure(problem("GS407", message, place.location, related=place.chain))
        return shape

    def _integers(self, scope: Scope, declared: ParameterDeclaration, slot: ShapeSlot) -> tuple[int, ...]:
        """Return the dims of a parameter; in a called function `...` stands for what the operands bind it to (L6.2)."""
        leading = scope.ellipsis.get("...") if scope.calls else None
        found: list[int] = []
        for dim, place in zip(self.pattern(slot, scope), slot.places, strict=True):
            for item in (dim,) if dim is not ... or leading is None else leading:
                if not isinstance(item, int):
                    chained = scope.chained(place)
                    what = "'...'" if item is ... else f"dim {item}"
                    who = f"{declared.role} '{declared.name}'"
                    message = f"the dims of {who} are integers once the graph is built: {what} is not"
                    raise Failure(problem("GS406", message, chained.location, related=chained.chain))
                found.append(item)
        return tuple(found)

    def _initializer(
        self, scope: Scope, declared: ParameterDeclaration, type: TensorType
    ) -> tuple[str, Mapping[str, float]] | None:
        if declared.init is None:
            return None
        term = declared.init.term
        site = Site(scope, declared.init, None)
        self._check_init(term, type, site.place(term))
        defaults = dict(INITIALIZERS[term.value])
        given = dict(zip(defaults, (part for part in term.parts if part is not None), strict=False)) | dict(
            term.keywords
        )
        try:
            values = {key: evaluate(item, self.environment(scope)) for key, item in given.items()}
        except StaticError as error:
            raise self.static_failure(error, site) from None
        wrong = [key for key, item in values.items() if isinstance(item, bool) or not isinstance(item, int | float)]
        if wrong:
            place = site.place(given[wrong[0]])
            raise Failure.at("GS205", f"argument '{wrong[0]}' of {term.value} is a number", place)
        if values.get("value") is not None and type.dtype not in FLOATS:
            self._check_constant(values["value"], type, site.place(given["value"]))
        return term.value, {key: float(value) for key, value in {**defaults, **values}.items() if value is not None}

    def _check_init(self, term: Term, type: TensorType, place: Origin) -> None:
        """Check that an initialiser has values of this type (L1.5)."""
        if term.value in ("eye", "orthogonal") and type.rank < 2:
            message = f"{term.value} is for matrices: it needs at least two dims, found {type}"
            raise Failure(problem("GS403", message, place.location, related=place.chain))
        if term.value not in ("zeros", "ones", "eye", "constant") and not type.is_float:
            message = f"{term.value} gives floats, found {type}"
            raise Failure(problem("GS401", message, place.location, related=place.chain))

    def _check_constant(self, value: float, type: TensorType, place: Origin) -> None:
        try:
            written.check(value, type.dtype)
        except WrittenProblem as error:
            raise Failure(problem("GS405", error.message, place.location, related=place.chain)) from None
