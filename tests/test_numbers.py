"""Each number in the text of the pages on figures and of README.md has its command, its constant or its source here.

Blocks with a command, tables and examples of Python have tests of their own: `test_pages`, `test_readme`,
`test_metric_table`, `test_cards` and `test_other_tools`. All other numbers are in a sentence of `HELD`, which
computes them, or of `CITED`. A number that is in neither makes the last test fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

import cnndsl
from cnndsl.analysis import headroom, interval, memory_trace
from cnndsl.analysis.cards import CARDS
from cnndsl.analysis.lecture import BYTES_A_VALUE
from cnndsl.emit.torch.verified import MOST_LAYERS
from cnndsl.report import derivation
from cnndsl.report.number_format import duration
from tests.analysis.test_cards import CAPACITIES
from tests.commands.running import run

ROOT = Path(__file__).parents[1]
PAGES = {name: (ROOT / name).read_text(encoding="utf-8") for name in ("docs/figures.md", "docs/cards.md", "README.md")}

NUMBER = re.compile(r"(?<![\w.,^-])\d[\d,_.]*(?:\^\d+)?[A-Za-z%]*")
TESTED = (
    r"^    \$ .*\n(?:    .*\n)+",  # test_pages and test_readme
    r"^```cnn\n(?:.*\n)*?```$",  # test_readme
    r"^<td valign=\"top\" width=\"\d+\">\n\n<picture>\n(?:.*\n)*?-->$",  # test_package and test_pictures_page
    r"^`stats` prints a row for each layer and\n\n(?:    .*\n)+",  # test_pages
    r"^```(?:sh|python)\n(?:.*\n)*?```$",  # test_readme
)
"""Parts of pages that other tests hold."""


def operations(layers: str) -> int:
    """For each value of an input of 10x10x4."""
    return cnndsl.loads(f"INPUT 10x10x4 -> {layers}").stats().totals.operations // 400


def derived(name: str) -> str:
    return run("stats", name, "--format", "derivation").stdout


def first_convolution() -> list[str]:
    """The arithmetic, the bytes and the two times of a layer on a card, from the columns of `stats`."""
    card = CARDS["A100-SXM4-80GB"]
    stats = cnndsl.load("resnet50").stats(gpu=card)
    layer = stats.layers[0]
    arithmetic = 2 * layer.cost.macs / card.peak("fp32")
    assert stats.roofline is not None
    moved = [stats.input.node.shape.numel, layer.cost.params, layer.node.shape.numel]
    found = [f"{layer.cost.macs:,}", duration(arithmetic), f"{card.peak('fp32') / 1e12:.0f}"]
    return [
        *found,
        *(f"{each:,}" for each in moved),
        duration(stats.roofline.times[1].seconds),
        f"{card.bandwidth / 1e9:,.0f}",
    ]


def is_in(text: str, *shown: str) -> list[str]:
    """The texts that a command prints, for those of a page."""
    return [each for each in shown if each in text]


def derivation_of(layer: str, channels: int) -> str:
    return run("stats", "-", "--format", "derivation", stdin=f"INPUT 227x227x{channels} -> {layer}").stdout


def reported(name: str) -> str:
    """The memory that PyTorch reports of a card, in GiB."""
    return f"{dict(CAPACITIES)[name]:.1f}"


def driver_percent(name: str) -> int:
    """The share of a card's memory that the driver keeps."""
    memory = CARDS[name].memory
    return round(100 * headroom.Capacity(name, memory, card=CARDS[name]).shares["driver"] / memory)


RESNET18 = cnndsl.load("resnet18").stats().totals

