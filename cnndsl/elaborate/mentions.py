"""The dependencies of a part of a program: the names in it, and the network parameters to which these lead.

Names are compared as text, whatever they mean in their scope, so a part may seem to depend on more than it does, but
never on less.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from cnndsl.elaborate.state import FileScope
from cnndsl.errors import Span
from cnndsl.expressions import Name, Path, ReferenceExpr
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size
from cnndsl.values import ListValue, NameSymbol, Value


def written_names(
    nodes: Iterable[ast.SyntaxNode], choices: Mapping[int, str], without: Collection[int] = ()
) -> frozenset[str]:
    """Return every name in some nodes of a tree that may stand for a value, a layer type or a block.

    Args:
        nodes: The nodes to search, including everything inside them.
        choices: The names of optional parts by their offsets, as in `FileScope`.
        without: The ids of nodes that are skipped.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> (net,) = parse(Source("", "INPUT 8 -> [FC-{2*n} -> act2]*k -> POOL2?")).statements
    >>> sorted(written_names([net], {35: "pool"}))
    ['FC', 'INPUT', 'POOL', 'POOL2', 'act', 'act2', 'k', 'n', 'pool']
    """
    found: set[str] = set()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        if id(node) in without:
            continue
        stack += ast.children(node)
        if isinstance(node, ast.WrittenLayer):
            found.update(readings(node.head))
        elif isinstance(node, Name):
            found.update(readings(node.name))
        elif isinstance(node, ast.Optional):
            found.add(node.name or choices.get(node.span.start, ""))
        elif isinstance(node, ast.Ref | ReferenceExpr):
            texts = node.name if isinstance(node, ast.Ref) else node.parts
            found.update(name for text in texts if isinstance(text, str) for name in (text, *text.split(".")))
    return frozenset(found)


def readings(name: str) -> tuple[str, ...]:
    """Return how a name can be read: as itself, and, if it ends with a size, as the name without the size."""
    stem, size = name_and_size(name)
    return (name, stem) if size else (name,)


def names_in(value: Value) -> Iterator[str]:
    """Yield the names that a value contains."""
    if isinstance(value, NameSymbol):
        yield value.name
    elif isinstance(value, ListValue):
        for each in value.items:
            yield from names_in(each)


class Dependence:
    """The network parameters to which the names of a program lead: through blocks, `let`s, and names given to a
    parameter.

    Attributes:
        local: The names bound by calls, repeats and blocks.
    """

    def __init__(self, file: ast.File, home: FileScope, domains: Mapping[str, Sequence[Value]]) -> None:
        self._parameters = frozenset(domains)
        self._words: dict[str, set[str]] = {}
        self._nodes: dict[str, list[tuple[ast.SyntaxNode, Mapping[int, str]]]] = {}
        for name, values in domains.items():
            self._add_words(name, () if isinstance(values, range) else values)
        lets = [each for each in file.statements if isinstance(each, ast.Let)]
        for each in lets:
            self._nodes.setdefault(each.name, []).append((each.value, {}))
        self.blocks = tuple({id(each.block): each for one in homes(home) for each in one.blocks.values()}.values())
        for one in homes(home):
            for name, definition in one.blocks.items():
                self._nodes.setdefault(name, []).append((definition.block, definition.home.choices))
            for name, expr in one.lets.items():
                self._nodes.setdefault(name, []).append((expr, {}))
            for name, value in one.values.items():
                self._add_words(name, [value])
        inner = [each for each in file.statements if not isinstance(each, ast.Net | ast.Let | ast.Block)]
        inside = [
            each for block in self.blocks for each in (*(block.block.parameters or ()), *ast.children(block.block))
        ]
        self.local = frozenset("iCHWD").union(*map(ast.bound_names, ast.walk([*inner, *inside])))
        self._values = self._parameters | {each.name for each in lets}
        self._known: dict[str, frozenset[str]] = {}

    def _add_words(self, name: str, values: Iterable[Value]) -> None:
        given = (word for value in values for each in names_in(value) for word in readings(each))
        self._words.setdefault(name, set()).update(given)

    def is_word(self, name: str) -> bool:
        """Return whether a name has no value anywhere, and so names a layer type or a block."""
        return all(each not in self.local and each not in self._values for each in readings(name))

    def of(self, names: Iterable[str], without: Collection[int] = ()) -> frozenset[str]:
        """Return the parameters to which any of the names leads, including the names themselves; `without` are the ids
        of nodes that are skipped if a name leads to a block."""
        if not without:
            return frozenset[str]().union(*map(self._of, names))
        return self._parameters & self._reached(names, without)

    def _of(self, name: str) -> frozenset[str]:
        if name not in self._known:
            self._known[name] = self._parameters & self._reached([name], ())
        return self._known[name]

    def _reached(self, names: Iterable[str], without: Collection[int]) -> set[str]:
        reached = set(names)
        todo = list(reached)
        while todo:
            name = todo.pop()
            new = set(self._words.get(name, ()))
            for node, choices in self._nodes.get(name, ()):
                new |= written_names([node], choices, without)
            todo += new - reached
            reached |= new
        return reached


def homes(home: FileScope) -> Iterator[FileScope]:
    """Yield a file and those that it uses."""
    seen, todo = set[int](), [home]
    while todo:
        one = todo.pop()
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            todo += (each.home for each in one.blocks.values())


class Labels:
    """The labels of a program that are referred to, and the locations of these references."""

    def __init__(self, files: Iterable[ast.File | ast.Block]) -> None:
        self._places: dict[str, list[Span]] = {}
        self._stems: list[tuple[str, Span]] = []
        self.is_odd = False
        """Whether a path continues with a name that is not a label: a number, or a layer type in lower case."""
        labels: set[str] = set()
        inner: set[str] = set()
        for node in ast.walk(each for file in files for each in _statements(file)):
            if isinstance(node, ast.Label | ast.Tap | ast.Equation):
                labels.update(name for text in node.name if isinstance(text, str) for name in text.split("."))
            elif isinstance(node, Name):
                self._place(node.name, node.span)
            elif isinstance(node, Path):
                self._path(".".join(node.names[:-1]), node.span, inner)
            elif isinstance(node, ast.Outputs):
                for path, span in node.names:
                    self._path(path, span, inner)
            elif isinstance(node, ast.Ref | ReferenceExpr | ast.Again):
                self._reference(node.parts if isinstance(node, ReferenceExpr) else node.name, node.span, inner)
        self.is_odd = bool(inner - labels)

    def _place(self, name: str, span: Span) -> None:
        self._places.setdefault(name, []).append(span)

    def _path(self, path: str, span: Span, inner: set[str]) -> None:
        first, *rest = path.split(".")
        inner.update(rest)
        for name in (first, *rest):
            self._place(name, span)

    def _reference(self, texts: Sequence[object], span: Span, inner: set[str]) -> None:
        """Record a reference. If it has a placeholder or a star, the text before that is the beginning of any name."""
        if len(texts) == 1 and isinstance(texts[0], str) and "*" not in texts[0]:
            self._path(texts[0], span, inner)
            return
        first = texts[0] if texts and isinstance(texts[0], str) else ""
        self._stems.append(("", span) if "." in first else (first.partition("*")[0], span))

    def is_observed(self, label: Sequence[object], around: Span) -> bool:
        """Return whether anything outside of `around` may refer to a label in it."""
        first = label[0] if label and isinstance(label[0], str) else ""
        if len(label) == 1:
            places = [place for name in first.split(".") for place in self._places.get(name, ())]
        else:
            places = [place for name, found in self._places.items() if name.startswith(first) for place in found]
        places += (span for stem, span in self._stems if first.startswith(stem) or stem.startswith(first))
        return any(not _contains(around, place) for place in places)


def _contains(outer: Span, inner: Span) -> bool:
    return outer.source is inner.source and outer.start <= inner.start and inner.end <= outer.end


def _statements(file: ast.File | ast.Block) -> Sequence[ast.SyntaxNode]:
    return file.statements if isinstance(file, ast.File) else (file,)


def can_be_summed(item: ast.ChainItem, labels: Labels, excluded: Collection[int]) -> bool:
    """Return whether a part can be made by itself, apart from its chain: no label in it is referred to from outside,
    and nothing in it adds an output of the network or looks up others of its module."""
    if id(item) in excluded or isinstance(item, ast.Ref | ast.Again | ast.Tap | ast.Equation | ast.Either | ast.Each):
        return False
    for node in ast.walk([item]):
        if isinstance(node, ast.Tap | ast.Again) or (isinstance(node, ast.Ref) and node.is_starred):
            return False
        if isinstance(node, ast.Label | ast.Equation):
            is_in_pieces = any(isinstance(text, str) and "." in text for text in node.name)
            if is_in_pieces or labels.is_observed(node.name, item.span):
                return False
    return True
