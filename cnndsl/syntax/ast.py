"""The syntax tree: one frozen dataclass for each construct, each with its span.

The tree represents the source before its meaning is resolved: layer types are not looked up, names not resolved.
Expressions are those of `cnndsl.expr`. `walk` visits a whole tree, `parts` and `children` return what one node consists
of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from functools import cache
from typing import Any, TypeAlias, get_args

from cnndsl.errors import Source, Span
from cnndsl.expressions import Expr, Literal
from cnndsl.records import record


@record(slots=True)
class Argument:
    """`pad=1`, or `0.5` without a name."""

    name: str | None
    value: Expr
    span: Span


@record(slots=True)
class WrittenLayer:
    """`KIND[size][-width][/stride][(options)]`, or the call of a block.

    A size of digits alone stays in `head` (`CONV3`, `RELU6`, `Bottleneck2`): the layer types and blocks must be known
    to tell it from a name. `size` is a size with a placeholder: `CONV{k}x7` has head `CONV` and sizes `k`, `7`. `dims`
    is the shape after INPUT.
    """

    head: str
    size: tuple[Expr, ...]
    width: Expr | None
    stride: Expr | None
    dims: tuple[Expr, ...]
    arguments: tuple[Argument, ...] | None
    span: Span


@record(slots=True)
class Chain:
    """`A -> B -> C`."""

    items: tuple[ChainItem, ...]
    span: Span


@record(slots=True)
class Group:
    """`[A -> B]` or `(A -> B)`: brackets that only group. `lets` are the values at the head of the body of a block."""

    body: Chain
    span: Span
    lets: tuple[Let, ...] = ()


@record(slots=True)
class Merge:
    """`(A + B)`, `(A | B)`, `(+ @a*)`, `MUL(A, B)`; `operator` is `+`, `|`, `MUL`, `MAX` or `MEAN`."""

    operator: str
    branches: tuple[Chain, ...]
    span: Span


@record(slots=True)
class Repeat:
    """`A*3`."""

    body: ChainItem
    count: Expr
    span: Span


@record(slots=True)
class Optional:
    """`A?`, `A?name`."""

    body: ChainItem
    name: str | None
    span: Span


@record(slots=True)
class Either:
    """`ID or X`: the first alternative whose shape fits the merge around it."""

    choices: tuple[ChainItem, ...]
    span: Span


@record(slots=True)
class Label:
    """`name{i}: A`. The parts of the name are texts and placeholders."""

    name: tuple[str | Expr, ...]
    body: ChainItem
    name_span: Span
    span: Span


@record(slots=True)
class Ref:
    """`@name`; the parts of the name are texts and placeholders, and dots separate modules. In `@unit*.skip` a text
    contains the star."""

    name: tuple[str | Expr, ...]
    span: Span

    @property
    def is_starred(self) -> bool:
        """Return whether it refers to several values."""
        return any(isinstance(each, str) and "*" in each for each in self.name)


@record(slots=True)
class Again:
    """`again name`: a part applied again with the same weights; the parts of the name are texts and placeholders."""

    name: tuple[str | Expr, ...]
    span: Span


@record(slots=True)
class Tap:
    """`tap name(train): A`."""

    name: tuple[str | Expr, ...]
    mode: str | None
    body: ChainItem
    name_span: Span
    span: Span


@record(slots=True)
class Conditional:
    """`A if test else B`."""

    body: ChainItem
    test: Expr
    otherwise: ChainItem | None
    span: Span


@record(slots=True)
class For:
    """`for c, n in (64, 3), (128, 4) [ ... ]`; for a range `1..3`, `rows` are its two ends."""

    names: tuple[str, ...]
    rows: tuple[Expr, ...]
    span_of_rows: Span
    body: Chain
    span: Span
    is_range: bool = False


@record(slots=True)
class Each:
    """`each d in 6, 12, 18 [ ... ]`: a branch of a merge for each row of the table."""

    table: For
    span: Span


@record(slots=True)
class Equation:
    """`name = A -> B`, or `@a -> B` without a name: a further chain, which starts from an earlier value.

    It follows the chain of the network, or another chain in brackets as an item of that chain. The parts of the name
    are texts and placeholders; a chain without a name has none.
    """

    name: tuple[str | Expr, ...]
    body: Chain
    name_span: Span
    span: Span


Composite: TypeAlias = Group | Merge | Repeat | For | Each
ChainItem: TypeAlias = WrittenLayer | Optional | Either | Label | Ref | Again | Tap | Conditional | Equation | Composite


@record(slots=True)
class Domain:
    """The allowed values of a parameter: `1..5`, or `{3, 5, 7}`."""

    values: tuple[Expr, ...]
    is_range: bool
    span: Span


@record(slots=True)
class Parameter:
    """`N in 0..3 = 2`."""

    name: str
    domain: Domain | None
    default: Expr | None
    span: Span


@record(slots=True)
class Version:
    """`cnn 1`."""

    number: int
    span: Span


@record(slots=True)
class Net:
    """`net Small(n=2)`. `parameters` is None without parentheses."""

    name: str
    parameters: tuple[Parameter, ...] | None
    span: Span


@record(slots=True)
class Use:
    """`use "part.cnn": A, B`: the file, and each name with its span."""

    path: str
    names: tuple[tuple[str, Span], ...]
    path_span: Span
    span: Span


@record(slots=True)
class Let:
    """`let a = 2*n`."""

    name: str
    value: Expr
    span: Span


@record(slots=True)
class Default:
    """`default CONV(bias=no)`."""

    layer: WrittenLayer
    span: Span


@record(slots=True)
class Block:
    """`block B(c) = CONV3-c -> RELU`. `parameters` is None without parentheses; `lets` come before the chain."""

    name: str
    parameters: tuple[Parameter, ...] | None
    body: Chain
    name_span: Span
    span: Span
    lets: tuple[Let, ...] = ()

    @property
    def values(self) -> tuple[Let, ...]:
        """Return the values that the block names: before its chain, or at the head of its body in brackets."""
        first = self.body.items[0]
        return self.lets or (first.lets if isinstance(first, Group) and len(self.body.items) == 1 else ())


@record(slots=True)
class Assert:
    """`assert params < 10_000_000`."""

    test: Expr
    span: Span


@record(slots=True)
class Main:
    """The chain that is the network; it begins with INPUT."""

    chain: Chain
    span: Span


@record(slots=True)
class Outputs:
    """`output p3, head.cls`: the outputs of the network, in this order; each name with its span."""

    names: tuple[tuple[str, Span], ...]
    span: Span


Statement: TypeAlias = Version | Net | Use | Let | Default | Block | Assert | Main | Equation | Outputs


@record(slots=True)
class Comment:
    """A comment with its `#`, unchanged."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class File:
    """A file: its statements and comments in source order. Two files are never equal."""

    source: Source
    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]


