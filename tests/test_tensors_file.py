"""Files of arrays: what is written is what the safetensors format says, and what is damaged is refused.

The format is transcribed here byte by byte: https://github.com/huggingface/safetensors#format
"""

from __future__ import annotations

import io
import json
import tracemalloc
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graphspec.tensors_file import MissingPackage, TensorsFileError, read_tensors, tensor_chunks

RANDOM = np.random.default_rng(4)
PAIRS = (
    "bool:BOOL float16:F16 float32:F32 float64:F64 bfloat16:BF16 complex64:C64"
    " int8:I8 int16:I16 int32:I32 int64:I64 uint8:U8 uint16:U16 uint32:U32 uint64:U64"
)
CODES = dict(pair.split(":") for pair in PAIRS.split())
DTYPES = [dtype for dtype in CODES if dtype != "bfloat16"]


def content_of(arrays: dict[str, np.ndarray]) -> bytes:
    return b"".join(tensor_chunks(arrays))


def read(content: bytes) -> dict[str, np.ndarray]:
    return read_tensors(io.BytesIO(content), len(content))


def header_of(content: bytes) -> Any:
    return json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])


def written_by_the_format(arrays: dict[str, np.ndarray]) -> bytes:
    entries, data = {}, b""
    for name, array in arrays.items():
        begin, data = len(data), data + array.tobytes()
        entries[name] = {"dtype": CODES[array.dtype.name], "shape": array.shape, "data_offsets": [begin, len(data)]}
    return built(entries, data)


def read_by_the_format(content: bytes) -> dict[str, np.ndarray]:
    data, dtypes = content[8 + int.from_bytes(content[:8], "little") :], {code: name for name, code in CODES.items()}
    found, ends = {}, [0]
    for name, item in header_of(content).items():
        if name != "__metadata__":
            begin, end = item["data_offsets"]
            assert begin == ends[-1]
            ends.append(end)
            found[name] = np.frombuffer(data[begin:end], dtypes[item["dtype"]]).reshape(item["shape"])
    assert ends[-1] == len(data)
    return found


def same(a: np.ndarray, b: np.ndarray) -> bool:
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def array_of(dtype: str, *shape: int) -> np.ndarray:
    return RANDOM.normal(0, 50, shape).astype("int64" if dtype[0] in "u" else "float64").astype(dtype)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (1,), (0,), (3, 0, 2), (2, 3), (5, 1, 7)])
def test_every_dtype_goes_there_and_back(dtype: str, shape: tuple[int, ...]) -> None:
    array = array_of(dtype, *shape)
    others = {"a": np.ones(3, np.int8), "z": np.arange(5.0)}
    content = content_of({"x -> y.é": array, **others})
    for found in (read(content), read_by_the_format(content)):
        assert same(found["x -> y.é"], array)
        assert same(found["a"], others["a"])
    assert same(read(written_by_the_format({"w": array}))["w"], array)


def test_bfloat16_goes_there_and_back() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    for array in (np.arange(6).reshape(2, 3).astype(bfloat16), np.ones((), bfloat16), np.ones(4, bfloat16)[::2]):
        content = content_of({"w": array})
        assert same(read(content)["w"], array)
        assert header_of(content)["w"]["dtype"] == "BF16"
    assert same(read(written_by_the_format({"w": array}))["w"], array)


def test_bfloat16_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(MissingPackage, match="needs the package ml_dtypes"):
        read(built({"w": {"dtype": "BF16", "shape": [1], "data_offsets": [0, 2]}}, 2))


@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_complex128_goes_there_and_back_as_pairs(shape: tuple[int, ...]) -> None:
    array = array_of("complex128", *shape) * (1 + 2j)
    content = content_of({"w": array, "v": np.ones((1, 2))})
    assert same(read(content)["w"], array)
    assert read(content)["v"].dtype == np.float64
    assert same(read_by_the_format(content)["w"][..., 1].copy(), np.asarray(array.imag).copy())


