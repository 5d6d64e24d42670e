"""The estimators for scikit-learn: its own checks, every one of them, and documents of one's own."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_digits, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import graphspec as gs
from graphspec.sklearn import GraphClassifier, GraphRegressor


@pytest.mark.filterwarnings("default")  # of checks that are skipped because a package is not there
@parametrize_with_checks([GraphClassifier(), GraphRegressor()])
def test_the_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)
NAMES = np.array(["setosa", "versicolor", "virginica"])[Y]
BINARY = (Y == 1).astype(int)


def document(nodes: str, outputs: str, label: str = "{shape: [batch], dtype: int64}", more: str = "") -> str:
    return (
        "graphspec: 1\nattributes: {features: 1, classes: 2, hidden: 8}\n"
        f"inputs:\n  x: {{shape: [batch, features]}}\n  label: {label}\n"
        f"nodes:\n  h: tanh(linear(x, units=hidden))\n{nodes}outputs: {outputs}\n"
        f"train: {{minimize: loss, optimizer: adam(learning_rate=0.02), epochs: 40, batch: 16{more}}}\n"
    )


LOGITS = document("  z: linear(h, units=classes)\n  loss: cross_entropy(z, label)\n", "[z, loss]")
SOFTMAX = document("  z: linear(h, units=classes)\n  p: softmax(z)\n  loss: cross_entropy(z, label)\n", "[p, loss]")
ONE_HOT = document(
    "  z: linear(h, units=classes)\n  loss: cross_entropy(z, label)\n", "[z, loss]", "{shape: [batch, classes]}"
)
SIGMOID = document(
    "  z: linear(h, units=1)\n  y: 'sigmoid(z[:, 0])'\n  loss: 'binary_cross_entropy(z[:, 0], label)'\n",
    "[y, loss]",
    "{shape: [batch]}",
)
COLUMN = document(
    "  z: linear(h, units=1)\n  loss: binary_cross_entropy(z, label)\n", "[z, loss]", "{shape: [batch, 1]}"
)


@pytest.mark.parametrize("spec", [LOGITS, SOFTMAX, ONE_HOT])
def test_documents_with_a_number_per_class(spec: str) -> None:
    model = GraphClassifier(spec, random_state=1).fit(X, NAMES)
    assert list(model.classes_) == ["setosa", "versicolor", "virginica"]
    assert model.score(X, NAMES) > 0.95
    shares = model.predict_proba(X)
    assert shares.shape == (150, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert model.decision_function(X).shape == (150, 3)
    assert set(model.predict(X)) == set(NAMES)


def test_probabilities_are_taken_as_such() -> None:
    model = GraphClassifier(SOFTMAX).fit(X, NAMES)
    expected = model.program_.predict({"x": X}, ["p"])["p"]
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-12)


@pytest.mark.parametrize("spec", [SIGMOID, COLUMN, LOGITS])
def test_documents_for_two_classes(spec: str) -> None:
    labels = np.where(BINARY, "yes", "no")
    model = GraphClassifier(spec, epochs=60).fit(X, labels)
    assert model.score(X, labels) > 0.9
    scores, shares = model.decision_function(X), model.predict_proba(X)
    assert scores.shape == (150,)
    np.testing.assert_allclose(shares[:, 1], 1 / (1 + np.exp(-scores)), atol=1e-12)
    assert ((scores > 0) == (model.predict(X) == "yes")).all()


def test_the_attributes_are_those_of_the_data_unless_they_are_given() -> None:
    assert GraphClassifier(LOGITS, epochs=1).fit(X, Y).program_.parameters["z.weight"].shape == (8, 3)
    wide = GraphClassifier(LOGITS, epochs=1, attributes={"classes": 5, "hidden": 4}).fit(X, Y)
    assert wide.program_.parameters["z.weight"].shape == (4, 5)
    assert wide.predict_proba(X).shape == (150, 3)


def test_images_are_reshaped() -> None:
    images, labels = load_digits(return_X_y=True)
    spec = document(
        "  c: flatten(max_pool(relu(conv2d(image, units=4)), window=2))\n  z: linear(c, units=classes)\n"
        "  loss: cross_entropy(z, label)\n",
        "[z, loss]",
    )
    spec = spec.replace("x: {shape: [batch, features]}", "image: {shape: [batch, 1, 8, 8]}")
    spec = spec.replace("  h: tanh(linear(x, units=hidden))\n", "")
    model = GraphClassifier(spec, epochs=3).fit(images[:1000] / 16, labels[:1000])
    assert model.score(images[1000:] / 16, labels[1000:]) > 0.8


def test_a_path_and_its_training(tmp_path: Path) -> None:
    path = tmp_path / "net.yaml"
    path.write_text(LOGITS.replace("batch: 16", "batch: 16, checkpoint: runs"), encoding="utf-8")
    model = GraphClassifier(path, random_state=3).fit(X, Y)
    assert not (tmp_path / "runs").exists()
    program = gs.loads(LOGITS, attributes={"features": 4, "classes": 3})
    history = program.train({"x": X, "label": Y}, seed=3)
    assert model.history_.column("loss") == history.column("loss")
    np.testing.assert_array_equal(model.program_.parameters["z.weight"], program.parameters["z.weight"])
    path.unlink()  # a pickle needs no file
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(model)).predict(X), model.predict(X))


def test_a_pickle_has_no_graph() -> None:
    model = GraphClassifier(hidden=(4,), epochs=2).fit(X, NAMES)
    content = pickle.dumps(model)
    assert b"graphspec.graph" not in content
    assert b"graphspec.program" not in content
    again = pickle.loads(content)
    np.testing.assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert again.history_.records == model.history_.records
    fresh = GraphClassifier(hidden=(2,))  # one that is not fitted
    assert pickle.loads(pickle.dumps(fresh)).get_params() == fresh.get_params()


def test_seeds() -> None:
    def weights(state: Any) -> np.ndarray:
        model = GraphClassifier(hidden=(4,), epochs=1, random_state=state).fit(X, Y)
        found: np.ndarray = model.program_.parameters["logits.weight"]
        return found

    np.testing.assert_array_equal(weights(None), weights(0))
    np.testing.assert_array_equal(weights(np.random.RandomState(5)), weights(np.random.RandomState(5)))
    assert (weights(0) != weights(1)).any()


def test_pipelines_and_searches() -> None:
    model = make_pipeline(StandardScaler(), GraphClassifier(hidden=(8,), epochs=50))
    assert cross_val_score(model, X, NAMES, cv=3).mean() > 0.9
    grid = {"hidden": [(), (4,)], "optimizer": ["sgd(learning_rate=0.1)", "adam(learning_rate=0.02)"]}
    search = GridSearchCV(GraphClassifier(epochs=10), grid, cv=2).fit(X, NAMES)
    assert search.best_score_ > 0.8
    twin = clone(search.best_estimator_)
    assert twin.get_params() == search.best_estimator_.get_params()
    with pytest.raises(NotFittedError):
        twin.predict(X)


def test_names_of_columns() -> None:
    table = pyarrow.table({f"c{i}": X[:, i] for i in range(4)})
    model = GraphClassifier(hidden=(4,), epochs=2).fit(X, Y)
    assert model.n_features_in_ == 4
    assert not hasattr(model, "feature_names_in_")
    assert GraphClassifier(hidden=(4,), epochs=2).fit(table, Y).n_features_in_ == 4


def test_regression_is_as_good_as_it_should_be() -> None:
    rows, target = load_diabetes(return_X_y=True)
    model = GraphRegressor(hidden=(), epochs=200).fit(rows * 20, (target - 150) / 77)
    assert model.score(rows * 20, (target - 150) / 77) > 0.5
    assert model.predict(rows).shape == (442,)


def test_several_outputs() -> None:
    both = np.stack([X[:, 0], -X[:, 1]], axis=1)
    model = GraphRegressor(hidden=(), epochs=120).fit(X, both)
    assert model.predict(X).shape == (150, 2)
    assert model.score(X, both) > 0.99
    assert GraphRegressor(epochs=1).fit(X, both[:, :1]).predict(X).shape == (150, 1)


def test_a_regression_with_one_number_per_row() -> None:
    spec = document(
        "  y: 'linear(h, units=1)[:, 0]'\n  loss: mean_squared_error(y, label)\n", "[y, loss]", "{shape: [batch]}"
    )
    model = GraphRegressor(spec, settings={"early_stopping": {"monitor": "loss", "patience": 3}})
    assert model.fit(X, X[:, 0]).score(X, X[:, 0]) > 0.9
    with pytest.raises(ValueError, match="1d array"):
        model.fit(X, X[:, :2])


REFUSED = [
    (LOGITS, {"input": "rows"}, r"GS646 input='rows' is no input"),
    (LOGITS, {"output": "zz"}, r"GS646 output='zz' is no node"),
    (LOGITS, {"output": "loss"}, r"GS646 which input is the input\? 'loss' needs x, label"),
    (LOGITS, {"target": "x"}, r"GS646 which input is the input\?|GS646 none of the outputs"),
    (LOGITS, {"attributes": {"classes": 2}}, r"GS646 y has 3 classes, and 'z' is float64\[batch, 2\]"),
    (SIGMOID, {}, r"GS646 y has 3 classes, and 'y' is float64\[batch\]"),
    (LOGITS, {"attributes": {"hiden": 2}}, "hiden"),
    (LOGITS, {"attributes": {"features": 3}}, "GS633"),
    (LOGITS, {"settings": {"epoch": 2}}, "unknown key 'epoch'"),
    ("{graphspec: 1, inputs: {x: 1}, nodes: {f: x * x}, outputs: f}", {}, "GS646 none of the outputs f is a"),
    (None, {"activation": "rellu"}, "rellu"),
]


@pytest.mark.parametrize(("spec", "settings", "message"), REFUSED)
def test_what_does_not_fit(spec: str | None, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GraphClassifier(spec, **settings).fit(X, Y)


def test_progress(capsys: pytest.CaptureFixture[str]) -> None:
    GraphClassifier(hidden=(2,), epochs=2).fit(X, Y)
    assert capsys.readouterr() == ("", "")
    GraphClassifier(hidden=(2,), epochs=2, verbose=True).fit(X, Y)
    assert "loss" in capsys.readouterr().err


def test_jax() -> None:
    numpy, jax = (GraphClassifier(hidden=(4,), epochs=2, engine=name).fit(X, Y) for name in ("numpy", "jax"))
    np.testing.assert_allclose(jax.predict_proba(X), numpy.predict_proba(X), rtol=1e-9)