SyntaxNode: TypeAlias = Statement | Parameter | Domain | Chain | ChainItem | Argument | Expr

_INNER = frozenset(get_args(SyntaxNode)) - {Literal}


def walk(nodes: Iterable[SyntaxNode]) -> Iterator[SyntaxNode]:
    """Yield the nodes and everything inside them except literals, in source order.

    The walk is not recursive, so a deep tree needs no more of Python's stack than a flat one.

    >>> from cnndsl.syntax.parse import parse
    >>> file = parse(Source("", "INPUT 3 -> [FC-{2*n}]*2"))
    >>> [type(node).__name__ for node in walk(file.statements)]
    ['Main', 'Chain', 'WrittenLayer', 'Repeat', 'Group', 'Chain', 'WrittenLayer', 'Binary', 'Name']
    """
    stack = list(nodes)[::-1]
    while stack:
        node = stack.pop()
        yield node
        stack.extend(children(node)[::-1])


def children(node: SyntaxNode) -> list[SyntaxNode]:
    """Return the direct children of a node, in the order of its fields.

    Literals are omitted: they contain no node and define no name, and a tree has more of them than of anything else.
    """
    found: list[SyntaxNode] = []
    for part in parts(node):
        if isinstance(part, list):
            found += part
        else:
            found.append(part)
    return found


def parts(node: SyntaxNode) -> list[SyntaxNode | list[SyntaxNode]]:
    """Return the children of a node field by field: a list for a sequence, a single node otherwise."""
    found: list[SyntaxNode | list[SyntaxNode]] = []
    for name in _fields(node.__class__):
        value = getattr(node, name)
        kind = value.__class__
        if kind in _INNER:
            found.append(value)
        elif kind is tuple and value:
            several: list[SyntaxNode] = []
            _gather(value, several)
            if several:
                found.append(several)
    return found


def _gather(several: tuple[Any, ...], into: list[SyntaxNode]) -> None:
    """Add the nodes of a tuple, and of the tuples inside it, to `into`."""
    for each in several:
        if each.__class__ in _INNER:
            into.append(each)
        elif each.__class__ is tuple:
            _gather(each, into)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    """Return the names of the fields that may contain nodes: those that are not spans."""
    return tuple(each.name for each in fields(kind) if not each.name.endswith("span"))


def bound_names(node: SyntaxNode) -> tuple[str, ...]:
    """Return the names that a node itself gives to values and blocks, without labels.

    >>> from cnndsl.syntax.parse import parse
    >>> file = parse(Source("", "let a = 1\\nINPUT 3 -> for c, n in (4, 1), (8, 2) [FC-c]*n"))
    >>> [bound_names(node) for node in walk(file.statements) if bound_names(node)]
    [('a',), ('c', 'n')]
    """
    if isinstance(node, Let | Parameter | Block):
        return (node.name,)
    if isinstance(node, For):
        return node.names
    return tuple(name for name, _ in node.names) if isinstance(node, Use) else ()
