"""Every single change to a text is found when the two modules are compared, and modules of torchvision equal ours."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence

import pytest
import torch
from torch.export import ExportedProgram

import cnndsl
from cnndsl.importers.torch_compare import module_difference, numeric_difference, program_difference
from cnndsl.importers.torch_export import exported
from tests import oracle
from tests.importers.mutants import Mutant, mutants
from tests.importers.mutated_texts import TEXTS
from tests.zoo.test_figures import IN_TORCHVISION

PER_TEXT = 30
SAME = {
    "pad": "a kernel of 1x1 with the same stride needs no padding, and TensorFlow's is the usual at stride 1",
    "border": "a kernel of 1x1 meets no border",
    "dilation": "a kernel of 1x1 has nothing to dilate",
    "ceil": "the windows end with the map at this size",
    "countpad": "there is no padding",
    "bias": "what was written is the default",
    "stride": "what was written is the default",
    "name": "the layer has no weights",
    "order": "an activation and a pooling that keeps the order of values, or layers that do nothing",
}
"""Changes after which the network may be the same one, and why. Random weights decide whether it is."""


def programs(network: cnndsl.network.Network) -> list[ExportedProgram]:
    with torch.device("meta"):
        module = network.module()
    shapes = [node.shape for node in network.graph.inputs]
    return [exported(module, shapes, training) for training in (False, True)]


def is_found(mutant: Mutant, original: Sequence[ExportedProgram]) -> bool:
    changed = programs(cnndsl.loads(mutant.text))
    return any(program_difference(one, other, 1) for one, other in zip(original, changed, strict=True))


def drawn(text: str, count: int) -> list[Mutant]:
    """So many changes, each kind in turn."""
    kinds: dict[str, list[Mutant]] = defaultdict(list)
    found = list(mutants(text))
    random.Random(1).shuffle(found)
    for each in found:
        kinds[each.kind].append(each)
    turns = max(map(len, kinds.values()))
    return [of_kind[turn] for turn in range(turns) for of_kind in kinds.values() if turn < len(of_kind)][:count]


def is_same(mutant: Mutant, text: str) -> bool:
    """Whether both give the same numbers, with all weights at random."""
    one, other = cnndsl.loads(text), cnndsl.loads(mutant.text)
    try:
        return numeric_difference(one.module(), other.module(), [node.shape for node in one.graph.inputs]) == []
    except ValueError:
        return False


SMALL = "INPUT 8x8x4 -> a: CONV3-4 -> bn: BN -> RELU -> (b: CONV1-4 + ID) -> DROPOUT(0.2) -> GAP -> fc: FC-3"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("CONV3-4", "CONV5-4"),
        ("RELU", "RELU6"),
        ("RELU", "RELU -> TIMES(-1)"),
        ("BN", "BN(momentum=0.2)"),
        ("0.2", "0.1"),
        (" + ID", ""),
    ],
)
def test_a_change_is_found(before: str, after: str) -> None:
    text = SMALL.replace(before, after, 1)
    assert is_found(Mutant("", before, after, text), programs(cnndsl.loads(SMALL)))


@pytest.mark.slow
@pytest.mark.parametrize("name", TEXTS)
def test_every_change_is_found(name: str) -> None:
    """210 of them."""
    original = programs(cnndsl.loads(TEXTS[name]))
    chosen = drawn(TEXTS[name], PER_TEXT)
    assert len(chosen) == PER_TEXT
    missed = [each for each in chosen if not is_found(each, original)]
    wrong = [str(each) for each in missed if each.kind not in SAME or not is_same(each, TEXTS[name])]
    assert wrong == []
    assert len(missed) < PER_TEXT / 3


@pytest.mark.slow
@pytest.mark.parametrize("name", IN_TORCHVISION)
def test_networks_of_torchvision_are_ours(name: str) -> None:
    network = cnndsl.load(name)
    theirs = oracle.on_meta(name)
    with torch.device("meta"):
        ours = network.module()
    assert module_difference(theirs, ours, [node.shape for node in network.graph.inputs]) == []
