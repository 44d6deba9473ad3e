"""Classes that turn out to have the same text: the file has one for all of them.

Labels on alike parts, `side1: […]` and `side2: […]`, each have a class at first, and so do calls of a block that differ
in nothing that the text shows. Blocks that the program names stay apart, and so do labels of different words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from cnndsl.emit.torch.forward_method import ForwardText
from cnndsl.emit.torch.ir import ModuleClass
from cnndsl.emit.torch.layout import flat
from cnndsl.emit.torch.statements import PythonStatement, Suite
from cnndsl.records import record


@record(slots=True)
class ClassText:
    """What a class is, without its name and its comments: the class that it derives from, the arguments and statements
    of `__init__`, its `forward`."""

    base: str
    arguments: tuple[str, ...]
    constructor: tuple[str, ...]
    forward: tuple[object, ...]


def class_text(
    base: str, arguments: Sequence[str], constructor: Sequence[PythonStatement], forward: ForwardText | None
) -> ClassText:
    """Return the text of a class, to be compared with others."""
    called: tuple[object, ...] = ()
    if forward is not None:
        called = forward.arguments, forward.returns, tuple(map(_flat, forward.body))
    return ClassText(base, tuple(arguments), tuple(map(_flat, constructor)), called)


def stem(name: str, blocks: frozenset[str]) -> str:
    """Return what alike classes have in common: the name of a block, or that of labels without its number.

    >>> stem("side2", frozenset()), stem("blocks_0", frozenset()), stem("Unit2", frozenset({"Unit2"}))
    ('side', 'blocks', 'Unit2')
    """
    return name if name in blocks else name.rstrip("0123456789").rstrip("_") or name


def representatives(
    classes: Sequence[ModuleClass],
    stem_of: Callable[[ModuleClass], str],
    text_of: Callable[[ModuleClass, Callable[[ModuleClass], str]], ClassText],
) -> Mapping[int, ModuleClass]:
    """Return the class that stands for each class, by its id; `classes` has each after those that it uses.

    `text_of` is asked for classes of which several have one stem, and told what to call those that they use.
    """
    stems = Counter(map(stem_of, classes))
    found: dict[int, ModuleClass] = {}
    by_text: dict[tuple[str, ClassText], ModuleClass] = {}
    for cls in classes:
        each = stem_of(cls)
        alone = stems[each] == 1
        found[id(cls)] = (
            cls if alone else by_text.setdefault((each, text_of(cls, lambda it: f"#{id(found[id(it)])}")), cls)
        )
    return found


def _flat(statement: PythonStatement) -> str:
    line = statement.lead + flat(statement.doc)
    if not isinstance(statement, Suite):
        return line
    inner, otherwise = ("; ".join(map(_flat, each)) for each in (statement.body, statement.otherwise))
    return f"{line}: {{{inner}}} else {{{otherwise}}}"
