"""Draw the pictures of `docs/gallery.md` and of the README anew, by the commands that the pages show: `make pictures`.

A command in the page is a line `cnndsl render ... -o pictures/NAME.svg`, as it is typed in `docs/`. Each picture is
drawn a second time with `--theme dark`, as `pictures/NAME-dark.svg`, which browsers show on dark pages. The picture of
the README is one of `docs/readme/net.cnn`, whose lines it links to.
"""

from __future__ import annotations

import os
import re
import shlex
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from click.testing import CliRunner

from cnndsl.cli import cli

DOCS = Path(__file__).parents[1] / "docs"


def commands() -> list[list[str]]:
    """Return the arguments of each command in the page."""
    page = (DOCS / "gallery.md").read_text("utf-8")
    return [shlex.split(line) for line in re.findall(r"^cnndsl (render .+ -o pictures/\w+\.svg)$", page, re.MULTILINE)]


def in_the_dark(command: list[str]) -> list[str]:
    """Return the command that draws the same picture for a dark page."""
    *options, file = command
    return [*options, file.replace(".svg", "-dark.svg"), "--theme", "dark"]


def drawn() -> dict[str, bytes]:
    """Return what the commands write: each file's name and its content. Raises RuntimeError if a command fails."""
    with TemporaryDirectory() as folder, chdir(folder):
        Path("pictures").mkdir()
        for command in [each for written in commands() for each in (written, in_the_dark(written))]:
            result = CliRunner().invoke(cli, command)
            if result.exit_code:
                raise RuntimeError(f"cnndsl {shlex.join(command)}: {result.output}")
        return {path.name: path.read_bytes() for path in sorted(Path("pictures").iterdir())}


def drawn_for_readme() -> dict[str, bytes]:
    """Return the two pictures of the README: each file's name and its content. Raises RuntimeError if drawing fails."""
    program = (DOCS / "readme" / "net.cnn").read_bytes()
    command = ["render", "net.cnn", "-o", "net.svg"]
    with TemporaryDirectory() as folder, chdir(folder):
        Path("net.cnn").write_bytes(program)
        for each in (command, in_the_dark(command)):
            result = CliRunner().invoke(cli, each)
            if result.exit_code:
                raise RuntimeError(f"cnndsl {shlex.join(each)}: {result.output}")
        return {path.name: path.read_bytes() for path in sorted(Path().glob("*.svg"))}


def main() -> None:
    """Write the pictures, and remove those that no command draws any more."""
    for name, content in drawn_for_readme().items():
        (DOCS / "readme" / name).write_bytes(content)
    pictures = drawn()
    folder = DOCS / "pictures"
    folder.mkdir(exist_ok=True)
    for path in folder.glob("*.svg"):
        if path.name not in pictures:
            path.unlink()
    for name, content in pictures.items():
        (folder / name).write_bytes(content)
    print(f"{len(pictures)} pictures, {sum(map(len, pictures.values())) / 1e3:,.0f} kB, in {os.path.relpath(folder)}")


if __name__ == "__main__":
    main()
