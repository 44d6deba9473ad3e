"""Step 4: the statements of an `__init__`.

Before: a `ModuleClass`. After: the statements that build its children, in the order in which they are registered. A
chain is one call of `nn.Sequential` if possible; otherwise it is filled module by module.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from cnndsl.emit.torch import collecting
from cnndsl.emit.torch.containers import container_of, in_containers, target
from cnndsl.emit.torch.ir import (
    Assign,
    Build,
    Child,
    ChildLoop,
    ChildName,
    ConditionalItem,
    CountedRange,
    Element,
    Guard,
    LoopItem,
    ModuleClass,
    Rows,
    SequentialBuild,
    SequentialItem,
)
from cnndsl.emit.torch.layout import CallDoc, Comprehension, Display, Doc, Infix, Text, flat, without_comments
from cnndsl.emit.torch.layout import Item as Entry
from cnndsl.emit.torch.statements import Line, PythonStatement, Suite
from cnndsl.emit.torch.terms import Const, Op, Term, literal, negated, text

_LONGEST = 70
"""Maximum length of a loop clause inside an expression; a longer one becomes a statement."""
NameOf = Callable[[ModuleClass], str]
"""Returns the name of a class of the file."""
StandIn = Callable[[ModuleClass], ModuleClass]
"""Returns the class of the file that replaces a class."""


class Constructor:
    """Writes the `__init__` of one class."""

    def __init__(self, cls: ModuleClass, name_of: NameOf, stand_in: StandIn) -> None:
        self.cls, self.name_of, self.stand_in = cls, name_of, stand_in
        self.taken = {parameter.name for parameter in cls.parameters}

    def statements(self) -> list[PythonStatement]:
        """Return the body of `__init__`."""
        guards = [guarded(guard) for guard in self.cls.guards]
        if self.cls.chain is not None:
            items = self._arguments(self.cls.chain)
            if items is not None:
                return [*guards, Line("", CallDoc("super().__init__", items))]
            return [*guards, Line("", CallDoc("super().__init__")), *self._filled(self.cls.chain.items, "self")]
        flags = [Line(f"self.{flag.name} = ", condition(flag.test)) for flag in self.cls.flags]
        return [*guards, Line("", CallDoc("super().__init__")), *flags, *self._children()]

    def _children(self) -> list[PythonStatement]:
        statements: list[PythonStatement] = []
        for held, group in groupby(in_containers(self.cls.children, self.cls.containers), key=container_of):
            children = list(group)
            listed = self._listed(held, children) if held else None
            statements += self._opened(children) if listed is None else [listed]
        return statements

    def _opened(self, children: Sequence[Child]) -> list[PythonStatement]:
        """Return the statements for children one by one, with each container before its first child."""
        statements: list[PythonStatement] = []
        opened: set[str] = set()
        for test, group in groupby(children, key=lambda child: child.test):
            same = list(group)
            if test is not None:
                statements += [line for child in same for line in self._containers(child, opened)]
                statements += self._optional(test, same)
                continue
            for child, loop in self._looped(same, children):
                statements += self._containers(child, opened)
                statements += self._child(child) if loop is None else self._run(loop)
        return statements

    def _looped(self, children: Sequence[Child], around: Sequence[Child]) -> list[tuple[Child, ChildLoop | None]]:
        """Return children one by one, with a loop for those in a numbered list, or for all children together."""
        found: list[tuple[Child, ChildLoop | None]] = []
        at = 0
        while at < len(children):
            child, loop = children[at], children[at].loop
            names = [each.name for each in children[at : at + len(loop.names)]] if loop else []
            if loop is None or names != [*loop.names] or not (self._counts(child.name) or self._is_all(loop, around)):
                found.append((child, None))
                at += 1
                continue
            found.append((child, loop))
            at += len(names)
        return found

    def _counts(self, name: str) -> bool:
        """Return whether a list numbers the children next to this one."""
        held = name.rpartition(".")[0]
        return self.cls.containers[held] if held else self.cls.is_listed

    @staticmethod
    def _is_all(loop: ChildLoop, around: Sequence[Child]) -> bool:
        """Return whether a loop builds all children of a module, enough for `forward` to loop over them."""
        return bool(loop.pattern) and len(loop.names) == len(around) >= collecting.FEWEST

    def _run(self, loop: ChildLoop) -> list[PythonStatement]:
        """Return the statements for children that a loop builds."""
        held = loop.names[0].rpartition(".")[0]
        target = self._target(held) if held else "self"
        made = self._made_by(loop)
        if made is not None and not loop.pattern:
            return [Line("", CallDoc(f"{target}.extend", (Entry(made),)), loop.comment)]
        name = ChildName(loop.pattern, bool(loop.pattern))
        body = self._put(Element(name, loop.module, loop.comment), target)
        return [Suite(f"for {', '.join(loop.targets) or '_'} in ", _walked(loop.over), tuple(body))]

    def _made_by(self, loop: ChildLoop) -> Doc | None:
        """Return the children of a loop as a comprehension; None if its clause is too long for a line."""
        doc = self._expression(loop.module)
        clause = f"for {', '.join(loop.targets) or '_'} in {flat(_walked(loop.over))}"
        return None if doc is None or len(clause) > _LONGEST else Comprehension(_bare(doc), clause)

    def _containers(self, child: Child, opened: set[str]) -> list[PythonStatement]:
        """Return the containers around a child that do not exist yet, the outermost first."""
        statements: list[PythonStatement] = []
        for path, is_list in self.cls.containers.items():
            if child.name.startswith(f"{path}.") and path not in opened:
                opened.add(path)
                statements += self._added(path, CallDoc("nn.ModuleList" if is_list else "nn.ModuleDict"), "")
        return statements

    def _listed(self, held: str, children: Sequence[Child]) -> PythonStatement | None:
        """Return `self.convs = nn.ModuleList([…])`; None if a child takes several statements."""
        entries = self._entries(held, children)
        if entries is None:
            return None
        texts = {(entry.lead, flat(entry.doc), entry.comment) for entry in entries}
        comment = entries[0].comment if len(texts) == 1 else ""
        return Line(f"{self._target(held)} = ", self._container(held, entries), comment)

    def _container(self, path: str, entries: Sequence[Entry]) -> Doc:
        """Return a container of modules; if it holds only one, that module's comment moves to the container."""
        if len(entries) == 1:
            entries = [Entry(entries[0].doc, entries[0].lead.strip("*"))]
        if not self.cls.containers[path]:
            return CallDoc("nn.ModuleDict", (Entry(Display("{}", tuple(entries))),))
        listed: Doc = Display("[]", tuple(entries))
        if len({(flat(entry.doc), entry.comment) for entry in entries}) == 1 < len(entries):
            listed = Comprehension(_bare(entries[0].doc), f"for _ in range({len(entries)})")
        elif len(entries) == 1 and isinstance(entries[0].doc, Comprehension):
            listed = entries[0].doc
        return CallDoc("nn.ModuleList", (Entry(listed),))

    def _entries(self, path: str, children: Sequence[Child]) -> list[Entry] | None:
        """Return the entries of a container; None if a child takes several statements."""
        entries: list[Entry] = []
        for is_deeper, group in groupby(children, key=lambda child: path.count(".") + 1 < child.name.count(".")):
            run = list(group)
            found = self._deeper(path, run) if is_deeper else self._direct(path, run, children)
            if found is None:
                return None
            entries += found
        return entries

    def _direct(self, path: str, run: Sequence[Child], around: Sequence[Child]) -> list[Entry] | None:
        """Return children in the container itself; None for long or looped ones in an `nn.ModuleDict`."""
        is_list = self.cls.containers[path]
        entries: list[Entry] = []
        for child, loop in self._looped(run, around):
            doc = self._expression(child.module) if loop is None else self._made_by(loop)
            if doc is None or child.test is not None or not (is_list or (loop is None and len(flat(doc)) <= _LONGEST)):
                return None
            entries.append(Entry(doc, "*" if loop is not None else self._key(child.name), (loop or child).comment))
        return entries

    def _deeper(self, path: str, run: Sequence[Child]) -> list[Entry] | None:
        """Return containers in a container, without comments."""
        entries: list[Entry] = []
        for held, group in groupby(run, key=lambda child: ".".join(child.name.split(".")[: path.count(".") + 2])):
            inside = self._entries(held, list(group))
            if inside is None:
                return None
            bare = [Entry(without_comments(entry.doc), entry.lead) for entry in inside]
            entries.append(Entry(self._container(held, bare), self._key(held)))
        return entries

    def _key(self, name: str) -> str:
        """Return the key before a module in its container."""
        held, _, last = name.rpartition(".")
        return "" if self.cls.containers[held] else f"{literal(last)}: "

    def _optional(self, test: Term, children: Sequence[Child]) -> list[PythonStatement]:
        """Return statements that add identities and replace them if the test holds."""
        absent = [line for child in children for line in self._added(child.name, CallDoc("nn.Identity"), "")]
        present = [
            line for child in children for line in self._assigned(child.module, self._target(child.name), child.comment)
        ]
        return [*absent, Suite("if ", self._test(test), tuple(present))]

    def _test(self, test: Term) -> Doc:
        """Return a test, as the flag that has its value if there is one."""
        for flag in self.cls.flags:
            if test in (flag.test, negated(flag.test)):
                return Text(f"{'' if test == flag.test else 'not '}self.{flag.name}")
        return condition(test)

    def _child(self, child: Child) -> list[PythonStatement]:
        doc = self._expression(child.module)
        if doc is not None:
            return self._added(child.name, doc, child.comment)
        assert isinstance(child.module, SequentialBuild)
        empty = self._added(child.name, CallDoc(_holder(child.module)), child.comment)
        return [*empty, *self._filled(child.module.items, self._target(child.name))]

    def _added(self, name: str, doc: Doc, comment: str) -> list[PythonStatement]:
        """Return the statement for a new child."""
        held = name.rpartition(".")[0]
        if self.cls.containers[held] if held else self.cls.is_listed:
            return [Line("", CallDoc(f"{self._target(held) if held else 'self'}.append", (Entry(doc),)), comment)]
        return [Line(f"{self._target(name)} = ", doc, comment)]

    def _target(self, name: str) -> str:
        return target(self.cls, name)

    # Chains

    def _assigned(self, module: Build | SequentialBuild, target: str, comment: str) -> list[PythonStatement]:
        doc = self._expression(module)
        if doc is not None:
            return [Line(f"{target} = ", doc, comment)]
        assert isinstance(module, SequentialBuild)
        return [Line(f"{target} = ", CallDoc(_holder(module)), comment), *self._filled(module.items, target)]

    def _expression(self, module: Build | SequentialBuild) -> Doc | None:
        """Return a module as one expression; None if it takes several statements."""
        if isinstance(module, Build):
            return self._built(module)
        items = self._arguments(module)
        if items is None or not module.is_list:
            return None if items is None else CallDoc("nn.Sequential", items)
        only = items[0].doc if len(items) == 1 else None
        listed = only if isinstance(only, Comprehension) else Display("[]", items)
        return CallDoc(_holder(module), (Entry(listed),))

    def _built(self, build: Build) -> CallDoc:
        head, renamed = build.callee, dict[str, str]()
        if not isinstance(head, str):
            found = self.stand_in(head)
            pairs = zip(head.parameters, found.parameters, strict=True)
            head, renamed = self.name_of(found), {own.name: other.name for own, other in pairs}
        leads = [f"{renamed.get(each.keyword, each.keyword)}=" if each.keyword else "" for each in build.arguments]
        items = [Entry(Text(text(each.term)), lead) for each, lead in zip(build.arguments, leads, strict=True)]
        return _parameter(head, items) if build.is_parameter else CallDoc(head, tuple(items))

    def _arguments(self, chain: SequentialBuild) -> tuple[Entry, ...] | None:
        """Return the modules of a chain as arguments; None if they have names or need statements."""
        items: list[Entry] = []
        for each in chain.items:
            item = self._argument(each)
            if item is None:
                return None
            items.append(item)
        if len(items) < 3 and not any(len(flat(item.doc)) > 70 for item in items):
            return tuple(Entry(item.doc, item.lead) for item in items)
        return tuple(items)

    def _argument(self, item: SequentialItem) -> Entry | None:
        if isinstance(item, Element):
            doc = self._expression(item.module)
            return None if doc is None or item.name.text else Entry(doc, comment=item.comment)
        if isinstance(item, ConditionalItem) or item.before or item.after or len(item.items) != 1:
            return None
        only = item.items[0]
        if not isinstance(only, Element) or only.name.text or (doc := self._expression(only.module)) is None:
            return None
        clause = f"for {', '.join(item.targets) or '_'} in {flat(_walked(item.over))}"
        if len(clause) > _LONGEST:
            return None
        return Entry(Comprehension(_bare(doc), clause), "*", only.comment)

    def _filled(self, items: Iterable[SequentialItem], target: str) -> list[PythonStatement]:
        """Return statements that add the modules one by one to the `nn.Sequential` called `target`."""
        result: list[PythonStatement] = []
        for item in items:
            if isinstance(item, Element):
                result += self._put(item, target)
            elif isinstance(item, ConditionalItem):
                chosen, other = self._filled(item.items, target), self._filled(item.otherwise, target)
                result.append(Suite("if ", self._test(item.test), tuple(chosen), tuple(other)))
            else:
                result += self._loop(item, target)
        return result

    def _loop(self, loop: LoopItem, target: str) -> list[PythonStatement]:
        argument = self._argument(loop)
        if argument is not None:
            return [Line("", CallDoc(f"{target}.extend", (Entry(argument.doc),)), argument.comment)]
        before = [_counted(loop.before)] if loop.before else []
        inside = self._filled(loop.items, target) + ([_counted(loop.after)] if loop.after else [])
        return [*before, Suite(f"for {', '.join(loop.targets) or '_'} in ", _walked(loop.over), tuple(inside))]

    def _put(self, element: Element, target: str) -> list[PythonStatement]:
        name = element.name
        if not name.is_pattern and name.text.isidentifier():
            return self._assigned(element.module, f"{target}.{name.text}", element.comment)
        doc = self._expression(element.module)
        if doc is not None:
            return [Line("", _placed(target, name, doc), element.comment)]
        local = self._local("layers")
        return [
            *self._assigned(element.module, local, element.comment),
            Line("", _placed(target, name, Text(local))),
        ]

    def _local(self, name: str) -> str:
        number, result = 1, name
        while result in self.taken:
            number += 1
            result = f"{name}{number}"
        self.taken.add(result)
        return result


