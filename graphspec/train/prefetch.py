"""A thread that reads ahead."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


def prefetched(batches: Iterator[T], depth: int = 2) -> Generator[T]:
    """Yield what an iterator yields, which a thread runs up to ``depth`` items ahead.

    What the iterator raises is raised here, in its turn. The thread ends with the iteration: when it is exhausted,
    closed, dropped or left by an exception; the iterator is closed then.
    """
    room, ready = threading.Semaphore(depth), SimpleQueue[tuple[str, Any]]()
    stopped = threading.Event()
    worker = threading.Thread(target=_run, args=(batches, room, ready, stopped), name="graphspec-prefetch", daemon=True)
    worker.start()
    try:
        while True:
            kind, item = ready.get()
            if kind == "error":
                raise item
            if kind == "end":
                return
            room.release()
            yield item
            del item
    finally:
        stopped.set()
        room.release()
        if worker is not threading.current_thread():
            worker.join()


def _run(
    batches: Iterator[Any], room: threading.Semaphore, ready: SimpleQueue[tuple[str, Any]], stopped: threading.Event
) -> None:
    try:
        try:
            while True:
                room.acquire()
                if stopped.is_set():
                    return
                try:
                    item = next(batches)
                except StopIteration:
                    break
                ready.put(("item", item))
                del item
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()
    except BaseException as error:  # handed over to the consumer
        ready.put(("error", error))
    else:
        ready.put(("end", None))
