"""What the manual says about one error code."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """An error code explained.

    ``example`` is a spec that is wrong in this way, empty where a spec alone cannot be; ``command`` is what shows the
    error on a file ``spec.yaml`` with the example in it, where `graphspec run spec.yaml` does not.
    """

    title: str
    explanation: str
    remedy: str
    example: str = ""
    command: str = ""
