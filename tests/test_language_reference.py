"""The language reference tells the truth: its programs compile or fail as it says, its tables are those of the code."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest

from cnndsl.analysis.assertions import check
from cnndsl.analysis.cost import costs
from cnndsl.analysis.execution import unknown
from cnndsl.analysis.metric_table import OF_NETWORKS
from cnndsl.codes import CODES
from cnndsl.elaborate import elaborate
from cnndsl.errors import CnnError, Source
from cnndsl.finding import used
from cnndsl.functions import FUNCTIONS
from cnndsl.graph import Graph
from cnndsl.layers import KINDS
from cnndsl.layers.base import Layer
from cnndsl.limits import Limits
from cnndsl.resources import architecture
from cnndsl.syntax import hints
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse
from cnndsl.values import show

TEXT = Path(__file__).parent.parent.joinpath("docs", "language.md").read_text("utf-8")
FENCES = re.findall(r"^```(cnn[^\n]*)\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
PROGRAMS = [text for kind, text in FENCES if kind == "cnn"]
WRONG = [(kind.split()[1], text) for kind, text in FENCES if kind != "cnn"]
TABLES = TEXT[TEXT.index("## Layer types") : TEXT.index("## Composition")]
ROWS = {
    name: cells
    for name, *cells in re.findall(r"^\| `([A-Z0-9]+)([^|]*)\|([^|]*)\|.*?\|([^|]*)\|$", TABLES, re.MULTILINE)
}
EACH_KIND = pytest.mark.parametrize("kind", dict.fromkeys(KINDS.values()), ids=lambda kind: kind.kind())

SAMPLES = {
    "CONV": "CONV5-8(groups=2)",
    "DWCONV": "DWCONV5-12",
    "CONVT": "CONVT4-8/2(groups=2)",
    "LOCAL": "LOCAL5-8(pad=valid)",
    "FC": "FC-8",
    "CHANNELCONV": "GAP -> CHANNELCONV5",
    "RBF": "RBF-8",
    "UNPOOL": "pool: POOL2 -> UNPOOL2(@pool)",
    "GN": "GN3",
    "EVONORM": "EVONORM3",
    "SHUFFLE": "SHUFFLE3",
    "PIXELSHUFFLE": "CONV1-8 -> PIXELSHUFFLE2",
    "PIXELUNSHUFFLE": "PIXELUNSHUFFLE2",
    "RESHAPE": "RESHAPE(5x24x6)",
    "PERMUTE": "PERMUTE(whc)",
    "SLICE": "SLICE(0, 2)",
    "PICK": "PICK(0, 2)",
    "PADCHANNELS": "PADCHANNELS-8",
    "ZEROPAD": "ZEROPAD(1)",
    "CROP": "CROP(1)",
    "TIMES": "TIMES(2)",
}
"""A layer of each kind whose bare form is not the one to count."""


def graph_of(text: str) -> Graph:
    return elaborate(parse(Source("example.cnn", text)), {}, lambda name, user: used(name, user) or architecture(name))


def plainly(text: str) -> str:
    return " ".join(text.split())


# Programs


@pytest.mark.parametrize("text", PROGRAMS, ids=plainly)
def test_a_program_compiles(text: str) -> None:
    assert check(graph_of(text), unknown) == []


@pytest.mark.parametrize("text", PROGRAMS, ids=plainly)
def test_a_program_is_as_fmt_writes_it(text: str) -> None:
    assert format(parse(Source("example.cnn", text))) == text


@pytest.mark.parametrize(("code", "text"), WRONG, ids=[f"{code} {plainly(text)}" for code, text in WRONG])
def test_a_wrong_program_fails_as_said(code: str, text: str) -> None:
    try:
        found = list(check(graph_of(text), unknown))
    except CnnError as stop:
        found = list(stop.diagnostics)
    assert {each.code for each in found} == {code}


def test_every_construct_has_an_example() -> None:
    assert len(PROGRAMS) >= 25
    assert len(WRONG) >= 25
    together = "\n".join(PROGRAMS)
    constructs = (
        "net let block default use assert for if else or tap @ MUL( MAX( ?bn ? {i} * -> + | # : .. yes no".split()
    )
    assert [each for each in constructs if each not in together] == []


# Tables


def written(kind: type[Layer]) -> str:
    """How a layer of a kind is written, behind its name: suffixes, arguments by place, synonyms."""
    parts = [f"[{kind.SIZE}]"] if kind.SIZE else []
    parts += [f"[-{kind.WIDTH}]"] if kind.WIDTH else []
    parts += [f"[/{kind.STRIDE}]"] if kind.STRIDE else []
    parts += [f"({', '.join(kind.POSITIONAL)})"] if kind.POSITIONAL else []
    return "`".join(("".join(parts), "".join(f", `{name}`" for name in kind.NAMES[1:])))


def default(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else show(value)


def options(kind: type[Layer]) -> str:
    """The options of a kind with their defaults and other names."""
    values = {each.name: each.default for each in fields(kind) if each.default is not MISSING}
    texts: list[str] = []
    for name, rule in kind.options().items():
        follows = values[name] == () or (rule.type == "int" and values[name] == 0)
        value = "=…" if rule.required else "" if follows else f"={default(values[name])}"
        texts.append(f"`{name}{value}`" + "".join(f" ({alias})" for alias in rule.aliases))
    return ", ".join(texts)


@EACH_KIND
def test_the_table_of_kinds_has_all_options(kind: type[Layer]) -> None:
    assert kind.kind() in ROWS, f"| `{kind.kind()}{written(kind)} | {options(kind)} | | |"
    said, listed, _ = ROWS[kind.kind()]
    assert said.strip() == written(kind).strip()
    assert listed.strip() == options(kind)


def test_the_table_of_kinds_has_no_other() -> None:
    assert set(ROWS) == {kind.kind() for kind in KINDS.values()}


@EACH_KIND
def test_the_table_of_kinds_counts_parameters(kind: type[Layer]) -> None:
    name = kind.kind()
    formula = ROWS[name][-1].strip().strip("`") or "0"
    graph = graph_of(f"INPUT 10x12x6 -> {SAMPLES.get(name, name)}")
    node = graph.nodes[-1]
    if node.kind != name:
        assert name == "ID"
        return
    # The samples have kernels of as many positions on both axes, and six channels on ten times twelve positions.
    layer: Any = node.layer
    kernel = getattr(layer, "kernel", (0,))
    names = {
        "k": kernel if isinstance(kernel, int) else kernel[0] if kernel else 0,
        "C": 6,
        "H": 10,
        "W": 12,
        "F": getattr(layer, "filters", getattr(layer, "features", 0)),
        "groups": getattr(layer, "groups", 1),
        "positions": node.shape.pixels,
    }
    assert costs(graph)[node.index].params == eval(formula, {"__builtins__": {}}, names)


def test_the_words_of_options_are_listed() -> None:
    words = {word for kind in KINDS.values() for rule in kind.options().values() for word in rule.words}
    assert [word for word in words if f"`{word}`" not in TEXT and f"={word}`" not in TEXT] == []


def test_the_functions_are_listed() -> None:
    assert [name for name in FUNCTIONS if f"`{name}(" not in TEXT] == []


def test_the_facts_of_contracts_are_listed() -> None:
    with pytest.raises(CnnError) as caught:
        raise CnnError(check(graph_of("INPUT 3 -> FC-3\nassert zzzzzzzzz == 1"), unknown))
    facts = caught.value.diagnostics[0].help.removeprefix("there are ").split(", ")
    assert facts == list(OF_NETWORKS)
    table = TEXT[TEXT.index("| metric |") : TEXT.index("defines what each metric counts.")]
    assert [fact for fact in facts if f"`{fact}`" not in table] == []


def test_the_limits_are_listed() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([0-9,]+) \|", TEXT, re.M)
    assert {name: int(number.replace(",", "")) for name, number in rows} == {
        each.name: getattr(Limits(), each.name) for each in fields(Limits)
    }


def test_codes_that_are_mentioned_exist() -> None:
    assert set(re.findall(r"E0\d{3}", TEXT)) <= set(CODES)


def test_the_statements_are_said() -> None:
    assert [word for word in hints.STATEMENTS if f"**`{word}" not in TEXT] == []


def test_links_lead_somewhere() -> None:
    anchors = {
        re.sub(r"[^a-z ]", "", line.lower()).strip().replace(" ", "-") for line in re.findall(r"^#+ (.*)$", TEXT, re.M)
    }
    links = re.findall(r"\]\(([^)]+)\)", re.sub(r"`[^`\n]*`", "", TEXT))
    assert [link for link in links if link.startswith("#") and link[1:] not in anchors] == []
    docs = Path(__file__).parent.parent / "docs"
    assert [link for link in links if not link.startswith("#") and not (docs / link).exists()] == []
