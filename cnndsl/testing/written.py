"""Modules as a program writes them, and the names of their parts: the rules of "Names of parts" in `docs/language.md`,
implemented without `cnndsl.elaborate`. `names` fills them from a source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from cnndsl.expr import evaluate
from cnndsl.expressions import Expr
from cnndsl.graph.labels import why_not
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size
from cnndsl.values import ListValue, Symbol, Value, show, show_setting

IDENTITIES = ("ID", "IDENTITY")
MERGES = {"+": "add", "|": "concat", "MUL": "mul", "SUB": "sub", "MAX": "max", "MEAN": "mean"}


class UnlikeText(Exception):
    """The layers of a graph are not those of its source."""


@dataclass(eq=False)
class TextPart:
    """A part of a module: its label, if it has one, its name otherwise, whether it is numbered, and its content: a
    node, or a module."""

    label: str
    base: str
    counted: bool = True
    node: int = -1
    module: TextModule | None = None


@dataclass(eq=False)
class TextModule:
    """A module as it is written: its parts, the values of its labels, and whether chains in it have names."""

    parent: TextModule | None = None
    parts: list[TextPart] = field(default_factory=list[TextPart])
    values: dict[str, tuple[int, TextModule | None]] = field(default_factory=dict[str, "tuple[int, TextModule | None]"])
    chains: set[str] = field(default_factory=set[str])
    labelled: dict[str, Labelled] = field(default_factory=dict[str, "Labelled"])
    in_pieces: bool = False

    def applicable(self, path: str) -> Iterator[tuple[TextModule, Labelled]]:
        """Find the part of a path in this module; for the label of a piece, also in the module around it."""
        *outer, last = path.split(".")
        module: TextModule | None = self
        for name in outer:
            module = module.values.get(name, (-1, None))[1] if module is not None else None
        if module is not None and last in module.labelled:
            yield module, module.labelled[last]
        if self.in_pieces and self.parent is not None:
            yield from self.parent.applicable(path)

    def names(self) -> list[str]:
        """Return the names of the parts, in their order."""
        labels = {part.label for part in self.parts if part.label}
        taken = labels | self.values.keys()
        if labels or self.chains:
            return _by_kind(self.parts, taken)
        others = iter(_by_kind([part for part in self.parts if not part.counted], taken))
        numbers = (str(number) for number in count() if str(number) not in taken)
        return [next(numbers) if part.counted else next(others) for part in self.parts]

    def paths(self, before: str = "") -> Iterator[tuple[int, str]]:
        """Yield each node in the module with its path."""
        for part, name in zip(self.parts, self.names(), strict=True):
            if part.module is None:
                yield part.node, before + name
            else:
                yield from part.module.paths(f"{before}{name}.")


def _by_kind(parts: Sequence[TextPart], taken: set[str]) -> list[str]:
    """Name parts by their label, a single one of its type by the type, and several by a number too."""
    several = Counter(part.base for part in parts if not part.label)
    given = taken | {bearable(base) for base in several if several[base] == 1}
    found: list[str] = []
    last: Counter[str] = Counter()
    for part in parts:
        name = part.label or bearable(part.base)
        if not part.label and (several[part.base] > 1 or name in taken):
            last[part.base] += 1
            while (name := f"{part.base}{last[part.base]}") in given:
                last[part.base] += 1
            given.add(name)
        found.append(name)
    return found


@dataclass(frozen=True)
class TextFile:
    """The blocks of a file, with the file that defines each, its values, and the names of its choices by location."""

    blocks: dict[str, tuple[ast.Block, TextFile]]
    values: dict[str, Value]
    choices: dict[int, str]


@dataclass(frozen=True)
class TextScope:
    """The names that are known at a location, and the module that contains it."""

    file: TextFile
    values: Mapping[str, Value]
    module: TextModule
    in_block: bool = False


@dataclass(frozen=True)
class Labelled:
    """The element that a label names, and its scope; `times` has the number of its applications."""

    body: ast.ChainItem
    scope: TextScope
    times: list[int]


@dataclass(frozen=True)
class GivenWord(Symbol):
    """A word that is the value of a parameter: it has the meaning of the location where it is written."""

    name: str
    scope: TextScope

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class GivenOutput(Symbol):
    """An output that is the value of a parameter: its node."""

    node: int


def bearable(base: str) -> str:
    """Add an underscore to a name that Python or PyTorch rejects, such as `in`."""
    return f"{base}_" if why_not(base) else base


def nowhere(file: TextFile) -> TextScope:
    """Return the scope of a word that a setting gives: outside all modules."""
    return TextScope(file, {}, TextModule())


def set_from_outside(value: Value, home: TextFile) -> Value:
    """Return the value of a setting: its words have the meaning that they have outside all modules."""
    if isinstance(value, ListValue):
        return ListValue(tuple(set_from_outside(each, home) for each in value.items))
    return GivenWord(show_setting(value), nowhere(home)) if isinstance(value, Symbol) else value


def rows_of(values: Sequence[Value], names: int) -> list[tuple[Value, ...]]:
    """Return the rows of a `for` with this many names: those of a single list, or the values as written."""
    only = values[0] if len(values) == 1 else None
    if isinstance(only, ListValue) and (names == 1 or all(isinstance(each, ListValue) for each in only.items)):
        values = only.items
    return [each.items if names > 1 and isinstance(each, ListValue) else (each,) for each in values]


def filled(parts: Sequence[str | Expr], scope: TextScope) -> str:
    """Fill the placeholders of a name."""
    return "".join(each if isinstance(each, str) else show(evaluate(each, scope.values)) for each in parts)


def referred(path: str, scope: TextScope) -> tuple[int, TextModule | None]:
    """Resolve a reference; the node is -1 if it is not known, as for a part without a label."""
    value = scope.values.get(path)
    if isinstance(value, GivenOutput):
        return value.node, None
    first, *rest = path.split(".")
    module: TextModule | None = scope.module
    while module is not None and first not in module.values:
        module = module.parent
    found = module.values[first] if module is not None else (0 if first == "input" else -1, None)
    for name in rest:
        found = found[1].values.get(name, (-1, None)) if found[1] is not None else (-1, None)
    return found


def choice_names(file: ast.File) -> dict[int, str]:
    """Return the names of choices without one of their own, by location: their label, or their layer."""
    nodes = list(ast.walk(file.statements))
    labels = {each.body.span.start: "".join(map(str, each.name)) for each in nodes if isinstance(each, ast.Label)}
    bases: dict[int, str] = {}
    for each in nodes:
        if isinstance(each, ast.Optional) and each.name is None:
            kind = name_and_size(each.body.head)[0].lower() if isinstance(each.body, ast.WrittenLayer) else "choice"
            bases[each.span.start] = labels.get(each.span.start, kind)
    several, used = Counter(bases.values()), Counter[str]()
    for at, base in sorted(bases.items()):
        used[base] += 1
        bases[at] = f"{base}{used[base]}" if several[base] > 1 else base
    return bases
