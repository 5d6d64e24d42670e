"""The curves of a training as a picture: losses and metrics over the epochs, and the learning rate."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from graphspec.errors import GraphSpecError, problem
from graphspec.extras import not_installed
from graphspec.train.history import VALIDATION, columns, quantities
from graphspec.view.table import one_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Points: TypeAlias = list[tuple[float, float]]

_SIZE = (3.8, 2.7)  # of a panel, in inches
_ACROSS = {0: 1, 1: 1, 2: 2, 4: 2, 7: 4, 8: 4}  # panels beside each other, else three
_SERIES = {"training": "#0072b2", "validation": "#d55e00", "": "#555555"}  # told apart by the colour-blind too
_MARKED = 15  # up to so many points are marked
_DECADES = 100  # from such a ratio of greatest to least on, the axis is logarithmic
_RATE = "learning_rate"
_STYLE: dict[Any, Any] = {
    "axes.edgecolor": "#888888",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 9,
    "grid.color": "#e5e5e5",
    "svg.fonttype": "none",  # text that can be searched and read aloud
    "svg.hashsalt": "graphspec",  # the same curves give the same file
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


def curves(records: Iterable[Mapping[str, Any]], path: str | os.PathLike[str]) -> None:
    """Draw the records of a training, such as `History.records`, into an SVG or PNG file.

    There is a panel for the loss and for each metric, those of training and validation in one, and one for the
    learning rate. What is not finite is left out, as a gap.

    Args:
        records: one mapping per epoch; numbers may be the strings "nan", "inf" and "-inf", as in a log.
        path: a file whose name ends in .svg or .png; replaced where it exists.

    Raises:
        EngineError: GS612, matplotlib is not installed: ``pip install 'graphspec[plot]'``.
        GraphSpecError: GS614, the file cannot be written.
    """
    kind = kind_of(path)
    target = Path(path)
    content = _drawn(list(records), kind)
    try:
        target.write_bytes(content)
    except OSError as error:
        raise GraphSpecError(problem("GS614", f"'{target}' cannot be written: {error.strerror}")) from None


def kind_of(path: str | os.PathLike[str]) -> str:
    """Return "svg" or "png" by the name of a file, before a training whose curves it is to have.

    Raises:
        EngineError: GS612, matplotlib is not installed.
        GraphSpecError: GS614, it ends in something else.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise not_installed("drawing curves", "matplotlib", "plot", error) from None
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in ("svg", "png"):
        hint = "end its name in .svg or .png"
        raise GraphSpecError(problem("GS614", f"curves cannot be written as '{target.name}'", hint=hint))
    return kind


def _drawn(records: list[Mapping[str, Any]], kind: str) -> bytes:
    import matplotlib

    stream = BytesIO()
    with matplotlib.rc_context():
        matplotlib.rcdefaults()  # whatever a matplotlibrc says
        matplotlib.rcParams.update(_STYLE)
        metadata: dict[str, Any] = {"Date": None, "Creator": "graphspec"} if kind == "svg" else {}
        _figure(records).savefig(stream, format=kind, dpi=150, metadata=metadata)
    return stream.getvalue()


def _figure(records: list[Mapping[str, Any]]) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    panels = _panels(records)
    across = _ACROSS.get(len(panels), 3)
    down = max(math.ceil(len(panels) / across), 1)
    several = any(len(series) > 1 for series in panels.values())
    figure = Figure(figsize=(_SIZE[0] * across, _SIZE[1] * down + 0.3 * several), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.1, h_pad=0.1)  # type: ignore[union-attr, call-arg]
    if not panels:
        figure.text(0.5, 0.5, "no epoch has ended", ha="center", va="center")
    for i, (name, series) in enumerate(panels.items(), 1):
        axes = figure.add_subplot(down, across, i)
        _panel(axes, name, series)
        if i > len(panels) - across:  # nothing below
            axes.set_xlabel(_axis(records))
    if several:
        lines = [Line2D([], [], color=_SERIES[part], label=part) for part in ("training", "validation")]
        figure.legend(handles=lines, loc="outside upper left", ncols=2, frameon=False)
    return figure


def _panels(records: list[Mapping[str, Any]]) -> dict[str, dict[str, Points]]:
    """Return the points of each curve by panel and series."""
    axis = _axis(records)
    panels: dict[str, dict[str, Points]] = {}
    for name in quantities(records):
        part = "validation" if name.startswith(VALIDATION) else "training"
        panels.setdefault(name.removeprefix(VALIDATION), {})[part] = _points(records, axis, name)
    if _RATE in columns(records):
        panels[_RATE] = {"": _points(records, axis, _RATE)}
    return panels


def _axis(records: list[Mapping[str, Any]]) -> str:
    """Return what the records are drawn over: the epochs, or steps where records have no epochs of their own."""
    epochs = {record.get("epoch") for record in records}
    return "epoch" if None not in epochs and len(epochs) == len(records) else "step"


def _points(records: list[Mapping[str, Any]], axis: str, name: str) -> Points:
    return [
        (float(record.get(axis, i)), _finite(record[name])) for i, record in enumerate(records, 1) if name in record
    ]


def _finite(value: Any) -> float:
    number = math.nan if value is None else float(value)
    return number if math.isfinite(number) else math.nan


def _panel(axes: Axes, name: str, series: Mapping[str, Points]) -> None:
    from matplotlib.ticker import FixedLocator, MaxNLocator

    for part, points in series.items():
        _curve(axes, part, points)
    axes.set_title(one_line(name), parse_math=False)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    values = [y for points in series.values() for _, y in points if not math.isnan(y)]
    if not values:
        axes.text(0.5, 0.5, "not finite", transform=axes.transAxes, ha="center", va="center", color="#888888")
        axes.set_yticks([])
    elif min(values) > 0 and max(values) / min(values) >= _DECADES:
        axes.set_yscale("log")
    else:
        axes.ticklabel_format(axis="y", useOffset=False)
    places = [x for points in series.values() for x, _ in points]
    single = min(places) == max(places)
    margin = 1 if single else 0.04 * (max(places) - min(places))
    axes.set_xlim(min(places) - margin, max(places) + margin)
    axes.xaxis.set_major_locator(FixedLocator(places[:1]) if single else MaxNLocator(6, integer=True))


def _curve(axes: Axes, part: str, points: Points) -> None:
    colour = _SERIES[part]
    marked = range(len(points)) if len(points) <= _MARKED else _alone(points)
    x, y = [x for x, _ in points], [y for _, y in points]
    style: dict[str, Any] = {"marker": "o", "markersize": 3.5, "markevery": list(marked)}
    axes.plot(x, y, color=colour, linewidth=1.6, **style)


def _alone(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the points that no line leads to."""
    gaps = [True, *(math.isnan(y) for _, y in points), True]
    return [i for i in range(len(points)) if gaps[i] and not gaps[i + 1] and gaps[i + 2]]
