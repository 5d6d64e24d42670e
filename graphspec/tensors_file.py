"""Arrays in safetensors files, written and read by the library of that name, with guards where it loses data.

Of arrays that are not contiguous it writes the bytes in the order of their memory; of a name that is in a header
twice it reads the last; and it writes the name ``__metadata__``, after which the file cannot be read. The format has
no complex128: such an array is written as float64 with a last axis of two, and its name stands in the metadata.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from graphspec.exact_json import LIMIT, read_json, write_json

_DTYPES = {
    "BOOL": "bool",
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    "BF16": "bfloat16",
    "C64": "complex64",
}
_COMPLEX = "graphspec.complex128"


class TensorsFileError(ValueError):
    """What a safetensors file cannot hold, or why something is no such file."""


class MissingPackage(TensorsFileError):
    """A dtype that needs a package which is not installed."""


class Stream(Protocol):
    """What arrays are read from: a binary file."""

    def read(self, count: int, /) -> bytes: ...


def tensor_chunks(arrays: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    """Yield the content of a file with these arrays: the same arrays give the same bytes.

    It takes memory for the file twice, beside the arrays: the library makes it whole, and copies it.

    Raises:
        TensorsFileError: a name or a dtype that the format has no place for; before anything is yielded.

    Example:
        >>> b"".join(tensor_chunks({"w": np.zeros(1)}))[8:62]
        b'{"w":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}'
    """
    from safetensors.numpy import save

    try:
        write_json(dict.fromkeys(arrays))  # as which they are read
    except (TypeError, ValueError) as error:
        raise TensorsFileError(f"a name cannot be written: {error}") from None
    given = {name: np.asarray(array) for name, array in arrays.items()}
    pairs = [name for name, array in given.items() if array.dtype.name == "complex128"]
    stored = {name: _storable(name, array) for name, array in given.items()}
    content = save(stored, {_COMPLEX: write_json(sorted(pairs))} if pairs else None)
    length = int.from_bytes(content[:8], "little")
    if length > LIMIT:
        raise TensorsFileError(f"{len(stored):,} arrays need a header of {length:,} bytes (limit: {LIMIT:,})")
    yield content


def read_tensors(stream: Stream, size: int) -> dict[str, np.ndarray]:
    """Read the arrays of a file of ``size`` bytes, in the order of its header; they belong to the caller.

    It takes memory for the file once, beside the arrays: the library copies them out of it; and none for what the file
    does not hold.

    Raises:
        TensorsFileError: it is no safetensors file, or is damaged.
        OSError: it cannot be read.
    """
    from safetensors import SafetensorError, deserialize

    head = stream.read(8)
    length = int.from_bytes(head, "little")
    if length > size - 8:
        raise TensorsFileError(f"a file of {size:,} bytes is too short for a header of {length:,}")
    if length > LIMIT:
        raise TensorsFileError(f"a header of {length:,} bytes is longer than the limit of {LIMIT:,}")
    text = stream.read(length)
    header = _header(text)
    try:
        found = dict(deserialize(head + text + stream.read(size - 8 - length)))
    except SafetensorError as error:
        raise TensorsFileError(str(error).removeprefix("Error while deserializing: ")) from None
    pairs = _pairs(header)
    return {name: _array(name, entry, found[name], name in pairs) for name, entry in header.items()}


def _storable(name: str, array: np.ndarray) -> np.ndarray:
    """Return an array as the library wants it: in row-major order without gaps."""
    if name == "__metadata__":
        raise TensorsFileError("no array can be called '__metadata__'")
    if array.dtype.name == "complex128":
        array = np.asarray(array, np.complex128)[..., None].view(np.float64)
    if array.dtype.name not in _DTYPES.values():
        raise TensorsFileError(f"the format has no place for '{name}', which is {array.dtype}")
    return np.asarray(array, order="C")  # `ascontiguousarray` would give a scalar an axis


def _header(text: bytes) -> dict[str, Any]:
    """Return a header in which nothing is written twice; all else is checked by the library."""
    try:
        if text[:1] != b"{":
            raise ValueError("it is no object")
        return read_json(text)
    except ValueError as error:
        raise TensorsFileError(f"the header cannot be read: {error}") from None


def _pairs(header: dict[str, Any]) -> set[str]:
    """Take the metadata out of a header; return the names of the arrays that are pairs of floats."""
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or _COMPLEX not in metadata:
        return set()
    try:
        pairs = read_json(metadata[_COMPLEX].encode())
        if not isinstance(pairs, list) or not all(isinstance(name, str) and name in header for name in pairs):
            raise ValueError("it lists what is not there")
    except ValueError as error:
        raise TensorsFileError(f"'{_COMPLEX}' cannot be read: {error}") from None
    return set(pairs)


def _array(name: str, entry: Any, found: Mapping[str, Any], is_pair: bool) -> np.ndarray:
    """Return an array from its entry in the header and what the library has made of it, which fits its bytes."""
    if not isinstance(entry, dict) or len(entry) > 3:
        raise TensorsFileError(f"the entry of '{name}' is not dtype, shape and data_offsets")
    dtype, shape = _dtype(name, found["dtype"]), found["shape"]
    if len(shape) > 64 or math.prod(max(1, dim) for dim in shape) >= 2**59:  # which NumPy refuses, at the latest as f64
        raise TensorsFileError(f"'{name}' has a shape that is too large: {shape}")
    array = np.ndarray(shape, dtype.newbyteorder("<"), found["data"]).astype(dtype, copy=False)
    if dtype == np.bool_ and array.size and array.view(np.uint8).max() > 1:
        raise TensorsFileError(f"'{name}' is bool, and has bytes other than 0 and 1")
    if not is_pair:
        return array
    if dtype != np.float64 or shape[-1:] != [2]:
        raise TensorsFileError(f"'{name}' is to be complex128, and is {dtype}{shape}")
    return array.view(np.complex128)[..., 0]


def _dtype(name: str, code: str) -> np.dtype:
    if code not in _DTYPES:
        raise TensorsFileError(f"'{name}' has the dtype {code!r}, which has no counterpart here")
    if code != "BF16":
        return np.dtype(_DTYPES[code])
    try:
        return np.dtype(importlib.import_module("ml_dtypes").bfloat16)
    except ImportError:
        message = f"'{name}' is bfloat16, which needs the package ml_dtypes: pip install 'graphspec[jax]'"
        raise MissingPackage(message) from None
