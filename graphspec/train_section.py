"""The section `train`: how a document is trained, and the small function whose expressions it holds.

`optimizer`, `clip` and `average` are calls. The runner binds some of the inputs of what they call by name:
`parameter` and `gradient`, the `global_norm` of all gradients, and `step`, `epoch` and `monitor`, which may also be
named in the expressions themselves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graphspec.callee import resolve, signature
from graphspec.declaration import Expression, Function, InputDeclaration, NodeDeclaration, Output, ParameterDeclaration
from graphspec.errors import Diagnostic, Location, SpecError, did_you_mean, first_stage, problem
from graphspec.expression import Term
from graphspec.mentions import find_declared
from graphspec.origin import Origin
from graphspec.reader import Reader
from graphspec.source import Map, Mark, Seq, Source, read_text
from graphspec.validation import validate

CLOCK = ("step", "epoch", "monitor")  # what the expressions may name, and what functions may ask for
_GIVEN = {"optimizer": ("parameter", "gradient"), "clip": ("gradient",), "average": ("parameter",)}
_ASKED = {"optimizer": CLOCK, "clip": (*CLOCK, "global_norm"), "average": CLOCK}


@dataclass(frozen=True)
class Group:
    """Parameters by pattern, and the keywords of the optimizer that differ for them."""

    patterns: tuple[str, ...]
    frozen: bool
    optimizer: Expression | None
    settings: Mapping[str, Expression]
    origin: Origin


@dataclass(frozen=True)
class Watch:
    """A column of the log that is watched, and whether less ("min") or more ("max") of it is better."""

    monitor: str | None = None
    mode: str = "min"


@dataclass(frozen=True)
class EarlyStopping(Watch):
    patience: int = 10
    minimum_change: float = 0.0
    restore: bool = True


@dataclass(frozen=True)
class CheckpointSettings(Watch):
    folder: str = ""
    every: str | int = "epoch"
    keep: int = 3


@dataclass(frozen=True)
class TrainSection:
    """What `train` says, defaults filled in; every attribute is a key of the section.

    ``function`` is where the names in the expressions are looked up; its inputs are what the runner gives.
    """

    function: Function
    optimizer: Expression
    minimize: str | None = None
    epochs: int | None = None
    steps: int | None = None
    batch: int | None = 32
    shuffle: bool = True
    drop_last: bool = False
    metrics: tuple[str, ...] = ()
    seed: int = 0
    clip: tuple[Expression, ...] = ()
    groups: tuple[Group, ...] = ()
    frozen: tuple[str, ...] = ()
    accumulate: int = 1
    average: Expression | None = None
    validate_every: str | int = "epoch"
    validate_batch: int | None = None
    early_stopping: EarlyStopping | None = None
    seconds: float | None = None
    memory: int | None = None
    checkpoint: CheckpointSettings | None = None
    places: Mapping[str, Location] = field(default_factory=dict)

    def place(self, key: str) -> Location:
        """Return where a key, or a text under it ("metrics.accuracy"), was written; else the begin of the file."""
        return self.places.get(key) or self.places.get(key.partition(".")[0]) or self.function.origin.location


def read_train(document: Function, overrides: Mapping[str, Any] | None = None) -> tuple[TrainSection, list[Diagnostic]]:
    """Return the section `train` of a document, and what is wrong with the structure and the names in it.

    Args:
        document: the file.
        overrides: keys of the section that replace what the file says, as JSON data.

    Raises:
        SpecError: the overrides are no section `train`.
    """
    written = document.data.get("train") if isinstance(document.data, Map) else None
    pieces = [(written, document.source)] if isinstance(written, Map) else []
    if overrides:
        pieces.append(_given(overrides))
    reader = _SectionReader(document, pieces)
    section = reader.read()
    return section, reader.diagnostics


def _given(overrides: Mapping[str, Any]) -> tuple[Map, Source]:
    """Return settings from Python or the command line as text that has been read, so that places can be shown."""
    try:
        source = read_text(json.dumps({"graphspec": 1, "train": dict(overrides)}), "<settings>")
    except (TypeError, ValueError) as error:
        raise SpecError(problem("GS204", f"the settings of the training are no JSON data: {error}")) from None
    wrong = validate(source)
    if wrong:
        raise SpecError(first_stage(wrong))
    section: Map = source.data["train"]
    return section, source


class _SectionReader:
    """Reads the section from one or more texts; a later text wins, key by key."""

    def __init__(self, document: Function, pieces: list[tuple[Map, Source]]):
        self.document = document
        self.diagnostics: list[Diagnostic] = []
        self.found: dict[str, tuple[Any, Mark, Reader]] = {}
        for section, source in pieces:
            reader = Reader(source, document.folder)
            reader.diagnostics = self.diagnostics
            for key, value in section.items():
                before = self.found.get(key)
                if key == "checkpoint" and isinstance(value, str) and before and isinstance(before[0], Map):
                    before[0]["folder"] = value  # another folder; how often and how many stay
                else:
                    self.found[key] = (value, section.marks[key], reader)
        self.function = self._function()

    def _function(self) -> Function:
        """Return the function in which the expressions stand: a document of its own, inside of the file."""
        outer, place = self.document, self.document.origin
        result = Function("train", outer.source, place, outer, outer.folder, dtype=outer.dtype)
        result.data = Map()
        if isinstance(outer.data.get("attributes"), Map):
            result.data["attributes"] = outer.data["attributes"]
        result.data["outputs"] = ["step"]
        result.attributes = outer.attributes
        result.places = {name: outer.places[name] for name in outer.attributes if name in outer.places}
        for name in ("parameter", "gradient", "global_norm", "epoch", "monitor"):
            result.inputs[name] = InputDeclaration(name, place)
            result.places[name] = place
        result.parameters["step"] = ParameterDeclaration("step", place, "state", None, "int64", 0, trainable=False)
        result.places["step"] = place
        result.outputs = [Output("step", "step", place)]
        return result

    # -- slots ------------------------------------------------------------------------------------------------------

    def value(self, key: str, kinds: type | tuple[type, ...], default: Any = None) -> Any:
        """Return the value of a key, unless the schema has refused it."""
        value = self.found[key][0] if key in self.found else default
        right = isinstance(value, kinds) and not (isinstance(value, bool) and kinds is not bool)
        return value if right else default

    def names(self, key: str) -> tuple[str, ...]:
        """Return one name or a list of them."""
        value = self.value(key, (str, list), ())
        return (value,) if isinstance(value, str) else tuple(item for item in value if isinstance(item, str))

    def texts(self, key: str) -> Iterator[tuple[str, Mark, Reader]]:
        """Yield the texts of a key that holds one or a list of them."""
        if key not in self.found:
            return
        value, mark, reader = self.found[key]
        pairs = zip(value, value.marks, strict=True) if isinstance(value, Seq) else [(value, mark)]
        yield from ((text, place, reader) for text, place in pairs if isinstance(text, str))

    def calls(self, key: str) -> tuple[Expression, ...]:
        """Return the calls that a key holds."""
        found = (self._call(key, text, mark, reader) for text, mark, reader in self.texts(key))
        return tuple(expression for expression in found if expression is not None)

    def _call(self, role: str, text: str, mark: Mark, reader: Reader) -> Expression | None:
        """Return a call, with what the runner binds as keywords; a bare name is a call without settings."""
        written = reader.expression(text, mark)
        if written is None:
            return None
        term = written.term
        if term.kind == "name" or (term.kind == "member" and term.parts[0] and term.parts[0].kind == "name"):
            name = term.value if term.kind == "name" else f"{term.parts[0].value}.{term.value}"  # type: ignore[union-attr]
            term = Term("call", name, (), (), term.start, term.end)
        if term.kind != "call":
            hint = f"for example {role}: {_EXAMPLES[role]}"
            self.diagnostics.append(problem("GS209", f"'{role}' is a call", written.origin.location, hint=hint))
            return None
        term = self._supplied(role, term, written)
        expression = Expression(term, written.origin)
        name = f"{role}_{len(self.function.nodes)}"
        self.function.nodes[name] = NodeDeclaration(name, written.origin, expression)
        return expression

    def _supplied(self, role: str, term: Term, written_as: Expression) -> Term:
        """Return a call with the inputs that the runner gives as keywords."""
        declared = self.function.attributes.get(term.value)
        callee = None if declared is not None and declared.kind == "op" else resolve(self.function, term.value)
        ports = list(_GIVEN[role]) if callee is None else [port.name for port in signature(callee).ports]
        lacking = [name for name in _GIVEN[role] if name not in ports]
        if lacking and callee is not None:
            message = f"'{term.value}' cannot be the {role}: it has no input '{lacking[0]}'"
            hint = f"its signature is {signature(callee)}"
            self.diagnostics.append(problem("GS309", message, written_as.at(term).location, hint=hint))
        names = [name for name in (*_GIVEN[role], *_ASKED[role]) if name in ports]
        written = {name for name, _ in term.keywords}
        added = tuple((name, Term("name", name, (), (), term.start, term.end)) for name in names if name not in written)
        starts = (*term.keyword_starts, *(term.start for _ in added))
        return replace(term, keywords=(*term.keywords, *added), keyword_starts=starts)

    # -- the section ------------------------------------------------------------------------------------------------

    def read(self) -> TrainSection:
        optimizers = self.calls("optimizer")
        averages = self.calls("average")
        validation, limits = self.value("validate", dict, {}), self.value("limits", dict, {})
        section = TrainSection(
            function=self.function,
            optimizer=optimizers[0] if optimizers else self._default(),
            minimize=self.value("minimize", str),
            epochs=self.value("epochs", int),
            steps=self.value("steps", int),
            batch=self.value("batch", int) if "batch" in self.found else 32,
            shuffle=self.value("shuffle", bool, True),
            drop_last=self.value("drop_last", bool, False),
            metrics=self.names("metrics"),
            seed=self.value("seed", int, 0),
            clip=self.calls("clip"),
            groups=tuple(self._groups()),
            frozen=self.names("frozen"),
            accumulate=self.value("accumulate", int, 1),
            average=averages[0] if averages else None,
            validate_every=validation.get("every", "epoch"),
            validate_batch=validation.get("batch"),
            early_stopping=self._record("early_stopping", EarlyStopping),
            seconds=limits.get("seconds"),
            memory=limits.get("memory"),
            checkpoint=self._checkpoint(),
            places=dict(self._places()),
        )
        self._check_names()
        self._check_groups(section)
        return section

    def _default(self) -> Expression:
        """Return the optimizer of a section that names none."""
        found = self._call("optimizer", "adam", self.document.origin.mark, Reader(self.document.source, None))
        assert found is not None
        return found

    def _record(self, key: str, kind: type) -> Any:
        value = self.value(key, dict)
        known = kind.__dataclass_fields__  # type: ignore[attr-defined]
        return None if value is None else kind(**{name: item for name, item in value.items() if name in known})

    def _checkpoint(self) -> CheckpointSettings | None:
        value = self.value("checkpoint", (str, dict))
        if isinstance(value, str):
            return CheckpointSettings(folder=value)
        return (
            self._record("checkpoint", CheckpointSettings) if value and isinstance(value.get("folder"), str) else None
        )

    def _groups(self) -> Iterator[Group]:
        if not isinstance(self.value("groups", list), Seq):
            return
        value, _, reader = self.found["groups"]
        for entry, mark in zip(value, value.marks, strict=True):
            if isinstance(entry, Map):
                yield self._group(entry, mark, reader)

    def _group(self, entry: Map, mark: Mark, reader: Reader) -> Group:
        patterns = entry.get("pattern", ())
        patterns = (patterns,) if isinstance(patterns, str) else tuple(patterns)
        settings: dict[str, Expression] = {}
        optimizer = None
        for key, value in entry.items():
            place = entry.marks[key]
            if key == "optimizer" and isinstance(value, str):
                optimizer = self._call("optimizer", value, place, reader)
            elif key not in ("pattern", "frozen", "optimizer"):
                expression = reader.expression(value, place)
                if expression is not None:
                    name = f"setting_{len(self.function.nodes)}"
                    self.function.nodes[name] = NodeDeclaration(name, reader.key(entry, key), expression)
                    settings[key] = expression
        return Group(patterns, entry.get("frozen") is True, optimizer, settings, reader.place(mark))

    def _places(self) -> Iterator[tuple[str, Location]]:
        for key, (value, mark, reader) in self.found.items():
            yield key, reader.place(mark, value if isinstance(value, str) else "").location
            if isinstance(value, Seq | str):
                yield from ((f"{key}.{text}", reader.place(place, text).location) for text, place, _ in self.texts(key))
            elif isinstance(value, Map) and isinstance(value.get("monitor"), str):
                yield f"{key}.monitor", reader.place(value.marks["monitor"], value["monitor"]).location

    def _check_names(self) -> None:
        """Check the nodes that the section names."""
        for key in ("minimize", "metrics"):
            for text, mark, reader in self.texts(key):
                if find_declared(self.document.places, text) is None:
                    hint = did_you_mean(text, self.document.places)
                    reader.report("GS301", f"unknown name '{text}'", reader.place(mark, text), hint=hint)

    def _check_groups(self, section: TrainSection) -> None:
        """Check that the optimizer has what the groups set."""
        for group in section.groups:
            optimizer = group.optimizer or section.optimizer
            callee = resolve(self.function, optimizer.term.value)
            facts = None if callee is None else signature(callee)
            for key, written in group.settings.items():
                if facts is not None and key not in facts.names:
                    hint = did_you_mean(key, facts.names) or f"its signature is {facts}"
                    message = f"{optimizer.term.value} has neither a port nor an attribute '{key}'"
                    self.diagnostics.append(problem("GS210", message, written.origin.location, hint=hint))


_EXAMPLES = {
    "optimizer": "adam(learning_rate=1e-3)",
    "clip": "clip_by_global_norm(max_norm=1.0)",
    "average": "exponential_moving_average(decay=0.999)",
}

__all__ = ["CLOCK", "CheckpointSettings", "EarlyStopping", "Group", "TrainSection", "Watch", "read_train"]
