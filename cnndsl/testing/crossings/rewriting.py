"""Where values stand in a program's text, and how the text is changed there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from cnndsl.errors import Source, Span
from cnndsl.expressions import Expr, Literal, Name, ReferenceExpr, ShapeExpr, operands
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A text for a range of characters."""

    start: int
    end: int
    text: str

    @classmethod
    def at(cls, span: Span, text: str) -> Rewrite:
        """Make the edit of a place."""
        return cls(span.start, span.end, text)


@dataclass(frozen=True, slots=True)
class ValuePlace:
    """Where a number stands: the expression, its text, and whether it is a width, or an argument. `is_bare` says that
    braces must be put around what is more than a name; `turns` is how often the repeat around it runs, if that is
    known."""

    expr: Expr
    span: Span
    text: str
    is_width: bool
    is_argument: bool
    is_bare: bool
    turns: int

    def edit(self, text: str) -> Rewrite:
        """Make the edit that puts another value there."""
        return Rewrite.at(self.span, f"{{{text}}}" if self.is_bare and not text.isidentifier() else text)


class Rewriting:
    """A program that is to be changed."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.file = parse(Source("drawn.cnn", text))
        self._lets: list[str] = []
        self._settings: list[str] = []

    @property
    def parameters(self) -> Sequence[ast.Parameter]:
        """Return the parameters of the net."""
        net = self._net
        return net.parameters or () if net else ()

    @property
    def _net(self) -> ast.Net | None:
        return next((each for each in self.file.statements if isinstance(each, ast.Net)), None)

    def text_of(self, span: Span) -> str:
        """Return the text of a place."""
        return self.text[span.start : span.end]

    def free_name(self, base: str) -> str:
        """Return a name that the program does not have, a new one each time."""
        taken = " ".join((self.text, *self._lets, *self._settings))
        name = next(f"{base}{number}" for number in count(1) if f"{base}{number}" not in taken)
        self._lets.append(f"# {name}")
        return name

    def name(self, value: str, as_parameter: bool) -> str:
        """Name a value: by a `let`, or by a parameter of the net if there is a list of these."""
        name = self.free_name("rows")
        if as_parameter and self.parameters:
            self._settings.append(f", {name}={value}")
        else:
            self._lets.append(f"let {name} = {value}")
        return name

    def blocks(self) -> list[ast.Block]:
        """Return the blocks."""
        return [each for each in self.file.statements if isinstance(each, ast.Block)]

    def loops(self) -> list[ast.For]:
        """Return each `for`."""
        return [each for each in ast.walk(self.file.statements) if isinstance(each, ast.For)]

    def opening(self, block: ast.Block, lets: str, inside: bool) -> Rewrite:
        """Make the edit that puts values at the head of a block: before its chain, or in the brackets that it is."""
        only = block.body.items[0] if len(block.body.items) == 1 else None
        at = block.body.span.start
        is_brackets = isinstance(only, ast.Group) and self.text[at] == "[" and not block.lets
        is_inside = is_brackets and (inside or bool(block.values))
        return Rewrite(at + is_inside, at + is_inside, f"{lets}  ")

    def places(self, nodes: Iterable[ast.SyntaxNode] | None = None) -> Iterator[ValuePlace]:
        """Yield where numbers stand in chains, outermost first."""
        statements = [each for each in self.file.statements if isinstance(each, ast.Main | ast.Equation | ast.Block)]
        turns = self._turns()
        found: list[ValuePlace] = []
        for node in ast.walk(statements if nodes is None else nodes):
            if isinstance(node, ast.WrittenLayer) and node.head.upper() != "INPUT":
                found += self._of_layer(node, turns.get(id(node), 0))
            elif isinstance(node, ast.Repeat):
                found.append(self._place(node.count, is_bare=True))
        return (each for each in found if _is_balanced(each.text))

    def _of_layer(self, node: ast.WrittenLayer, turns: int) -> Iterator[ValuePlace]:
        for at, each in enumerate((node.width, node.stride)):
            if each is not None and not (isinstance(each, Literal) and isinstance(each.value, tuple)):
                yield self._place(each, is_width=at == 0, is_bare=True, turns=turns)
        for argument in node.arguments or ():
            if _is_number(argument.value):
                yield self._place(argument.value, is_argument=True, turns=turns)

    def _place(
        self, expr: Expr, is_width: bool = False, is_argument: bool = False, is_bare: bool = False, turns: int = 0
    ) -> ValuePlace:
        span = expr.span
        in_hole = self.text[: span.start].rstrip().endswith("{") or self.text[span.end :].lstrip().startswith("}")
        start, end = span.start, span.end
        if is_bare and in_hole:
            start = self.text.rindex("{", 0, span.start) + 1
            end = self.text.index("}", span.end)
        whole = Span(span.source, start, end)
        return ValuePlace(expr, whole, self.text_of(whole), is_width, is_argument, is_bare and not in_hole, turns)

    def _turns(self) -> dict[int, int]:
        """How often each layer is made by the repeat right around it, where a number says so."""
        found: dict[int, int] = {}
        for node in ast.walk(self.file.statements):
            if isinstance(node, ast.Repeat) and isinstance(node.count, Literal) and isinstance(node.count.value, int):
                for each in ast.walk([node.body]):
                    found[id(each)] = 0 if isinstance(each, ast.Repeat) else node.count.value
        return found

    def applied(self, edits: Iterable[Rewrite]) -> str:
        """Return the text with all edits that do not meet others."""
        chosen: list[Rewrite] = []
        for each in edits:
            if all(each.end < other.start or other.end < each.start for other in chosen):
                chosen.append(each)
        text = self.text
        lets = [each for each in self._lets if not each.startswith("#")]
        net = self._net
        if net is not None and self._settings:
            chosen.append(Rewrite(net.span.end - 1, net.span.end - 1, "".join(self._settings)))
        for each in sorted(chosen, key=lambda edit: edit.start, reverse=True):
            text = text[: each.start] + each.text + text[each.end :]
        if not lets:
            return text
        head, rest = (text.split("\n", 1)) if net is not None and "\n" in text else ("", text)
        return "\n".join(filter(None, (head, *lets, rest)))


def _is_balanced(text: str) -> bool:
    """Whether each bracket is closed: the place of `(a + b)*c` begins behind its first one."""
    depth = 0
    for char in text:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            return False
    return depth == 0


def _is_number(expr: Expr) -> bool:
    """Whether an argument is a number, or extents, and no word or truth."""
    if isinstance(expr, Literal):
        return not isinstance(expr.value, bool)
    return not isinstance(expr, Name | ReferenceExpr | ShapeExpr) and all(
        isinstance(each, Name) or _is_number(each) for each in operands(expr)
    )
