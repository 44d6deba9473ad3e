"""Loops that build several children of a class with a `forward`: one element of the program, in several iterations.

`each d in 6, 12, 18 [Branch(c, d)]` gives three children, and the emitted code builds them in one expression:

    self.extend([Branch(in_channels, c, d) for d in (6, 12, 18)])

Before: the children of a class, each built by itself. After: for children of a run that follow one another, the loop
that builds the same children; `init_method` decides whether to write it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Protocol, cast

from cnndsl.emit.torch.cursor import Cursor, width_term
from cnndsl.emit.torch.ir import Build, ChildLoop, CountedRange, ModuleClass, Rows, SequentialBuild
from cnndsl.emit.torch.iterations import built_names, columns, pattern_names
from cnndsl.emit.torch.names import item_of, variable
from cnndsl.emit.torch.part_queries import child_name, path_of
from cnndsl.emit.torch.patterns import pattern
from cnndsl.emit.torch.restart import Differ, Fixed, Missing
from cnndsl.emit.torch.scope import known_terms, python_value
from cnndsl.emit.torch.terms import Const, Term, Var
from cnndsl.emit.torch.trace_records import Candidate
from cnndsl.emit.torch.walk import form
from cnndsl.graph import CallPart, Graph, LayerPart, NamedPart, Part, output
from cnndsl.values import Value

FEWEST = 3
"""Minimum number of children for a loop; fewer are as easy to read one by one."""


class ChildBuilder(Protocol):
    """The interface that builds modules."""

    graph: Graph

    def module(self, parts: Sequence[Part], cursor: Cursor) -> tuple[Build | SequentialBuild, Cursor]:
        """Build a child from these parts; return it and the cursor after it."""
        ...

    def instance(
        self,
        made: ModuleClass,
        parts: Sequence[Part],
        cursor: Cursor,
        outputs: Sequence[int],
        widths: Mapping[str, Term | None],
    ) -> tuple[Build, Cursor]:
        """Build an instance of a class of the file; return it and the cursor after it."""
        ...


class BuiltChild:
    """A child built by itself: `inside` is the cursor at its input, `widths` the channels of each input."""

    __slots__ = ("candidate", "comment", "inside", "module", "widths")

    def __init__(
        self,
        candidate: Candidate,
        inside: Cursor,
        module: Build | SequentialBuild,
        comment: str,
        widths: Sequence[Term | None],
    ) -> None:
        self.candidate, self.inside, self.module = candidate, inside, module
        self.comment, self.widths = comment, widths


def child_loops(modules: ChildBuilder, cursor: Cursor, children: Sequence[BuiltChild]) -> dict[str, ChildLoop]:
    """Return the loops by the names of the children that they build; `cursor` is that of the class."""
    found: dict[str, ChildLoop] = {}
    for _, group in groupby(children, key=lambda each: _written(each, modules.graph)):
        run = list(group)
        if len(run) < FEWEST or not all(_is_plain(each, len(cursor.roots)) for each in run):
            continue
        try:
            loop = _Run(modules, cursor, run).loop()
        except (Differ, Missing, Fixed):
            continue
        found |= dict.fromkeys(loop.names, loop)
    return found


def _written(child: BuiltChild, graph: Graph) -> object:
    """Return a key that is equal for the iterations of one element: its location, what varies, its container, and what
    it is made of."""
    candidate = child.candidate
    part = candidate.parts[min(candidate.parts)]
    place: object = None
    if isinstance(part, NamedPart):
        place = id(part.template)
    elif isinstance(part, LayerPart | CallPart):
        span = part.span if isinstance(part, CallPart) else graph.nodes[part.node].span
        place = id(span.source), span.start, span.end
    return (
        place,
        tuple(name for name, _ in candidate.known.values),
        candidate.name.rpartition(".")[0],
        form(child.module),
    )


def _is_plain(child: BuiltChild, places: int) -> bool:
    """Return whether a child exists at all call sites and is applied once."""
    candidate = child.candidate
    return len(candidate.parts) == places and not candidate.further and candidate.decision is None


class _Run:
    """Children that come from one element, iteration by iteration."""

    def __init__(self, modules: ChildBuilder, cursor: Cursor, run: Sequence[BuiltChild]) -> None:
        self.modules, self.cursor, self.run = modules, cursor, run
        self.rows: list[dict[str, Value]] = [dict(each.candidate.known.values) for each in run]
        taken = {*cursor.scope.frames[0]}
        counted = [each for name in self.rows[0] for each in columns(cursor.scope.look, name, self._numbers(name))]
        for written, number, items in counted:
            for row in self.rows:
                row[written] = cast("Value", items[cast("int", row[number]) - 1])
        first = self.rows[0]
        self.varying = [name for name in first if len({str(row[name]) for row in self.rows}) > 1]
        self.targets: dict[str, str] = {}
        for name in self.varying:
            base = name.partition("[")[0]
            self.targets[name] = variable(name, taken) if base == name else item_of(base, taken)
            taken.add(self.targets[name])

    def loop(self) -> ChildLoop:
        """Return the loop. Raises Differ, Missing or Fixed if no loop builds these children."""
        inside = self._inside()
        parts = [child.candidate.parts[place] for child in self.run for place in self._places]
        module = self._module(parts, inside)
        if form(module) != form(self.run[0].module):
            raise Differ
        name = self._name(parts, inside)
        used = {*built_names(module), *pattern_names(name)}
        columns = [each for each in self.varying if self.targets[each] in used]
        comments = {child.comment for child in self.run}
        return ChildLoop(
            tuple(child.candidate.name for child in self.run),
            tuple(self.targets[each] for each in columns),
            self._over(columns),
            name,
            module,
            comments.pop() if len(comments) == 1 else "",
        )

    def _numbers(self, name: str) -> list[Value]:
        return [row[name] for row in self.rows]

    @property
    def _places(self) -> range:
        return range(len(self.cursor.roots))

    def _inside(self) -> Cursor:
        """Return the cursor at the input of a child in each iteration, at each call site."""
        cursor, first = self.cursor, self.rows[0]
        frames = tuple(
            {**cursor.scope.frames[place], **{self.targets[each]: python_value(row[each]) for each in self.varying}}
            for row in self.rows
            for place in self._places
        )
        fixed = known_terms((name, value) for name, value in first.items() if name not in self.targets)
        look = {name: Var(target, self._is_whole(name)) for name, target in self.targets.items()}
        scope = replace(
            cursor.scope.with_names({**fixed, **look}),
            frames=frames,
            places=tuple(cursor.scope.places[place] for _ in self.rows for place in self._places),
            is_loop=True,
        )
        flats = {child.inside.flat for child in self.run}
        if len(flats) > 1:
            raise Differ
        nodes = tuple(node for child in self.run for node in child.inside.nodes)
        inside = Cursor(cursor.graph, scope, cursor.roots * len(self.run), nodes, None, flats.pop())
        terms = {child.inside.term for child in self.run}
        return replace(inside, term=width_term(scope, inside.widths, terms.pop() if len(terms) == 1 else None))

    def _is_whole(self, name: str) -> bool:
        return not any(isinstance(python_value(row[name]), float) for row in self.rows)

    def _module(self, parts: Sequence[Part], inside: Cursor) -> Build | SequentialBuild:
        first = self.run[0].module
        if not isinstance(first, Build) or isinstance(first.callee, str):
            return self.modules.module(parts, inside)[0]
        rows = zip(*(child.widths for child in self.run), strict=True)
        terms = [row[0] if all(term == row[0] for term in row) else None for row in rows]
        widths = {name: term for name, term in zip(first.callee.entering, terms, strict=True) if name}
        outputs = [output(part, at) for part, at in zip(parts, inside.nodes, strict=True)]
        return self.modules.instance(first.callee, parts, inside, outputs, widths)[0]

    def _name(self, parts: Sequence[Part], inside: Cursor) -> str:
        """Return the text of an f-string for the last name of each child; empty if a list numbers them."""
        names = [
            child_name(path_of(part, self.cursor.graph), root) for part, root in zip(parts, inside.roots, strict=True)
        ]
        last = [name.rpartition(".")[2] for name in names]
        if all(name.isdigit() for name in last):
            return ""
        template = parts[0].template if isinstance(parts[0], NamedPart) and "." not in names[0] else ()
        return pattern(template, last, inside)

    def _over(self, columns: Sequence[str]) -> Rows | CountedRange:
        """Return the iterable of the loop: a range if the values form one, else the values themselves."""
        if not columns:
            return CountedRange(Const(0), Const(len(self.rows)))
        values = [[python_value(row[name]) for name in columns] for row in self.rows]
        counts = [value for value, *_ in values if isinstance(value, int) and not isinstance(value, bool)]
        if len(columns) == 1 and counts and counts == [*range(counts[0], counts[0] + len(values))]:
            return CountedRange(Const(counts[0]), Const(counts[-1] + 1))
        return Rows(tuple(tuple(Const(value) for value in row) for row in values))
