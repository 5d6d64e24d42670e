"""One instance of a function while it is built: what its names stand for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from graphspec.declaration import Expression, Function
from graphspec.dims import Dim
from graphspec.errors import Diagnostic, problem
from graphspec.expression import Term
from graphspec.names import join
from graphspec.origin import Origin
from graphspec.types import Shape
from graphspec.value import Number, Value


class Marker:
    """A named sentinel."""

    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


POISON: Final = Marker("poison")  # stands for a value whose problem has been reported
NOT_GIVEN: Final = Marker("not given")  # an optional input that was left out
FRESH: Final = "?"  # no path can be "?": take the next free one below the node


@dataclass(frozen=True)
class Bundle:
    """What has several outputs: they are reached by name."""

    label: str
    outputs: dict[str, Any]


@dataclass(frozen=True)
class Many:
    """The operands of a function's variadic input."""

    operands: tuple[Any, ...]


Operand = Value | Number | Bundle | Many | Marker


class Failure(Exception):
    """A node cannot be built; ``diagnostic`` is None where the cause has been reported."""

    def __init__(self, diagnostic: Diagnostic | None = None):
        self.diagnostic = diagnostic
        super().__init__(str(diagnostic))

    @classmethod
    def at(cls, code: str, message: str, place: Origin, hint: str = "") -> Failure:
        """Return the failure at a place, with the calls that led there."""
        return cls(problem(code, message, place.location, hint=hint, related=place.chain))


@dataclass(eq=False)
class Scope:
    """One instance of a function.

    Attributes:
        prefix: the path below which its names lie; None builds anonymous nodes.
        parameter_prefix: the same for parameters; that of another instance where they are shared.
        output_path: the path of its single output, which is the call's (L3.2); None at the top.
        dims, ellipsis: what the symbolic dims of its declared shapes stand for.
        values: the operand of every name that has been built.
        given: for every input, whether the caller gave it.
        calls: the calls that led here, outermost first.
    """

    function: Function
    prefix: str | None
    parameter_prefix: str | None
    output_path: str | None
    attributes: dict[str, Any]
    calls: tuple[Origin, ...] = ()
    dims: dict[str, Dim] = field(default_factory=dict)
    ellipsis: dict[str, Shape] = field(default_factory=dict)
    values: dict[str, Operand] = field(default_factory=dict)
    given: dict[str, bool] = field(default_factory=dict)
    bound: dict[str, Operand] = field(default_factory=dict)
    parameters: dict[str, Value] = field(default_factory=dict)

    @property
    def dtype(self) -> str:
        return str(self.attributes["dtype"])

    def below(self, name: str) -> str | None:
        """Return the path below which the parts of ``name`` lie."""
        return None if self.prefix is None else join(self.prefix, name)

    def path(self, name: str) -> str | None:
        """Return the path of a node: the call's own where the node is the single output."""
        if self.output_path is not None and self.single_output == name:
            return self.output_path
        return self.below(name)

    @property
    def single_output(self) -> str | None:
        """The node that is the only output, if it is one."""
        outputs = self.function.outputs
        return outputs[0].path if len(outputs) == 1 and outputs[0].path in self.function.nodes else None

    def place(self, expression: Expression, term: Term) -> Origin:
        """Return the place of a term, with the calls that led here."""
        o = expression.origin
        return Origin(o.source, o.mark, o.text, term.start, term.end, self.calls)

    def chained(self, origin: Origin) -> Origin:
        """Return a place with the calls that led here."""
        return Origin(origin.source, origin.mark, origin.text, origin.start, origin.end, self.calls)


@dataclass(frozen=True)
class Site:
    """Where an expression is built: its scope and the node whose parts it gives."""

    scope: Scope
    expression: Expression
    below: str | None

    def place(self, term: Term) -> Origin:
        return self.scope.place(self.expression, term)


def flatten(operands: Iterator[Operand] | list[Operand]) -> list[Operand]:
    """Replace every variadic input by its operands."""
    found: list[Operand] = []
    for operand in operands:
        if isinstance(operand, Many):
            found.extend(flatten(list(operand.operands)))
        else:
            found.append(operand)
    return found
