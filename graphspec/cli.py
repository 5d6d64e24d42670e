"""The command line: ``graphspec VERB ...``. Nothing heavy is imported before a verb needs it."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any

from graphspec import __version__
from graphspec.errors import GraphSpecError, did_you_mean

_DOCTOR = (
    "Values come from --set and --feed, else from the first batch of the training data, else from defaults. Warned of: "
    "parameters that get less than 1e-4 or more than 1e3 times the signal of the last layer; products that enlarge 30 "
    "times; relus with half of the units 0 for the whole batch; sigmoids and tanhs with half of the values where the "
    "derivative is below 1e-3; parameters without influence; outputs that do not vary. Exit code 1 where a value is "
    "not finite or the loss depends on nothing that can be trained."
)
_KINDS = ("classifier", "regressor", "autoencoder", "language-model")
_NEW_USAGE = "graphspec new NAME\n       graphspec new KIND --data FILE [--target COLUMN] [-o FILE]"
_NEW = (
    f"With --data, NAME is one of {', '.join(_KINDS)}, and the spec is fitted to the columns of the file, which may be "
    "CSV, TSV, JSON lines, NPZ, NPY, Parquet, Arrow or safetensors: it loads, checks and trains as it stands. What was "
    "chosen, and what was left out and why, stands in its comments. Without --data the spec is a small example, and "
    "NAME any other name."
)
_EPILOG = "exit codes: 0 success; 1 the spec or its data is wrong; 2 wrong usage; 130 interrupted"


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        _tolerant()
        try:
            arguments = _arguments(argv)
        except SystemExit as stop:  # argparse has printed help or what is wrong
            return int(stop.code or 0)
        code = _command(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence_stdout()
        return 0
    except OSError as error:  # a full disk behind stdout; files that are named are reported by who opens them
        _silence_stdout()
        print(f"graphspec: {error.strerror or error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _command(arguments: argparse.Namespace) -> int:
    module, _, name = arguments.command.partition(":")
    command = getattr(importlib.import_module(f"graphspec.commands.{module}"), name)
    try:
        return int(command(arguments))
    except GraphSpecError as error:
        from graphspec.commands.console import fail

        return fail(error.diagnostics, getattr(arguments, "json", False))


def _tolerant() -> None:
    """Let a stream that cannot encode a character write it as an escape."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and getattr(stream, "errors", None) == "strict":
            reconfigure(errors="backslashreplace")


