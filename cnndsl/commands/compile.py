"""`cnndsl compile`: a network as PyTorch source."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import PurePath

import click

from cnndsl.commands.common import STANDARD_INPUT, echo, force_option, network, note, program_argument, settings_option


@click.command("compile")
@program_argument
@settings_option
@click.option(
    "--output", "-o", metavar="FILE", help="Where to write; - is the standard output.  [default: FILE.py, here]"
)
@force_option
def command(file: str, settings: tuple[str, ...], output: str | None, force: bool) -> None:
    """Write a network as a PyTorch module.

    The file needs torch and nothing else; run by itself it does one forward pass. An existing file is overwritten
    only with --force.

    \b
    cnndsl compile vgg16
    cnndsl compile net.cnn --set classes=10 -o model.py
    """
    source = network(file, settings).source()
    if output == "-" or (output is None and file == "-"):
        echo(source.rstrip("\n"))
        return
    from cnndsl.files import write

    target = output or f"{module_name(file)}.py"
    write(target, source.encode(), force=force)
    note(f"wrote {target}")


def module_name(file: str) -> str:
    """What the module of a program is called, so that Python can import it.

    >>> module_name("nets/my-net.v2.cnn"), module_name("3d.cnn")
    ('my_net_v2', 'net_3d')
    """
    stem = PurePath(file).name.removesuffix(".cnn") if file != STANDARD_INPUT else "net"
    name = re.sub(r"\W", "_", stem, flags=re.ASCII)
    return f"net_{name}" if not name.isidentifier() or iskeyword(name) else name
