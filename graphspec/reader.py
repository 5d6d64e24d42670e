"""Data to declarations: one document and the functions in it, with every expression parsed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from graphspec.attribute import LANGUAGE_KINDS, REQUIRED, UNITED_KINDS, Attribute, AttributeProblem
from graphspec.declaration import (
    AttributeSlot,
    Expression,
    Function,
    InputDeclaration,
    NodeDeclaration,
    Output,
    ParameterDeclaration,
    ShapeSlot,
)
from graphspec.edges import EdgeReader
from graphspec.errors import Diagnostic, Related, problem
from graphspec.expression import ExpressionError, Term, parse
from graphspec.names import name_problem
from graphspec.origin import Origin
from graphspec.source import Map, Mark, Seq, Source

NODE_KEYS = ("op", "inputs", "repeat", "share", "doc")
_SHORT_KINDS = {bool: "boolean", int: "integer", float: "float", str: "string"}


class Reader(EdgeReader):
    """Reads one source. What the schema has refused is passed over; ``diagnostics`` collects the rest."""

    def __init__(self, source: Source, folder: Path | None):
        self.source, self.folder = source, folder
        self.diagnostics: list[Diagnostic] = []

    def file(self, name: str) -> Function:
        """Return the declarations of the whole file."""
        data = self.source.data
        return self.function(name, data if isinstance(data, Map) else Map(), self.place(self.source.mark), None)

    def function(self, name: str, data: Map, origin: Origin, outer: Function | None) -> Function:
        """Return the declarations of a document or of an entry of `functions`."""
        written = data.get("name")
        result = Function(written if isinstance(written, str) else name, self.source, origin, outer, self.folder)
        result.data = data
        result.doc = data["doc"] if isinstance(data.get("doc"), str) else ""
        result.dtype = data.get("dtype")
        result.surrogate = data.get("surrogate") is True
        result.functions = {
            key: self.function(key, value, self.key(data["functions"], key), result)
            for key, value in self.items(data, "functions", result)
            if isinstance(value, Map)
        }
        self.items(data, "imports", result)  # the names; the loader reads the files
        result.attributes = {
            key: self.attribute(key, value, data["attributes"]) for key, value in self.items(data, "attributes", result)
        }
        result.inputs = self.inputs(data, result)
        for section, role in (("parameters", "parameter"), ("state", "state")):
            for key, value in self.items(data, section, result):
                result.parameters[key] = self.parameter(key, value, data[section].marks[key], role)
        result.constants = dict(self.items(data, "constants", result))
        for value in result.constants.values():
            self.check_numbers(value)
        result.nodes = {key: self.node(key, value, data["nodes"]) for key, value in self.items(data, "nodes", result)}
        self.outputs(data, result)
        self.edges(data.get("edges"), result)
        result.updates = self.expressions(data, "updates")
        if isinstance(data.get("gradient"), Map):
            result.gradient = self.gradient(data["gradient"], result)
        result.tests = list(data.get("tests") or []) if isinstance(data.get("tests"), list) else []
        result.differentiate = data.get("differentiate")
        return result

    # -- places -----------------------------------------------------------------------------------------------------

    def place(self, mark: Mark, text: str = "") -> Origin:
        return Origin(self.source, mark, text, 0, len(text))

    def key(self, mapping: Map, key: str) -> Origin:
        """Return the place of a key."""
        mark = mapping.marks[key]
        return Origin(self.source, Mark(mark.key_line, mark.key_column, "", 0, 0), key, 0, len(key))

    def report(self, code: str, message: str, origin: Origin, **facts: Any) -> None:
        self.diagnostics.append(problem(code, message, origin.location, **facts))

    def items(self, data: Map, section: str, function: Function) -> list[tuple[str, Any]]:
        """Return the entries of a section whose names are allowed and new."""
        mapping = data.get(section)
        if not isinstance(mapping, Map):
            return []
        return [
            (key, value)
            for key, value in mapping.items()
            if self.declare(function, section, key, self.key(mapping, key))
        ]

    def declare(self, function: Function, section: str, name: str, origin: Origin) -> bool:
        """Note that a name is declared; report a bad one, and of two that are equal the later (L2.1)."""
        wrong = name_problem(name, section)
        if wrong:
            self.report("GS207", wrong, origin)
            return False
        if section in ("functions", "imports"):
            return True
        known = function.places.setdefault(name, origin)
        if known is not origin:
            first, second = sorted((known, origin), key=lambda place: (place.location.line, place.location.column))
            related = (Related("first declared here", first.location),)
            self.report("GS302", f"'{name}' is declared twice", second, related=related)
        return known is origin

    # -- slots ------------------------------------------------------------------------------------------------------

    def expression(self, value: Any, mark: Mark) -> Expression | None:
        """Parse an operand slot."""
        if isinstance(value, bool):
            return Expression(Term("boolean", value, ()), self.place(mark, str(value).lower()))
        if isinstance(value, int | float):
            return Expression(Term("number", value, ()), self.place(mark, str(value)))
        if not isinstance(value, str):
            return None
        term = self.parsed(value, mark)
        return Expression(term, Origin(self.source, mark, value, term.start, term.end)) if term else None

    def parsed(self, text: str, mark: Mark, offset: int = 0) -> Term | None:
        try:
            return parse(text)
        except ExpressionError as error:
            origin = Origin(self.source, mark, text, error.start + offset, error.end + offset)
            self.report(error.code, error.message, origin, hint=error.hint)
            return None

    def expressions(self, data: Map, section: str) -> dict[str, Expression]:
        mapping = data.get(section)
        if not isinstance(mapping, Map):
            return {}
        found = {key: self.expression(value, mapping.marks[key]) for key, value in mapping.items()}
        return {key: value for key, value in found.items() if value is not None}

    def slot(self, value: Any, mark: Mark) -> AttributeSlot:
        """Return an attribute slot; computed parts are parsed now so that their syntax is checked."""
        stack = [(value, mark)]
        while stack:
            item, place = stack.pop()
            if isinstance(item, Seq):
                stack.extend(zip(item, item.marks, strict=True))
            elif isinstance(item, str) and item.startswith("$") and not item.startswith("$$"):
                self.parsed(item[1:], place, 1)
        return AttributeSlot(value, self.place(mark, value if isinstance(value, str) else ""))

    def shape(self, value: Any, mark: Mark) -> ShapeSlot | None:
        if not isinstance(value, Seq):
            return None
        dims: list[Any] = []
        for item, place in zip(value, value.marks, strict=True):
            if item == "...":
                if ... in dims:
                    self.report("GS213", "'...' may stand once in a shape", self.place(place, item))
                dims.append(...)
            elif isinstance(item, str):
                dims.append(self.parsed(item, place) or 1)
            else:
                dims.append(item if isinstance(item, int) else 1)
        places = tuple(
            self.place(p, i if isinstance(i, str) else str(i)) for i, p in zip(value, value.marks, strict=True)
        )
        return ShapeSlot(tuple(dims), self.place(mark), places)

    # -- sections ---------------------------------------------------------------------------------------------------

    def attribute(self, name: str, value: Any, section: Map) -> Attribute:
        """Read the declaration of an attribute; a bare value is its default and fixes its type (L1.6)."""
        if value is None:
            place, hint = self.place(section.marks[name]), "{type: ..., default: null} says which values it takes"
            self.report("GS204", f"attribute '{name}': null fixes no type", place, hint=hint)
        if not isinstance(value, Map):
            default = tuple(value) if isinstance(value, list) else value
            return Attribute(name, (_SHORT_KINDS.get(type(value), "list"),), default)
        default = value.get("default", REQUIRED)
        if "type" not in value and default in (REQUIRED, None):
            self.report(
                "GS203", f"attribute '{name}' needs a type, or a default that fixes it", self.key(section, name)
            )
        short = "float" if default is REQUIRED else _SHORT_KINDS.get(type(default), "list")
        choices = tuple(value["choices"]) if isinstance(value.get("choices"), list) else ()
        low, high = (value[key] if _is_number(value.get(key)) else None for key in ("minimum", "maximum"))
        kinds = _kinds(value.get("type")) or (short,)
        found = Attribute(name, kinds, default, value.get("doc", ""), low, high, choices)
        if default is not REQUIRED and default is not None:
            self.default(found, value.marks["default"])
        return found

    def default(self, declared: Attribute, mark: Mark) -> None:
        """Check the default of an attribute; that of an op is looked up when the graph is built."""
        place = self.place(mark, str(declared.default))
        try:
            declared.check(declared.default)
        except AttributeProblem as error:
            disputed = self.source.disputed(declared.default, mark)
            if disputed is not None:
                self.diagnostics.append(disputed)
            else:
                self.report("GS205", f"the default of '{declared.name}': {error.message}", place, hint=error.hint)

    def check_numbers(self, value: Any) -> None:
        """Report texts in the lists of a written value that YAML readers disagree about (L10.1)."""
        written = value.get("value") if isinstance(value, Map) else value
        stack = list(zip(written, written.marks, strict=True)) if isinstance(written, Seq) else []
        while stack:
            item, place = stack.pop()
            if isinstance(item, Seq):
                stack.extend(zip(item, item.marks, strict=True))
            disputed = self.source.disputed(item, place)
            self.diagnostics += [] if disputed is None else [disputed]

    def inputs(self, data: Map, function: Function) -> dict[str, InputDeclaration]:
        section = data.get("inputs")
        if isinstance(section, Seq):
            found = {}
            for name, mark in zip(section, section.marks, strict=True):
                if isinstance(name, str) and self.declare(function, "inputs", name, self.place(mark, name)):
                    found[name] = InputDeclaration(name, self.place(mark, name))
            return found
        return {key: self.input(key, value, data["inputs"]) for key, value in self.items(data, "inputs", function)}

    def input(self, name: str, value: Any, section: Map) -> InputDeclaration:
        origin = self.key(section, name)
        self.check_numbers(value)
        if not isinstance(value, Map):
            return InputDeclaration(name, origin, value=value)
        shape = self.shape(value["shape"], value.marks["shape"]) if "shape" in value else None
        return InputDeclaration(
            name,
            origin,
            shape,
            value.get("dtype"),
            value.get("value"),
            value.get("optional") is True,
            value.get("variadic") is True,
            value.get("doc", ""),
        )

    def parameter(self, name: str, value: Any, mark: Mark, role: str) -> ParameterDeclaration:
        """Read a parameter or state, also the one that the weight of an edge declares."""
        key = Mark(mark.key_line or mark.line, mark.key_column or mark.column, "", 0, 0)
        origin = Origin(self.source, key, name, 0, len(name))
        self.check_numbers(value)
        if not isinstance(value, Map):
            return ParameterDeclaration(name, origin, role, value=value, trainable=role == "parameter")
        given = [item for item in ("value", "init", "file") if item in value]
        if len(given) != 1:
            found = " and ".join(given) if given else "none of them"
            self.report("GS203", f"{role} '{name}' needs exactly one of value, init and file, found {found}", origin)
        shape = self.shape(value["shape"], value.marks["shape"]) if "shape" in value else None
        if shape is None and "init" in value:
            self.report("GS203", f"{role} '{name}' has an init and needs a shape", origin)
        init = self.expression(value["init"], value.marks["init"]) if isinstance(value.get("init"), str) else None
        trainable = value.get("trainable", True) is True and role == "parameter"
        file = value.get("file")
        place = self.place(value.marks["file"], file) if isinstance(file, str) else None
        facts = (file, value.get("key"), trainable, value.get("doc", ""), place)
        return ParameterDeclaration(name, origin, role, shape, value.get("dtype"), value.get("value"), init, *facts)

    def node(self, name: str, value: Any, section: Map) -> NodeDeclaration:
        origin, mark = self.key(section, name), section.marks[name]
        if not isinstance(value, Map):
            return NodeDeclaration(name, origin, self.expression(value, mark))
        op = value.get("op")
        if not isinstance(op, str):
            return NodeDeclaration(name, origin)
        positional, by_port = self.operands(value)
        share = value.get("share")
        over = value["repeat"].get("over") if isinstance(value.get("repeat"), Map) else None
        return NodeDeclaration(
            name,
            origin,
            op=op,
            op_origin=self.place(value.marks["op"], op),
            positional=positional,
            by_port=by_port,
            attributes={key: self.slot(item, value.marks[key]) for key, item in value.items() if key not in NODE_KEYS},
            repeat=self.slot(value["repeat"], value.marks["repeat"]) if "repeat" in value and over is None else None,
            over=self.over(over) if isinstance(over, Map) else None,
            share=share,
            share_origin=self.place(value.marks["share"], share) if isinstance(share, str) else None,
            doc=value.get("doc", ""),
        )

    def over(self, mapping: Map) -> dict[str, AttributeSlot]:
        lists = {key: items for key, items in mapping.items() if isinstance(items, Seq | str)}
        return {key: self.slot(items, mapping.marks[key]) for key, items in lists.items()}

    def operands(self, node: Map) -> tuple[tuple[Expression, ...], dict[str, tuple[Expression, ...]]]:
        """Read `inputs` of a node: an expression, a list by position, or a mapping by port."""
        inputs = node.get("inputs")
        if isinstance(inputs, Map):
            return (), {port: self.sequence(value, inputs.marks[port]) for port, value in inputs.items()}
        return (self.sequence(inputs, node.marks["inputs"]) if inputs is not None else ()), {}

    def sequence(self, value: Any, mark: Mark) -> tuple[Expression, ...]:
        pairs = zip(value, value.marks, strict=True) if isinstance(value, Seq) else [(value, mark)]
        found = []
        for item, place in pairs:
            slot = self.expression(item, place)
            if slot is not None:
                found.append(slot)
        return tuple(found)

    def outputs(self, data: Map, function: Function) -> None:
        """Read `outputs`; a mapping declares nodes, except that ``{f: f}`` is ``[f]`` (L8.1)."""
        value = data.get("outputs")
        if isinstance(value, str):
            function.outputs = [Output(value, value, self.place(data.marks["outputs"], value))]
        elif isinstance(value, Seq):
            pairs = zip(value, value.marks, strict=True)
            function.outputs = [
                Output(name, name, self.place(mark, name)) for name, mark in pairs if isinstance(name, str)
            ]
        elif isinstance(value, Map):
            for name, text in value.items():
                origin = self.key(value, name)
                if text != name and self.declare(function, "nodes", name, origin):
                    function.nodes[name] = self.node(name, text, value)
                function.outputs.append(Output(name, name, origin))
        seen: dict[str, Output] = {}
        for output in function.outputs:
            first = seen.setdefault(output.name, output)
            if first is not output:
                related = (Related("first listed here", first.origin.location),)
                self.report("GS302", f"output '{output.name}' is listed twice", output.origin, related=related)

    def gradient(self, rules: Map, function: Function) -> dict[str, Expression | None]:
        """Read a custom gradient; ``surrogate: true`` may stand in it, unless an input has that name."""
        found: dict[str, Expression | None] = {}
        for key, value in rules.items():
            if key == "surrogate" and key not in function.inputs and isinstance(value, bool):
                function.surrogate = value
            else:
                found[key] = None if value is None else self.expression(value, rules.marks[key])
        return found


def _kinds(type: Any) -> tuple[str, ...]:
    """Return the kinds that a declared type, or a list of types, stands for; none where the schema refuses it."""
    if not isinstance(type, list):
        return (type,) if type in LANGUAGE_KINDS else ()
    known = all(item in UNITED_KINDS for item in type)
    return tuple(dict.fromkeys(item or "null" for item in type)) if known else ()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
