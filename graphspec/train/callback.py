"""Those that watch a training: a class to derive from, and a list of them that is called in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from graphspec.errors import did_you_mean
from graphspec.train.history import History

Record: TypeAlias = Mapping[str, Any]


class Run(Protocol):
    """The training in progress, as a callback sees it. Only `stop` is there to be called.

    Attributes:
        name: the name of the spec.
        spec: the text of the spec.
        folder: the folder of the checkpoints, None where none are written.
        epoch: the epoch in progress, from 1.
        epochs: how many there will be, None where ``steps`` limits the training.
        step: the number of steps done, those before a resumption included.
        steps: how many there will be, None where ``epochs`` limits the training and its length is not known.
        batches: batches of one epoch, None where that is not known before the first has ended.
        rows: rows of one epoch, None likewise.
        metrics: the names of the metrics in records.
        seed: the seed of the training.
        engine: the name of the engine, such as "numpy".
    """

    @property
    def name(self) -> str: ...
    @property
    def spec(self) -> str: ...
    @property
    def folder(self) -> Path | None: ...
    @property
    def epoch(self) -> int: ...
    @property
    def epochs(self) -> int | None: ...
    @property
    def step(self) -> int: ...
    @property
    def steps(self) -> int | None: ...
    @property
    def batches(self) -> int | None: ...
    @property
    def rows(self) -> int | None: ...
    @property
    def metrics(self) -> tuple[str, ...]: ...
    @property
    def seed(self) -> int: ...
    @property
    def engine(self) -> str: ...

    def stop(self, reason: str) -> None:
        """End the training after the batch in progress; `History.stopped` gives the reason."""


class Callback:
    """Watches a training: derive from it and define the methods that are needed; the others do nothing.

    A record is a dict of plain numbers: ``epoch``, ``step`` and ``batch`` (counted from 1), ``seconds``,
    ``rows_per_second``, the loss and the metrics by name (``loss``, ``accuracy``; after a validation also
    ``validation.loss``), ``learning_rate``. It belongs to the training: copy it to keep it.

    What a callback raises ends the training and reaches the caller as it is.

    Example:
        >>> class Patience(Callback):
        ...     def on_epoch_end(self, run, record):
        ...         if record["loss"] < 0.01:
        ...             run.stop("the loss is small enough")
    """

    def on_train_begin(self, run: Run) -> None:
        """Called once, before the first batch; when resumed, ``run.step`` steps have been done before."""

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """Called before the first batch of an epoch, and when one is resumed in its middle."""

    def on_batch_end(self, run: Run, record: Record) -> None:
        """Called after each batch, with the loss and the metrics of this batch."""

    def on_validation_end(self, run: Run, record: Record) -> None:
        """Called after each validation, with ``validation.loss`` and the other metrics."""

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Called after each epoch, with means over all its rows, and the last validation if there was one."""

    def on_checkpoint(self, run: Run, path: Path) -> None:
        """Called when a checkpoint has been written whole, with its folder."""

    def on_train_end(self, run: Run, history: History) -> None:
        """Called once at the end, also when training was stopped, failed or was interrupted."""


HOOKS = tuple(name for name in vars(Callback) if name.startswith("on_"))


class Callbacks:
    """Calls callbacks in order: objects that have some of the methods of `Callback`, derived from it or not.

    Raises:
        TypeError: an object has no such method, or one that begins with ``on_`` and would never be called.
    """

    def __init__(self, callbacks: Iterable[Any] = ()):
        self._callbacks = list(callbacks)
        for callback in self._callbacks:
            _check(callback)
        self._called: dict[str, list[Callable[..., None]]] = {name: self._those_with(name) for name in HOOKS}
        self._begun: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        return iter(self._callbacks)

    def __len__(self) -> int:
        return len(self._callbacks)

    @contextmanager
    def watching(self, run: Run, history: History) -> Iterator[None]:
        """Call `on_train_begin` of all, and `on_train_end` however the block is left."""
        try:
            self.on_train_begin(run)
            yield
        finally:
            self.on_train_end(run, history)

    def on_train_begin(self, run: Run) -> None:
        """Call those that have it, and remember who began."""
        self._begun = []
        for callback in self._callbacks:
            getattr(callback, "on_train_begin", _nothing)(run)
            self._begun.append(callback)

    def on_epoch_begin(self, run: Run, epoch: int) -> None:
        """Call those that have it."""
        for call in self._called["on_epoch_begin"]:
            call(run, epoch)

    def on_batch_end(self, run: Run, record: Record) -> None:
        """Call those that have it."""
        for call in self._called["on_batch_end"]:
            call(run, record)

    def on_validation_end(self, run: Run, record: Record) -> None:
        """Call those that have it."""
        for call in self._called["on_validation_end"]:
            call(run, record)

    def on_epoch_end(self, run: Run, record: Record) -> None:
        """Call those that have it."""
        for call in self._called["on_epoch_end"]:
            call(run, record)

    def on_checkpoint(self, run: Run, path: Path) -> None:
        """Call those that have it."""
        for call in self._called["on_checkpoint"]:
            call(run, path)

    def on_train_end(self, run: Run, history: History) -> None:
        """Call all that began, once, also where one of them raises; then raise the first that was raised."""
        begun, self._begun = self._begun, []
        failure: BaseException | None = None
        for callback in begun:
            try:
                getattr(callback, "on_train_end", _nothing)(run, history)
            except BaseException as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def _those_with(self, name: str) -> list[Callable[..., None]]:
        default = getattr(Callback, name)
        found = (getattr(callback, name, None) for callback in self._callbacks)
        return [call for call in found if call is not None and getattr(call, "__func__", None) is not default]


def _nothing(*arguments: Any) -> None:
    """Stand in for a method that a callback does not have."""


def _check(callback: Any) -> None:
    kind = callback.__name__ if isinstance(callback, type) else type(callback).__name__
    if isinstance(callback, type):
        raise TypeError(f"{kind} is a class; a callback is an object: {kind}()")
    names = [name for name in dir(callback) if name.startswith("on_")]
    unknown = [name for name in names if name not in HOOKS]
    if unknown:
        hint = did_you_mean(unknown[0], HOOKS) or f"there are {', '.join(HOOKS)}"
        raise TypeError(f"{kind}.{unknown[0]} would never be called: {hint}")
    if not names:
        raise TypeError(f"{kind} is no callback: it has none of {', '.join(HOOKS)}")
