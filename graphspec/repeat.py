"""Whether the copies of a repeated node are declared well (rule L7.2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from graphspec.attribute import describe
from graphspec.callee import Signature
from graphspec.declaration import AttributeSlot, NodeDeclaration
from graphspec.errors import Diagnostic, did_you_mean, problem

MAX_COPIES = 10_000


def check_repeat(node: NodeDeclaration, facts: Signature) -> Iterator[Diagnostic]:
    """Check a literal count, and that the lists of `over` set attributes that nothing else sets."""
    if node.repeat is not None:
        count = node.repeat.value
        if isinstance(count, str) and not count.startswith("$"):
            hint = f"a count that is computed begins with $: ${count}"
            message = f"repeat expects a count, found {describe(count)}"
            origin = node.repeat.origin
            disputed = origin.source.disputed(count, origin.mark)
            yield disputed or problem("GS205", message, origin.location, hint=hint)
    for key, slot in (node.over or {}).items():
        place = slot.key(key).location
        if key not in facts.attributes:
            hint = did_you_mean(key, facts.attributes)
            yield problem("GS202", f"{facts.name} has no attribute '{key}'", place, hint=hint)
        elif key in node.attributes:
            yield problem("GS205", f"attribute '{key}' is set for each copy and for all of them", place)
        if isinstance(slot.value, str) and not slot.value.startswith("$"):
            hint = f"a list that is computed begins with $: ${slot.value}"
            message = f"over expects a list, found {describe(slot.value)}"
            yield problem("GS205", message, slot.origin.location, hint=hint)
    if node.over is not None and not node.over:
        yield problem("GS205", "'over' lists no attribute", node.origin.location, hint="repeat: 3 makes equal copies")
    written = {key: len(slot.items) for key, slot in (node.over or {}).items() if not isinstance(slot.value, str)}
    yield from check_lengths(node.over or {}, written)


def check_lengths(over: Mapping[str, AttributeSlot], lengths: Mapping[str, int]) -> Iterator[Diagnostic]:
    """Check that the lists of `over` are of one length."""
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        key = next(iter(lengths))
        yield problem("GS205", f"the lists of 'over' have different lengths: {found}", over[key].key(key).location)
