"""Reading a long chain: how far lark with our builder is from a hand-written parser, and from no parser at all.

    python benchmarks/parsing.py [--layers 30000] [--runs 5]

Microseconds a layer of a chain of `CONV3-8`, `BN` and `RELU` in brackets, written out, least and median of runs in
turns. The hand-written parser knows this subset of the language alone (a chain of kinds with a size and a width, in
brackets, and INPUT's volume) and gives the very tree that ours gives, which is checked; a whole one would be slower.
`bare tokens` only cuts the text into words with one regular expression: no parser in Python is faster than that.
"""

from __future__ import annotations

import argparse
import re

from clock import in_turns, timed
from scaling import program

from cnndsl.errors import Source, Span
from cnndsl.expressions import Literal
from cnndsl.syntax import ast
from cnndsl.syntax.limits import check_text, check_tree
from cnndsl.syntax.parse import _parse_from, parse

WORD = re.compile(r"\s*(?:(->)|(\[)|(\])|([A-Za-z_]+)([0-9]*)(?:-([0-9]+))?|([0-9]+(?:x[0-9]+)*))")


class Hand:
    """A parser of chains by recursive descent, as one writes it without tools."""

    def __init__(self, source: Source) -> None:
        self.source, self.at = source, 0
        self.token = self._next()

    def _next(self) -> re.Match[str] | None:
        match = WORD.match(self.source.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def _take(self, group: int) -> re.Match[str] | None:
        token = self.token
        if token is None or token[group] is None:
            return None
        self.token = self._next()
        return token

    def chain(self) -> ast.Chain:
        items = [self._element()]
        while self._take(1):
            items.append(self._element())
        return ast.Chain(tuple(items), items[0].span.to(items[-1].span))

    def _element(self) -> ast.ChainItem:
        opening = self._take(2)
        if opening is None:
            return self._layer()
        body, closing = self.chain(), self._take(3)
        assert closing is not None
        return ast.Group(body, Span(self.source, opening.start(2), closing.end()))

    def _layer(self) -> ast.WrittenLayer:
        token = self._take(4)
        assert token is not None
        width = self._number(token, 6) if token[6] else None
        volume: tuple[Literal, ...] = ()
        end = token.end()
        if token[4] == "INPUT" and (extents := self._take(7)):
            volume, end = tuple(self._extents(extents)), extents.end()
        return ast.WrittenLayer(
            token[4] + token[5], (), width, None, volume, None, Span(self.source, token.start(4), end)
        )

    def _number(self, token: re.Match[str], group: int) -> Literal:
        return Literal(int(token[group]), token[group], Span(self.source, *token.span(group)))

    def _extents(self, token: re.Match[str]) -> list[Literal]:
        at, found = token.start(7), list[Literal]()
        for extent in token[7].split("x"):
            found.append(Literal(int(extent), extent, Span(self.source, at, at + len(extent))))
            at += len(extent) + 1
        return found


def by_hand(source: Source) -> tuple[ast.Statement, ...]:
    chain = Hand(source).chain()
    return (ast.Main(chain, chain.span),)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=30_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    source = Source("net.cnn", program("chain", options.layers, True))
    file = parse(source)
    assert by_hand(source) == file.statements
    assert _parse_from(source, 0)[0] == file.statements
    actions = {
        "bare tokens": lambda: sum(1 for _ in WORD.finditer(source.text)),
        "hand-written, of this subset": lambda: by_hand(source),
        "lark and our builder": lambda: _parse_from(source, 0),
        "ours, with all checks": lambda: parse(source),
        "of it characters and brackets": lambda: check_text(source),
        "of it depth of the tree": lambda: check_tree(file),
    }
    times = in_turns({name: lambda action=action: timed(action) for name, action in actions.items()}, options.runs)
    hand = times["hand-written, of this subset"]
    print(f"{'reading':<32}{'least':>10}{'median':>10}{'to hand':>9}")
    for name, each in times.items():
        cells = "".join(f"{seconds / options.layers * 1e6:>7.2f} us" for seconds in (each.least, each.median))
        print(f"{name:<32}{cells}{each.to(hand):>9.2f}")


if __name__ == "__main__":
    main()
