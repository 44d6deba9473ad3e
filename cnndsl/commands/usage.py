"""Invalid command lines: each message states the rule, the value, and what to type instead."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cnndsl.commands.synonyms import COMMAND_SYNONYMS, FOLDERS, NEEDLESS, OPTION_SYNONYMS, SPELLED_OUT, meaning
from cnndsl.commands.types import option_name
from cnndsl.errors import closest, nearest

_EXAMPLES = {
    "SIZE|CARD": "24GiB",
    "SIZE": "1GiB",
    "CARD": "h100",
    "NAME=VALUE": "classes=10",
    "NAME=VALUES": "N=1..3",
    "HxWxC": "224x224x3",
    "RULES": "even-kernel",
    "TEST": "'params < 10M'",
    "COLUMN": "-params",
    "COLUMNS": "params,macs",
    "NAMES": "params,macs",
    "METRIC": "-params",
    "METRICS": "params,macs",
    "Y,X": "3,4",
    "COUNT": "20",
    "N": "2",
    "DEVICE": "cuda",
    "TYPE": "fp16",
}
"""A value for each metavariable of an option."""

_FILE = "a .cnn file, the name of a bundled network, or - for standard input"
_NEEDED = {
    "FILE": ("net.cnn", _FILE),
    "FILE...": ("net.cnn", _FILE),
    "A": ("old.cnn new.cnn", "two networks to compare"),
    "B": ("old.cnn new.cnn", "two networks to compare"),
    "NAME": ("NAME -o net.cnn", "the name of a bundled network, which `cnndsl zoo` lists"),
    "CODE|FILE": ("timm:NAME", "code that makes a PyTorch module, or a .cfg, .prototxt or .onnx file"),
}
"""An example of each argument, and its description."""


class MisuseError(click.UsageError):
    """An invalid command line, in one line, with the usage line below it."""

    def show(self, file: object = None) -> None:
        """Print the error and the usage line."""
        from cnndsl.commands.common import complain, note

        complain(self.message)
        if self.ctx is not None:
            path = self.ctx.command_path
            pieces = " ".join(self.ctx.command.collect_usage_pieces(self.ctx))
            note(f"usage: {path} {pieces}   (`{path} --help` explains it)")


class Subcommand(click.Command):
    """A command that reports invalid usage as a `MisuseError`."""

    allow_extra_args = True

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return the command's arguments and options, with `--version`."""
        return [*super().get_params(ctx), version_option()]

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read arguments and options. Raises MisuseError."""
        typed = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except click.UsageError as stop:
            raise misuse(stop, ctx, typed) from None
        if rest:
            raise MisuseError(unexpected(ctx.command, rest, typed), ctx)
        return rest

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except MisuseError:
            raise
        except click.UsageError as stop:
            raise misuse(stop, ctx, []) from None


def version_option() -> click.Option:
    """Return the option that prints the version, of every command."""

    def show(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
        if wanted:
            from cnndsl import __version__

            click.echo(f"cnndsl {__version__}")
            ctx.exit()

    names, text = ["-V", "--version"], "Show the version and exit."
    return click.Option(names, is_flag=True, is_eager=True, expose_value=False, callback=show, help=text)


def misuse(stop: click.UsageError, ctx: click.Context, typed: Sequence[str]) -> MisuseError:
    """Convert an error of click's to this program's wording. `typed` are the arguments after the command."""
    if isinstance(stop, click.NoSuchOption):
        return MisuseError(no_option(ctx.command, stop.option_name, typed), ctx)
    if isinstance(stop, click.MissingParameter):
        return MisuseError(_missing(ctx.command, stop.param), ctx)
    if isinstance(stop, click.BadOptionUsage):
        return MisuseError(_without_value(ctx.command, stop), ctx)
    text = stop.message
    if isinstance(stop, click.BadParameter) and stop.param is not None:
        name = option_name(stop.param)
        text = text if text.startswith(name) else f"{name}: {text}"
    return MisuseError(text, ctx)


def _options(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command by each of their names."""
    found = {name: each for each in command.params if isinstance(each, click.Option) for name in each.opts}
    return found | dict.fromkeys(("-V", "--version", "-h", "--help"), version_option())


