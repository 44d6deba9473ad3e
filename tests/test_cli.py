"""The command line as a user meets it: whole processes in a folder of their own, and the commands one by one."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cnndsl.cli import COMMANDS, cli

ROOT = Path(__file__).parent.parent
CARD = "INPUT -> [[CONV3-64 -> RELU]*2 -> POOL2]*5 -> FC-4096\n"
BAD = "INPUT -> CNOV3-64\n"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NO_COLOR", "FORCE_COLOR", "CNNDSL_DEBUG"):
        monkeypatch.delenv(name, raising=False)


def run(*arguments: str, stdin: str | None = None) -> Result:
    return CliRunner().invoke(cli, arguments, input=stdin)


def start(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    """The command line as a process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}  # type: ignore[dict-item]
    return subprocess.run(  # type: ignore[call-overload, no-any-return]
        [sys.executable, "-m", "cnndsl", *arguments],
        env=environment,
        encoding="utf-8",
        **{"capture_output": True, **options},
    )


# Starting


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert COMMANDS[command] in result.output


def test_help_lists_the_commands_and_loads_nothing() -> None:
    code = "import sys; from cnndsl.cli import run; run(['--help']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.returncode == 0
    *help, modules = done.stdout.decode().splitlines()
    assert all(any(line.split()[:1] == [command] for line in help) for command in COMMANDS)
    assert not {"lark", "rich", "graphviz", "networkx", "torch", "json", "cnndsl.graph"} & set(modules.split())


def test_stats_loads_no_library_that_it_does_not_need() -> None:
    code = "import sys; from cnndsl.cli import run; run(['stats', 'vgg16']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert done.returncode == 0
    # The parser reads its tables as JSON, which is ten times faster than as Python.
    assert not {"rich", "graphviz", "torch"} & set(done.stdout.decode().splitlines()[-1].split())


def test_importing_the_package_is_free() -> None:
    code = "import sys; before = set(sys.modules); import cnndsl; print(*set(sys.modules) - before)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True
    )
    assert set(done.stdout.decode().split()) <= {"cnndsl", "__future__"}


def test_the_version() -> None:
    import cnndsl

    assert run("--version").output == f"cnndsl {cnndsl.__version__}\n"


def test_an_unknown_command_or_option_is_a_misuse() -> None:
    result = run("stat", "vgg16")
    assert result.exit_code == 2
    assert "did you mean `stats`?" in result.stderr
    assert run("stats", "vgg16", "--formt", "json").exit_code == 2
    assert run("stats", "vgg16", "--format", "xml").exit_code == 2


# Stats


def test_stats_of_the_zoo_in_an_empty_folder() -> None:
    result = start("stats", "vgg16")
    assert result.returncode == 0
    assert result.stderr == ""
    assert "138,357,544" in result.stdout
    assert "\x1b" not in result.stdout


def test_stats_of_standard_input() -> None:
    result = start("stats", "-", "--format", "json", input=CARD)
    totals = json.loads(result.stdout)["totals"]
    # Ten convolutions with 64 filters, then FC on 7x7x64.
    assert totals["params"] == (27 * 64 + 64) + 9 * (576 * 64 + 64) + (7 * 7 * 64 * 4096 + 4096)


def test_parameters_are_set() -> None:
    result = run("stats", "vgg16", "--set", "classes=10", "--format", "json")
    assert json.loads(result.output)["layers"][-1]["output"] == [10]


def test_a_result_goes_into_a_file() -> None:
    assert run("stats", "vgg16", "--format", "csv", "-o", "a.csv").exit_code == 0
    assert Path("a.csv").read_text().startswith("path,text,output")
    again = run("stats", "vgg16", "--format", "csv", "-o", "a.csv")
    assert again.exit_code == 1
    assert again.stderr == "error: a.csv exists already; --force overwrites it\n"


# What can be wrong


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("stats", "vgg61"), "error: cannot read vgg61: there is no such file; did you mean vgg19, vgg16 or vgg13?"),
        (("stats", "qqqq"), "error: cannot read qqqq: there is no such file; `cnndsl zoo` lists the bundled networks"),
        (("stats", "."), "error: cannot read .: it is a folder"),
        (("stats", "../vgg16"), "error: cannot read ../vgg16: there is no such file"),
        (("new", "vgg61"), "error: there is no bundled network 'vgg61'; did you mean vgg19"),
        (("new", "../vgg16"), "error: there is no bundled network '../vgg16'"),
        (("render", "vgg16", "-o", "a.bmp"), "error: cannot draw a.bmp: its name must end in one of .svg, .png"),
        (
            ("stats", "vgg16", "--set", "classes"),
            "error[E0501]: cannot set `classes`: it is not of the form name=value",
        ),
        (("stats", "vgg16", "--set", "classes="), "error[E0501]: cannot set `classes=`: there is no value after"),
        (("stats", "vgg16", "--set", "a=1", "--set", "a=1"), "error[E0501]: cannot set `a=1`: `a` is set already"),
        (("stats", "vgg16", "--set", "a=1 let b=2"), "error[E0501]: cannot set `a=1 let b=2`: `1 let b=2` is not one"),
        (("stats", "vgg16", "--set", "a=__import__('os')"), "cannot set `a=__import__('os')`: "),
        (("stats", "vgg16", "--set", "clases=10"), "did you mean `classes`?"),
    ],
)
def test_what_is_wrong_is_said_on_the_standard_error(arguments: tuple[str, ...], message: str) -> None:
    result = start(*arguments)
    assert result.returncode == 1
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr


