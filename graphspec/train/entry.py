"""What users ask of training: train, evaluate and predict, on the document's data or on data from Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.attribute import dims_in
from graphspec.data_section import ColumnDeclaration, DataSection, SourceDeclaration
from graphspec.declaration import Function
from graphspec.engine import engine_named
from graphspec.errors import FeedError, did_you_mean, problem
from graphspec.loader import inside, train_section
from graphspec.model import Model
from graphspec.specialise import Models
from graphspec.train.dataset import Dataset, dataset_of, open_datasets, open_file, prefetched
from graphspec.train.evaluation import Evaluation, batch_dim
from graphspec.train.loop import Trainer
from graphspec.train.python_data import column_names
from graphspec.train.session import Session
from graphspec.train_section import CheckpointSettings, TrainSection
from graphspec.types import TensorType
from graphspec.weights import Parameters

PARTS = ("train", "validation", "test")
_ROWS = 256  # of a batch where nothing is learned


def trainer(
    models: Models,
    parameters: Parameters,
    data: Any = None,
    *,
    settings: Mapping[str, Any],
    engine: str = "numpy",
    callbacks: Iterable[Any] = (),
    resume: bool = False,
) -> Trainer:
    """Return a training that is ready to run.

    Args:
        models, parameters: the document, and where its values begin.
        data: rows from Python, see `data_sets`; default: the document's section `data`.
        settings: keys of the section `train` that replace what the document says.
        engine: "numpy" or "jax".
        callbacks: those that watch.
        resume: go on from the newest checkpoint, if there is one.

    Raises:
        GraphSpecError: the document, its data or the settings are wrong.
    """
    section = train_section(models.first.function, settings)
    sets = data_sets(models.first, data)
    if "train" not in sets:
        raise FeedError(problem("GS643", "there is no training data", hint="`data: {train: {file: ..., inputs: ...}}`"))
    folder = checkpoint_folder(models.first, section, "checkpoint" in settings)
    made = Trainer(models, parameters, section, sets, engine=engine, callbacks=callbacks, folder=folder)
    if resume:
        made.saver.resume()
    return made


def checkpoint_folder(model: Model, section: TrainSection, widened: bool) -> Path | None:
    """Return the folder of the checkpoints: inside the spec's folder, unless the caller names another (``widened``).

    Raises:
        FeedError: it is outside.
    """
    settings: CheckpointSettings | None = section.checkpoint
    if settings is None:
        return None
    if widened:
        return Path(settings.folder)
    home, place = model.function.folder, section.place("checkpoint")
    found = None if home is None else inside(home, home, settings.folder)
    if found is None:
        where = "which a spec given as text has not" if home is None else "and this is outside"
        message = f"checkpoints stay inside the spec's folder, {where}: '{settings.folder}'"
        raise FeedError(
            problem("GS112", message, place, hint="--checkpoint FOLDER, or train(checkpoint=...), may be any")
        )
    return found


def data_sets(model: Model, data: Any = None, statistics: Mapping[str, np.ndarray] | None = None) -> dict[str, Dataset]:
    """Return the data sets by part.

    Args:
        model: the model that they feed.
        data: a mapping of the parts "train", "validation" and "test", or the rows to train on; None: the document's.
        statistics: those of inputs that are standardised; default: the training part's.

    Raises:
        FeedError: the data cannot be read or does not fit.
    """
    types = {name: item.type for name, item in model.inputs.items()}
    if data is None:
        section = model.function.data_section
        if section is None:
            return {}
        batch_dim(model, [name for source in section.sources.values() for name in source.inputs if name in types])
        return open_datasets(section, types, model.function.folder, statistics)
    if isinstance(data, Mapping) and data and set(data) <= set(PARTS) and not set(data) & set(types):
        return {part: _from_python(model, value) for part, value in data.items()}
    return {"train": _from_python(model, data)}


def _from_python(model: Model, data: Any) -> Dataset:
    """Return rows from Python: they are what the inputs are fed, so no transform of the section `data` is applied."""
    types = {name: item.type for name, item in model.inputs.items()}
    batch_dim(model, [name for name in column_names(data) or () if name in types])
    return dataset_of(data, types)


def rows(
    model: Model, data: Any, statistics: Mapping[str, np.ndarray], to_predict: Sequence[str] | None = None
) -> Dataset:
    """Return the data set of a part of the document's data, of a file with columns like it, or of rows from Python.

    ``to_predict``: only the inputs that these nodes need are read; empty: those of the outputs with rows.

    Raises:
        FeedError: there is no such part, or the data does not fit.
    """
    types = {name: item.type for name, item in model.inputs.items()}
    if isinstance(data, Dataset):
        return data
    if not isinstance(data, str | Path):
        return _from_python(model, data)
    section: DataSection | None = model.function.data_section
    if data in PARTS and section is not None:
        sets = open_datasets(section, types, model.function.folder, statistics or None)
        if data not in sets:
            hint = f"there are {', '.join(sets)}"
            raise FeedError(problem("GS643", f"the document has no data '{data}'", hint=hint))
        return sets[str(data)]
    if data in PARTS and not Path(data).exists():
        raise FeedError(problem("GS643", "the document has no section `data`", hint="--data FILE names a file"))
    if not Path(data).suffix and not Path(data).exists():
        raise FeedError(problem("GS643", f"there is no data '{data}'", hint=did_you_mean(str(data), PARTS)))
    wanted = types if to_predict is None else _needed(model, to_predict, types)
    return open_file(Path(data), _like(model.function, section, wanted), types, statistics)


def _like(function: Function, section: DataSection | None, wanted: Iterable[str]) -> SourceDeclaration:
    """Return what the columns of a file mean: what those of the training data do, else they are named as the inputs."""
    if section is not None:
        source = next(iter(section.sources.values()))
        return replace(source, inputs={name: item for name, item in source.inputs.items() if name in wanted})
    origin = function.origin
    inputs = {name: ColumnDeclaration(name, origin, (name,), (origin,)) for name in wanted}
    return SourceDeclaration("train", origin, inputs=inputs)


def _needed(model: Model, names: Sequence[str], types: Mapping[str, TensorType]) -> list[str]:
    """Return the inputs that nodes need, or (no names) those of the outputs whose first dim has a name."""
    nodes = [model.find(name) for name in names] or [
        node
        for node in model.outputs.values()
        if isinstance(found := model.graph.types[node], TensorType) and found.shape and dims_in(found.shape[:1])
    ]
    needed = set(model.graph.ancestors([node for node in nodes if node is not None]))
    return [name for name in types if model.inputs[name].node in needed]


def evaluate(
    models: Models,
    parameters: Parameters,
    data: Dataset,
    names: Sequence[str] = (),
    *,
    batch: int | None = None,
    engine: str = "numpy",
    seed: int = 0,
) -> dict[str, float]:
    """Return scalars over a whole data set; default: the metrics of `train`, else the scalar outputs.

    Raises:
        FeedError: a name is no scalar, or the data does not fit.
    """
    model = models.for_feeds(dict.fromkeys(data.names, 0.0))
    section = train_section(model.function)
    wanted = tuple(names) or section.metrics or tuple(n for n, node in model.outputs.items() if _is_scalar(model, node))
    nodes = {}
    for name in wanted:
        node = model.find(name)
        if node is None or not _is_scalar(model, node):
            hint = did_you_mean(name, [*model.graph.names, *model.outputs])
            raise FeedError(problem("GS641", f"the metric '{name}' is no scalar of the model", hint=hint))
        nodes[name] = node
    evaluation = Evaluation(model, nodes, data.names, engine_named(engine), seed)
    with closing(prefetched(data.batches(batch or _ROWS))) as batches:
        return evaluation.run(batches, values_of(model, parameters, seed))


def predict(
    models: Models,
    parameters: Parameters,
    data: Dataset,
    names: Sequence[str] = (),
    *,
    batch: int | None = None,
    engine: str = "numpy",
    seed: int = 0,
) -> dict[str, np.ndarray]:
    """Return values of the model with one row for each row of the data; default: the outputs that have rows.

    Raises:
        FeedError: a name has no rows, or the data does not fit.
    """
    model = models.for_feeds(dict.fromkeys(data.names, 0.0))
    dim = batch_dim(model, data.names)
    known = {name: node for name, node in model.outputs.items() if _has_rows(model, node, dim)}
    wanted = tuple(names) or tuple(name for name, node in known.items() if _computable(model, node, data.names))
    nodes = {}
    for name in wanted:
        node = model.find(name)
        if node is None or not _has_rows(model, node, dim):
            hint = did_you_mean(name, [*model.graph.names, *model.outputs])
            message = f"'{name}' has not one value for each row of the data"
            raise FeedError(problem("GS645", message, hint=hint))
        nodes[name] = node
    if not nodes:
        raise FeedError(problem("GS645", "no output has one value for each row of the data", hint="name a node"))
    session = Session(model, list(nodes.values()), data.names, engine_named(engine), seed)
    values = values_of(model, parameters, seed)
    found: list[list[Any]] = [[] for _ in nodes]
    with closing(prefetched(data.batches(batch or _ROWS))) as batches:
        for rows in batches:
            for store, array in zip(found, session.run(rows, values), strict=True):
                store.append(array)
    if not found[0]:
        raise FeedError(problem("GS643", "there are no rows to predict"))
    return {name: np.concatenate(store) for name, store in zip(nodes, found, strict=True)}


def values_of(model: Model, parameters: Parameters, seed: int) -> dict[str, np.ndarray]:
    """Return the values of all parameters and state by path."""
    return {path: parameters.value(item, seed) for path, item in model.parameters.items()}


def _is_scalar(model: Model, node: int) -> bool:
    found = model.graph.types[node]
    return isinstance(found, TensorType) and found.is_scalar


def _has_rows(model: Model, node: int, dim: str) -> bool:
    found = model.graph.types[node]
    return isinstance(found, TensorType) and bool(found.shape) and dims_in(found.shape[:1]) == {dim}


def _computable(model: Model, node: int, fed: Sequence[str]) -> bool:
    """Tell whether a node needs no input but those that are fed or have a default."""
    needed = set(model.graph.ancestors([node]))
    return all(
        item.node not in needed or name in fed or item.default is not None for name, item in model.inputs.items()
    )
