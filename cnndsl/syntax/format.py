"""The canonical style: syntax tree -> text.

Layer types are in capitals, layers that are only grouped in `[ ]`, and expressions in parentheses only if necessary.
Blank lines are kept where lines break, at most one. Comments stay at their part; a comment inside a part without room
for it, such as an expression, goes above the part. The meaning is never changed. `layout` decides where lines break,
`unparse` how tokens are spelled.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from cnndsl.errors import Span
from cnndsl.expressions import Expr, ListExpr
from cnndsl.syntax import ast, unparse
from cnndsl.syntax.comments import Comments
from cnndsl.syntax.layout import Brackets, LayoutPiece, Page, Run, Unit

T = TypeVar("T")
_BLANK_LINE = re.compile(r"\n[ \t\r\f]*\n")


def format(file: ast.File) -> str:
    """Return the text of a file in the canonical style.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> format(parse(Source("", "INPUT 8x8x3->(conv3-4->relu)*2   # twice")))
    'INPUT 8x8x3 -> [CONV3-4 -> RELU]*2  # twice\\n'
    """
    return _Writer(file).text()


class _Writer:
    def __init__(self, file: ast.File) -> None:
        self._file = file
        self._text = file.source.text
        self._comments = Comments(file)
        # A name that the file gives to a block or a value is not treated as a layer type.
        self._defined = frozenset(name for node in ast.walk(file.statements) for name in ast.bound_names(node))
        self._page = Page()
        self._end = -1
        """The offset in the old text at which the last written part ends; -1 at the beginning."""

    def text(self) -> str:
        for statement in self._file.statements:
            self._above(self._comments.before(statement.span.start))
            self._statement(statement)
        self._above(self._comments.before(len(self._text)))
        return self._page.text()

    # Statements

    def _above(self, comments: Sequence[ast.Comment]) -> None:
        """Write comments between statements; one that begins on the last statement's line stays on it."""
        for comment in comments:
            if self._end >= 0 and "\n" not in self._text[self._end : comment.span.start]:
                self._page.note(comment.text)
            else:
                self._line(comment.span.start)
                self._page.write(comment.text)
            self._end = comment.span.end

    def _line(self, start: int) -> None:
        """Begin a line for the text at `start`, after a blank line if there was one before it."""
        if self._end < 0:
            return
        if self._text.count("\n", self._end, start) > 1:
            self._page.newline(0)
        self._page.newline(0)

    def _statement(self, statement: ast.Statement) -> None:
        """Write a statement, below those of its comments that cannot stay inside it."""
        content, beside, lets, chain = self._parts(statement)
        above = [comment.text for comment in self._comments.before(statement.span.end)]
        if isinstance(statement, ast.Main | ast.Equation) and chain is not None:
            above = [*chain.entries[0].above, *above]
        self._line(statement.span.start)
        self._page.comments(above, 0)
        self._page.run(Run(",", (_unit(content),)), 0)
        if isinstance(statement, ast.Block) and chain is not None:
            self._body(chain, beside, lets)
        elif chain is not None:
            self._page.run(chain, 2 if isinstance(statement, ast.Equation) else 0)
        self._end = statement.span.end

    def _body(self, run: Run, beside: str, lets: Sequence[Unit[str]]) -> None:
        """Write a block's chain: on the line of its name if it fits there, or begins with brackets that open there."""
        self._page.write(" = ")
        if not beside and not lets and self._page.hugs(run):
            self._page.run(run, 0)
            return
        self._page.note(beside)
        for each in lets:
            self._page.newline(4)
            self._page.comments(each.above, 4)
            self._page.write(each.content)
            self._page.note(each.beside)
        self._page.newline(4)
        self._page.comments(run.entries[0].above, 4)
        self._page.run(run, 4)

    def _parts(self, statement: ast.Statement) -> tuple[tuple[LayoutPiece, ...], str, Sequence[Unit[str]], Run | None]:
        """Return a statement's text before its chain, the comment after that, the values of a block, and the chain."""
        if isinstance(statement, ast.Main):
            return (), "", (), self._chain(statement.chain)
        if isinstance(statement, ast.Equation):
            return (_defining(statement),), "", (), self._chain(statement.body)
        if isinstance(statement, ast.Block):
            return self._block(statement)
        if isinstance(statement, ast.Net):
            return self._head("net", statement), "", (), None
        if isinstance(statement, ast.Default):
            return ("default ", *self._layer(statement.layer)), "", (), None
        if isinstance(statement, ast.Let):
            return self._value(f"let {statement.name} = ", statement.value), "", (), None
        return (_sentence(statement),), "", (), None

    def _block(self, statement: ast.Block) -> tuple[tuple[LayoutPiece, ...], str, Sequence[Unit[str]], Run]:
        head, lets, body = self._head("block", statement), statement.lets, statement.body.span.start
        behind = self._closing(statement.name_span.end) if statement.parameters else statement.name_span.end
        opening = self._find("=", behind) + 1
        if lets:
            spans, texts = [each.span for each in lets], [_sentence(each) for each in lets]
            units, beside, above = self._units(spans, lambda number: texts[number], opening, body, keeps=True)
        else:
            beside, comments = self._gap(opening, body)
            units, above = (), tuple(_without_leading(comments))
        first, *others = self._chain(statement.body).entries
        return head, beside, units, Run("->", (replace(first, above=(*above, *first.above)), *others))

    def _head(self, keyword: str, statement: ast.Net | ast.Block) -> tuple[LayoutPiece, ...]:
        """Return a keyword and a name with its parameters."""
        text, parameters = f"{keyword} {statement.name}", statement.parameters
        if not parameters:
            return (text if parameters is None else f"{text}()",)
        spans = [each.span for each in parameters]
        opening = self._find("(", statement.span.start)
        closing = self._closing(opening)
        return (
            self._list(f"{text}(", spans, lambda at: self._parameter(parameters[at]), opening, closing, keeps=True),
        )

    def _parameter(self, parameter: ast.Parameter) -> tuple[LayoutPiece, ...]:
        text = parameter.name
        if parameter.domain is not None:
            text += f" in {_domain(parameter.domain)}"
        if parameter.default is None:
            return (text,)
        return self._value(f"{text} = " if parameter.domain else f"{text}=", parameter.default)

    def _value(self, before: str, expr: Expr) -> tuple[LayoutPiece, ...]:
        """Return a value; a list may span several lines."""
        if not isinstance(expr, ListExpr) or not expr.items:
            return (before + unparse.expression(expr),)
        spans = [each.span for each in expr.items]
        texts = [unparse.expression(each) for each in expr.items]
        opening, closing = expr.span.start, expr.span.end - 1
        made = self._list(f"{before}(", spans, lambda at: (texts[at],), opening, closing, keeps=True)
        return (replace(made, close=",)") if len(texts) == 1 else made,)

    # Chains

    def _chain(self, chain: ast.Chain) -> Run:
        spans = [item.span for item in chain.items]
        first, last = chain.items[0].span.start, chain.items[-1].span.end
        entries, _, _ = self._units(spans, lambda number: self._element(chain.items[number]), first, last, keeps=True)
        return Run("->", entries)

    def _units(
        self, spans: Sequence[Span], build: Callable[[int], T], opening: int, closing: int, keeps: bool
    ) -> tuple[tuple[Unit[T], ...], str, tuple[str, ...]]:
        """Return the parts between two offsets, the comment right after the first one, and those before the last one.

        `build` makes the part with a number; `keeps` means that the author's line breaks stay.
        """
        units: list[Unit[T]] = []
        at, behind = opening, ""
        for number, span in enumerate(spans):
            beside, above = self._gap(at, span.start, keeps)
            above = above if number else _without_leading(above)
            behind = self._beside(units, beside) or behind
            content = build(number)
            above += [comment.text for comment in self._comments.before(span.end)]
            breaks = keeps and "\n" in self._text[at : span.start]
            units.append(Unit(content, breaks, tuple(above), ""))
            at = span.end
        beside, inside = self._gap(at, closing, keeps)
        while inside and not inside[-1]:
            inside.pop()
        self._beside(units, beside)
        return tuple(units), behind, tuple(inside)

    def _beside(self, units: list[Unit[T]], comment: str) -> str:
        """Put a comment beside the last part; return it if there is none yet."""
        if not units:
            return comment
        units[-1] = replace(units[-1], beside=comment)
        return ""

    def _gap(self, start: int, end: int, keeps: bool = True) -> tuple[str, list[str]]:
        """Return the comment on the line on which the gap begins, and the other comments up to an offset. If blank
        lines are kept, an empty comment stands for them."""
        comments, beside = self._comments.before(end), ""
        if comments and comments[0].span.start >= start and "\n" not in self._text[start : comments[0].span.start]:
            beside, start, comments = comments[0].text, comments[0].span.end, comments[1:]
        above: list[str] = []
        for comment in comments:
            above += [""] * (keeps and self._has_blank_line(start, comment.span.start))
            above.append(comment.text)
            start = comment.span.end
        return beside, above + [""] * (keeps and self._has_blank_line(start, end))

    def _has_blank_line(self, start: int, end: int) -> bool:
        return _BLANK_LINE.search(self._text, start, end) is not None

    def _find(self, sign: str, start: int) -> int:
        """Return the offset of the next occurrence of a symbol outside comments."""
        at = self._text.find(sign, start)
        while (comment := self._comments.at(at)) is not None:
            at = self._text.find(sign, comment.span.end)
        return at

    def _closing(self, start: int) -> int:
        """Return the offset of the parenthesis that closes the next opening one, ignoring comments."""
        at = self._find("(", start)
        depth = 1
        while depth:
            opening, at = self._find("(", at + 1), self._find(")", at + 1)
            if 0 <= opening < at:
                depth, at = depth + 1, opening
            else:
                depth -= 1
        return at

    def _element(self, item: ast.ChainItem) -> tuple[LayoutPiece, ...]:
        if isinstance(item, ast.WrittenLayer):
            return self._layer(item)
        if isinstance(item, ast.Group):
            return (self._group(item.body, item.span.start, item.span.end - 1, item.lets),)
        if isinstance(item, ast.Merge):
            return (self._merge(item),)
        if isinstance(item, ast.Repeat):
            return (*self._element(item.body), f"*{unparse.count(item.count)}")
        if isinstance(item, ast.Optional):
            return (*self._element(item.body), f"?{item.name or ''}")
        if isinstance(item, ast.Label):
            return (f"{unparse.name(item.name)}: ", *self._element(item.body))
        if isinstance(item, ast.Ref | ast.Again):
            return (("@" if isinstance(item, ast.Ref) else "again ") + unparse.name(item.name),)
        if isinstance(item, ast.Tap):
            mode = f"({item.mode})" if item.mode else ""
            return (f"tap {unparse.template(item.name)}{mode}: ", *self._element(item.body))
        if isinstance(item, ast.Equation):
            raise AssertionError("an equation is a chain of its own")
        return self._choice(item)

    def _choice(self, item: ast.Either | ast.Conditional | ast.For | ast.Each) -> tuple[LayoutPiece, ...]:
        if isinstance(item, ast.For):
            return self._for(item)
        if isinstance(item, ast.Each):
            return self._for(item.table, "each")
        if isinstance(item, ast.Either):
            pieces = [piece for each in item.choices for piece in (" or ", *self._element(each))]
            return tuple(pieces[1:])
        body = self._element(item.body)
        test = f" if {unparse.condition(item.test)}"
        if item.otherwise is None:
            return (*body, test)
        return (*body, f"{test} else ", *self._element(item.otherwise))

    def _layer(self, item: ast.WrittenLayer) -> tuple[LayoutPiece, ...]:
        head = unparse.head(item, self._defined)
        if not item.arguments:
            return (head if item.arguments is None else f"{head}()",)
        spans = [each.span for each in item.arguments]
        texts = [_argument(each) for each in item.arguments]
        closing = item.span.end - 1
        return (self._list(f"{head}(", spans, lambda at: (texts[at],), spans[0].start, closing, keeps=False),)

    # Brackets

    def _list(
        self,
        text: str,
        spans: Sequence[Span],
        build: Callable[[int], tuple[LayoutPiece, ...]],
        opening: int,
        closing: int,
        keeps: bool,
    ) -> Brackets:
        """Return parts separated by commas, in parentheses."""
        entries, beside, inside = self._units(spans, build, opening, closing, keeps)
        return Brackets("list", text, (_unit(Run(",", entries)),), ")", beside=beside, inside=inside)

    def _group(self, chain: ast.Chain, opening: int, closing: int, lets: Sequence[ast.Let] = ()) -> Brackets:
        """Return a chain in square brackets; brackets alone in them open and close together: `[(` … `)]`."""
        chains = (*lets, *_chains(chain))
        spans = [each.span for each in chains]
        runs, beside, inside = self._units(
            spans, lambda number: self._named(chains[number]), opening, closing, keeps=True
        )
        first = runs[0].content.entries[0].content[0]
        is_alone = len(runs[0].content.entries) == len(runs[0].content.entries[0].content) == 1
        if is_alone and len(runs) == 1 and isinstance(first, Brackets) and first.style in ("group", "merge", "call"):
            above = (*runs[0].above, *runs[0].content.entries[0].above)
            if not (above or runs[0].beside or beside or inside):
                return replace(first, open=f"[{first.open}", close=f"{first.close}]")
        return Brackets("group", "[", runs, "]", beside=beside, inside=inside)

    def _named(self, chain: ast.Let | ast.Chain | ast.Equation) -> Run:
        """Return one of the chains in square brackets, with its name."""
        if isinstance(chain, ast.Let):
            return Run(",", (_unit((_sentence(chain),)),))
        if isinstance(chain, ast.Chain):
            return self._chain(chain)
        first, *others = self._chain(chain.body).entries
        return Run("->", (replace(first, content=(_defining(chain), *first.content)), *others))

    def _merge(self, item: ast.Merge) -> Brackets:
        spans = [branch.span for branch in item.branches]
        is_call = item.operator not in ("+", "|")
        opening, closing = self._find("(", item.span.start), item.span.end - 1
        runs, beside, inside = self._units(
            spans, lambda number: self._chain(item.branches[number]), opening, closing, keeps=True
        )
        if is_call:
            return Brackets("call", f"{item.operator}(", runs, ")", beside=beside, inside=inside)
        leading = f"({item.operator} " if len(item.branches) == 1 else "("
        return Brackets("merge", leading, runs, ")", item.operator, beside, inside)

    def _for(self, item: ast.For, keyword: str = "for") -> tuple[LayoutPiece, ...]:
        names = f"{keyword} {', '.join(item.names)} in "
        opening = self._find("[", item.span_of_rows.end)
        if item.is_range:
            first, last = (unparse.end_of_range(expr, expr is item.rows[-1]) for expr in item.rows)
            return (f"{names}{first}..{last} ", self._group(item.body, opening, item.span.end - 1))
        spans = [row.span for row in item.rows]
        entries, _, inside = self._units(
            spans, lambda number: self._row(item.rows, number), spans[0].start, opening, keeps=True
        )
        rows = Brackets("rows", "", (_unit(Run(",", entries)),), "", inside=inside)
        return (names, rows, " ", self._group(item.body, opening, item.span.end - 1))

    def _row(self, rows: Sequence[Expr], number: int) -> tuple[LayoutPiece, ...]:
        if len(rows) == 1 and isinstance(rows[0], ListExpr):
            return self._value("", rows[0])
        return (unparse.row(rows[number], number == len(rows) - 1),)