def _holder(module: SequentialBuild) -> str:
    return "nn.ModuleList" if module.is_list else "nn.Sequential"


def condition(test: Term) -> Doc:
    """Lay out a test so that a long one can be broken."""
    if isinstance(test, Op) and test.operator in ("or", "and"):
        return Infix(test.operator, tuple(Text(_within(test, each)) for each in test.operands))
    return Text(text(test))


def _within(term: Op, operand: Term) -> str:
    """Return an operand with the parentheses that it needs: `or` inside `and` does, `and` inside `or` does not."""
    needs = term.operator == "and" and isinstance(operand, Op) and operand.operator == "or"
    return f"({text(operand)})" if needs else text(operand)


def guarded(guard: Guard) -> PythonStatement:
    """Return the statement that rejects what the constructor checks."""
    raised = Line("raise ", CallDoc("ValueError", (Entry(Text(literal(guard.message))),)))
    return Suite("if ", Text(text(guard.test)), (raised,))


def _counted(each: Assign) -> PythonStatement:
    return Line(f"{each.name} {'+=' if each.adds else '='} ", Text(text(each.term)))


def _walked(over: Rows | CountedRange) -> Doc:
    """Return the iterable of a loop."""
    if isinstance(over, CountedRange):
        bounds = (over.stop,) if over.start == Const(0) else (over.start, over.stop)
        return CallDoc("range", tuple(Entry(Text(text(each))) for each in bounds))
    rows: list[Doc] = []
    for row in over.rows:
        cells = tuple(Entry(Text(text(value))) for value in row)
        rows.append(cells[0].doc if len(cells) == 1 else Display("()", cells))
    return Display("()", tuple(map(Entry, rows)))