def _silence_stdout() -> None:
    """Whoever read has gone: let the flush at exit go nowhere."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


# -- arguments --------------------------------------------------------------------------------------------------------


def _arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if getattr(arguments, "no_grad", False) and (arguments.of is not None or arguments.wrt is not None):
        parser.error("--no-grad excludes --of and --wrt")
    wrong = _new_wrong(arguments) if arguments.command == "write:new" else ""
    if wrong:
        parser.error(wrong)
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="graphspec",
        description="Differentiable computation graphs as YAML files.",
        epilog=_EPILOG,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"graphspec {__version__}")
    verbs = parser.add_subparsers(metavar="VERB", required=True, title="verbs")
    adders = (
        *(_run, _check, _doctor, _grad, _show, _render),
        *(_train, _evaluate, _predict, _ops, _schema, _new, _explain),
    )
    for add in adders:
        add(verbs)
    return parser


def _verb(verbs: Any, name: str, command: str, summary: str, **more: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False, **more
    )
    parser.set_defaults(command=command)
    return parser


def _run(verbs: Any) -> None:
    parser = _verb(verbs, "run", "run:run", "forward and backprop: print values and gradients")
    _spec(parser)
    _feeds(parser)
    _derivative(parser)
    parser.add_argument("--no-grad", action="store_true", help="run forward only; excludes --of and --wrt")
    parser.add_argument("--engine", default="numpy", metavar="NAME", help="numpy (the default) or jax")
    _seed(parser)
    parser.add_argument("--all", action="store_true", help="show the value and the cotangent of every node")
    parser.add_argument(
        "--save",
        metavar="FILE.npz",
        help="write outputs under their names and gradients as d_NAME, with . as _ and ' -> ' as _to_",
    )
    _json(parser, "print one JSON document")


def _check(verbs: Any) -> None:
    summary = "report every diagnostic, run the tests in the spec, compare every gradient with a numerical one"
    parser = _verb(verbs, "check", "check:check", summary)
    parser.add_argument("specs", nargs="+", metavar="SPEC", help="YAML or JSON files")
    _attribute(parser)
    parser.add_argument("--no-gradients", action="store_true", help="do not compare gradients")
    _seed(parser)
    _json(parser, "print one JSON document")


def _doctor(verbs: Any) -> None:
    summary = "look at one batch for what keeps a network from training, and say what to do"
    parser = _verb(verbs, "doctor", "doctor:doctor", summary, epilog=_DOCTOR)
    _spec(parser)
    _feeds(parser)
    parser.add_argument("--of", type=_text, metavar="NAME", help="the loss; default: the document's, or its only one")
    parser.add_argument("--batch", type=_count, metavar="N", help="rows taken from the training data (default: 64)")
    _seed(parser)
    parser.add_argument("--all", action="store_true", help="show range, size and cotangent of every node")
    _json(parser, "print one JSON document")


def _grad(verbs: Any) -> None:
    parser = _verb(verbs, "grad", "write:grad", "write the gradient graph as a spec")
    _spec(parser)
    _derivative(parser)
    _output(parser)


def _show(verbs: Any) -> None:
    parser = _verb(verbs, "show", "inspect:show", "summarise nodes, types, parameters, memory and operations")
    _spec(parser)
    _json(parser, "print one JSON document")


def _render(verbs: Any) -> None:
    parser = _verb(verbs, "render", "write:render", "write the spec with everything expanded, inferred and defaulted")
    _spec(parser)
    parser.add_argument("--training", action="store_true", help="write the training step: forward, backward, updates")
    _output(parser)


def _train(verbs: Any) -> None:
    parser = _verb(verbs, "train", "train:train", "train the parameters as the section `train` says")
    _spec(parser)
    epochs = "times that the data is gone through; like the next ones, instead of what the file says"
    parser.add_argument("--epochs", type=_count, metavar="N", help=epochs)
    parser.add_argument("--steps", type=_count, metavar="N", help="steps of the optimizer")
    parser.add_argument("--batch", type=_count, metavar="N", help="rows of one step")
    parser.add_argument("--seed", type=_integer, metavar="N", help="of first values, of the order and of random ops")
    parser.add_argument("--optimizer", type=_text, metavar="CALL", help="such as 'sgd(learning_rate=0.1)'")
    parser.add_argument("--checkpoint", type=_text, metavar="FOLDER", help="where checkpoints and the log are kept")
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    _weights(parser, required=False, text="begin with these weights")
    parser.add_argument("--partial", action="store_true", help="take from --weights what fits, and say what matched")
    parser.add_argument("--save", type=_text, metavar="FILE.safetensors", help="write the weights in the end")
    parser.add_argument("--plot", type=_text, metavar="FILE.svg|.png", help="draw the curves of loss and metrics")
    parser.add_argument("--tensorboard", type=_text, metavar="FOLDER", help="write event files for TensorBoard")
    parser.add_argument("--quiet", action="store_true", help="show no progress")
    parser.add_argument("--engine", default="numpy", metavar="NAME", help="numpy (the default) or jax")
    _json(parser, "print one JSON document")


def _evaluate(verbs: Any) -> None:
    parser = _verb(verbs, "evaluate", "train:evaluate", "compute the metrics over a data set")
    _spec(parser)
    _weights(parser, required=True, text="the weights to use")
    _rows(parser, "validation")
    parser.add_argument("--metrics", type=_names, metavar="NAME,...", help="scalars; default: the metrics of `train`")
    _json(parser, "print one JSON document")


def _predict(verbs: Any) -> None:
    parser = _verb(verbs, "predict", "train:predict", "compute the outputs for every row of a data set")
    _spec(parser)
    _weights(parser, required=True, text="the weights to use")
    _rows(parser, "test")
    names = "nodes with a value for each row; default: the outputs that have"
    parser.add_argument("--outputs", type=_names, metavar="NAME,...", help=names)
    parser.add_argument(
        "-o", "--output", type=_text, metavar="FILE.csv|.npz|.parquet", help="write to a file, not as CSV to stdout"
    )


def _weights(parser: argparse.ArgumentParser, required: bool, text: str) -> None:
    what = "a .safetensors file, a checkpoint, or a folder of checkpoints (then the newest)"
    parser.add_argument("--weights", type=_text, required=required, metavar="PATH", help=f"{text}: {what}")


def _rows(parser: argparse.ArgumentParser, part: str) -> None:
    parser.add_argument(
        "--data",
        type=_text,
        metavar="FILE|PART",
        help=f"a file with the columns of the training data, or the spec's train, validation or test (default: {part})",
    )
    parser.add_argument("--batch", type=_count, metavar="N", help="rows computed at a time (default: 256)")
    parser.add_argument("--engine", default="numpy", metavar="NAME", help="numpy (the default) or jax")


def _ops(verbs: Any) -> None:
    parser = _verb(verbs, "ops", "inspect:ops", "list the ops and library functions, or describe one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="an op or library function")


def _schema(verbs: Any) -> None:
    _verb(verbs, "schema", "write:schema", "print the JSON Schema of a spec")


def _new(verbs: Any) -> None:
    summary = "write a first spec with comments, or one that is fitted to a file of data; nothing is overwritten"
    parser = _verb(verbs, "new", "write:new", summary, epilog=_NEW, usage=_NEW_USAGE)
    parser.add_argument(
        "name", type=_text, metavar="NAME|KIND", help="a file, with or without .yaml; or, with --data, a kind"
    )
    parser.add_argument("--data", type=_text, metavar="FILE", help=f"the data that a {_listed(_KINDS)} is for")
    parser.add_argument("--target", type=_text, metavar="COLUMN", help="what a classifier or regressor predicts")
    parser.add_argument(
        "-o", "--output", type=_text, metavar="FILE", help="default: KIND.yaml, here or else beside the data"
    )


def _new_wrong(arguments: argparse.Namespace) -> str:
    """Return what is wrong with the arguments of `new`, or nothing."""
    kind = arguments.name in _KINDS
    if kind and arguments.data is None:
        return f"new {arguments.name} needs --data FILE (a file of that name: new {arguments.name}.yaml)"
    if not kind and (arguments.data or arguments.target or arguments.output):
        hint = did_you_mean(arguments.name, _KINDS)
        return f"--data, --target and -o go with {_listed(_KINDS)}, not '{arguments.name}'{f'; {hint}' if hint else ''}"
    if arguments.target and arguments.name not in _KINDS[:2]:
        return f"--target is what a classifier or regressor predicts, and goes not with {arguments.name}"
    return ""


def _listed(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


def _explain(verbs: Any) -> None:
    parser = _verb(verbs, "explain", "inspect:explain", "explain an error code, such as GS402")
    parser.add_argument("code", type=_code, metavar="CODE", help="a code as diagnostics show it")


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a YAML or JSON file")
    _attribute(parser)


def _feeds(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="feed an input, or set a parameter or state by path: x=3, 'x=[1, 2]'; may be repeated",
    )
    parser.add_argument(
        "--feed",
        action="append",
        default=[],
        metavar="FILE",
        help="feed what a .npz or .json file holds, by name; --set wins over it; may be repeated",
    )


def _attribute(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--attribute",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="override an attribute of the document; may be repeated",
    )


def _derivative(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--of", type=_text, metavar="NAME", help="the scalar to differentiate; default: the document's, or its only one"
    )
    parser.add_argument(
        "--wrt",
        type=_names,
        metavar="NAME,...",
        help="with respect to what; default: the document's, or every float input and trainable parameter",
    )


def _seed(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--seed", type=_integer, default=0, metavar="N", help="of random ops and of first values (default: 0)"
    )


def _output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-o", "--output", type=_text, metavar="FILE", help="write to a file, not to stdout")


def _json(parser: argparse.ArgumentParser, text: str) -> None:
    parser.add_argument("--json", action="store_true", help=text)


# -- what the values of options are -----------------------------------------------------------------------------------


def _text(text: str) -> str:
    if not text.strip() or "\0" in text:
        raise argparse.ArgumentTypeError("a name is expected")
    return text


def _names(text: str) -> list[str]:
    return [_text(name).strip() for name in text.split(",")]


def _integer(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"an integer from 0 to 2**63 - 1 is expected, found '{text}'")
    return int(text)


def _count(text: str) -> int:
    if _integer(text) == 0:
        raise argparse.ArgumentTypeError("an integer of 1 or more is expected, found '0'")
    return int(text)


def _code(text: str) -> str:
    from graphspec.codes import CODES

    code = text.upper()
    if code not in CODES:
        raise argparse.ArgumentTypeError(f"unknown code '{text}'; {did_you_mean(code, CODES) or 'see docs/errors.md'}")
    return code
