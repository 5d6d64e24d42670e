"""Where a node was written: the text it stands in, and the calls that led there."""

from __future__ import annotations

from dataclasses import dataclass

from graphspec.errors import Location, Related
from graphspec.source import Mark, Source


@dataclass(frozen=True, slots=True)
class Origin:
    """A span of a scalar in a spec; ``calls`` are the spans of the calls it was built in, outermost first."""

    source: Source
    mark: Mark
    text: str = ""
    start: int = 0
    end: int = 0
    calls: tuple[Origin, ...] = ()

    @property
    def location(self) -> Location:
        return self.source.at(self.mark, self.start, max(1, self.end - self.start))

    @property
    def expression(self) -> str:
        """The text of the span."""
        return self.text[self.start : self.end]

    @property
    def chain(self) -> tuple[Related, ...]:
        """The calls that led here, innermost first."""
        return tuple(Related(f"called by {call.expression}", call.location) for call in reversed(self.calls))
