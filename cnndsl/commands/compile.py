"""`cnndsl compile`: write a network as PyTorch source."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path, PurePath

import click

from cnndsl.commands.common import (
    STANDARD_INPUT,
    complain,
    echo,
    force_option,
    network,
    note,
    program_argument,
    settings_option,
)
from cnndsl.commands.usage import Subcommand
from cnndsl.graph import Graph

MOST_SHOWN = 20
"""The number of differences from a weight file to list."""


@click.command("compile", cls=Subcommand)
@program_argument
@settings_option
@click.option(
    "--output",
    "-o",
    metavar="FILE",
    help="Where to write; - is the standard output.  [default: the name of FILE as Python can import it, my_net.py for "
    "my-net.cnn, in the current folder]",
)
@click.option("--check", is_flag=True, help="Write nothing; check that the existing file is up to date.")
@click.option("--check-arguments", is_flag=True, help="Also verify the class with other constructor arguments.")
@click.option(
    "--weights", metavar="FILE", help="First check that these weights fit: a .pth, .pt, .bin or .safetensors file."
)
@force_option
def command(
    file: str,
    settings: tuple[str, ...],
    output: str | None,
    check: bool,
    check_arguments: bool,
    weights: str | None,
    force: bool,
) -> None:
    """Write a network as a PyTorch module.

    The file needs torch and nothing else; run by itself it does one forward pass. An existing file is overwritten only
    with --force. With --check the exit code is 1 if the file is missing or out of date.

    The source is verified before it is written: it is read back and compared with the network, for the parameters that
    are set. --check-arguments also compares the class made with other constructor arguments.

    \b
    cnndsl compile vgg16
    cnndsl compile net.cnn --set classes=10 -o model.py
    cnndsl compile resnet50 --weights resnet50.pth
    """
    net = network(file, settings)
    if weights is not None and not _fits(net.graph, weights):
        raise SystemExit(1)
    source = net.source()
    _note_unverified(net.graph)
    if check_arguments:
        _check_arguments(file, net.graph, source)
    if output == "-" or (output is None and file == "-"):
        echo(source.rstrip("\n"))
        return
    target = f"{module_name(file)}.py" if output is None else output
    if check:
        _check(target, source, file)
        return
    from cnndsl.files import write

    write(target, source.encode(), force=force)
    note(f"wrote {target}")


def _note_unverified(graph: Graph) -> None:
    """Print a note if a network is too large to be verified."""
    from cnndsl.emit.torch.verified import MOST_LAYERS, is_verified

    if not is_verified(graph):
        note(f"not verified: the network has {len(graph):,} layers, and up to {MOST_LAYERS:,} are verified")


def _check_arguments(file: str, graph: Graph, source: str) -> None:
    """Verify the class with other arguments. Raises MiscompiledError if it differs."""
    from cnndsl.commands.common import read
    from cnndsl.emit.torch.verified import MiscompiledError, argument_differences
    from cnndsl.network import graph_of

    program = graph.source if file == "-" else read(file)
    if differences := argument_differences(source, graph, lambda settings: graph_of(program, settings)):
        raise MiscompiledError(differences)


def _check(target: str, source: str, file: str) -> None:
    """Check whether an existing file is up to date."""
    from cnndsl.files import is_file

    written = Path(target).read_bytes() if is_file(target) else None
    if written == source.encode():
        note(f"{target} is up to date")
        return
    complain(f"{target} is missing" if written is None else f"{target} is stale: it is not what {file} compiles to")
    raise SystemExit(1)


def _fits(graph: Graph, path: str) -> bool:
    """Check a weight file and print the differences, layer by layer."""
    from cnndsl.runtime.weights import compare, hint, read

    found = read(path)
    differences = compare(graph, found)
    if not differences:
        note(f"{path} fits: {len(found)} entries")
        return True
    complain(f"{path} does not fit the network: {len(differences)} of its entries differ")
    for each in differences[:MOST_SHOWN]:
        note(f"  {each}")
    if len(differences) > MOST_SHOWN:
        note(f"  and {len(differences) - MOST_SHOWN} more")
    if advice := hint(differences):
        note(f"  = help: {advice}")
    return False


def module_name(file: str) -> str:
    """Return the name of a program's module, so that Python can import it.

    >>> module_name("nets/my-net.v2.cnn"), module_name("3d.cnn")
    ('my_net_v2', 'net_3d')
    """
    stem = PurePath(file).name.removesuffix(".cnn") if file != STANDARD_INPUT else "net"
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return f"net_{name}" if not name.isidentifier() or iskeyword(name) else name
