"""Metrics that are summed up over the parts of networks, beside those that are read from their graphs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings

import cnndsl
from cnndsl.analysis.execution import unknown
from cnndsl.errors import Source
from cnndsl.finding import find, used
from cnndsl.sweeping import sweep
from cnndsl.sweeping.summed import NOT_SUMS, SummedFamily
from cnndsl.syntax import ast
from cnndsl.testing.programs import programs
from cnndsl.values import Value

SUMS = tuple(name for name in sweep.GOALS if name not in NOT_SUMS)


def family(text: str) -> sweep.Family:
    return sweep.family(Source("family.cnn", text), {}, used)


def without_asserts(walked: sweep.Family) -> sweep.Family:
    """The same family, whose asserts about single parts do not keep it from being summed up."""
    file = walked.file
    statements = tuple(each for each in file.statements if not isinstance(each, ast.Assert))
    return replace(walked, file=ast.File(file.source, statements, file.comments))


def differing(walked: sweep.Family, count: int) -> tuple[int, int]:
    """How many members were summed up, all as their graphs say, and how many valid ones were not."""
    assert SummedFamily.applies(walked.file, walked.domains, SUMS)
    summed = SummedFamily(walked.file, walked.domains, walked.find, SUMS)
    same = others = 0
    for chosen in walked.sample(count, seed=1) if count < walked.size else walked.all():
        found = summed.figures(chosen)
        whole = sweep.elaborated(walked, chosen, unknown, SUMS)
        if found is None:
            others += whole.figures is not None
            continue
        assert found == whole.figures, chosen
        same += 1
    return same, others


NETWORKS = cnndsl.zoo()
NOT_SUMMED = ("deeplabv3_mobilenet_v3_large", "hrnet", "lraspp_mobilenet_v3_large", "resnet50_fpn", "siamese")
"""Bundled networks that refer to parts of modules by their numbers, or apply a part again in the network itself."""


@pytest.mark.parametrize("name", NETWORKS[:: 1 + len(NETWORKS) // 40])
def test_some_bundled_networks(name: str) -> None:
    _check_bundled(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_every_bundled_network(name: str) -> None:
    _check_bundled(name, 2000)


def _check_bundled(name: str, count: int) -> None:
    walked = without_asserts(sweep.family(find(name), {}, used))
    same, others = differing(walked, count)
    assert others == 0 if name not in NOT_SUMMED else same == 0


@pytest.mark.slow
def test_every_cell_of_a_search_space() -> None:
    """All 15,625 members, of which the sums follow from plans."""
    walked = sweep.family(find("nas_bench_201"), {}, used)
    assert differing(walked, walked.size) == (15_625, 0)


@settings(max_examples=60, deadline=None)
@given(programs())
def test_generated_programs(text: str) -> None:
    differing(family(text), 12)


NASTY = (Path(__file__).parent / "families.txt").read_text(encoding="utf-8").split("----\n")
"""Families of a few members, in which much can go wrong."""


@pytest.mark.parametrize("text", NASTY)
def test_families_in_which_much_can_go_wrong(text: str) -> None:
    walked = family(text)
    first = differing(walked, walked.size)
    assert differing(walked, walked.size) == first


def test_members_in_any_order() -> None:
    """What is kept of one member serves another one whatever the order."""
    for text in NASTY:
        walked = family(text)
        members = list(walked.all())
        summed = SummedFamily(walked.file, walked.domains, walked.find, SUMS)
        forward: dict[int, object] = {at: summed.figures(each) for at, each in enumerate(members)}
        assert {at: summed.figures(members[at]) for at in reversed(range(len(members)))} == forward
        other = SummedFamily(walked.file, walked.domains, walked.find, SUMS)
        assert {at: other.figures(members[at]) for at in reversed(range(len(members)))} == forward


def test_other_volumes_enter() -> None:
    """An assert about the output is about what is written: it is not asked of a network that something else enters."""
    text = "net F(n in 1..2)\nINPUT 8x8x4 -> [POOL2]*n -> CONV3-4\nassert output == {8//2**n}x{8//2**n}x4"
    volumes: list[Value] = [(8, 8, 4), (16, 16, 4), (8, 8, 5), (9, 9, 4)]
    walked = sweep.family(Source("family.cnn", text), {"input": volumes}, used)
    assert differing(walked, walked.size) == (8, 0)


@pytest.mark.parametrize("kept", [1, 5])
def test_what_is_kept_may_be_forgotten_at_any_time(monkeypatch: pytest.MonkeyPatch, kept: int) -> None:
    monkeypatch.setattr("cnndsl.elaborate.sums.MOST_KEPT", kept)
    monkeypatch.setattr("cnndsl.elaborate.family_sums._MOST_KEPT", kept)
    for text in NASTY:
        walked = family(text)
        differing(walked, walked.size)


def test_a_wrong_sum_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    walked = family("net F(n in 1..3)\nINPUT 8x8x4 -> [CONV3-4]*n -> FC-2")
    monkeypatch.setattr(SummedFamily, "figures", lambda *_: {"params": 1})
    with pytest.raises(sweep.SumsDifferError, match=r"family\.cnn with n=1: "):
        list(sweep.measure(walked, walked.all(), unknown, ["params"]))


def test_an_error_is_that_of_the_graph() -> None:
    walked = family("net F(n in 1..6)\nINPUT 8x8x1 -> POOL2*n -> FC-2")
    members = list(sweep.measure(walked, walked.all(), unknown, ["params"]))
    whole = [sweep.elaborated(walked, chosen, unknown, ["params"]) for chosen in walked.all()]
    assert members == whole
    assert [member.figures is None for member in members] == [False] * 3 + [True] * 3


def test_sums_are_taken_where_they_can_be() -> None:
    """Every valid member of a plain family is summed up: nothing falls back unseen."""
    for text in NASTY[9:10] + NASTY[19:22]:
        assert differing(family(text), 100)[1] == 0
