"""What a program may reach: its own folder and the zoo, nothing of its surroundings."""

# ruff: noqa: RUF001 - letters that look like others are what is tested

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from cnndsl import CnnError, files, resources
from cnndsl.cli import cli
from cnndsl.errors import Source
from cnndsl.files import FileError
from cnndsl.finding import find, used
from cnndsl.limits import of_environment
from cnndsl.network import compiled


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not any(path.name == "pwned" for path in tmp_path.rglob("*"))


def test_the_environment_cannot_steer_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNDSL_LIMITS", "\x1b[31m=1")
    of_environment.cache_clear()
    result = CliRunner().invoke(cli, ["stats", "vgg16"])
    of_environment.cache_clear()
    assert result.exit_code == 1
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f]", result.output)


def test_values_of_the_surroundings_are_never_evaluated() -> None:
    for text in (
        "__import__('os')",
        "().__class__",
        "exec('x')",
        "1 if 1 else 2",
        "[1]",
        "lambda: 1",
        "f'{1}'",
        "a.b.c()",
    ):
        result = CliRunner().invoke(cli, ["stats", "vgg16", "--set", f"classes={text}"])
        assert result.exit_code == 1, text
        assert result.stderr.startswith("error["), text


# Folders

LEAVING = (
    "../net.cnn",
    "..",
    ".",
    "./net.cnn",
    ".hidden.cnn",
    "sub/net.cnn",
    "sub\\net.cnn",
    "/etc/passwd",
    "\\\\server\\share\\net.cnn",
    "C:net.cnn",
    "C:\\net.cnn",
    "net.cnn:stream",
    "file:///etc/passwd",
    "~/net.cnn",
    "",
    " ",
)


@pytest.mark.parametrize("path", LEAVING)
def test_use_never_leaves_its_folder(path: str, tmp_path: Path) -> None:
    block = "block A = RELU\n"
    inner = tmp_path / "inner"
    (inner / "sub").mkdir(parents=True)
    for place in (tmp_path / "net.cnn", inner / "sub" / "net.cnn", inner / ".hidden.cnn", tmp_path / "outside.cnn"):
        place.write_text(block)
    (inner / "main.cnn").write_text(f'use "{path}": A\nINPUT 8x8x3 -> A\n')
    with pytest.raises((CnnError, FileError)):
        compiled(find(str(inner / "main.cnn")), {})
    assert isinstance(used(path, find(str(inner / "main.cnn"))), str)
    assert resources.architecture(path) is None


@pytest.mark.skipif(os.name == "nt", reason="links")
def test_use_does_not_follow_links_out_of_its_folder(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    (tmp_path / "outside.cnn").write_text("block A = RELU\n")
    (inner / "inside.cnn").write_text("block A = RELU\n")
    (inner / "link.cnn").symlink_to(tmp_path / "outside.cnn")
    (inner / "fine.cnn").symlink_to("inside.cnn")
    (inner / "loop.cnn").symlink_to("loop.cnn")
    (inner / "device.cnn").symlink_to("/dev/zero")
    for name, works in (("link", False), ("fine", True), ("loop", False), ("device", False), ("inside", True)):
        (inner / "main.cnn").write_text(f'use "{name}.cnn": A\nINPUT 8x8x3 -> A\n')
        if works:
            assert len(compiled(find(str(inner / "main.cnn")), {}).graph) == 2
            continue
        with pytest.raises(CnnError) as caught:
            compiled(find(str(inner / "main.cnn")), {})
        assert caught.value.diagnostics[0].code == "E0250"


def test_use_means_the_same_file_on_every_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows and macOS open `part.cnn` by these names too, as here any name is opened."""
    (tmp_path / "part.cnn").write_text("block A = RELU\n")
    (tmp_path / "main.cnn").write_text("INPUT 8x8x3 -> FC-1\n")
    main = find(str(tmp_path / "main.cnn"))
    monkeypatch.setattr(files, "is_file", lambda _: True)
    monkeypatch.setattr(files, "read", lambda path: Source(path, ""))
    for name in ("Part.cnn", "PART.CNN", "part.cnn.", "part.cnn ", "PART~1.CNN", "nul", "part.cnn::$DATA"):
        assert isinstance(used(name, main), str)
    found = used("part.cnn", main)
    assert found is not None
    assert Path(found.name) == tmp_path / "part.cnn"


def test_files_that_use_each_other_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a.cnn").write_text('use "b.cnn": B\nblock A = B\nINPUT 8x8x3 -> A\n')
    (tmp_path / "b.cnn").write_text('use "a.cnn": A\nblock B = A\n')
    with pytest.raises(CnnError, match="uses"):
        compiled(find(str(tmp_path / "a.cnn")), {})


def test_a_file_that_two_others_use_is_fine(tmp_path: Path) -> None:
    (tmp_path / "base.cnn").write_text("block A = RELU\n")
    for name in ("B", "C"):
        (tmp_path / f"{name}.cnn").write_text(f'use "base.cnn": A\nblock {name} = A -> A\n')
    (tmp_path / "main.cnn").write_text(
        'use "B.cnn": B\nuse "C.cnn": C\nuse "base.cnn": A\nINPUT 8x8x3 -> B -> C -> A\n'
    )
    assert [node.kind for node in compiled(find(str(tmp_path / "main.cnn")), {}).graph.layers] == ["RELU"] * 5


def test_a_name_too_long_is_the_name_of_no_file(tmp_path: Path) -> None:
    (tmp_path / "main.cnn").write_text(f'use "{"a" * 300}.cnn": A\nINPUT 8x8x3 -> A\n')
    with pytest.raises(CnnError) as caught:
        compiled(find(str(tmp_path / "main.cnn")), {})
    assert [(each.code, each.span and each.span.start) for each in caught.value.diagnostics] == [("E0250", 4)]
    with pytest.raises(FileError, match="the name is too long"):
        find("a" * 300)


def test_a_folder_that_cannot_be_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "part.cnn").write_text("block A = RELU\n")
    (tmp_path / "main.cnn").write_text('use "part.cnn": A\nINPUT 8x8x3 -> A\n')
    (tmp_path / "lost.cnn").write_text('use "gone.cnn": A\nINPUT 8x8x3 -> A\n')
    monkeypatch.setattr(Path, "iterdir", lambda _: (_ for _ in ()).throw(PermissionError(13, "no")))
    assert len(compiled(find(str(tmp_path / "main.cnn")), {}).graph) == 2
    with pytest.raises(CnnError, match=r"gone\.cnn"):
        compiled(find(str(tmp_path / "lost.cnn")), {})


def test_the_zoo_knows_its_own_names_alone() -> None:
    for name in (
        "VGG16",
        "vgg16.cnn.cnn",
        "vgg16\0",
        "vgg16\n",
        "vgg16 ",
        "ｖｇｇ16",
        "vgg16/",
        "..\\vgg16",
        "vgg16::$DATA",
    ):
        assert resources.architecture(name) is None
    assert resources.architecture("vgg16.cnn") is not None


def test_programs_of_the_zoo_and_texts_see_no_other_files(tmp_path: Path) -> None:
    (tmp_path / "mine.cnn").write_text("block A = RELU\n")
    assert isinstance(used("mine.cnn", Source("<text>", "")), str)
    bundled = resources.architecture("vgg16")
    assert bundled is not None
    assert isinstance(used("mine.cnn", bundled), str)
