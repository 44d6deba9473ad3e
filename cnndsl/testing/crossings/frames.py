"""What is known while a program is drawn: names, their shapes, parameters, and how much is left to draw."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal, TypeAlias, TypeVar

from cnndsl.testing.crossings.labels import BLOCKS_LIKE_TYPES, formed
from cnndsl.testing.crossings.widths import Misfit, PieceShape, Space, Width, WidthValues, evaluate

T = TypeVar("T")
Mode: TypeAlias = Literal["keep", "space", "free"]
"""What an element must leave alone: the shape, the extents, nothing."""

WIDEST = 32
LABELS = "a b c d e f g h k u v x y z stem mid out low high conv1 body unit left right res torch nn".split()
BLOCKS = "B U Unit Cell Head Gate Stage Up Mix".split()
TAPS = "t s aux side early late y2 feat".split()
NUMBERS = (4, 4, 8, 8, 4, 8, 3, 6, 2, 16, 5)
"""So few that different things have equal numbers by accident."""


@dataclass(frozen=True, slots=True)
class NamedOutputs:
    """Something that a reference can name. `pool` is what entered, of a pooling that can be undone, `given` what
    entered, of a part that can be applied again."""

    name: str
    form: PieceShape
    training: bool = False
    pool: PieceShape | None = None
    given: PieceShape | None = None


@dataclass
class Room:
    """The names of a module, and what can be seen in it; a turn or a choice has one that shares its names."""

    parent: Room | None = None
    names: set[str] = field(default_factory=set[str])
    marks: list[NamedOutputs] = field(default_factory=list[NamedOutputs])
    stars: list[NamedOutputs] = field(default_factory=list[NamedOutputs])
    """The labels of repeats, each of which stands for as many outputs as there were turns."""

    def inner(self) -> Room:
        """Makes a room of the same module, whose marks end with it."""
        return Room(self, self.names)

    def starred(self) -> Iterator[NamedOutputs]:
        """Lists the stars of the module at hand."""
        room: Room | None = self
        while room is not None and room.names is self.names:
            yield from room.stars
            room = room.parent

    def visible(self) -> Iterator[NamedOutputs]:
        """Lists what can be referred to, nearest first, without what a nearer name hides."""
        room: Room | None = self
        hidden: set[str] = set()
        while room is not None:
            yield from (mark for mark in reversed(room.marks) if mark.name.split(".")[0] not in hidden)
            if room.parent is not None and room.parent.names is not room.names:
                hidden |= {mark.name.split(".")[0] for mark in room.marks} | room.names
            room = room.parent


@dataclass(frozen=True, slots=True)
class GeneratedParameter:
    """A parameter of the net: what it is for, its default, another value, others that may be refused."""

    name: str
    role: str
    default: str
    second: str
    wild: tuple[str, ...] = ()
    domain: str = ""

    @property
    def declared(self) -> str:
        """Return the parameter as `net` declares it."""
        return f"{self.name}{self.domain}={self.default}"


ROLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "width": ("n width base ch m", ("8", "4", "6", "16", "5", "10", "3")),
    "count": ("depth turns rep", ("2", "1", "3")),
    "share": ("w ratio alpha", ("0.5", "0.25", "1/2", "1", "0.75", "1/3", "2")),
    "rate": ("p drop slope", ("0.1", "0.3", "0.2", "0.5", "1/3", "1/8")),
    "flag": ("bn rich deep", ("yes", "no")),
    "kernel": ("k kk", ("3", "1", "2", "5")),
    "stride": ("s st", ("1", "2")),
    "groups": ("g gr", ("2", "1")),
    "kind": ("act nl", ("RELU", "TANH", "SILU", "LEAKYRELU", "HSWISH")),
}
"""For each role its names and its values."""


@dataclass(frozen=True, slots=True)
class GivenSetting:
    """A parameter of a block; `default` is empty where each call gives it."""

    name: str
    role: str
    default: str = ""


@dataclass(frozen=True, slots=True)
class GeneratedBlock:
    """A block as its calls see it: shapes are said in its own names, `C`, and `in` for the extents that enter.

    `around` are the labels that it reads around its call. A head begins with a reference, so that it starts a branch.
    `cost` is how many layers a call has, more or less.
    """

    name: str
    given: tuple[GivenSetting, ...]
    form: PieceShape
    marks: tuple[NamedOutputs, ...]
    around: tuple[tuple[str, str], ...]
    is_head: bool
    cost: float


@dataclass(frozen=True, slots=True)
class Makers:
    """The elements of a chain that hold chains themselves, which `chains` can therefore not import."""

    merge: Callable[[GeneratedScope, PieceShape, Mode], Piece]
    gate: Callable[[GeneratedScope, PieceShape, Mode], Piece]
    call: Callable[[GeneratedScope, PieceShape, Mode], Piece]
    headed: Callable[[GeneratedScope, PieceShape, PieceShape], str]
    several: Callable[[GeneratedScope, PieceShape, Mode], Piece]
    again: Callable[[GeneratedScope, PieceShape, Mode], Piece]


@dataclass
class Pen:
    """What a program has besides its chain, and the dice."""

    dice: random.Random
    makers: Makers
    parameters: list[GeneratedParameter] = field(default_factory=list[GeneratedParameter])
    statements: list[str] = field(default_factory=list[str])
    worlds: tuple[dict[str, Fraction | int], ...] = field(default_factory=lambda: ({}, {}))
    lets: list[str] = field(default_factory=list[str])
    blocks: list[GeneratedBlock] = field(default_factory=lambda: list[GeneratedBlock]())
    used: set[str] = field(default_factory=set[str])
    left: float = 25
    """So many layers may still be drawn."""
    forms: random.Random = field(default_factory=random.Random)
    """Dice for how labels are written, so that what they stand at is drawn as without these forms."""
    rank: int = 2

    def pick(self, among: Sequence[T]) -> T:
        """Draw one of several."""
        return self.dice.choice(among)

    def chance(self, share: float) -> bool:
        """Draw whether something happens that happens so often."""
        return self.dice.random() < share

    def name(self, among: Sequence[str], taken: set[str]) -> str:
        """Picks a name that is free, numbered where none is."""
        free = [name for name in among if name not in taken]
        if free and self.chance(0.9):
            return self.pick(free[:8] if self.chance(0.7) else free)
        number = 1
        while f"{among[0]}_{number}" in taken:
            number += 1
        return f"{among[0]}_{number}"

    def block(self) -> str:
        """Picks the name of a block: that of a layer type in other letters, now and then."""
        name = self.name(BLOCKS, self.used)
        like = [each for each in BLOCKS_LIKE_TYPES if each not in self.used]
        name = self.forms.choice(like) if like and self.forms.random() < 0.2 else name
        self.used.add(name)
        return name

    def parameter(self, role: str, hidden: Sequence[str] = ()) -> str:
        """Gives a parameter of the net for a role, an old one or a new one."""
        old = [each.name for each in self.parameters if each.role == role and each.name not in hidden]
        if old and self.chance(0.8):
            return self.pick(old)
        names, values = ROLES[role]
        name = self.name(names.split(), self.used | set(hidden))
        self.used.add(name)
        default, second = self.dice.sample(values, 2)
        wild = tuple(self.dice.sample(values, 2)) if role != "width" else (str(self.dice.randint(2, 24)), "7")
        parameter = GeneratedParameter(name, role, default, second, wild, self._domain(role, default, second))
        self.parameters.append(parameter)
        for world, value in zip(self.worlds, (default, second), strict=True):
            if role not in ("flag", "kind"):
                world[name] = Fraction(value)
        return name

    def let(self, expression: str) -> None:
        """Names a value for the whole file."""
        name = self.name(("half", "wide", "base2"), self.used)
        self.used.add(name)
        values = [evaluate(expression, world) for world in self.worlds]
        if not all(value is not None and value.denominator == 1 and 1 <= value <= WIDEST for value in values):
            return
        for world, value in zip(self.worlds, values, strict=True):
            world[name] = value or 1
        self.lets.append(name)
        self.statements.append(f"let {name} = {expression}")

    def _domain(self, role: str, default: str, second: str) -> str:
        if self.chance(0.85):
            return ""
        if role in ("width", "count"):
            return f" in 1..{self.pick((16, 24, 32))}"
        return f" in {{{', '.join(dict.fromkeys((default, second)))}}}"


@dataclass(frozen=True)
class GeneratedScope:
    """Where something is drawn: in which room, in a block or not, in a turn or not."""

    pen: Pen
    room: Room
    depth: int = 0
    entry: Width | None = None
    """What `C` is throughout a block."""
    widths: tuple[str, ...] = ()
    """Parameters of the block, and names of a table, that are numbers of channels."""
    hidden: tuple[str, ...] = ()
    """Names that are something else here than in the net."""
    others: tuple[tuple[str, str], ...] = ()
    """Parameters of the block of other roles: role and name."""
    rows: tuple[WidthValues, ...] = ({},)
    """The values of `i`, or of the names of a table, in each turn."""
    mark: str = ""
    """What a label must hold to be another in each turn, such as `{i}`; `!` where no label can."""
    training: bool = False
    times: int = 1

    @property
    def dice(self) -> random.Random:
        """Return the source of randomness."""
        return self.pen.dice

    def pick(self, among: Sequence[T]) -> T:
        """Draw one of several."""
        return self.pen.dice.choice(among)

    def chance(self, share: float) -> bool:
        """Draw whether something happens that happens so often."""
        return self.pen.dice.random() < share

    def deeper(self, room: Room | None = None) -> GeneratedScope:
        """Return the scope of what stands inside of something."""
        return replace(self, depth=self.depth + 1, room=room or self.room)

    def spend(self, layers: float = 1) -> None:
        """Count layers that were drawn, in all iterations."""
        self.pen.left -= layers * self.times

    @property
    def is_poor(self) -> bool:
        """Return whether enough was drawn."""
        return self.pen.left <= 0

    def envs(self) -> Iterator[WidthValues]:
        """Lists the values of all names, in each world and each turn."""
        for world in self.pen.worlds:
            for row in self.rows:
                yield {**world, **row} if row else world

    def values(self, width: Width) -> list[Fraction] | None:
        """Computes a width in each of them; None where it is not known."""
        values: list[Fraction] = []
        for env in self.envs():
            value = width.value(self._without(env))
            if value is None:
                return None
            values.append(value)
        return values

    def _without(self, env: WidthValues) -> WidthValues:
        return {name: value for name, value in env.items() if name not in self.hidden} if self.hidden else env

    def env(self) -> WidthValues:
        """Gives the values of names in the first world, as far as they are the same in all turns."""
        return self._without(self.pen.worlds[0])

    def is_width(self, width: Width) -> bool:
        """Tells whether layers can have so many channels, as far as that is known."""
        values = self.values(width)
        return values is None or all(each.denominator == 1 and 1 <= each <= WIDEST for each in values)

    def divides(self, number: int, width: Width) -> bool:
        """Tells whether a width is a multiple of a number wherever it is known, or by its terms."""
        if all(factor % number == 0 for _, factor in width.terms):
            return True
        values = self.values(width)
        return values is not None and all(each % number == 0 for each in values)

    def name(self) -> str:
        """Picks a name for a value and takes it. Raises Misfit where none can stand."""
        if self.mark == "!":
            raise Misfit
        name = self.pen.name(LABELS, self.room.names)
        full = name + self.mark
        self.room.names |= {name, full}
        return full

    def label(self) -> str:
        """Picks a label for a part and takes it. Raises Misfit where none can stand."""
        if self.mark == "!":
            raise Misfit
        name = self.pen.name(LABELS, self.room.names)
        self.room.names.add(name)
        return formed(self.pen.forms, name, self.mark, self.room.names)

    def marks(self) -> list[NamedOutputs]:
        """Lists what can be referred to here."""
        return [mark for mark in self.room.visible() if self.training or not mark.training]

    def parts(self) -> list[NamedOutputs]:
        """Lists the parts of the module at hand that can be applied again here."""
        room: Room | None = self.room
        found: list[NamedOutputs] = []
        while room is not None and room.names is self.room.names:
            found += [mark for mark in room.marks if mark.given is not None]
            room = room.parent
        return [mark for mark in found if self.training or not mark.training]

    def one(self, role: str) -> str:
        """Names a parameter for a role: the block's own where it has one."""
        own = [name for kind, name in self.others if kind == role]
        if own and self.chance(0.7):
            return self.pick(own)
        return self.pen.parameter(role, self.hidden)


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a program and what it gives."""

    text: str
    form: PieceShape


def entering(extents: tuple[int, ...], channels: int) -> PieceShape:
    """Gives the shape of an INPUT."""
    return PieceShape(Width.of(channels), Space("", extents))
