"""Strategies for whole programs: blocks, branches, labels, references, repeats, families, in 1-D to 3-D.

Shapes are tracked here, independently of the compiler: a generated program is valid, and the compiler must accept it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from hypothesis import strategies as st

from cnndsl.shape import Shape
from cnndsl.testing.layers import MOST_CHANNELS, Drawn, layers

DEEPEST = 3
_GRIDS = {1: (12, 24), 2: (5, 10), 3: (3, 6)}
_ACTIVATIONS = ("RELU", "SIGMOID", "TANH", "LEAKYRELU(0.1)", "GELU", "SILU")


@dataclass
class Book:
    """The contents of a program so far besides its chain: definitions, settings, names."""

    statements: list[str] = field(default_factory=list[str])
    parameters: list[str] = field(default_factory=list[str])
    names: int = 0

    def name(self, stem: str) -> str:
        """Generate a name that is not used yet."""
        self.names += 1
        return f"{stem}{self.names}"


@st.composite
def programs(draw: st.DrawFn, ranks: tuple[int, ...] = (1, 2, 3)) -> str:
    """Generate a valid program, small enough to run: up to a few dozen layers on a small input."""
    rank = draw(st.sampled_from(ranks))
    spatial = tuple(draw(st.lists(st.integers(*_GRIDS[rank]), min_size=rank, max_size=rank)))
    shape = Shape(draw(st.integers(1, 6)), spatial)
    book = Book()
    body = draw(chains(book, shape, 0, draw(st.integers(1, 5))))
    tail = draw(st.sampled_from(["", "", " -> GAP -> FC-{}", " -> FC-{}"]))
    if body.shape.rank == 0:
        tail = ""
    net = f"net Drawn({', '.join(book.parameters)})\n\n" if book.parameters else ""
    text = f"INPUT {shape}\n-> {body.text}{tail.format(draw(st.integers(1, 5)))}\n"
    return net + "".join(f"{statement}\n\n" for statement in book.statements) + text


@st.composite
def chains(draw: st.DrawFn, book: Book, shape: Shape, depth: int, length: int, keep: bool = False) -> Drawn:
    """Generate `length` elements in sequence; with `keep`, the output shape of each is its input shape."""
    texts: list[str] = []
    for _ in range(length):
        drawn = draw(elements(book, shape, depth, keep))
        texts.append(drawn.text)
        shape = drawn.shape
    return Drawn(" -> ".join(texts), shape)


@st.composite
def elements(draw: st.DrawFn, book: Book, shape: Shape, depth: int, keep: bool) -> Drawn:
    """Generate one element: usually a layer, otherwise a construct of the language."""
    if depth >= DEEPEST or shape.rank == 0 or draw(st.integers(0, 2)) > 0:
        return draw(layers(shape, keep=keep))
    keeping = [_repeat, _residual, _gate, _maximum, _labelled, _optional, _conditional, _referenced]
    changing = [_projected, _concatenated, _each, _called, _table, _sized, _tapped]
    construct = draw(st.sampled_from(keeping if keep else [*keeping, *changing]))
    drawn = construct(draw, book, shape, depth + 1)
    return drawn if drawn.shape.channels <= MOST_CHANNELS else Drawn("TANH", shape)


def _inner(draw: st.DrawFn, book: Book, shape: Shape, depth: int, keep: bool = True) -> Drawn:
    return draw(chains(book, shape, depth, draw(st.integers(1, 2)), keep))


def _repeat(draw: st.DrawFn, book: Book, shape: Shape, _depth: int) -> Drawn:
    """Generate a repeat of plain layers, since a label inside would occur twice."""
    body = draw(chains(book, shape, DEEPEST, draw(st.integers(1, 2)), keep=True))
    label = draw(st.sampled_from(["", book.name("turn") + "_{i}: "]))
    inner = f"{label}[{body.text}]" if label else body.text
    return Drawn(f"[{inner}]*{draw(st.integers(1, 3))}", shape)


def _residual(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    branches = [_inner(draw, book, shape, depth).text, draw(st.sampled_from(["ID", f"ID or CONV1-{shape.channels}"]))]
    return Drawn(f"({' + '.join(draw(st.permutations(branches)))})", shape)


def _projected(draw: st.DrawFn, _book: Book, shape: Shape, _depth: int) -> Drawn:
    """Generate strided convolutions with `same` padding, and the matching projection: ceil(W / stride) on both
    sides."""
    width, stride = draw(st.integers(1, 8)), draw(st.integers(1, 2))
    given = Shape(width, tuple(-(-extent // stride) for extent in shape.spatial))
    kernel = draw(st.integers(1, 4))
    activation = draw(st.sampled_from(_ACTIVATIONS))
    return Drawn(f"(CONV{kernel}-{width}/{stride} -> {activation} + ID or [CONV1-{width}/{stride} -> BN])", given)


def _gate(draw: st.DrawFn, _book: Book, shape: Shape, _depth: int) -> Drawn:
    squeezed = draw(st.integers(1, 4))
    excite = draw(
        st.sampled_from([f"FC-{squeezed} -> RELU -> FC-{{}}", f"CONV1-{squeezed} -> RELU -> CONV1-{{}}", "CONV1-{}"])
    )
    channels = draw(st.sampled_from([shape.channels, 1]))
    return Drawn(f"MUL(ID, GAP -> {excite.format(channels)} -> SIGMOID)", shape)


def _maximum(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    merge = draw(st.sampled_from(["MAX", "MEAN", "SUB"]))
    branches = [_inner(draw, book, shape, depth).text for _ in range(2 if merge == "SUB" else draw(st.integers(2, 3)))]
    return Drawn(f"{merge}({', '.join(branches)})", shape)


def _concatenated(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    texts, channels = list[str](), 0
    for _ in range(draw(st.integers(2, 3))):
        first = _inner(draw, book, shape, depth).text
        width = draw(st.integers(0, 5))
        texts.append(f"{first} -> CONV1-{width}" if width else first)
        channels += width or shape.channels
    return Drawn(f"({' | '.join(texts)})", replace(shape, channels=channels))


def _each(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    """Generate branches that differ in their dilation and their width, beside another one or alone."""
    rows = draw(st.lists(st.tuples(st.integers(1, 3), st.integers(1, 4)), min_size=1, max_size=3))
    shown = ", ".join(f"({dilation}, {width})" for dilation, width in rows)
    label = draw(
        st.sampled_from(["", book.name("branch") + "_{w}_{d}: "]) if len({*rows}) == len(rows) else st.just("")
    )
    each = f"each d, w in {shown} [{label}[CONV3-w(dilation=d) -> {draw(st.sampled_from(_ACTIVATIONS))}]]"
    channels = sum(width for _, width in rows)
    if draw(st.booleans()):
        return Drawn(f"(| {each})", replace(shape, channels=channels))
    other = _inner(draw, book, shape, depth).text
    return Drawn(f"({other} | {each})", replace(shape, channels=shape.channels + channels))


def _labelled(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    return Drawn(f"{book.name('part')}: [{_inner(draw, book, shape, depth).text}]", shape)


def _referenced(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    name = book.name("skip")
    body = _inner(draw, book, shape, depth).text
    return Drawn(f"{name}: TANH -> {body} -> (ID + @{name})", shape)


def _optional(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    name = draw(st.sampled_from(["", book.name("maybe")]))
    return Drawn(f"[{_inner(draw, book, shape, depth).text}]?{name}", shape)


def _conditional(draw: st.DrawFn, book: Book, shape: Shape, depth: int) -> Drawn:
    number = book.name("n")
    book.parameters.append(f"{number} in 0..3 = {draw(st.integers(0, 3))}")
    one, other = (_inner(draw, book, shape, depth).text for _ in range(2))
    return Drawn(f"[{one}] if {number} % 2 == 0 else [{other}]", shape)


def _table(draw: st.DrawFn, _book: Book, shape: Shape, _depth: int) -> Drawn:
    rows = draw(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=3))
    shown = ", ".join(f"({width}, {kernel})" for width, kernel in rows)
    activation = draw(st.sampled_from(_ACTIVATIONS))
    return Drawn(f"for w, k in {shown} [CONV{{k}}-w -> {activation}]", replace(shape, channels=rows[-1][0]))


def _sized(draw: st.DrawFn, book: Book, shape: Shape, _depth: int) -> Drawn:
    name = book.name("width")
    value = draw(st.integers(1, 6))
    book.statements.append(f"let {name} = {value}")
    return Drawn(f"CONV3-{{2*{name}}}", replace(shape, channels=2 * value))


def _tapped(draw: st.DrawFn, book: Book, shape: Shape, _depth: int) -> Drawn:
    mode = draw(st.sampled_from(["", "(train)"]))
    return Drawn(f"tap {book.name('aux')}{mode}: [GAP -> FC-{draw(st.integers(1, 4))}] -> TANH", shape)


def _called(draw: st.DrawFn, book: Book, shape: Shape, _depth: int) -> Drawn:
    """Generate calls of one block with different numbers."""
    blocks = [_plain_block, _residual_block, _dense_block, _choosing_block]
    block: Callable[[st.DrawFn, str], str] = draw(st.sampled_from(blocks))
    name = book.name("Block")
    book.statements.append(block(draw, name))
    texts: list[str] = []
    for _ in range(draw(st.integers(1, 3))):
        width, stride = draw(st.integers(1, 4)), draw(st.integers(1, 2)) if block is _residual_block else 1
        second = (
            draw(st.sampled_from(["", ", no"])) if block is _choosing_block else f", {stride}" if stride > 1 else ""
        )
        texts.append(f"{name}({width}{second})")
        grown = shape.channels + width if block is _dense_block else width
        shape = Shape(grown, tuple(-(-extent // stride) for extent in shape.spatial))
    return Drawn(" -> ".join(texts), shape)


def _plain_block(draw: st.DrawFn, name: str) -> str:
    activation = draw(st.sampled_from(_ACTIVATIONS))
    return f"block {name}(c) = conv: CONV{draw(st.integers(1, 4))}-c(bias=no) -> bn: BN -> {activation}"


def _residual_block(draw: st.DrawFn, name: str) -> str:
    kernel, ratio = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    inner = f"conv1: CONV1-{{{ratio}*c}} -> BN -> RELU -> conv2: CONV{kernel}-c/s -> bn2: BN"
    return f"block {name}(c, s=1) = (\n    {inner}\n  + ID or down: [CONV1-c/s -> BN]\n) -> RELU"


def _dense_block(draw: st.DrawFn, name: str) -> str:
    return f"block {name}(k) = (ID | BN -> RELU -> CONV{draw(st.integers(1, 3))}-k)"


def _choosing_block(draw: st.DrawFn, name: str) -> str:
    """Generate a block whose layers depend on the call site."""
    steps = [
        "(ID + CONV3-c)",
        "(ID | CONV1-c) -> CONV1-c",
        "MUL(ID, GAP -> CONV1-c -> SIGMOID)",
        "CONV3-c -> (ID + @entry)",
        "CONV3-c -> BN",
        "BN -> RELU",
        "(RELU -> CONV1-c + ID or CONV1-c)",
    ]
    some = " -> ".join(draw(st.lists(st.sampled_from(steps), min_size=1, max_size=2)))
    others = " -> ".join(draw(st.lists(st.sampled_from(steps), max_size=2)))
    choice = f"[{some}] if rich else [{others}]" if others else f"[{some}] if rich"
    return f"block {name}(c, rich=yes) = entry: CONV{draw(st.integers(1, 3))}-c -> {choice} -> TANH"
