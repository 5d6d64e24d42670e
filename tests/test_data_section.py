"""The section `data`: what is declared, defaults, and that a spec loads without its data (2.8)."""

from __future__ import annotations

from pathlib import Path

import pytest
from data_files import spec

from graphspec.data_section import DataSection, ImageDeclaration, class_name, format_of, is_pattern
from graphspec.errors import SpecError
from graphspec.loader import load_text
from graphspec.program import load, loads

INPUTS = "{image: {shape: [batch, 4]}, label: {shape: [batch], dtype: int64}, rate: 0.5}"


def section(data: str, inputs: str = INPUTS, folder: str | Path | None = None) -> DataSection:
    found: DataSection = load_text(spec(data, inputs), folder=folder).data_section
    return found


def test_a_source() -> None:
    found = section("{train: {file: a.csv, inputs: {image: [pixel_*], label: digit}}}").sources["train"]
    assert (found.part, found.files, found.arrays, found.generate) == ("train", ("a.csv",), {}, None)
    assert (found.format, found.bad_rows) == (None, "stop")
    image, label = found.inputs.values()
    assert (image.input, image.columns, image.single) == ("image", ("pixel_*",), False)
    assert (label.input, label.columns, label.single) == ("label", ("digit",), True)
    assert str(image.origin.location) == "<text>:7:38"
    assert str(image.origins[0].location) == "<text>:7:46"


def test_the_transforms() -> None:
    written = "{columns: p, cast: float32, scale: 0.5, shift: -1, standardise: true, reshape: [2, -1]}"
    found = section(f"{{train: {{file: a.csv, inputs: {{image: {written}}}}}}}").sources["train"].inputs["image"]
    facts = (found.columns, found.single, found.cast, found.scale, found.shift, found.standardise, found.reshape)
    assert facts == (("p",), True, "float32", 0.5, -1, True, (2, -1))


@pytest.mark.parametrize(
    ("written", "expected"),
    [("grey", ("grey", "file")), ("{mode: rgb}", ("rgb", "file")), ("{mode: rgba, from: base64}", ("rgba", "base64"))],
)
def test_images(written: str, expected: tuple[str, str]) -> None:
    found = section(f"{{train: {{file: a.csv, inputs: {{image: {{image: {written}}}}}}}}}")
    assert found.sources["train"].inputs["image"].image == ImageDeclaration(*expected)
    assert found.sources["train"].inputs["image"].columns == ("image",)


def test_without_inputs_columns_have_the_names_of_the_inputs_without_default() -> None:
    found = section("{train: {file: a.npz}}").sources["train"].inputs
    assert {name: item.columns for name, item in found.items()} == {"image": ("image",), "label": ("label",)}


def test_the_other_parts_take_the_inputs_of_the_train_source() -> None:
    found = section(
        "{validation: {file: b.csv}, train: {file: a.csv, inputs: {label: d}}, test: {file: c.csv, inputs: {image: p}}}"
    ).sources
    assert {part: list(item.inputs) for part, item in found.items()} == {
        "train": ["label"],
        "validation": ["label"],
        "test": ["image"],
    }


def test_several_files_and_files_by_column() -> None:
    found = section("{train: {file: [a.csv, 'b-*.csv']}, test: {file: {image: x.npy, label: y.npy}}}").sources
    assert found["train"].files == ("a.csv", "b-*.csv")
    assert found["test"].arrays == {"image": "x.npy", "label": "y.npy"}
    assert found["test"].files == ()


def test_generators_have_defaults() -> None:
    found = section("{train: {generate: 'two_moons(rows=30, noise=0)'}, test: {generate: sine}}").sources
    assert found["train"].generate is not None
    assert found["train"].generate.arguments == {"rows": 30, "noise": 0, "seed": 0}
    assert found["test"].generate is not None
    assert found["test"].generate.arguments == {"rows": 200, "periods": 1.0, "noise": 0.1, "seed": 0}


def test_the_split() -> None:
    found = section("{train: {file: a.csv}, split: {validation: 0.2, test: 0.1, seed: 3, key: patient}}").split
    assert found is not None
    assert (found.validation, found.test, found.seed, found.key) == (0.2, 0.1, 3, "patient")
    assert section("{train: {file: a.csv}}").split is None


def test_a_spec_loads_without_its_data(tmp_path: Path) -> None:
    text = spec("{train: {file: missing-*.csv, inputs: {image: [p*]}}}", INPUTS)
    assert loads(text).run()["f"] == 2
    (tmp_path / "spec.yaml").write_text(text)
    assert load(tmp_path / "spec.yaml").run()["f"] == 2


def test_a_file_without_data_has_no_section() -> None:
    assert load_text("{graphspec: 1, inputs: {x: 1}, outputs: x}").data_section is None


def test_the_data_of_an_imported_file_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "inner.yaml").write_text(spec("{train: {file: ../out.csv, inputs: {nothing: here}}}", "{x: 1}"))
    text = "{graphspec: 1, imports: {inner: inner.yaml}, nodes: {f: inner(3)}, outputs: f}"
    assert loads(text, folder=tmp_path).run()["f"] == 2


def test_all_problems_of_a_stage_are_reported() -> None:
    with pytest.raises(SpecError) as info:
        section("{train: {inputs: {imag: [], label: {one_hot: 0, scal: 1}}}, split: {}}")
    codes = [found.code for found in info.value.diagnostics]
    assert sorted(codes) == ["GS202", "GS203", "GS203", "GS203", "GS205"]


def test_a_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("x\n1\n")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "rows.csv").symlink_to(tmp_path / "out.csv")
    with pytest.raises(SpecError) as info:
        section("{train: {file: rows.csv}}", folder=inside)
    assert [found.code for found in info.value.diagnostics] == ["GS112"]


@pytest.mark.parametrize(
    ("name", "format"),
    [("a.csv", "csv"), ("b/c.PARQUET", "parquet"), ("x.feather", "arrow"), ("x.ndjson", "jsonl"), ("x.txt", None)],
)
def test_formats_by_suffix(name: str, format: str | None) -> None:
    assert format_of(name) == format


def test_patterns_have_stars_and_question_marks_only() -> None:
    assert is_pattern("p*")
    assert is_pattern("p?")
    assert not is_pattern("temperature [C]")


@pytest.mark.parametrize(
    ("value", "name"), [(3, "3"), (3.0, "3"), ("3", "3"), (" a ", "a"), (True, "true"), (0.5, "0.5")]
)
def test_names_of_classes(value: object, name: str) -> None:
    assert class_name(value) == name
