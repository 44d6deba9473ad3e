"""Blocks: drawn once, for whatever enters, and called in several places with equal or different arguments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cnndsl.testing.crossings import plain
from cnndsl.testing.crossings.chains import chain, joined, towards
from cnndsl.testing.crossings.frames import (
    ROLES,
    GeneratedBlock,
    GeneratedScope,
    GivenSetting,
    Mode,
    NamedOutputs,
    Piece,
    Room,
)
from cnndsl.testing.crossings.merges import reading
from cnndsl.testing.crossings.numbers import named, rate, width
from cnndsl.testing.crossings.widths import Misfit, PieceShape, Space, Width

OUTPUTS = ("same", "near", "any")
"""Roles of parameters that are outputs: of the shape that enters, of its extents, of any shape."""
NAMES: dict[str, tuple[str, ...]] = {
    "width": ("c", "d", "n"),
    "kernel": ("k", "ks"),
    "stride": ("s",),
    "share": ("r", "e"),
    "rate": ("p",),
    "flag": ("f", "deep"),
    "kind": ("act", "nl"),
    **dict.fromkeys(OUTPUTS, ("q", "skip", "from", "other")),
}


def call(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws one call or several, of an old block or a new one."""
    if form.space is None or form.space.is_pixel:
        raise Misfit
    if frame.chance(0.25) and mode == "free":
        step = plain.widening(frame, form)
        return _several(frame, step.form, mode, [step])
    return _several(frame, form, mode, [])


def _several(frame: GeneratedScope, form: PieceShape, mode: Mode, pieces: list[Piece]) -> Piece:
    block = _block(frame, mode == "free", is_head=False)
    arguments: list[str] | None = None
    for turn in range(frame.pick((1, 1, 2, 2, 3))):
        same = arguments if arguments is not None and frame.chance(0.5) else None
        try:
            piece, arguments = one_call(frame, block, form, same)
        except Misfit:
            if turn == 0:
                raise
            break
        if mode == "keep" and piece.form != form:
            if turn == 0:
                raise Misfit
            break
        pieces.append(piece)
        form = piece.form
    return Piece(joined(pieces), form)


def headed(frame: GeneratedScope, entering: PieceShape, target: PieceShape) -> str:
    """Starts a branch with a block that reads nothing but a reference."""
    block = _block(frame, False, is_head=True)
    marks = [mark for mark in frame.marks() if mark.form == entering]
    if not marks or target.space != entering.space or target.space is None:
        raise Misfit
    piece, _ = one_call(frame, block, entering, None, frame.pick(marks[:8]))
    if piece.form == target:
        return piece.text
    return f"{piece.text} -> {towards(frame, piece.form, target, 1).text}"


def _block(frame: GeneratedScope, may_step: bool, is_head: bool) -> GeneratedBlock:
    """Takes a block that there is, or draws one."""
    known: list[GeneratedBlock] = [each for each in frame.pen.blocks if each.is_head == is_head]
    if known and (frame.entry is not None or frame.chance(0.65)):
        return frame.pick(known)
    if frame.entry is not None or frame.is_poor or len(frame.pen.blocks) > 3:
        raise Misfit
    block = define(frame, may_step, is_head)
    frame.pen.blocks.append(block)
    return block


def define(frame: GeneratedScope, may_step: bool, is_head: bool) -> GeneratedBlock:
    """Draws a block for whatever enters."""
    pen = frame.pen
    name = pen.block()
    given = _parameters(frame, may_step, is_head)
    space = Space("in", None)
    entering = PieceShape(Width.of("C"), space)
    room = Room()
    outputs = {each.name: each.role for each in given if each.role in OUTPUTS}
    room.marks += [NamedOutputs(each, _output(each, role, entering)) for each, role in outputs.items()]
    around = _around(frame, room, entering) if not is_head else ()
    inner = GeneratedScope(
        pen,
        room,
        depth=max(frame.depth, 1),
        entry=Width.of("C"),
        widths=tuple(each.name for each in given if each.role == "width"),
        hidden=("C", *(each.name for each in given)),
        others=tuple((each.role, each.name) for each in given),
    )
    before = pen.left
    outside = len(room.marks)
    body = _body(inner, entering, next(iter(outputs)) if is_head else "", may_step)
    pen.statements.append(f"block {name}{_signature(given)} = {body.text}")
    cost, pen.left = before - pen.left, before
    return GeneratedBlock(name, given, body.form, tuple(room.marks[outside:]), around, is_head, cost)


def _output(name: str, role: str, entering: PieceShape) -> PieceShape:
    """Gives the shape of an output from outside, as far as the block can know it."""
    if role == "same":
        return entering
    return PieceShape(Width.of(f"@{name}"), entering.space if role == "near" else Space(name, None))


def _around(frame: GeneratedScope, room: Room, entering: PieceShape) -> tuple[tuple[str, str], ...]:
    """Lets a block read a label around its call."""
    if not frame.chance(0.3):
        return ()
    role = frame.pick(("same", "near"))
    name = frame.pick(("a", "b", "x", "stem"))
    room.marks.append(NamedOutputs(name, _output(name, role, entering)))
    return ((name, role),)


def _parameters(frame: GeneratedScope, may_step: bool, is_head: bool) -> tuple[GivenSetting, ...]:
    roles: list[str] = ["width"] * frame.pick((0, 1, 1, 1, 2))
    if is_head:
        roles = ["same", *roles]
    elif frame.chance(0.35):
        roles += frame.pick((["same"], ["same"], ["near"], ["same", "near"], ["same", "same"], ["any"]))
    extra: list[str] = ["kernel", "share", "rate", "flag", "kind", *(["stride"] if may_step else [])]
    roles += frame.dice.sample(extra, frame.pick((0, 0, 1, 1, 2)))
    taken: set[str] = set()
    given: list[GivenSetting] = []
    for role in roles:
        name = next(each for each in NAMES[role] if each not in taken)
        taken.add(name)
        is_free = role in OUTPUTS or not frame.chance(0.5)
        given.append(GivenSetting(name, role, "" if is_free else _default(frame, role)))
    return tuple(sorted(given, key=lambda each: bool(each.default)))


