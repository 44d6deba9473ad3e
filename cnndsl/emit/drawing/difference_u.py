"""Marks the bars and links of a U, and adds the removed ones dashed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from cnndsl.analysis.compare import Pair, Verdict
from cnndsl.emit.drawing.cards.model import GroupTag, UBar, UShape, USkip
from cnndsl.emit.drawing.cards.words import merge_word
from cnndsl.emit.drawing.difference_marks import ATTACHED, GHOST, MARKS, lost, removed_text, verdict_of
from cnndsl.graph.node import Node

_MOST = 0.5
"""The maximum share of removed bars that are drawn; beyond it the bars before them count as changed."""


def marked_u(shape: UShape | None, pairs: Sequence[Pair]) -> UShape | None:
    """Return a U with its bars and links marked, including the removed ones."""
    if shape is None:
        return None
    verdicts: dict[int, Verdict] = {pair.after.index: pair.verdict for pair in pairs if pair.after}
    bars = [replace(bar, mark=MARKS.get(verdict_of(verdicts, (bar.node, *bar.absorbed)))) for bar in shape.bars]
    skips = [_with_mark(each) if verdicts.get(each.merge) == "added" else each for each in shape.skips]
    gone = list(_gone_skips(shape, pairs))
    drawn = {node for _, way in gone for node in way}
    left = {
        after: [pair for pair in several if pair.before and pair.before.index not in drawn]
        for after, several in lost(pairs).items()
    }
    return _with_gone_bars(UShape(tuple(bars), (*skips, *(skip for skip, _ in gone))), left)


def _with_mark(skip: USkip) -> USkip:
    """Return a link marked as new."""
    mark = MARKS["added"]
    return replace(skip, label=f"{mark.sign} {skip.label}".rstrip(), mark=mark)


def _with_gone_bars(shape: UShape, gone: Mapping[int, Sequence[Pair]]) -> UShape:
    """Return a U with a dashed bar for each removed layer that had one. A layer attached to a bar changes that bar."""
    bars: list[UBar] = []
    places: list[int] = []
    for bar in shape.bars:
        places.append(len(bars))
        bars.append(bar)
        for pair in (pair for node in (bar.node, *bar.absorbed) for pair in gone.get(node, ())):
            node = pair.before
            if node is None:
                continue
            if node.layer.ROLE == "merge" or node.layer.ROLE in ATTACHED or not node.shape.spatial:
                bars[places[-1]] = _changed(bars[places[-1]])
            else:
                bars.append(_gone_bar(node, bar))
    if len(bars) > (1 + _MOST) * len(shape.bars):
        return replace(shape, bars=tuple(_changed(bar) if _has_gone(bar, gone) else bar for bar in shape.bars))
    skips = (replace(each, source=places[each.source], target=places[each.target]) for each in shape.skips)
    return UShape(tuple(bars), tuple(skips))


def _has_gone(bar: UBar, gone: Mapping[int, Sequence[Pair]]) -> bool:
    return any(gone.get(node) for node in (bar.node, *bar.absorbed))


def _changed(bar: UBar) -> UBar:
    return replace(bar, mark=bar.mark or MARKS["changed"])


def _gone_bar(node: Node, bar: UBar) -> UBar:
    """Return the bar of a removed layer, in the row of the one before it."""
    text = removed_text(node)
    tag = GroupTag(f"removed.{node.path}", f"{text}: removed")
    return UBar(
        -1, node.shape.channels, bar.extent, GHOST, text, bar.level, (), (), bar.size, tag=tag, mark=MARKS["removed"]
    )


def _gone_skips(shape: UShape, pairs: Sequence[Pair]) -> Iterator[tuple[USkip, list[int]]]:
    """Yield the links of the first network along a row of the second one that has no such link, each with the layers
    of the first network that were removed with it."""
    homes = {node: at for at, bar in enumerate(shape.bars) for node in (bar.node, *bar.absorbed)}
    nodes = {pair.before.index: pair.before for pair in pairs if pair.before}
    became = {pair.before.index: pair.after.index for pair in pairs if pair.before and pair.after}
    known = {(each.source, each.target) for each in shape.skips}
    depth: dict[int, int] = {}
    for at in sorted(nodes):
        depth[at] = max((depth[each] + 1 for each in nodes[at].value_inputs), default=0)

    def way(node: int) -> list[int]:
        """A node, and those before it up to one that the second network has, too."""
        found = [node]
        while found[-1] not in became and len(nodes[found[-1]].value_inputs) == 1:
            found += nodes[found[-1]].value_inputs
        return found

    for old in nodes.values():
        if old.layer.ROLE != "merge" or len(old.inputs) < 2:
            continue
        main = max(old.inputs, key=depth.__getitem__)
        end = old.index if old.index in became else way(main)[-1]
        target = homes.get(became.get(end, -1))
        for beside in (way(each) for each in old.inputs if each != main):
            source = homes.get(became.get(beside[-1], -1))
            if source is None or target is None or source >= target or (source, target) in known:
                continue
            if shape.bars[source].level == shape.bars[target].level:
                known.add((source, target))
                mark = MARKS["removed"]
                words = [removed_text(nodes[each]) for each in beside[-2::-1]] or [merge_word(old.layer)]
                label = f"{mark.sign} {', '.join(words)}"
                skip = USkip(source, target, label, -1, False, 0, (), mark=mark, is_gone=True)
                yield skip, [each for each in (old.index, *beside) if each not in became]
