"""Branches that an `each` stands for: equal but for a dilation, a kernel, a width, or what they read of one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TypeAlias

from cnndsl.testing.crossings import plain
from cnndsl.testing.crossings.chains import MOST_TURNS, chain
from cnndsl.testing.crossings.frames import GeneratedScope, NamedOutputs
from cnndsl.testing.crossings.labels import star_of
from cnndsl.testing.crossings.widths import Misfit, PieceShape

_NAMES = ("d", "g", "t", "each")


@dataclass(frozen=True, slots=True)
class EachRows:
    """The head of an `each`: its name, its values, and how they are written."""

    name: str
    values: tuple[int, ...]
    shown: str
    other: tuple[str, tuple[str, ...]] | None = None
    """A second name with its values."""


DrawRow: TypeAlias = Callable[[GeneratedScope, EachRows, PieceShape, PieceShape, str], str]


def several(
    frame: GeneratedScope, form: PieceShape, target: PieceShape, step: str, is_alone: bool = False
) -> tuple[str, int]:
    """Draws an `each` whose branches lead from a shape to another, and says how many they are. Raises Misfit where
    none can stand."""
    if form.space is None or form.space.is_pixel or not target.width.is_writable:
        raise Misfit
    rows = _rows(frame, is_alone)
    if frame.times * max(1, len(rows.values)) > MOST_TURNS:
        raise Misfit
    names = (rows.name, *([rows.other[0]] if rows.other else []))
    inner = replace(
        frame,
        room=frame.room.inner(),
        depth=frame.depth + 1,
        mark="!" if frame.mark or not rows.values else f"{{{rows.name}}}",
        hidden=(*frame.hidden, *names),
        rows=tuple({**row, rows.name: Fraction(value)} for row in frame.rows for value in rows.values or (1,)),
        times=frame.times * max(1, len(rows.values)),
    )
    draws: tuple[DrawRow, ...] = (_dilated, _dilated, _computed, _chosen, _labelled, _following)
    text = frame.pick(draws)(inner, rows, form, target, step)
    _export(frame, inner, rows)
    return f"each {', '.join(names)} in {rows.shown} [{text}]", len(rows.values)


def _rows(frame: GeneratedScope, is_alone: bool) -> EachRows:
    free = [name for name in _NAMES if name not in frame.hidden]
    name = frame.pick(free or ["row"])
    if frame.chance(0.35):
        last = frame.pick((1, 2, 3) if is_alone else (0, 1, 2, 3))
        first = frame.pick((1, 1, 0)) if last else 1
        count = frame.one("count") if last and frame.chance(0.3) and not frame.hidden and not frame.mark else ""
        values = tuple(range(first, last + 1))
        return EachRows(name, values, f"{first}..{f'min({count}, 0) + {last}' if count else last}")
    values = tuple(frame.dice.sample((1, 2, 3, 4, 6), frame.pick((2, 2, 3))))
    if frame.chance(0.4):
        others = tuple(frame.pick(("1", "3", "5")) for _ in values)
        shown = ", ".join(f"({value}, {other})" for value, other in zip(values, others, strict=True))
        return EachRows(name, values, shown, ("ks", others))
    return EachRows(name, values, ", ".join(map(str, values)))


def _kernel(rows: EachRows) -> str:
    return f"{{{rows.other[0]}}}" if rows.other else "3"


def _dilated(frame: GeneratedScope, rows: EachRows, _form: PieceShape, target: PieceShape, step: str) -> str:
    """One convolution whose dilation is that of the row, and what may follow it."""
    frame.spend()
    slash = "" if step == "1" else f"/{step}" if step.isalnum() else f"/{{{step}}}"
    rate = frame.pick((rows.name, f"max({rows.name}, 1)", f"2*{rows.name}")) if 0 not in rows.values else "2"
    layer = f"CONV{_kernel(rows)}-{target.width.word}{slash}(dilation={rate})"
    if not frame.chance(0.5):
        return layer
    return f"{layer} -> {chain(frame, target, frame.pick((1, 1, 2)), 'keep').text}"


def _computed(frame: GeneratedScope, _rows: EachRows, form: PieceShape, target: PieceShape, step: str) -> str:
    """The same in every branch."""
    frame.spend()
    first = plain.convolution(frame, form, target.width, step)
    if frame.chance(0.3):
        return first.text
    return f"{first.text} -> {chain(frame, first.form, 1, 'keep').text}"


def _chosen(frame: GeneratedScope, rows: EachRows, form: PieceShape, target: PieceShape, step: str) -> str:
    """What enters, where that has the shape of the other branches, or a projection."""
    if form.width != target.width and step != "2":
        return _computed(frame, rows, form, target, step)
    frame.spend()
    return f"ID or {plain.convolution(frame, form, target.width, step).text}"


def _labelled(frame: GeneratedScope, rows: EachRows, form: PieceShape, target: PieceShape, step: str) -> str:
    """A part with a name of its own in every branch."""
    label = frame.label()
    body = _dilated(replace(frame, mark="!"), rows, form, target, step)
    frame.room.marks.append(NamedOutputs(label, target, frame.training))
    return f"{label}: [{body}]"


def _following(frame: GeneratedScope, rows: EachRows, form: PieceShape, target: PieceShape, step: str) -> str:
    """Each branch reads the one before it, as in Res2Net."""
    if frame.mark == "!" or form != target or step != "1" or rows.values != tuple(range(1, len(rows.values) + 1)):
        return _computed(frame, rows, form, target, step)
    name = frame.pen.name(("y", "z", "part"), frame.room.names)
    frame.room.names |= {name, *(f"{name}{value}" for value in rows.values)}
    frame.spend(2)
    layer = plain.convolution(frame, form, target.width)
    before = f"{name}{{{rows.name} - 1}}"
    frame.room.marks.append(NamedOutputs(f"{name}{{{rows.name}}}", target, frame.training))
    return f"{name}{{{rows.name}}}: [(ID + @{before}) if {rows.name} > 1 -> {layer.text} -> RELU]"


def _export(frame: GeneratedScope, inner: GeneratedScope, rows: EachRows) -> None:
    """Makes what is labelled in the branches known by its values."""
    mark = f"{{{rows.name}}}"
    for each in inner.room.marks:
        if mark not in each.name:
            continue
        if star_of(each.name) and not each.training and rows.name not in each.form.width.shown:
            frame.room.stars.append(replace(each, name=star_of(each.name), given=None))
        frame.room.marks += _known(each, mark, rows.values)


def _known(mark: NamedOutputs, hole: str, values: Sequence[int]) -> list[NamedOutputs]:
    return [replace(mark, name=mark.name.replace(hole, str(value)), pool=None, given=None) for value in values]
