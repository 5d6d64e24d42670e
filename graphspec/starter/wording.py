"""How a starter names columns, and refuses tables."""

from __future__ import annotations

from graphspec.errors import FeedError
from graphspec.scalars import shortened
from graphspec.train.table import Table
from graphspec.view.table import one_line


def named(name: str) -> str:
    """Return the name of a column in quotes, short and on one line."""
    return f"'{shortened(one_line(name))}'"


def refused(table: Table, message: str, hint: str) -> FeedError:
    """Return the error about a table that no starter can be fitted to."""
    return table.refuse("GS639", message, hint=hint)