def no_option(command: click.Command, option: str, typed: Sequence[str]) -> str:
    """Return the message for an option that a command does not have, with the option that is probably meant."""
    title, known = "cnndsl" if isinstance(command, click.Group) else command.name or "", _options(command)
    if why := NEEDLESS.get((title, option)):
        return f"{title} has no option {option}: {why}; leave it out"
    said = f"{title} has no option {option}"
    if option in FOLDERS and "--output" in known:
        return f"{said}; name the folder with the file: -o FOLDER/FILE"
    if spelled := _spelled_out(option, known):
        return f"{said}; write {spelled}"
    meant = meaning(option, OPTION_SYNONYMS, frozenset(known))
    if meant:
        return f"{said}; did you mean {_with_value(meant, known)}?"
    after = _after(option, typed)
    if column := _tested(option, command, known):
        return f"{said}; write --where '{column} == {after or 'VALUE'}'"
    if "--set" in known and (parameter := _parameter(option, typed)):
        return f"{said}; a parameter of the network is set by --set {parameter}={after or 'VALUE'}"
    near = closest(option, [name for name in known if name.startswith("--")]) if option.startswith("--") else ""
    return f"{said}; did you mean {_with_value(near, known)}?" if near else said


def _spelled_out(option: str, known: dict[str, click.Option]) -> str:
    spelled = SPELLED_OUT.get(option, "")
    name, _, value = spelled.partition(" ")
    if name not in known:
        return ""
    accepted = known[name].type
    return spelled if not isinstance(accepted, click.Choice) or value in accepted.choices else ""


def _with_value(name: str, known: dict[str, click.Option]) -> str:
    option = known[name]
    if option.is_flag or option.metavar is None:
        return name
    return f"{name} {option.metavar}"


def _after(option: str, typed: Sequence[str]) -> str:
    """Return the value that follows an option as it was typed."""
    for at, text in enumerate(typed):
        if text.startswith(f"{option}="):
            return text.removeprefix(f"{option}=")
        if text == option:
            return next((each for each in typed[at + 1 : at + 2] if not each.startswith("-")), "")
    return ""


def _tested(option: str, command: click.Command, known: dict[str, click.Option]) -> str:
    """Return the column that `zoo --where` and `compare --where` test, if the option has its name."""
    if command.name not in ("zoo", "compare") or "--where" not in known:
        return ""
    from cnndsl.catalogue import BUNDLED, COMPARED

    name = option.lstrip("-").replace("-", "_")
    return name if name in (BUNDLED if command.name == "zoo" else COMPARED).names else ""


def _parameter(option: str, typed: Sequence[str]) -> str:
    """Return the parameter of the network on the command line whose name the option has."""
    from contextlib import suppress

    from cnndsl.elaborate.parameters import parameters
    from cnndsl.errors import CnnError
    from cnndsl.files import FileError
    from cnndsl.finding import find
    from cnndsl.syntax.parse import parse

    file = next((text for text in typed if not text.startswith("-")), "")
    with suppress(CnnError, FileError):
        names = [each.name for each in parameters(parse(find(file)))] if file else []
        return closest(option.lstrip("-").replace("-", "_"), names)
    return ""


def _missing(command: click.Command, parameter: click.Parameter | None) -> str:
    shown = parameter.metavar or (parameter.name or "").upper() if parameter is not None else ""
    example, what = _NEEDED.get(shown, ("", ""))
    if not example:
        return f"{command.name} needs {option_name(parameter)}"
    return f"{command.name} needs {what}, as in: cnndsl {command.name} {example}"


