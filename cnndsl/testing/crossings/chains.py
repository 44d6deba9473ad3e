"""Chains and what they are made of: layers, merges, groups, repeats, tables, taps, choices, references, calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import TypeAlias

from cnndsl.testing.crossings import plain
from cnndsl.testing.crossings.frames import TAPS, GeneratedScope, Makers, Mode, NamedOutputs, Piece, Room
from cnndsl.testing.crossings.labels import nameless, star_of
from cnndsl.testing.crossings.numbers import count, rate, test, width
from cnndsl.testing.crossings.sizes import resized
from cnndsl.testing.crossings.widths import Misfit, PieceShape, Width

DrawPiece: TypeAlias = Callable[[GeneratedScope, PieceShape, Mode], Piece]

DEEPEST = 4
MOST_TURNS = 6


def joined(pieces: list[Piece]) -> str:
    """Return elements as the text of a chain."""
    return " -> ".join(piece.text for piece in pieces)


def is_one(text: str) -> bool:
    """Tells whether a text is one element, around which no brackets are needed."""
    level = 0
    for at, char in enumerate(text):
        level += (char in "([{") - (char in ")]}")
        if level == 0 and text.startswith((" -> ", " if ", ": ", "*", "?"), at):
            return False
    return True


def boxed(text: str) -> str:
    """Puts brackets around what is more than one element."""
    return text if is_one(text) else f"[{text}]"


def chain(frame: GeneratedScope, form: PieceShape, length: int, mode: Mode) -> Piece:
    """Draws so many elements in a row."""
    pieces: list[Piece] = []
    for _ in range(max(1, length)):
        piece = element(frame, form, mode)
        pieces.append(piece)
        form = piece.form
    return Piece(joined(pieces), form)


def towards(frame: GeneratedScope, form: PieceShape, target: PieceShape, length: int) -> Piece:
    """Draws a chain that ends with a shape of the same extents."""
    if not target.width.is_writable or (form == target and frame.chance(0.4)):
        if form != target:
            raise Misfit
        return chain(frame, form, length, "keep")
    piece = chain(frame, form, length, "space") if length > 1 else Piece("", form)
    if piece.form != target or not piece.text:
        frame.spend()
        last = plain.projection(frame, piece.form, target)
        piece = Piece(" -> ".join(filter(None, (piece.text, last.text))), last.form)
    if frame.chance(0.3):
        piece = Piece(f"{piece.text} -> {plain.activation(frame)}", piece.form)
    return piece


def element(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws one element: a layer, or something that is composed."""
    if frame.is_poor or frame.depth >= DEEPEST or frame.chance(0.3):
        return single(frame, form, mode)
    for _ in range(5):
        draw = frame.pick(MENU)
        before = set(frame.room.names), list(frame.room.marks), frame.pen.left
        try:
            piece = draw(frame, form, mode)
        except Misfit:
            frame.room.names.clear()
            frame.room.names.update(before[0])
            frame.room.marks[:] = before[1]
            frame.pen.left = before[2]
            continue
        if frame.is_width(piece.form.width) or not piece.form.width.is_writable:
            return piece
    return single(frame, form, mode)


