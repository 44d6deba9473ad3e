"""Sweeps of many configurations: processes, files that are continued, progress, the function for Python."""

from __future__ import annotations

import csv
import io
import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import cnndsl
from cnndsl.analysis.execution import unknown
from cnndsl.cli import cli
from cnndsl.commands.sweep_progress import SweepProgress
from cnndsl.errors import CnnError, Source
from cnndsl.finding import find, used
from cnndsl.sweeping import running, sweep

FAMILY = """
net Family(n in 1..6, c in {4, 8}, act in {RELU, PRELU}, classes=10)
INPUT 16x16x3 -> [CONV3-c -> act -> POOL2]*n -> FC-classes
"""
"""After four halvings nothing is left, so n = 5 and 6 are invalid: 8 of 24."""


@pytest.fixture(autouse=True)
def _somewhere_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("family.cnn").write_text(FAMILY)


def invoke(*options: str, file: str = "family.cnn") -> Result:
    return CliRunner().invoke(cli, ["sweep", file, "--columns", "params,depth", *options])


def family(text: str = FAMILY) -> sweep.Family:
    return sweep.family(Source("family.cnn", text), {}, used)


# The published cells of NAS-Bench-201


CELLS = {
    # github.com/D-X-Y/AutoDL-Projects, the log of a search by the authors of the benchmark: 184.73 M, 1.289 MB.
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|": (
        "184.73",
        "1.289",
    ),
    # Its tables for CIFAR-10: the smallest and the largest network.
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|": ("7.78305", "0.073306"),
    "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|nor_conv_3x3~0|nor_conv_3x3~1|nor_conv_3x3~2|": (
        "220.11969",
        "1.531546",
    ),
}


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_has_the_published_cost(cell: str) -> None:
    """The benchmark counts the ten biases of the classifier among the multiply-adds."""
    operations = [each.partition("~")[0] for node in cell.split("+") for each in node.strip("|").split("|")]
    names = ("op1_0", "op2_0", "op2_1", "op3_0", "op3_1", "op3_2")
    given = {name: [each.replace("none", "zeroize")] for name, each in zip(names, operations, strict=True)}
    (row,) = cnndsl.sweep("nas_bench_201", given, metrics=["macs", "params"])
    assert row.metrics is not None
    macs, params = int(str(row.metrics["macs"])), int(str(row.metrics["params"]))
    flops, millions = CELLS[cell]
    assert f"{(macs + 10) / 1e6:.{len(flops.partition('.')[2])}f}" == flops
    assert f"{params / 1e6:.{len(millions.partition('.')[2])}f}" == millions


def test_the_search_space_has_its_published_size() -> None:
    assert sweep.family(find("nas_bench_201"), {}, used).size == 15_625


@pytest.mark.slow
def test_the_search_space_has_the_published_ranges() -> None:
    """Its tables for CIFAR-10: 0.073306 to 1.531546 million parameters, 7.78305 to 220.11969 million multiply-adds."""
    rows = [row.metrics for row in cnndsl.sweep("nas_bench_201", metrics=["params", "macs"])]
    params = [int(str(row["params"])) for row in rows if row is not None]
    macs = [int(str(row["macs"])) + 10 for row in rows if row is not None]
    assert len(params) == len(rows) == 15_625
    assert (min(params), max(params)) == (73_306, 1_531_546)
    assert (min(macs), max(macs)) == (7_783_050, 220_119_690)


# Processes


def shown(member: sweep.Configuration) -> tuple[object, ...]:
    """A member as it can be compared across processes, which have copies of a program."""
    return member.settings, member.figures, member.at_most, str(member.reason)


@pytest.mark.parametrize("alone", [0.0, 60.0])
def test_processes_give_the_same_in_the_same_order(alone: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "_ALONE", alone)
    monkeypatch.setattr(running, "CHUNK", 5)
    walked = family()
    numbers = list(range(walked.size))
    expected = list(sweep.measure(walked, walked.all(), unknown, ["params"]))
    found = running.measured(walked, numbers, unknown, ["params"], jobs=2)
    assert list(map(shown, found)) == list(map(shown, expected))
    assert [each.figures is None for each in expected].count(True) == 8


