"""What `train` gives back: columns, the short table, the notebook form."""

from __future__ import annotations

import math

import pytest
from fake_training import FakeRun, train

from graphspec.train.history import History, columns, number, quantities


def test_it_has_a_record_per_epoch() -> None:
    history = train(FakeRun(), [], epochs=3, batches=4)
    assert [record["epoch"] for record in history.records] == history.column("epoch") == [1, 2, 3]
    assert history.column("step") == [4, 8, 12]


def test_a_column_has_nan_where_an_epoch_has_nothing() -> None:
    history = History([{"epoch": 1, "loss": 2.0}, {"epoch": 2, "loss": 1.0, "validation.loss": 1.5}])
    first, second = history.column("validation.loss")
    assert math.isnan(first)
    assert second == 1.5


def test_an_unknown_column_is_an_error_with_a_suggestion() -> None:
    with pytest.raises(KeyError, match=r"no record has 'los' did you mean 'loss'\?"):
        History([{"epoch": 1, "loss": 2.0}]).column("los")
    with pytest.raises(KeyError):
        History().column("loss")


def test_columns_and_quantities_keep_their_order() -> None:
    records = [{"epoch": 1, "b": 1, "validation.a": 1, "a": 1, "learning_rate": 1}, {"c": 2, "validation.b": 1}]
    assert columns(records) == ["epoch", "b", "validation.a", "a", "learning_rate", "c", "validation.b"]
    assert quantities(records) == ["b", "a", "c", "validation.a", "validation.b"]


def test_it_shows_a_short_table() -> None:
    history = train(FakeRun(), [], epochs=3, batches=4)
    history.best, history.skipped = history.records[2], 2
    assert repr(history).splitlines() == [
        "3 epochs in 3 s; best: epoch 3; 2 bad rows skipped; all epochs are done",
        "epoch    loss  accuracy  validation.loss  validation.accuracy  seconds",
        "    1   1.213    0.5956            1.223               0.5923     1.00",
        "    2  0.7358    0.7547           0.7458               0.7514     1.00",
        "    3  0.4463    0.8512           0.4563               0.8479     1.00",
    ]


def test_a_long_training_shows_its_first_epochs_and_its_last() -> None:
    lines = repr(train(FakeRun(), [], epochs=500, batches=1)).splitlines()
    assert len(lines) == 15
    assert [line.split()[0] for line in lines[2:]] == [*"123456", "…", *(str(i) for i in range(495, 501))]


def test_nothing_and_one_epoch_are_shown_too() -> None:
    assert repr(History()) == "0 epochs in 0 s\nepoch  seconds"
    assert repr(History([{"epoch": 1, "loss": float("nan")}])).splitlines()[-1].split() == ["1", "nan"]


def test_a_notebook_gets_html() -> None:
    bundle = History([{"epoch": 1, "<b>": 2.0}], stopped="a < b")._repr_mimebundle_()
    assert bundle["text/plain"].startswith("1 epoch in 0 s; a < b\n")
    assert '<th style="text-align: right">&lt;b&gt;</th>' in bundle["text/html"]
    assert "<caption>1 epoch in 0 s; a &lt; b</caption>" in bundle["text/html"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.241, "0.2410"),
        (1.0, "1.000"),
        (1712.3, "1712"),
        (123456.0, "1.235e+05"),
        (1e-5, "1.000e-05"),
        (0.0, "0.000"),
        (-0.5, "-0.5000"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (12, "12"),
    ],
)
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text
