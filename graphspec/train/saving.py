"""Between a training and its checkpoints: what is saved, and how it is brought back."""

from __future__ import annotations

import os
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from graphspec.atomic import write_whole
from graphspec.errors import CheckpointError, problem
from graphspec.tensors_file import TensorsFileError, tensor_chunks
from graphspec.train.checkpoint import Checkpoints, weights_of
from graphspec.train.matching import Matching, matching
from graphspec.train.position import Position
from graphspec.types import TensorType
from graphspec.weights import Parameters

if TYPE_CHECKING:
    from graphspec.train.loop import Trainer

# Before names in files of weights; no path of a parameter has a colon.
_STATISTICS = "data:"  # statistics of the data, which a prediction needs too
_RAW = "raw:"  # parameters in training, where the model is used with their averages


class Saver:
    """Saves a training, and brings one back.

    Args:
        trainer: the training; without a folder nothing is saved.
    """

    def __init__(self, trainer: Trainer):
        self.trainer = trainer
        checkpoint = trainer.section.checkpoint
        keep = checkpoint.keep if checkpoint is not None else None
        self.store = Checkpoints(trainer.folder, keep) if trainer.folder is not None else None
        self._saved: tuple[int, int] | None = None  # epoch and batches of the last one

    def save(self, best: bool = False) -> None:
        """Save what is needed to go on: values, the state of the optimizer, and the position.

        Raises:
            CheckpointError: it cannot be written; older checkpoints are whole.
        """
        trainer, position = self.trainer, self.trainer.position
        now = (position.epoch, position.ticks)
        if self.store is None or (self._saved == now and not best):
            return
        facts = {"spec": trainer.spec, "name": trainer.name, "seed": trainer.seed, "position": position.to_dict()}
        path = self.store.save(self._weights(), self._rest(), facts, step=position.ticks, best=best)
        self._saved = now
        trainer.callbacks.on_checkpoint(trainer, path)

    def _weights(self) -> dict[str, np.ndarray]:
        """Return what a prediction needs."""
        trainer = self.trainer
        own = set(trainer.training.own)
        weights = {path: np.asarray(array) for path, array in trainer.evaluated().items() if path not in own}
        return weights | {f"{_STATISTICS}{name}": array for name, array in trainer.data.statistics.items()}

    def _rest(self) -> dict[str, np.ndarray]:
        """Return what only the training needs."""
        trainer = self.trainer
        arrays = {path: np.asarray(trainer.values[path]) for path in trainer.training.own}
        return arrays | {f"{_RAW}{path}": np.asarray(trainer.values[path]) for path in trainer.training.averages}

    def make_room(self) -> Path | None:
        """Move the checkpoints of an earlier training aside, before one that does not go on from them is saved there.

        Returns:
            the folder that they are in now; None where there were none.

        Raises:
            CheckpointError: they cannot be moved.
        """
        if self.store is None or self.store.is_empty or self._saved is not None:
            return None
        folder = self.store.folder
        aside = next(path for n in count(1) if not os.path.lexists(path := folder.with_name(f"{folder.name}-{n}")))
        try:
            folder.rename(aside)
        except OSError as error:
            message = f"the earlier training in '{folder}' cannot be moved to '{aside}': {error.strerror}"
            raise CheckpointError(problem("GS650", message, hint="--resume goes on from it")) from None
        return aside

    def resume(self) -> bool:
        """Bring the newest checkpoint back; tell whether there was one.

        Raises:
            CheckpointError: it is damaged, or of another training.
        """
        if self.store is None or self.store.is_empty:
            return False
        found = self.store.load()
        trainer = self.trainer
        arrays = {name: array for name, array in found.arrays.items() if not name.startswith((_STATISTICS, _RAW))}
        arrays |= {n.removeprefix(_RAW): array for n, array in found.arrays.items() if n.startswith(_RAW)}
        wanted = {path: item.type for path, item in trainer.training.model.parameters.items()}
        trainer.values = matching(arrays, wanted).complete(os.fspath(found.path))
        trainer.go_on(Position.from_dict(found.facts["position"]), self._best_values())
        self._saved = (trainer.position.epoch, trainer.position.ticks)
        return True

    def _best_values(self) -> dict[str, np.ndarray] | None:
        """Return the values of the best checkpoint, where early stopping is to bring them back in the end."""
        stopping = self.trainer.section.early_stopping
        if self.store is None or stopping is None or not stopping.restore or not self.store.has_best:
            return None
        weights = self.store.load("best", weights_only=True).weights
        return {path: array for path, array in weights.items() if not path.startswith(_STATISTICS)}


def save_weights(
    path: str | os.PathLike[str], values: Mapping[str, np.ndarray], statistics: Mapping[str, np.ndarray]
) -> None:
    """Write values and the statistics of the data to a safetensors file, which is whole or as it was before.

    Raises:
        CheckpointError: GS606.
    """
    arrays = {**values, **{f"{_STATISTICS}{name}": array for name, array in statistics.items()}}
    try:
        write_whole(path, tensor_chunks(arrays))
    except (OSError, TensorsFileError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise CheckpointError(problem("GS606", f"'{os.fspath(path)}' cannot be written: {reason}")) from None


def load_weights(
    path: str | os.PathLike[str], parameters: Parameters, partial: bool
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray], Matching]:
    """Read weights; return the values by path, the statistics of the data, and what matched.

    Raises:
        CheckpointError: they cannot be read, or do not fit and ``partial`` is not asked for.
    """
    arrays = weights_of(path)
    statistics = {n.removeprefix(_STATISTICS): a for n, a in arrays.items() if n.startswith(_STATISTICS)}
    wanted: dict[str, TensorType] = parameters.types()
    found = matching({n: a for n, a in arrays.items() if not n.startswith(_STATISTICS)}, wanted)
    return (found.matched if partial else found.complete(os.fspath(path))), statistics, found


__all__ = ["Saver", "load_weights", "save_weights"]