def _without_value(command: click.Command, stop: click.BadOptionUsage) -> str:
    option = _options(command).get(stop.option_name)
    if option is None:
        return stop.message
    if option.is_flag:
        return f"{stop.option_name} takes no value"
    if isinstance(option.type, click.Choice):
        from cnndsl.commands.types import alternatives

        return f"{stop.option_name} needs a value: {alternatives([str(each) for each in option.type.choices])}"
    shown = option.metavar or "VALUE"
    example = f", as in {stop.option_name} {_EXAMPLES[shown]}" if shown in _EXAMPLES else ""
    return f"{stop.option_name} needs a value, {shown}{example}"


def unexpected(command: click.Command, rest: Sequence[str], typed: Sequence[str]) -> str:
    """Return the message for arguments that a command does not accept, with where they belong."""
    first, known = rest[0], _options(command)
    said = f"{command.name} has no use for {first!r}" if len(rest) == 1 else f"{command.name} has no use for {rest!r}"
    before = _option_before(first, typed, known)
    if before:
        return f"{said}; {_joined(*before, rest)}"
    if "=" in first and "--set" in known:
        return f"{said}; a parameter is set by --set {first}"
    hint = _belongs(command, first, typed, known)
    return f"{said}; {hint}" if hint else said


def _option_before(first: str, typed: Sequence[str], known: dict[str, click.Option]) -> tuple[str, str] | None:
    """Return the option and the value before an argument: `--set` and `classes` in `--set classes 10`."""
    at = max((at for at, text in enumerate(typed) if text == first), default=0)
    while at >= 2 and not typed[at - 2].startswith("-") and not typed[at - 1].startswith("-"):
        at -= 1
    option = known.get(typed[at - 2]) if at >= 2 else None
    return (typed[at - 2], typed[at - 1]) if option is not None and not option.is_flag else None


def _joined(option: str, value: str, rest: Sequence[str]) -> str:
    if option == "--input" and all(each.isdecimal() for each in (value, *rest)):
        return f"write --input {'x'.join((value, *rest))}"
    if option == "--set" and "=" not in value:
        return f"write --set {value}={rest[0]}"
    if option == "--set" and "=" in rest[0]:
        return f"each parameter has its own option: --set {value} --set {rest[0]}"
    joined = f"{value.rstrip(',')},{','.join(rest)}"
    return f"if it is a value of {option}, write {option} {joined if ' ' not in joined else repr(joined)}"


def _is_network(name: str) -> bool:
    from cnndsl.files import exists
    from cnndsl.resources import architecture

    return exists(name) or architecture(name) is not None


def _belongs(command: click.Command, first: str, typed: Sequence[str], known: dict[str, click.Option]) -> str:
    """Return where an argument belongs that is a network, a layer or a file to write."""
    if command.name == "diff":
        return "it compares two networks"
    if _is_network(first) and command.name not in ("new", "import", "explain"):
        file = next((text for text in typed if not text.startswith("-")), "A")
        return f"{command.name} reads one network; `cnndsl diff {file} {first}` compares two"
    if command.name == "rf":
        return f"a layer is named by --at {first}"
    return f"to write that file: -o {first}" if "--output" in known and "." in first else ""


def no_command(typed: Sequence[str], known: Sequence[str]) -> str:
    """Return the message for a command that does not exist, with the one that is probably meant."""
    first, *rest = typed
    said = f"there is no command {first!r}"
    if rest and rest[0] in known and _is_network(first):
        return f"{said}: the command comes first; write: cnndsl {rest[0]} {first}"
    if first in ("help", "version"):
        target = f"{rest[0]} " if first == "help" and rest and rest[0] in known else ""
        return f"{said}; write: cnndsl {target}--{first}"
    if meant := meaning(first.casefold(), COMMAND_SYNONYMS, frozenset(known)):
        return f"{said}; did you mean `{meant}`?"
    if first == "train":
        return f"{said}: cnndsl trains nothing; `cnndsl compile` writes the PyTorch module"
    if hint := nearest(first, known):
        return f"{said}; {hint}"
    if _is_network(first) or first.endswith(".cnn"):
        return f"{said}: a command comes before the network, as in: cnndsl stats {first}"
    return f"{said}; `cnndsl --help` lists the commands"
