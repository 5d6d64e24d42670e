"""What a check found: tests of the spec, gradients, diagnostics."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from graphspec.errors import Diagnostic, Location
from graphspec.result import to_list


@dataclass(frozen=True)
class TestOutcome:
    """What became of one of the spec's own tests; ``where`` is the place of what is wrong, else of the test."""

    __test__: ClassVar[bool] = False  # not a test of ours, whatever its name

    name: str
    ok: bool
    message: str
    where: Location | None


@dataclass(frozen=True)
class GradientOutcome:
    """How the gradient of ``of`` with respect to ``name`` compares with a numerical derivative.

    Attributes:
        of: what was differentiated; the name of the function where its own gradient rule was checked alone.
        ok: whether they agree, or are not meant to.
        error: their relative difference.
        surrogate: a gradient on the way is on purpose not the derivative: the difference is reported, no failure.
        kink: the function has no derivative at this point, so there is nothing to compare.
    """

    of: str
    name: str
    ok: bool
    error: float
    message: str
    surrogate: bool = False
    kink: bool = False


@dataclass
class Report:
    """Everything that a check found."""

    tests: list[TestOutcome] = field(default_factory=list)
    gradients: list[GradientOutcome] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed; notes do not count."""
        errors = any(diagnostic.severity == "error" for diagnostic in self.diagnostics)
        return not errors and all(test.ok for test in self.tests) and all(found.ok for found in self.gradients)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data."""
        return {
            "ok": self.ok,
            "tests": [_test(test) for test in self.tests],
            "gradients": [{**vars(found), "error": to_list(np.asarray(found.error))} for found in self.gradients],
            "diagnostics": [diagnostic.to_dict() for diagnostic in self.diagnostics],
        }


def _test(test: TestOutcome) -> dict[str, Any]:
    where = test.where
    place = (
        {"file": where.file, "line": where.line, "column": where.column}
        if where
        else dict.fromkeys(("file", "line", "column"))
    )
    return {"name": test.name, "ok": test.ok, "message": test.message, **place}
