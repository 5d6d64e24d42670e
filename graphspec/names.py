"""Which names and paths may be declared."""

from __future__ import annotations

import keyword
import re

from graphspec.grammar import NAME, PATH

SIMPLE = re.compile(f"{NAME}$")
DECLARED = re.compile(PATH)
NOT_NAMES = frozenset(keyword.kwlist) | frozenset("true false null inf nan ct given training dtype".split())  # noqa: SIM905
NOT_PORTS = frozenset(
    [
        "op",
        "inputs",
        "repeat",
        "share",
        "doc",
        "if",
        "then",
        "else",
        "cond",
        "scan",
        "while",
        "map",
        "over",
        "carry",
        "times",
        "body",
        "delay",
        "weights",
        "trainable",
        "remat",
        "device",
        "precision",
        "seed",
        "key",
        "gradient",
        "axes",
        "unit",
        "tags",
        "meta",
    ]
)
NOT_FUNCTIONS = frozenset("gradient vjp jvp jacobian hessian cond scan while map".split())  # noqa: SIM905


def name_problem(name: str, section: str) -> str | None:
    """Return why ``name`` may not be declared in a section, or None (rules L2.1, L2.5, L3.4)."""
    if section in ("attributes", "functions", "imports"):
        if not SIMPLE.match(name):
            return f"'{name}' is not a name: letters, digits and _, not beginning with a digit"
    elif not DECLARED.match(name):
        return f"'{name}' is neither a name (letters, digits and _) nor a path"
    if name in NOT_NAMES:
        return f"'{name}' is a word of the language and cannot be a name"
    if (
        section in ("attributes", "inputs", "parameters")
        and name in NOT_PORTS
        and (section, name) != ("inputs", "gradient")
    ):
        # an optimizer's input is called gradient (L8.5)
        return f"'{name}' is or may become a key of a node and cannot be a name in {section}"
    if section in ("functions", "imports") and name in NOT_FUNCTIONS:
        return f"'{name}' is kept for the language and cannot be a function"
    return None


def join(prefix: str, name: str) -> str:
    """Return the path of ``name`` below ``prefix``."""
    return f"{prefix}.{name}" if prefix else name


def reference_text(path: str) -> str:
    """Return how a path is written in an expression: bare where all its segments are names, else quoted (L3.4)."""
    bare = all(SIMPLE.match(part) and (part not in NOT_NAMES or part == "ct") for part in path.split("."))
    return path if bare else f"'{path}'"
