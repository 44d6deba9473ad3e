"""`cnndsl import`: the network of another tool's file as a program."""

from __future__ import annotations

import click

from cnndsl.commands.common import echo, force_option, note
from cnndsl.files import FileError


@click.command("import")
@click.argument("file", metavar="FILE")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of the standard output.")
@force_option
def command(file: str, output: str | None, force: bool) -> None:
    """Write the network of another tool's file as a program.

    FILE is a .cfg file of Darknet, a .prototxt file of Caffe or an .onnx file; the last needs `pip install
    'cnndsl[onnx]'`. What repeats becomes blocks, repeats and tables. The program is compiled and compared with the file
    layer by layer before it is written; nothing in the file is guessed, and nothing is run.

    \b
    cnndsl import yolov4.cfg -o yolov4.cnn
    """
    from cnndsl.files import read, read_binary, write
    from cnndsl.importers.program import BINARY_READERS, READERS, program, suffix

    if suffix(file) not in {**READERS, **BINARY_READERS}:
        known = ", ".join([*READERS, *BINARY_READERS])
        raise FileError(f"cannot import {file}: its name ends with none of {known}")
    text = program(read_binary(file) if suffix(file) in BINARY_READERS else read(file))
    if output is None or output == "-":
        echo(text.removesuffix("\n"))
        return
    write(output, text.encode(), force=force)
    note(f"wrote {output}")
