"""The thread that reads ahead: order, errors, and that none is left behind."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator

import pytest

from graphspec.train.dataset import prefetched


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "graphspec-prefetch"]


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    assert workers() == []
    yield
    gc.collect()
    assert workers() == []


class Source:
    """Numbers, and what was done with them."""

    def __init__(self, count: int, fail_at: int | None = None):
        self.count, self.fail_at = count, fail_at
        self.made, self.closed = 0, False

    def __iter__(self) -> Iterator[int]:
        try:
            for i in range(self.count):
                if i == self.fail_at:
                    raise KeyError("at the source")
                self.made += 1
                yield i
        finally:
            self.closed = True


@pytest.mark.parametrize("depth", [1, 2, 5, 100])
def test_everything_arrives_in_order(depth: int) -> None:
    source = Source(50)
    assert list(prefetched(iter(source), depth)) == list(range(50))
    assert source.closed


@pytest.mark.parametrize("depth", [1, 2, 5])
def test_it_reads_ahead_so_far_and_no_further(depth: int) -> None:
    source = Source(50)
    items = prefetched(iter(source), depth)
    assert source.made == 0
    assert next(items) == 0
    deadline = time.monotonic() + 5
    while source.made < depth + 1 and time.monotonic() < deadline:
        time.sleep(0.001)
    time.sleep(0.02)
    assert source.made == depth + 1
    items.close()  # type: ignore[attr-defined]


def test_errors_are_passed_on_in_their_turn() -> None:
    source = Source(10, fail_at=3)
    items = prefetched(iter(source))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(KeyError, match="at the source"):
        next(items)
    with pytest.raises(StopIteration):
        next(items)
    assert source.closed


def test_closing_stops_the_thread_and_the_source() -> None:
    source = Source(10**9)
    items = prefetched(iter(source))
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    items.close()  # type: ignore[attr-defined]
    assert workers() == []
    assert source.closed


def test_dropping_it_stops_the_thread() -> None:
    source = Source(10**9)
    for item in prefetched(iter(source)):
        if item == 5:
            break
    gc.collect()
    assert workers() == []
    assert source.closed


def test_an_error_of_the_consumer_stops_the_thread() -> None:
    def consume() -> None:
        for item in prefetched(iter(Source(10**9))):
            if item == 2:
                raise RuntimeError("here")

    with pytest.raises(RuntimeError, match="here"):
        consume()
    gc.collect()
    assert workers() == []


def test_nothing_begins_before_it_is_asked_for() -> None:
    source = Source(3)
    prefetched(iter(source))
    assert workers() == []
    assert source.made == 0


def test_an_empty_source() -> None:
    assert list(prefetched(iter([]))) == []


def test_many_at_a_time() -> None:
    several = [prefetched(iter(Source(20)), 1) for _ in range(10)]
    assert [tuple(items) for items in zip(*several, strict=True)] == [(i,) * 10 for i in range(20)]
