"""Labels that are written once and occur in several iterations, `unit{i}: (…)`: one class for all of them.

If a repeat is written out, each iteration has a label of its own. The parts of these labels differ only in the values
of the names of the repeat; so these are the arguments of the class that all of them share, like the parameters of a
block.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cnndsl.emit.torch.names import variable
from cnndsl.emit.torch.part_queries import is_further
from cnndsl.emit.torch.restart import Differ
from cnndsl.emit.torch.scope import Scope, python_value
from cnndsl.emit.torch.terms import Env, Term, Var
from cnndsl.emit.torch.trace import trace
from cnndsl.emit.torch.trace_records import Callees, Traced
from cnndsl.expressions import Expr
from cnndsl.graph import CallPart, Graph, LoopPart, NamedPart, Part, entered
from cnndsl.records import record
from cnndsl.values import Value

_Values = tuple[tuple[str, Value], ...]


@record(slots=True)
class Sibling:
    """A label in one iteration: the node that enters it, and the values of the names of the repeats around it."""

    part: NamedPart
    entry: int
    values: _Values


@record(slots=True)
class SiblingPlan:
    """The plan of a class for all iterations: the labels, the `forward` of all, and the values of the names around each
    label. `look` maps these names to Python terms, `repeats` are those that are names of the repeats."""

    siblings: tuple[Sibling, ...]
    traced: Traced
    frames: tuple[Env, ...]
    look: Mapping[str, Term]
    repeats: frozenset[str]


class Siblings:
    """The labels with placeholders of one graph, grouped by location: `unit{i}` at one location in the source."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._written: dict[int, list[Sibling]] | None = None

    def rows(self, label: NamedPart, roots: Sequence[str]) -> list[list[Sibling]]:
        """Return a label in all iterations, for each call site of the class around it."""
        return [self._within(label.template, root) for root in roots]

    def plan(self, callees: Callees, rows: Sequence[Sequence[Sibling]], around: Scope) -> SiblingPlan | None:
        """Return the plan of a class for a label in all iterations; None if there is only one iteration, or if the
        inputs or results of one differ. `around` are the names of the class around it."""
        turns = len(rows[0])
        found = [sibling for row in rows for sibling in row]
        names = [name for name, _ in found[0].values] if found else []
        if turns < 2 or any(len(row) != turns for row in rows):
            return None
        if any([name for name, _ in sibling.values] != names for sibling in found):
            return None
        try:
            paths, parts = [each.part.path for each in found], [each.part.part for each in found]
            traced = trace(callees, paths, parts, [each.entry for each in found], False)
            for at in range(turns):
                turn = found[at::turns]
                border = callees.border_of([each.part for each in turn], [each.entry for each in turn])
                if border.traced is None or not is_border(traced, border.traced, range(at, len(found), turns)):
                    return None
        except Differ:
            return None
        frames: list[dict[str, object]] = [dict(around.frames[at]) for at, row in enumerate(rows) for _ in row]
        look, repeats = dict(around.look), set(around.repeats)
        for name in dict.fromkeys(names):
            values = [python_value(dict(each.values)[name]) for each in found]
            known = look.get(name)
            if isinstance(known, Var) and [env.get(known.name) for env in frames] == values:
                continue  # a repeat around the class itself
            target = variable(name, {*frames[0]})
            repeats.add(target)
            look[name] = Var(target, not any(isinstance(value, float) for value in values))
            for env, value in zip(frames, values, strict=True):
                env[target] = value
        return SiblingPlan(tuple(found), traced, tuple(frames), look, frozenset(repeats))

    def _within(self, template: tuple[str | Expr, ...], root: str) -> list[Sibling]:
        """Return the iterations of a label inside a module."""
        if self._written is None:
            self._written = {}
            for sibling in _labels(self.graph):
                self._written.setdefault(id(sibling.part.template), []).append(sibling)
        found = self._written.get(id(template), [])
        return [each for each in found if not root or each.part.path.startswith(f"{root}.")]


def _labels(graph: Graph) -> Iterator[Sibling]:
    """Yield all labels with placeholders on parts of several layers, each with the names known around it."""
    stack: list[tuple[Part, int, _Values]] = [(graph.tree, 0, ())]
    while stack:
        part, entry, values = stack.pop()
        if isinstance(part, NamedPart) and part.is_module and _has_hole(part) and not is_further(part, graph):
            yield Sibling(part, entry, values)
        if isinstance(part, CallPart):
            values = ()
        inner = list(entered(part, entry))
        if isinstance(part, LoopPart):
            is_known = len(part.rows) == len(part.turns)
            rows = [(*values, *zip(part.names, row, strict=True)) if is_known else values for row in part.rows]
            stack += [(each, at, row) for (each, at), row in zip(inner, rows, strict=False)][::-1]
        else:
            stack += [(each, at, values) for each, at in inner][::-1]


def _has_hole(label: NamedPart) -> bool:
    return not all(isinstance(piece, str) for piece in label.template)


def is_border(whole: Traced, one: Traced, at: Sequence[int]) -> bool:
    """Return whether a class takes and gives the same at some of its call sites as one of these alone."""
    if (whole.forward.main, len(whole.forward.training)) != (one.forward.main, len(one.forward.training)):
        return False
    for several, wanted in (
        (whole.forward.inputs, one.forward.inputs),
        (whole.forward.results, one.forward.results),
    ):
        if len(several) != len(wanted):
            return False
        for value, other in zip(several, wanted, strict=True):
            keys = whole.forward.values[value].keys
            if [keys[place] for place in at] != [*one.forward.values[other].keys]:
                return False
    return True
