"""Networks as table rows: published facts that a file cannot contain, and metrics. `zoo` and `compare` print them.

`architectures/zoo.toml` holds the facts, each with its source, and `architectures/figures.json` the metrics of each
network with its default parameters. Computing them takes a minute, so `make figures` does it once, and tests compare
them with the compiler's results. A network that is missing from the file is compiled when it is listed.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from fractions import Fraction
from functools import cache, cached_property
from math import prod
from typing import Any, TypeAlias, cast

from cnndsl import resources
from cnndsl.analysis.assertions import figures
from cnndsl.analysis.execution import ExecutionsOf
from cnndsl.analysis.metric_table import BY_TITLE, METRICS, OF_NETWORKS
from cnndsl.elaborate.program import elaborate
from cnndsl.errors import nearest
from cnndsl.expr import truth
from cnndsl.expressions import Expr, Name
from cnndsl.finding import used
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.sweeping import sweep
from cnndsl.sweeping.sweep import Configuration
from cnndsl.sweeping.where import Vocabulary, binaries, condition, mentioned
from cnndsl.syntax.parse import parse
from cnndsl.values import NameSymbol, Value

FACTS_FILE, FIGURES_FILE = "zoo.toml", "figures.json"
FactValue: TypeAlias = "int | Fraction | tuple[int, ...] | str | None"


@record(slots=True)
class Fact:
    """A column that no analysis computes. `title` is its heading; a test can mention it if `is_tested` is true."""

    name: str
    title: str
    definition: str
    is_tested: bool = False


_BEFORE = (
    Fact("name", "name", "The name by which commands find the network."),
    Fact("family", "family", "The architecture that the network is one of: ResNet, VGG, YOLO.", True),
    Fact("year", "year", "The year in which the paper was first posted or published.", True),
    Fact("input", "input", "The shape of the input: H, W, C; of several inputs that of the first.", True),
)
_AFTER = (
    Fact("top1", "top-1", "The published top-1 accuracy on the validation images of ImageNet-1K, in percent.", True),
    Fact("top5", "top-5", "The published top-5 accuracy on the same images, in percent.", True),
    Fact("crop", "crop", "The height and width of the images on which top1 and top5 were measured.", True),
    Fact("score", "score", "A published result on other data, or measured otherwise, as text."),
    Fact("source", "source", "The weights or the document that top1, top5 or score are from."),
    Fact("summary", "summary", "The first sentence of the description."),
    Fact("description", "description", "The comment that the file begins with."),
)
_SETTINGS = Fact("settings", "settings", "The values of the parameters that `--set` gives.")
_ON_CARD = (
    Fact("fits", "fits", "Whether the batch fits into the memory of the GPU.", True),
    Fact("largest_batch", "largest batch", "The largest batch that fits into the memory of the GPU.", True),
    Fact("time", "least time", "The least time of a forward pass of the batch on the GPU, in seconds.", True),
)
ON_CARD = frozenset(fact.name for fact in _ON_CARD)
"""The columns that depend on a GPU."""
FACTS: Mapping[str, Fact] = {fact.name: fact for fact in (*_BEFORE, *_AFTER, _SETTINGS, *_ON_CARD)}


@record
class NetworkColumns:
    """The columns that a table of networks can have. `names` lists them in order; `goals` are those that networks can
    be selected by, with 1 if less is better and -1 if more is."""

    names: Sequence[str]
    goals: Mapping[str, int]

    @cached_property
    def titles(self) -> Mapping[str, str]:
        """Return the names of the columns by their headings."""
        return {**BY_TITLE, **{column_title(name): name for name in self.names}}

    @property
    def tested(self) -> tuple[str, ...]:
        """Return the columns that a test can mention."""
        return (*(name for name in self.names if name in FACTS and FACTS[name].is_tested), *OF_NETWORKS)


def column_title(name: str) -> str:
    """Return the heading of a column."""
    return METRICS[name].title if name in OF_NETWORKS else FACTS[name].title


_FACT_GOALS = {"top1": -1, "top5": -1, "time": 1, "largest_batch": -1}
_ACCURACIES = ("top1", "top5")
_NAMES = (*(fact.name for fact in _BEFORE), *OF_NETWORKS, *(fact.name for fact in _AFTER))
BUNDLED = NetworkColumns(_NAMES, {**sweep.GOALS, **dict.fromkeys(_ACCURACIES, -1)})
"""The columns of `zoo`."""
COMPARED = NetworkColumns(
    ("name", "settings", *_NAMES[1:], *(fact.name for fact in _ON_CARD)), {**sweep.GOALS, **_FACT_GOALS}
)
"""The columns of `compare`."""


@record(slots=True)
class NetworkRow:
    """A network: its facts by their names in `FACTS`, None for unpublished ones; the shapes of its inputs and outputs;
    its metrics and settings."""

    name: str
    facts: Mapping[str, FactValue]
    inputs: tuple[tuple[int, ...], ...]
    outputs: tuple[tuple[int, ...], ...]
    metrics: Configuration

    @property
    def values(self) -> Mapping[str, Value]:
        """Return the values that a test can mention, by name; receptive fields that differ between axes are omitted."""
        tested = {name: value for name, value in self.facts.items() if value is not None and FACTS[name].is_tested}
        facts = {name: NameSymbol(value) if isinstance(value, str) else value for name, value in tested.items()}
        found = (self.metrics.figures or {}).items()
        metrics = {key: each for key, each in found if METRICS[key].unit != "positions" or not isinstance(each, tuple)}
        return {**facts, **metrics}

    @property
    def goals(self) -> Mapping[str, Value]:
        """Return the values by which networks are selected: those of its columns' `goals` that exist."""
        facts = {name: value for name in _FACT_GOALS if (value := self.facts[name]) is not None}
        return {**cast("Mapping[str, Fraction]", facts), **(self.metrics.figures or {})}

    def sort_key(self, column: str) -> tuple[bool, int | Fraction | str]:
        """Return the key that sorts networks by a column: a shape by its number of values, missing values last."""
        value = self.facts[column] if column in FACTS else (self.metrics.figures or {})[column]
        if isinstance(value, tuple):
            return False, prod(value)
        return value is None, value.casefold() if isinstance(value, str) else cast("int | Fraction", value or 0)