def _parameter(head: str, items: Sequence[Entry]) -> CallDoc:
    """Return a parameter of this shape, filled with the last item."""
    *sizes, start = items
    written = flat(start.doc)
    if re.fullmatch(r"-?\d+", written):
        start = Entry(Text(f"{written}.0"))  # integers would make an integer tensor
    elif not re.fullmatch(r"[-+.\de]+", written):
        start = Entry(CallDoc("float", (start,)))
    filled = {"1.0": "torch.ones", "0.0": "torch.zeros"}.get(flat(start.doc)) if sizes else None
    made = CallDoc(filled or "torch.full", tuple(sizes) if filled else (Entry(Display("()", tuple(sizes))), start))
    return CallDoc(head, (Entry(made),))


def _bare(doc: Doc) -> Doc:
    """Return the expression without comments inside."""
    if isinstance(doc, CallDoc):
        return CallDoc(doc.head, tuple(Entry(_bare(item.doc), item.lead) for item in doc.items))
    return doc


def _placed(target: str, name: ChildName, doc: Doc) -> CallDoc:
    if not name.text:
        return CallDoc(f"{target}.append", (Entry(doc),))
    quoted = f'{"f" if name.is_pattern else ""}"{name.text}"'
    return CallDoc(f"{target}.add_module", (Entry(Text(quoted)), Entry(doc)))
