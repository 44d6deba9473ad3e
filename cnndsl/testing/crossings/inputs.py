"""Inputs with names: each begins a chain, and the chains meet at the end or are outputs."""

from __future__ import annotations

import random
from dataclasses import replace

from cnndsl.testing.crossings.chains import chain
from cnndsl.testing.crossings.frames import GeneratedScope, NamedOutputs, Piece, entering
from cnndsl.testing.crossings.widths import PieceShape


class GeneratedInputs:
    """The inputs of a program: the first has the shape that the chain of the network is drawn for."""

    def __init__(self, frame: GeneratedScope, size: tuple[int, ...], form: PieceShape, dice: random.Random) -> None:
        self.frame, self.dice = frame, dice
        forms = [form]
        for _ in range(dice.choice((0, 1, 1, 1, 2))):
            other = dice.choice((size, size, tuple(2 * each for each in size), ()))
            made = entering(other, dice.choice((4, 3, 8)))
            forms.append(form if dice.random() < 0.4 else made if other else replace(made, space=None))
        self.marks = [NamedOutputs(frame.name(), each) for each in forms]
        frame.room.marks += [mark for mark in self.marks if mark.form.space == form.space]

    def lines(self, body: Piece) -> list[str]:
        """Draw the statements: the inputs, a chain for each, and what is given."""
        frame = self.frame
        volumes = ["x".join([*map(str, _extents(mark.form)), mark.form.width.shown]) for mark in self.marks]
        heads = [f"{mark.name} = INPUT {volume}" for mark, volume in zip(self.marks, volumes, strict=True)]
        names = [frame.name() for _ in self.marks]
        chains = [f"{names[0]} = @{self.marks[0].name} -> {body.text}"]
        for name, mark in zip(names[1:], self.marks[1:], strict=True):
            frame.pen.left = max(frame.pen.left, 2)
            is_map = mark.form.space == self.marks[0].form.space
            inner = replace(frame, depth=frame.depth + 1)
            text = chain(inner, mark.form, self.dice.choice((1, 2)), "free").text if is_map else "FC-4 -> RELU"
            chains.append(f"{name} = @{mark.name} -> {text}")
        if len(names) > 1 and self.dice.random() < 0.5:
            last = f"{frame.name()} = ({' + '.join(f'@{name} -> FC-4' for name in names)}) -> RELU"
            return [*heads, *chains, last]
        self.dice.shuffle(names)
        return [*heads, *chains, f"output {', '.join(names)}"]


def _extents(form: PieceShape) -> tuple[int, ...]:
    return (form.space.size or ()) if form.space else ()
