"""Callbacks: who is called when, what is refused, the examples of docs/callbacks.md, TensorBoard's files."""

from __future__ import annotations

import re
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fake_training import FakeRun, measured, train

import graphspec as gs
from graphspec.errors import CheckpointError, EngineError
from graphspec.program import Program
from graphspec.train.callback import HOOKS, Callback, Callbacks
from graphspec.train.history import History
from graphspec.train.tensorboard import TensorBoardCallback

ROOT = Path(__file__).resolve().parents[1]


class Spy(Callback):
    """Writes down what it is told."""

    def __init__(self, calls: list[str], name: str = ""):
        self.calls, self.name = calls, name

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("on_"):
            return object.__getattribute__(self, name)
        return lambda run, *facts: self.calls.append(self.name + name.removeprefix("on_"))


def test_every_method_is_called_in_its_place() -> None:
    calls: list[str] = []
    history = train(FakeRun(), [Spy(calls)], epochs=2, batches=2)
    epoch = ["epoch_begin", "batch_end", "batch_end", "validation_end", "epoch_end"]
    assert calls == ["train_begin", *epoch, *epoch, "train_end"]
    assert len(history.records) == 2


def test_the_order_is_that_of_the_list() -> None:
    calls: list[str] = []
    train(FakeRun(), [Spy(calls, "a."), Spy(calls, "b.")], epochs=1, batches=1)
    assert calls[:4] == ["a.train_begin", "b.train_begin", "a.epoch_begin", "b.epoch_begin"]
    assert calls[-2:] == ["a.train_end", "b.train_end"]


def test_defaults_do_nothing_and_cost_nothing() -> None:
    callbacks = Callbacks([Callback()])
    assert not any(callbacks._called.values())
    train(FakeRun(), [Callback()])


def test_every_method_of_the_list_is_documented() -> None:
    assert set(HOOKS) == {name for name in vars(Callbacks) if name.startswith("on_")}
    assert all(getattr(Callback, name).__doc__ for name in HOOKS)


def test_an_object_with_some_of_the_methods_is_a_callback() -> None:
    class Duck:
        losses: list[float] = []  # noqa: RUF012

        def on_epoch_end(self, run: FakeRun, record: dict[str, float]) -> None:
            self.losses.append(record["loss"])

    train(FakeRun(), [Duck()], epochs=2, batches=3)
    assert Duck.losses == [measured(3)["loss"], measured(6)["loss"]]


def test_stop_ends_the_training_and_says_why() -> None:
    class Stop(Callback):
        def on_epoch_end(self, run: Any, record: Any) -> None:
            if run.epoch == 2:
                run.stop("enough")

    history = train(FakeRun(), [Stop()], epochs=5)
    assert (len(history.records), history.stopped) == (2, "enough")


@pytest.mark.parametrize("error", [KeyError("mine"), KeyboardInterrupt()])
@pytest.mark.parametrize("hook", ["on_batch_end", "on_epoch_end", "on_validation_end", "on_epoch_begin"])
def test_what_a_callback_raises_arrives_as_it_is_and_the_others_end(hook: str, error: BaseException) -> None:
    def fail(*facts: Any) -> None:
        raise error

    failing, calls = Callback(), []  # type: ignore[var-annotated]
    setattr(failing, hook, fail)
    with pytest.raises(type(error)) as info:
        train(FakeRun(), [Spy(calls), failing])
    assert info.value is error
    assert calls[-1] == "train_end"
    assert calls.count("train_end") == 1


def test_an_error_at_the_end_keeps_no_one_from_ending() -> None:
    class Bad(Callback):
        def on_train_end(self, run: Any, history: Any) -> None:
            raise ValueError(id(self))

    calls: list[str] = []
    bad = Bad()
    with pytest.raises(ValueError, match=str(id(bad))):
        train(FakeRun(), [bad, Bad(), Spy(calls)])
    assert calls[-1] == "train_end"


