"""Branches that meet: sums, concatenations, products; with references, taps and groups in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from cnndsl.testing.crossings import each, plain
from cnndsl.testing.crossings.chains import (
    boxed,
    chain,
    element,
    group,
    hourglass,
    joined,
    single,
    tap,
    towards,
)
from cnndsl.testing.crossings.frames import GeneratedScope, Mode, NamedOutputs, Piece
from cnndsl.testing.crossings.numbers import stride, test, width
from cnndsl.testing.crossings.widths import PIXEL, Misfit, PieceShape, Width


@dataclass(frozen=True, slots=True)
class Goal:
    """What branches start from and what each has to give; `step` is the stride of those that compute."""

    entering: PieceShape
    target: PieceShape
    step: str = "1"

    @property
    def is_same(self) -> bool:
        """Return whether what is wanted is what enters."""
        return self.entering == self.target


EACH = 0.12
"""How often branches of an `each` are among those of a merge."""
Branch: TypeAlias = Callable[[GeneratedScope, Goal], str]


def merge(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws branches and what merges them."""
    frame.spend()
    before = list(frame.room.marks)
    goal = _goal(frame, form, mode)
    operator = frame.pick((" + ", " + ", " + ", " | ", " | ", "MUL", "MAX", "MEAN"))
    if operator == " | ":
        return _concatenated(frame, goal, mode, before)
    inner = frame.deeper()
    branches = _branches(inner, goal, frame.pick((2, 2, 2, 3)))
    if operator == " + " and frame.chance(0.15):
        branches = _with_projection(inner, goal, branches)
    branches += _star(frame, goal)
    if operator == "MAX" and len(branches) == 2 and "*" not in branches[1] and frame.pen.forms.random() < 0.5:
        operator = "SUB"
    else:
        branches = _with_each(inner, goal, branches)
    if operator in ("MUL", "MAX", "MEAN", "SUB"):
        return Piece(f"{operator}({', '.join(branches)})", goal.target)
    leading = f"{operator.strip()} " if len(branches) == 1 else ""
    return _labelled(frame, Piece(f"({leading}{operator.join(branches)})", goal.target), form, before)


def _star(frame: GeneratedScope, goal: Goal) -> list[str]:
    """Adds all turns of a repeat to the branches, now and then, where these have labels and the same shape."""
    stars = [mark for mark in frame.room.starred() if mark.form == goal.target]
    return [f"@{frame.pen.forms.choice(stars).name}"] if stars and frame.pen.forms.random() < 0.5 else []


def _with_each(frame: GeneratedScope, goal: Goal, branches: list[str]) -> list[str]:
    """Adds the branches of an `each`, now and then, or has these alone."""
    is_alone = frame.pen.forms.random() < 0.3 and not any("@" in text or ":" in text for text in branches)
    found = _several_branches(frame, goal, is_alone)
    if found is None:
        return branches
    return [found[0]] if is_alone else [*branches, found[0]]


def _several_branches(frame: GeneratedScope, goal: Goal, is_alone: bool = False) -> tuple[str, int] | None:
    """Draws an `each`, now and then, and says how many branches it stands for."""
    if frame.pen.forms.random() > EACH:
        return None
    try:
        return each.several(frame, goal.entering, goal.target, goal.step, is_alone)
    except Misfit:
        return None


def _labelled(frame: GeneratedScope, piece: Piece, given: PieceShape, before: Sequence[NamedOutputs]) -> Piece:
    """Gives a merge a name of its own, now and then; `before` are the names that were known before it."""
    if frame.mark == "!" or not frame.chance(0.12):
        return piece
    label = frame.label()
    # Labels within belong to that module now, and are read by no one else.
    if ": " in piece.text:
        frame.room.marks[:] = [mark for mark in frame.room.marks if mark in before]
        frame.room.stars.clear()
    again = given if "tap " not in piece.text else None
    frame.room.marks.append(NamedOutputs(label, piece.form, frame.training, given=again))
    return Piece(f"{label}: {piece.text}", piece.form)


