"""The verbs of training: `train`, `evaluate`, `predict`."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING, Any

from graphspec.commands import console
from graphspec.commands.settings import load_program

if TYPE_CHECKING:
    from graphspec.program import Program
    from graphspec.train.history import History

_SETTINGS = ("epochs", "steps", "batch", "seed", "optimizer", "checkpoint")


def train(arguments: Namespace) -> int:
    """Train a spec, and write what was asked for."""
    program = load_program(arguments.spec, arguments)
    if arguments.plot:
        from graphspec.view.curves import curves, kind_of

        kind_of(arguments.plot)  # refused now, not after the training
    if arguments.weights:
        _load(program, arguments)
    settings = {key: getattr(arguments, key) for key in _SETTINGS if getattr(arguments, key) is not None}
    trainer = program.trainer(
        engine=arguments.engine, callbacks=_callbacks(arguments), resume=arguments.resume, **settings
    )
    console.report(trainer.training.notes)
    history = program.finish(trainer)
    if trainer.moved is not None:
        console.note(f"note: the checkpoints of an earlier training are in '{trainer.moved}' now")
    if arguments.save:
        program.save(arguments.save)
        console.note(f"wrote {arguments.save}")
    elif trainer.folder is None:
        console.note("note: the weights are not kept; --save FILE.safetensors or `checkpoint:` would")
    if arguments.plot:
        curves(history.records, arguments.plot)
        console.note(f"wrote {arguments.plot}")
    _print(arguments, history)
    return 0


def _load(program: Program, arguments: Namespace) -> None:
    matching = program.load(arguments.weights, partial=arguments.partial)
    if arguments.partial:
        console.note("\n".join(matching.lines()))


def _callbacks(arguments: Namespace) -> list[Any]:
    from graphspec.train.log import LogCallback

    found: list[Any] = [LogCallback()]
    if not arguments.quiet:
        from graphspec.view.progress import progress

        found.append(progress())
    if arguments.tensorboard:
        from graphspec.train.tensorboard import TensorBoardCallback

        found.append(TensorBoardCallback(arguments.tensorboard))
    return found


def _print(arguments: Namespace, history: History) -> None:
    if not arguments.json:
        console.show([history.table()])
        return
    from graphspec.train.log import plain

    records = [{name: plain(value) for name, value in record.items()} for record in history.records]
    best = None if history.best is None else {name: plain(value) for name, value in history.best.items()}
    facts = {"stopped": history.stopped, "seconds": history.seconds, "skipped": history.skipped}
    console.write_json({"spec": arguments.spec, "engine": arguments.engine, **facts, "best": best, "records": records})


def evaluate(arguments: Namespace) -> int:
    """Print metrics over a data set."""
    from graphspec.train.log import plain
    from graphspec.view.table import Table
    from graphspec.view.values import number_text

    program = load_program(arguments.spec, arguments)
    program.load(arguments.weights)
    rows = program.rows(arguments.data or "validation")
    found = program.evaluate(rows, arguments.metrics or (), **_options(arguments))
    if arguments.json:
        metrics = {name: plain(value) for name, value in found.items()}
        console.write_json({"spec": arguments.spec, "rows": rows.rows, "metrics": metrics})
    else:
        lines = [(name, number_text(value)) for name, value in found.items()]
        console.show([Table(("metric", "value"), lines, "", frozenset({1}))])
    return 0


def predict(arguments: Namespace) -> int:
    """Write the outputs for every row of a data set."""
    from graphspec.commands.rows import csv_text, write_rows

    program = load_program(arguments.spec, arguments)
    program.load(arguments.weights)
    rows = program.rows(arguments.data or "test", to_predict=tuple(arguments.outputs or ()))
    found = program.predict(rows, arguments.outputs or (), **_options(arguments))
    if arguments.output is None:
        console.write(csv_text(found))
    else:
        write_rows(arguments.output, found)
        console.note(f"wrote {arguments.output}")
    return 0


def _options(arguments: Namespace) -> dict[str, Any]:
    options = {"engine": arguments.engine}
    return options if arguments.batch is None else {**options, "batch": arguments.batch}
