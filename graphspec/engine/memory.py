"""Memory of a bound plan: blocks that values share, one after another."""

from __future__ import annotations

from bisect import bisect_left, insort
from math import prod

import numpy as np

_ALIGNMENT = 64  # bytes: a cache line, and what vector instructions like


class Pool:
    """Blocks of memory that are lent to values while they live.

    Attributes:
        total: bytes of all blocks.
    """

    def __init__(self) -> None:
        self.total = 0
        self._sizes: list[int] = []  # of the free blocks, ascending
        self._free: dict[int, list[np.ndarray]] = {}

    def array(self, shape: tuple[int, ...], dtype: str) -> tuple[np.ndarray, np.ndarray]:
        """Return a block and a contiguous array that begins in it; the block is to be given back."""
        size = prod(shape) * np.dtype(dtype).itemsize
        block = self._take(max(size, 1))
        return block, block[:size].view(dtype).reshape(shape)

    def give(self, block: np.ndarray) -> None:
        """Take a block back: what lies in it is not needed any more."""
        insort(self._sizes, block.nbytes)
        self._free.setdefault(block.nbytes, []).append(block)

    def _take(self, size: int) -> np.ndarray:
        """Return the smallest free block that is large enough and not wastefully larger, else a new one."""
        size = -(-size // _ALIGNMENT) * _ALIGNMENT
        at = bisect_left(self._sizes, size)
        if at < len(self._sizes) and self._sizes[at] <= 2 * size + 4096:
            return self._free[self._sizes.pop(at)].pop()
        self.total += size
        raw = np.empty(size + _ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % _ALIGNMENT
        return raw[start : start + size]
