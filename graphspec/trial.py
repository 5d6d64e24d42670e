"""The tests that a spec carries (rule L8.6)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from graphspec.errors import Diagnostic, GraphSpecError, Location, Related, did_you_mean, problem
from graphspec.feeds import convert
from graphspec.program import Program
from graphspec.report import TestOutcome
from graphspec.result import Result, to_list
from graphspec.source import Map, Mark, Source

CODE = "GS609"
_TOLERANCES = {"float32": (1e-4, 1e-6)}
_LONGEST = 60


@dataclass
class Trial:
    """One entry of `tests`: what it asks for, and what was found wrong."""

    program: Program
    index: int
    test: Map
    diagnostics: list[Diagnostic] = field(default_factory=list)

    @property
    def name(self) -> str:
        return str(self.test.get("name", f"tests.{self.index}"))

    def feeds(self, program: Program) -> dict[str, Any]:
        """Return the feeds; a number fed to a parameter or state fills its shape, as its `value` does (L1.4)."""
        given = dict(self.test.get("feeds") or {})
        for path, value in given.items():
            known = program.model.parameters.get(path)
            if known is not None and known.shape and isinstance(value, int | float) and not isinstance(value, bool):
                given[path] = np.full(known.shape, value, dtype=float).tolist()
        return given

    @property
    def source(self) -> Source:
        return self.program.model.function.source

    @property
    def where(self) -> Location:
        """The place of the test."""
        if "name" in self.test:
            return self.source.at(self.test.marks["name"], 0, len(str(self.test["name"])))
        return self.source.at(self.program.model.function.data["tests"].marks[self.index])

    def specialised(self) -> Program:
        """Return the program under the test's attributes.

        Raises:
            SpecError: an attribute does not exist or does not fit.
        """
        given = dict(self.test.get("attributes") or {})
        return Program(self.program._models.with_attributes(given)) if given else self.program

    def run(self) -> TestOutcome:
        """Run the test; what is wrong is in ``diagnostics``."""
        try:
            program = self.specialised()
            self._compare_all(program, self._result(program))
        except GraphSpecError as error:
            self.diagnostics += [self.placed(found) for found in error.diagnostics]
        message = "; ".join(found.message for found in self.diagnostics) or "passed"
        where = next((found.where for found in self.diagnostics if found.where), self.where)
        return TestOutcome(self.name, not self.diagnostics, message, where)

    def _result(self, program: Program) -> Result:
        gradients = list(self.test.get("gradients") or {})
        if gradients or "of" in self.test:
            return program.backprop(self.feeds(program), of=self.test.get("of"), wrt=gradients or None)
        return program.run(self.feeds(program))

    # -- comparing --------------------------------------------------------------------------------------------------

    def _compare_all(self, program: Program, result: Result) -> None:
        tolerances = _TOLERANCES.get(program.model.dtype, (1e-7, 1e-9))
        rtol, atol = float(self.test.get("rtol", tolerances[0])), float(self.test.get("atol", tolerances[1]))
        for path, expected in (self.test.get("expect") or {}).items():
            found = self._value(program, result, path)
            if found is not None:
                self._compare("expect", path, found, expected, rtol, atol)
        for path, expected in (self.test.get("gradients") or {}).items():
            self._compare("gradients", path, result.gradients[path], expected, rtol, atol)

    def _value(self, program: Program, result: Result, path: str) -> np.ndarray | None:
        """Return the value of a path: an output, a node, an alias or an update."""
        if path in result.outputs:
            return result.outputs[path]
        model = program._models.for_feeds(self.feeds(program))
        node = model.find(path)
        label = path if node is None else model.graph.label(node)
        if label in result.values:
            return result.values[label]
        below = [name for name in result.values if name.startswith(f"{path}.")]
        hint = f"it has {', '.join(below[:3])}" if below else did_you_mean(path, [*result.outputs, *result.values])
        self._wrong("expect", path, f"there is no value '{path}'", hint, key=True)
        return None

    def _compare(self, section: str, path: str, found: np.ndarray, expected: Any, rtol: float, atol: float) -> None:
        try:
            wanted = convert(expected, "float64" if found.dtype.kind == "f" else str(found.dtype))
        except (TypeError, ValueError, OverflowError) as error:
            self._wrong(section, path, f"'{path}' is {found.dtype}{list(found.shape)}: {error}")
            return
        if wanted.shape != found.shape:
            self._wrong(section, path, f"'{path}' has shape {list(found.shape)}, expected shape {list(wanted.shape)}")
            return
        wide = found.astype(wanted.dtype)
        wrong = ~np.isclose(wide, wanted, rtol=rtol, atol=atol, equal_nan=True)
        if wrong.any():
            what = "" if section == "expect" else "the gradient of "
            self._wrong(section, path, f"{what}'{path}'{difference(wide, wanted, wrong)}")

    # -- places -----------------------------------------------------------------------------------------------------

    def _wrong(self, section: str, path: str, message: str, hint: str = "", key: bool = False) -> None:
        where = self._place(section, path, key)
        at = f"tests.{self.index}.{section}.{path}"
        self.diagnostics.append(problem(CODE, f"test '{self.name}': {message}", where, hint=hint, path=at))

    def _place(self, section: str, path: str, key: bool) -> Location:
        mapping: Map = self.test[section]
        mark: Mark = mapping.marks[path]
        return self.source.at_key(mark, len(path)) if key else self.source.at(mark, 0, len(str(mapping[path])))

    def placed(self, found: Diagnostic) -> Diagnostic:
        """Return a diagnostic of the run at the entry of the test that caused it, else at the test."""
        for section in ("feeds", "attributes", "gradients"):
            for name in self.test.get(section) or {}:
                if f"'{name}'" in found.message:
                    return self._moved(
                        found, self._place(section, name, key=True), f"tests.{self.index}.{section}.{name}"
                    )
        if "of" in self.test and f"'{self.test['of']}'" in found.message:
            where = self.source.at(self.test.marks["of"], 0, len(str(self.test["of"])))
            return self._moved(found, where, f"tests.{self.index}.of")
        return self._moved(found, self.where, f"tests.{self.index}")

    def _moved(self, found: Diagnostic, where: Location, path: str) -> Diagnostic:
        related = (*found.related, Related("from here", found.where)) if found.where else found.related
        message = f"test '{self.name}': {found.message}"
        return replace(found, message=message, where=where, path=path, related=related)


def difference(found: np.ndarray, expected: np.ndarray, wrong: np.ndarray) -> str:
    """Return in words how two arrays of one shape differ: as they are, or the element that differs most."""
    with np.errstate(all="ignore"):
        gaps = np.abs(np.where(wrong, np.asarray(found, dtype=np.float64) - expected, 0.0))
    gaps = np.where(wrong & ~np.isfinite(gaps), np.inf, gaps)
    at = np.unravel_index(int(np.argmax(gaps)), gaps.shape)
    worst = float(gaps[at])
    gap = f"the difference is {worst:.6g}" if np.isfinite(worst) else "they differ"
    whole = str(to_list(found)), str(to_list(expected))
    if max(map(len, whole)) <= _LONGEST:
        return f" is {whole[0]}, expected {whole[1]}: {gap}"
    index = ", ".join(str(int(i)) for i in at)
    shown = to_list(found[at]), to_list(expected[at])
    count = f"; {int(wrong.sum())} of {wrong.size} elements differ"
    return f"[{index}] is {shown[0]}, expected {shown[1]}: {gap}{count}"


def trials(program: Program) -> list[Trial]:
    """Return the tests of a program's document; a gradient as a program has none."""
    function = program.model.function
    if program.model.derived:
        return []
    return [Trial(program, i, test) for i, test in enumerate(function.tests) if isinstance(test, Map)]
