"""What a person should know about a network: a diagnostic with the numbers behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphspec.anomaly import inner_places, user_place
from graphspec.errors import Diagnostic, Related
from graphspec.model import Model

CODES = {
    "not finite": "GS649",
    "vanishing": "GS661",
    "exploding": "GS661",
    "dead": "GS662",
    "saturated": "GS662",
    "unused": "GS663",
    "disconnected": "GS664",
    "constant": "GS665",
    "scale": "GS666",
    "input": "GS666",
}


@dataclass(frozen=True)
class Finding:
    """A diagnostic, what kind of trouble it is (a key of `CODES`), and the numbers behind it by name."""

    kind: str
    diagnostic: Diagnostic
    numbers: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON data: that of the diagnostic, with `kind` and `numbers`."""
        return {**self.diagnostic.to_dict(), "kind": self.kind, "numbers": dict(self.numbers)}


def finding(
    model: Model, kind: str, severity: str, node: int | None, message: str, hint: str, **numbers: Any
) -> Finding:
    """Return a finding at a node of a model; inside a library function the place is that of the call."""
    path = where = None
    related: tuple[Related, ...] = ()
    if node is not None:
        label = model.graph.label(node)
        section = next((s for s, known in _sections(model).items() if label in known), "nodes")
        path = f"{section}.{label}"
        origin = model.graph.origins[node]
        place = user_place(origin)
        where = place.location if place is not None else None
        related = tuple(inner_places(origin))
    diagnostic = Diagnostic(CODES[kind], severity, message, path or "", where, hint, related)
    return Finding(kind, diagnostic, numbers)


def _sections(model: Model) -> dict[str, Any]:
    return {
        "inputs": model.inputs,
        "state": {path for path, item in model.parameters.items() if item.role == "state"},
        "parameters": model.parameters,
    }
