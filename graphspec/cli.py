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
    for add in (_run, _check, _grad, _show, _render, _ops, _schema, _new, _explain):
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
    _output(parser)


def _ops(verbs: Any) -> None:
    parser = _verb(verbs, "ops", "inspect:ops", "list the ops and library functions, or describe one")
    parser.add_argument("name", nargs="?", metavar="NAME", help="an op or library function")


def _schema(verbs: Any) -> None:
    _verb(verbs, "schema", "write:schema", "print the JSON Schema of a spec")


def _new(verbs: Any) -> None:
    parser = _verb(verbs, "new", "write:new", "write a first spec with comments to NAME.yaml; nothing is overwritten")
    parser.add_argument("name", type=_text, metavar="NAME", help="the name of the file, with or without .yaml")


def _explain(verbs: Any) -> None:
    parser = _verb(verbs, "explain", "inspect:explain", "explain an error code, such as GS402")
    parser.add_argument("code", type=_code, metavar="CODE", help="a code as diagnostics show it")


def _spec(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("spec", metavar="SPEC", help="a YAML or JSON file")
    _attribute(parser)


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


def _code(text: str) -> str:
    from graphspec.codes import CODES

    code = text.upper()
    if code not in CODES:
        raise argparse.ArgumentTypeError(f"unknown code '{text}'; {did_you_mean(code, CODES) or 'see docs/errors.md'}")
    return code
