"""`graphspec new KIND --data FILE`: what is written loads, checks and trains as it stands."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Outcome, command, process
from data_files import write

from graphspec.starter import column as column_module
from graphspec.starter.column import survey
from graphspec.train.files import open_table

Columns = dict[str, np.ndarray]
RANDOM = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def flowers(rows: int = 150) -> Columns:
    """Three classes that lie apart, and an id."""
    label = np.arange(rows) % 3
    size = np.random.default_rng(1).normal(size=(rows, 3)) + np.eye(3)[label] * 4
    names = np.array(["setosa", "versicolor", "virginica"])[label]
    return {"id": np.arange(rows) + 1000, "a": size[:, 0] * 100, "b": size[:, 1], "c": size[:, 2], "species": names}


def houses(rows: int = 200) -> Columns:
    """A price that depends on a size and a colour."""
    random = np.random.default_rng(2)
    colour, size = random.choice(["red", "green", "blue"], rows), random.normal(80, 20, rows)
    price = 1000 * size + np.where(colour == "red", 30000, 0) + random.normal(0, 500, rows)
    return {
        "name": np.array([f"house {number}" for number in range(rows)]),
        "colour": colour,
        "size": size,
        "country": np.full(rows, "de"),
        "storeys": np.full(rows, 2),
        "price": price,
    }


def pixels(rows: int = 200) -> Columns:
    label = np.arange(rows) % 4
    images = np.random.default_rng(3).integers(0, 60, (rows, 16)) + 150 * (np.arange(16) // 4 == label[:, None])
    return {**{f"pixel_{number}": images[:, number] for number in range(16)}, "digit": label}


def images(rows: int = 200) -> Columns:
    label = np.arange(rows) % 4
    array = np.random.default_rng(4).integers(0, 60, (rows, 8, 8))
    array[np.arange(rows), label * 2] += 150
    return {"images": array.astype("uint8"), "label": label + 5}


def matrices(rows: int = 200) -> Columns:
    x = np.random.default_rng(5).normal(size=(rows, 4)).astype("float32")
    return {"x": x, "y": (x @ np.array([1, -2, 0.5, 3])).astype("float32")}


def low_rank(rows: int = 200) -> Columns:
    random = np.random.default_rng(6)
    return {"matrix": random.normal(size=(rows, 2)) @ random.normal(size=(2, 8))}


def tokens(rows: int = 300) -> Columns:
    return {"tokens": ((np.arange(9) + np.random.default_rng(7).integers(0, 5, (rows, 1))) % 5).astype("uint8")}


def token_columns() -> Columns:
    array = tokens()["tokens"].astype(int)
    return {f"t{number}": array[:, number] for number in range(9)}


CASES: list[tuple[str, str, Callable[[], Columns]]] = [
    *(("classifier", suffix, flowers) for suffix in ("csv", "tsv", "jsonl", "npz", "parquet", "feather")),
    *(("regressor", suffix, houses) for suffix in ("csv", "jsonl", "parquet")),
    *(("classifier", suffix, pixels) for suffix in ("csv", "npz", "safetensors")),
    ("classifier", "npz", images),
    ("autoencoder", "npz", images),
    ("autoencoder", "csv", flowers),
    ("autoencoder", "npy", low_rank),
    *(("regressor", suffix, matrices) for suffix in ("npz", "parquet", "safetensors")),
    *(("language-model", suffix, tokens) for suffix in ("npy", "npz")),
    ("language-model", "csv", token_columns),
]


def records(*arguments: str) -> list[dict[str, Any]]:
    found = command("train", *arguments, "--quiet", "--json")
    assert found.code == 0, found.err
    trained: list[dict[str, Any]] = found.data["records"]
    return trained


@pytest.mark.parametrize(("kind", "suffix", "make"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_what_is_written_checks_and_trains(kind: str, suffix: str, make: Callable[[], Columns]) -> None:
    write(Path(f"rows.{suffix}"), make())
    found = command("new", kind, "--data", f"rows.{suffix}")
    assert (found.code, found.out) == (0, "")
    assert found.err == f"wrote {kind}.yaml; next: graphspec train {kind}.yaml\n"
    text = Path(f"{kind}.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=")
    assert max(map(len, text.splitlines())) <= 120
    checked = command("check", f"{kind}.yaml", "--json")
    assert (checked.code, checked.data["diagnostics"]) == (0, [])
    losses = [record["loss"] for record in records(f"{kind}.yaml", "--epochs", "2")]
    assert losses[1] < losses[0]
    again = command("new", kind, "--data", f"rows.{suffix}")
    assert (again.code, again.codes) == (1, ["GS614"])
    assert Path(f"{kind}.yaml").read_text(encoding="utf-8") == text


def new(kind: str, columns: Columns, *more: str, file: str = "rows.csv") -> str:
    """Return the text of a starter for some columns."""
    write(Path(file), columns)
    found = command("new", kind, "--data", file, "-o", "spec.yaml", *more)
    assert found.code == 0, found.err
    return Path("spec.yaml").read_text(encoding="utf-8")


# -- better than nothing ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("make", "file"), [(flowers, "rows.csv"), (pixels, "rows.csv"), (images, "rows.npz")])
def test_classifiers_beat_the_most_frequent_class(make: Callable[[], Columns], file: str) -> None:
    new("classifier", make(), file=file)
    assert records("spec.yaml", "--epochs", "15")[-1]["validation.accuracy"] > 0.9


@pytest.mark.parametrize(("make", "file"), [(houses, "rows.csv"), (matrices, "rows.npz")])
def test_regressors_beat_the_mean(make: Callable[[], Columns], file: str) -> None:
    columns = make()
    new("regressor", columns, file=file)
    last = records("spec.yaml", "--epochs", "40")[-1]
    target = columns["price" if "price" in columns else "y"]
    assert last["validation.loss"] < 0.1
    assert last["validation.error"] < 0.3 * target.std()


def test_predictions_are_in_the_units_of_the_file() -> None:
    columns = houses()
    new("regressor", columns)
    assert command("train", "spec.yaml", "--quiet", "--save", "w.safetensors").code == 0
    assert command("predict", "spec.yaml", "--weights", "w.safetensors", "--data", "rows.csv", "-o", "p.npz").code == 0
    predicted = np.load("p.npz")["prediction"]
    assert np.corrcoef(predicted, columns["price"])[0, 1] > 0.98
    assert abs(predicted.mean() - columns["price"].mean()) < 2000


def test_an_autoencoder_rebuilds() -> None:
    new("autoencoder", low_rank(), file="rows.npy")
    assert records("spec.yaml", "--epochs", "40")[-1]["validation.explained"] > 0.9


def test_a_language_model_learns_to_count() -> None:
    new("language-model", tokens(), file="rows.npy")
    assert records("spec.yaml", "--epochs", "12")[-1]["validation.accuracy"] > 0.9


# -- what is chosen ---------------------------------------------------------------------------------------------------


def test_what_is_left_out_and_why() -> None:
    text = new("regressor", houses()).replace("\n# ", " ")
    assert "Left out: 'name', which is another text in every row; 'country', which is always the same;" in text
    assert "'storeys', which is always 2." in text
    assert "x: {columns: [size], standardise: true}" in text
    assert "colour: {columns: colour, classes: [blue, green, red], one_hot: 3}" in text
    assert "Left out: 'id', which numbers the rows." in new_text("classifier", flowers())


def new_text(kind: str, columns: Columns, *more: str, file: str = "rows.csv") -> str:
    Path("spec.yaml").unlink(missing_ok=True)
    return new(kind, columns, *more, file=file)


def test_targets() -> None:
    columns = flowers()
    assert "label: {columns: species, classes: [setosa, versicolor, virginica]}" in new_text("classifier", columns)
    first = {"Class": columns["species"], "a": columns["a"], "b": columns["b"]}
    assert "label: {columns: Class, classes:" in new_text("classifier", first)
    coded = {**columns, "code": np.arange(150) % 2}
    assert "label: code\n" in new_text("classifier", coded, "--target", "code")
    assert "chosen by its name" in new_text("classifier", coded)
    assert "target: b\n" in new_text("regressor", columns, "--target", "b")
    coded = {"a": columns["a"], "b": columns["b"], "grade": np.arange(150) % 3 + 1}
    assert "label: {columns: grade, classes: [1, 2, 3]}" in new_text("classifier", coded)


def test_columns_of_one_kind_are_a_pattern_and_scaled() -> None:
    text = new_text("classifier", pixels())
    assert "pixel: {columns: [pixel_*], scale: 0.00" in text
    assert "as images: reshape: [1, 4, 4], and conv2d" in text
    text = new_text("classifier", {"pixel_size": RANDOM.random(200), **pixels()})
    assert "pixel_*" not in text
    assert "columns: [pixel_size, pixel_0, pixel_1," in text


def test_images_get_convolutions() -> None:
    text = new_text("classifier", images(), file="rows.npz")
    assert "image: {shape: [batch, 1, 8, 8]}" in text
    assert "conv2d(image, units=16" in text
    assert "classes: [5, 6, 7, 8]" in text
    last = {"pictures": np.repeat(images()["images"][..., None], 3, axis=3), "label": images()["label"]}
    text = new_text("classifier", last, file="rows.npz")
    assert "image: {shape: [batch, 8, 8, 3]}" in text
    assert command("check", "spec.yaml").code == 0
    assert len(records("spec.yaml", "--epochs", "1")) == 1


def test_empty_cells() -> None:
    columns = {name: column.astype(str).astype(object) for name, column in flowers().items()}
    columns["a"][::30] = ""
    columns["b"][::50] = "NA"
    columns["c"][::2] = ""
    columns["species"][7] = ""
    text = new_text("classifier", columns).replace("\n# ", " ")
    assert "Left out: 'id', which numbers the rows; 'c', where 75 of 150 cells are empty or no numbers." in text
    assert "x: {columns: [a, b], standardise: true}" in text
    assert "bad_rows: skip\n" in text
    found = command("train", "spec.yaml", "--epochs", "2", "--quiet", "--json")
    assert (found.code, found.data["skipped"] > 0) == (0, True)


def test_rows_of_the_wrong_length() -> None:
    write(Path("rows.csv"), flowers())
    with Path("rows.csv").open("a", encoding="utf-8") as stream:
        stream.write("1,2\n")
    assert command("new", "classifier", "--data", "rows.csv").code == 0
    assert "1 rows with the wrong number of cells" in Path("classifier.yaml").read_text(encoding="utf-8")
    assert records("classifier.yaml", "--epochs", "1")


ODD = [
    "two words",
    "a, b",
    'q"uote',
    "it's",
    "größe",
    "x",
    "label",
    "h1",
    "for",
    "1st",
    "co:lon",
    "# hash",
    "a[0]",
    "-",
    "yes",
]


def test_odd_names() -> None:
    rows = 60
    columns = {name: RANDOM.normal(size=rows) for name in ODD}
    columns |= {f"text {name}": RANDOM.choice(["yes", "no", "a, b", "{x}", "1"], rows) for name in ODD}
    columns["the class: #1"] = np.arange(rows) % 2
    new("classifier", columns, "--target", "the class: #1", file="my data.csv")
    assert command("check", "spec.yaml", "--no-gradients").code == 0
    assert len(records("spec.yaml", "--epochs", "1")) == 1


def test_numbers_that_float32_could_not_tell_apart() -> None:
    x = RANDOM.normal(size=100)
    text = new_text("regressor", {"x": x, "y": 1.7e9 + x})
    assert "dtype: float64" in text
    assert records("spec.yaml", "--epochs", "30")[-1]["validation.loss"] < 0.2


def test_a_time_is_better_than_nothing() -> None:
    text = new_text("regressor", {"day": np.arange(100), "y": np.sin(np.arange(100) / 30)})
    assert "x: {columns: [day], standardise: true}" in text
    assert "Left out" not in text


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "npz", "npy", "parquet"])
def test_large_files_are_looked_at_in_part(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(column_module, "CELLS", 2000)
    options = {"row_group_size": 500} if suffix == "parquet" else {}
    rows = (
        {"a": np.arange(20_000) // 1000} if suffix == "npy" else {"a": np.arange(20_000) // 1000, "b": np.ones(20_000)}
    )
    found = survey(open_table(write(Path(f"rows.{suffix}"), rows, **options), f"rows.{suffix}"))
    assert found.whole is (suffix == "npz")  # whose arrays are read whole anyway
    assert found.rows < 15_000 or found.whole
    assert found.columns[0].kind == "integer"
    if suffix in ("npy", "parquet"):  # which can be read from the middle
        assert found.columns[0].high > 15


# -- where it is written ----------------------------------------------------------------------------------------------


def test_the_folder_of_the_spec_holds_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    write(tmp_path / "data" / "rows.csv", flowers())
    assert command("new", "classifier", "--data", "data/rows.csv").code == 0
    assert "file: data/rows.csv" in (tmp_path / "classifier.yaml").read_text(encoding="utf-8")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert command("new", "classifier", "--data", "../data/rows.csv").code == 0
    assert "file: rows.csv" in (tmp_path / "data" / "classifier.yaml").read_text(encoding="utf-8")
    assert records("../data/classifier.yaml", "--epochs", "1")
    found = command("new", "classifier", "--data", "../data/rows.csv", "-o", "here.yaml")
    assert (found.code, found.codes) == (1, ["GS112"])
    assert "hint: -o ../data/here.yaml, or move the data" in found.err
    assert not Path("here.yaml").exists()
    assert command("new", "classifier", "--data", "../data/rows.csv", "-o", "../up").code == 0
    assert "file: data/rows.csv" in (tmp_path / "up.yaml").read_text(encoding="utf-8")


# -- what is refused --------------------------------------------------------------------------------------------------


def refused(kind: str, file: str, *more: str) -> Outcome:
    found = command("new", kind, "--data", file, *more)
    assert found.code == 1
    assert not list(Path().glob("*.yaml"))
    return found


REFUSED: list[tuple[str, Columns, tuple[str, ...], str, str]] = [
    ("classifier", houses(), (), "GS639", "'price', chosen by its name|'price', chosen as the last column"),
    ("regressor", flowers(), (), "GS639", "it holds texts, which are classes"),
    ("classifier", flowers(), ("--target", "specis"), "GS631", "did you mean 'species'?"),
    ("classifier", flowers(), ("--target", "id"), "GS639", "150 different values in 150 rows"),
    ("classifier", flowers(6), (), "GS639", "rows.csv has 6 rows"),
    ("classifier", {"a": np.arange(20.0)}, (), "GS639", "has one column"),
    ("regressor", {"a": np.ones(20), "y": RANDOM.random(20)}, (), "GS639", "'a', which is always 1"),
    ("regressor", {"a": RANDOM.random(20), "y": np.ones(20)}, (), "GS639", "all its values are the same"),
    ("language-model", flowers(), (), "GS639", "no windows of tokens"),
    ("autoencoder", {"a": RANDOM.random(20), "label": np.arange(20) % 2}, (), "GS639", "needs several numbers"),
    ("regressor", {"5.1": RANDOM.random(20), "3.5": RANDOM.random(20)}, (), "GS639", "and no names of columns"),
    ("regressor", {"a;b": RANDOM.random(20)}, (), "GS639", "separated by commas"),
]


@pytest.mark.parametrize(("kind", "columns", "more", "code", "message"), REFUSED)
def test_tables_that_do_not_fit(kind: str, columns: Columns, more: tuple[str, ...], code: str, message: str) -> None:
    write(Path("rows.csv"), columns)
    found = refused(kind, "rows.csv", *more)
    assert found.codes == [code]
    assert found.err.startswith("rows.csv:1:1: ")
    assert any(part in found.err for part in message.split("|")), found.err


def test_files_that_cannot_be_read() -> None:
    Path("words.txt").write_text("to be or not to be", encoding="utf-8")
    Path("empty.csv").write_text("", encoding="utf-8")
    Path("broken.npz").write_bytes(b"PK")
    Path("other.xyz").write_bytes(b"")
    write(Path("any*.csv"), flowers())
    np.save("stream.npy", np.arange(100) % 7)
    assert "numpy.fromfile(FILE, 'uint8')" in refused("language-model", "words.txt").err
    assert "[: len(t) // 65 * 65].reshape(-1, 65)" in refused("language-model", "stream.npy").err
    assert refused("classifier", "other.xyz").codes == ["GS639"]
    assert refused("classifier", "empty.csv").codes == ["GS632"]
    assert refused("classifier", "broken.npz").codes == ["GS632"]
    assert refused("classifier", "missing.csv").codes == ["GS630"]
    assert refused("classifier", ".csv").codes == ["GS639"]
    assert "read as a pattern" in refused("classifier", "any*.csv").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["classifier"], "new classifier needs --data FILE (a file of that name: new classifier.yaml)"),
        (["clasifier", "--data", "rows.csv"], "did you mean 'classifier'?"),
        (["first", "-o", "x.yaml"], "go with classifier, regressor, autoencoder or language-model, not 'first'"),
        (["autoencoder", "--data", "rows.csv", "--target", "a"], "--target is what a classifier or regressor predicts"),
    ],
)
def test_wrong_usage(arguments: list[str], message: str) -> None:
    found = command("new", *arguments)
    assert found.code == 2
    assert message in found.err
    assert not list(Path().glob("*.yaml"))


def test_a_file_called_as_a_kind() -> None:
    assert command("new", "classifier.yaml").code == 0
    assert command("check", "classifier.yaml").code == 0


def test_in_a_process_of_its_own() -> None:
    write(Path("rows.jsonl"), flowers())
    done = process("new", "classifier", "--data", "rows.jsonl")
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(process("train", "classifier.yaml", "--epochs", "1", "--quiet", "--json").stdout)["records"]
