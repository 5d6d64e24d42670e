"""Cells that are encoded images (extra `data`)."""

from __future__ import annotations

import base64
import binascii
import io
from pathlib import Path
from typing import Any

import numpy as np

from graphspec.data_grammar import COLORS
from graphspec.data_section import ImageDeclaration
from graphspec.extras import not_installed
from graphspec.loader import inside
from graphspec.train.cells import Bad, Misfit
from graphspec.train.table import Cells

try:
    from PIL import Image, UnidentifiedImageError
except ImportError as error:
    raise not_installed("decoding images", "Pillow", "data", error) from None

_MODES = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}


def decode(cells: Cells, declared: ImageDeclaration, folder: Path | None) -> tuple[np.ndarray, Bad]:
    """Return images as uint8 of [rows, channels, height, width]; all have the size of the first that can be read."""
    found: list[np.ndarray | None] = []
    bad: Bad = {}
    for row, cell in enumerate(cells):
        try:
            found.append(_pixels(_content(cell, declared, folder), declared.mode))
        except Misfit as error:
            found.append(None)
            bad[row] = error.message
    shape = next((image.shape for image in found if image is not None), (COLORS[declared.mode], 1, 1))
    array = np.zeros((len(found), *shape), np.uint8)
    for row, image in enumerate(found):
        if image is not None and image.shape != shape:
            bad[row] = f"expected an image of {shape[2]}x{shape[1]}, found one of {image.shape[2]}x{image.shape[1]}"
        elif image is not None:
            array[row] = image
    return array, bad


def _content(cell: Any, declared: ImageDeclaration, folder: Path | None) -> bytes:
    if isinstance(cell, bytes):
        return cell
    if isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes):  # as data sets of images in Parquet have it
        return bytes(cell["bytes"])
    if not isinstance(cell, str) or not cell.strip():
        raise Misfit("expected an image, found an empty cell" if cell in (None, "") else "expected an image")
    if declared.text == "base64":
        try:
            return base64.b64decode(cell.strip(), validate=True)
        except binascii.Error as error:
            raise Misfit(f"expected base64: {error}") from None
    path = None if folder is None else inside(folder, folder, cell)
    if path is None:
        raise Misfit(f"'{cell}' is outside the spec's folder")
    try:
        return path.read_bytes()
    except OSError as error:
        raise Misfit(f"'{cell}' cannot be read: {error.strerror}") from None


def _pixels(content: bytes, mode: str) -> np.ndarray:
    try:
        with Image.open(io.BytesIO(content)) as image:
            pixels = np.asarray(image.convert(_MODES[mode]))
    except UnidentifiedImageError:
        raise Misfit("expected an image, found bytes of another kind") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise Misfit(f"the image cannot be read: {error}") from None
    return pixels[np.newaxis] if pixels.ndim == 2 else np.moveaxis(pixels, -1, 0)
