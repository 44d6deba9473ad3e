"""Step 5: the statements of loops that collect values in a list, and of the merges that read one.

`collecting` finds the loops. Names are bound here, as `forward_method` does for single steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from cnndsl.emit.torch.collecting import Collected
from cnndsl.emit.torch.ir import Compute
from cnndsl.emit.torch.layout import CallDoc, Display, Doc, Infix, Item, Text
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.steps import used_by
from cnndsl.emit.torch.variables import SPARE, Variables


class LoopStatements:
    """The statements of one loop. After those in `opening`, it is known which values end with the loop."""

    def __init__(self, names: Variables, found: Collected) -> None:
        self.names, self.found = names, found
        self.first = found.calls[0]
        word = _word(names.hints, found)
        self.module = module_name(names, self.first.child)
        self.list = names.wished("features" if found.merges else _plural(word))
        self.opening = [self._opened()]
        self.item = "" if len(self.first.outputs) == 1 else names.wished(word)
        for step in found.steps:
            names.left.subtract(used_by(step))
        self.position = -1 if found.carried is None else found.carried[0]
        self.same = [value for at, value in enumerate(self.first.inputs) if at != self.position]
        self.needed = [*found.values, *self.same]
        names.pinned.update(self.needed)
        self.carried = "" if found.carried is None else self._entered(self.first.inputs[self.position])

    def _opened(self) -> PythonStatement:
        docs = [Item(Text(_name(self.names, value))) for value in self.found.before]
        self.names.lists[self.list] = self.found.values
        if docs:
            return Line(f"{self.list} = ", Display("[]", tuple(docs)))
        return Line(f"{self.list}: list[Tensor] = ", Text("[]"))

    def _entered(self, value: int) -> str:
        """Return the name for the value that each call carries to the next: that of the first input, if possible."""
        of_list = -1 if value in self.same else self.found.reads * self.found.before.count(value)
        return entered(self.names, self.opening, value, of_list)

    def loop(self, over: str) -> PythonStatement:
        """Return the loop over the modules that `over` gives."""
        names, found = self.names, self.found
        inputs = [_name(names, value) for value in self.same]
        if found.carried is not None:
            inputs.insert(self.position, self.carried)
        body = tuple(self._body(CallDoc(self.module, tuple(Item(Text(name)) for name in inputs))))
        self._bind()
        return Suite(f"for {self.module} in ", Text(over), body)

    def _body(self, called: Doc) -> Iterator[PythonStatement]:
        append = f"{self.list}.append"
        if self.found.carried is None and not self.item:
            yield Line("", CallDoc(append, (Item(called),)))
            return
        targets = ["_"] * len(self.first.outputs)
        if self.found.carried is not None and not self.found.merges:
            targets[self.found.carried[1]] = self.carried
        if self.found.merges:
            targets = [self.carried]
        elif targets[self.found.at] == "_":
            targets[self.found.at] = self.item
        yield Line(f"{', '.join(targets)} = ", called)
        yield Line("", CallDoc(append, (Item(Text(targets[self.found.at])),)))
        if self.found.merges:
            yield Line(f"{self.carried} = ", CallDoc("torch.cat", (Item(Text(self.list)), Item(Text("1")))))

    def _bind(self) -> None:
        """Record which values the names hold after the loop."""
        names, found, last = self.names, self.found, self.found.calls[-1]
        names.pinned.subtract(self.needed)
        if self.item and (found.carried is None or found.carried[1] != found.at):
            names.bind(last.outputs[found.at], self.item)
        if found.carried is not None:
            end = found.merges[-1].output if found.merges else last.outputs[found.carried[1]]
            names.bind(end, self.carried)


def entered(names: Variables, opening: list[PythonStatement], value: int, of_list: int) -> str:
    """Return the name for the value that each call of a loop carries to the next: that of the first input if only
    `of_list` reads of it remain, those of a list that holds it; else a new name."""
    held = _name(names, value)
    name = held
    if held not in SPARE or names.left[value] != of_list:
        name = next((each for each in SPARE if not names.is_taken(each)), "") or names.wished("y")
        opening.append(Line(f"{name} = ", Text(held)))
    names.reserve(name)
    return name


def joined(names: Variables, step: Compute, operands: Sequence[Doc]) -> Doc | None:
    """Return the concatenation of operands, some of which form a list; None if none do, and for other merges."""
    if step.operation != "concat":
        return None
    pieces: list[Doc] = []
    single: list[Doc] = []
    at = 0
    while at < len(step.inputs):
        found = _list_at(names, step.inputs, at)
        if not found:
            single.append(operands[at])
            at += 1
            continue
        pieces += [*([Display("[]", tuple(map(Item, single)))] if single else []), Text(found)]
        single = []
        at += len(names.lists[found])
    if not pieces:
        return None
    pieces += [Display("[]", tuple(map(Item, single)))] if single else []
    whole = pieces[0] if len(pieces) == 1 else Infix("+", tuple(pieces))
    return CallDoc("torch.cat", (Item(whole), Item(Text("1"))))


def has_list(names: Variables, step: Compute) -> bool:
    """Return whether a merge reads a list."""
    return any(_list_at(names, step.inputs, at) for at in range(len(step.inputs)))


def summed(names: Variables, step: Compute, is_in_place: bool) -> list[PythonStatement]:
    """Return the statements of a sum, some of whose operands form a list: one after the other, into one tensor.

    If the first operand must not be overwritten, the first two are added to a new tensor. If the list's length is an
    argument, its first item cannot be taken out; then all sums are new tensors.
    """
    target = step.inputs[0]
    heads = step.inputs[: 1 if is_in_place else 2]
    docs = [Text(_name(names, value)) for value in heads]
    rest = _rest(names, step.inputs, len(heads))
    is_open = heads[-1] in names.open
    names.left.subtract(heads)
    ended = [value for value in heads if not names.is_alive(value)]
    statements: list[PythonStatement] = []
    name = docs[0].text
    if is_open:
        name = names.target(step.output, ended)
        statements += [Line(f"{name} = ", docs[0])] if name != docs[0].text else []
        listed = _list_at(names, step.inputs, 1)
        item = _item(names, listed)
        total = Line(f"{name} = ", Infix("+", (Text(name), Text(item))))
        statements.append(Suite(f"for {item} in ", Text(listed), (total,)))
    elif not is_in_place or "[" in name:
        name = names.target(step.output, ended)
        statements.append(Line(f"{name} = ", docs[0] if is_in_place else Infix("+", tuple(docs))))
    names.reserve(name)
    for operand, item, values in rest:
        statements.append(_added(names, name, operand, item))
        names.left.subtract(values)
    names.bind(step.output, name, over=target if is_in_place else None)
    return statements


def _rest(names: Variables, inputs: Sequence[int], at: int) -> list[tuple[str, str, Sequence[int]]]:
    """Return the operands from a position on: the name of each, or for a list the text and the name of its items; and
    the values."""
    found: list[tuple[str, str, Sequence[int]]] = []
    while at < len(inputs):
        start = at - next((back for back in range(at + 1) if _list_at(names, inputs, at - back)), 0)
        listed = _list_at(names, inputs, start)
        if not listed or start + len(names.lists[listed]) <= at:
            found.append((_name(names, inputs[at]), "", inputs[at : at + 1]))
            at += 1
            continue
        skipped, end = at - start, start + len(names.lists[listed])
        found.append((f"{listed}[{skipped}:]" if skipped else listed, _single(listed), inputs[at:end]))
        at = end
    return found


def _added(names: Variables, name: str, operand: str, item: str) -> PythonStatement:
    if not item:
        return Line(f"{name} += ", Text(operand))
    item = _item(names, operand.partition("[")[0])
    return Suite(f"for {item} in ", Text(operand), (Line(f"{name} += ", Text(item)),))


def _item(names: Variables, listed: str) -> str:
    """Return the name for the items in a loop over a list; after the loop, it holds the last item."""
    item, values = _single(listed), names.lists[listed]
    if item in SPARE:
        item = next((each for each in SPARE if not names.is_taken(each)), "item")
    if names.holds.get(item) not in values and (names.is_taken(item) or item in {*names.lists, *names.loops}):
        item = names.wished(item)
    names.holds[item] = values[-1]
    return item


def _list_at(names: Variables, inputs: Sequence[int], at: int) -> str:
    """Return the name of the list whose values all start at a position of the inputs; empty if there is none."""
    for name, values in names.lists.items():
        if values and inputs[at] == values[0] and tuple(inputs[at : at + len(values)]) == values:
            return name
    return ""


def _name(names: Variables, value: int) -> str:
    name = names.name(value)
    assert name is not None, "a value is read before it is made"
    return name


def module_name(names: Variables, child: str) -> str:
    """Return the name of a loop's module: that of the children without their numbers, else that of their container."""
    container, _, last = child.rpartition(".")
    words = (_unnumbered(last), _unnumbered(container.rpartition(".")[2]).removesuffix("s"), "layer")
    word = next(each for each in words if len(each) > 1 and each.isidentifier())
    name = word if word in names.loops else names.wished(word)
    names.loops.add(name)
    return name


def _unnumbered(name: str) -> str:
    return re.sub(r"_?[0-9]+$", "", name)


def _word(hints: Mapping[int, str], found: Collected) -> str:
    """Return the name of the collected values, if all have the same one."""
    words = {hints.get(call.outputs[found.at], "") for call in found.calls}
    word = re.sub(r"\W", "_", words.pop()) if len(words) == 1 else ""
    return word if word.isidentifier() and word not in SPARE else "output"


def _plural(word: str) -> str:
    return f"{word}_list" if word.endswith(("s", "x", "z", "y", "h", "_")) else f"{word}s"


def _single(listed: str) -> str:
    """Return the name for an item of a list.

    >>> _single("skips"), _single("mix_list"), _single("skips2")
    ('skip', 'mix', 'skip')
    """
    word = listed.rstrip("0123456789")
    return word.removesuffix("_list") if word.endswith("_list") else word.removesuffix("s")