def test_only_those_that_began_are_told_of_the_end() -> None:
    class Bad(Callback):
        def on_train_begin(self, run: Any) -> None:
            raise ValueError("no")

    before: list[str] = []
    after: list[str] = []
    with pytest.raises(ValueError, match="no"):
        train(FakeRun(), [Spy(before), Bad(), Spy(after)])
    assert (before, after) == (["train_begin", "train_end"], [])


def test_what_would_never_be_called_is_refused() -> None:
    class Misspelt(Callback):
        def on_epoch_ends(self) -> None: ...

    class Keras(Callback):
        def on_train_batch_end(self) -> None: ...

    with pytest.raises(TypeError, match=r"Misspelt.on_epoch_ends would never be called: did you mean 'on_epoch_end'"):
        Callbacks([Misspelt()])
    with pytest.raises(TypeError, match=r"on_train_batch_end would never be called: there are on_train_begin, "):
        Callbacks([Keras()])
    with pytest.raises(TypeError, match=r"Spy is a class; a callback is an object: Spy\(\)"):
        Callbacks([Spy])
    with pytest.raises(TypeError, match="int is no callback: it has none of on_train_begin"):
        Callbacks([1])


def test_the_package_has_them() -> None:
    assert (gs.Callback, gs.History) == (Callback, History)


# -- docs/callbacks.md -----------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs" / "callbacks.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class Recorder(ModuleType):
    """A module that is not installed: writes down every call, and gives itself back."""

    def __init__(self, name: str):
        super().__init__(name)
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*arguments: Any, **keywords: Any) -> Recorder:
            self.calls.append((name, arguments, keywords))
            return self

        return call


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Recorder]:
    found = {name: Recorder(name) for name in ("mlflow", "wandb")}
    for name, module in found.items():
        monkeypatch.setitem(sys.modules, name, module)

    def fake(self: Program, callbacks: Any = ()) -> History:
        return train(FakeRun(epochs=20), callbacks, epochs=20, batches=8)

    monkeypatch.setattr(Program, "train", fake, raising=False)
    (tmp_path / "specs").symlink_to(ROOT / "specs")
    monkeypatch.chdir(tmp_path)
    return found


@pytest.mark.parametrize("block", BLOCKS, ids=["callback", "tensorboard", "mlflow", "wandb"])
def test_the_examples_run(block: str, fakes: dict[str, Recorder], capsys: pytest.CaptureFixture[str]) -> None:
    exec(compile(block, "docs/callbacks.md", "exec"), {"__name__": "example"})
    shown = [line.partition("# ")[2] for line in block.splitlines() if line.startswith("print(")]
    assert capsys.readouterr().out.splitlines() == shown
    if "mlflow" in block:
        calls = fakes["mlflow"].calls
        names = ["start_run", "log_params", "log_text", *["log_metrics"] * 20, "end_run"]
        assert [name for name, _, _ in calls] == names
        assert calls[2][1] == ("graphspec: 1\n", "spec.yaml")
        assert calls[3][2] == {"step": 8}
        assert calls[3][1][0]["loss"] == measured(8)["loss"]
    if "wandb" in block:
        calls = fakes["wandb"].calls
        assert [name for name, _, _ in calls] == ["init", *["log"] * 20, "finish"]
        assert calls[0][2] == {"name": "digits", "config": {"seed": 7, "spec": "graphspec: 1\n"}}
        assert calls[-2][1][0]["validation.loss"] == measured(160, "validation.")["validation.loss"]
    if "TensorBoard" in block:
        assert len(events(Path("runs/mlp/train"))) == 21


def test_the_integrations_have_ten_lines() -> None:
    for block in BLOCKS[2:]:
        body = block[block.index("class ") : block.index("\n\n\ngs.load")]
        assert len([line for line in body.splitlines() if line]) <= 10


def test_the_page_lists_every_method() -> None:
    assert re.findall(r"^\| `(on_\w+)\(", PAGE, re.MULTILINE) == list(HOOKS)


# -- TensorBoard -----------------------------------------------------------------------------------------------------


def events(folder: Path) -> list[Any]:
    """Return the events of the files in a folder, by the framing of TFRecord files, checksums included."""
    from tensorboardX.proto.event_pb2 import Event

    found = []
    for path in sorted(folder.iterdir()):
        assert "tfevents" in path.name
        for data in framed(path.read_bytes()):
            event = Event()
            event.ParseFromString(data)
            found.append(event)
    return found


