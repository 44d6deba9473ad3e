"""SVG: valid, whole in itself, safe, and readable by those who cannot see it."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from xml.etree import ElementTree

import pytest
from fontTools.ttLib import TTFont
from hypothesis import given
from hypothesis import strategies as st

from cnndsl.emit.drawing.display import GroupItem, Picture, RectangleItem, TextItem
from cnndsl.emit.drawing.svg import Lettering, svg
from cnndsl.emit.drawing.themes import THEMES, ThemeName, theme
from tests.emit.drawing.pictures import NASTY, everything, text_alone

SVG = "{http://www.w3.org/2000/svg}"


def parsed(picture: Picture, name: ThemeName = "paper") -> ElementTree.Element:
    return ElementTree.fromstring(svg(picture, theme(name)))


def texts(root: ElementTree.Element) -> list[str]:
    return ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]


def fonts(text: str) -> dict[tuple[str, str], TTFont]:
    """The embedded fonts by family and weight."""
    found = re.findall(
        r"@font-face{font-family:([\w-]+);font-weight:(\d+);src:url\(data:font/woff;base64,([\w+/=]+)\)", text
    )
    return {(family, weight): TTFont(BytesIO(b64decode(data))) for family, weight, data in found}


@pytest.mark.parametrize("name", THEMES)
def test_text_stays_text_in_the_order_of_the_list(name: ThemeName) -> None:
    found = texts(parsed(everything(), name))
    assert found[:2] == ["3×3 conv, 64, /2", "3×3 pool, 64, /2"]
    assert found[-3:] == ["identity", "INPUT  -> CONV3", "4c′"]


def test_who_cannot_see_it_is_told() -> None:
    root = parsed(everything())
    names = {each.get("id"): each.text for each in root if each.tag in (f"{SVG}title", f"{SVG}desc")}
    assert names == {"resnet50-title": "A network", "resnet50-description": "A box of each role."}
    assert root.get("role") == "img"
    assert root.get("aria-labelledby") == "resnet50-title resnet50-description"


def test_a_group_has_an_id_a_tooltip_and_a_link() -> None:
    group = next(iter(parsed(everything()).iter(f"{SVG}a")))[0]
    assert group.get("id") == "resnet50-layer1.conv"
    assert group[0].tag == f"{SVG}title"
    assert group[0].text == "layer1.conv\n112×112×64, 1,728 parameters"
    assert next(iter(parsed(everything()).iter(f"{SVG}a"))).get("href") == "net.cnn#L0"


def test_ids_are_valid_and_unique() -> None:
    """Names of XML and of HTML: no blanks, nothing but letters, digits, `_`, `.` and `-`, a letter first."""
    groups = tuple(GroupItem(name, ()) for name in ("a b", "a:b", "a_b", "title", "tower@2", "卷", '"', "", "title"))
    root = parsed(Picture("3d net", 10, 10, groups, "x"))
    found = [each.get("id", "") for each in root.iter() if each.get("id") is not None]
    assert found == [
        *("n3d_net-title", "n3d_net-a_b", "n3d_net-a_b-2", "n3d_net-a_b-3", "n3d_net-title-2"),
        *("n3d_net-tower_2", "n3d_net-_", "n3d_net-_-2", "n3d_net-title-3"),
    ]


def test_what_a_program_says_is_escaped() -> None:
    items = (
        GroupItem(NASTY, (TextItem(0, 9, NASTY, 9), TextItem(0, 9, NASTY, 9, mono=True)), NASTY, f"x.cnn?{NASTY}"),
    )
    text = svg(Picture(NASTY, 10, 10, items, NASTY, NASTY), theme("paper"))
    root = ElementTree.fromstring(text)
    assert {each.tag.removeprefix(SVG) for each in root.iter()} == {
        *("svg", "title", "desc", "style", "rect", "a", "g", "text")
    }
    assert not re.search("[\x00-\x09\x0b-\x1f\u202e\ud800]", text)
    assert texts(root)[0].startswith('<b>&"]]>\\x1b[31m\\u202e')


@given(st.lists(st.text(), min_size=1, max_size=4), st.sampled_from(["embedded", "paths", "bundled"]))
def test_whatever_the_text_the_file_is_valid(said: list[str], lettering: Lettering) -> None:
    items = tuple(
        GroupItem(text, (TextItem(0, 9, text, 9, mono=bool(at % 2)),), text, text) for at, text in enumerate(said)
    )
    root = ElementTree.fromstring(svg(Picture(said[0], 10, 10, items, said[0], said[-1]), theme("paper"), lettering))
    ids = [each.get("id", "") for each in root.iter() if each.get("id") is not None]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", each) for each in ids)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "\x01javascript:x"])
def test_a_link_runs_nothing(link: str) -> None:
    root = parsed(Picture("net", 10, 10, (GroupItem("a", (), link=link),), "x"))
    assert not list(root.iter(f"{SVG}a"))


@pytest.mark.parametrize("link", ["net.cnn#L3", "../a/net.cnn", "https://example.org/net.cnn#L1", "a/b:c", "#part"])
def test_a_link_may_be_an_address(link: str) -> None:
    root = parsed(Picture("net", 10, 10, (GroupItem("a", (), link=link),), "x"))
    assert [each.get("href") for each in root.iter(f"{SVG}a")] == [link]


def test_the_characters_used_are_embedded_and_no_others() -> None:
    text = svg(everything(), theme("paper"))
    found = fonts(text)
    assert sorted((family.split("-")[0], weight) for family, weight in found) == [
        *(("Inter", "400"), ("Inter", "500"), ("Inter", "700"), ("Mono", "400"))
    ]
    by_name = {(family.split("-")[0], weight): set(font.getBestCmap()) for (family, weight), font in found.items()}
    assert by_name["Inter", "700"] == set(map(ord, "4c′"))
    assert by_name["Mono", "400"] == set(map(ord, "INPUT -> CONV3"))
    assert len(text) < 30_000


def test_two_pictures_on_a_page_do_not_share_a_family() -> None:
    """The second one's font lacks characters of the first."""
    first, second = (fonts(svg(text_alone(text), theme("paper"))) for text in ("abc", "xyz"))
    assert not first.keys() & second.keys()


