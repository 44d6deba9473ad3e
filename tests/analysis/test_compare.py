"""Two networks side by side."""

from __future__ import annotations

import cnndsl
from cnndsl.analysis.compare import Comparison, compare


def between(before: str, after: str) -> Comparison:
    load = [cnndsl.loads(text) if "INPUT" in text else cnndsl.load(text) for text in (before, after)]
    return compare(load[0].graph, load[1].graph)


def verdicts(comparison: Comparison) -> list[str]:
    return [pair.verdict for pair in comparison.pairs]


def test_a_net_is_the_same_as_itself() -> None:
    comparison = between("vgg16", "vgg16")
    assert not comparison.differs
    assert all(figure.before == figure.after for figure in comparison.figures)


def test_an_inserted_layer_shifts_nothing() -> None:
    before = "INPUT 8x8x3 -> CONV3-4 -> RELU -> CONV3-8 -> RELU -> FC-10"
    after = "INPUT 8x8x3 -> CONV3-4 -> RELU -> CONV3-4 -> RELU -> CONV3-8 -> RELU -> FC-10"
    assert verdicts(between(before, after)).count("added") == 2
    assert set(verdicts(between(before, after))) == {"same", "added"}
    assert set(verdicts(between(after, before))) == {"same", "removed"}


def test_a_changed_option_is_named() -> None:
    comparison = between("INPUT 8x8x3 -> a: CONV3-4 -> b: FC-10", "INPUT 8x8x3 -> a: CONV5-8 -> b: FC-10")
    _, conv, fc = comparison.pairs
    assert conv.changes == (
        ("kernel", "3", "5"),
        ("filters", "4", "8"),
        ("output", "8x8x4", "8x8x8"),
    )
    assert fc.changes == (("input", "8x8x4", "8x8x8"),)
    figures = {figure.name: (figure.before, figure.after) for figure in comparison.figures}
    assert figures["params"] == (112 + 2570, 8 * 76 + 5130)


def test_batch_normalisation_is_what_the_bn_form_adds() -> None:
    comparison = between("vgg16", "vgg16_bn")
    added = [pair for pair in comparison.pairs if pair.verdict == "added"]
    assert [pair.after.kind for pair in added if pair.after] == ["BN"] * 13
    assert set(verdicts(comparison)) == {"same", "added"}


def test_another_wire_is_a_change() -> None:
    before = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 + @a)"
    after = "INPUT 8x8x4 -> a: CONV3-4 -> b: CONV3-4 -> (c: CONV3-4 + @b)"
    comparison = between(before, after)
    assert verdicts(comparison) == ["same", "same", "same", "same", "changed"]
    assert comparison.pairs[-1].changes == (("reads", "c, a", "c, b"),)
