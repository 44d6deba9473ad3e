"""Which stages of several networks share a row."""

from __future__ import annotations

from cnndsl.emit.configuration.alignment import aligned
from cnndsl.emit.configuration.model import NetworkStage, StageBlock, StageLine


def block(text: str) -> StageBlock:
    return StageBlock((StageLine(text, "", "conv"),))


def stage(name: str, size: int, *texts: str) -> NetworkStage:
    return NetworkStage(name, (size, size), tuple(map(block, texts or (f"{name}{size}",))))


def test_by_size_then_by_name() -> None:
    first = [stage("a", 8), stage("b", 4), stage("c", 4)]
    rows = aligned([first, [stage("x", 8), stage("c", 4)]], by_name=False)
    assert [(row.name, row.output, [bool(cell) for cell in row.cells]) for row in rows] == [
        ("a / x", "8\u00d78", [True, True]),
        ("b", "4\u00d74", [True, False]),
        ("c", "4\u00d74", [True, True]),
    ]


def test_other_sizes_have_other_rows_the_larger_first() -> None:
    rows = aligned([[stage("a", 8), stage("b", 2)], [stage("a", 16), stage("c", 4)]], by_name=False)
    assert [row.output for row in rows] == ["16\u00d716", "8\u00d78", "4\u00d74", "2\u00d72"]


def test_a_family_is_aligned_by_name_where_sizes_differ() -> None:
    rows = aligned([[stage("a", 8), stage("b", 4)], [stage("a", 16), stage("b", 8)]], by_name=True)
    assert [(row.name, row.outputs) for row in rows] == [("a", ((8, 8), (16, 16))), ("b", ((4, 4), (8, 8)))]


def test_a_common_beginning_is_a_row_of_its_own() -> None:
    networks = [[stage("a", 8, "pool", "one")], [stage("a", 8, "pool", "two", "three")]]
    first, second = aligned(networks, by_name=False)
    assert first.is_common
    assert not first.is_continued
    assert second.is_continued
    assert second.cells == ((block("one"),), (block("two"), block("three")))


def test_the_order_of_a_network_stays() -> None:
    """A U-Net comes back to sizes that it has had."""
    shape = [stage("down", 8), stage("bottom", 4), stage("up", 8)]
    rows = aligned([shape, [stage("down", 8), stage("bottom", 4), stage("up", 8)]], by_name=False)
    assert [row.name for row in rows] == ["down", "bottom", "up"]
