"""What `cnndsl zoo` knows: facts against their sources, stored figures against the compiler and published ones."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import cnndsl
from cnndsl import catalogue, resources
from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.elaborate.parameters import parameters
from cnndsl.errors import CnnError
from cnndsl.expr import truth
from cnndsl.network import executions
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from tests.oracle import torchvision

ROOT = Path(__file__).parents[2]
FACTS = catalogue.published()
FIGURES: dict[str, Any] = json.loads((ROOT / "architectures" / catalogue.FIGURES_FILE).read_text("utf-8"))
REFERENCE = json.loads((ROOT / "tests" / "reference" / "torchvision.json").read_text("utf-8"))["nets"]
UNDATED = {"digits", "mnist", "recipe"}
"""Networks of a lecture, without a paper."""


def test_every_network_has_its_line_in_both_files_and_in_order() -> None:
    assert list(FACTS) == list(FIGURES) == list(cnndsl.zoo()), (
        "a new network needs a line in zoo.toml, and `make figures`"
    )
    assert all(set(row) == {"inputs", "outputs", *OF_NETWORKS, "at_most"} for row in FIGURES.values())


@pytest.mark.parametrize("name", FACTS)
def test_facts_are_complete(name: str) -> None:
    """A family is a name, which a test can mention; a published value has a source; the description cites the year."""
    facts = FACTS[name]
    assert set(facts) <= set(catalogue.FACTS) - {"name", "input", "summary", "description"}
    assert str(facts["family"]).isidentifier()
    assert ("year" in facts) == (name not in UNDATED)
    assert str(facts.get("year", "")) in resources.description(name)
    posted = re.findall(r"arXiv:(\d\d)\d\d\.", resources.description(name))
    assert not posted or facts["year"] == 2000 + max(map(int, posted))
    assert ("source" in facts) == ("top1" in facts or "score" in facts)
    assert "top1" in facts or not {"top5", "crop"} & set(facts)


def test_families_are_no_metrics_or_facts() -> None:
    families = {facts["family"] for facts in FACTS.values()}
    assert not families & {*OF_NETWORKS, *catalogue.FACTS}


OF_TORCHVISION = [name for name, facts in FACTS.items() if str(facts.get("source")).startswith("torchvision, ")]


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_published_accuracies_are_those_of_torchvisions_weights(name: str) -> None:
    facts = FACTS[name]
    weights = torchvision.models.get_weight(str(facts["source"]).removeprefix("torchvision, "))
    ((data, metrics),) = weights.meta["_metrics"].items()
    if "SWAG" in weights.name:  # the features are trained on other images
        assert str(facts["score"]).startswith(f"{metrics['acc@1']} top-1, ImageNet-1K, ")
        return
    if data == "ImageNet-1K":
        found = [float(str(facts[key])) if key == "crop" else float(facts[key]) for key in ("top1", "top5", "crop")]  # type: ignore[arg-type]
        assert found == [metrics["acc@1"], metrics["acc@5"], weights.transforms.keywords["crop_size"]]
        return
    metric, title = {
        "COCO-val2017-VOC-labels": ("miou", "mIoU, COCO val2017 with the labels of VOC"),
        "COCO-val2017": ("box_map", "mAP, COCO val2017"),
        "Kinetics-400": ("acc@1", "top-1, Kinetics-400"),
    }[data]
    assert facts["score"] == f"{metrics[metric]} {title}"


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_the_weights_fit_the_network(name: str) -> None:
    """torchvision's metadata counts the parameters of the network that the weights belong to."""
    weights = torchvision.models.get_weight(str(FACTS[name]["source"]).removeprefix("torchvision, "))
    uncounted = {"googlenet": 6_379_984}  # the auxiliary classifiers, of which the file says how many these are
    assert weights.meta["num_params"] + uncounted.get(name, 0) == FIGURES[name]["params"]


def test_what_torchvision_has_trained_has_its_accuracy() -> None:
    names = {name for name in cnndsl.zoo() if name in torchvision.models.list_models()}
    assert names <= set(OF_TORCHVISION)


@pytest.mark.parametrize("name", [name for name in REFERENCE if name in FIGURES])
def test_stored_figures_are_the_published_ones(name: str) -> None:
    assert FIGURES[name]["macs"] == REFERENCE[name]["macs"]


def test_stored_figures_are_what_the_files_assert() -> None:
    """Every `assert` that mentions parameters and metrics alone; other tests hold the compiler against the same."""
    held: set[str] = set()
    for name, row in FIGURES.items():
        source = resources.architecture(name)
        assert source is not None
        file = parse(source)
        defaults = {each.name: each.default for each in parameters(file) if each.default is not None}
        figures = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
        for each in file.statements:
            if not isinstance(each, ast.Assert):
                continue
            try:
                assert truth(each.test, {**figures, **defaults}), f"{name}: {each.span.text}; run `make figures`"
            except CnnError:
                continue  # it mentions a part, or a `let`
            held.add(name)
    assert len(held) > 110


FEW = ("lenet5_1998", "cifar_resnet", "timeseries_fcn", "siamese", "squeezenet1_1", "shufflenet_v2_x1_0", "unet")


@pytest.mark.parametrize(
    "name", [each if each in FEW else pytest.param(each, marks=pytest.mark.slow) for each in FIGURES]
)
def test_stored_figures_are_what_the_compiler_computes(name: str) -> None:
    assert json.loads(json.dumps(catalogue.measured(name, list(OF_NETWORKS), executions))) == FIGURES[name]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("vgg16", "VGG-16, configuration D."),
        ("squeezenet1_0", "SqueezeNet 1.0: AlexNet's accuracy with a fiftieth of its parameters."),
        ("mobilenet_v1", "MobileNet, width multiplier 1."),
        ("alexnet_towers", "AlexNet as it ran: two towers, one on each GPU."),
    ],
)
def test_first_sentences(name: str, sentence: str) -> None:
    assert catalogue.first_sentence(resources.description(name)) == sentence


def test_every_description_begins_with_a_short_sentence() -> None:
    sentences = [catalogue.first_sentence(resources.description(name)) for name in cnndsl.zoo()]
    assert all(re.fullmatch(r"[^\n]{4,140}\.", sentence) for sentence in sentences)
    assert not any(re.search(r"arXiv|et al", sentence) for sentence in sentences if "ResNeXts" not in sentence)
