"""What can be trained: the methods of a program for training and for what comes after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from graphspec.specialise import Models
from graphspec.weights import Parameters

if TYPE_CHECKING:
    import numpy as np

    from graphspec.train.dataset import Dataset
    from graphspec.train.history import History
    from graphspec.train.loop import Trainer
    from graphspec.train.matching import Matching


class Trainable:
    """Trains, evaluates and predicts with the parameters that it holds; `Program` derives from it."""

    def __init__(self, models: Models, parameters: Parameters):
        self._models = models
        self._parameters = parameters
        self._statistics: Mapping[str, np.ndarray] = {}  # of inputs that are standardised

    def train(
        self,
        data: Any = None,
        *,
        engine: str = "numpy",
        callbacks: Iterable[Any] = (),
        resume: bool = False,
        **settings: Any,
    ) -> History:
        """Train the parameters as the section `train` says, and return what happened.

        Args:
            data: rows: a mapping of arrays by input, an iterable of such batches, a data frame, or a mapping of the
                parts "train" and "validation" to these, fed as they are; default: the document's section `data`.
            engine: "numpy" or "jax".
            callbacks: objects with methods of `graphspec.train.callback.Callback`.
            resume: go on from the newest checkpoint of the folder, if there is one.
            settings: keys of the section `train` that replace the document's, such as ``epochs=3``.

        Raises:
            SpecError: the section or the settings are wrong.
            FeedError: the data cannot be read or does not fit.
            ExecutionError: the loss is not finite; the error names the node that bore it.
            CheckpointError: a checkpoint cannot be written, or does not fit.
        """
        return self.finish(self.trainer(data, engine=engine, callbacks=callbacks, resume=resume, **settings))

    def finish(self, trainer: Trainer) -> History:
        """Run a training of this program; see `train`."""
        history = trainer.run()
        self._statistics = dict(trainer.data.statistics)
        return history

    def trainer(
        self,
        data: Any = None,
        *,
        engine: str = "numpy",
        callbacks: Iterable[Any] = (),
        resume: bool = False,
        **settings: Any,
    ) -> Trainer:
        """Return a training that has not begun; see `train`."""
        from graphspec.train import entry

        facts: dict[str, Any] = {"settings": settings, "engine": engine, "callbacks": callbacks, "resume": resume}
        return entry.trainer(self._models, self._parameters, data, **facts)

    def rows(self, data: Any, *, to_predict: Sequence[str] | None = None) -> Dataset:
        """Return a data set for `evaluate` and `predict`.

        Args:
            data: rows as for `train`, the name of a part of the document's data, or a file with columns like those of
                its training data.
            to_predict: only what these nodes need is read (default: the outputs with rows), so labels may be missing.

        Raises:
            FeedError: the data cannot be read or does not fit.
        """
        from graphspec.train import entry

        return entry.rows(self._models.first, data, self._statistics, to_predict)

    def evaluate(self, data: Any = None, names: Sequence[str] = (), **options: Any) -> dict[str, float]:
        """Return metrics over a whole data set.

        Args:
            data: rows as for `train`, or the name of a part of the document's data; default: "validation".
            names: scalars of the model; default: the metrics of `train`.
            options: ``batch`` (rows computed at a time), ``engine``, ``seed``.

        Raises:
            FeedError: the data or a name does not fit.
        """
        from graphspec.train import entry

        rows = self.rows("validation" if data is None else data)
        return entry.evaluate(self._models, self._parameters, rows, names, **options)

    def predict(self, data: Any, names: Sequence[str] = (), **options: Any) -> dict[str, np.ndarray]:
        """Return values of the model for every row of the data, by name.

        Args:
            data: rows as for `train`, or the name of a part of the document's data.
            names: nodes with one value for each row; default: the outputs that have.
            options: ``batch`` (rows computed at a time), ``engine``, ``seed``.

        Raises:
            FeedError: the data or a name does not fit.
        """
        from graphspec.train import entry

        rows = self.rows(data, to_predict=names)
        return entry.predict(self._models, self._parameters, rows, names, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the weights to a safetensors file: parameters, state and the statistics of the data.

        Raises:
            CheckpointError: the file cannot be written.
        """
        from graphspec.train.saving import save_weights

        save_weights(path, dict(self._parameters), self._statistics)

    def load(self, path: str | os.PathLike[str], *, partial: bool = False) -> Matching:
        """Read weights from a safetensors file, a checkpoint, or a folder of checkpoints (then the newest).

        Args:
            path: the file or folder.
            partial: take what fits by name and type and leave the rest; the result tells which.

        Raises:
            CheckpointError: it cannot be read, or does not fit; nothing is changed then.
        """
        from graphspec.train.saving import load_weights

        values, self._statistics, matching = load_weights(path, self._parameters, partial)
        self._parameters.assign(values)
        return matching