def test_a_process_that_is_no_copy_knows_the_family() -> None:
    """As on systems without `fork`, and beside other threads."""
    walked = family()
    given = (walked.file.source, dict(walked.domains), walked.find, unknown, ("params",), running.current())
    running._begin_anew(*pickle.loads(pickle.dumps(given)))
    try:
        found = pickle.loads(pickle.dumps(running._chunk([0, 23])))
    finally:
        running._meters.clear()
    # CONV3-4 on 3 channels, FC on 8x8x4.
    assert found[0][0] == {"params": 9 * 3 * 4 + 4 + (8 * 8 * 4) * 10 + 10}
    assert found[1][0] is None
    assert found[1][1].code == "E0301"


def test_members_are_held_only_a_few_at_a_time() -> None:
    """A family of 10^15 members: what is asked for comes at once."""
    many = ", ".join(f"p{at} in 1..1000 = 1" for at in range(5))
    walked = family(f"net Many({many})\nINPUT 8x8x3 -> CONV3-{{p0}} -> CONV3-{{p4}} -> FC-2")
    asked: list[int] = []

    def numbers() -> Iterator[int]:
        for number in range(walked.size):
            asked.append(number)
            yield number

    found = running.measured(walked, numbers(), unknown, ["params"])
    assert [next(found).figures is not None for _ in range(3)] == [True] * 3
    assert len(asked) <= 3


# No duplicates, no rounding


def test_no_configuration_comes_twice() -> None:
    rows = list(csv.DictReader(io.StringIO(invoke("--set", "n=1,1,2", "--set", "n=2", "--format", "csv").stdout)))
    assert len(rows) == len({(row["n"], row["c"], row["act"]) for row in rows}) == 2 * 2 * 2
    walked = family("net F(k in {3, 3, 5}, b in {1, yes, 0.5, 1/2})\nINPUT 8x8x3 -> CONV{k}-4 -> FC-2")
    assert [len(values) for values in walked.domains.values()] == [2, 3]


def test_a_table_has_every_digit() -> None:
    """1202 convolutions of 9 weights each."""
    Path("deep.cnn").write_text("net F(n in {1202})\nINPUT 8x8x1 -> [CONV3-1(bias=no)]*n")
    assert invoke(file="deep.cnn").stdout.split()[-3:] == ["1202", "10,818", "1,202"]


# Files


def test_a_file_is_continued_where_it_ends() -> None:
    assert invoke("-o", "whole.csv").exit_code == 0
    whole = Path("whole.csv").read_bytes()
    assert len(whole.splitlines()) == 25
    for end in (0, 5, whole.index(b"\n") + 1, 200, 203, 400, len(whole) - 3, len(whole)):
        Path("part.csv").write_bytes(whole[:end])
        assert invoke("-o", "part.csv", "--resume").exit_code == 0
        assert Path("part.csv").read_bytes() == whole
    assert invoke("-o", "new.csv", "--resume").exit_code == 0
    assert Path("new.csv").read_bytes() == whole


def test_a_filtered_file_is_continued() -> None:
    options = ("--where", "params > 800", "-o")
    assert invoke(*options, "whole.csv").exit_code == 0
    whole = Path("whole.csv").read_bytes()
    for end in range(60, len(whole), 97):
        Path("part.csv").write_bytes(whole[:end])
        assert invoke(*options, "part.csv", "--resume").exit_code == 0
        assert Path("part.csv").read_bytes() == whole


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--set", "n=2..6"], "it has a row for 1, 4, RELU where this sweep has n=2, c=4, act=RELU"),
        (["--set", "classes=100"], "for n=1, c=4, act=RELU it has 1, 4, RELU, 2682, 2, and the network now gives"),
        (["--columns", "params"], "its columns are not n,c,act,params,reason"),
        (
            ["--set", "n=2..6", "--where", "params > 0"],
            "it has a row for 1, 4, RELU, which is not in this sweep",
        ),
        (["--set", "n=1"], "its columns are not c,act,params,depth,reason"),
        (["--sample", "5"], "it has a row for 1, 4, RELU where this sweep has"),
    ],
)
def test_a_file_of_another_sweep_is_not_continued(options: list[str], message: str) -> None:
    invoke("-o", "file.csv")
    before = Path("file.csv").read_bytes()
    result = invoke("-o", "file.csv", "--resume", *options)
    assert result.exit_code == 1
    assert f"cannot continue file.csv: {message}" in result.stderr
    assert Path("file.csv").read_bytes() == before


def test_a_changed_network_is_noticed() -> None:
    invoke("-o", "file.csv")
    Path("family.cnn").write_text(FAMILY.replace("CONV3", "CONV5"))
    result = invoke("-o", "file.csv", "--resume")
    assert "and the network now gives" in result.stderr