BASE = np.arange(24.0).reshape(4, 6)
AWKWARD = {
    "fortran": np.asfortranarray(BASE),
    "transposed": BASE.T,
    "strided": BASE[::2, ::3],
    "backwards": BASE[::-1, ::-1],
    "broadcast": np.broadcast_to(np.arange(3.0), (4, 3)),
    "column": BASE[:, 2],
    "swapped": BASE.astype(">f8"),
    "swapped and strided": BASE.astype(">f4")[:, ::2],
    "swapped complex": (BASE + 1j).astype(">c16"),
    "transposed complex": (BASE - 1j).T,
    "strided complex": (BASE - 1j)[::2, ::-3],
    "broadcast complex": np.broadcast_to(BASE[0] - 1j, (3, 6)),
    "read-only": np.frombuffer(BASE.tobytes(), np.float64),
    "unaligned": np.frombuffer(b"x" + BASE.tobytes(), np.float64, offset=1),
    "windows": np.lib.stride_tricks.sliding_window_view(np.arange(8.0), 3),
    "scalar": np.float64(1.5),
    "half of another": BASE[:2],
    "the other half, and more": BASE[1:],
    "fortran bool": np.asfortranarray(BASE > 7),
    "matrix": np.arange(4.0).view(np.ndarray).reshape(2, 2),
}


def test_arrays_as_they_lie_in_memory_do_not_matter() -> None:
    found = read(content_of(AWKWARD))
    assert set(found) == set(AWKWARD)
    for name, array in AWKWARD.items():
        assert found[name].dtype == np.asarray(array).dtype.newbyteorder("=")
        assert found[name].shape == np.shape(array)
        assert np.array_equal(found[name], array), name


def test_arrays_that_were_read_belong_to_the_caller() -> None:
    content = content_of({"a": BASE, "b": BASE})
    first, second = read(content), read(content)
    first["a"][:] = 0
    assert np.array_equal(first["b"], BASE)
    assert np.array_equal(second["a"], BASE)
    assert all(array.flags.writeable and array.flags.aligned for array in first.values())


def test_the_same_arrays_give_the_same_bytes_aligned() -> None:
    arrays = {"b": np.ones(3, np.int8), "a": np.ones(2), "c": np.ones(1, np.float32), "d": np.ones((), bool)}
    content = content_of(arrays)
    assert content == content_of(dict(reversed(arrays.items())))
    start = 8 + int.from_bytes(content[:8], "little")
    assert start % 8 == 0
    for name, entry in json.loads(content[8:start]).items():
        assert (start + entry["data_offsets"][0]) % arrays[name].itemsize == 0


def test_the_same_arrays_give_the_same_bytes_every_time() -> None:
    dtypes = ["float64", "float32", "bool", "int16", "uint8", "complex64", "complex128"]
    arrays = {f"p{i}": array_of(dtypes[i % len(dtypes)], i % 5) for i in range(42)}
    content = content_of(arrays)
    for _ in range(30):
        order = RANDOM.permutation(list(arrays))
        assert content_of({str(name): arrays[name] for name in order}) == content
    assert list(read(content)) == [name for name in header_of(content) if name != "__metadata__"]


def test_a_header_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    content = content_of({"w": np.zeros(1)})
    monkeypatch.setattr("graphspec.tensors_file.LIMIT", 55)
    with pytest.raises(TensorsFileError, match=r"1 arrays need a header of 56 bytes \(limit: 55\)"):
        content_of({"w": np.zeros(1)})
    with pytest.raises(TensorsFileError, match="a header of 56 bytes is longer than the limit of 55"):
        read(content)


def test_no_arrays() -> None:
    assert read(content_of({})) == {} == read_by_the_format(content_of({}))


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"o": np.array([object()])}, "no place for 'o', which is object"),
        ({"s": np.array(["a"])}, "no place for 's', which is <U1"),
        ({"t": np.array(["2020-01-01"], "datetime64[D]")}, "no place for 't'"),
        ({"r": np.zeros(2, [("a", "f8")])}, "no place for 'r'"),
        ({"l": np.zeros(2, np.clongdouble)}, "no place for 'l'"),
        ({"__metadata__": np.zeros(2)}, "no array can be called"),
        ({"\ud800": np.zeros(2)}, "a name cannot be written"),
        ({"$float": np.zeros(2)}, "a name cannot be written"),
        ({3: np.zeros(2)}, "a name cannot be written"),
    ],
)
def test_what_cannot_be_written(arrays: dict[str, np.ndarray], message: str) -> None:
    with pytest.raises(TensorsFileError, match=message):
        content_of(arrays)


