"""Convert the parser's reductions to the syntax tree: one method for each rule of the grammar.

lark calls a method with the children of its rule, punctuation included; the first and the last give the span.
"""

from __future__ import annotations

import re
from typing import Any

from cnndsl.errors import CnnError, Source, Span
from cnndsl.expr import error
from cnndsl.expressions import Expr, ReferenceExpr
from cnndsl.syntax import ast, words
from cnndsl.syntax.build_expressions import ExpressionBuilder, Hole, RuleChildren, Token
from cnndsl.syntax.words import Word


class TreeBuilder(ExpressionBuilder):
    """Builds the tree of a source and collects its comments.

    lark saves a builder with the tables (`generate`) and calls the one that it loads with them (`parse`).
    """

    def __init__(self) -> None:
        super().__init__()
        self.comments: list[ast.Comment] = []
        self._let_brackets: list[ast.Group] = []
        """The groups with a `let` at their head that have not been matched to a block yet."""

    def __reduce__(self) -> tuple[type[TreeBuilder], tuple[()]]:
        """Pickle only the name of the class, so that the tables contain nothing of a source."""
        return TreeBuilder, ()

    def begin(self, source: Source) -> None:
        """Build the tree of this source from now on."""
        self.source, self.comments, self._let_brackets = source, [], []

    def comment(self, token: Token) -> Token:
        """Collect a comment, which the grammar ignores."""
        text = str(token).rstrip()
        span = Span(self.source, token.start_pos, token.start_pos + len(text))
        self.comments.append(ast.Comment(text, span))
        return token

    # Statements

    def file(self, c: RuleChildren) -> tuple[ast.Statement, ...]:
        """Build `statement*`."""
        if self._let_brackets:
            raise self._misplaced_let()
        return tuple(c)

    def _misplaced_let(self) -> CnnError:
        first = self._let_brackets[0].lets[0]
        message = "inside square brackets, `let` may only come first, and only if the brackets are the body of a block"
        help = f"put it before the chain of its block, `block B = {first.span.text}  A -> B`"
        return error("E0249", message, first.span, help)

    def version(self, c: RuleChildren) -> ast.Version:
        """Build `"cnn" NUMBER`."""
        value = words.number(str(c[1]), self._at(c[1])).value
        return ast.Version(value if isinstance(value, int) else -1, self._span(c))

    def net(self, c: RuleChildren) -> ast.Net:
        """Build `"net" NAME parameters?`."""
        return ast.Net(str(c[1]), c[2].items if len(c) > 2 else None, self._span(c))

    def use(self, c: RuleChildren) -> ast.Use:
        """Build `"use" STRING ":" NAME ("," NAME)*`."""
        names = tuple((str(token), self._at(token)) for token in c[3::2])
        return ast.Use(str(c[1])[1:-1], names, self._at(c[1]), self._span(c))

    def let(self, c: RuleChildren) -> ast.Let:
        """Build `"let" NAME "=" expr`."""
        return ast.Let(str(c[1]), c[3], self._span(c))

    def default(self, c: RuleChildren) -> ast.Default:
        """Build `"default" layer`."""
        return ast.Default(c[1], self._span(c))

    def block(self, c: RuleChildren) -> ast.Block:
        """Build `"block" NAME parameters? "=" let* chain`."""
        parameters = c[2].items if isinstance(c[2], _Items) else None
        lets = tuple(each for each in c if isinstance(each, ast.Let))
        made = ast.Block(str(c[1]), parameters, c[-1], self._at(c[1]), self._span(c), lets)
        if self._let_brackets and (lets or self._let_brackets[-1] is not made.body.items[0] or not made.values):
            raise self._misplaced_let()
        self._let_brackets.clear()
        return made

    def assert_(self, c: RuleChildren) -> ast.Assert:
        """Build `"assert" expr`."""
        return ast.Assert(c[1], self._span(c))

    def main(self, c: RuleChildren) -> ast.Main:
        """Build `(name ":")? layer ("->" element)*`."""
        items = [each for each in c if not hasattr(each, "type")]
        if isinstance(items[0], Word):
            name, first = items[0], items[1]
            items[:2] = [ast.Label(words.label(name), first, name.span, name.span.to(first.span))]
        span = items[0].span.to(items[-1].span)
        return ast.Main(ast.Chain(tuple(items), span), span)

    def equation(self, c: RuleChildren) -> ast.Equation:
        """Build `defined "=" chain` or `restart`."""
        body: ast.Chain = c[-1]
        if len(c) == 1:
            return ast.Equation((), body, body.span, body.span)
        return ast.Equation(words.label(c[0]), body, c[0].span, self._span(c))

    def defined(self, c: RuleChildren) -> Word:
        """Build `EQUATION (hole TAIL?)*`."""
        return self.word(c)

    def restart(self, c: RuleChildren) -> ast.Chain:
        """Build `start ("->" element)*`."""
        return ast.Chain(tuple(c[::2]), self._span(c))

    def start(self, c: RuleChildren) -> ast.Ref:
        """Build `reference`."""
        return ast.Ref(c[0].parts, c[0].span)

    def output(self, c: RuleChildren) -> ast.Outputs:
        """Build `OUTPUT path_of_output ("," path_of_output)*`."""
        return ast.Outputs(tuple((words.unquoted(str(token)), self._at(token)) for token in c[1::2]), self._span(c))

    def path_of_output(self, c: RuleChildren) -> Token:
        """Build `NAME | PATH | LONG_PATH | ORDINAL | QUOTED`."""
        return c[0]

    def chains(self, c: RuleChildren) -> ast.Chain:
        """Build `chain equation+` or `defined "=" chain equation*`."""
        if isinstance(c[0], ast.Chain):
            return ast.Chain((*c[0].items, *c[1:]), self._span(c))
        first = self.equation(c[:3])
        return ast.Chain((first, *c[3:]), self._span(c))

    def parameters(self, c: RuleChildren) -> _Items:
        """Build `"(" (parameter ("," parameter)*)? ")"`."""
        return _Items(tuple(c[1:-1:2]), self._span(c))

    def parameter(self, c: RuleChildren) -> ast.Parameter:
        """Build `NAME ("in" domain)? ("=" expr)?`."""
        domain = c[2] if len(c) > 2 and c[1] == "in" else None
        default = c[-1] if len(c) > 2 and c[-2] == "=" else None
        return ast.Parameter(str(c[0]), domain, default, self._span(c))

    def domain(self, c: RuleChildren) -> ast.Domain:
        """Build `sum ".." sum` or `"{" expr ("," expr)* "}"`."""
        is_range = c[0] != "{"
        return ast.Domain((c[0], c[2]) if is_range else tuple(c[1::2]), is_range, self._span(c))

    # Composition

    def chain(self, c: RuleChildren) -> ast.Chain:
        """Build `element ("->" element)*`."""
        return ast.Chain(tuple(c[::2]), self._span(c))

    def conditional(self, c: RuleChildren) -> ast.Conditional:
        """Build `part "if" test ("else" element)?` or `either "if" test ("else" element)?`."""
        return ast.Conditional(c[0], c[2], c[4] if len(c) > 4 else None, self._span(c))

    def either(self, c: RuleChildren) -> ast.Either:
        """Build `part ("or" part)+`."""
        return ast.Either(tuple(c[::2]), self._span(c))

    def label(self, c: RuleChildren) -> ast.Label:
        """Build `label_name ":" postfix`."""
        self._check_label(c[0])
        return ast.Label(words.path(c[0]), c[2], c[0].span, self._span(c))

    def _check_label(self, word: Word) -> None:
        """Raise CnnError for `CONV3-64: conv1`, where the label follows its layer."""
        if not re.search("[-/]", word.span.text) or '"' in word.span.text:
            return
        from cnndsl.syntax.pasted_fixes import label_behind

        help = label_behind(self.source, word.span.start)
        if help is not None:
            raise error("E0106", f"`{word.span.text}` is a layer, not a label", word.span, help)

    def tap(self, c: RuleChildren) -> ast.Tap:
        """Build `"tap" name ("(" NAME ")")? ":" postfix`."""
        mode: Token | None = c[3] if len(c) > 4 else None
        if mode is not None and str(mode) != "train":
            help = "remove the parentheses if the output always exists"
            raise error("E0107", f"a tap can only be for `train`, not for `{mode}`", self._at(mode), help)
        return ast.Tap(words.label(c[1]), str(mode) if mode else None, c[-1], c[1].span, self._span(c))

    def repeat(self, c: RuleChildren) -> ast.Repeat:
        """Build `postfix "*" count`."""
        count: Expr | Hole = c[2]
        return ast.Repeat(c[0], count.value if isinstance(count, Hole) else count, self._span(c))

    def optional(self, c: RuleChildren) -> ast.Optional:
        """Build `postfix OPTIONAL`."""
        return ast.Optional(c[0], str(c[1])[1:] or None, self._span(c))

    def ref(self, c: RuleChildren) -> ast.Ref:
        """Build `reference`."""
        return ast.Ref(c[0].parts, c[0].span)

    def again(self, c: RuleChildren) -> ast.Again:
        """Build `AGAIN piece*`."""
        name, place = str(c[0])[len("again") :].lstrip(), self._at(c[0])
        first = Word(((name, Span(self.source, place.end - len(name), place.end)),), place)
        word = self.path_name([first, *c[1:]])
        return ast.Again(words.path(word, is_reference=True), self._span(c))

    def group(self, c: RuleChildren) -> ast.Group:
        """Build `"[" let* chains "]"` or `"(" chain ")"`."""
        made = ast.Group(c[-2], self._span(c), tuple(c[1:-2]))
        if made.lets:
            self._let_brackets.append(made)
        return made

    def merge(self, c: RuleChildren) -> ast.Merge:
        """Build `"(" chain ("+" chain)+ ")"` or `"(" chain ("|" chain)+ ")"`."""
        return ast.Merge(str(c[2]), tuple(c[1::2]), self._span(c))

    def leading_merge(self, c: RuleChildren) -> ast.Merge:
        """Build `"(" ("+" | "|") chain ")"`."""
        return ast.Merge(str(c[1]), (c[2],), self._span(c))

    def called_merge(self, c: RuleChildren) -> ast.Merge:
        """Build `MERGE "(" chain ("," chain)* ","? ")"`."""
        branches = tuple(each for each in c if isinstance(each, ast.Chain))
        return ast.Merge(str(c[0]).upper(), branches, self._span(c))

    def for_(self, c: RuleChildren) -> ast.For | ast.Each:
        """Build `("for" | EACH) NAME ("," NAME)* "in" rows "[" chain "]"`."""
        at = next(index for index, each in enumerate(c) if isinstance(each, _Rows))
        names, rows = tuple(map(str, c[1 : at - 1 : 2])), c[at]
        table = ast.For(names, rows.items, rows.span, c[-2], self._span(c), rows.is_range)
        return ast.Each(table, table.span) if c[0].type == "EACH" else table

    def rows(self, c: RuleChildren) -> _Rows:
        """Build `row ("," row)*`."""
        return _Rows(tuple(c[::2]), c[0].span.to(c[-1].span))

    def range(self, c: RuleChildren) -> _Rows:
        """Build `row_sum ".." row_sum`."""
        return _Rows((c[0], c[2]), self._span(c), is_range=True)

    def braces(self, c: RuleChildren) -> Hole:
        """Build `"{" expr "}"`."""
        return Hole(c[1], self._span(c))

    # Layers

    def layer(self, c: RuleChildren) -> ast.WrittenLayer:
        """Build `word dims? arguments?`."""
        word: Word = c[0]
        arguments: tuple[ast.Argument, ...] | None = None
        volume: tuple[Expr, ...] = ()
        for part in c[1:]:
            if isinstance(part, Word):
                volume = words.input_dims(part)
            else:
                arguments = part.items
        first, place = word.pieces[0]
        if isinstance(first, str) and first.upper() == "INPUT":
            if len(word.pieces) > 1 and not volume:
                volume = words.input_dims(Word(word.pieces[1:], word.span))
                word = Word((), place)
            word = Word((("INPUT", place), *word.pieces[1:]), word.span)
        if volume or len(word.pieces) > 1:
            self._check_gap(word, volume)
        head, span = words.head(word), word.span if len(c) == 1 else self._span(c)
        return ast.WrittenLayer(head.name, head.size, head.width, head.stride, volume, arguments, span)

    def _check_gap(self, word: Word, volume: tuple[Expr, ...]) -> None:
        words.joined(word.pieces)
        if not volume:
            return
        name = word.span.text
        if name.upper() != "INPUT":
            place = word.span.to(volume[-1].span)
            from cnndsl.syntax.gap_fixes import after_a_gap

            raise after_a_gap(word.span, place)

    def word(self, c: RuleChildren) -> Word:
        """Build `WORD (hole TAIL?)*`."""
        if len(c) == 1:
            span = self._span(c)
            return Word(((str(c[0]), span),), span)
        pieces = [(each if isinstance(each, Hole) else str(each), self._span([each])) for each in c]
        flat = tuple((piece.value if isinstance(piece, Hole) else piece, span) for piece, span in pieces)
        if str(c[0]).upper() != "INPUT":
            return words.joined(flat)
        return Word(flat, self._span(c))

    def dims(self, c: RuleChildren) -> Word:
        """Build `DIMS (hole TAIL?)*`."""
        return self.word(c)

    def hole(self, c: RuleChildren) -> Hole:
        """Build `"{" expr "}"`."""
        return Hole(c[1], self._span(c))

    def arguments(self, c: RuleChildren) -> _Items:
        """Build `"(" (argument ("," argument)* ","?)? ")"`."""
        return _Items(tuple(each for each in c if isinstance(each, ast.Argument)), self._span(c))

    def argument(self, c: RuleChildren) -> ast.Argument:
        """Build `expr` or `NAME "=" expr`."""
        return ast.Argument(str(c[0]) if len(c) > 1 else None, c[-1], self._span(c))

    def name(self, c: RuleChildren) -> Word:
        """Build `word`."""
        return c[0]

    def keyword_name(self, c: RuleChildren) -> Word:
        """Build the rule `keyword_name` of the grammar."""
        return self.word(c)

    def path_name(self, c: RuleChildren) -> Word:
        """Build `(NUMBERED | DOTTED) piece*`, `piece+` or `word quoted piece*`."""
        pieces: list[tuple[str | Expr, Span]] = []
        for each in c:
            if isinstance(each, Word):
                pieces += each.pieces
            else:
                pieces.append((str(each), self._at(each)))
        return words.joined(pieces)

    def hole_piece(self, c: RuleChildren) -> Word:
        """Build `hole TAIL?`."""
        hole: Hole = c[0]
        tail = [(str(each), self._at(each)) for each in c[1:]]
        return Word(((hole.value, hole.span), *tail), self._span(c))

    def quoted(self, c: RuleChildren) -> Word:
        """Build `QUOTED REST?` or `OPENING hole (TAIL? hole)* CLOSING REST?`."""
        texts = [
            (each.value if isinstance(each, Hole) else words.Quoted(each.replace('"', "")), self._span([each]))
            for each in c
        ]
        return Word(tuple(texts), self._span(c))

    def reference(self, c: RuleChildren) -> ReferenceExpr:
        """Build `REFERENCE piece* (STAR piece*)*`."""
        word = self.path_name(c)
        first = str(word.pieces[0][0])[1:]
        rest = Word(((first, word.pieces[0][1]), *word.pieces[1:]), word.span)
        return ReferenceExpr(words.path(rest, is_reference=True), word.span)


class _Items:
    """Items between brackets, and the span of the whole."""

    def __init__(self, items: tuple[Any, ...], span: Span) -> None:
        self.items, self.span = items, span


class _Rows:
    def __init__(self, items: tuple[Expr, ...], span: Span, is_range: bool = False) -> None:
        self.items, self.span, self.is_range = items, span, is_range
