"""Files of weights beside a network: what differs is told by entry, and nothing in a file is run."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner, Result
from torch import nn

from cnndsl import loads
from cnndsl.cli import cli
from cnndsl.files import FileError
from cnndsl.runtime import weights
from cnndsl.runtime.weights import compare, expected, read

TEXT = "net Small(classes=4)\nINPUT 8x8x3 -> stem: [CONV3-6 -> BN -> RELU] -> GAP -> head: FC-classes"


def by_hand() -> nn.Module:
    """The network of TEXT, written without the compiler."""
    module = nn.Module()
    module.stem = nn.Sequential(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU())
    module.head = nn.Linear(6, 4)
    return module


def test_counters_of_batches_may_be_missing() -> None:
    state = {name: value for name, value in by_hand().state_dict().items() if not name.endswith("num_batches_tracked")}
    by_hand().load_state_dict(dict(state), strict=True)
    assert compare(loads(TEXT).graph, {name: tuple(value.shape) for name, value in state.items()}) == []
    del state["stem.1.running_mean"]
    (lacking,) = compare(loads(TEXT).graph, {name: tuple(value.shape) for name, value in state.items()})
    assert str(lacking) == "missing     stem.1.running_mean [6]"


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "small.cnn"
    file.write_text(TEXT)
    return file


def save_safetensors(path: Path, state: dict[str, torch.Tensor]) -> None:
    """As the format's page has it: the header's length, the header, the values."""
    header: dict[str, object] = {"__metadata__": {"format": "pt"}}
    values, at = b"", 0
    for name, tensor in state.items():
        data = tensor.numpy().tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        values, at = values + data, at + len(data)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + values)


def run(program: Path, weights: Path, *options: str) -> Result:
    return CliRunner().invoke(cli, ["compile", str(program), "-o", "-", "--weights", str(weights), *options])


def test_the_entries_of_a_network_are_those_of_the_module() -> None:
    assert expected(loads(TEXT).graph) == {name: tuple(value.shape) for name, value in by_hand().state_dict().items()}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_that_fit(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"weights{suffix}"
    state = by_hand().state_dict()
    torch.save(state, path) if suffix == ".pth" else save_safetensors(path, state)
    assert compare(loads(TEXT).graph, read(str(path))) == []


def test_a_checkpoint_may_hold_the_weights_under_state_dict(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.pt"
    torch.save({"epoch": 3, "state_dict": by_hand().state_dict()}, path)
    assert compare(loads(TEXT).graph, read(str(path))) == []


def test_what_differs_is_told_by_entry(tmp_path: Path, program: Path) -> None:
    state = by_hand().state_dict()
    state["head.weight"] = torch.zeros(10, 6)
    del state["stem.0.bias"]
    state["extra.weight"] = torch.zeros(2)
    torch.save(state, tmp_path / "weights.pth")
    differences = compare(loads(TEXT).graph, read(str(tmp_path / "weights.pth")))
    assert [(each.kind, each.entry, each.layer) for each in differences] == [
        ("missing", "stem.0.bias", "stem.0"),
        ("misshaped", "head.weight", "head"),
        ("unexpected", "extra.weight", "extra"),
    ]
    result = run(program, tmp_path / "weights.pth")
    assert result.exit_code == 1
    assert "head.weight is [10x6], but the network has [4x6]" in result.output


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        (lambda state: {f"module.{name}": value for name, value in state.items()}, "begin with `module.`"),
        (
            lambda state: {**state, "head.weight": torch.zeros(9, 6), "head.bias": torch.zeros(9)},
            "only `head` differs",
        ),
    ],
)
def test_an_evident_way_out_is_shown(tmp_path: Path, program: Path, change: object, advice: str) -> None:
    assert callable(change)
    torch.save(change(by_hand().state_dict()), tmp_path / "weights.pth")
    result = run(program, tmp_path / "weights.pth")
    assert result.exit_code == 1
    assert advice in result.output


class Trap:
    """Would make a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (str(self.path),)  # type: ignore[return-value]


def test_code_in_a_file_is_not_run(tmp_path: Path, program: Path) -> None:
    mark, path = tmp_path / "mark", tmp_path / "weights.pth"
    torch.save({"stem": Trap(mark)}, path)
    result = run(program, path)
    assert result.exit_code == 1
    assert "it holds Python objects" in result.output
    path.write_bytes(pickle.dumps(Trap(mark)))
    assert run(program, path).exit_code == 1
    assert not mark.exists()


@pytest.mark.parametrize(
    "data", [b"", b"\xff" * 8, struct.pack("<Q", 3) + b"{}}", struct.pack("<Q", 8) + b'{"a": 1}', b"\0" * 20]
)
def test_a_damaged_safetensors_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "weights.safetensors"
    path.write_bytes(data)
    with pytest.raises(FileError, match="not a safetensors file"):
        read(str(path))


@pytest.mark.parametrize(
    ("data", "reason"), [(b"", "it is empty"), (b"abc", "it is damaged"), (b"PK\3\4ab", "damaged")]
)
def test_torch_does_not_speak_itself(tmp_path: Path, data: bytes, reason: str) -> None:
    path = tmp_path / "weights.pth"
    path.write_bytes(data)
    with pytest.raises(FileError, match=reason) as caught:
        read(str(path))
    assert "weights_only" not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_a_whole_module_is_no_file_of_weights(tmp_path: Path) -> None:
    path = tmp_path / "whole.pth"
    torch.save(torch.nn.Linear(2, 3), path)
    with pytest.raises(FileError, match=r"model\.state_dict\(\)"):
        read(str(path))


@pytest.mark.parametrize("name", ["none.pth", "weights.txt"])
def test_what_is_no_file_of_weights_is_refused(tmp_path: Path, program: Path, name: str) -> None:
    result = run(program, tmp_path / name)
    assert result.exit_code == 1
    assert "cannot read" in result.output


def test_weights_inside_of_a_checkpoint_are_found(tmp_path: Path) -> None:
    torch.save({"epoch": 3, "net": {"a.weight": torch.zeros(2)}}, tmp_path / "nested.pth")
    with pytest.raises(FileError, match=r"its entry 'net' does: torch.save\(torch.load\("):
        weights.read(str(tmp_path / "nested.pth"))
    torch.save([1, 2], tmp_path / "list.pth")
    with pytest.raises(FileError, match=r"by name; torch.save\(model.state_dict\(\), "):
        weights.read(str(tmp_path / "list.pth"))


def test_another_window_is_not_another_number_of_classes() -> None:
    graph = loads("INPUT 8x8x3 -> conv: CONV3-8(bias=no)").graph
    for found, is_said in (((8, 3, 5, 5), False), ((4, 3, 3, 3), True)):
        assert bool(weights.hint(weights.compare(graph, {"conv.weight": found}))) == is_said
