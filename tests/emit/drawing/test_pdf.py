"""PDF: vectors, text that can be selected, links to the web."""

from __future__ import annotations

import sys
from io import BytesIO

import pytest

pytest.importorskip("reportlab")
pytest.importorskip("pypdf")

from pypdf import PdfReader

from cnndsl.emit.drawing.display import GroupItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.pdf import pdf
from cnndsl.emit.drawing.themes import THEMES, ThemeName, theme
from cnndsl.files import FileError
from tests.emit.drawing.pictures import NASTY, everything, text_alone


def read(picture: Picture, name: ThemeName = "paper") -> PdfReader:
    return PdfReader(BytesIO(pdf(picture, theme(name))))


@pytest.mark.parametrize("name", THEMES)
def test_text_can_be_selected(name: ThemeName) -> None:
    text = read(everything(), name).pages[0].extract_text()
    for words in ("3×3 conv, 64, /2", "identity", "INPUT  -> CONV3", "4c′"):
        assert words in text


def test_the_page_is_as_large_as_the_picture() -> None:
    """326 by 198 CSS pixels of three quarters of a point."""
    (page,) = read(everything()).pages
    assert (page.mediabox.width, page.mediabox.height) == (244.5, 148.5)


def test_it_has_a_title() -> None:
    found = read(everything()).metadata
    assert found is not None
    assert (found.title, found.subject) == ("A network", "A box of each role.")


def test_the_fonts_are_embedded_subsets() -> None:
    (page,) = read(everything()).pages
    names = {font.get_object()["/BaseFont"] for font in page["/Resources"]["/Font"].values()}  # type: ignore[index]
    assert {name.partition("+")[2] for name in names if "+" in name} >= {"Inter-Medium", "Inter-Regular", "Inter-Bold"}
    assert len(pdf(everything(), theme("paper"))) < 60_000


def test_what_a_program_says_is_text() -> None:
    assert "<b>" in read(text_alone(NASTY)).pages[0].extract_text()
    assert read(Picture(NASTY, 10, 10, (GroupItem(NASTY, (), NASTY, NASTY),), NASTY, NASTY)).metadata is not None


def test_links_lead_to_the_web_alone() -> None:
    box = RectangleItem(10, 20, 30, 40, "conv")
    links = ("https://example.org/#L1", "net.cnn#L1", "javascript:app.alert(1)")
    picture = Picture("net", 100, 100, tuple(GroupItem("a", (box,), link=link) for link in links), "Links")
    (found,) = read(picture).pages[0]["/Annots"]  # type: ignore[misc]
    assert found.get_object()["/A"]["/URI"] == "https://example.org/#L1"
    assert [float(side) for side in found.get_object()["/Rect"]] == pytest.approx([9.75, 32.25, 32.25, 62.25])


def test_it_is_the_same_every_time() -> None:
    assert pdf(everything(), theme("paper")) == pdf(everything(), theme("paper"))


def test_a_turned_text_reads_upwards() -> None:
    turns: list[list[float]] = []

    def visit(text: str, matrix: list[float], *_: object) -> None:
        if text.strip():
            turns.append(matrix)

    page = read(Picture("net", 50, 90, (TextItem(30, 80, "upwards", 10, turned=True),), "Turned")).pages[0]
    page.extract_text(visitor_text=visit)
    assert turns[0][:4] == pytest.approx([0, 0.75, -0.75, 0], abs=1e-3)


def test_without_reportlab_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "reportlab.pdfgen.canvas", None)
    with pytest.raises(FileError, match=r"a PDF needs reportlab: pip install reportlab"):
        pdf(everything(), theme("paper"))
