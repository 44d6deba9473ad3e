"""Other systems, imitated: paths and names of Windows, and systems whose files know no links."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path, PureWindowsPath

import pytest

from cnndsl import files
from cnndsl.commands import compile as compiling
from cnndsl.diagnostics.machine import sarif
from cnndsl.elaborate import elaborate
from cnndsl.emit.drawing import draw
from cnndsl.emit.torch.source import source
from cnndsl.errors import Diagnostic, Source, Span
from cnndsl.files import FileError, read, write
from cnndsl.syntax.parse import parse

PLACES = {
    "C:\\Users\\new\\my-net.cnn": "file:///C:/Users/new/my-net.cnn",
    "C:/nets/my-net.cnn": "file:///C:/nets/my-net.cnn",
    "C:my-net.cnn": "C%3Amy-net.cnn",
    "nets\\my-net.cnn": "nets/my-net.cnn",
    "..\\my-net.cnn": "../my-net.cnn",
    "\\\\server\\share\\my-net.cnn": "file://server/share/my-net.cnn",
    "\\\\?\\C:\\nets\\my-net.cnn": "",
    "/nets/my-net.cnn": "/nets/my-net.cnn",
    "my-net.cnn": "my-net.cnn",
}
"""A path, and the reference to it in SARIF (RFC 8089: file URIs; a relative path stays relative)."""


@pytest.fixture
def _windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "IS_WINDOWS", True)


@pytest.mark.parametrize("path", PLACES)
def test_a_net_is_called_after_its_file_wherever_that_lies(path: str) -> None:
    graph = elaborate(parse(Source(path, "INPUT 4x4x1 -> FC-2")))
    assert graph.title == "my-net"
    text = source(graph)
    assert "my-net.cnn (sha256 " in text
    assert not any(part in text for part in ("Users", "nets", "share"))
    compile(text, "net.py", "exec")


@pytest.mark.parametrize(("path", "uri"), [(path, uri) for path, uri in PLACES.items() if uri])
def test_sarif_refers_to_files_by_uri(path: str, uri: str) -> None:
    log = json.loads(sarif([Diagnostic("E0102", "wrong", Span(Source(path, "x"), 0, 1))]))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == uri


def test_results_are_named_after_the_file_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "PurePath", PureWindowsPath)
    monkeypatch.setattr(draw, "PurePath", PureWindowsPath)
    for path in PLACES:
        assert compiling.module_name(path) == "my_net"
    assert draw.format_of("C:\\a.b\\net.SVG") == "svg"
    with pytest.raises(FileError, match="its name must end in"):
        draw.format_of("C:\\a.svg\\net")


@pytest.mark.usefixtures("_windows")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nul.cnn", "Windows reserves the name NUL for a device"),
        ("C:\\nets\\Con.cnn", "Windows reserves the name CON for a device"),
        ("sub/com1.py", "Windows reserves the name COM1 for a device"),
        ("lpt³.tar.gz", "Windows reserves the name LPT³ for a device"),
        ("aux .cnn", "Windows reserves the name AUX for a device"),
        ("net.py:stream", "a name cannot contain a colon"),
        ("C:\\nets\\a:b.cnn", "a name cannot contain a colon"),
    ],
)
def test_names_that_mean_something_else_to_windows(name: str, reason: str) -> None:
    for act in (lambda: read(name), lambda: write(name, b"")):
        with pytest.raises(FileError) as caught:
            act()
        assert str(caught.value).endswith(f"{name}: {reason}")


@pytest.mark.usefixtures("_windows")
def test_names_that_windows_has_files_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("null.cnn", "console.cnn", "com10.cnn", "a.con", "C:net.cnn", "nul"):
        write(name, b"INPUT -> FC-10")
        assert read(name).text == "INPUT -> FC-10"


@pytest.mark.usefixtures("_windows")
def test_windows_cannot_replace_a_read_only_file(tmp_path: Path) -> None:
    file = tmp_path / "net.py"
    file.write_bytes(b"old")
    file.chmod(0o444)
    with pytest.raises(FileError, match="it is read-only"):
        write(str(file), b"new", force=True)
    assert file.read_bytes() == b"old"
    assert stat.S_IMODE(file.stat().st_mode) == 0o444
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


@pytest.mark.parametrize("failure", [None, PermissionError(1, "not permitted"), OSError(95, "not supported")])
def test_without_links_a_new_file_is_written_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: OSError | None
) -> None:
    """Pyodide has no `os.link` at all; on FAT and some network drives it fails."""
    if failure is None:
        monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(NotImplementedError("no os.link")))
    else:
        monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(failure))
    write(str(tmp_path / "net.py"), b"one")
    assert (tmp_path / "net.py").read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]


def test_a_link_that_fails_for_another_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    full = OSError(28, "no space")
    monkeypatch.setattr(os, "link", lambda *_, **__: (_ for _ in ()).throw(full))
    with pytest.raises(FileError, match="the disk is full"):
        write(str(tmp_path / "net.py"), b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "net.py"
    make = os.link

    def late(*arguments: object, **options: object) -> None:
        file.write_bytes(b"theirs")
        make(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(FileError, match="exists already"):
        write(str(file), b"ours")
    assert file.read_bytes() == b"theirs"
    assert [each.name for each in tmp_path.iterdir()] == ["net.py"]
