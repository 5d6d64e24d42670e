"""What the specs that train reach on their held-out rows, beside scikit-learn and PyTorch: medians over five seeds.

`python -m benchmarks.compare_training [NAME ...]`. All three get the same rows, transformed by the spec. PyTorch trains
the same model with first values of the same distribution, optimizer, schedule, batch and epochs. scikit-learn's linear
models are solved, not trained; its perceptrons have the same hidden layers, batch and epochs, but no dropout and no
schedule, and their weight decay is a penalty. It has no convolution and no transformer.
"""

from __future__ import annotations

import statistics
import sys
import time
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

import graphspec as gs
from benchmarks.peers import PEERS, Training
from graphspec.loader import train_section

FOLDER = Path(__file__).resolve().parents[1] / "specs" / "networks"
SEEDS = range(5)
METRICS = {"diabetes_linear": "r2", "diabetes_mlp": "r2", "digits_autoencoder": "explained", "characters": "loss"}

Rows = Mapping[str, np.ndarray]


def program(name: str) -> gs.Program:
    return gs.load(FOLDER / f"{name}.yaml")


def rows(name: str) -> dict[str, dict[str, np.ndarray]]:
    """Return the arrays of the training part and of the part that is held out; for XOR they are the same."""
    trainer = program(name).trainer()
    train = next(trainer.data.batches(None))
    return {"train": train, "validation": next(trainer.validation.batches(None)) if trainer.validation else train}


# -- the three ---------------------------------------------------------------------------------------------------------


def with_graphspec(name: str, data: Mapping[str, Rows], seed: int) -> float:
    metric = METRICS.get(name, "accuracy")
    record = program(name).train(seed=seed).records[-1]
    return float(record.get(f"validation.{metric}", record[metric]))


def with_torch(name: str, data: Mapping[str, Rows], seed: int) -> float:
    section = train_section(program(name).model.function)
    assert section.epochs is not None
    training = Training(PEERS[name], data["train"], section.batch, section.epochs, seed)
    for _ in range(section.epochs):
        training.epoch()
    return training.evaluate(data["validation"])


def with_sklearn(name: str, data: Mapping[str, Rows], seed: int) -> float | None:
    if name not in ESTIMATORS:
        return None
    x, y, make = ESTIMATORS[name]
    section = train_section(program(name).model.function)
    facts = {"batch_size": section.batch or len(data["train"][x]), "max_iter": section.epochs, "random_state": seed}
    parts = {part: [found[i].reshape(len(found[i]), -1) for i in (x, y)] for part, found in data.items()}
    (features, target), (unseen, answer) = parts["train"], parts["validation"]
    target, answer = (array[:, 0] if array.shape[1] == 1 else array for array in (target, answer))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that so few epochs are no convergence
        estimator = make(facts).fit(features, target)
    if name == "xor":
        return float(np.mean((estimator.predict(unseen) > 0.5) == (answer == 1)))
    if name == "digits_autoencoder":  # all pixels together, not the mean over pixels
        residue = np.square(estimator.predict(unseen) - answer).sum()
        return float(1 - residue / np.square(answer - answer.mean(0)).sum())
    return float(estimator.score(unseen, answer))


def logistic(facts: dict[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=10_000)


def least_squares(facts: dict[str, Any]) -> Any:
    from sklearn.linear_model import LinearRegression

    return LinearRegression()


def classifier(hidden: tuple[int, ...], **options: Any) -> Callable[[dict[str, Any]], Any]:
    from sklearn.neural_network import MLPClassifier

    return lambda facts: MLPClassifier(hidden_layer_sizes=hidden, tol=0, n_iter_no_change=10_000, **options, **facts)


def regressor(hidden: tuple[int, ...], **options: Any) -> Callable[[dict[str, Any]], Any]:
    from sklearn.neural_network import MLPRegressor

    return lambda facts: MLPRegressor(hidden_layer_sizes=hidden, tol=0, n_iter_no_change=10_000, **options, **facts)


def of_target(make: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    """Return a regressor of (target - 150) / 75, as in the spec."""
    from sklearn.compose import TransformedTargetRegressor

    moved = {"func": lambda y: (y - 150) / 75, "inverse_func": lambda y: 150 + 75 * y}
    return lambda facts: TransformedTargetRegressor(make(facts), **moved)


ESTIMATORS: dict[str, tuple[str, str, Callable[[dict[str, Any]], Any]]] = {
    # its loss of squares is halved, so the rate is doubled
    "xor": (
        "x",
        "target",
        regressor(
            (4,),
            activation="tanh",
            solver="sgd",
            learning_rate_init=0.4,
            momentum=0.9,
            nesterovs_momentum=False,
            alpha=0,
        ),
    ),
    "two_moons": ("x", "label", classifier((16, 16), activation="tanh", learning_rate_init=0.01, alpha=0)),
    "iris_linear": ("flower", "species", logistic),
    "iris_mlp": ("flower", "species", classifier((16,), activation="tanh", learning_rate_init=0.01)),
    "breast_cancer_linear": ("nuclei", "benign", logistic),
    "breast_cancer_mlp": ("nuclei", "benign", classifier((32,), learning_rate_init=0.002)),
    "diabetes_linear": ("patient", "progression", least_squares),
    "diabetes_mlp": (
        "patient",
        "progression",
        of_target(regressor((16,), activation="tanh", learning_rate_init=0.01)),
    ),
    "digits_linear": ("image", "label", logistic),
    "digits_mlp": ("image", "label", classifier((256,), learning_rate_init=0.005)),
    "digits_autoencoder": ("image", "image", regressor((64, 8, 64), learning_rate_init=0.004, alpha=0)),
}


# -- the table ---------------------------------------------------------------------------------------------------------


def compare(name: str) -> list[str]:
    """Return the row of a spec: the median of each, with the least and the greatest."""
    data, cells = rows(name), []
    for run in (with_graphspec, with_sklearn, with_torch):
        found = [run(name, data, seed) for seed in SEEDS]
        values = sorted(value for value in found if value is not None)
        spread = f" ({values[0]:.4f} to {values[-1]:.4f})" if values and values[0] < values[-1] else ""
        cells.append(f"{statistics.median(values):.4f}{spread}" if values else "none")
    return [name, METRICS.get(name, "accuracy"), *cells]


def main(names: list[str]) -> None:
    """Print the table, in Markdown."""
    print("| spec | metric | graphspec | scikit-learn | PyTorch |\n|---|---|---|---|---|", flush=True)
    start = time.perf_counter()
    for name in names or PEERS:
        print(f"| {' | '.join(compare(name))} |", flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
