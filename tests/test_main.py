"""How the command line ends: the exit code, and one line where something went wrong. In this process; test_cli.py and
tests/hostile do the same to whole ones."""

from __future__ import annotations

import errno
import sys
from collections.abc import Sequence

import click
import pytest

from cnndsl import cli
from cnndsl.resources import IncompleteInstallationError

OPEN_STREAMS = cli._open_streams


@pytest.fixture(autouse=True)
def _keeps_this_process_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_open_streams", "_speak_utf8"):
        monkeypatch.setattr(cli, name, lambda: None)
    monkeypatch.setattr(cli.atexit, "register", lambda _: None)


def fail_with(monkeypatch: pytest.MonkeyPatch, failure: BaseException) -> None:
    def run(_: Sequence[str]) -> int:
        raise failure

    monkeypatch.setattr(cli, "run", run)
    monkeypatch.setattr(cli, "_abandon_output", lambda: None)


def end(*arguments: str) -> object:
    with pytest.raises(SystemExit) as stop:
        cli.main(arguments)
    return stop.value.code


@pytest.mark.parametrize(
    ("failure", "code", "line"),
    [
        (KeyboardInterrupt(), 130, ""),
        (click.Abort(), 130, ""),
        (BrokenPipeError(), 141, ""),
        (IncompleteInstallationError("the installation lacks `a`"), 1, "the installation lacks `a`\n"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "cannot write the output: no space left on device\n"),
        (MemoryError(), 1, "there is not enough memory for this network\n"),
    ],
    ids=lambda each: type(each).__name__,
)
def test_what_is_no_fault_of_ours_is_one_line(
    failure: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(monkeypatch, failure)
    assert end("zoo") == code
    assert capsys.readouterr() == ("", f"cnndsl: error: {line}" if line else "")


def test_what_is_a_fault_of_ours_asks_for_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CNNDSL_DEBUG", raising=False)
    fail_with(monkeypatch, ValueError("two\nlines \x1b[31m"))
    assert end("zoo") == 70
    first, second = capsys.readouterr().err.splitlines()
    assert first.startswith("cnndsl: internal error, please report it: ValueError: two lines ")
    assert "\x1b" not in first
    assert second == "CNNDSL_DEBUG=1 shows where it happened"


def test_who_looks_for_the_fault_sees_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNDSL_DEBUG", "1")
    fail_with(monkeypatch, ValueError("here"))
    with pytest.raises(ValueError, match="here"):
        cli.main(["zoo"])


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--version"], 0), (["zoo"], 0), (["stats", "no such file"], 1), (["stast", "vgg16"], 2)]
)
def test_how_commands_end(arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert end(*arguments) == code
    out, err = capsys.readouterr()
    assert bool(out) == (code == 0)
    assert bool(err) == (code != 0)


def test_streams_that_were_closed_take_everything_and_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(sys, name, None)
    OPEN_STREAMS()
    assert sys.stdin.read() == ""
    for stream in (sys.stdout, sys.stderr):
        print("lost", file=stream)
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        stream.close()
