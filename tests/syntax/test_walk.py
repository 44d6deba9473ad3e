"""Walking over the syntax tree: what is visited, in which order, and what it costs of Python's stack."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import cast

import pytest

from cnndsl.errors import Source, Span
from cnndsl.expressions import Literal, Name
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse

EVERYTHING = """cnn 1
net Net(n in 1..3 = 2, kind)
use "other.cnn": Other, Another
let a = max(n, -4)
default CONV(bias=no)
block B(c=@stem, d in {1, 2}) = CONV{c}x3-{d}/{a}(pad=n)
INPUT 8x{n}x3 -> stem: RELU -> s{n}: [B(c=n) -> BN?]*{n+1} -> (ID or POOL2 + @stem) -> (ID | MUL(ID, @s{n}))
  -> for x, y in (1, n), (2, 3) [FC-x if y > 1 else ID] -> tap t{n}(train): GAP?g
assert stem.output == n
"""


def file_of(text: str) -> ast.File:
    return parse(Source("net.cnn", text))


def everything(thing: object) -> list[object]:
    """The nodes of a tree by recursion over every field."""
    if isinstance(thing, tuple):
        return [node for each in cast("tuple[object, ...]", thing) for node in everything(each)]
    if not is_dataclass(thing) or isinstance(thing, Span | Literal):
        return []
    return [thing, *(node for field in fields(thing) for node in everything(getattr(thing, field.name)))]


def test_every_node_is_visited_once_in_the_order_of_the_fields() -> None:
    file = file_of(EVERYTHING)
    assert [id(node) for node in ast.walk(file.statements)] == [id(node) for node in everything(file.statements)]


def test_the_walk_ends_at_literals() -> None:
    """The value of one can be a tuple, as those of sequences are."""
    (main,) = file_of("INPUT 3 -> RESHAPE(4x2)").statements
    assert not any(isinstance(node, Literal) for node in ast.walk([main]))


def test_children_are_those_of_the_parts() -> None:
    for node in ast.walk(file_of(EVERYTHING).statements):
        flat = [each for part in ast.parts(node) for each in (part if isinstance(part, list) else [part])]
        assert ast.children(node) == flat


def test_parts_tell_a_sequence_from_a_single_node() -> None:
    """A sequence of one item is a sequence; an empty one, and an absent node, is no part."""
    (block,) = file_of("block B(c) = CONV3-c").statements
    assert isinstance(block, ast.Block)
    assert ast.parts(block) == [list(block.parameters or ()), block.body]
    (layer,) = block.body.items
    assert isinstance(layer, ast.WrittenLayer)
    assert ast.parts(layer) == [layer.width]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("net N(n, m=2)", "n m"),
        ("let a = b", "a"),
        ("block B(c) = CONV3-c", "B c"),
        ('use "other.cnn": Other, Another', "Other Another"),
        ("INPUT 3 -> for x, y in (1, 2), (3, 4) [FC-x]*y", "x y"),
        ("INPUT 3 -> a: RELU -> tap b: TANH -> FC-{n}", ""),
    ],
)
def test_bound_names(text: str, names: str) -> None:
    nodes = ast.walk(file_of(text).statements)
    assert [name for node in nodes for name in ast.bound_names(node)] == names.split()


def test_a_deep_tree_takes_no_stack() -> None:
    span = Span(Source("", ""), 0, 0)
    chain = ast.Chain((ast.WrittenLayer("FC", (), Name("n", span), None, (), None, span),), span)
    for _ in range(100_000):
        chain = ast.Chain((ast.Group(chain, span),), span)
    assert sum(1 for _ in ast.walk([ast.Main(chain, span)])) == 200_004
    # Taken apart from the outside: Python frees a nested tuple recursively.
    while isinstance(chain.items[0], ast.Group):
        chain = chain.items[0].body
