"""A pass over a file before it is elaborated: the names that it uses and defines, its labels and optional parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from cnndsl.errors import Span
from cnndsl.expressions import Binary, ChoiceExpr, Expr, Name, Unary
from cnndsl.layers import KINDS, find
from cnndsl.records import record
from cnndsl.syntax import ast
from cnndsl.syntax.words import name_and_size

_BUILT_IN = frozenset("iCHWD")


@record(slots=True)
class Survey:
    """The optional parts of a file, the first use of each name and of each name used as a number, the defined names,
    and the labels."""

    optionals: tuple[ast.Optional, ...]
    uses: Mapping[str, Span]
    numbers: frozenset[str]
    bound: frozenset[str]
    labels: Mapping[str, Span]
    labelled: Mapping[int, str]
    """The label of the optional part that begins at an offset."""


@lru_cache(maxsize=8)
def survey(file: ast.File) -> Survey:
    """Return what the statements of a file use and define, except asserts, which do not describe the network."""
    optionals: list[ast.Optional] = []
    uses: dict[str, Span] = {}
    bound: set[str] = set()
    named: dict[str, Span] = {}
    words: set[int] = set()
    numbers: set[str] = set()
    labelled: dict[int, str] = {}
    for node in ast.walk(each for each in file.statements if not isinstance(each, ast.Assert)):
        numbers.update(_numbers(node))
        if isinstance(node, ast.WrittenLayer):
            words.update(_words(node))
            continue
        bound.update(ast.bound_names(node))
        if isinstance(node, Name):
            if node.span.start not in words:
                uses.setdefault(node.name, node.span)
        elif isinstance(node, ast.Optional):
            optionals.append(node)
        elif isinstance(node, ast.Label | ast.Tap | ast.Equation):
            texts = [part for part in node.name if isinstance(part, str)]
            bound.update(texts)
            if len(texts) == len(node.name) == 1:
                named.setdefault(texts[0], node.name_span)
                if not isinstance(node, ast.Equation):
                    labelled[_inmost(node.body).span.start] = texts[0]
    return Survey(tuple(optionals), uses, frozenset(numbers), frozenset(bound), named, labelled)


def labels(file: ast.File) -> Mapping[str, Span]:
    """Return the labels of a file, each with its first location; those with placeholders are omitted."""
    return survey(file).labels


def choices(file: ast.File) -> dict[int, str]:
    """Return the name of the optional part at each offset where one begins.

    One without its own name is named after its label or layer type, numbered if there are several.
    """
    found = survey(file)
    bases = [
        (item, found.labelled.get(item.span.start) or _base(item)) for item in found.optionals if item.name is None
    ]
    count = Counter(base for _, base in bases)
    used: Counter[str] = Counter()
    result: dict[int, str] = {}
    for item, base in bases:
        used[base] += 1
        result[item.span.start] = f"{base}{used[base]}" if count[base] > 1 else base
    return result


def free_names(file: ast.File) -> dict[str, Span]:
    """Return the names that are used as numbers and that nothing defines, each with its first location.

    A name that some option accepts as a word is omitted if it is only used alone, as an argument may be.
    """
    found = survey(file)
    bound = found.bound | _BUILT_IN | (_option_words() - found.numbers)
    return {name: span for name, span in found.uses.items() if name not in bound and not is_kind(name)}


def _base(item: ast.Optional) -> str:
    body = _inmost(item.body)
    if not isinstance(body, ast.WrittenLayer):
        return "choice"
    return body.head.lower() if find(body.head) else name_and_size(body.head.lower())[0] or "choice"


def _inmost(body: ast.ChainItem) -> ast.ChainItem:
    """Return the element that is repeated."""
    while isinstance(body, ast.Repeat):
        body = body.body
    return body


_TRUTHS = frozenset({"true", "false", "True", "False", "on", "off"})


_ARITHMETIC = frozenset({"+", "-", "*", "/", "//", "%"})


def _numbers(node: ast.SyntaxNode) -> Iterator[str]:
    """Yield the names that stand for numbers whatever they are called: sizes, counts and operands."""
    exprs: tuple[Expr | None, ...] = ()
    if isinstance(node, ast.WrittenLayer):
        exprs = (*node.size, node.width, node.stride, *node.dims)
    elif isinstance(node, ast.Repeat):
        exprs = (node.count,)
    elif isinstance(node, Binary) and node.operator in _ARITHMETIC:
        exprs = (node.left, node.right)
    elif isinstance(node, Unary) and node.operator == "-":
        exprs = (node.operand,)
    yield from (each.name for each in exprs if isinstance(each, Name))


def dashed_kind(head: str, width: Expr) -> str:
    """Return the layer type that a head and its width name together, `soft-max`; empty if they name none."""
    name = f"{head}{width.name}".upper() if isinstance(width, Name) else ""
    return name if name in KINDS and head.upper() not in KINDS else ""


def _words(layer: ast.WrittenLayer) -> Iterator[int]:
    """Yield the offsets of names that can only be words: values of options that take words, `true` of other languages,
    and the second half of `soft-max`."""
    if isinstance(layer.width, Name) and dashed_kind(layer.head, layer.width):
        yield layer.width.span.start
    unnamed = 0
    for argument in layer.arguments or ():
        for value in _choices(argument.value):
            if isinstance(value, Name) and (
                value.name in _TRUTHS
                or _takes_words(layer.head, argument.name or unnamed)
                or (not value.name.islower() and value.name.lower() in _option_words())
            ):
                yield value.span.start
        unnamed += argument.name is None


def _choices(expr: Expr) -> Iterator[Expr]:
    """Yield the possible values of an expression: itself, or the branches of its `if`."""
    while isinstance(expr, ChoiceExpr):
        yield from _choices(expr.chosen)
        expr = expr.other
    yield expr


def _takes_words(head: str, option: str | int) -> bool:
    """Check whether an option takes words; a positional option is given by its index."""
    readings = head.upper(), name_and_size(head)[0].upper()
    # Built-in layer types first: loading plug-ins slows down the start.
    kind = next((KINDS[each] for each in readings if each in KINDS), None) or find(head) or find(readings[1])
    if kind is not None and isinstance(option, int):
        option = kind.POSITIONAL[option] if option < len(kind.POSITIONAL) else ""
    rule = kind.options().get(str(option)) if kind else None
    return rule is not None and bool(rule.words)


def is_kind(name: str) -> bool:
    """Return whether a name is that of a layer type, or in capitals one with its size: `POOL2`."""
    if find(name) is not None:
        return True
    kind = find(name_and_size(name)[0]) if name.isupper() else None
    return kind is not None and bool(kind.SIZE)


@cache
def _option_words() -> frozenset[str]:
    return frozenset(word for kind in KINDS.values() for option in kind.options().values() for word in option.words)