def test_an_existing_file_stays() -> None:
    Path("file.csv").write_text("mine\n")
    assert "exists already; --force overwrites it" in invoke("-o", "file.csv").stderr
    assert "cannot continue file.csv: its columns are not" in invoke("-o", "file.csv", "--resume").stderr
    assert Path("file.csv").read_text() == "mine\n"
    assert invoke("-o", "file.csv", "--force").exit_code == 0
    assert "cannot write .: it is a folder" in invoke("-o", ".", "--format", "csv").stderr


@pytest.mark.parametrize(
    "options",
    [
        ["--resume"],
        ["-o", "a.json", "--resume"],
        ["-o", "a.csv", "--resume", "--sort", "params"],
        ["--format", "parquet"],
    ],
)
def test_options_that_do_not_go_together(options: list[str]) -> None:
    result = invoke(*options)
    assert result.exit_code == 2
    assert "needs --output" in result.stderr


def test_parquet_without_its_library_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    assert "pip install 'cnndsl[parquet]'" in invoke("-o", "file.parquet").stderr


def test_parquet() -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert invoke("-o", "whole.parquet").exit_code == 0
    invoke("-o", "whole.csv")
    rows = parquet.read_table("whole.parquet").to_pylist()
    texts = list(csv.DictReader(io.StringIO(Path("whole.csv").read_text(encoding="utf-8"))))
    assert [{name: "" if cell is None else str(cell) for name, cell in row.items()} for row in rows] == texts
    assert rows[0] == {"n": 1, "c": 4, "act": "RELU", "params": 2682, "depth": 2, "reason": None}
    parquet.write_table(parquet.read_table("whole.parquet").slice(0, 7), "part.parquet")
    assert invoke("-o", "part.parquet", "--resume").exit_code == 0
    assert parquet.read_table("part.parquet").to_pylist() == rows
    Path("broken.parquet").write_bytes(Path("whole.parquet").read_bytes()[:-9])
    assert "it is no complete Parquet file" in invoke("-o", "broken.parquet", "--resume").stderr
    assert "its columns are" in invoke("-o", "part.parquet", "--resume", "--columns", "params").stderr


# Progress


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_progress_is_for_terminals_and_long_sweeps() -> None:
    for stream, later, is_shown in ((Terminal(), 0.0, True), (Terminal(), 60.0, False), (io.StringIO(), 0.0, False)):
        assert list(SweepProgress(stream, later).shown(range(100), 0, 100)) == list(range(100))
        assert ("16 of 100" in stream.getvalue()) is is_shown
    assert stream.getvalue() == ""


# In Python


def test_the_function_gives_typed_rows() -> None:
    rows = list(cnndsl.sweep("family.cnn", {"n": "1..5", "c": [4], "act": ["RELU"]}, metrics=["params", "output"]))
    assert [row.settings for row in rows] == [{"n": n, "c": 4, "act": "RELU", "classes": 10} for n in range(1, 6)]
    assert rows[0].metrics == {"params": 2682, "output": [10]}
    assert rows[4].metrics is None
    assert rows[4].error is not None
    assert rows[4].error.code == "E0301"


def test_the_function_tests_draws_and_runs_in_processes() -> None:
    kept = list(cnndsl.sweep("family.cnn", {"n": [1, 2]}, metrics=["depth"], where="params < 2000 and act == PRELU"))
    # 112 + 148 in the convolutions, 4 in each PRELU, 650 in the FC on 4x4x4; all others have more than 2000.
    assert [(row.settings["n"], row.settings["c"], row.metrics) for row in kept] == [(2, 4, {"depth": 3})]
    drawn = [row.settings for row in cnndsl.sweep("family.cnn", sample=5, seed=3)]
    assert drawn == [row.settings for row in cnndsl.sweep("family.cnn", sample=5, seed=3, jobs=2)]
    assert len(drawn) == 5


def test_the_function_refuses_what_it_does_not_know() -> None:
    with pytest.raises(KeyError, match="size"):
        list(cnndsl.sweep("family.cnn", metrics=["size"]))
    with pytest.raises(CnnError, match="no parameter called `q`"):
        list(cnndsl.sweep("family.cnn", {"q": [1]}))
    with pytest.raises(CnnError, match="no value is called `parms`"):
        list(cnndsl.sweep("family.cnn", where="parms < 3"))
