"""Step 5: the statements of a `forward` with lists: one assignment per loop; the last list is returned."""

from __future__ import annotations

from collections.abc import Sequence

from cnndsl.emit.torch.child_calls import Calls
from cnndsl.emit.torch.collecting import ListCalls
from cnndsl.emit.torch.ir import ModuleClass
from cnndsl.emit.torch.layout import CallDoc, Comprehension, Display, Doc, Infix, Item, Text, flat
from cnndsl.emit.torch.list_records import InnerLoop, ItemCall, ListExpression, ListForward, ListItem, ListLoop
from cnndsl.emit.torch.loop_statements import module_name
from cnndsl.emit.torch.merges import expression
from cnndsl.emit.torch.names import numbered
from cnndsl.emit.torch.rerolling import NAMES
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.variables import Variables

LIST = "list[Tensor]"
"""The type of the argument and of the result of such a `forward`."""
_INDICES = ("i", "j")


def list_forward(lists: ListForward) -> tuple[tuple[str, ...], str, tuple[Line, ...]]:
    """Return a `forward` with lists: its argument with the type, the return annotation, its body."""
    leads = [*(f"{name} = " for name in lists.names[1:]), "return "]
    loops = zip(leads, lists.loops, strict=True)
    body = tuple(Line(lead, _LoopText(lists.names, loop).written()) for lead, loop in loops)
    return (f"{lists.names[0]}: {LIST}",), LIST, body


class ListStatements:
    """The statements of calls that take and give a list. `operands` are the inputs of the first call."""

    def __init__(self, names: Variables, found: ListCalls) -> None:
        self.names, self.found = names, found
        self.inputs = found.calls[0].inputs

    def written(self, operands: Sequence[Doc], calls: Calls) -> list[PythonStatement]:
        """Return the statements; each value is then an item of the list."""
        names, first, last = self.names, self.found.calls[0], self.found.calls[-1]
        given = self._given(operands)
        lists = [(name, names.lists[name]) for name in NAMES if name in names.lists]
        ended = next((name for name, held in lists if not any(map(names.is_alive, held))), "")
        target = ended or names.wished(NAMES[0])
        statements: list[PythonStatement] = []
        if first is last:
            statements.append(Line(f"{target} = ", CallDoc(calls.text(first.child), (Item(given),))))
        else:
            if flat(given) != target:
                statements.append(Line(f"{target} = ", given))
            module = module_name(names, first.child)
            called = Line(f"{target} = ", CallDoc(module, (Item(Text(target)),)))
            statements.append(Suite(f"for {module} in ", Text(calls.over(first.child)), (called,)))
            for call in self.found.calls[1:]:
                names.left.subtract(call.inputs)
        names.lists[target] = last.outputs
        return statements

    def _given(self, operands: Sequence[Doc]) -> Doc:
        """Return the list for the first module: an existing one, one with more values appended, or a new one."""
        for name, held in self.names.lists.items():
            if held and held == self.inputs[: len(held)]:
                more = tuple(map(Item, operands[len(held) :]))
                return Infix("+", (Text(name), Display("[]", more))) if more else Text(name)
        return Display("[]", tuple(map(Item, operands)))


def adds_up(cls: ModuleClass) -> bool:
    """Return whether the `forward` of a class calls `total`."""
    lists = None if cls.forward is None else cls.forward.lists
    loops = [each for loop in (() if lists is None else lists.loops) for each in _inner_loops(loop.element)]
    return any(each.operation == "sum" for each in loops)


class _LoopText:
    """The text of one loop. `items` maps containers to the loop variables for their modules."""

    def __init__(self, names: Sequence[str], loop: ListLoop) -> None:
        self.names, self.loop = names, loop
        self.items: dict[str, str] = {}
        self.rows: dict[str, str] = {}

    def written(self) -> Doc:
        """Return the loop as a comprehension."""
        rows = {each.row for each in _inner_loops(self.loop.element)}
        for name in self.loop.containers:
            held = self.rows if name in rows else self.items
            held[name] = self._new("row" if name in rows else single(name))
        targets = [self.rows.get(name) or self.items[name] for name in self.loop.containers]
        element = self._expression(self.loop.element)
        return Comprehension(element, self._clause(targets, [f"self.{name}" for name in self.loop.containers], 0))

    def _clause(self, targets: Sequence[str], over: Sequence[str], depth: int) -> str:
        """Return the `for` clause: `for i, branch in enumerate(self.branches)`."""
        target, walked = ", ".join(targets), over[0] if len(over) == 1 else f"zip({', '.join(over)})"
        if not any(each == depth for each in _counted(self.loop.element)):
            return f"for {target} in {walked}"
        target = target if len(targets) == 1 else f"({target})"
        return f"for {_INDICES[depth]}, {target} in enumerate({walked})"

    def _expression(self, found: ListExpression) -> Doc:
        if isinstance(found, ListItem):
            return Text(f"{self.names[found.listed]}[{_INDICES[found.depth]}]")
        if isinstance(found, ItemCall):
            called = f"self.{found.child}" if found.depth < 0 else self.items[found.child]
            return CallDoc(called, (Item(self._expression(found.operand)),))
        if isinstance(found, InnerLoop):
            return self._inner(found)
        return expression(found.template, [self._expression(each) for each in found.operands])

    def _inner(self, found: InnerLoop) -> Doc:
        self.items[found.row] = self._new(single(found.row))
        element = self._expression(found.element)
        listed = Comprehension(element, self._clause([self.items[found.row]], [self.rows[found.row]], 1))
        if found.operation == "sum":
            return CallDoc("total", (Item(listed),))
        return CallDoc("torch.cat", (Item(listed), Item(Text("1"))))

    def _new(self, wish: str) -> str:
        return numbered(wish, {*self.names, "total", *_INDICES, *self.items.values(), *self.rows.values()})


def _inner_loops(found: ListExpression) -> Sequence[InnerLoop]:
    if isinstance(found, InnerLoop):
        return [found, *_inner_loops(found.element)]
    if isinstance(found, ListItem):
        return []
    inside = [found.operand] if isinstance(found, ItemCall) else found.operands
    return [each for one in inside for each in _inner_loops(one)]


def _counted(found: ListExpression) -> Sequence[int]:
    """Return the loops whose indices an expression reads, by their depths."""
    if isinstance(found, ListItem):
        return [found.depth]
    if isinstance(found, InnerLoop):
        return _counted(found.element)
    inside = [found.operand] if isinstance(found, ItemCall) else found.operands
    return [each for one in inside for each in _counted(one)]


def single(container: str) -> str:
    """Return the name for a module of a container.

    >>> single("branches"), single("fuse_layers"), single("convs"), single("mix"), single("access")
    ('branch', 'fuse_layer', 'conv', 'mix', 'access')
    """
    for ending, length in (("ches", 2), ("shes", 2), ("xes", 2), ("sses", 2), ("ss", 0), ("s", 1)):
        if container.endswith(ending):
            return container[: len(container) - length]
    return container
