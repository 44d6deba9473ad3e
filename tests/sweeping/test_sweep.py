"""Families: their members, the tests and orders over them, the plain description of their parameters."""

from __future__ import annotations

import csv
import io
import json
import re
from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnndsl.analysis.execution import unknown
from cnndsl.cli import cli
from cnndsl.errors import CnnError, Source
from cnndsl.finding import used
from cnndsl.sweeping import sweep
from cnndsl.sweeping.where import condition

PYRAMID = """
net Pyramid(N in 0..2 = 1, M in 1..3 = 2, k in {3, 5} = 3)
INPUT 16x16x3 -> [[CONV{k}-8 -> RELU]*N -> POOL?]*M -> FC-10
"""


def family(text: str, **overrides: str) -> sweep.Family:
    domains = {name: sweep.values(values) for name, values in overrides.items()}
    return sweep.family(Source("family.cnn", text), domains, used)


def by_hand(n: int, m: int, k: int, pool: bool) -> int:
    """The parameters of a member of PYRAMID, layer by layer: (k*k*c + 1)*8 for each convolution, then the FC."""
    channels, params = 3, 0
    for _ in range(n * m):
        params += (k * k * channels + 1) * 8
        channels = 8
    side = 16 // 2**m if pool else 16
    return params + (side * side * channels + 1) * 10


def test_every_member_is_walked_and_counted() -> None:
    walked = family(PYRAMID)
    members = list(sweep.measure(walked, walked.all(), unknown, ["params", "depth"]))
    assert [tuple(member.settings.values()) for member in members] == list(
        product((0, 1, 2), (1, 2, 3), (3, 5), (True, False))
    )
    for member in members:
        n, m, k, pool = member.settings.values()
        assert member.figures is not None
        assert member.figures["params"] == by_hand(int(n), int(m), int(k), bool(pool))  # type: ignore[arg-type]
        assert member.figures["depth"] == int(n) * int(m) + 1  # type: ignore[arg-type]


def test_members_by_number_are_those_of_the_walk() -> None:
    walked = family(PYRAMID)
    assert [walked.at(number) for number in range(walked.size)] == list(walked.all())


def test_a_sample_has_no_member_twice_and_repeats_with_its_seed() -> None:
    walked = family(PYRAMID)
    drawn = [tuple(settings.items()) for settings in walked.sample(20, seed=1)]
    assert len(set(drawn)) == 20
    assert drawn == [tuple(settings.items()) for settings in walked.sample(20, seed=1)]
    assert drawn != [tuple(settings.items()) for settings in walked.sample(20, seed=2)]
    assert len(list(walked.sample(10_000, seed=1))) == walked.size == 36


def test_a_member_that_is_no_network_is_kept_with_the_reason() -> None:
    walked = family("net F(n in 1..6)\nINPUT 8x8x1 -> POOL2*n -> FC-2")
    members = list(sweep.measure(walked, walked.all(), unknown))
    assert [member.figures is None for member in members] == [False, False, False, True, True, True]
    assert members[3].reason is not None
    assert members[3].reason.code == "E0301"


def test_overrides_replace_domains_and_free_names_need_them() -> None:
    free = "INPUT 8x8x1 -> [CONV3-4]*N -> FC-2"
    with pytest.raises(CnnError, match=r"`N` has no values to sweep.*--set N=1\.\.3"):
        family(free)
    assert [settings["N"] for settings in family(free, N="1..3").all()] == [1, 2, 3]
    assert [settings["N"] for settings in family(PYRAMID, N="{2, 0}", M="1", k="3", pool="yes").all()] == [2, 0]


def test_an_unknown_parameter_is_refused() -> None:
    with pytest.raises(CnnError, match="no parameter called `Q`"):
        family(PYRAMID, Q="1..2")


@pytest.mark.parametrize(
    ("test", "kept"),
    [("params < 1K", 1), ("params < 5K", 2), ("n >= 2 and not (params > 5K)", 1), ("params < 5.522K", 2)],
)
def test_where(test: str, kept: int) -> None:
    """A member has 9*n + n parameters in its convolution and (64*n + 1)*2 in its FC."""
    walked = family("net F(n in {1, 10, 40})\nINPUT 8x8x1 -> CONV3-n -> FC-2")
    members = list(sweep.measure(walked, walked.all(), unknown))
    counted = [10 * n + (64 * n + 1) * 2 for n in (1, 10, 40)]
    assert [member.figures and member.figures["params"] for member in members] == counted == [140, 1382, 5522]
    assert sum(sweep.holds(condition(test), member) for member in members) == kept


def test_a_test_that_is_none_is_refused() -> None:
    with pytest.raises(CnnError):
        condition("params <")
    with pytest.raises(CnnError, match="E0503"):
        condition("yes assert no")


def test_the_metrics_of_a_test_are_measured_whatever_is_shown(tmp_path: Path) -> None:
    """BN of n channels has 2*n buffers and a counter."""
    file = tmp_path / "family.cnn"
    file.write_text("net F(n in {1, 10, 40}, depth=7)\nINPUT 8x8x1 -> CONV3-n -> BN -> FC-2")

    def kept(*options: str) -> list[int]:
        result = CliRunner().invoke(cli, ["sweep", str(file), "--format", "json", *options])
        assert result.exit_code == 0, result.output
        return [row["settings"]["n"] for row in json.loads(result.output)]

    assert kept("--where", "buffers > 3", "--columns", "params") == [10, 40]
    assert kept("--where", "max(buffers, 30) == buffers", "--columns", "params") == [40]
    assert kept("--sort", "-buffer_values", "--columns", "params") == [40, 10, 1]
    # A parameter wins over the metric of its name, as in an assert.
    assert kept("--where", "depth == 7") == [1, 10, 40]


