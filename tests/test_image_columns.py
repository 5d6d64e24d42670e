"""Cells that are encoded images: bytes, base64 and files inside the spec's folder."""

from __future__ import annotations

import base64
import io
import sys
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from data_files import failure, opened, whole
from PIL import Image

from graphspec.errors import EngineError

SHAPES = {"grey": (1, 2, 3), "rgb": (3, 2, 3), "rgba": (4, 2, 3)}
MODES = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}


def pixels(mode: str) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, *SHAPES[mode]), "uint8")


def encoded(image: np.ndarray, mode: str) -> bytes:
    stream = io.BytesIO()
    array = image[0] if mode == "grey" else np.moveaxis(image, 0, -1)
    Image.fromarray(array).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("mode", SHAPES)
@pytest.mark.parametrize("way", ["bytes", "base64", "file", "mapping"])
def test_images(mode: str, way: str, tmp_path: Path) -> None:
    images = pixels(mode)
    contents = [encoded(image, mode) for image in images]
    if way == "file":
        (tmp_path / "images").mkdir()
        for i, content in enumerate(contents):
            (tmp_path / "images" / f"{i}.png").write_bytes(content)
        (tmp_path / "rows.csv").write_text("x\n" + "\n".join(f"images/{i}.png" for i in range(4)))
    elif way == "base64":
        (tmp_path / "rows.csv").write_text("x\n" + "\n".join(base64.b64encode(item).decode() for item in contents))
    else:
        cells = contents if way == "bytes" else [{"bytes": item, "path": None} for item in contents]
        pyarrow.parquet.write_table(pyarrow.table({"x": cells}), tmp_path / "rows.parquet")
    file = "rows.csv" if way in ("file", "base64") else "rows.parquet"
    image = f"{{mode: {mode}, from: base64}}" if way == "base64" else mode
    data = f"{{train: {{file: {file}, inputs: {{x: {{image: {image}, scale: 0.5}}}}}}}}"
    channels, height, width = SHAPES[mode]
    found = whole(opened(tmp_path, data, f"{{x: {{shape: [batch, {channels}, {height}, {width}]}}}}")["train"])
    np.testing.assert_array_equal(found["x"], images * 0.5)


def test_jpeg_is_near(tmp_path: Path) -> None:
    image = np.full((16, 16, 3), 100, "uint8")
    Image.fromarray(image).save(tmp_path / "a.jpg")
    (tmp_path / "rows.csv").write_text("x\na.jpg\n")
    data = "{train: {file: rows.csv, inputs: {x: {image: rgb}}}}"
    found = whole(opened(tmp_path, data, "{x: {shape: [batch, 3, 16, 16], dtype: uint8}}")["train"])["x"]
    assert abs(found.astype(int) - 100).max() <= 3


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("missing.png", "'missing.png' cannot be read: No such file or directory"),
        ("../a.png", "'../a.png' is outside the spec's folder"),
        ("rows.csv", "expected an image, found bytes of another kind"),
        ('""', "expected an image, found an empty cell"),
        ("small.png", "expected an image of 3x2, found one of 1x1"),
        ("cut.png", "the image cannot be read"),
    ],
)
def test_bad_images(cell: str, message: str, tmp_path: Path) -> None:
    content = encoded(pixels("grey")[0], "grey")
    (tmp_path / "a.png").write_bytes(content)
    (tmp_path / "cut.png").write_bytes(content[:45])
    (tmp_path / "small.png").write_bytes(encoded(np.zeros((1, 1, 1), "uint8"), "grey"))
    (tmp_path / "rows.csv").write_text(f"n,x\n0,a.png\n1,{cell}\n2,a.png\n")
    data = "{train: {file: rows.csv, inputs: {x: {image: grey}}%s}}"
    inputs = "{x: {shape: [batch, 1, 2, 3]}}"
    (found,) = failure(tmp_path, data % "", inputs)
    assert (found.code, str(found.where)) == ("GS634", "rows.csv:3:3")
    assert found.message.startswith(f"row 2, column 'x': {message}")
    dataset = opened(tmp_path, data % ", bad_rows: skip", inputs)["train"]
    assert (dataset.rows, dataset.skipped) == (2, 1)


def test_bad_base64(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("x\n!!!\n")
    data = "{train: {file: rows.csv, inputs: {x: {image: {mode: grey, from: base64}}}}}"
    (found,) = failure(tmp_path, data, "{x: {shape: [batch, 1, 1, 1]}}")
    assert "expected base64" in found.message


def test_without_pillow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rows.csv").write_text("x\na.png\n")
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.delitem(sys.modules, "graphspec.train.image", raising=False)
    monkeypatch.delattr("graphspec.train.image", raising=False)
    with pytest.raises(EngineError) as info:
        opened(tmp_path, "{train: {file: rows.csv, inputs: {x: {image: grey}}}}", "{x: {shape: [batch, 1, 2, 2]}}")
    assert info.value.diagnostics[0].code == "GS612"
    assert info.value.diagnostics[0].hint == "pip install 'graphspec[data]'"
