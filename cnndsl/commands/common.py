"""Functions that the commands share: reading programs and settings, printing, reporting errors."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, TypeVar, cast

import click

from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.graph import Graph, Node
from cnndsl.network import Network
from cnndsl.terminal import Paint, clean, wants_colour
from cnndsl.values import Value

AnyFunction = TypeVar("AnyFunction", bound=Callable[..., Any])

STANDARD_INPUT = "<stdin>"

DTYPES = ("fp32", "fp16", "bf16", "amp")
OPTIMIZERS = ("sgd", "momentum", "adam", "adamw")


def program_argument(function: AnyFunction) -> AnyFunction:
    """Add the argument FILE."""
    return click.argument("file", metavar="FILE")(function)


def settings_option(function: AnyFunction) -> AnyFunction:
    """Add `--set name=value` and `--input`, both repeatable. `--input` sets the setting `input`, or `input.left` for
    one of several inputs."""
    setting = "Set a parameter of the network, as in --set classes=10. Repeatable."
    volume = "Replace the shape of INPUT, channels last, as in --input 160x160x3; left=64x64x1 for one of several."
    return _settings(function, ("NAME=VALUE", setting), ("HxWxC", volume))


def domains_option(function: AnyFunction) -> AnyFunction:
    """Add `--set` and `--input` with several values."""
    setting = "The values to try for a parameter: N=1..3, k=3,5,7, c=64. Repeatable."
    volume = "Replace the shape that INPUT has, as in --input 160x160x3,224x224x3, or left=64x64x1 for one of several."
    return _settings(function, ("NAME=VALUES", setting), ("HxWxC", volume))


def _settings(function: AnyFunction, setting: tuple[str, str], volume: tuple[str, str]) -> AnyFunction:
    """Add both options, each with its metavariable and its help; they reach the command as one argument."""

    @wraps(function)
    def command(*args: Any, settings: tuple[str, ...], input: tuple[str, ...], **options: Any) -> Any:
        given = (f"input.{text.lstrip()}" if "=" in text else f"input={text}" for text in map(_input, input))
        return function(*args, settings=(*settings, *given), **options)

    for option in (
        click.option("--input", "input", metavar=volume[0], multiple=True, help=volume[1]),
        click.option("settings", "--set", metavar=setting[0], multiple=True, help=setting[1]),
    ):
        command = option(command)
    return cast("AnyFunction", command)


def _input(text: str) -> str:
    """Return the text of `--input`. Raises UsageError if its extents are not joined by `x`."""
    from cnndsl.commands.inputs import input_meant, is_shape

    if meant := input_meant(text):
        rule = "--input is HEIGHTxWIDTHxCHANNELS, joined by x and with the channels last"
        raise click.UsageError(f"{rule}, not {text!r}; write --input {meant}")
    if not is_shape(text):
        raise click.UsageError(f"--input is HEIGHTxWIDTHxCHANNELS, as in --input 224x224x3, not {text!r}")
    return text


def force_option(function: AnyFunction) -> AnyFunction:
    """Add `--force`."""
    return click.option("--force", "-f", is_flag=True, help="Overwrite an existing file.")(function)


def known_names(
    text: str | None, known: Sequence[str], what: str, titles: Mapping[str, str] | None = None
) -> list[str]:
    """Return the names that an option lists, separated by commas. `titles` are the headings that tables use for them.
    Raises UsageError for an unknown name, with the nearest one."""
    names = [name.strip() for name in text.split(",") if name.strip()] if text else []
    for name in names:
        several = re.split(r"[\s;|+]+", name)
        if len(several) > 1 and all(each in known for each in several):
            raise click.UsageError(f"commas separate names, unlike {name!r}; write {','.join(several)}")
        _require(name, known, what, titles or {})
    return names


_PAIR = re.compile(r"\s*([A-Za-z_]\w*)\s*(?:\bin\b|:=?|\s)\s*(\S.*)")
_DIRECTION = re.compile(r"(?P<name>\w+)[\s:,]+(?P<way>asc|desc)(ending)?", re.IGNORECASE)


def known_order(
    text: str, known: Sequence[str], what: str, titles: Mapping[str, str] | None = None
) -> tuple[str, bool]:
    """Return the name given to `--sort`, and whether the largest comes first: `-params`. Raises UsageError for several
    names and for an unknown one, with the nearest one."""
    name = text.strip().lstrip("-+")
    way = _DIRECTION.fullmatch(name)
    if way is not None and way["name"] in known:
        sign = "-" if way["way"].casefold() == "desc" else ""
        raise click.UsageError(f"{text!r} is no {what}; - puts the largest first: write --sort {sign}{way['name']}")
    if "," in name and name.partition(",")[0].strip() in known:
        raise click.UsageError(f"--sort takes one {what}, not {text!r}; write --sort {text.partition(',')[0].strip()}")
    _require(name, known, what, titles or {})
    return name, text.strip().startswith("-")


def _require(name: str, known: Sequence[str], what: str, titles: Mapping[str, str]) -> None:
    from cnndsl.errors import did_you_mean, listed, nearest
    from cnndsl.sweeping.where_fixes import NAMES

    if name in known:
        return
    titled = titles.get(name) or NAMES.get(name.casefold().replace("-", "_"), "")
    hint = did_you_mean(titled) if titled in known else nearest(name, known)
    raise click.UsageError(f"there is no {what} {name!r}; {hint or f'there are {listed(known, most=len(known))}'}")


def read(file: str) -> Source:
    """Return the program that FILE names. Raises FileError, CnnError."""
    from cnndsl.files import LARGEST, FileError, decode
    from cnndsl.finding import find

    if file != "-":
        return find(file)
    try:
        data = sys.stdin.buffer.read(LARGEST + 1)
    except OSError as stop:
        raise FileError(f"cannot read the standard input: {(stop.strerror or str(stop)).casefold()}") from None
    return decode(STANDARD_INPUT, data)


def network(file: str, settings: Sequence[str]) -> Network:
    """Return the network that FILE and `--set` describe. Raises FileError, CnnError."""
    from cnndsl.settings import parse_settings

    return as_given(read(file), parse_settings(settings))


def as_given(source: Source, settings: Mapping[str, Value]) -> Network:
    """Return the network of a program with settings. Prints a note if an input probably has another meaning than
    intended. Raises CnnError."""
    from cnndsl.network import compiled

    try:
        net = compiled(source, settings)
    except CnnError as stop:
        if not settings:
            raise
        from cnndsl.commands.inputs import as_meant

        raise as_meant(source, settings, stop) from None
    if "input" in settings:
        from cnndsl.commands.inputs import suspicion

        if text := suspicion(source, settings, net):
            note(f"note: {text}")
    return net


def domains(settings: Sequence[str], example: str) -> dict[str, list[Value]]:
    """Return the values of each parameter, from a domain or from several settings of the same name. Raises CnnError,
    and UsageError with an example for an invalid setting."""
    from cnndsl.commands.inputs import domain_meant
    from cnndsl.sweeping.sweep import values

    found: dict[str, list[Value]] = {}
    for text in settings:
        name, equals, domain = text.partition("=")
        if not equals or not all(map(str.isidentifier, name.strip().split(".", 1))):
            other = _PAIR.fullmatch(text)
            meant = f"{other[1]}={domain_meant(other[2]) or other[2]}" if other else example
            raise click.UsageError(f"{text!r} is not of the form NAME=VALUES; write --set {meant}")
        if domain.strip().casefold() in ("*", "all", "any"):
            raise click.UsageError(f"every value of a domain is tried without --set; leave --set {text} out")
        if meant := "" if name.strip().startswith("input") else domain_meant(domain):
            rule = "values are a range, FIRST..LAST, or separated by commas"
            raise click.UsageError(f"{rule}, not {domain.strip()!r}; write --set {name.strip()}={meant}")
        found.setdefault(name.strip(), []).extend(values(domain))
    return found


def layer(graph: Graph, name: str) -> Node:
    """Return the layer of a path: the last layer of a module, or the layer that computes a chain, a label or an output.
    Raises FileError if there is none."""
    from cnndsl.errors import nearest
    from cnndsl.files import FileError

    found = graph.named(name)
    given = {graph.output_name: graph.output, **{each.name: each.node for each in graph.taps}}
    if found is not None:
        return graph.nodes[found.output]
    if name and name in given:
        return graph.nodes[given[name]]
    if name == "input" and len(graph.inputs) == 1:
        return graph.nodes[0]
    known = [*graph.parts, *graph.names, *filter(None, given)]
    hint = nearest(name, known) or "`cnndsl stats` lists the names"
    raise FileError(f"there is no layer {name!r} in {graph.title}; {hint}")


def echo(text: str) -> None:
    """Print a result."""
    click.echo(text, color=True)


def note(text: str) -> None:
    """Print a note, which is not part of the result."""
    click.echo(clean(text), err=True)


def complain(text: str) -> None:
    """Print an error without a location in a program."""
    paint = Paint(wants_colour(sys.stderr))
    click.echo(f"{paint('error', 'bold', 'red')}{paint(f': {clean(text)}', 'bold')}", err=True, color=True)


def report(diagnostics: Sequence[Diagnostic]) -> None:
    """Print the diagnostics of a program."""
    from cnndsl.diagnostics import render

    click.echo(render(diagnostics, colour=wants_colour(sys.stderr)), err=True, color=True)
    if len(diagnostics) > 1:
        click.echo(f"\n{len(diagnostics)} errors", err=True)


def terminal_width() -> int:
    """Return the terminal width as `shutil.get_terminal_size` finds it, whose import takes longer than everything else
    needed to print."""
    try:
        columns = int(os.environ.get("COLUMNS", "0"))
        return columns if columns > 0 else _terminal_columns()
    except ValueError:
        return _terminal_columns()


def _terminal_columns() -> int:
    try:
        return (os.get_terminal_size(sys.__stdout__.fileno()).columns if sys.__stdout__ else 0) or 100
    except (ValueError, OSError):
        return 100
