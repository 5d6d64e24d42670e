"""Calls of the operating system that fail or kill, one at a time, so that a test can go through all of them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

CALLS = (
    *("open", "write", "fsync", "close", "mkdir", "rename", "replace", "link", "unlink", "rmdir", "chmod"),
    *("scandir", "listdir", "fstat"),
)


class Calls:
    """Count the calls, and let ``strike`` do something at one of them; ``made`` are their names.

    ``strike(name, function, arguments)`` returns what the call returns, or raises.
    """

    def __init__(self, strike: Callable[..., Any], at: int | None, ever_after: bool = False):
        self.strike, self.at, self.ever_after = strike, at, ever_after
        self.made: list[str] = []

    @contextmanager
    def watching(self) -> Iterator[Calls]:
        """Replace the functions of `os` while the block runs."""
        real = {name: getattr(os, name) for name in CALLS}
        for name, function in real.items():
            setattr(os, name, self._watched(name, function))
        try:
            yield self
        finally:
            for name, function in real.items():
                setattr(os, name, function)

    @property
    def was_reached(self) -> bool:
        return self.at is not None and len(self.made) > self.at

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **keywords: Any) -> Any:
            number = len(self.made)
            self.made.append(name)
            if self.at is None or not (number == self.at or (self.ever_after and number > self.at)):
                return function(*arguments, **keywords)
            return self.strike(name, lambda *given: function(*(given or arguments), **keywords), arguments)

        return call


def failing(number: int) -> Callable[..., Any]:
    """Return a strike: the call fails with an error number; half of what is to be written is, and a file is closed."""

    def strike(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if name == "write":
            function(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        if name == "close":
            function()
        raise OSError(number, os.strerror(number), *([] if isinstance(arguments[0], int) else [str(arguments[0])]))

    return strike


def killing(when: str) -> Callable[..., Any]:
    """Return a strike: the process is killed "before" or "after" the call, or when half is written ("within")."""

    def strike(name: str, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        if when == "after":
            function()
        elif when == "within" and name == "write":
            function(arguments[0], bytes(arguments[1])[: len(arguments[1]) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    return strike
