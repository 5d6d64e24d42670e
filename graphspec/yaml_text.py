"""Data as YAML text, so that every reader of YAML reads the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from graphspec.callee import Reference
from graphspec.notation import number
from graphspec.scalars import ambiguous, plain_value

_SURE = re.compile(r"[\w.@+*/%=<>!()\[\], \"'-]+$", re.ASCII)
_STARTS = re.compile(r"[A-Za-z_0-9(+]|-[A-Za-z_0-9(.]", re.ASCII)


def scalar(text: str) -> str:
    """Return a string as a YAML scalar: plain where no reader could take it for something else."""
    risky = text != text.strip() or ": " in text or " #" in text or text.endswith(":")
    risky = risky or (ambiguous(text) is not None and text not in "yYnN")  # as letters they are plain in every reader
    if not risky and _STARTS.match(text) and _SURE.match(text) and _read(text) == text:
        return text
    return json.dumps(text)


def _read(text: str) -> Any:
    """Return what a plain scalar means; None for a number that is too large to be one."""
    try:
        return plain_value(text)
    except OverflowError:
        return None


def operand_scalar(text: str) -> str:
    """Return an expression as a YAML scalar; a number stays one."""
    return text if isinstance(_read(text), int | float) else scalar(text)


def flow(value: Any) -> str:
    """Return data in YAML's flow style, on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_inner(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, str):
        return _inner(value)
    if isinstance(value, Reference):
        return _inner(str(value))
    return json.dumps(value) if value is None or isinstance(value, bool) else number(value)


def _inner(text: str) -> str:
    """Return a string inside a flow collection, where a comma or a bracket would end it."""
    plain = scalar(text)
    return json.dumps(text) if any(c in text for c in ",[]{}:\"'") else plain
