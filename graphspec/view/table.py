"""Tables and lines of text, for a terminal, a pipe or a notebook."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from rich.table import Table as RichTable

# C0 and C1 controls, line separators, and the marks that turn the direction of writing
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")

_NARROW = 60  # below this width a table that does not fit is stacked


def printable(text: str) -> str:
    """Return a text with control characters written as escapes; a terminal must not obey what a file says."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def one_line(text: str) -> str:
    """Return a text as one printable line."""
    return printable(" ".join(text.split()))


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns; ``right`` are the columns whose cells end flush."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    title: str = ""
    right: frozenset[int] = frozenset()

    def plain(self) -> str:
        """Return aligned text without colour, lines or folding."""
        rows = [self.columns, *self._cells()]
        widths = [max(len(row[i]) for row in rows) for i in range(len(self.columns))]
        lines = ["  ".join(self._aligned(i, cell, widths[i]) for i, cell in enumerate(row)).rstrip() for row in rows]
        return "\n".join([one_line(self.title), *lines] if self.title else lines)

    def stacked(self) -> str:
        """Return one line per cell: the first of each row, and the others below it with the names of their columns."""
        lines = [one_line(self.title), ""] if self.title else []
        for first, *others in self._cells():
            lines.append(first)
            lines += [f"  {name}: {cell}" for name, cell in zip(self.columns[1:], others, strict=True) if cell]
        return "\n".join(lines)

    @property
    def width(self) -> int:
        """The width that the table takes without folding."""
        rows = [self.columns, *self._cells()]
        return sum(max(len(row[i]) for row in rows) for i in self._indices) + 3 * (len(self.columns) - 1)

    def html(self) -> str:
        """Return an HTML table, escaped."""
        style = [
            ' style="text-align: right"' if i in self.right else ' style="text-align: left"' for i in self._indices
        ]
        parts = ["<table>"]
        if self.title:
            parts.append(f"<caption>{html.escape(one_line(self.title))}</caption>")
        head = "".join(f"<th{style[i]}>{html.escape(name)}</th>" for i, name in enumerate(self.columns))
        parts.append(f"<thead><tr>{head}</tr></thead>\n<tbody>")
        for row in self._cells():
            cells = "".join(f"<td{style[i]}>{html.escape(cell)}</td>" for i, cell in enumerate(row))
            parts.append(f"<tr>{cells}</tr>")
        return "\n".join([*parts, "</tbody></table>"])

    def rich(self) -> RichTable:
        """Return a table that adapts to the width of a terminal: long cells are folded, never cut."""
        from rich import box
        from rich.table import Table as RichTable
        from rich.text import Text

        title = Text(one_line(self.title), style="bold") if self.title else None
        table = RichTable(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for i, name in enumerate(self.columns):
            table.add_column(name, justify="right" if i in self.right else "left", overflow="fold")
        for row in self._cells():
            table.add_row(*(Text(cell) for cell in row))
        return table

    @property
    def _indices(self) -> range:
        return range(len(self.columns))

    def _cells(self) -> list[tuple[str, ...]]:
        return [tuple(one_line(cell) for cell in row) for row in self.rows]

    def _aligned(self, column: int, cell: str, width: int) -> str:
        return cell.rjust(width) if column in self.right else cell.ljust(width)


Block: TypeAlias = "str | Table"


def spaced(blocks: Iterable[Block]) -> Iterator[Block]:
    """Yield blocks with an empty line around each table."""
    before: Block | None = None
    for block in blocks:
        if before is not None and (isinstance(block, Table) or isinstance(before, Table)):
            yield ""
        yield block
        before = block


def plain(blocks: Iterable[Block]) -> str:
    """Return blocks as text."""
    return "\n".join(block.plain() if isinstance(block, Table) else printable(block) for block in spaced(blocks))


def to_html(blocks: Iterable[Block]) -> str:
    """Return blocks as HTML, escaped."""
    return "\n".join(
        block.html() if isinstance(block, Table) else f"<p>{html.escape(printable(block))}</p>" for block in blocks
    )


def renderables(blocks: Iterable[Block], width: int) -> list[Any]:
    """Return blocks as what a rich console of a width prints; where columns would be too narrow, rows are stacked."""
    from rich.text import Text

    found: list[Any] = []
    for block in spaced(blocks):
        if isinstance(block, str):
            found.append(Text(printable(block)))
        elif block.width <= width or width >= _NARROW:
            found.append(block.rich())
        else:
            found.append(Text(block.stacked(), overflow="fold"))
    return found
