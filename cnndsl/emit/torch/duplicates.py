"""Classes with the same source: the file has one for all of them.

Labels on similar parts, `side1: […]` and `side2: […]`, each have a class at first. So do calls of a block that differ
only in the names of values. Blocks with different names stay separate, and so do labels with different words. If some
of the classes have a default for an argument, the class that replaces them has it too: the code that uses the others
passes the argument.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from cnndsl.emit.torch.forward_method import ForwardText
from cnndsl.emit.torch.ir import ModuleClass
from cnndsl.emit.torch.layout import flat
from cnndsl.emit.torch.statements import PythonStatement, Suite
from cnndsl.emit.torch.terms import Term
from cnndsl.records import record

_WORD = re.compile(r'(f?)"((?:[^"\\]|\\.)*)"|(?<![\w.])([^\W\d]\w*)(?!\w|=[^=])')
_BRACED = re.compile(r"\{[^{}]*\}")
_BOUND = re.compile(r"(?:for )?((?:\w+(?:: [^=]*)?, )*\w+(?:: [^=]*)?) (?:[+*]?=|in) ")


@record(slots=True)
class ClassText:
    """The content of a class, without its name, its comments and the defaults of its arguments: its base class, the
    types of the arguments, the statements of `__init__`, and its `forward`. Numbers replace names."""

    base: str
    arguments: tuple[str, ...]
    constructor: tuple[str, ...]
    forward: tuple[object, ...]


def class_text(
    base: str, cls: ModuleClass, constructor: Sequence[PythonStatement], forward: ForwardText | None
) -> ClassText:
    """Return the content of a class, for comparison with others."""
    arguments = [each.name for each in cls.parameters]
    types = tuple(each.type for each in cls.parameters)
    called: tuple[object, ...] = ()
    if forward is not None:
        names, annotations = zip(*(each.split(": ") for each in forward.arguments), strict=True)
        called = annotations, forward.returns, _anonymous(names, forward.body)
    return ClassText(base, types, _anonymous(arguments, constructor), called)


def _anonymous(arguments: Sequence[str], body: Sequence[PythonStatement]) -> tuple[str, ...]:
    """Return statements with numbers in place of their arguments and of the names that they bind."""
    numbers: dict[str, str] = {}
    for name in (*arguments, *_bound(body)):
        numbers.setdefault(name, f"${len(numbers)}")
    return tuple(_renamed(_flat(each), numbers) for each in body)


def _bound(body: Sequence[PythonStatement]) -> Iterator[str]:
    for each in body:
        found = _BOUND.match(each.lead)
        if found is not None:
            yield from (name.partition(":")[0] for name in found[1].split(", "))
        if isinstance(each, Suite):
            yield from _bound((*each.body, *each.otherwise))


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """Rename names in Python code, except attributes, keywords and strings; in an f-string, rename those in braces.

    >>> _renamed('x = self.x(x, x=f"x{x}")', {"x": "$0"})
    '$0 = self.x($0, x=f"x{$0}")'
    """

    def replaced(found: re.Match[str]) -> str:
        if found[3]:
            return names.get(found[3], found[3])
        return _BRACED.sub(lambda braced: _renamed(braced[0], names), found[0]) if found[1] else found[0]

    return _WORD.sub(replaced, text)


def stem(name: str, blocks: frozenset[str]) -> str:
    """Return the common name of similar classes: the name of a block, or that of labels without its number.

    >>> stem("side2", frozenset()), stem("blocks_0", frozenset()), stem("Unit2", frozenset({"Unit2"}))
    ('side', 'blocks', 'Unit2')
    """
    return name if name in blocks else name.rstrip("0123456789").rstrip("_") or name


@record(slots=True)
class Alike:
    """Classes with the same source. `shown` is the one whose names the file uses: those of the most modules."""

    classes: tuple[ModuleClass, ...]
    shown: ModuleClass
    defaults: tuple[Term | None, ...]


def alike(
    classes: Sequence[ModuleClass],
    stem_of: Callable[[ModuleClass], str],
    text_of: Callable[[ModuleClass, Callable[[ModuleClass], ModuleClass]], ClassText],
) -> list[Alike]:
    """Return the classes of the file, each with all that it replaces; `classes` lists each class after those that it
    uses.

    `text_of` is only called for classes that share a stem; its second argument returns the replacement of a class.
    """
    stems = Counter(map(stem_of, classes))
    first: dict[int, ModuleClass] = {}
    groups: list[_Group] = []
    by_text: dict[tuple[str, ClassText], list[_Group]] = {}
    for cls in classes:
        each = stem_of(cls)
        same = by_text.setdefault((each, text_of(cls, lambda it: first[id(it)])), []) if stems[each] > 1 else []
        group = next((group for group in same if group.takes(cls)), None)
        if group is None:
            group = _Group(cls)
            groups.append(group)
            same.append(group)
        else:
            group.add(cls)
        first[id(cls)] = group.classes[0]
    return [group.alike() for group in groups]


class _Group:
    """A group of classes with the same source, while it is collected."""

    def __init__(self, cls: ModuleClass) -> None:
        self.classes = [cls]
        self.defaults = [parameter.default for parameter in cls.parameters]

    def takes(self, cls: ModuleClass) -> bool:
        """Return whether the defaults of a class agree with those of the group."""
        pairs = zip(self.defaults, cls.parameters, strict=True)
        return all(None in (known, other.default) or known == other.default for known, other in pairs)

    def add(self, cls: ModuleClass) -> None:
        self.classes.append(cls)
        pairs = zip(self.defaults, cls.parameters, strict=True)
        self.defaults = [other.default if known is None else known for known, other in pairs]

    def alike(self) -> Alike:
        modules: Counter[object] = Counter()
        for cls in self.classes:
            modules[_names(cls)] += len(cls.places)
        shown = max(self.classes, key=lambda cls: modules[_names(cls)])
        return Alike(tuple(self.classes), shown, tuple(self.defaults))


def _names(cls: ModuleClass) -> tuple[str, ...]:
    return tuple(parameter.name for parameter in cls.parameters)


def _flat(statement: PythonStatement) -> str:
    line = statement.lead + flat(statement.doc)
    if not isinstance(statement, Suite):
        return line
    inner, otherwise = ("; ".join(map(_flat, each)) for each in (statement.body, statement.otherwise))
    return f"{line}: {{{inner}}} else {{{otherwise}}}"
