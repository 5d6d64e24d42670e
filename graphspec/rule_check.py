"""Functions with a gradient rule of their own, each compared with a numerical derivative alone (rule L7.4)."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from graphspec.alone import SHAPES, alone, is_open, name_of
from graphspec.autodiff import vjp
from graphspec.declaration import Function
from graphspec.errors import Diagnostic, ExecutionError, FeedError, GraphSpecError, Location, problem
from graphspec.model import Input
from graphspec.outcome import CODE, TOLERANCE, outcome, point_at
from graphspec.parameter import Parameter
from graphspec.point import Point
from graphspec.program import Program
from graphspec.report import GradientOutcome
from graphspec.sample import ATTEMPTS, draw
from graphspec.scope import Failure
from graphspec.specialise import Models
from graphspec.types import TensorType, evaluate_shape
from graphspec.value import Value


@dataclass
class RuleCheck:
    """The check of one function: outcomes by input and parameter, and what is wrong."""

    function: Function
    seed: int
    outcomes: list[GradientOutcome] = field(default_factory=list)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def run(self) -> RuleCheck:
        """Compare the rule for scalars and for vectors, as far as the function takes them; return this check."""
        why = "it is not finite at random operands"
        for shape in SHAPES if self._is_open else SHAPES[:1]:
            if self.outcomes and len(shape) == 2:
                break
            try:
                self._add(self._compared(shape))
            except Failure as failure:
                why = failure.diagnostic.message if failure.diagnostic else "an attribute has no default"
            except GraphSpecError as error:
                why = error.diagnostics[0].message if error.diagnostics else str(error)
        if not self.outcomes:
            message = f"the gradient rule of {self.function.name} was not compared: {why}"
            self.diagnostics.append(Diagnostic(CODE, "note", message, where=self._place("")))
        return self

    @property
    def _is_open(self) -> bool:
        return any(map(is_open, self.function.inputs.values()))

    def _add(self, outcomes: list[GradientOutcome]) -> None:
        for found in outcomes:
            if found in self.outcomes:
                continue
            self.outcomes.append(found)
            where = self._place(found.name)
            if not found.ok and where not in [known.where for known in self.diagnostics]:
                message = f"the gradient rule of {self.function.name} is wrong for '{found.name}': {found.message}"
                self.diagnostics.append(problem(CODE, message, where, path=f"gradient.{found.name}"))

    def _compared(self, shape: tuple[int, ...]) -> list[GradientOutcome]:
        """Compare at the first random operands where the function is finite.

        Raises:
            Failure, GraphSpecError: the function cannot be called with inputs of that shape.
        """
        name, last = self.function.name, None
        for attempt in range(ATTEMPTS):
            random = np.random.default_rng([self.seed, attempt, zlib.crc32(f"{name}{shape}".encode())])
            try:
                point = self._point(shape, random, attempt)
                if not point.is_finite():
                    continue
            except (ExecutionError, FeedError) as error:
                last = error
                continue
            found = point.compare(random, 2, TOLERANCE)
            judged = [outcome(name, n, one, TOLERANCE, self.function.surrogate) for n, one in found.items()]
            kind = ("scalars", "vectors", "matrices")[len(shape)] if self._is_open else "operands"
            return [replace(one, message=f"{one.message} (at random {kind})") for one in judged]
        if last is not None:
            raise last
        return []

    def _point(self, shape: tuple[int, ...], random: np.random.Generator, attempt: int) -> Point:
        """Return the point of one call with random operands, parameters and cotangents."""
        program = Program(Models(alone(self.function, shape, attempt), {}))
        model, graph = program.model, program.graph.copy()
        leaves: dict[str, Input | Parameter] = {**model.inputs, **model.parameters}
        # all dims are integers: the document that calls the function declares them so
        feeds = {
            path: draw(item.type, evaluate_shape(item.type.shape, {}), random, attempt) for path, item in leaves.items()
        }
        names = {name_of(path): leaves[path].node for path in model.default_wrt()}
        weights: dict[int, np.ndarray] = {}
        cotangents: dict[int, np.ndarray] = {}
        seeds: dict[int, Value] = {}
        for name, node in model.outputs.items():
            found = graph.types[node]
            if isinstance(found, TensorType) and found.is_float:
                seeds[node] = graph.leaf("cotangent", f"ct of {name}", found)
                weights[node] = draw(found, evaluate_shape(found.shape, {}), random).astype(np.float64)
                cotangents[seeds[node].id] = weights[node]
        if not seeds:
            raise Failure(problem(CODE, "it has no float output", self._place("")))
        backward = vjp(graph, seeds, list(names.values()))
        return point_at(program, model, graph, backward, names, weights, cotangents, feeds, self.seed)

    def _place(self, name: str) -> Location:
        """Return the place of a rule, else of `gradient`."""
        function = self.function
        rules = function.data["gradient"]
        if isinstance(rules, Mapping) and name in rules:
            return function.source.at_key(rules.marks[name], len(name))  # type: ignore[attr-defined]
        return function.source.at_key(function.data.marks["gradient"], len("gradient"))