@record(slots=True)
class NetworkSelection:
    """A selection of networks: a test and the columns that it mentions, goals, and a column to sort by."""

    test: Expr | None = None
    tested: frozenset[str] = frozenset()
    goals: Mapping[str, int] = field(default_factory=dict[str, int])
    order: str = ""
    largest_first: bool = False

    @property
    def mentioned(self) -> set[str]:
        """Return the columns in which a network must have a value."""
        return {*self.tested, *self.goals, *filter(None, (self.order,))}

    def of(self, networks: Sequence[NetworkRow]) -> list[NetworkRow]:
        """Return the selected networks in order; those without a value to sort by come last in either direction."""
        found = [each for each in networks if self.test is None or passes(each, self.test, self.tested)]
        if self.goals:
            found = pareto(found, self.goals)
        if not self.order:
            return found
        keys = [(*network.sort_key(self.order), network) for network in found]
        known = [each for each in keys if not each[0]]
        known.sort(key=lambda each: each[1], reverse=self.largest_first)
        return [network for _, _, network in (*known, *(each for each in keys if each[0]))]


def networks(names: Sequence[str], columns: Collection[str], runs: ExecutionsOf) -> list[NetworkRow]:
    """Return bundled networks with all facts and at least the metrics among the columns.

    Raises CnnError for a file that is not a valid network.
    """
    metrics = [name for name in OF_NETWORKS if name in columns]
    return [_network(name, metrics, runs) for name in names]


def _network(name: str, metrics: Sequence[str], runs: ExecutionsOf) -> NetworkRow:
    stored = _figures().get(name)
    row = stored if stored is not None else measured(name, metrics, runs)
    found = {key: _value(value) for key, value in row.items() if key in OF_NETWORKS}
    inputs, outputs = (tuple(map(tuple[int, ...], cast("list[list[int]]", row[key]))) for key in ("inputs", "outputs"))
    facts = {**bundled_facts(name), "input": inputs[0]}
    return NetworkRow(name, facts, inputs, outputs, Configuration({}, found, at_most=frozenset(row["at_most"])))


def bundled_facts(name: str) -> dict[str, FactValue]:
    """Return the facts of a bundled network, None for unpublished ones."""
    description = resources.description(name)
    return {
        **dict.fromkeys(FACTS),
        **published().get(name, {}),
        "name": name,
        "summary": first_sentence(description),
        "description": description,
    }


