"""A document built: its graph, and what its names stand for in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graphspec.attribute import AttributeProblem
from graphspec.callee import signature
from graphspec.declaration import Expression, Function, InputDeclaration
from graphspec.dims import symbol, symbols
from graphspec.errors import Diagnostic, SpecError, did_you_mean, first_stage, problem
from graphspec.expression import ExpressionError, Term, parse
from graphspec.functions import Builder
from graphspec.graph import Graph
from graphspec.guard import guard
from graphspec.op import OPS
from graphspec.origin import Origin
from graphspec.outline import with_paths
from graphspec.parameter import Parameter
from graphspec.scope import NOT_GIVEN, POISON, Bundle, Failure, Many, Operand, Scope, Site
from graphspec.source import Map, Seq, Source
from graphspec.structure import functions_in
from graphspec.types import Shape, TensorType, shape_text
from graphspec.value import Value


@dataclass(frozen=True)
class Input:
    """An input of a built document; ``default`` is an array or None."""

    path: str
    node: int
    type: TensorType
    default: Any = None
    doc: str = ""


@dataclass
class Model:
    """A built document.

    Attributes:
        inputs, parameters: the leaves by path; state is among the parameters, with role "state".
        constants: the arrays of the constant leaves, by path.
        outputs: the node of every output, by the name it is reported under.
        updates: the node that gives a parameter's or state's next value, by its path.
        of, wrt: what `run` differentiates, as paths; None where there is nothing to differentiate.
        attributes: the values of the document's own attributes.
        custom: the function instances behind the nodes of custom gradients.
        derived: whether it is the gradient of another model; ``comments`` then say where each node comes from, and
            ``inline`` are nodes that are written inside the expression of the one that uses them.
    """

    function: Function
    graph: Graph
    dtype: str
    inputs: dict[str, Input] = field(default_factory=dict)
    parameters: dict[str, Parameter] = field(default_factory=dict)
    constants: dict[str, np.ndarray] = field(default_factory=dict)
    outputs: dict[str, int] = field(default_factory=dict)
    updates: dict[str, int] = field(default_factory=dict)
    of: str | None = None
    wrt: tuple[str, ...] | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    custom: dict[int, Scope] = field(default_factory=dict)
    derived: bool = False
    comments: dict[str, str] = field(default_factory=dict)
    inline: set[int] = field(default_factory=set)

    def default_wrt(self) -> tuple[str, ...]:
        """Return every float input and trainable parameter (L8.2)."""
        inputs = [path for path, item in self.inputs.items() if item.type.is_float]
        return (*inputs, *(p for p, item in self.parameters.items() if item.trainable and item.type.is_float))

    def find(self, name: str) -> int | None:
        """Return the node of a path, an alias or an output."""
        node = self.graph.find(name)
        return self.outputs.get(name) if node is None else node


def build(
    function: Function,
    attributes: Mapping[str, Any],
    given: Iterable[str] = (),
    leading: Mapping[str, int] | None = None,
) -> Model:
    """Build a checked document.

    Args:
        function: the document.
        attributes: values that override its defaults.
        given: the inputs that are fed, for `given(x)` and optional inputs.
        leading: the number of dims that `...` stands for.

    Raises:
        SpecError: every problem of the first stage that fails.
    """
    document = _Document(function, attributes, frozenset(given), leading or {})
    document.raise_errors()  # of attributes, without which nothing can be built
    model = document.build()
    document.raise_errors()
    return model


class _Document:
    """Builds the outermost document: its inputs are leaves."""

    def __init__(
        self, function: Function, attributes: Mapping[str, Any], given: frozenset[str], leading: Mapping[str, int]
    ):
        self.function, self.given = function, given
        self.graph = Graph()
        self.builder = Builder(self.graph)
        self.scope = Scope(function, "", "", None, {"training": False, "dtype": function.dtype or "float64"})
        self._attributes(attributes)
        if leading:
            self.scope.ellipsis["..."] = tuple(symbol(f"dim{i}") for i in range(leading["..."]))
        else:
            self.scope.ellipsis["..."] = ()
        self.model = Model(function, self.graph, self.scope.dtype, attributes=self.scope.attributes)

    def note(self, diagnostic: Diagnostic) -> None:
        self.builder.diagnostics.append(diagnostic)

    def raise_errors(self) -> None:
        """Raise what has been found wrong.

        Raises:
            SpecError: every problem of the first stage that fails.
        """
        found = first_stage(self.builder.diagnostics)
        if any(diagnostic.severity == "error" for diagnostic in found):
            raise SpecError(with_paths(found, self._sources()))

    def _sources(self) -> Iterable[Source]:
        """Yield the text of the document and of what it imports."""
        stack = [self.function]
        seen: set[int] = set()
        while stack:
            for function in functions_in(stack.pop()):
                if id(function) not in seen:
                    seen.add(id(function))
                    yield function.source
                    stack.extend(function.imports.values())

    def build(self) -> Model:
        """Return the model; what is wrong is in the builder's diagnostics."""
        scope, builder, model = self.scope, self.builder, self.model
        self._dims()
        for name, declared in self.function.inputs.items():
            try:
                scope.values[name] = self._input(declared)
            except Failure as failure:
                builder.note(failure)
                scope.values[name] = POISON
        builder.body(scope)
        builder.check_sharing()
        self._outputs()
        model.parameters, model.constants, model.custom = builder.parameters, builder.constants, builder.custom
        model.updates = {path: value.id for path, value in builder.updates.items()}
        self._differentiate()
        return model

    # -- leaves -----------------------------------------------------------------------------------------------------

    def _attributes(self, values: Mapping[str, Any]) -> None:
        facts = signature(self.function).attributes
        origin = self.function.origin
        for name, value in values.items():
            if name not in facts:
                hint = did_you_mean(name, facts)
                self.note(problem("GS608", f"no attribute is called '{name}'", None, hint=hint))
                continue
            try:
                self.scope.attributes[name] = self._attribute(name, facts[name].kind, value)
            except AttributeProblem as error:
                self.note(problem("GS608", f"attribute '{name}': {error.message}", None, hint=error.hint))
            except Failure as failure:  # an op that there is not; what is wrong is the value, not the document
                if failure.diagnostic is not None:
                    self.note(replace(failure.diagnostic, code="GS608", where=None))
        for name, declared in self.function.attributes.items():
            if name in self.scope.attributes:
                continue
            if declared.required:
                place = self.function.places.get(name, origin)
                hint = f"give it: --attribute {name}=..., or attributes={{'{name}': ...}}"
                self.note(
                    problem(
                        "GS211", f"the attribute '{name}' has no default and was not given", place.location, hint=hint
                    )
                )
                self.scope.attributes[name] = None
            else:
                try:
                    self.scope.attributes[name] = self._attribute(name, declared.kind, declared.default)
                except AttributeProblem as error:
                    place = self.function.places.get(name, origin)
                    self.note(problem("GS205", f"attribute '{name}': {error.message}", place.location, hint=error.hint))
                except Failure as failure:
                    self.builder.note(failure)

    def _attribute(self, name: str, kind: str, value: Any) -> Any:
        if kind == "op" and isinstance(value, str):
            place = self.function.places.get(name, self.function.origin)
            try:
                return self.builder.reference(self.scope, parse(value), place)
            except ExpressionError as error:
                raise AttributeProblem(error.message, error.hint) from None
        return signature(self.function).attributes[name].check(value)

    def _dims(self) -> None:
        """Let the dims of the inputs stand for themselves: feeds bind them (L6.1)."""
        for declared in self.function.inputs.values():
            if declared.shape is None:
                continue
            try:
                pattern = self.builder.pattern(declared.shape, self.scope, open_dims=True)
            except Failure as failure:
                self.builder.note(failure)
                continue
            for dim in pattern:
                if dim is not ...:
                    self.scope.dims.update({name: symbol(name) for name in symbols(dim)})

    def _input(self, declared: InputDeclaration) -> Operand:
        scope, name = self.scope, declared.name
        scope.given[name] = name in self.given
        if declared.optional and declared.value is None and name not in self.given:
            return NOT_GIVEN
        default, type = self._typed(declared)
        leaf = self.graph.leaf("input", name, type, declared.origin)
        self.model.inputs[name] = Input(name, leaf.id, type, default, declared.doc)
        return Many((leaf,)) if declared.variadic else leaf

    def _typed(self, declared: InputDeclaration) -> tuple[np.ndarray | None, TensorType]:
        """Return the default and the type of an input (L1.2)."""
        scope = self.scope
        default = None if declared.value is None else self.builder.default_array(scope, declared)
        dtype = declared.dtype or (str(default.dtype) if default is not None else scope.dtype)
        if declared.shape is None:
            return default, TensorType(dtype, default.shape if default is not None else ())
        shape = self._expand(self.builder.pattern(declared.shape, scope))
        if default is not None and default.ndim == 0 and all(isinstance(dim, int) for dim in shape):
            default = np.full(shape, default)  # type: ignore[arg-type]
        decided = ... in declared.shape.dims and default is not None and default.ndim != len(shape)  # by a feed
        if default is not None and not decided and not _fits(default.shape, shape):
            message = (
                f"the default of '{declared.name}' has shape {shape_text(default.shape)}, declared {shape_text(shape)}"
            )
            raise Failure(problem("GS407", message, declared.origin.location))
        return default, TensorType(dtype, shape)

    def _expand(self, pattern: tuple[Any, ...]) -> Shape:
        found: list[Any] = []
        for dim in pattern:
            found.extend(self.scope.ellipsis["..."] if dim is ... else (dim,))
        self.scope.dims.update({name: symbol(name) for dim in found for name in symbols(dim)})
        return tuple(found)

    # -- outputs ----------------------------------------------------------------------------------------------------

    def _outputs(self) -> None:
        scope = self.scope
        found: dict[str, Operand] = {}
        for output in self.function.outputs:
            try:
                found[output.name] = self.builder.lookup(scope, output.path, output.origin)
            except Failure as failure:
                self.builder.note(failure)
        try:
            if self.function.gradient is not None and len(found) == len(self.function.outputs):
                found = self._guarded(found)
            for output in self.function.outputs:
                if output.name in found:
                    self.model.outputs[output.name] = self._output(output.name, found[output.name], output.origin)
        except Failure as failure:
            self.builder.note(failure)

    def _site(self, origin: Origin, name: str) -> tuple[Site, Term]:
        term = Term("name", name, (), (), origin.start, origin.end)
        return Site(self.scope, Expression(term, origin), name), term

    def _guarded(self, found: dict[str, Operand]) -> dict[str, Operand]:
        site, term = self._site(self.function.outputs[0].origin, self.function.outputs[0].name)
        path = site.below if len(found) == 1 else None
        return guard(self.builder, self.scope, found, site, term, path, list(found))

    def _output(self, name: str, operand: Operand, origin: Origin) -> int:
        site, term = self._site(origin, name)
        if isinstance(operand, Value):
            return operand.id
        if isinstance(operand, Bundle | Many):
            return self.builder.value(operand, site, term).id
        made = self.builder.emit(OPS["identity"](), [operand], site, term, name)
        return self.builder.value(made, site, term).id

    # -- what to differentiate --------------------------------------------------------------------------------------

    def _differentiate(self) -> None:
        written = self.function.differentiate
        if written is None:
            scalars = [name for name, node in self.model.outputs.items() if self._scalar(node)]
            self.model.of = scalars[0] if len(scalars) == 1 else None
            return
        of = written if isinstance(written, str) else written.get("of")
        wrt = None if isinstance(written, str) else written.get("wrt")
        self.model.of = of
        self._check_of(str(of))
        if wrt is not None:
            names = [wrt] if isinstance(wrt, str) else list(wrt)
            self.model.wrt = tuple(str(name) for name in names)
            for name in self.model.wrt:
                self._check_wrt(name)

    def _scalar(self, node: int) -> bool:
        found = self.graph.types[node]
        return isinstance(found, TensorType) and found.is_scalar and found.is_float

    def _place(self, text: str) -> Any:
        data = self.function.data
        value, mark = data["differentiate"], data.marks["differentiate"]
        if isinstance(value, Map):
            inner = value["of"] if value.get("of") == text else value.get("wrt")
            mark = value.marks["of" if value.get("of") == text else "wrt"]
            if isinstance(inner, Seq):
                mark = inner.marks[inner.index(text)]
        return self.function.source.at(mark, 0, len(text))

    def _named(self, name: str) -> int | None:
        """Return the node of a name in `differentiate`; a parameter that nothing uses is made for it."""
        try:
            operand = self.builder.lookup(self.scope, name, self.function.places.get(name, self.function.origin))
        except Failure:
            return self.model.find(name)
        return operand.id if isinstance(operand, Value) else None

    def _check_of(self, name: str) -> None:
        node = self._named(name)
        if node is None:
            self._unknown(name)
            return
        found = self.graph.types[node]
        if isinstance(found, TensorType) and not found.is_float:
            self.note(problem("GS502", f"'{name}' is {found}: only floats have gradients", self._place(name)))
        elif not self._scalar(node):
            hint = f"reduce it: sum({name}) or mean({name})"
            self.note(
                problem("GS501", f"'{name}' is {found}: a gradient is that of a scalar", self._place(name), hint=hint)
            )

    def _check_wrt(self, name: str) -> None:
        node = self._named(name)
        if node is None:
            self._unknown(name)
            return
        found = self.graph.types[node]
        if not isinstance(found, TensorType) or not found.is_float:
            self.note(problem("GS502", f"'{name}' is {found}: only floats have gradients", self._place(name)))

    def _unknown(self, name: str) -> None:
        if any(diagnostic.severity == "error" for diagnostic in self.builder.diagnostics):
            return  # it may be one of those that could not be built
        hint = did_you_mean(name, [*self.graph.names, *self.model.outputs])
        self.note(problem("GS301", f"unknown name '{name}'", self._place(name), hint=hint))


def _fits(shape: tuple[int, ...], declared: Shape) -> bool:
    return len(shape) == len(declared) and all(
        not isinstance(want, int) or want == have for want, have in zip(declared, shape, strict=True)
    )
