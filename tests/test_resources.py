"""The zoo is found, and nothing outside it."""

from __future__ import annotations

import pytest

from cnndsl import resources
from cnndsl.errors import Source
from cnndsl.finding import find, used


@pytest.mark.parametrize("name", ["vgg16", "vgg16.cnn"])
def test_a_net_is_found_by_its_name(name: str) -> None:
    source = resources.architecture(name)
    assert source is not None
    assert source.name == "vgg16.cnn"
    assert "net VGG16" in source.text


OUTSIDE = [
    "../architectures/vgg16",
    "..",
    ".",
    "",
    "/etc/passwd",
    "a/vgg16",
    "C:vgg16",
    "a\\vgg16",
    "vgg16\0",
    "VGG16 ",
    ".vgg16",
    "-",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_could_leave_the_zoo_is_no_name(name: str) -> None:
    assert resources.architecture(name) is None
    assert isinstance(used(name, Source("<text>", "")), str)


def test_names_are_sorted_and_described() -> None:
    names = resources.zoo()
    assert list(names) == sorted(names)
    assert "vgg16" in names
    assert all(resources.description(name) for name in names)


def test_a_folder_that_is_not_shipped() -> None:
    with pytest.raises(FileNotFoundError, match="lacks its folder `nets`"):
        resources.folder("nets")


def test_a_file_comes_before_the_zoo(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.chdir(str(tmp_path))
    assert isinstance(find("vgg16.cnn"), resources.Bundled)
    Path("vgg16.cnn").write_text("INPUT -> FC-1")
    assert find("vgg16.cnn").text == "INPUT -> FC-1"
    assert isinstance(find("vgg16"), resources.Bundled)


def test_use_looks_beside_the_file_then_in_the_zoo(tmp_path: object) -> None:
    from pathlib import Path

    folder = Path(str(tmp_path))
    (folder / "inner").mkdir()
    (folder / "outer.cnn").write_text("outer")
    (folder / "inner" / "a.cnn").write_text("a")
    (folder / "inner" / "b.cnn").write_text("b")
    (folder / "inner" / "link.cnn").symlink_to(folder / "outer.cnn")
    user = Source(str(folder / "inner" / "a.cnn"), "")
    beside = used("b.cnn", user)
    assert beside is not None
    assert beside.text == "b"
    assert isinstance(used("vgg16.cnn", user), resources.Bundled)
    assert isinstance(used("link.cnn", user), str)
    assert isinstance(used("../outer.cnn", user), str)


def test_the_zoo_does_not_look_into_the_folder_of_the_user(tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    from pathlib import Path

    monkeypatch.chdir(str(tmp_path))
    Path("vgg16.cnn").write_text("INPUT -> FC-1")
    Path("vgg11.cnn").write_text("mine")
    user = resources.architecture("vgg16")
    assert user is not None
    assert isinstance(used("vgg11.cnn", user), resources.Bundled)
