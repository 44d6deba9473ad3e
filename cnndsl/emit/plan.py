"""What the emitter has decided, before it is text: classes, chains of modules, statements.

Plans hold expressions as layout documents, in which a class stands by its plan: its name is settled last.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from cnndsl.emit.layout import Doc
from cnndsl.emit.peak import Peak
from cnndsl.emit.terms import Env, Term
from cnndsl.emit.values import Program


@dataclass(frozen=True, slots=True)
class Line:
    """A statement: what stands before its expression, the expression, a comment behind it."""

    lead: str
    doc: Doc
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Suite:
    """`if …:` or `for …:` and what is indented under it; `otherwise` stands under `else:`."""

    lead: str
    doc: Doc
    body: tuple[Statement, ...]
    otherwise: tuple[Statement, ...] = ()
    comment: str = ""


Statement: TypeAlias = Line | Suite


@dataclass(frozen=True, slots=True)
class ChildName:
    """What a child is called: a number that PyTorch counts itself (empty), a name, or the text of an f-string."""

    text: str = ""
    is_pattern: bool = False

    @property
    def quoted(self) -> str:
        return f'{"f" if self.is_pattern else ""}"{self.text}"'


@dataclass(frozen=True, slots=True)
class Element:
    """A module in a chain: its construction, or a chain of its own."""

    name: ChildName
    doc: Doc | None
    nested: Chain | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Loop:
    """Elements made in turns. `before` and `after` keep the count of channels in a variable."""

    targets: str
    iterable: Doc
    items: tuple[ChainItem, ...]
    before: Line | None = None
    after: Line | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """Elements that are there only if a test holds, others if it does not."""

    test: Doc
    items: tuple[ChainItem, ...]
    otherwise: tuple[ChainItem, ...]


ChainItem: TypeAlias = Element | Loop | Condition


@dataclass(frozen=True)
class Chain:
    """Modules called one after the other: an `nn.Sequential`."""

    items: tuple[ChainItem, ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument of a constructor. `option` is the block's own name for it, empty for others; `is_asked` says that it
    stands for something that the block says otherwise."""

    name: str
    type: str
    option: str = ""
    default: Term | None = None
    is_asked: bool = False


@dataclass(eq=False)
class ClassPlan:
    """A class of the emitted file.

    `values` are the values of its names in each of its places, by path; `leaving` is the term of the channels that
    leave it, in its own names; `program` its `forward`, none for a chain. `inner` are the classes that it uses.
    """

    wanted_name: str
    base: str
    doc: str
    parameters: tuple[Parameter, ...]
    init: tuple[Statement, ...]
    program: Program | None
    peak: Peak | None
    leaving: Term | None
    values: Mapping[str, Env]
    inner: tuple[ClassPlan, ...]
    helpers: frozenset[str]
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.wanted_name


def cost(items: Iterable[ChainItem]) -> int:
    """About how many lines the items take."""
    return sum(_cost(item) for item in items)


def _cost(item: ChainItem) -> int:
    if isinstance(item, Element):
        return 1 if item.nested is None else 1 + cost(item.nested.items)
    if isinstance(item, Condition):
        return 1 + cost(item.items) + (1 + cost(item.otherwise) if item.otherwise else 0)
    around = (item.before is not None) + (item.after is not None)
    alone = not around and len(item.items) == 1 and isinstance(item.items[0], Element) and not item.items[0].name.text
    return 1 if alone else 1 + around + cost(item.items)
