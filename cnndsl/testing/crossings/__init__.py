"""Programs drawn like a user's, in which labels, references, groups, blocks, repeats, choices and taps meet.

Labels are names, numbers, paths and in quotes (`labels`); `names` reads from a text what they make of the state.

A plain generator: a seed gives a program and settings to try. It follows shapes by itself, apart from the compiler,
so that most of what it draws is a program; what the compiler refuses is to be skipped. `oracle` and `construction`
say whether what is emitted is right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from typing import TypeAlias

from hypothesis import strategies as st

from cnndsl.testing.crossings import plain
from cnndsl.testing.crossings.again import again
from cnndsl.testing.crossings.blocks import call, headed
from cnndsl.testing.crossings.chains import chain, joined
from cnndsl.testing.crossings.equations import further, several
from cnndsl.testing.crossings.families import family
from cnndsl.testing.crossings.frames import GeneratedScope, Makers, NamedOutputs, Pen, Piece, Room, entering
from cnndsl.testing.crossings.inputs import GeneratedInputs
from cnndsl.testing.crossings.merges import gate, merge
from cnndsl.testing.crossings.numbers import rate, width
from cnndsl.testing.crossings.values import with_values
from cnndsl.testing.crossings.widths import PieceShape

ProgramSettings: TypeAlias = dict[str, object]

SIZES = ((8, 8),) * 10 + ((9, 8), (7, 7), (16,), (12,), (4, 6, 6))


@dataclass(frozen=True, slots=True)
class Crossing:
    """A program, the settings with which it is compiled, and others that the emitted class can be given."""

    text: str
    settings: ProgramSettings
    others: tuple[ProgramSettings, ...] = ()


def crossing(seed: int) -> Crossing:
    """Draws the program of a seed.

    >>> crossing(3) == crossing(3)
    True
    """
    dice = random.Random(seed)
    # Of dice of their own, so that a seed goes on to give the program that it gave but for these.
    others = random.Random(f"inputs {seed}")
    forms = random.Random(f"labels {seed}")
    values = random.Random(f"values {seed}")
    if dice.random() < 0.15:
        drawn = _like_published(dice, values)
    else:
        drawn = _drawn(dice, others if others.random() < 0.15 else None, forms)
    share = values.choice((0, 0, 0.1, 0.25, 0.5))
    return replace(drawn, text=with_values(drawn.text, values, share)) if share else drawn


def _like_published(dice: random.Random, others: random.Random) -> Crossing:
    text, values = family(dice, others)
    tries = [{name: value_of(dice.choice(several))} for name, several in values.items()]
    dice.shuffle(tries)
    return Crossing(text, dice.choice((tries[0], {}, {})), tuple(tries[1:]))


def _drawn(dice: random.Random, others: random.Random | None, forms: random.Random) -> Crossing:
    pen = Pen(dice, Makers(merge, gate, call, headed, several, again), forms=forms)
    size = dice.choice(SIZES)
    pen.rank = len(size)
    pen.left = dice.choice((3, 4, 6, 9, 12, 16))
    if dice.random() < 0.1:
        _default(pen)
    form = entering(size, dice.choice((4, 4, 4, 3, 8)))
    head = f"INPUT {'x'.join(map(str, size))}x{form.width.shown}"
    frame = GeneratedScope(pen, Room())
    inputs = GeneratedInputs(frame, size, form, others) if others else None
    body = network(frame, form)
    line = "\n".join(inputs.lines(body)) if inputs else f"{head} -> {body.text}"
    if not inputs and dice.random() < 0.2 and frame.room.marks:
        end = frame.label()
        line = "\n".join((f"{head} -> {body.text} -> {end}: ID", *further(frame)))
        if "\n" in line:
            line += f", {end}"
    statements = list(pen.statements)
    place = len(statements) if dice.random() < 0.85 else dice.randint(0, len(statements))
    statements.insert(place, line)
    listed = ", ".join(each.declared for each in pen.parameters)
    net = f"net N({listed})\n" if listed else ""
    return Crossing(net + "\n".join(statements), *_settings(pen))


def crossings() -> st.SearchStrategy[Crossing]:
    """Draws programs through hypothesis, which knows them by their seeds alone."""
    return st.integers(0, 2**32 - 1).map(crossing)


def network(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Draws the chain of the network, the first layers plain."""
    pieces: list[Piece] = []
    dice = frame.dice
    if dice.random() < 0.75:
        pieces.append(_first(frame, form))
        form = pieces[-1].form
    while frame.pen.left > 0 and len(pieces) < 9:
        piece = chain(frame, form, 1, "free")
        pieces.append(piece)
        form = piece.form
    if dice.random() < 0.25:
        pieces += plain.ending(frame, form)
    return Piece(joined(pieces), pieces[-1].form)


def _first(frame: GeneratedScope, form: PieceShape) -> Piece:
    """Begins as most networks do: a convolution, with a label that is referred to later."""
    wide = width(frame)
    frame.spend()
    layer = plain.convolution(frame, form, wide)
    label = frame.label()
    frame.room.marks.append(NamedOutputs(label, layer.form))
    return Piece(f"{label}: {layer.text}", layer.form)


def _default(pen: Pen) -> None:
    frame = GeneratedScope(pen, Room())
    pen.statements.append(
        pen.pick(
            (
                "default CONV(bias=no)",
                f"default BN(momentum={rate(frame)})",
                f"default LEAKYRELU({rate(frame)})",
                f"default DROPOUT({rate(frame)})",
            )
        )
    )


def _settings(pen: Pen) -> tuple[ProgramSettings, tuple[ProgramSettings, ...]]:
    """Chooses the settings: none, or for each parameter its other value; and some of which nobody knows."""
    if not pen.parameters:
        return {}, ()
    second = {each.name: value_of(each.second) for each in pen.parameters}
    settings = second if pen.chance(0.6) else {}
    few = pen.dice.sample(pen.parameters, min(2, len(pen.parameters)))
    single = [{each.name: value_of(pen.pick((*each.wild, each.second)))} for each in few]
    return settings, tuple(single if settings else [second, *single])


def value_of(text: str) -> object:
    """Gives a value as Python writes it, where it can; the compiler reads texts as well."""
    if text in ("yes", "no"):
        return text == "yes"
    if text.isdigit():
        return int(text)
    return float(text) if text.replace(".", "").isdigit() else text
