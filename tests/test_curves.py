"""The curves of a training: what is drawn, gaps, files that are equal for equal records, what is missing."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import matplotlib
import pytest
from fake_training import FakeRun, train
from matplotlib.backends.backend_agg import FigureCanvasAgg

from graphspec.errors import EngineError, GraphSpecError
from graphspec.train.log import LogCallback
from graphspec.view.curves import _figure, curves, kind_of

Records = list[dict[str, Any]]


def made(count: int, metrics: int = 1, validated: int = 1) -> Records:
    """Return records with a loss, other metrics, and a validation every so many epochs."""
    names = ["loss", *(f"metric_{i}" for i in range(1, metrics))]
    records: Records = []
    for epoch in range(1, count + 1):
        values = {name: math.exp(-epoch / count) + i for i, name in enumerate(names)}
        record = {"epoch": epoch, "step": 10 * epoch, "batch": 10, "seconds": 0.5, **values}
        if epoch % validated == 0:
            record |= {f"validation.{name}": value * 1.1 for name, value in values.items()}
        records.append({**record, "learning_rate": 0.1 / epoch})
    return records


def lines(records: Records) -> dict[str, list[Any]]:
    """Return the lines of each panel by its title."""
    return {axes.get_title(loc="left"): list(axes.get_lines()) for axes in _drawn(records).axes}


def _drawn(records: Records) -> Any:
    with matplotlib.rc_context({"axes.titlelocation": "left"}):
        figure = _figure(records)
        FigureCanvasAgg(figure).draw()
        return figure


@pytest.mark.parametrize("metrics", range(1, 7))
def test_each_quantity_has_a_panel_and_the_learning_rate_too(metrics: int) -> None:
    found = lines(made(20, metrics))
    assert list(found) == ["loss", *(f"metric_{i}" for i in range(1, metrics)), "learning_rate"]
    assert [len(panel) for panel in found.values()] == [*[2] * metrics, 1]
    assert list(found["loss"][0].get_xdata()) == list(range(1, 21))


@pytest.mark.parametrize("metrics", range(1, 7))
@pytest.mark.parametrize("count", [1, 2, 20, 300])
def test_no_text_lies_on_another(metrics: int, count: int) -> None:
    figure = _drawn(made(count, metrics))
    boxes = [legend.get_window_extent() for legend in figure.legends]
    for axes in figure.axes:
        boxes.append(axes._left_title.get_window_extent())
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [tick for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high]
            boxes += [tick.label1.get_window_extent() for tick in ticks]
        if axes.get_xlabel():
            boxes.append(axes.xaxis.label.get_window_extent())
    assert all(box.width > 0 for box in boxes)
    assert len(boxes) > 3 * len(figure.axes)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)


def test_a_validation_now_and_then_is_one_line() -> None:
    line = lines(made(20, validated=5))["loss"][1]
    assert list(line.get_xdata()) == [5, 10, 15, 20]


def test_what_is_not_finite_is_a_gap() -> None:
    records = made(30)
    records[10]["loss"], records[12]["loss"], records[20]["loss"] = float("nan"), float("inf"), "-inf"
    line = lines(records)["loss"][0]
    assert [i for i, y in enumerate(line.get_ydata()) if math.isnan(y)] == [10, 12, 20]
    assert line.get_markevery() == [11]  # no line leads to it


def test_one_epoch_is_a_mark() -> None:
    figure = _drawn(made(1))
    assert figure.axes[0].get_lines()[0].get_markevery() == [0]
    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["1"]


def test_many_decades_have_a_logarithmic_axis() -> None:
    records = [{"epoch": i, "loss": 10.0**-i, "accuracy": 0.5 + 0.1 * i} for i in range(1, 5)]
    assert [axes.get_yscale() for axes in _drawn(records).axes] == ["log", "linear"]


def test_records_without_epochs_of_their_own_are_drawn_over_steps() -> None:
    records = [{"epoch": 1, "step": 100 * i, "loss": 1 / i} for i in range(1, 4)]
    figure = _drawn(records)
    assert figure.axes[0].get_xlabel() == "step"
    assert list(figure.axes[0].get_lines()[0].get_xdata()) == [100, 200, 300]


@pytest.mark.parametrize("records", [[], [{"epoch": 1}], [{"epoch": 1, "loss": "nan"}], [{"loss": 1.0}, {"loss": 2.0}]])
@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_little_is_drawn_too(records: Records, suffix: str, tmp_path: Path) -> None:
    curves(records, tmp_path / f"curves.{suffix}")
    assert (tmp_path / f"curves.{suffix}").stat().st_size > 500


def test_an_svg_is_well_formed_has_text_and_is_the_same_again(tmp_path: Path) -> None:
    for name in ("a", "b"):
        curves(made(20, 3), tmp_path / f"{name}.svg")
    text = (tmp_path / "a.svg").read_text(encoding="utf-8")
    assert text == (tmp_path / "b.svg").read_text(encoding="utf-8")
    assert ElementTree.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    assert {"loss", "metric_1", "learning_rate", "training", "validation", "epoch"} <= set(
        re.findall(r"<text[^>]*>([^<]+)</text>", text)
    )
    assert "<dc:date>" not in text


def test_a_png_is_one(tmp_path: Path) -> None:
    curves(made(5), tmp_path / "curves.PNG")
    assert (tmp_path / "curves.PNG").read_bytes().startswith(b"\x89PNG\r\n")


def test_the_settings_of_a_user_change_nothing_and_are_kept(tmp_path: Path) -> None:
    curves(made(5), tmp_path / "a.svg")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "text.usetex": True}):
        curves(made(5), tmp_path / "b.svg")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_log_can_be_drawn(tmp_path: Path) -> None:
    history = train(FakeRun(folder=tmp_path), [LogCallback()])
    records = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    curves(records, tmp_path / "a.svg")
    curves(history.records, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_name_is_no_formula_and_no_markup(tmp_path: Path) -> None:
    curves([{"epoch": 1, "$x_1$ <b>\x1b": 1.0}], tmp_path / "a.svg")
    assert "$x_1$ &lt;b&gt;\\u001b" in (tmp_path / "a.svg").read_text(encoding="utf-8")


def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(GraphSpecError, match=r"GS614 curves cannot be written as 'a.jpg'(.|\n)*in .svg or .png"):
        curves(made(2), tmp_path / "a.jpg")
    with pytest.raises(GraphSpecError, match=r"GS614 '.*a.svg' cannot be written: No such file or directory"):
        curves(made(2), tmp_path / "missing" / "a.svg")


def test_what_will_not_work_is_known_before_the_training() -> None:
    assert (kind_of("a.SVG"), kind_of(Path("b/c.png"))) == ("svg", "png")
    for name in ("a.pdf", "svg", ""):
        with pytest.raises(GraphSpecError, match="GS614"):
            kind_of(name)


def test_without_matplotlib_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(EngineError, match=r"GS612 .*matplotlib(.|\n)*pip install 'graphspec\[plot\]'"):
        curves(made(2), tmp_path / "a.svg")


def test_pyplot_is_not_needed() -> None:
    program = (
        "import sys; from graphspec.view.curves import _drawn; assert 'matplotlib' not in sys.modules; "
        "_drawn([{'epoch': 1, 'loss': 1.0}], 'png'); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
