"""What the stream at the other end can show."""

from __future__ import annotations

import os
from typing import TextIO


def colourful(stream: TextIO) -> bool:
    """Return whether a stream is a terminal that may be sent colours and movements of the cursor."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