# -- files that are not what they say ---------------------------------------------------------------------------------


def built(header: Any, data: int | bytes = 0, length: int | None = None) -> bytes:
    """Return a file with a header (data or text) and so many bytes of data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    rest = bytes(data) if isinstance(data, int) else data
    return (len(text) if length is None else length).to_bytes(8, "little") + text + rest


def entry(begin: int, end: int, shape: Any = None, dtype: Any = "U8", **more: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end], **more}


def twice(first: dict[str, Any], second: dict[str, Any], name: bytes = b"w") -> bytes:
    return b'{"w": %s, "%s": %s}' % (json.dumps(first).encode(), name, json.dumps(second).encode())


WRONG = {
    "nothing": (b"", "too short"),
    "seven bytes": (bytes(7), "too short"),
    "no header": (bytes(8), "cannot be read"),
    "a header longer than the file": (built({}, length=1000), "too short for a header of 1,000"),
    "a header of 2**63": (built({}, length=2**63), "too short"),
    "a header of 2**64 - 1": (b"\xff" * 8 + bytes(100), "too short"),
    "a name twice": (built(twice(entry(0, 4), entry(4, 8)), 8), "'w' is written twice"),
    "a name twice for the same bytes": (built(twice(entry(0, 4), entry(0, 4)), 4), "'w' is written twice"),
    "a name twice, empty at first": (built(twice(entry(0, 0), entry(0, 4)), 4), "'w' is written twice"),
    "a name twice in two spellings": (built(twice(entry(0, 2), entry(0, 4), rb"\u0077"), 4), "'w' is written twice"),
    "metadata twice": (built(b'{"__metadata__": {"a": "1", "a": "2"}}'), "'a' is written twice"),
    "a key of an entry twice": (built(b'{"w": {"dtype": "U8", "dtype": "I8"}}'), "written twice"),
    "no JSON": (built(b'{"w"', 4), "cannot be read"),
    "no UTF-8": (built(b'{"\xff": 1}', 4), "cannot be read"),
    "half a surrogate pair": (built(b'{"\\ud800": %s}' % json.dumps(entry(0, 1)).encode(), 1), "cannot be read"),
    "a list": (built([1]), "cannot be read"),
    "space before": (built(b" {}"), "cannot be read"),
    "deep": (built(b'{"a":' * 50_000), "cannot be read"),
    "metadata that are no texts": (built({"__metadata__": {"a": 1}}), "JSON in header"),
    "metadata that are a list": (built({"__metadata__": ["a"]}), "JSON in header"),
    "an entry that is a number": (built({"w": 3}), "JSON in header"),
    "an entry without a shape": (built({"w": {"dtype": "U8", "data_offsets": [0, 1]}}, 1), "missing field `shape`"),
    "an entry with more": (built({"w": entry(0, 1, more=1)}, 1), "is not dtype, shape"),
    "an entry that is a list": (built({"w": ["U8", [1], [0, 1]]}, 1), "is not dtype, shape"),
    "a negative dim": (built({"w": entry(0, 4, [-2, -2])}, 4), "JSON in header"),
    "a dim that is true": (built({"w": entry(0, 1, [True])}, 1), "JSON in header"),
    "a dim that is a float": (built({"w": entry(0, 1, [1.0])}, 1), "JSON in header"),
    "a shape that is a number": (built({"w": entry(0, 1, 1)}, 1), "JSON in header"),
    "too many dims": (built({"w": entry(0, 1, [1] * 65)}, 1), "too large"),
    "three offsets": (built({"w": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1, 2]}}, 2), "JSON in header"),
    "offsets backwards": (built({"w": entry(4, 0, [4])}, 4), "invalid offset for tensor `w`"),
    "a negative offset": (built({"w": entry(-4, 0, [4])}, 4), "JSON in header"),
    "an unknown dtype": (built({"w": entry(0, 1, dtype="F8_E4M3")}, 1), "no counterpart"),
    "a dtype that is a list": (built({"w": entry(0, 1, dtype=["U8"])}, 1), "JSON in header"),
    "a shape of another size": (built({"w": entry(0, 4, [5])}, 4), "invalid shape"),
    "a shape that overflows": (built({"w": entry(0, 0, [2**32, 2**32], "F64")}), "overflow"),
    "an empty shape too large": (built({"w": entry(0, 0, [0, 2**62])}), "too large"),
    "more than the file holds": (built({"w": entry(0, 2**40)}, 100), "not fully covered"),
    "less than the file holds": (built({"w": entry(0, 50)}, 51), "not fully covered"),
    "data without arrays": (built({}, 1), "not fully covered"),
    "a gap at the start": (built({"w": entry(8, 16)}, 16), "invalid offset for tensor `w`"),
    "a gap": (built({"v": entry(0, 4), "w": entry(8, 16)}, 16), "invalid offset for tensor `w`"),
    "an overlap": (built({"v": entry(0, 8), "w": entry(4, 12)}, 12), "invalid offset for tensor `w`"),
    "the same place": (built({"v": entry(0, 8), "w": entry(0, 8)}, 8), "invalid offset for tensor"),
    "an empty one inside another": (built({"v": entry(0, 8), "w": entry(4, 4)}, 8), "invalid offset for tensor `w`"),
    "a bool of 2": (built({"w": entry(0, 2, dtype="BOOL")}, b"\x01\x02"), "bytes other than 0 and 1"),
    "pairs that are not there": (built({"__metadata__": {"graphspec.complex128": '["w"]'}}), "what is not there"),
    "pairs that are a name": (
        built({"__metadata__": {"graphspec.complex128": '"w"'}, "w": entry(0, 1)}, 1),
        "not there",
    ),
    "pairs that are no JSON": (built({"__metadata__": {"graphspec.complex128": "["}}), "cannot be read"),
    "pairs of bytes": (
        built({"__metadata__": {"graphspec.complex128": '["w"]'}, "w": entry(0, 2)}, 2),
        "to be complex128, and is uint8",
    ),
    "pairs of four": (
        built({"__metadata__": {"graphspec.complex128": '["w"]'}, "w": entry(0, 32, [4], "F64")}, 32),
        r"to be complex128, and is float64\[4\]",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_are_wrong_are_refused(name: str) -> None:
    content, message = WRONG[name]
    with pytest.raises(TensorsFileError, match=message):
        read(content)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"$float": "nan"}])
def test_metadata_of_others_do_not_matter(metadata: Any) -> None:
    assert read(built({"__metadata__": metadata, "w": entry(0, 1)}, b"\x05"))["w"].tolist() == [5]


def test_what_a_header_promises_is_not_allocated() -> None:
    contents = [built({"w": entry(0, 2**34)}, 100), built({}, length=2**34), built({"w": entry(0, 0, [0, 2**58])})]
    tracemalloc.start()
    for content in contents[:2]:
        with pytest.raises(TensorsFileError):
            read(content)
    assert read(contents[2])["w"].shape == (0, 2**58)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20


def test_a_file_that_shrinks_while_it_is_read() -> None:
    content = content_of({"w": BASE})
    with pytest.raises(TensorsFileError, match="not fully covered"):
        read_tensors(io.BytesIO(content[:-1]), len(content))


@settings(max_examples=500)
@given(st.lists(st.tuples(st.integers(0, 299), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 299))
def test_a_damaged_file_is_read_or_refused(changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(content_of({"v": BASE[0], "w": BASE[1] > 8, "__": np.ones((2, 2), np.complex128)}))
    for at, byte in changes:
        content[at % len(content)] = byte
    for damaged in (bytes(content), bytes(content[: len(content) - cut])):
        with suppress(TensorsFileError):
            read(damaged)