def _default(frame: GeneratedScope, role: str) -> str:
    return frame.pick(("4", "8")) if role == "width" else frame.pick(ROLES[role][1][:2])


def _signature(given: Sequence[GivenSetting]) -> str:
    shown = [f"{each.name}={each.default}" if each.default else each.name for each in given]
    return f"({', '.join(shown)})" if shown else ""


def _body(frame: GeneratedScope, entering: PieceShape, start: str, may_step: bool) -> Piece:
    """Draws what a block does: its first layer gives its width, now and then; it reads what it is given."""
    given = list(frame.room.marks)
    pieces = [Piece(f"@{start}", entering)] if start else []
    form = entering
    if may_step and frame.chance(0.4):
        step = next((name for role, name in frame.others if role == "stride"), "2")
        frame.spend()
        pieces.append(plain.convolution(frame, form, width(frame), step))
        form = pieces[-1].form
    elif frame.widths and frame.chance(0.5):
        frame.spend()
        pieces.append(plain.convolution(frame, form, Width.of(frame.widths[0])))
        form = pieces[-1].form
    if start and len(pieces) == 1:
        pieces.append(plain.keeping(frame, form))
    body = chain(frame, form, frame.pick((1, 2, 2, 3)), frame.pick(("keep", "space")))
    pieces.append(body)
    form = body.form
    for mark in given:
        if f"@{mark.name}" not in joined(pieces) and form.width.is_writable and frame.chance(0.85):
            pieces.append(reading(frame, form, mark))
    if frame.chance(0.15):
        frame.spend()
        pieces.append(plain.convolution(frame, form, Width.of(frame.pick((4, 8, 16)))))
    return Piece(joined(pieces), pieces[-1].form)


def one_call(
    frame: GeneratedScope,
    block: GeneratedBlock,
    form: PieceShape,
    same: list[str] | None,
    head: NamedOutputs | None = None,
) -> tuple[Piece, list[str]]:
    """Draws one call. Raises Misfit where an output that it needs is not at hand."""
    frame.spend(block.cost)
    texts: list[str] = []
    widths: dict[str, Width] = {"C": form.width}
    bases: dict[str, Space] = {"in": form.space} if form.space else {}
    for at, each in enumerate(block.given):
        if each.role in OUTPUTS:
            mark = head or _fitting(frame, each.role, form)
            widths[f"@{each.name}"] = mark.form.width
            if mark.form.space is not None:
                bases[each.name] = mark.form.space
            text = f"@{mark.name}"
        else:
            text = same[at] if same is not None else _argument(frame, each)
        shown = text or each.default
        widths[each.name] = Width.of(int(shown)) if shown.isdigit() else Width.of(_term(shown))
        texts.append(text)
    for name, role in block.around:
        widths[f"@{name}"] = _nearest(frame, name, role, form).form.width
    env = frame.env()
    given = block.form.bound(bases, widths, env)
    if not frame.is_width(given.width):
        raise Misfit
    label = frame.label() if frame.mark != "!" and frame.chance(0.4) else ""
    if label:
        marks = [
            replace(mark, name=f"{label}.{mark.name}", form=mark.form.bound(bases, widths, env), given=None)
            for mark in block.marks
            if "{" not in mark.name
        ]
        frame.room.marks += [replace(mark, pool=None) for mark in marks]
        frame.room.marks.append(NamedOutputs(label, given, frame.training, given=form))
    written = block.name + _listed(frame, block, texts)
    return Piece(f"{label}: {written}" if label else written, given), texts


def _term(text: str) -> str:
    return text if text.isalnum() else f"({text})"


def _listed(frame: GeneratedScope, block: GeneratedBlock, texts: Sequence[str]) -> str:
    """Writes arguments by place up to the first that is left out, by name behind it."""
    listed: list[str] = []
    by_name = False
    for each, text in zip(block.given, texts, strict=True):
        by_name = by_name or not text or frame.chance(0.1)
        if text:
            listed.append(f"{each.name}={text}" if by_name else text)
    return f"({', '.join(listed)})" if listed else ""


def _argument(frame: GeneratedScope, each: GivenSetting) -> str:
    """Draws an argument; empty where the default holds."""
    if each.default and frame.chance(0.5):
        return ""
    if each.role == "width":
        if frame.entry is not None:
            return frame.pick((named(frame), "8", "4"))
        drawn = width(frame)
        if not drawn.is_writable:
            raise Misfit
        return drawn.shown
    if each.role == "rate":
        return rate(frame)
    if frame.chance(0.5):
        return frame.one(each.role)
    return frame.pick(ROLES[each.role][1])


def _fitting(frame: GeneratedScope, role: str, form: PieceShape) -> NamedOutputs:
    """Picks an output for a parameter of a block."""
    marks = frame.marks()
    if role == "same":
        marks = [mark for mark in marks if mark.form == form]
    elif role == "near":
        marks = [mark for mark in marks if mark.form.space == form.space]
    if not marks:
        raise Misfit
    return frame.pick(marks[: frame.pick((1, 3, 12))])


def _nearest(frame: GeneratedScope, name: str, role: str, form: PieceShape) -> NamedOutputs:
    """Looks for a label that a block reads around its call."""
    for mark in frame.marks():
        if mark.name == name:
            if mark.form == form or (role == "near" and mark.form.space == form.space):
                return mark
            raise Misfit
    raise Misfit