HELD: dict[str, Callable[[], list[str]]] = {
    r"For a network of more than\s([\d,]+) layers": lambda: [f"{MOST_LAYERS:,}"],
    r"`buffers` counts all elements\s\(([\d,]+) here\)": lambda: [f"{RESNET18.buffers:,}"],
    r"per value: (\d) for BN, whose": lambda: [str(operations("BN"))],
    r"n \+ (\d) for LRN over n channels": lambda: [str(operations("LRN5") - 5)],
    r"(\d) for LN, GN\s+and IN, or (\d) with affine weights": lambda: [
        str(operations("LN(affine=no)")),
        str(operations("LN")),
    ],
    r"; (\d) for EVONORM; (\d) for FRN; (\d) for GRN and RMSNORM; (\d) for L2NORM": lambda: [
        str(operations(kind)) for kind in ("EVONORM2", "FRN", "GRN", "L2NORM")
    ],
    r"for STARRELU (\d) per value, for softmax (\d)": lambda: [
        str(operations(kind)) for kind in ("STARRELU", "SOFTMAX")
    ],
    r"as many as it is made of \((\d+), (\d+) or (\d+) in 2-D\)": lambda: [
        str(operations(f"UPSAMPLE2{mode}") // 4) for mode in ("", "(mode=bilinear)", "(mode=bicubic)")
    ],
    r"for RBF, (\d) per weight": lambda: [str(operations("RBF-10") // 10)],
    r"input of 10x10x4, which has (\d+) values": lambda: [str(10 * 10 * 4)],
    r"on an input of 4 x 10 x 10 \((\d+) values; FC: a vector\sof (\d+)\)": lambda: [str(4 * 10 * 10)] * 2,
    r"total of the memory table in the CS231n lectures: (\d) bytes for each value": lambda: [str(BYTES_A_VALUE)],
    r"states 24M values and 93MB, but its own rows add up to\s([\d.]+M) and (\d+MB)": lambda: is_in(
        run("stats", "vgg16", "--format", "lecture").stdout, "15.2M", "61MB"
    ),
    r"For VGG-16 the notes state a total of 93MB, but their\srows add up to (\d+MB)": lambda: is_in(
        run("stats", "vgg16", "--format", "lecture").stdout, "61MB"
    ),
    r"cnndsl comes with (\d+) networks": lambda: [str(len(json.loads(run("zoo", "--format", "json").stdout)))],
    r"`depth` is the (\d+) in VGG-(\d+)": lambda: [str(cnndsl.load("vgg16").stats().totals.depth)] * 2,
    r"more than (\d+) positions along an axis": lambda: [str(interval.LONGEST)],
    r"as a sum if it has at most (\d+) different terms": lambda: [str(derivation.SHOWN_TERMS)],
    r"each storage rounded up to (\d+)\sbytes": lambda: [str(memory_trace.BLOCK)],
    r"(\d+)MiB are for the CUDA\scontext": lambda: [str(headroom.CONTEXT // 2**20)],
    r"(\d+)MiB are for workspaces": lambda: [str(headroom.WORKSPACES // 2**20)],
    r"given by name (\d+)% are added": lambda: [str(driver_percent("A40"))],
    r"PyTorch reports ([\d.]+) of (\d+)GiB on an H100, ([\d.]+) of (\d+) on an RTX 3090": lambda: [
        reported("H100"),
        str(CARDS["H100-SXM"].memory // 2**30),
        reported("RTX-3090"),
        str(CARDS["RTX-3090"].memory // 2**30),
    ],
    r"Its 2 x ([\d,]+) operations\stake ([\d.]+us) at (\d+) teraflops \(TF32\), and its 4 x "
    r"\(([\d,]+) \+ ([\d,]+) \+ ([\d,]+)\) bytes take ([\d.]+us) at ([\d,]+) GB/s": first_convolution,
    r"weights and biases, `(.+?)`; with groups `(.+?)`": lambda: [
        *is_in(derivation_of("CONV11-96/4(pad=0)", 3), "(11*11*3)*96 + 96"),
        *is_in(derivation_of("CONV3-128(groups=2, bias=no)", 64), "(3*3*64/2)*128"),
    ],
    r"height, width and channels, (\d) bytes a value": lambda: [str(BYTES_A_VALUE)],
    r"`(\(W - F \+ 2\*P\)/S \+ 1)` for a convolution": lambda: is_in(derived("alexnet"), "(W - F + 2*P)/S + 1"),
    r"`(r = r \+ \(F - 1\)\*j)`": lambda: is_in(derived("alexnet"), "r = r + (F - 1)*j"),
    r"uneven padding is written side by side, `(.+?)`": lambda: is_in(derivation_of("CONV2-4", 3), "+ 0 + 1"),
    r"writes out the arithmetic of each layer,\s`(.+?)`, as text": lambda: is_in(
        derived("alexnet"), "floor((224 - 11 + 2*2)/4) + 1 = 55"
    ),
}
"""Sentences by what computes their numbers."""

CITED = (
    r"`assert aux.params < 5M`",
    # darknet's yolov3.weights; test_pages compiles the network.
    r"the 62,001,757 parameters published for YOLOv3 are 61,949,149 parameters and 52,608 running means",
    # Versions: those that test_other_tools was last run with.
    r"torch 2\.13\.0, fvcore 0\.1\.5\.post20221221, torchinfo 1\.8\.0, ptflops 0\.7\.5 .*\nthop 0\.1\.1",
    r"`p\*stride - padding \+ size - 1`",
    r"Araujo, Norris and Sim 2019 \(doi 10\.23915/distill\.00021\)",
    # Definitions.
    r"with stride 0",
    r"whose weight is 0 as well",
    r"autocast to 2 bytes with parameters in fp32",
    r"the 2-byte copy of its\sweights",
    r"2 x `macs` x batch",
    r"a quarter of them for a 1x1 convolution of stride 2",
    r"the vendor's number with 1 GB taken as 2\^30 bytes",
    r"`\(D\*\(F - 1\) \+ 1\)`",
    r"`\(W - 1\)\*S - 2\*P \+ F`",
    r"`r = 1` and `j = 1`",
    r"`min\(N, r \+ \(W - 1\)\*j\)`",
    r"last position - first position \+ 1",
    # PyTorch's allocator splits blocks of more than 1 MB only: c10/cuda/CUDACachingAllocator.cpp, kSmallSize.
    r"blocks that the allocator leaves larger than requested \(up to 1 MB\seach\)",
    r"what 3-D convolutions on the CPU keep",
    # An allowance; nobody's figure of it is exact.
    r"a process takes 300 to 500MiB on recent cards",
    r"Waterman and Patterson 2009, doi 10\.1145/1498765\.1498785",
    r"`net\.stats\(64, dtype=\"bf16\", gpu=\"h100\"\)`",
    r"the first convolution of ResNet-50 for one image in fp32 on an A100-SXM4-80GB",
    r"RTX 2080 Ti have no arithmetic in bf16",
    # tests/analysis asserts it.
    r"within 2% \(it sees",
    # README.md: what a checkout needs, pyproject.toml; the share that `make test COVERAGE=1` asks for.
    r"Python 3\.11 or later",
    r"`make test COVERAGE=1`",
    r"fails below 95%",
    r"a picture of VGG-16",
    r"ResNet-20 of He et al\. 2015 for CIFAR-10",
    r"`CONV3-16` is a 3x3 convolution with 16 filters",
    r"`\[…\]\*3` repeats",
    r"identity if the shapes match, otherwise\sa 1x1 projection",
    r"ten 3x3 convolutions, with a 2x2 max pooling",
    r"`INPUT` alone\smeans 224x224x3",
    r"`A100-80GB` is A100-SXM4-80GB",
)
"""Sentences whose numbers are definitions, names, or those of a source."""


def page_of(sentence: str) -> tuple[str, re.Match[str]]:
    found = [(name, match) for name, text in PAGES.items() for match in re.finditer(sentence, text, re.MULTILINE)]
    assert len(found) >= 1, f"no page has {sentence!r} any more"
    return found[0]


@pytest.mark.parametrize("sentence", HELD)
def test_the_numbers_of_a_sentence(sentence: str) -> None:
    _, match = page_of(sentence)
    assert list(match.groups()) == HELD[sentence]()


@pytest.mark.parametrize("sentence", CITED)
def test_a_sentence_that_is_cited_is_there(sentence: str) -> None:
    page_of(sentence)


@pytest.mark.parametrize("name", PAGES)
def test_no_number_is_left(name: str) -> None:
    left: list[str] = []
    for text in re.split(r"^(?=## )", PAGES[name], flags=re.MULTILINE):
        # The table of this section is prose.
        tables = [] if text.startswith("## The arithmetic written out") else [r"^\|.*$"]
        for part in (*HELD, *CITED, *TESTED, *tables):
            text = re.sub(part, "", text, flags=re.MULTILINE)
        left += [line for line in text.splitlines() if NUMBER.search(line)]
    assert left == []
