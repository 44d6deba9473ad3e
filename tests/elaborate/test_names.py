"""What parts are called: as `nn.Sequential` numbers them, or by label and kind."""

from __future__ import annotations

import pytest

import cnndsl
from cnndsl.graph import Graph
from tests.elaborate.making import codes, graph, paths, wrong

PAIR = "block Pair(c) = conv: CONV3-c -> RELU\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CONV3-8 -> RELU -> FC-10", "0 1 2"),
        ("[CONV3-8 -> RELU]*2 -> FC-10", "0 1 2 3 4"),
        # Brackets without a label only group.
        ("[CONV3-8 -> [RELU -> BN]] -> FC-10", "0 1 2 3"),
        # Merges take no number, ID makes no node, an absent part takes no number.
        ("CONV3-8 -> (CONV3-8 -> BN + ID) -> RELU", "0 1 2 add 3"),
        ("(CONV3-8 | CONV3-8) -> (CONV1-4 | CONV1-4) -> RELU", "0 1 concat1 2 3 concat2 4"),
        ("CONV3-8 -> ID -> RELU if no -> FC-10", "0 1"),
        ("MUL(ID, GAP -> FC-3 -> SIGMOID) -> MAX(ID, BN) -> MEAN(ID, BN)", "0 1 2 mul 3 max 4 mean"),
        # Where some have a label, the others are called by their kind, numbered when there are several.
        ("conv: CONV3-8 -> RELU -> FC-10", "conv relu fc"),
        ("a: CONV3-8 -> RELU -> BN -> RELU", "a relu1 bn relu2"),
        ("conv1: CONV3-8 -> CONV3-8 -> CONV3-8", "conv1 conv2 conv3"),
        ("conv2: CONV3-8 -> CONV3-8 -> CONV3-8", "conv2 conv1 conv3"),
        ("relu: CONV3-8 -> RELU", "relu relu1"),
        ("maxpool2 -> a: POOL2", "pool a"),
        # A second name for a value is no part's as well.
        ("a: CONV3-4 -> CONV3-8 -> (ID | conv: @a)", "a conv1 concat"),
        ("a: CONV3-4 -> conv1: ID -> CONV3-8 -> CONV3-8", "a conv2 conv3"),
        ("CONV3-4 -> 1: ID -> RELU", "0 2"),
        ("CONV3-3 -> add: ID -> (ID + CONV3-3)", "0 1 add1"),
        # A label on brackets or a repeat is a module of its parts.
        ("a: [CONV3-8 -> RELU] -> b: [RELU -> BN]*2", "a.0 a.1 b.0 b.1 b.2 b.3"),
        ("a: [x: CONV3-8 -> RELU -> y: [RELU]]", "a.x a.relu a.y.0"),
        ("[a{i}: [CONV3-8 -> RELU]]*2", "a1.0 a1.1 a2.0 a2.1"),
        ("for k, c in (3, 8), (5, 4) [conv{k}_{c}: CONV{k}-c]", "conv3_8 conv5_4"),
        ("stem: (CONV3-8 + CONV1-8) -> RELU", "stem.0 stem.1 stem.add relu"),
        ("tap aux: [GAP -> FC-10] -> a: RELU", "aux.0 aux.1 a"),
    ],
)
def test_paths(text: str, expected: str) -> None:
    assert paths(f"INPUT 8x8x3 -> {text}") == expected.split()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Pair(8)", "0.conv 0.relu"),
        ("Pair(8) -> FC-10", "0.conv 0.relu 1"),
        ("RELU -> Pair(8) -> Pair(8)", "0 1.conv 1.relu 2.conv 2.relu"),
        ("a: RELU -> Pair(8) -> Pair(8)", "a pair1.conv pair1.relu pair2.conv pair2.relu"),
        ("unit: Pair(8)", "unit.conv unit.relu"),
        ("layer1: [Pair(8)*2]", "layer1.0.conv layer1.0.relu layer1.1.conv layer1.1.relu"),
        ("[unit{i}: Pair(8)]*2", "unit1.conv unit1.relu unit2.conv unit2.relu"),
    ],
)
def test_paths_of_blocks(text: str, expected: str) -> None:
    assert paths(f"{PAIR}INPUT 8x8x3 -> {text}") == expected.split()


def test_the_input_is_called_input_unless_it_has_a_label() -> None:
    assert graph("INPUT 8x8x3 -> RELU").nodes[0].path == "input"
    assert graph("image: INPUT 8x8x3 -> RELU").nodes[0].path == "image"


