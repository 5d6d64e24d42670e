"""Files that the command line writes."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from graphspec.atomic import write_whole
from graphspec.errors import GraphSpecError, problem

if TYPE_CHECKING:
    from graphspec.result import Result


def write_file(path: str, content: bytes, overwrite: bool = True) -> None:
    """Write a file, which is whole or, if that fails, as it was before.

    Raises:
        GraphSpecError: GS614, it cannot be written, or it exists and may not be overwritten.
    """
    try:
        write_whole(path, [content], overwrite)
    except FileExistsError:
        message = f"'{path}' exists already and is not overwritten"
        raise GraphSpecError(problem("GS614", message, hint="choose another name")) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise GraphSpecError(problem("GS614", f"'{path}' cannot be written: {reason}")) from None


def save_result(path: str, result: Result) -> None:
    """Write outputs under their names and gradients under ``d_NAME`` to a .npz file.

    Raises:
        GraphSpecError: GS614.
    """
    arrays = dict(result.outputs)
    for name, array in result.gradients.items():
        arrays[_free(gradient_key(name), arrays)] = array
    write_file(path, npz(arrays))


def gradient_key(name: str) -> str:
    """Return the name of a gradient, as in the file that `graphspec grad` writes (L9.2)."""
    return "d_" + name.replace(" -> ", "_to_").replace(".", "_")


def npz(arrays: Mapping[str, Any]) -> bytes:
    """Return the content of a .npz archive; `numpy.savez` cannot have an array called ``file``."""
    import numpy as np

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            # a fixed date: the same arrays give the same bytes
            with archive.open(zipfile.ZipInfo(f"{name}.npy"), "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.asanyarray(array), allow_pickle=False)
    return buffer.getvalue()


def _free(name: str, taken: Mapping[str, Any]) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name}_{number}", number + 1
    return free


def spec_path(name: str) -> str:
    """Return the file that a new spec of a name is written to."""
    return name if os.path.splitext(name)[1] in (".yaml", ".yml") else f"{name}.yaml"
