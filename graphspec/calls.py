"""Calls: bind operands and dims, instantiate a function, and give its outputs their paths."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from graphspec import diagnose
from graphspec.binding import Bound, bind
from graphspec.callee import Callee, Reference, signature
from graphspec.declaration import Function, InputDeclaration
from graphspec.errors import problem
from graphspec.expression import Term
from graphspec.graph import Graph
from graphspec.guard import guard
from graphspec.leaves import LeafBuilder
from graphspec.names import join
from graphspec.op import OPS
from graphspec.operands import called
from graphspec.origin import Origin
from graphspec.scope import FRESH, NOT_GIVEN, Bundle, Failure, Many, Operand, Scope, Site, flatten
from graphspec.sharing import is_repeated, share_root, share_text
from graphspec.types import DimConflict, Pattern, TensorType, check_arithmetic, expand, match, shape_text
from graphspec.value import Value

_MAX_CALLS = 60


@dataclass(frozen=True)
class Written:
    """An operand of a call: the value, and the term it was written as."""

    operand: Operand
    site: Site
    term: Term


Matched: TypeAlias = tuple[InputDeclaration, Written, Value, Pattern]  # an operand and the shape it fits


class CallBuilder(LeafBuilder):
    """Builds calls of ops and functions."""

    def __init__(self, graph: Graph):
        super().__init__(graph)
        self.instances: set[str] = set()  # the paths below which calls have parameters of their own
        self.sharing: dict[str, Origin] = {}  # those that others share, and where that is written

    @abstractmethod
    def body(self, scope: Scope) -> None:
        """Build everything that a document declares."""

    def shared(self, site: Site, name: str | None, place: Origin | None, copy: int | None = None) -> str | None:
        """Return the path below which the parameters lie that a call, or a copy of it, shares; None for its own."""
        root = None if name is None else share_root(site.scope.function, name)
        if root is None:
            return None
        path = join(site.scope.parameter_prefix or "", root)
        if copy is not None and is_repeated(site.scope.function, root):
            path = f"{path}.{copy}"
        if place is not None and path not in self.sharing:
            self.sharing[path] = site.scope.chained(place)
        return path

    def check_sharing(self) -> None:
        """Note what shares the parameters of a call, or of a copy, that there is not."""
        for path, place in self.sharing.items():
            if path not in self.instances:
                message = (
                    f"there are no parameters of '{path}' to share: a repeated call shares those of as many copies"
                )
                self.note(Failure.at("GS313", message, place))

    def refuse_misfits(self, bound: Bound[Written], site: Site, term: Term) -> None:
        """Refuse operands that do not fit the ports."""
        for misfit in bound.misfits:
            place = misfit.operand.site.place(misfit.operand.term) if misfit.operand else site.place(term)
            raise Failure(problem(misfit.code, misfit.message, place.location, hint=misfit.hint, related=place.chain))

    # -- calls ------------------------------------------------------------------------------------------------------

    def reserve(self, site: Site, term: Term) -> None:
        reference = called(site.scope, term) if term.kind == "call" else None
        if reference is not None and isinstance(reference.callee, Function) and site.below is not None:
            self.declared.update(join(site.below, name) for name in reference.callee.places)

    def call_reference(self, reference: Reference, site: Site, term: Term, path: str | None) -> Operand:
        callee, facts = reference.callee, signature(reference.callee)
        positional = [Written(self.operand(site, part), site, part) for part in term.parts if part is not None]
        named: dict[str, list[Written]] = {}
        values = dict(reference.attributes)
        share = None
        for key, value in term.keywords:
            if key in facts.attributes:
                values[key] = self.attribute_term(facts.attributes[key], value, site)
            elif key == "share":
                share = self.shared(site, share_text(value), site.place(value))
            else:
                named[key] = [Written(self.operand(site, value), site, value)]
        bound = bind(facts, positional, named)
        inner = site
        if path == FRESH:
            if isinstance(callee, type):
                path = self.fresh(site.below, term.value.rpartition(".")[2])
                return self.apply(callee, bound, values, site, term, path, None)
            path = self.fresh(site.below, term.value.rpartition(".")[2])
            inner = Site(site.scope, site.expression, path)
        return self.apply(callee, bound, values, inner, term, path, share)

    def apply(
        self,
        callee: Callee,
        bound: Bound[Written],
        values: dict[str, Any],
        site: Site,
        term: Term,
        path: str | None,
        share: str | None,
    ) -> Operand:
        """Apply an op, or instantiate a function, on operands that are built."""
        self.refuse_misfits(bound, site, term)
        self._require(callee, values, site, term)
        if isinstance(callee, type):
            operands = [
                self.plain(written.operand, written.site, written.term, port.variadic)
                for port in callee.ports
                for written in bound.ports.get(port.name, ())
            ]
            return self.emit(self.op_instance(callee, values, site.scope, path), operands, site, term, path)
        return self.instantiate(callee, bound, values, site, term, path, share)

    def _require(self, callee: Callee, values: Mapping[str, Any], site: Site, term: Term) -> None:
        for name, declared in signature(callee).attributes.items():
            if declared.required and name not in values:
                facts = signature(callee)
                place = site.place(term)
                message = f"{facts.name} needs the attribute '{name}'"
                raise Failure(
                    problem("GS211", message, place.location, hint=f"its signature is {facts}", related=place.chain)
                )

    def instantiate(
        self,
        function: Function,
        bound: Bound[Written],
        values: dict[str, Any],
        site: Site,
        term: Term,
        path: str | None,
        share: str | None,
    ) -> Operand:
        """Build one instance of a function and return its output, or a bundle of them."""
        outer, place = site.scope, site.place(term)
        if len(outer.calls) >= _MAX_CALLS:
            raise Failure(
                problem(
                    "GS307", f"more than {_MAX_CALLS} calls inside one another", place.location, related=place.chain
                )
            )
        prefix = site.below
        parameter_prefix = share
        if share is None:
            below = outer.parameter_prefix
            relative = prefix.removeprefix(f"{outer.prefix}.") if outer.prefix and prefix else prefix
            parameter_prefix = join(below, relative) if below and relative else relative
            self.instances.add(parameter_prefix or "")
        attributes = self.attributes(function, values, outer, place)
        scope = Scope(function, prefix, parameter_prefix, path, attributes, (*outer.calls, place))
        if function.gradient is not None:
            scope.output_path = None
        self._inputs(scope, bound, site, term)
        self._bind_parameters(scope, bound)
        try:
            self.body(scope)
        except RecursionError:  # a caller that is deep itself leaves less room than `_MAX_CALLS` needs
            if outer.calls:
                raise
            raise Failure.at("GS307", "calls stand too deep inside one another for Python's stack", place) from None
        return self._outputs(scope, site, term, path)

    def _inputs(self, scope: Scope, bound: Bound[Written], site: Site, term: Term) -> None:
        """Bind operands to inputs: bare dims first, from all operands, then arithmetic ones (L6.1)."""
        patterns: list[Matched] = []
        for name, declared in scope.function.inputs.items():
            written = bound.ports.get(name, [])
            scope.given[name] = bool(written)
            if declared.variadic:
                each = [replace(item, operand=found) for item in written for found in flatten([item.operand])]
                scope.values[name] = Many(tuple(self._input(scope, declared, item, patterns) for item in each))
            elif written:
                scope.values[name] = self._input(scope, declared, written[0], patterns)
            else:
                scope.values[name] = self._default(scope, declared)
        for name, operand in list(scope.values.items()):
            if (
                scope.function.gradient is not None
                and not isinstance(operand, Value | Many)
                and operand is not NOT_GIVEN
            ):
                scope.values[name] = self.value(operand, site, term, scope.dtype)
        for declared, written_as, found, pattern in patterns:
            self._arithmetic(scope, declared, written_as, found.type, pattern)

    def _input(
        self,
        scope: Scope,
        declared: InputDeclaration,
        written: Written,
        patterns: list[Matched],
    ) -> Operand:
        operand = written.operand
        if declared.shape is None and declared.dtype is None and not isinstance(operand, Value | Bundle | Many):
            return operand
        value = self.value(operand, written.site, written.term, declared.dtype)
        place = written.site.place(written.term)
        if declared.dtype is not None and value.type.dtype != declared.dtype:
            hint = f'cast(..., dtype="{declared.dtype}") converts'
            raise Failure(
                diagnose.mismatch(
                    f"input '{declared.name}' of {scope.function.name}",
                    declared.dtype,
                    value.type,
                    place,
                    "the dtypes differ",
                    "GS401",
                    hint,
                )
            )
        if declared.shape is not None:
            pattern = self.pattern(declared.shape, scope, open_dims=True)
            try:
                match(pattern, value.type.shape, scope.dims, scope.ellipsis)
            except DimConflict as conflict:
                others = [found for _, _, found, dims in patterns if conflict.dim in dims]
                raise self._dims(scope, declared, pattern, value.type, place, conflict, [*others, value]) from None
            patterns.append((declared, written, value, pattern))
        return value

    def _dims(
        self,
        scope: Scope,
        declared: InputDeclaration,
        pattern: Any,
        found: TensorType,
        place: Origin,
        conflict: DimConflict,
        operands: Sequence[Value] = (),
    ) -> Failure:
        """Return the failure of an operand that does not fit; where two differ, ``operands`` are both of them."""
        name = f"input '{declared.name}' of {scope.function.name}"
        code = "GS403" if conflict.axis is None else "GS402"
        both = operands if len(operands) > 1 else ()
        return Failure(diagnose.mismatch(name, shape_text(pattern), found, place, conflict.message, code, both=both))

    def _arithmetic(
        self, scope: Scope, declared: InputDeclaration, written: Written, found: TensorType, pattern: Pattern
    ) -> None:
        try:
            check_arithmetic(pattern, found.shape, scope.dims, scope.ellipsis)
        except DimConflict as conflict:
            place = written.site.place(written.term)
            raise self._dims(scope, declared, pattern, found, place, conflict) from None

    def _bind_parameters(self, scope: Scope, bound: Bound[Written]) -> None:
        """Use the operands that the caller bound to parameters by name (L7.1)."""
        for name, written in bound.parameters.items():
            value = self.value(written.operand, written.site, written.term)
            declared = scope.function.parameters[name]
            place = written.site.place(written.term)
            if declared.shape is not None:
                shape = expand(self.pattern(declared.shape, scope), scope.dims, scope.ellipsis)
                if value.type.shape != shape:
                    why = "the shapes differ"
                    raise Failure(
                        diagnose.mismatch(
                            f"parameter '{name}' of {scope.function.name}", shape_text(shape), value.type, place, why
                        )
                    )
            scope.values[name] = value

    # -- outputs ----------------------------------------------------------------------------------------------------

    def _outputs(self, scope: Scope, site: Site, term: Term, path: str | None) -> Operand:
        """Return what a call stands for: its single output, which has the call's path, or a bundle (L3.2, L5.3)."""
        function = scope.function
        found = {
            output.name: self.lookup(scope, output.path, scope.chained(output.origin)) for output in function.outputs
        }
        if function.gradient is not None:
            found = guard(self, scope, found, site, term, path, [scope.below(name) for name in found])
        elif len(found) == 1 and scope.single_output is None:
            operand = next(iter(found.values()))
            return operand if path is None else self.emit(OPS["identity"](), [operand], site, term, path)
        return next(iter(found.values())) if len(found) == 1 else Bundle(path or function.name, found)