def framed(data: bytes) -> Iterator[bytes]:
    while data:
        length, check = struct.unpack("<QI", data[:12])
        body, (end,) = data[12 : 12 + length], struct.unpack("<I", data[12 + length : 16 + length])
        assert (check, end) == (masked_crc(data[:8]), masked_crc(body))
        yield body
        data = data[16 + length :]


def masked_crc(data: bytes) -> int:
    """Return the masked CRC-32C of a TFRecord, bit by bit (RFC 3720, B.4)."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def scalars(folder: Path) -> list[tuple[int, str, float]]:
    return [(event.step, value.tag, value.simple_value) for event in events(folder) for value in event.summary.value]


def test_tensorboard_files_hold_every_epoch(tmp_path: Path) -> None:
    train(FakeRun(), [TensorBoardCallback(tmp_path)], epochs=3, batches=4)
    assert masked_crc(b"123456789") == ((0xE3069283 >> 15 | 0xE3069283 << 17) + 0xA282EAD8) & 0xFFFFFFFF
    assert events(tmp_path / "train")[0].file_version == "brain.Event:2"
    found = scalars(tmp_path / "train")
    names = ["rows_per_second", "loss", "accuracy", "learning_rate"]
    assert [(step, tag) for step, tag, _ in found] == [(step, name) for step in (4, 8, 12) for name in names]
    assert found[1][2] == pytest.approx(measured(4)["loss"], rel=1e-6)
    assert [(step, tag) for step, tag, _ in scalars(tmp_path / "validation")] == [
        (step, name) for step in (4, 8, 12) for name in ("loss", "accuracy")
    ]


def test_tensorboard_may_have_batches_too(tmp_path: Path) -> None:
    train(FakeRun(), [TensorBoardCallback(tmp_path, every=3)], epochs=1, batches=7)
    assert [(step, tag) for step, tag, _ in scalars(tmp_path / "train") if "batch" in tag] == [
        (3, "batch/loss"),
        (3, "batch/accuracy"),
        (6, "batch/loss"),
        (6, "batch/accuracy"),
    ]
    with pytest.raises(ValueError, match="from 1"):
        TensorBoardCallback(every=0)


def test_tensorboard_forgets_later_steps_when_resumed(tmp_path: Path) -> None:
    callback = TensorBoardCallback()
    run = FakeRun(folder=tmp_path)
    train(run, [callback], epochs=2)
    run.step = 4
    train(run, [callback], epochs=2)
    sessions = [event for event in events(tmp_path / "tensorboard" / "train") if event.HasField("session_log")]
    assert [(event.step, event.session_log.status) for event in sessions] == [(5, 1)]


def test_tensorboard_writes_where_it_was_told_or_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train(FakeRun(), [TensorBoardCallback()])
    assert len(scalars(tmp_path / "runs" / "digits" / "validation")) == 6


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300, -1e300, 10**12])
def test_tensorboard_takes_any_number(value: float, tmp_path: Path) -> None:
    callback, run = TensorBoardCallback(tmp_path), FakeRun(step=1)
    callback.on_train_begin(run)
    callback.on_epoch_end(run, {"epoch": 1, "loss": value})
    callback.on_train_end(run, History())
    assert len(scalars(tmp_path / "train")) == 1


def test_tensorboard_that_cannot_write_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CheckpointError, match=r"GS614 the events in '.*/file/train' cannot be written: .*[Dd]irectory"):
        train(FakeRun(), [TensorBoardCallback(tmp_path / "file")])

    def full(*facts: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tensorboardX.RecordWriter.flush", full)
    with pytest.raises(CheckpointError, match=r"GS614 .*No space left on device"):
        train(FakeRun(), [TensorBoardCallback(tmp_path / "runs")])


def test_tensorboard_that_is_not_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(EngineError, match=r"GS612 .*tensorboardX(.|\n)*pip install 'graphspec\[tensorboard\]'"):
        TensorBoardCallback()