@pytest.mark.parametrize(
    ("block", "expected"),
    [("Half", "half_.0 a"), ("Class", "class_.0 a"), ("__X", "x.0 a"), ("Conv", "conv.0 a")],
)
def test_a_lone_block_has_a_name_that_modules_can_have(block: str, expected: str) -> None:
    made = cnndsl.loads(f"block {block} = CONV3-4\nINPUT 8x8x3 -> {block} -> a: CONV3-4")
    assert [node.path for node in made.graph.nodes[1:]] == expected.split()
    assert list(made.module().state_dict())[-2:] == ["a.weight", "a.bias"]


def test_modules_name_their_outputs() -> None:
    made = graph(f"{PAIR}INPUT 8x8x3 -> a: [Pair(8) -> x: FC-10] -> b: RELU")
    assert {path: made.nodes[at].path for path, at in made.modules.items()} == {"a": "a.x", "a.pair": "a.pair.relu"}


def test_every_path_is_its_own() -> None:
    text = f"{PAIR}INPUT 8x8x3 -> [Pair(8) -> (Pair(8) + Pair(8)) -> x{{i}}: [Pair(8) -> RELU]]*3 -> RELU"
    found = paths(text)
    assert len(set(found)) == len(found)


@pytest.mark.parametrize(
    "text",
    [
        "a: RELU -> a: RELU",
        "[a: RELU]*2",
        "(a: RELU + a: BN)",
        "a: [RELU] -> a: [BN]",
        "tap a: FC-1 -> a: RELU",
        "a: RELU -> tap a: FC-1",
        "a: ID -> a: RELU",
        "for c in 1, 2 [a: CONV3-c]",
        "a: Pair(8) -> a: Pair(8)",
        "a: RELU -> BN -> (ID + a: @a)",
    ],
)
def test_a_name_is_used_once_in_its_module(text: str) -> None:
    assert codes(f"{PAIR}INPUT 8x8x3 -> {text}") == ["E0235"]


@pytest.mark.parametrize(
    "text", ["a: [a: RELU]", "a: [x: RELU] -> b: [x: RELU]", "[a{i}: [x: RELU]]*2", "conv: Pair(8)"]
)
def test_a_name_may_be_used_in_different_modules(text: str) -> None:
    assert isinstance(graph(f"{PAIR}INPUT 8x8x3 -> {text}"), Graph)


def test_both_uses_of_a_name_are_shown() -> None:
    (diagnostic,) = wrong("INPUT 8x8x3\n-> a: RELU\n-> a: BN")
    assert diagnostic.span is not None
    assert (diagnostic.span.line, diagnostic.others[0].span.line) == (3, 2)


def test_a_label_on_identity_or_a_reference_names_the_value() -> None:
    made = graph("INPUT 8x8x3 -> conv: CONV3-3 -> skip: ID -> RELU -> (ID + again: @skip) -> (ID + @again)")
    assert [node.inputs for node in made.nodes[-2:]] == [(2, 1), (3, 1)]


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("features.0", "CONV"),
        ("features.3", "POOL"),
        ("head.unit1.relu", "RELU"),
        ("head.unit2", "RELU"),
        ("head.add", "ADD"),
        ("features.2.1", "RELU"),
    ],
)
def test_a_reference_takes_every_path_that_stats_prints(path: str, kind: str) -> None:
    text = f"""
        block Unit(c) = conv: CONV3-c -> RELU
        INPUT 16x16x3 -> features: [CONV3-8 -> RELU -> Pair -> POOL2]
        -> head: [first: CONV1-8 -> Unit(8) -> Unit(8) -> (ID + CONV1-8)]
        -> GAP -> MUL(ID, @{path} -> GAP -> FC-8) -> FC-2
        block Pair = [CONV3-8 -> RELU]
    """
    graph = cnndsl.loads(text).graph
    gate = next(node for node in graph if node.kind == "GAP" and node.path == "gap2")
    assert (graph.nodes[gate.inputs[0]].kind, graph.nodes[gate.inputs[0]].path.startswith(path)) == (kind, True)


def test_a_module_that_is_not_complete_has_no_such_names() -> None:
    with pytest.raises(cnndsl.CnnError) as found:
        cnndsl.loads("INPUT 8x8x3 -> m: [CONV3-4 -> RELU -> (ID + @m.0)]")
    assert found.value.diagnostics[0].code == "E0232"