@pytest.mark.parametrize("name", THEMES)
def test_as_paths_there_is_no_text_and_no_font(name: ThemeName) -> None:
    text = svg(everything(), theme(name), "paths")
    root = ElementTree.fromstring(text)
    assert not texts(root)
    assert "@font-face" not in text
    assert [each.get("aria-label") for each in root.iter() if each.get("aria-label")] == texts(parsed(everything()))


def test_nothing_is_loaded_and_nothing_runs() -> None:
    text = svg(everything(), theme("paper"))
    assert not re.search(r"<script|url\((?!data:)|<image|<use|\son\w+=", text)


def test_colours_are_the_theme_s() -> None:
    """From the tables of the palette."""
    assert {"#BDD0F5", "#2A62B4"} <= set(re.findall("#[0-9A-F]{6}", svg(everything(), theme("paper"))))
    dark = svg(everything(), theme("dark"))
    assert {"#26639A", "#86BEF2", "#10161D"} <= set(re.findall("#[0-9A-F]{6}", dark))
    assert 'viewBox="-12 -12 344 216"' in dark
    assert 'viewBox="-3 -3 326 198"' in svg(everything(), theme("paper"))


def test_without_colours_five_roles_have_patterns_and_no_bar_is_filled() -> None:
    root = parsed(everything(), "mono")
    hatchings = [each for each in root.iter(f"{SVG}path") if each.get("stroke-width") == "0.7"]
    assert len(hatchings) == 5
    assert len({re.sub(r"\d+(\.\d+)?", "", each.get("d", "")) for each in hatchings}) >= 3


def test_an_invisible_rectangle_catches_the_pointer() -> None:
    picture = Picture("net", 10, 10, (GroupItem("", (RectangleItem(0, 0, 9, 9),), "tip"),), "x")
    (found,) = (each for each in parsed(picture).iter(f"{SVG}rect") if each.get("pointer-events"))
    assert (found.get("fill"), found.get("pointer-events")) == ("none", "all")


def test_letters_are_as_wide_as_they_were_measured() -> None:
    """Chromium rounds the width of each letter to a whole pixel without this."""
    assert parsed(everything()).get("text-rendering") == "geometricPrecision"


def test_it_is_the_same_every_time() -> None:
    assert svg(everything(), theme("paper")) == svg(replace(everything()), theme("paper"))
