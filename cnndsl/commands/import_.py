"""`cnndsl import`: convert code, or another tool's file, to a program."""

from __future__ import annotations

from collections.abc import Sequence

import click

from cnndsl.commands.common import echo, force_option, note
from cnndsl.commands.types import OneOf
from cnndsl.commands.usage import Subcommand
from cnndsl.files import FileError
from cnndsl.shape import Shape


@click.command("import", cls=Subcommand)
@click.argument("source", metavar="CODE|FILE")
@click.option("--input", "inputs", metavar="HxWxC", multiple=True, help="The input shape, as in 224x224x3; repeatable.")
@click.option("--arg", "arguments", metavar="NAME=VALUE", multiple=True, help="An argument of the code that is run.")
@click.option("--output", "-o", metavar="FILE", help="Write to a file instead of the standard output.")
@click.option("--save-weights", metavar="FILE", help="Write the module's weights, too: a .safetensors file.")
@click.option("--report", is_flag=True, help="Only list what cannot be imported. CODE may be a pattern: timm:resnet*.")
@click.option("--format", type=OneOf(("table", "json")), help="The format of --report.  [default: table]")
@force_option
def command(
    source: str,
    inputs: tuple[str, ...],
    arguments: tuple[str, ...],
    output: str | None,
    save_weights: str | None,
    report: bool,
    format: str | None,
    force: bool,
) -> None:
    """Import a network from PyTorch code or another tool's file.

    The result is a program with blocks, repeats and tables.

    CODE makes a module of PyTorch, and is run for that: timm:resnet50d, torchvision:vgg16, package.module:function,
    path/to/file.py:Class. The program has the names of the module, so that its weights load.

    FILE is a Darknet .cfg file, a Caffe .prototxt file or an .onnx file. ONNX needs the extra `onnx`:
    `pip install '.[onnx]'` in a checkout. Files are only read, never run.

    The program is compiled and compared with the network before it is written. Nothing is guessed or downloaded.

    \b
    cnndsl import torchvision:densenet121 --arg num_classes=10 -o net.cnn
    cnndsl import models/mine.py:Net --input 64x64x3 --save-weights net.safetensors
    cnndsl import yolov4.cfg -o yolov4.cnn
    cnndsl import 'timm:resnet*' --report
    """
    from cnndsl.runtime.importing.targets import is_target

    shapes = [_shape(each) for each in inputs]
    if format is not None and not report:
        raise click.UsageError("--format is for --report")
    if report and save_weights is not None:
        raise click.UsageError("--report writes no weights")
    _check_files(output, save_weights, force)
    if report:
        _report(source, arguments, shapes, format or "table", output, force)
    elif is_target(source):
        _deliver(_of_code(source, arguments, shapes, save_weights, force), output, force)
    else:
        for name, given in (("--input", inputs), ("--arg", arguments), ("--save-weights", save_weights)):
            if given:
                raise click.UsageError(f"{name} is for code; a file says all about its network")
        _deliver(_of_file(source), output, force)


def _check_files(output: str | None, weights: str | None, force: bool) -> None:
    """Raise FileError for files that cannot be written, before any code runs: both are written, or neither."""
    from cnndsl.files import check_new
    from cnndsl.runtime.weights import check_saved

    if output is not None:
        check_new(output, force=force)
    if weights is not None:
        check_saved(weights, force=force)


def _deliver(text: str, output: str | None, force: bool) -> None:
    from cnndsl.files import write

    if output is None or output == "-":
        echo(text.removesuffix("\n"))
        return
    write(output, text.encode(), force=force)
    note(f"wrote {output}")


def _of_file(file: str) -> str:
    """Return the source of the program for the network of a file."""
    from cnndsl.files import read, read_binary
    from cnndsl.importers.program import BINARY_READERS, READERS, program, suffix
    from cnndsl.runtime.weights import SUFFIXES

    if suffix(file) in SUFFIXES:
        way = "name the code that makes its network: cnndsl import package.module:function"
        raise FileError(f"cannot import {file}: it holds weights and no network ({_summary(file)}); {way}")
    if suffix(file) not in {**READERS, **BINARY_READERS}:
        from cnndsl.commands.import_hints import import_hint

        raise FileError(f"cannot import {file!r}: {import_hint(file, [*READERS, *BINARY_READERS])}")
    return program(read_binary(file) if suffix(file) in BINARY_READERS else read(file))


def _summary(file: str) -> str:
    """Return the contents of a file of weights, or why they are not known. Raises FileError if the file does not
    exist."""
    from cnndsl.files import is_file
    from cnndsl.runtime.weights import summary

    try:
        return summary(file)
    except FileError as stop:
        if not is_file(file):
            raise
        return str(stop).rpartition(": ")[2]


def _of_code(target: str, arguments: Sequence[str], shapes: Sequence[Shape], weights: str | None, force: bool) -> str:
    """Return the source of the program for the module that some code makes; save its weights if a file is given."""
    from cnndsl.runtime.importing.imported import text_of_module
    from cnndsl.runtime.importing.targets import arguments as read_arguments
    from cnndsl.runtime.importing.targets import built

    note(f"this runs the code of {target}")
    given = read_arguments(arguments)
    made = built(target, given, with_weights=weights is not None)
    entering = shapes or ([made.shape] if made.shape is not None else [])
    if not entering:
        raise click.UsageError("the input shape is unknown; give it with --input 224x224x3")
    words = "".join(f", {each.strip()}" for each in arguments)
    text = text_of_module(made.module, entering, f"{target}{words}")
    if weights is not None:
        from cnndsl.runtime.weights import save

        save(made.module, weights, force=force)
        note(f"wrote {weights}")
    return text


def _report(
    source: str, arguments: Sequence[str], shapes: Sequence[Shape], format: str, output: str | None, force: bool
) -> None:
    """Write why networks of a pattern cannot be imported; the exit code is 1 if there is one."""
    from cnndsl.runtime.importing.reports import ImportOutcome, as_json, as_table, outcomes
    from cnndsl.runtime.importing.targets import arguments as read_arguments
    from cnndsl.runtime.importing.targets import is_target

    if not is_target(source):
        raise click.UsageError("--report is for code: timm:resnet50d, or a pattern of names, 'timm:resnet*'")
    found: list[ImportOutcome] = []
    for each in outcomes(source, read_arguments(arguments), shapes):
        note(f"{each.target}: {each.result}")
        found.append(each)
    _deliver(f"{as_json(found) if format == 'json' else as_table(found)}\n", output, force)
    if any(each.faults for each in found):
        raise SystemExit(1)


def _shape(text: str) -> Shape:
    """Return the input shape given to `--input`. Raises UsageError if it is invalid."""
    from cnndsl.commands.inputs import input_meant

    if meant := input_meant(text):
        raise click.UsageError(f"--input is HEIGHTxWIDTHxCHANNELS, not {text!r}; write --input {meant}")
    parts = text.strip().split("x")
    if not all(each.isascii() and each.isdigit() and int(each) for each in parts) or len(parts) > 4:
        raise click.UsageError(f"--input is HEIGHTxWIDTHxCHANNELS, as in --input 224x224x3, not {text!r}")
    *extents, channels = map(int, parts)
    return Shape(channels, tuple(extents))
