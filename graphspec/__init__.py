"""graphspec: differentiable computation graphs as YAML files.

Example:
    >>> import graphspec as gs
    >>> program = gs.loads("{graphspec: 1, inputs: {x: -2, y: 5}, nodes: {f: x * y}, outputs: f}")
    >>> float(program.backprop().gradients["x"])
    5.0
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from graphspec.version import __version__ as __version__

if TYPE_CHECKING:
    from graphspec.errors import (
        CheckpointError,
        Diagnostic,
        EngineError,
        ExecutionError,
        FeedError,
        GraphSpecError,
        Location,
        NotDifferentiableError,
        OpTypeError,
        SpecError,
    )
    from graphspec.program import Program, load, loads
    from graphspec.result import Result
    from graphspec.train.callback import Callback
    from graphspec.train.history import History

_HOMES = {"Program": "program", "load": "program", "loads": "program", "Result": "result"}
_HOMES |= {"Callback": "train.callback", "History": "train.history"}
_ERRORS = (
    "CheckpointError",
    "Diagnostic",
    "EngineError",
    "ExecutionError",
    "FeedError",
    "GraphSpecError",
    "Location",
    "NotDifferentiableError",
    "OpTypeError",
    "SpecError",
)

__all__ = [
    "Callback",
    "CheckpointError",
    "Diagnostic",
    "EngineError",
    "ExecutionError",
    "FeedError",
    "GraphSpecError",
    "History",
    "Location",
    "NotDifferentiableError",
    "OpTypeError",
    "Program",
    "Result",
    "SpecError",
    "load",
    "loads",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for: NumPy and networkx are not loaded before."""
    home = "errors" if name in _ERRORS else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'graphspec' has no attribute {name!r}")
    return getattr(importlib.import_module(f"graphspec.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