def single(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws a layer, with a label now and then."""
    if frame.chance(0.05) and frame.mark != "!":
        return _parameter(frame, form)
    piece = _layer(frame, form, mode)
    if " if " in piece.text or not frame.chance(0.4) or frame.mark == "!":
        return replace(piece, text=nameless(frame.pen.forms, piece.text))
    label = frame.label()
    frame.room.marks.append(NamedOutputs(label, piece.form, frame.training, given=form))
    return Piece(f"{label}: {piece.text}", piece.form)


def _parameter(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws a parameter of the module around it, whose name is the label."""
    label = frame.name()
    frame.room.marks.append(NamedOutputs(label, form, frame.training, given=form))
    kind = frame.pick(("vector", "map", "number"))
    which = frame.pick(("bias=no", "bias=no, init=0.5", "weight=no", f"bias=no, init={rate(frame)}"))
    return Piece(f"{label}: SCALE({which}, parameter={kind})", form)


def _layer(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    if mode == "keep" or frame.chance(0.35):
        return plain.keeping(frame, form)
    if mode == "free" and frame.chance(0.35):
        try:
            return frame.pick((plain.reshaping, plain.reshaping, plain.enlarging))(frame, form)
        except Misfit:
            pass
    return plain.widening(frame, form)


def group(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws labelled brackets: a module, whose inner names can be read outside."""
    label = frame.label()
    room = Room(frame.room)
    inner = replace(frame, room=room, mark="", depth=frame.depth + 1)
    if frame.chance(0.15):
        body = tap(inner, form)
    elif mode == "free" and frame.chance(0.15):
        body = pooled(inner, form, mode)
    else:
        body = chain(inner, form, frame.pick((1, 2, 2, 3)), mode)
    export(frame, room, label, body.form, None if "tap " in body.text else form)
    return Piece(f"{label}: [{body.text}]", body.form)


def export(frame: GeneratedScope, room: Room, label: str, form: PieceShape, given: PieceShape | None = None) -> None:
    """Makes a part and what is in it known around it; `given` is what enters it, if it can be applied again."""
    inner = [mark for mark in room.marks if "{" not in mark.name]
    frame.room.marks += [replace(mark, name=f"{label}.{mark.name}", given=None) for mark in inner]
    frame.room.marks.append(NamedOutputs(label, form, frame.training, given=given))
    if "{" not in label:
        frame.room.stars += [replace(star, name=f"{label}.{star.name}") for star in room.stars]


def pooled(frame: GeneratedScope, form: PieceShape, _mode: Mode) -> Piece:
    """Draws a pooling that can be undone, and something behind it."""
    if form.space is None or form.space.size is None or min(form.space.size) < 2 or form.space.steps:
        raise Misfit
    label = frame.label()
    small = PieceShape(form.width, form.space.stepped("floor", "2", frame.env()))
    frame.room.marks.append(NamedOutputs(label, small, frame.training, form))
    frame.spend()
    after = chain(frame.deeper(), small, 1, "keep") if frame.chance(0.4) else Piece("", small)
    return Piece(" -> ".join(filter(None, (f"{label}: POOL2", after.text))), small)


def unpooled(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Undoes a pooling, wherever it stands."""
    fitting = [mark for mark in frame.marks() if mark.pool is not None and mark.form == form]
    if not fitting or mode != "free":
        raise Misfit
    mark = frame.pick(fitting)
    frame.spend()
    assert mark.pool is not None
    return Piece(f"UNPOOL2(@{mark.name})", mark.pool)


def hourglass(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Pools, does something, and undoes it; keeps the shape."""
    room = frame.room
    if frame.chance(0.4) and mode != "free":
        room = frame.room.inner()
    inner = frame.deeper(room)
    before = len(inner.room.marks)
    label = "" if frame.chance(0.7) else frame.label()
    if label:
        inside = replace(inner, room=Room(inner.room), mark="")
        first = pooled(inside, form, mode)
        export(inner, inside.room, label, first.form)
        first = Piece(f"{label}: [{first.text}]", first.form)
    else:
        first = pooled(inner, form, mode)
    middle = chain(inner, first.form, 1, "keep")
    pools = [mark for mark in inner.room.marks[before:] if mark.pool == form]
    if not pools:
        raise Misfit
    frame.spend()
    return Piece(f"{first.text} -> {middle.text} -> UNPOOL2(@{frame.pick(pools).name})", form)


def named(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Gives a second name to a value."""
    label = frame.label()
    frame.room.marks.append(NamedOutputs(label, form, frame.training))
    following = single(frame, form, mode)
    return Piece(f"{label}: ID -> {following.text}", following.form)


def tap(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws an extra output, which leaves the main line as it is."""
    if frame.mark == "!":
        raise Misfit
    name = frame.pen.name(TAPS, frame.room.names) + frame.mark
    frame.room.names |= {name, name.removesuffix(frame.mark) if frame.mark else name}
    training = frame.training or frame.chance(0.35)
    inner = replace(frame, depth=frame.depth + 1, training=training)
    body, room = _tapped(inner, form)
    if room is not None:
        marks = [mark for mark in room.marks if "{" not in mark.name]
        frame.room.marks += [replace(mark, name=f"{name}.{mark.name}", training=training, given=None) for mark in marks]
    frame.room.marks.append(NamedOutputs(name, body.form, training))
    # Within another one that runs in training only it need not be said.
    is_said = training and not (frame.training and frame.chance(0.3))
    return Piece(f"tap {name}{'(train)' if is_said else ''}: {body.text}", form)


def _tapped(frame: GeneratedScope, form: PieceShape) -> tuple[Piece, Room | None]:
    """Draws what a tap runs: a layer, a reference, a chain in brackets, a call."""
    marks = frame.marks()
    # A tap must not be the main line itself, which is likely called by one of the last names.
    others = [mark for at, mark in enumerate(marks) if at > 3 or mark.form != form]
    if others and frame.chance(0.2):
        mark = frame.pick(others[:6])
        return Piece(f"@{mark.name}", mark.form), None
    if frame.chance(0.35):
        piece = frame.pick((plain.widening, plain.keeping))(frame, form)
        if piece.text != "ID" and " if " not in piece.text:
            return piece, None
    room = Room(frame.room)
    inner = replace(frame, room=room, mark="")
    start = ""
    if marks and frame.chance(0.4):
        mark = frame.pick(marks[:6])
        start, form = f"@{mark.name} -> ", mark.form
    first = plain.widening(frame, form)
    pieces = [first]
    if frame.chance(0.6):
        pieces.append(chain(inner, first.form, frame.pick((1, 1, 2)), "space"))
    elif frame.chance(0.5):
        pieces += plain.ending(inner, first.form)
    return Piece(f"[{start}{joined(pieces)}]", pieces[-1].form), room


def tapped(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws a tap and what goes on behind it, which may read the tap."""
    extra = tap(frame, form)
    if frame.chance(0.3):
        return extra
    following = element(frame.deeper(), form, mode)
    return Piece(f"{extra.text} -> {following.text}", following.form)


def repeat(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws turns: of what keeps the shape, or of what begins with a width of its own."""
    times = count(frame)
    number = int(times) if times.isdigit() else 0
    if frame.times * (number or 2) > MOST_TURNS:
        raise Misfit
    label = frame.label() if frame.chance(0.3) else ""
    stars = len(frame.room.stars)
    outside = Room(frame.room) if label else frame.room.inner()
    fresh = "{i}" if label or not frame.mark else "!"
    inner = replace(
        frame,
        room=outside.inner(),
        depth=frame.depth + 1,
        mark=fresh,
        rows=tuple({**frame.rows[0], "i": Fraction(turn)} for turn in range(1, (number or 3) + 1)),
        hidden=tuple(name for name in frame.hidden if name != "i"),
        times=frame.times * (number or 2),
    )
    body, given = _turn(inner, form, mode, times)
    turns = f"{boxed(body)}*{times}"
    _export_turns(frame, inner.room, outside, number, label, given)
    text = f"{label}: {turns}" if label else turns
    others = [f"@{star.name}" for star in frame.room.stars[stars:] if star.form == given]
    if others and frame.pen.forms.random() < 0.6:
        frame.spend()
        text += frame.pen.forms.choice((" -> (ID + {})", " -> MAX({}, ID)", " -> MUL(ID, {})")).format(others[0])
    return Piece(text, given)


def _turn(frame: GeneratedScope, form: PieceShape, mode: Mode, times: str) -> tuple[str, PieceShape]:
    """Draws the body of a repeat, and says what the last turn gives."""
    length = frame.pick((1, 1, 2, 3))
    if mode == "keep" or frame.chance(0.6) or form.space is None:
        return chain(frame, form, length, "keep").text, form
    wide = width(frame)
    opaque = PieceShape(Width.of("@turn"), form.space)
    first = plain.convolution(frame, opaque, wide)
    frame.spend()
    pieces = [first]
    if length > 1:
        pieces.append(chain(frame, first.form, length - 1, "keep"))
    last = times.strip("{}")
    return joined(pieces), first.form.bound({}, {"i": Width.of(int(last)) if last.isdigit() else Width.of(last)}, {})


def _export_turns(frame: GeneratedScope, turn: Room, outside: Room, number: int, label: str, given: PieceShape) -> None:
    """Makes what is labelled in turns known by its numbers: all of them where it is known how many there are."""
    for mark in turn.marks:
        if "{i}" not in mark.name or "@turn" in mark.form.width.shown:
            continue
        room = outside if label else frame.room
        if number and star_of(mark.name) and not mark.training and "i" not in mark.form.width.shown:
            room.stars.append(replace(mark, name=star_of(mark.name), given=None))
        for at in range(1, (number or 1) + 1):
            form = mark.form.bound({}, {"i": Width.of(at)}, {})
            pool = mark.pool and mark.pool.bound({}, {"i": Width.of(at)}, {})
            known = replace(mark, name=mark.name.replace("{i}", str(at)), form=form, pool=pool)
            room.marks.append(known)
    if label:
        export(frame, outside, label, given)


def table(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws a `for`: its rows give widths and kernels, or a kind."""
    if mode == "keep" or form.space is None or form.space.is_pixel or frame.mark:
        raise Misfit
    rows = frame.dice.sample((4, 8, 6, 3, 2), frame.pick((2, 2, 3)))
    kernels = [frame.pick(("1", "3", "RELU", "TANH")) for _ in rows]
    is_kind = kernels[0].isalpha()
    kernels = [each if each.isalpha() == is_kind else ("RELU" if is_kind else "3") for each in kernels]
    wide, other = frame.pick((("c", "op"), ("ch", "ks")))
    inner = replace(
        frame,
        room=frame.room.inner(),
        depth=frame.depth + 1,
        mark=f"{{{wide}}}",
        widths=(*frame.widths, wide),
        hidden=(*frame.hidden, wide, other),
        rows=tuple({wide: Fraction(row)} for row in rows),
        times=frame.times * len(rows),
    )
    first = f"CONV{'3' if is_kind else f'{{{other}}}'}-{wide}"
    frame.spend(len(rows))
    body = PieceShape(Width.of(wide), form.space)
    text = f"{first} -> {other}" if is_kind else first
    if frame.chance(0.6):
        text = f"{text} -> {chain(inner, body, 1, 'keep').text}"
    for mark in inner.room.marks:
        for row in rows if f"{{{wide}}}" in mark.name else ():
            shape = mark.form.bound({}, {wide: Width.of(row)}, {})
            frame.room.marks.append(
                replace(mark, name=mark.name.replace(f"{{{wide}}}", str(row)), form=shape, pool=None)
            )
    shown = ", ".join(f"({row}, {kernel})" for row, kernel in zip(rows, kernels, strict=True))
    return Piece(f"for {wide}, {other} in {shown} [{text}]", PieceShape(Width.of(rows[-1]), form.space))


def choice(frame: GeneratedScope, form: PieceShape, mode: Mode) -> Piece:
    """Draws a choice that is made when compiled; what stands in it is not known behind it."""
    kind = frame.dice.randrange(4)
    if kind == 0 and not frame.mark:
        return Piece(f"{_alternative(frame, form)}?{frame.pick(('', 'extra', 'more'))}", form)
    if kind <= 1:
        return Piece(f"{_alternative(frame, form)} if {test(frame)}", form)
    given = None if mode == "keep" or frame.chance(0.5) or form.space is None else form.wide(width(frame))
    one, other = (_alternative(frame, form, given) for _ in range(2))
    return Piece(f"{one} if {test(frame)} else {other}", given or form)


def _alternative(frame: GeneratedScope, form: PieceShape, given: PieceShape | None = None) -> str:
    """Draws what may be chosen, in a room of its own; it gives the shape that it takes, or another."""
    inner = frame.deeper(frame.room.inner())
    length = frame.pick((1, 1, 2))
    piece = chain(inner, form, length, "keep") if given is None else towards(inner, form, given, length)
    return boxed(piece.text)


def _composed(maker: Callable[[Makers], DrawPiece]) -> DrawPiece:
    """Draws what another module draws, which imports this one."""
    return lambda frame, form, mode: maker(frame.pen.makers)(frame, form, mode)


_merge = _composed(lambda makers: makers.merge)
_call = _composed(lambda makers: makers.call)
_gate = _composed(lambda makers: makers.gate)
_several = _composed(lambda makers: makers.several)
_again = _composed(lambda makers: makers.again)

MENU: tuple[DrawPiece, ...] = (
    *(_merge,) * 9,
    *(group,) * 5,
    *(_call,) * 6,
    *(tapped,) * 4,
    *(repeat,) * 3,
    *(choice,) * 2,
    table,
    named,
    hourglass,
    hourglass,
    unpooled,
    resized,
    resized,
    _several,
    _several,
    *(_again,) * 9,
    _gate,
)
