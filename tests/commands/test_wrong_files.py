"""Files that are no programs: each message says what the file is, and what reads it."""

from __future__ import annotations

import codecs
import sys
from pathlib import Path

import pytest

from tests.commands.running import run

NET = "INPUT 32x32x3 -> CONV3-8 -> RELU -> FC-10\n"

CLASSES = "from torch import nn\nclass Head(nn.Module): pass\nclass Net(nn.Module): pass\ndef helper(): pass\n"


@pytest.fixture(autouse=True)
def _files(_in_a_folder_of_its_own: None) -> None:
    for name in ("mynet.cnn", "folder/tiny.cnn"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(NET)
    Path("model.py").write_text(CLASSES)
    Path("net.prototxt").write_text('name: "Tiny"\n')
    Path("pic.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("pic").write_bytes(b"\x89PNG\r\n\x1a\n")
    Path("archive").write_bytes(b"PK\x03\x04rest")
    Path("model.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    Path("model.pt").write_bytes(b"PK\x03\x04rest")
    Path("net.onnx").write_bytes(b"\x08\x07rest")
    Path("wide.cnn").write_bytes(codecs.BOM_UTF16_LE + NET.encode("utf-16-le"))
    Path("empty").mkdir()


MESSAGES = {
    "mynett.cnn": "there is no such file; did you mean mynet.cnn?",
    "MyNet": "there is no such file; did you mean mynet.cnn?",
    "folder/tinny.cnn": "there is no such file; did you mean folder/tiny.cnn?",
    "nothing*.cnn": "there is no such file; no name matches this pattern",
    "folder": "it is a folder; its programs are folder/*.cnn",
    "folder/": "it is a folder; its programs are folder/*.cnn",
    "empty": "it is a folder",
    "wide.cnn": "it is text in UTF-16, but a program is UTF-8 text",
    "pic": "it is a PNG picture, but a program is UTF-8 text",
    "pic.png": "it is a PNG picture, but a program is UTF-8 text",
    "archive": "it is a ZIP archive, such as torch.save writes, but",
    "model.h5": "it is an HDF5 file, such as Keras writes, but",
    "model.py": "the file is Python; `cnndsl import model.py:CLASS --input 224x224x3` makes a program",
    "net.prototxt": "the file is Caffe's; `cnndsl import net.prototxt -o net.cnn` makes a program of it",
    "net.onnx": "the file is ONNX's; `cnndsl import net.onnx -o net.cnn` makes a program of it",
    "model.pt": "the file is of weights; `cnndsl import` reads the code that makes the network",
}


@pytest.mark.parametrize("file", MESSAGES)
@pytest.mark.parametrize("command", ["check", "stats", "fmt"])
def test_a_file_that_is_no_program(command: str, file: str) -> None:
    result = run(command, file)
    assert result.exit_code == 1
    assert f"cannot read {file}: {MESSAGES[file]}" in (result.stdout if command == "check" else result.stderr)


def test_bundled_networks_are_copied_before_they_are_formatted() -> None:
    assert "`cnndsl new lenet5` copies one" in run("fmt", "lenet5").stderr


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("resnet50", "this network is bundled: cnndsl stats resnet50"),
        ("nasnet", "a network of a library is timm:nasnet or torchvision:nasnet"),
        ("torchvision.models.resnet50", "write torchvision:resnet50"),
        ("torchvision.resnet50", "write torchvision:resnet50"),
        ("torchvision/resnet50", "write torchvision:resnet50"),
        ("torch.hub.resnet50", "write torchvision:resnet50"),
        ("timm/resnet50", "write timm:resnet50"),
        ("timm.models.resnet50", "write timm:resnet50"),
        ("mine.nets.Net", "write mine.nets:Net"),
        ("model.py", "name the class or the function: model.py:Head or model.py:Net"),
        ("missing.py", "write missing.py:CLASS"),
        ("model.h5", "export the network to ONNX, as tf2onnx does"),
        ("net.caffemodel", "it holds weights; the network is in its .prototxt file"),
        ("mynet.cnn", "it is a program already, which every command reads"),
        ("model.pt", "it holds weights and no network (it is damaged, or torch.save did not write it); name the code"),
        ("huggingface:microsoft/resnet-50", "code is timm:NAME, torchvision:NAME, package.module:NAME or FILE.py:NAME"),
    ],
)
def test_what_import_could_be_meant_to_read(source: str, message: str) -> None:
    result = run("import", source)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_a_library_that_is_not_called_so() -> None:
    for source in ("pytorch:vgg11", "torch:vgg11"):
        assert "write torchvision:vgg11" in run("import", source).stderr


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("net.jpg", "; write net.png"),
        ("net.gif", "; write net.png"),
        ("net.eps", "; write net.pdf"),
        ("net", "; write net.svg"),
        ("folder/", "; add the name of a file"),
    ],
)
def test_a_picture_of_another_format(file: str, message: str) -> None:
    result = run("render", "mynet.cnn", "-o", file)
    assert result.exit_code == 1
    assert message in result.stderr
    assert run("compile", "mynet.cnn", "-o", "folder/").stderr == (
        "error: cannot write folder/: this names a folder; add the name of a file\n"
    )


def test_a_package_that_is_missing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    for arguments in (("bench", "mynet.cnn"), ("compile", "mynet.cnn", "--weights", "model.pt")):
        result = run(*arguments)
        assert result.exit_code == 1
        assert result.stderr == f"error: {arguments[0]} needs torch: pip install torch\n"
