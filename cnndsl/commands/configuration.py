"""`cnndsl render --style table`: a configuration table of several networks, or of one with several settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, cast

import click

from cnndsl.commands.common import AnyFunction, domains, echo, note, read
from cnndsl.commands.types import OneOf
from cnndsl.errors import CnnError
from cnndsl.records import record

if TYPE_CHECKING:
    from cnndsl.emit.configuration.model import ConfigurationTable
    from cnndsl.emit.configuration.picture import PictureWidth
    from cnndsl.emit.drawing.formats import PictureOptions
    from cnndsl.graph import Graph

STYLES = ("diagram", "table")
TEXTS = ("latex", "markdown", "html", "json")
"""The formats that can be printed without a file."""
TABLE_FORMATS = ("svg", "png", "pdf", *TEXTS)
_ENDINGS = {
    **{f".{each}": each for each in ("svg", "png", "pdf", "html", "json")},
    ".tex": "latex",
    ".md": "markdown",
}


@record(slots=True)
class TableOptions:
    """The options of a table: its format, the file and whether to overwrite it, the options of a picture, and its
    width."""

    format: str | None
    output: str | None
    force: bool
    pictures: PictureOptions
    made_for: PictureWidth = "page"


def table_options(function: AnyFunction) -> AnyFunction:
    """Add `--style`, and `--format` of a table."""
    style = "A diagram, or a configuration table with a column for each network."
    format = "How to write a table.  [default: by the name of --output, else svg]"
    for option in (
        click.option("--format", type=OneOf(TABLE_FORMATS), help=format),
        click.option("--style", type=OneOf(STYLES), default="diagram", show_default=True, help=style),
    ):
        function = option(function)
    return function


def write_table(files: Sequence[str], settings: Sequence[str], options: TableOptions) -> None:
    """Write the table of the networks that files and settings describe. Raises UsageError, FileError, CnnError."""
    from cnndsl.emit.configuration.build import configuration

    if options.made_for == "slide" and _format(options) == "latex":
        raise click.UsageError("a LaTeX table is made for a column or a page, not for a slide")
    form, target = _format(options), options.output
    if target == "-" and form not in TEXTS:
        raise click.UsageError(f"a picture goes into a file: -o FILE.{form}")
    table = configuration(list(_graphs(files, settings)))
    if form in TEXTS and target in (None, "-"):
        echo(_text(table, form, options))
        return
    from cnndsl.commands.compile import module_name
    from cnndsl.files import write

    target = target or f"{module_name(files[0])}_table.{form}"
    data = f"{_text(table, form, options)}\n".encode() if form in TEXTS else _picture(table, form, options)
    write(target, data, force=options.force)
    note(f"wrote {target}")


def _format(options: TableOptions) -> str:
    """Return the format by its name, otherwise by the ending of the file. Raises FileError for an unknown ending."""
    if options.format or options.output in (None, "-"):
        return options.format or ("markdown" if options.output else "svg")
    from cnndsl.files import FileError

    ending = PurePath(options.output or "").suffix.lower()
    if ending not in _ENDINGS:
        *others, last = _ENDINGS
        raise FileError(f"cannot write {options.output}: its name must end in {', '.join(others)} or {last}")
    return _ENDINGS[ending]


def _text(table: ConfigurationTable, form: str, options: TableOptions) -> str:
    if form == "latex":
        from cnndsl.emit.configuration.paper import latex

        return latex(table, cast('Literal["column", "page"]', options.made_for))
    if form == "html":
        from cnndsl.emit.configuration.page import page

        return page(table)
    from cnndsl.emit.configuration.data import as_json, as_markdown

    return as_json(table) if form == "json" else as_markdown(table)


def _picture(table: ConfigurationTable, form: str, options: TableOptions) -> bytes:
    from cnndsl.emit.configuration.picture import picture
    from cnndsl.emit.drawing.formats import PictureFormat, as_bytes

    return as_bytes(picture(table, options.made_for), cast("PictureFormat", form), options.pictures)


def _graphs(files: Sequence[str], settings: Sequence[str]) -> Iterator[Graph]:
    """Yield the networks: each file with each combination of its parameters' values."""
    from cnndsl.network import compiled

    if list(files).count("-") > 1:
        raise click.UsageError("only one of the networks can be the standard input")
    walked = domains(settings, "layers=20,32,44")
    for file in files:
        source = read(file)
        for chosen in product(*walked.values()):
            try:
                yield compiled(source, dict(zip(walked, chosen, strict=True))).graph
            except CnnError:
                note(f"no table was written: {source.name} has an error, and a table shows whole networks")
                raise