def _value(value: int | list[int]) -> Value:
    return tuple(value) if isinstance(value, list) else value


def measured(name: str, metrics: Sequence[str], runs: ExecutionsOf) -> dict[str, Any]:
    """Compile a bundled network and compute its metrics: a row of `figures.json`."""
    source = resources.architecture(name)
    if source is None:
        raise KeyError(name)
    graph: Graph = elaborate(parse(source), {}, used)
    found, at_most = figures(graph, metrics, runs)
    inputs = [list(node.shape.hwc) for node in graph.inputs]
    outputs = [list(graph.nodes[at].shape.hwc) for at in graph.main_outputs]
    values = {key: list(value) if isinstance(value, tuple) else value for key, value in found.items()}
    return {"inputs": inputs, "outputs": outputs, **values, "at_most": sorted(at_most)}


@cache
def published() -> Mapping[str, Mapping[str, FactValue]]:
    """Return the facts in `zoo.toml`, by network and then by name. Accuracies are exact fractions."""
    return cast("Any", tomllib.loads(resources.beside_architectures(FACTS_FILE), parse_float=Fraction))


@cache
def _figures() -> Mapping[str, Mapping[str, Any]]:
    return json.loads(resources.beside_architectures(FIGURES_FILE))


def relatives(network: NetworkRow) -> list[str]:
    """Return the names of the other networks in the family."""
    family = network.facts["family"]
    return [name for name, facts in published().items() if facts["family"] == family and name != network.name]


def first_sentence(text: str) -> str:
    """Return the first sentence of a description, which ends with a full stop before a capital letter.

    >>> first_sentence("SqueezeNet 1.0. Iandola et al. 2016, Table 1."), first_sentence("A net")
    ('SqueezeNet 1.0.', 'A net')
    """
    return re.split(r"(?<=\.)\s+(?=[A-Z])", text, maxsplit=1)[0]


def read_test(text: str, columns: NetworkColumns = BUNDLED) -> tuple[Expr, frozenset[str]]:
    """Parse the test of a `--where`, and return it with the columns that it mentions.

    Raises CnnError if it is not a test, or mentions something that is neither a column nor a family.
    """
    test = condition(text, columns.titles)
    known = Vocabulary(columns.tested, tuple(_families()), _refused(test, columns), columns.titles)
    return test, frozenset(mentioned(test, known))


def _refused(test: Expr, columns: NetworkColumns) -> Mapping[str, str]:
    """Return messages for names that a test cannot mention: text columns and unknown families."""
    asked = columns.tested
    may = f"a test may mention {', '.join(asked)}"
    texts = {
        name: f"`{name}` is text, and `--columns {name}` shows it; {may}" for name in columns.names if name not in asked
    }
    texts["name"] = f"`cnndsl zoo NAME` shows the network of a name; {may}"
    texts |= dict.fromkeys(texts.keys() & set(asked), "")
    for each in binaries(test):
        for name, word in ((each.left, each.right), (each.right, each.left)):
            if isinstance(name, Name) and name.name == "family" and isinstance(word, Name):
                near = nearest(word.name, list(_families()))
                texts[word.name] = near or "no family is called that; `cnndsl zoo --columns family` lists them"
    return texts


def passes(network: NetworkRow, test: Expr, columns: frozenset[str]) -> bool:
    """Return whether a network passes a test. A network without a value in one of the columns never does."""
    values = network.values
    return columns <= values.keys() and truth(test, {**_families(), **values})


def pareto(networks: Sequence[NetworkRow], goals: Mapping[str, int]) -> list[NetworkRow]:
    """Return the networks that no other beats in every goal at once: 1 for less is better, -1 for more.

    Networks without a value for one of the goals are omitted.
    """
    members = [
        (network, Configuration({}, network.goals)) for network in networks if goals.keys() <= network.goals.keys()
    ]
    kept = {id(member) for member in sweep.pareto([member for _, member in members], goals)}
    return [network for network, member in members if id(member) in kept]


def _families() -> Mapping[str, Value]:
    """Return the families as values, for tests such as `family == ResNet`."""
    return {family: NameSymbol(family) for family in sorted({str(facts["family"]) for facts in published().values()})}
