"""The interface of Python: what `load` takes and what a Network gives."""

from __future__ import annotations

import pickle
from fractions import Fraction
from pathlib import Path

import pytest

import cnndsl
from cnndsl.settings import parse_settings, values
from cnndsl.values import ListValue, NameSymbol, show


def test_the_public_names_exist() -> None:
    for name in cnndsl.__all__:
        assert getattr(cnndsl, name) is not None
    assert set(cnndsl.__all__) <= set(dir(cnndsl))
    with pytest.raises(AttributeError, match="module 'cnndsl' has no attribute 'lod'"):
        cnndsl.lod  # type: ignore[attr-defined]  # noqa: B018


def test_a_file_and_a_net_of_the_zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("net.cnn").write_text("net A(path=3, text=4)\nINPUT 8x8x3 -> FC-path -> FC-text", encoding="utf-8")
    assert cnndsl.load("net.cnn").graph.nodes[-1].shape.hwc == (4,)
    assert cnndsl.load(Path("net.cnn"), path=7, text=5).graph.nodes[-1].shape.hwc == (5,)
    assert cnndsl.load("vgg16", classes=10).stats().layers[-1].node.shape.hwc == (10,)


def test_what_is_wrong_is_an_exception() -> None:
    with pytest.raises(cnndsl.CnnError, match="did you mean `CONV`"):
        cnndsl.loads("INPUT -> CNOV")
    with pytest.raises(cnndsl.CnnError, match="E0401"):
        cnndsl.loads("INPUT 8x8x3 -> FC-1\nassert params == 1")
    with pytest.raises(cnndsl.CnnError, match="did you mean `classes`"):
        cnndsl.load("vgg16", clases=10)
    with pytest.raises(cnndsl.FileError, match="there is no such file; did you mean"):
        cnndsl.load("vgg61")


def test_a_network_says_what_it_is() -> None:
    # FC-10 on 8x8x3: 192*10 weights and 10 biases.
    network = cnndsl.loads("net Tiny\nINPUT 8x8x3 -> FC-10")
    assert repr(network) == "Network(Tiny, input 8x8x3, 1,930 parameters, 1,920 multiply-adds)"
    assert repr(pickle.loads(pickle.dumps(network))) == repr(network)
    assert network._repr_svg_().startswith("<svg ")
    assert "<table>" in network.stats()._repr_html_()
    assert network.stats() is network.stats()


def test_a_network_without_a_name_is_called_like_its_file(tmp_path: Path) -> None:
    assert cnndsl.loads("INPUT 8x8x3 -> FC-10").name == "text"
    (tmp_path / "mine.cnn").write_text("INPUT 8x8x3 -> FC-10")
    assert cnndsl.load(tmp_path / "mine.cnn").name == "mine"


def test_a_drawing(tmp_path: Path) -> None:
    network = cnndsl.loads("INPUT 8x8x3 -> FC-10")
    assert network.render(tmp_path / "net.svg") == network.render()
    assert (tmp_path / "net.svg").read_bytes().startswith(b"<svg ")
    network.render(tmp_path / "dark.svg", width="page", theme="dark")
    assert b"#10161D" in (tmp_path / "dark.svg").read_bytes()
    network.render(tmp_path / "net.gv", fold=True)
    assert (tmp_path / "net.gv").read_text("utf-8") == network.render(fold=True)
    with pytest.raises(cnndsl.FileError, match="must end in"):
        network.render(tmp_path / "net.gif")
    with pytest.raises(cnndsl.FileError, match="exists already"):
        network.render(tmp_path / "net.svg", force=False)


def test_a_drawing_as_mermaid(tmp_path: Path) -> None:
    """That of the command line; the text does not depend on whether a file is written, and on which one."""
    network = cnndsl.load("lenet5")
    text = network.render(format="mermaid")
    assert "flowchart TB" in text
    assert network.render(tmp_path / "net.mmd") == (tmp_path / "net.mmd").read_text("utf-8") == text
    assert network.render(tmp_path / "net.svg", format="mermaid") == text
    assert (tmp_path / "net.svg").read_bytes().startswith(b"<svg ")
    assert network.render(format="dot") == network.render()
    with pytest.raises(cnndsl.FileError, match="exists already"):
        network.render(tmp_path / "net.mmd", force=False)


def test_a_drawing_by_graphviz(tmp_path: Path) -> None:
    pytest.importorskip("pygraphviz")
    cnndsl.loads("INPUT 8x8x3 -> FC-10").render(tmp_path / "net.svg", layout="dot", fold=True)
    assert (tmp_path / "net.svg").read_bytes().startswith(b"<?xml")


def test_a_drawing_leads_to_its_source(tmp_path: Path) -> None:
    """The address is relative to the picture; characters that addresses don't have are escaped."""
    (tmp_path / "my net.cnn").write_text("INPUT 8x8x3\n-> CONV3-4\n-> FC-10\n")
    network = cnndsl.load(tmp_path / "my net.cnn")
    network.render(tmp_path / "net.svg")
    drawn = (tmp_path / "net.svg").read_text("utf-8")
    assert all(f'<a href="my%20net.cnn#L{line}">' in drawn for line in (1, 2, 3))
    (tmp_path / "figures").mkdir()
    network.render(tmp_path / "figures" / "net.svg")
    assert '<a href="../my%20net.cnn#L2">' in (tmp_path / "figures" / "net.svg").read_text("utf-8")
    cnndsl.loads("INPUT 8x8x3 -> FC-10").render(tmp_path / "text.svg")
    assert "<a " not in (tmp_path / "text.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (3, 3),
        (True, True),
        (0.1, Fraction(1, 10)),
        (2.0, 2),
        (Fraction(6, 3), 2),
        ((8, 8, 3), (8, 8, 3)),
        ([8, 8, 3], (8, 8, 3)),
        ("yes", True),
        ("8x8x3", (8, 8, 3)),
        ("2*3", 6),
        ([0.5, 2], ListValue((Fraction(1, 2), 2))),
        ((True, 2), ListValue((True, 2))),
        ((), ListValue(())),
        (((1, 16), (2, "RELU")), ListValue((ListValue((1, 16)), ListValue((2, NameSymbol("RELU")))))),
        ("32, 64", ListValue((32, 64))),
    ],
)
def test_values_of_python(given: object, value: object) -> None:
    found = values({"a": given})["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("given", [{}, None, b"x", float("nan"), float("inf"), (None,), object()])
def test_what_is_no_value(given: object) -> None:
    with pytest.raises(TypeError, match="a="):
        values({"a": given})


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("N=2", "2"),
        (" N = 2 ", "2"),
        ("N=-1", "-1"),
        ("N=0.5", "0.5"),
        ("N=5M", "5000000"),
        ("N=no", "no"),
        ("N=32x32x3", "32x32x3"),
        ("N=2*(3+1)", "8"),
        ("N=RELU", "the name `RELU`"),
    ],
)
def test_values_of_the_command_line(text: str, shown: str) -> None:
    assert show(parse_settings([text])["N"]) == shown


@pytest.mark.parametrize(
    "text",
    [
        "N",
        "=2",
        "2=N",
        "N=",
        "N= ",
        "N=2 # x\nlet M = 3",
        "N=2 3",
        "N=@a",
        "N=M+1",
        "N=(",
        "N='2'",
        "N=1/0",
        "N=9e99",
        "N=\0",
    ],
)
def test_what_cannot_be_set(text: str) -> None:
    with pytest.raises(cnndsl.CnnError) as caught:
        parse_settings([text])
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.message.startswith(f"cannot set `{text}`: ")
    assert diagnostic.span is None
