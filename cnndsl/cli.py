"""The command line: `cnndsl stats vgg16`. With `commands`, the only place that prints or exits.

Each command is a module of `commands`, imported when it is called to keep startup fast. Exit codes: 0 success,
1 invalid input or an unusable file, 2 invalid command-line usage, 130 interrupted, 141 output pipe closed,
70 internal error.
"""

from __future__ import annotations

import atexit
import gc
import io
import keyword
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import NoReturn

import click

from cnndsl.errors import CnnError
from cnndsl.files import FileError
from cnndsl.resources import IncompleteInstallationError

_COMPLETION = "_CNNDSL_COMPLETE"
"""Set by the shell when it asks for completions."""

_MANY_OBJECTS = 1_000_000

COMMANDS: Mapping[str, str] = {
    "new": "Copy a bundled network to start from.",
    "zoo": "List the bundled networks.",
    "import": "Import a network from PyTorch code or another tool's file.",
    "check": "Check files and report every error.",
    "stats": "Print shapes, parameters and multiply-adds by layer.",
    "rf": "Show the receptive field of each layer.",
    "sizes": "Show which input sizes a network works with.",
    "fit": "Find the largest batch that fits into memory.",
    "compare": "Compare networks, a row for each.",
    "diff": "Compare two networks layer by layer.",
    "lint": "Check networks against rules of thumb.",
    "compile": "Write a network as a PyTorch module.",
    "render": "Draw a network as SVG, PNG, PDF, TikZ or DOT.",
    "sweep": "Compare the configurations of a network.",
    "bench": "Benchmark a network on this machine.",
    "fmt": "Format files in the canonical style.",
    "explain": "Explain an error code or a rule of lint.",
}
"""Each command with its line in the help."""


OPTIONAL = frozenset({"torch", "numpy", "safetensors", "onnx", "resvg_py", "reportlab", "pygraphviz"})
"""Optional packages that some commands need."""


class Commands(click.Group):
    """A command group that imports each command when it is called."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the options: `--version` and `--help`."""
        from cnndsl.commands.usage import version_option

        return [*super().get_params(ctx), version_option()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: object = import_module(f"cnndsl.commands.{module(cmd_name)}").command
        return command if isinstance(command, click.Command) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command. Raises MisuseError for an unknown one, with the command that was probably meant."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from cnndsl.commands.usage import MisuseError, no_command

            raise MisuseError(no_command(args, list(COMMANDS)), ctx)
        return super().resolve_command(ctx, args)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the options before the command. Raises MisuseError if they are invalid."""
        typed = list(args)
        try:
            return super().parse_args(ctx, args)
        except click.UsageError as stop:
            if not typed:  # the help is shown
                raise
            from cnndsl.commands.usage import misuse

            raise misuse(stop, ctx, typed) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except CnnError as stop:
            from cnndsl.commands.common import report

            report(stop.diagnostics)
        except FileError as stop:
            from cnndsl.commands.common import complain

            complain(str(stop))
        except ModuleNotFoundError as stop:
            if stop.name not in OPTIONAL:
                raise
            from cnndsl.commands.common import complain

            complain(f"{ctx.invoked_subcommand} needs {stop.name}: pip install {stop.name}")
        return ctx.exit(1)


def module(command: str) -> str:
    """Return the module of a command: its name, with an underscore appended if it is a Python keyword."""
    return f"{command}_" if keyword.iskeyword(command) else command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def cli() -> None:
    """A small language for CNN architectures, and its compiler.

    FILE is a .cnn file, the name of a bundled network (`cnndsl zoo` lists them), or - for standard input.
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit."""
    _open_streams()
    _speak_utf8()
    if _COMPLETION in os.environ:
        cli.main(prog_name="cnndsl", complete_var=_COMPLETION)
    atexit.register(gc.freeze)
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except BrokenPipeError:
        _abandon_output()
        code = 141
    except IncompleteInstallationError as stop:
        print(f"cnndsl: error: {stop}", file=sys.stderr)
        code = 1
    except OSError as stop:
        _abandon_output()
        print(f"cnndsl: error: cannot write the output: {(stop.strerror or str(stop)).casefold()}", file=sys.stderr)
        code = 1
    except MemoryError:
        print("cnndsl: error: there is not enough memory for this network", file=sys.stderr)
        code = 1
    except Exception as stop:
        if os.environ.get("CNNDSL_DEBUG"):
            raise
        from cnndsl.terminal import clean

        name, text = type(stop).__name__, clean(" ".join(str(stop).split()))
        print(f"cnndsl: internal error, please report it: {name}: {text}", file=sys.stderr)
        print("CNNDSL_DEBUG=1 shows where it happened", file=sys.stderr)
        code = 70
    sys.exit(code)


@contextmanager
def _rarely_collecting() -> Generator[None]:
    """Run garbage collection rarely: our objects have hardly any reference cycles, and with a hundred thousand layers
    collecting takes a third of the time. So does the final collection at exit."""
    before = gc.get_threshold()
    gc.set_threshold(_MANY_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code. Exceptions that are not user errors propagate."""
    try:
        with _rarely_collecting(), cli.make_context("cnndsl", list(arguments)) as context:
            cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as stop:
        sys.stdout.flush()
        return stop.exit_code
    except click.ClickException as stop:
        stop.show()
        return stop.exit_code
    return 0


def _open_streams() -> None:
    """Replace streams that were closed before the start, `cnndsl … >&-`, and buffer those without a buffer: with
    PYTHONUNBUFFERED, output that a pipe or disk does not accept at once is lost."""
    if sys.stdin is None:  # if there is no console
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: PTH123, SIM115 - stays open
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - stays open
    raw: object = getattr(sys.stdout, "buffer", None)
    if isinstance(raw, io.RawIOBase):
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), line_buffering=True)


def _speak_utf8() -> None:
    """Make the streams UTF-8 whatever the locale; characters that cannot be encoded are escaped."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(encoding="utf-8", errors="backslashreplace")


def _abandon_output() -> None:
    """Keep the interpreter from flushing into a closed pipe and reporting an error."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, sys.stdout.fileno())
    os.close(nothing)
