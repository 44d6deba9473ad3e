"""Every format of a picture, by the ending of a file."""

from __future__ import annotations

import sys

import pytest

from cnndsl.emit.drawing.formats import FORMATS, PictureFormat, PictureOptions, as_bytes, picture_format
from cnndsl.files import FileError
from tests.emit.drawing.pictures import everything

BEGINS: dict[PictureFormat, bytes] = {
    "svg": b"<svg ",
    "png": b"\x89PNG",
    "pdf": b"%PDF-",
    "tex": b"% A network: written",
}


@pytest.mark.parametrize("format", FORMATS)
def test_a_picture_is_written(format: PictureFormat) -> None:
    if package := {"png": "resvg_py", "pdf": "reportlab"}.get(format):
        pytest.importorskip(package)
    assert as_bytes(everything(), format, PictureOptions()).startswith(BEGINS[format])


def test_options_reach_the_formats() -> None:
    assert b"#10161D" in as_bytes(everything(), "svg", PictureOptions("dark"))
    assert b"10161D" in as_bytes(everything(), "tex", PictureOptions("dark"))
    assert b"<text" not in as_bytes(everything(), "svg", PictureOptions(as_paths=True))


def test_svg_and_tikz_need_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    for package in ("resvg_py", "reportlab", "fontTools"):
        monkeypatch.setitem(sys.modules, package, None)
    assert as_bytes(everything(), "svg", PictureOptions())
    assert as_bytes(everything(), "tex", PictureOptions())


@pytest.mark.parametrize("path", ["net", "net.gif", "svg", ".svg", "net.svg.gz"])
def test_another_ending_is_refused(path: str) -> None:
    with pytest.raises(FileError, match=r"its name must end in \.svg, \.png, \.pdf or \.tex"):
        picture_format(path)
