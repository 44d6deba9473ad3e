"""What is defined and not used, what hides the shape at hand, and blocks that nothing calls."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.errors import CnnError
from cnndsl.fixes import fixed
from cnndsl.linting.lint import lint
from tests.analysis.linting import messages, said

NET = "INPUT 8x8x3 -> CONV3-4"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"let k = 3\n{NET}", "k"),
        (f"block A = RELU\n{NET}", "A"),
        (f'use "googlenet_2014.cnn": Inception\n{NET}', "Inception"),
        (f"net N(k=3)\n{NET}", "k"),
        ("block A(c, k) = CONV3-c\nINPUT 8x8x3 -> A(4, 3)", "k"),
        ("block A(c) = let m = 2*c\n CONV3-c\nINPUT 8x8x3 -> A(4)", "m"),
        ("block A(c) = [let m = 2*c  CONV3-c]\nINPUT 8x8x3 -> A(4)", "m"),
        # The block has a `k` of its own, so that the file's is not used there.
        ("let k = 3\nblock A(k) = CONV3-k\nINPUT 8x8x3 -> A(4)", "k"),
        (f"{NET} -> x: ID -> RELU", "x"),
    ],
)
def test_what_nothing_uses(text: str, name: str) -> None:
    (message,) = messages("unused", text)
    assert f"`{name}`" in message


def test_a_default_that_nothing_follows() -> None:
    assert messages("unused", f"{NET}\ndefault CONV(bias=no)") == ["no CONV follows this default"]
    assert messages("unused", f"default CONV(bias=no)\n{NET}") == []
    assert messages("unused", f"default BN(eps=0.001)\n{NET}") == ["no BN follows this default"]
    assert messages("unused", "default POOL(ceil=yes)\nINPUT 9x9x3 -> MAXPOOL2") == []


@pytest.mark.parametrize(
    "text",
    [
        "let k = 3\nlet m = 2*k\nINPUT 8x8x3 -> CONV3-m",
        "let act = RELU\nINPUT 8x8x3 -> act",
        "let k = 3\nINPUT 8x8x3 -> CONV3-4\nassert params > k",
        "net N(bn=yes)\nINPUT 8x8x3 -> BN?bn",
        "net N(pool=yes)\nINPUT 8x8x3 -> POOL2?",
        "net N(n=2)\nINPUT 8x8x3 -> [CONV3-4]*n",
        "net N(n=2)\nINPUT 8x8x3 -> [x{n}: CONV3-4]",
        "block A = RELU\nblock B = A\nINPUT 8x8x3 -> B",
        "block A = RELU\nblock B(inner) = inner\nINPUT 8x8x3 -> B(A)",
        "block A(skip) = (ID | @skip)\nINPUT 8x8x3 -> e: CONV3-4 -> A(@e)",
        "block A(pool) = pool2\nINPUT 8x8x3 -> A(POOL)",
        "default CONV(bias=no)\nblock A(conv=CONV3) = conv-8\nINPUT 8x8x3 -> A",
        f"{NET} -> x: ID -> (RELU + @x)",
        f"{NET} -> x: ID -> RELU\nassert x.output == 8x8x4",
        f"{NET} -> [[RELU] -> x{{i}}: ID]*2 -> (ID + @x1 + @x2)",
        f"{NET} -> conv: RELU -> pool: POOL2",
        "block A = [\n  x = ID\n  y = @x -> RELU\n]\nINPUT 8x8x3 -> A",
    ],
)
def test_what_is_used(text: str) -> None:
    try:
        assert messages("unused", text) == []
    except CnnError as stop:
        pytest.skip(str(stop))


@pytest.mark.parametrize(
    "text",
    [
        f"let k = 3\n{NET}",
        f"block A = RELU\n{NET}",
        f'use "googlenet_2014.cnn": Inception\n{NET}',
        f"default BN(eps=0.001)\n{NET}",
        f"{NET} -> x: ID -> RELU",
        "INPUT 3x224x224 -> CONV3-4",
        "INPUT 32x32x3 -> CONV64-3",
    ],
)
def test_a_fix_of_a_warning_removes_it(text: str) -> None:
    graph = cnndsl.loads(text).graph
    changed = fixed(graph.source, [each for each in lint(graph) if each.fix])
    assert changed != text
    assert not [each for each in lint(cnndsl.loads(changed).graph) if each.fix]


@pytest.mark.parametrize(
    "text",
    [
        f"let C = 4\n{NET.replace('-4', '-C')}",
        "net N(H=4)\nINPUT 8x8x3 -> CONV3-H",
        "block A(W) = CONV3-W\nINPUT 8x8x3 -> A(4)",
        "INPUT 8x8x3 -> for C in 4, 8 [CONV3-C]",
    ],
)
def test_a_name_that_hides_an_extent(text: str) -> None:
    assert len(messages("hidden-extent", text)) == 1


def test_a_block_that_nothing_calls_is_looked_at() -> None:
    assert messages("uncalled-block", f"block A(c) = CONV3-c -> CNOV3-4\n{NET}") == [
        "no layer type or block is called `CNOV3`"
    ]
    assert messages("uncalled-block", f"block A(c) = CONV3-c(padd=1)\n{NET}") == ["CONV has no option `padd`"]
    assert messages("uncalled-block", f"block B(c) = CONV3-c\nblock A = B(1, 2)\n{NET}") == [
        "`B` takes 1 argument; this is one too many"
    ]


@pytest.mark.parametrize(
    "block",
    [
        "A(c, act) = CONV3-c -> act -> (ID | @far)",
        "A(c) = CONV3-{C//c} -> FC-{H*W} -> POOL{c}",
        "A(n) = [x{i}: CONV3-{C} -> RELU]*n -> (+ @x*)",
        "A(skip) = let k = C//4  (@skip + ID or CONV1-C) -> CONV1-k",
        "A(w) = for c in w [CONV3-c] -> for k in 1..3 [CONV{k}-8]",
    ],
)
def test_what_depends_on_the_call_is_left_aside(block: str) -> None:
    assert messages("uncalled-block", f"block {block}\n{NET}") == []


def test_repeated_width() -> None:
    text = "let c = 8\nINPUT 32x32x3 -> CONV3-c -> CONV3-2*c"
    assert said("repeated-width", text)[0][1].startswith("did you mean `CONV3-{2*c}`?")
    assert messages("repeated-width", "let n = 8\nINPUT 32x32x3 -> CONV3-4 -> CONV3-2*n") == []
    assert messages("repeated-width", "let c = 8\nINPUT 32x32x3 -> CONV3-c -> [CONV3-2]*c") == []


IDENTITY_LAST = """
block B(c, s=1) = (CONV3-c/s -> BN + {}) -> RELU
INPUT 32x32x32 -> B(32) -> B(64, 2) -> B(64) -> GAP -> FC-10
"""


@pytest.mark.parametrize(
    ("skip", "fix"),
    [
        ("CONV1-c/s or ID", "ID or CONV1-c/s"),
        # At stride 2 and width 64 it fits where the shape changes alone, and ID is chosen at the other two calls.
        ("CONV1-64/2 or ID", ""),
        ("ID or CONV1-c/s", ""),
    ],
)
def test_an_identity_that_is_never_chosen(skip: str, fix: str) -> None:
    found = [help for _, help in said("identity-last", IDENTITY_LAST.format(skip))]
    assert found == ([f"the first choice that fits is taken: `{fix}`"] if fix else [])


def test_an_identity_that_would_not_fit_is_no_mistake() -> None:
    text = "block D(c) = (CONV3-c/2 -> BN + CONV1-c/2 or ID) -> RELU\nINPUT 32x32x32 -> D(64) -> GAP -> FC-10"
    assert messages("identity-last", text) == []


@pytest.mark.parametrize(
    ("layer", "is_found"),
    [("CONV1-c*4", True), ("[CONV1-c]*4", False), ("CONV3-c*4", False), ("CONV1-{c*4}", False), ("CONV1-8*4", False)],
)
def test_a_repeated_pointwise_convolution(layer: str, is_found: bool) -> None:
    text = f"let c = 8\nINPUT 32x32x3 -> CONV3-c -> {layer} -> FC-2"
    assert bool(messages("repeated-pointwise", text)) is is_found
