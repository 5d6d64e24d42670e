"""Packages that graphspec can do without until something that needs them is asked for."""

from __future__ import annotations

from graphspec.errors import EngineError, problem


def not_installed(what: str, package: str, extra: str, error: ImportError) -> EngineError:
    """Return the error for a package that cannot be imported, with the line that installs its extra.

    Example:
        >>> print(not_installed("--plot", "matplotlib", "plot", ImportError("No module named 'matplotlib'")))
        GS612 --plot needs matplotlib, which cannot be imported: No module named 'matplotlib'
          hint: pip install 'graphspec[plot]'
    """
    message = f"{what} needs {package}, which cannot be imported: {error}"
    return EngineError(problem("GS612", message, hint=f"pip install 'graphspec[{extra}]'"))
