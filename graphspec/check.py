"""Checks of a program: the spec's own tests, and every gradient against a numerical derivative."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graphspec import derivative
from graphspec.declaration import Function
from graphspec.errors import (
    ExecutionError,
    FeedError,
    GraphSpecError,
    Location,
    NotDifferentiableError,
    SpecError,
    problem,
)
from graphspec.outcome import CODE, TOLERANCE, behind_surrogates, outcome, point_at
from graphspec.point import Point
from graphspec.program import Program
from graphspec.report import GradientOutcome, Report, TestOutcome
from graphspec.rule_check import RuleCheck
from graphspec.sample import ATTEMPTS, missing_feeds
from graphspec.structure import functions_in
from graphspec.trial import Trial, trials

__all__ = ["GradientOutcome", "Report", "TestOutcome", "check_gradient", "check_program"]


def check_program(program: Program, *, gradients: bool = True, seed: int = 0) -> Report:
    """Run the tests of a spec and compare its gradients with numerical derivatives.

    Gradients are compared at the program's default feeds, random ones where an input has none; at the feeds of every
    test; and for every function with a gradient rule of its own at random operands. Nothing of it changes the program.

    Args:
        program: what to check.
        gradients: whether gradients are compared too.
        seed: of random ops, initial values, random feeds and directions; tests run with seed 0.

    Example:
        >>> import graphspec as gs
        >>> from graphspec.check import check_program
        >>> check_program(gs.loads("{graphspec: 1, inputs: {x: 3}, nodes: {f: x * x}, outputs: f}")).ok
        True
    """
    report = Report()
    tests = trials(program)
    for trial in tests:
        report.tests.append(trial.run())
        report.diagnostics += trial.diagnostics
    if gradients:
        _check_point(report, "", program, {}, seed)
        for trial in tests:
            if trial.test.get("feeds") or trial.test.get("attributes"):
                _check_trial(report, trial, seed)
        _check_rules(report, program, seed)
    return report


def check_gradient(
    program: Program,
    feeds: Mapping[str, Any] | None = None,
    *,
    of: str | None = None,
    wrt: Sequence[str] | str | None = None,
    seed: int = 0,
    directions: int = 2,
    tolerance: float = TOLERANCE,
) -> list[GradientOutcome]:
    """Compare one gradient with central differences along random directions, in float64.

    Args:
        program: what to check.
        feeds: inputs by name, parameters and state by path too; inputs without feed and default are drawn at random.
        of, wrt: as for `Program.backprop`.
        seed: of random ops, initial values, random feeds and directions.
        directions: how many random directions are tried for each name.
        tolerance: the relative difference that is still no error.

    Raises:
        NotDifferentiableError: there is nothing to differentiate, or no gradient exists.
        FeedError, ExecutionError: as for `Program.run`.
    """
    given = dict(feeds or {})
    found: list[GradientOutcome] = []
    last: GraphSpecError | None = None
    for attempt in range(ATTEMPTS):
        complete = given
        try:
            complete = _complete(program, given, seed, attempt)
            point, target = _point(program, complete, of, wrt, seed)
            if point.is_finite():
                random = np.random.default_rng([seed, 1])
                compared = point.compare(random, directions, tolerance).items()
                surrogates = behind_surrogates(point)
                return [outcome(target, name, one, tolerance, name in surrogates) for name, one in compared]
            found = [_not_compared(target, name) for name in point.gradients]
        except (ExecutionError, FeedError) as error:
            last = error
        if len(complete) == len(given):
            break  # nothing is random: another attempt would find the same
    if not found and last is not None:
        raise last
    return found


def _complete(program: Program, given: dict[str, Any], seed: int, attempt: int) -> dict[str, Any]:
    """Return feeds with random ones for what is missing."""
    random = np.random.default_rng([seed, 0, attempt])
    return {**missing_feeds(program._models.for_feeds(given), given, random, attempt), **given}


def _point(
    program: Program, feeds: Mapping[str, Any], of: str | None, wrt: Sequence[str] | str | None, seed: int
) -> tuple[Point, str]:
    """Return the point of the gradient that `backprop` computes, and what it is the gradient of."""
    model = program._models.for_feeds(feeds)
    target, names = derivative.request(model, of, wrt)
    graph, backward = program._backward(model, target, names)
    derivative.judge(model, graph, backward, target, names, wrt is not None or model.wrt is not None)
    nodes = {name: derivative.node_of(model, name) for name in names}
    weights = {derivative.node_of(model, target): np.ones(())}
    return point_at(program, model, graph, backward, nodes, weights, {}, feeds, seed), target


def _not_compared(of: str, name: str) -> GradientOutcome:
    return GradientOutcome(of, name, True, 0.0, f"not compared: '{of}' is not finite at this point")


# -- what a document declares ---------------------------------------------------------------------------------------


def _check_trial(report: Report, trial: Trial, seed: int) -> None:
    try:
        program = trial.specialised()
        _check_point(report, trial.name, program, trial.feeds(program), seed)
    except SpecError:
        return  # of its attributes or feeds: reported when the test ran


def _check_point(report: Report, test: str, program: Program, feeds: dict[str, Any], seed: int) -> None:
    """Compare the gradient that `run` reports, at the feeds of a test, or ("") at the defaults."""
    if program.model.of is None:
        return
    function = program.model.function
    try:
        outcomes = check_gradient(program, feeds, seed=seed)
    except NotDifferentiableError as error:
        # without `differentiate` nobody asked for a gradient: that there is none is worth a note
        asked = function.differentiate is not None
        new = [found if asked else replace(found, severity="note") for found in error.diagnostics]
        report.diagnostics += [found for found in new if found not in report.diagnostics]
        return
    except GraphSpecError as error:
        if not test:  # what fails at the feeds of a test has been reported as the test's
            report.diagnostics += error.diagnostics
        return
    for found in outcomes:
        message = f"{found.message} (feeds of test '{test}')" if test else found.message
        report.gradients.append(replace(found, message=message))
        if not found.ok:
            what = f"the gradient of '{found.of}' with respect to '{found.name}' is wrong: {message}"
            report.diagnostics.append(problem(CODE, what, _place(function)))


def _check_rules(report: Report, program: Program, seed: int) -> None:
    """Compare the rule of every function that has one, whether it is called or not."""
    if program.model.derived:
        return
    for function in functions_in(program.model.function):
        if function.gradient is not None:
            checked = RuleCheck(function, seed).run()
            report.gradients += checked.outcomes
            report.diagnostics += checked.diagnostics


def _place(function: Function) -> Location:
    """Return the place of `differentiate`, else of `outputs`, else of the document."""
    data = function.data
    for key in ("differentiate", "outputs"):
        if key in data:
            length = len(data[key]) if isinstance(data[key], str) else 1
            return function.source.at(data.marks[key], 0, length)
    return function.origin.location
