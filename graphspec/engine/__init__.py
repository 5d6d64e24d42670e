"""Engines: they run a plan on an array library."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graphspec.errors import EngineError, did_you_mean, problem

ENGINES = ("numpy", "jax")


def engine_named(name: str) -> Callable[..., list[Any]]:
    """Return the function that runs a plan: ``run(plan, leaves, dims) -> arrays of the outputs``.

    Raises:
        EngineError: no engine has that name, or it is not installed.
    """
    if name == "numpy":
        from graphspec.engine.numpy_engine import run

        return run
    if name == "jax":
        return _jax()
    hint = did_you_mean(name, ENGINES) or f"the engines are {', '.join(ENGINES)}"
    raise EngineError(problem("GS611", f"no engine is called '{name}'", hint=hint))


def _jax() -> Callable[..., list[Any]]:
    try:
        from graphspec.engine.jax_engine import run
    except ImportError as error:
        message = f"the jax engine needs JAX, which cannot be imported: {error}"
        raise EngineError(problem("GS612", message, hint="pip install 'graphspec[jax]'")) from None
    return run