def _goal(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Goal:
    """Chooses what all branches give."""
    if mode == "keep" or form.space is None or frame.chance(0.45):
        return Goal(form, form)
    if mode == "space" or form.space.is_pixel or frame.chance(0.7):
        return Goal(form, form.wide(width(frame)))
    if form.space.size is not None and min(form.space.size) < 3:
        raise Misfit
    step = stride(frame)
    return Goal(form, PieceShape(width(frame), form.space.stepped("ceil", step, frame.env())), step)


def _concatenated(frame: GeneratedScope, goal: Goal, mode: Mode, before: Sequence[NamedOutputs]) -> Piece:
    """Puts branches of different widths behind each other; brought back to the shape where that must be kept."""
    inner = frame.deeper()
    total, texts = Width(()), list[str]()
    for _ in range(frame.pick((2, 2, 3))):
        wide = goal.entering.width if goal.is_same else width(frame)
        part = Goal(goal.entering, goal.target.wide(wide), goal.step)
        text, number = _several_branches(inner, part) or (_branch(inner, part, texts), 1)
        texts.append(text)
        total += wide.times(number)
    form = goal.target.wide(total)
    if not frame.is_width(total):
        raise Misfit
    merged = (
        _labelled(frame, Piece(f"({' | '.join(texts)})", form), goal.entering, before)
        if mode != "keep"
        else Piece(f"({' | '.join(texts)})", form)
    )
    if mode != "keep":
        return merged
    last = plain.projection(frame, form, goal.target)
    return Piece(f"{merged.text} -> {last.text}", last.form)


def _branches(frame: GeneratedScope, goal: Goal, number: int) -> list[str]:
    texts: list[str] = []
    for _ in range(number):
        texts.append(_branch(frame, goal, texts))
    frame.dice.shuffle(texts) if not any("@" in text or ": " in text for text in texts) else None
    return texts


def _branch(frame: GeneratedScope, goal: Goal, before: list[str]) -> str:
    """Draws one branch; its labels are known to those behind it."""
    for _ in range(6):
        draw = frame.pick(BRANCHES)
        names, marks, left = set(frame.room.names), list(frame.room.marks), frame.pen.left
        try:
            text = draw(frame, goal)
        except Misfit:
            frame.room.names.intersection_update(names)
            frame.room.marks[:] = marks
            frame.pen.left = left
            continue
        if text not in ("ID", *before):
            return text
        if text == "ID" and "ID" not in before:
            return text
    return _computed(frame, goal)


def _computed(frame: GeneratedScope, goal: Goal) -> str:
    """Computes what is wanted from what enters."""
    if goal.step == "1":
        return towards(frame, goal.entering, goal.target, frame.pick((1, 1, 2, 3))).text
    if goal.entering.space is None:
        raise Misfit
    frame.spend()
    if frame.chance(0.6):
        first = plain.convolution(frame, goal.entering, goal.target.width, goal.step)
    else:
        step = goal.step if goal.step.isalnum() else f"{{{goal.step}}}"
        first = Piece(f"POOL3/{step}(pad=1)", goal.target.wide(goal.entering.width))
    if first.form == goal.target:
        return joined([first, chain(frame, first.form, 1, "keep")]) if frame.chance(0.4) else first.text
    return joined([first, towards(frame, first.form, goal.target, 1)])


def _identity(_frame: GeneratedScope, goal: Goal) -> str:
    if not goal.is_same:
        raise Misfit
    return "ID"


def _kept(frame: GeneratedScope, goal: Goal) -> str:
    """Computes something of the same shape: a single element, often one that is composed."""
    if not goal.is_same:
        raise Misfit
    return element(frame, goal.entering, "keep").text


def _bare(frame: GeneratedScope, goal: Goal) -> str:
    """Reads what is called so, of this very shape."""
    fitting = [mark for mark in frame.marks() if mark.form == goal.target]
    if not fitting:
        raise Misfit
    mark = frame.pick(fitting[: frame.pick((1, 3, 20))])
    if frame.mark != "!" and frame.chance(0.08):
        label = frame.label()
        frame.room.marks.append(NamedOutputs(label, mark.form, mark.training))
        return f"{label}: @{mark.name}"
    return f"@{mark.name}"


def _processed(frame: GeneratedScope, goal: Goal) -> str:
    """Reads something of the same extents, or brings it to them, and computes the width."""
    fitting = [mark for mark in frame.marks() if _way(mark.form, goal.target) is not None]
    if not fitting:
        raise Misfit
    mark = frame.pick(fitting[: frame.pick((1, 3, 20))])
    way = _way(mark.form, goal.target)
    reached = PieceShape(mark.form.width, goal.target.space)
    frame.spend()
    texts = [f"@{mark.name}", *([way] if way else [])]
    if reached != goal.target or frame.chance(0.6):
        texts.append(towards(frame, reached, goal.target, frame.pick((1, 1, 2))).text)
    return " -> ".join(texts)


def _way(form: PieceShape, target: PieceShape) -> str | None:
    """Names the layer that brings extents to others: none where they are equal, None where nothing does."""
    if form.space == target.space:
        return ""
    if form.space is None or target.space is None or form.space.is_pixel:
        return None
    size, wanted = form.space.size, target.space.size
    if size is None or wanted is None or form.space.steps or target.space.steps or len(size) != len(wanted):
        return None
    if all(a // 2 == b for a, b in zip(size, wanted, strict=True)):
        return "POOL2"
    if all(a * 2 == b for a, b in zip(size, wanted, strict=True)):
        return "UPSAMPLE2"
    return None


def _with_tap(frame: GeneratedScope, goal: Goal) -> str:
    """Taps in the midst of a branch; with nothing behind it the branch gives what entered."""
    extra = tap(frame, goal.entering).text
    if goal.is_same and frame.chance(0.3):
        return extra
    return f"{extra} -> {_computed(frame, goal)}"


def _with_group(frame: GeneratedScope, goal: Goal) -> str:
    first = group(frame, goal.entering, "keep" if goal.is_same or goal.step != "1" else "space")
    if first.form == goal.target:
        return first.text
    return f"{first.text} -> {_computed(frame, Goal(first.form, goal.target, goal.step))}"


def _with_call(frame: GeneratedScope, goal: Goal) -> str:
    makers = frame.pen.makers
    if frame.chance(0.4):
        return makers.headed(frame, goal.entering, goal.target)
    first = makers.call(frame, goal.entering, "keep" if goal.is_same else "space")
    if first.form == goal.target:
        return first.text
    if goal.step != "1":
        raise Misfit
    return f"{first.text} -> {towards(frame, first.form, goal.target, 1).text}"


def _with_pool(frame: GeneratedScope, goal: Goal) -> str:
    if not goal.is_same:
        raise Misfit
    return hourglass(frame, goal.entering, "keep").text


def _chosen(frame: GeneratedScope, goal: Goal) -> str:
    """Chooses between two branches, references among them; or one that may be absent."""
    texts: list[str] = []
    for _ in range(2):
        draw = frame.pick((_bare, _processed, _computed, _computed))
        texts.append(boxed(draw(frame.deeper(frame.room.inner()), goal)))
    return f"{texts[0]} if {test(frame)} else {texts[1]}"


def _absent(frame: GeneratedScope, goal: Goal) -> str:
    """Draws a branch that may be left out: a second one of its merge computes, as the first."""
    inner = frame.deeper(frame.room.inner())
    draw = frame.pick((_bare, _processed, _computed))
    text = boxed(draw(inner, goal))
    ending = f"?{frame.pick(('', 'extra', 'more'))}" if not frame.mark and frame.chance(0.4) else f" if {test(frame)}"
    return f"({_computed(frame, goal)} + {text}{ending})"


def _nested(frame: GeneratedScope, goal: Goal) -> str:
    if goal.step != "1" or not goal.is_same:
        raise Misfit
    return merge(frame, goal.entering, "keep").text


def _with_projection(frame: GeneratedScope, goal: Goal, branches: list[str]) -> list[str]:
    """Puts `ID or` a projection beside branches that compute."""
    if goal.entering.space is None or not goal.target.width.is_writable:
        return branches
    frame.spend()
    last = plain.convolution(frame, goal.entering, goal.target.width, goal.step).text
    last = frame.pick((last, f"[{last} -> BN]", f"[{last} -> RELU]"))
    if frame.mark != "!" and frame.chance(0.4):
        last = f"{frame.label()}: {last}"
    kept = [text for text in branches if text != "ID"]
    return [*(kept or [_computed(frame, goal)]), f"ID or {last}"]


def gate(frame: GeneratedScope, form: PieceShape, _mode: Mode) -> Piece:
    """Draws squeeze and excitation, of what enters or of a reference."""
    if form.space is None or not form.width.is_writable:
        raise Misfit
    frame.spend(4)
    marks = frame.marks()
    start, entering = "", form
    if marks and frame.chance(0.4):
        mark = frame.pick(marks[:6])
        start, entering = f"@{mark.name} -> ", mark.form
    texts = [] if entering.space is None or entering.space.is_pixel else ["GAP"]
    wide = frame.pick((form.width, form.width, Width.of(1)))
    squeezed = single(frame, PieceShape(entering.width, PIXEL), "space") if texts and frame.chance(0.5) else None
    texts += [squeezed.text] if squeezed else []
    last = f"CONV1-{wide.word}" if texts and frame.chance(0.5) else f"FC-{wide.word}"
    texts.append(last)
    if frame.chance(0.2):
        texts.append(frame.pick(("CHANNELCONV3", "CHANNELCONV5(bias=yes)", "CHANNELCONV3(border=circular)")))
    texts += [frame.pick(("SIGMOID", "HSIGMOID", plain.activation(frame)))]
    return Piece(f"MUL(ID, {start}{' -> '.join(texts)})", form)


def reading(frame: GeneratedScope, form: PieceShape, mark: NamedOutputs) -> Piece:
    """Draws what certainly reads a mark: a sum, or a product where its extents are others."""
    frame.spend(2)
    if mark.form.space != form.space:
        start = f"@{mark.name} -> GAP" if mark.form.space else f"@{mark.name}"
        return Piece(f"MUL(ID, {start} -> FC-{form.width.word} -> {plain.activation(frame)})", form)
    texts = [f"@{mark.name}", "ID" if frame.chance(0.5) else towards(frame, form, form, frame.pick((1, 2))).text]
    if mark.form != form or frame.chance(0.4):
        texts[0] += f" -> {towards(frame, mark.form, form, 1).text}"
    if frame.chance(0.5):
        texts.reverse()
    return Piece(frame.pick(("({} + {})", "({} + {})", "MAX({}, {})", "MUL({}, {})")).format(*texts), form)


BRANCHES: tuple[Branch, ...] = (
    *(_identity,) * 3,
    *(_computed,) * 6,
    *(_kept,) * 3,
    *(_bare,) * 6,
    *(_processed,) * 5,
    *(_with_tap,) * 2,
    *(_with_group,) * 4,
    *(_with_call,) * 3,
    *(_with_pool,) * 2,
    _chosen,
    _chosen,
    _absent,
    _nested,
)