def _without_leading(comments: list[str]) -> list[str]:
    """Return comments without the blank lines before the first one."""
    first = next((at for at, comment in enumerate(comments) if comment), len(comments))
    return comments[first:]


def _chains(chain: ast.Chain) -> tuple[ast.Chain | ast.Equation, ...]:
    """Return the chains in square brackets: the first one, and those that follow it."""
    number = next((at for at, each in enumerate(chain.items) if isinstance(each, ast.Equation)), len(chain.items))
    plain, further = chain.items[:number], chain.items[number:]
    first = (ast.Chain(plain, plain[0].span.to(plain[-1].span)),) if plain else ()
    return (*first, *(each for each in further if isinstance(each, ast.Equation)))


def _defining(equation: ast.Equation) -> str:
    return f"{unparse.template(equation.name)} = " if equation.name else ""


def _unit(content: T) -> Unit[T]:
    return Unit(content, False, (), "")


def _argument(argument: ast.Argument) -> str:
    value = unparse.expression(argument.value)
    return value if argument.name is None else f"{argument.name}={value}"


def _domain(domain: ast.Domain) -> str:
    if domain.is_range:
        return "..".join(unparse.end_of_range(value, is_last=False) for value in domain.values)
    return f"{{{', '.join(map(unparse.expression, domain.values))}}}"


def _sentence(statement: ast.Version | ast.Use | ast.Let | ast.Assert | ast.Outputs) -> str:
    if isinstance(statement, ast.Version):
        return f"cnn {statement.span.text.split()[-1]}"
    if isinstance(statement, ast.Use):
        return f'use "{statement.path}": {", ".join(name for name, _ in statement.names)}'
    if isinstance(statement, ast.Outputs):
        return f"output {', '.join(unparse.path(name.split('.')) for name, _ in statement.names)}"
    if isinstance(statement, ast.Let):
        return f"let {statement.name} = {unparse.expression(statement.value)}"
    return f"assert {unparse.expression(statement.test)}"