def test_a_parameter_that_is_a_layer_type_is_tested_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "family.cnn"
    file.write_text("net F(act in {RELU, GELU}, n in {1, 2})\nINPUT 8x8x1 -> CONV3-n -> act -> FC-2")

    def swept(test: str) -> Result:
        return CliRunner().invoke(cli, ["sweep", str(file), "--columns", "params", "--format", "json", "--where", test])

    found = [row["settings"] for row in json.loads(swept("act == GELU and n < 2").stdout)]
    assert found == [{"act": "GELU", "n": 1}]
    assert len(json.loads(swept("act != GELU").stdout)) == 2
    assert "no value is called `GLU` here" in swept("act == GLU").stderr


def test_a_misspelt_metric_is_found_among_all() -> None:
    result = CliRunner().invoke(cli, ["sweep", "recipe", "--sample", "1", "--where", "bufers < 3"])
    assert result.exit_code == 1
    assert "did you mean `buffers`?" in result.output


def test_pareto_against_brute_force() -> None:
    walked = family(PYRAMID)
    members = list(sweep.measure(walked, walked.all(), unknown))
    front = sweep.pareto(members, {"params": 1, "receptive_field": -1})

    def point(member: sweep.Configuration) -> tuple[int, int]:
        assert member.figures is not None
        return sweep.magnitude(member.figures["params"]), -sweep.magnitude(member.figures["receptive_field"])

    def is_beaten(member: sweep.Configuration) -> bool:
        mine = point(member)
        return any(
            other != mine and all(a <= b for a, b in zip(other, mine, strict=True)) for other in map(point, members)
        )

    assert front == [member for member in members if not is_beaten(member)]
    assert 0 < len(front) < len(members)


def test_the_command_prints_a_table_json_and_csv(tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("sweep") / "pyramid.cnn"
    file.write_text(PYRAMID)

    def run(*options: str) -> str:
        result = CliRunner().invoke(cli, ["sweep", str(file), *options])
        assert result.exit_code == 0, result.output
        return result.output

    rows = json.loads(run("--format", "json", "--sort=-params", "--where", "params > 100"))
    assert [row["figures"]["params"] for row in rows] == sorted(
        (row["figures"]["params"] for row in rows), reverse=True
    )
    table = list(csv.DictReader(io.StringIO(run("--format", "csv"))))
    assert len(table) == 36
    assert {"N", "M", "k", "pool", "params", "reason"} <= set(table[0])
    assert len(run("--columns", "params").splitlines()) == 37


def test_a_parameter_that_is_a_fraction_sorts(tmp_path: Path) -> None:
    file = tmp_path / "family.cnn"
    file.write_text("net F(rate in {0.5, 0.2, 1/3})\nINPUT 4 -> DROPOUT(rate) -> FC-2")
    result = CliRunner().invoke(cli, ["sweep", str(file), "--format", "json", "--sort", "rate"])
    assert [round(row["settings"]["rate"], 2) for row in json.loads(result.output)] == [0.2, 0.33, 0.5]


@pytest.mark.parametrize(
    "options",
    [
        *(["--sort", "parms"], ["--sort", "params,macs"], ["--sort", "-"]),
        *(["--pareto", "size"], ["--columns", "x"], ["--set", "N"]),
    ],
)
def test_a_wrong_command_line_is_told(options: list[str]) -> None:
    assert CliRunner().invoke(cli, ["sweep", "lenet5", *options]).exit_code == 2


def test_a_heading_is_no_name_but_leads_to_it() -> None:
    for options in (
        ("--sort", "-receptive field"),
        ("--pareto", "params,CS231n memory"),
        ("--columns", "peak at inference"),
    ):
        result = CliRunner().invoke(cli, ["sweep", "vgg16", *options])
        assert result.exit_code == 2
        assert re.search("did you mean `(receptive_field|memory|inference)`", result.stderr)
    heads = CliRunner().invoke(cli, ["sweep", "vgg16"]).stdout.splitlines()[0]
    assert re.split("  +", heads.strip())[3:6] == ["peak at inference", "peak in training", "receptive field"]


def test_space_is_plain_data(tmp_path: object) -> None:
    file = Path(str(tmp_path)) / "family.cnn"
    file.write_text(
        "net F(a in 1..3, b in {0.5, 1} = 1, act in {RELU, GELU} = RELU, wide=no)\nINPUT -> CONV3-a -> act?"
    )
    assert sweep.space(file) == {
        "a": {"type": "int", "values": [1, 2, 3], "default": None},
        "b": {"type": "float", "values": [0.5, 1], "default": 1},
        "act": {"type": "name", "values": ["RELU", "GELU"], "default": "RELU"},
        "wide": {"type": "bool", "values": None, "default": False},
    }


def test_a_family_beyond_all_counting_is_sampled() -> None:
    parameters = ", ".join(f"p{at} in 0..99999 = 1" for at in range(1200))
    source = Source("huge.cnn", f"net Huge({parameters})\nINPUT 8x8x3 -> CONV3-{{1 + p0}}")
    huge = sweep.family(source, {}, lambda *_: None)
    drawn = list(huge.sample(3, seed=1))
    assert [len(settings) for settings in drawn] == [1200] * 3
    assert drawn == list(huge.sample(3, seed=1))
    assert len({settings["p0"] for settings in drawn}) > 1
