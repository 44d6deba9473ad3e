"""Classes that turn out to have the same text: the file has one for all of them.

Labels on alike parts, `side1: […]` and `side2: […]`, each have a class at first, and so do calls of a block that differ
in nothing that the text shows but the names of values. Blocks that the program names stay apart, and so do labels of
different words. An argument that some of the classes give a default has it in the class that stands for them: who uses
the others says what it is.
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
    """What a class is, without its name, its comments and the defaults of its arguments: the class that it derives
    from, the types of the arguments and the statements of `__init__`, its `forward`. For names there are numbers."""

    base: str
    arguments: tuple[str, ...]
    constructor: tuple[str, ...]
    forward: tuple[object, ...]


def class_text(
    base: str, cls: ModuleClass, constructor: Sequence[PythonStatement], forward: ForwardText | None
) -> ClassText:
    """Return the text of a class, to be compared with others."""
    arguments = [each.name for each in cls.parameters]
    types = tuple(each.type for each in cls.parameters)
    called: tuple[object, ...] = ()
    if forward is not None:
        names, annotations = zip(*(each.split(": ") for each in forward.arguments), strict=True)
        called = annotations, forward.returns, _anonymous(names, forward.body)
    return ClassText(base, types, _anonymous(arguments, constructor), called)


def _anonymous(arguments: Sequence[str], body: Sequence[PythonStatement]) -> tuple[str, ...]:
    """Statements with numbers for their arguments and for the names that they bind."""
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
    """Python with other names, but for attributes, keywords and strings; in an f-string what is in braces.

    >>> _renamed('x = self.x(x, x=f"x{x}")', {"x": "$0"})
    '$0 = self.x($0, x=f"x{$0}")'
    """

    def replaced(found: re.Match[str]) -> str:
        if found[3]:
            return names.get(found[3], found[3])
        return _BRACED.sub(lambda braced: _renamed(braced[0], names), found[0]) if found[1] else found[0]

    return _WORD.sub(replaced, text)


def stem(name: str, blocks: frozenset[str]) -> str:
    """Return what alike classes have in common: the name of a block, or that of labels without its number.

    >>> stem("side2", frozenset()), stem("blocks_0", frozenset()), stem("Unit2", frozenset({"Unit2"}))
    ('side', 'blocks', 'Unit2')
    """
    return name if name in blocks else name.rstrip("0123456789").rstrip("_") or name


@record(slots=True)
class Alike:
    """Classes with one text. `shown` is the one whose names the file has: those of the most modules."""

    classes: tuple[ModuleClass, ...]
    shown: ModuleClass
    defaults: tuple[Term | None, ...]


def alike(
    classes: Sequence[ModuleClass],
    stem_of: Callable[[ModuleClass], str],
    text_of: Callable[[ModuleClass, Callable[[ModuleClass], ModuleClass]], ClassText],
) -> list[Alike]:
    """Return the classes of the file, each with all that it stands for; `classes` has each after those that it uses.

    `text_of` is asked for classes of which several have one stem, and told what stands for those that they use.
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
    """Classes with one text, while they are gathered."""

    def __init__(self, cls: ModuleClass) -> None:
        self.classes = [cls]
        self.defaults = [parameter.default for parameter in cls.parameters]

    def takes(self, cls: ModuleClass) -> bool:
        """Whether no argument has two defaults."""
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