def test_a_mistake_in_a_file_is_shown_with_its_line() -> None:
    Path("bad.cnn").write_text(BAD)
    result = start("stats", "bad.cnn")
    assert result.returncode == 1
    assert "--> bad.cnn:1:10\n" in result.stderr
    assert " 1 | INPUT -> CNOV3-64\n   |          ^^^^^" in result.stderr
    assert "did you mean `CONV3`?" in result.stderr


def test_bytes_that_are_not_text() -> None:
    Path("bad.cnn").write_bytes(b"INPUT -> \xff\xfe\x00")
    result = start("stats", "bad.cnn")
    assert result.returncode == 1
    assert "error[E0101]: the byte 0xFF is not UTF-8\n  --> bad.cnn:1:10" in result.stderr


def test_a_name_cannot_steer_the_terminal() -> None:
    for name in ("\x1b[31mred\x1b[0m.cnn", "a\nb.cnn", "\u202eabc.cnn"):
        Path(name).write_text(BAD)
        for arguments in (("stats", name), ("check", name), ("check", name, "--output-format", "concise")):
            result = start(*arguments)
            assert result.returncode == 1
            assert not set(result.stdout + result.stderr) & {"\x1b", "\u202e"}


def test_streams_are_utf8_whatever_the_locale_says() -> None:
    Path("netz.cnn").write_text("# Ünïcode, 卷积\nINPUT -> CNOV3 # é\n", encoding="utf-8")
    result = start("check", "netz.cnn", env={"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert " 2 | INPUT -> CNOV3 # é" in result.stdout


def test_a_mistake_of_ours_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from cnndsl import cli as module

    def fails(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr(module, "run", fails)
    with pytest.raises(SystemExit) as stop:
        module.main([])
    assert stop.value.code == 70
    assert "internal error, please report it: ZeroDivisionError: of ours" in capsys.readouterr().err
    monkeypatch.setenv("CNNDSL_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        module.main([])


# Colours


def test_colours_only_where_they_are_wanted() -> None:
    assert "\x1b" not in start("stats", "lenet5").stdout
    assert "\x1b[" in start("stats", "lenet5", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b" not in start("stats", "lenet5", env={"FORCE_COLOR": "1", "NO_COLOR": "1"}).stdout
    Path("bad.cnn").write_text(BAD)
    assert "\x1b[1;31merror[E0231]\x1b[0m" in start("check", "bad.cnn", env={"FORCE_COLOR": "1"}).stdout


# Ends


@pytest.mark.skipif(os.name == "nt", reason="pipes")
def test_a_reader_that_goes_away_is_no_error() -> None:
    Path("long.cnn").write_text("INPUT 8x8x3 -> [CONV3-4]*5000")
    child = subprocess.Popen(
        [sys.executable, "-m", "cnndsl", "stats", "long.cnn"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert child.stdout is not None
    assert child.stderr is not None
    with child:
        child.stdout.read(10)
        child.stdout.close()
        assert child.stderr.read() == b""
        assert child.wait() == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_an_output_that_is_full() -> None:
    with Path("/dev/full").open("w") as full:
        result = start("stats", "vgg16", capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert result.returncode == 1
    assert result.stderr == "cnndsl: error: cannot write the output: no space left on device\n"


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_an_interrupt_is_quiet() -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "cnndsl", "stats", "-"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell has what it runs in the background ignore Ctrl-C, and its children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # type: ignore[arg-type, return-value]
    )
    with child:
        time.sleep(1)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=20)
    assert (child.returncode, out, err) == (130, b"", b"")


# The other commands


def test_zoo_lists_and_searches() -> None:
    head, *lines = run("zoo").output.splitlines()
    assert head.split()[:3] == ["name", "family", "year"]
    assert [line.split()[0] for line in lines] == sorted(file.stem for file in (ROOT / "architectures").glob("*.cnn"))
    found = run("zoo", "VGG", "normalisation").output.splitlines()
    assert {line.split()[0] for line in found} >= {"vgg16_bn", "vgg19_bn"}
    assert run("zoo", "nothing-like-that").stdout == ""


def test_new_copies_and_does_not_overwrite() -> None:
    assert run("new", "vgg16").stderr == "wrote vgg16.cnn\n"
    assert Path("vgg16.cnn").read_bytes() == (ROOT / "architectures" / "vgg16.cnn").read_bytes()
    assert run("new", "vgg16").exit_code == 1
    assert run("new", "vgg16", "-o", "mine.cnn").exit_code == 0
    assert run("new", "vgg16", "-o", "-").stdout == Path("mine.cnn").read_text(encoding="utf-8")


def test_check_reports_all_files() -> None:
    Path("bad.cnn").write_text(BAD)
    Path("good.cnn").write_text(CARD)
    result = run("check", "good.cnn", "bad.cnn", "none.cnn", "lenet5")
    assert result.exit_code == 1
    assert "--> bad.cnn:1:10" in result.stdout
    assert "error[E0502]: cannot read none.cnn: there is no such file" in result.stdout
    assert result.stderr == "4 files checked, 2 errors\n"
    fine = run("check", "good.cnn", "lenet5")
    assert (fine.exit_code, fine.stdout, fine.stderr) == (0, "", "2 files checked, no errors\n")


@pytest.mark.parametrize("format", ["json", "sarif"])
def test_check_for_programs(format: str) -> None:
    Path("bad.cnn").write_text(BAD)
    assert "E0231" in json.dumps(json.loads(run("check", "bad.cnn", "--output-format", format).stdout))
    assert json.loads(run("check", "lenet5", "--output-format", format).stdout) is not None


PICTURES = [("svg", b"<svg"), ("png", b"\x89PNG"), ("pdf", b"%PDF"), ("gv", b"digraph")]


@pytest.mark.parametrize(("format", "begins"), PICTURES)
def test_render(format: str, begins: bytes) -> None:
    for needed in {"png": ("resvg_py",), "pdf": ("reportlab",)}.get(format, ()):
        pytest.importorskip(needed)
    result = start("render", "lenet5", "-o", f"net.{format}")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", f"wrote net.{format}\n")
    assert Path(f"net.{format}").read_bytes().startswith(begins)
    assert start("render", "lenet5", "-o", f"net.{format}").returncode == 1


def test_render_without_graphviz_lays_out_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "pygraphviz", None)
    result = run("render", "lenet5", "-o", "net.svg", "--layout", "dot")
    assert result.exit_code == 0
    assert re.fullmatch(
        r"wrote net\.svg in a layout of our own: there is no Graphviz; .*pip install pygraphviz\n",
        result.stderr,
    )
    assert Path("net.svg").read_text(encoding="utf-8").startswith("<svg")


def test_render_to_the_standard_output() -> None:
    assert run("render", "lenet5", "-o", "-").stdout.startswith("digraph")


# Formatting

CRAMPED = "INPUT 8x8x3->conv3-4 # first\n"
NEAT = "INPUT 8x8x3 -> CONV3-4  # first\n"


def test_fmt_changes_files_in_place() -> None:
    Path("net.cnn").write_text(CRAMPED)
    result = run("fmt", "net.cnn")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "formatted net.cnn\n")
    assert Path("net.cnn").read_text() == NEAT
    again = run("fmt", "net.cnn")
    assert (again.exit_code, again.output) == (0, "")


def test_fmt_can_only_look() -> None:
    Path("net.cnn").write_text(CRAMPED)
    check = run("fmt", "--check", "net.cnn")
    assert (check.exit_code, check.stdout, check.stderr) == (1, "", "net.cnn is not formatted\n")
    diff = run("fmt", "--diff", "net.cnn")
    assert diff.exit_code == 1
    assert diff.stdout.splitlines()[2:] == ["@@ -1 +1 @@", f"-{CRAMPED.strip()}", f"+{NEAT.strip()}"]
    assert Path("net.cnn").read_text() == CRAMPED


def test_fmt_of_the_standard_input() -> None:
    assert run("fmt", "-", stdin=CRAMPED).stdout == NEAT
    assert run("fmt", "-", stdin=NEAT).stdout == NEAT


def test_fmt_leaves_what_it_cannot_read() -> None:
    Path("bad.cnn").write_text("INPUT -> -> FC\n")
    Path("net.cnn").write_text(CRAMPED)
    result = run("fmt", "bad.cnn", "none.cnn", "net.cnn")
    assert result.exit_code == 1
    assert "--> bad.cnn:1:10" in result.stderr
    assert "cannot read none.cnn: there is no such file" in result.stderr
    assert Path("bad.cnn").read_text() == "INPUT -> -> FC\n"
    assert Path("net.cnn").read_text() == NEAT
