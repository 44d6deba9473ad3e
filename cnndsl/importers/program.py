"""Convert a file of another tool to a program: read it, raise it, compile the result and compare before writing."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.files import BinaryFile
from cnndsl.finding import used
from cnndsl.graph import Graph
from cnndsl.importers import caffe, darknet, onnx_models
from cnndsl.importers.compared import difference
from cnndsl.importers.flat import Imported
from cnndsl.importers.raising import raised
from cnndsl.importers.raising.growing import growing
from cnndsl.importers.raising.progress import with_exact_shares
from cnndsl.syntax.format import format
from cnndsl.syntax.parse import parse

READERS: Mapping[str, tuple[str, Callable[[Source], Imported]]] = {
    ".cfg": ("Darknet", darknet.read),
    ".prototxt": ("Caffe", caffe.read),
}
"""The tool and the reader of each text file, by its suffix."""

BINARY_READERS: Mapping[str, tuple[str, Callable[[BinaryFile], Imported]]] = {
    ".onnx": ("ONNX", onnx_models.read),
}
"""The same for binary files."""


def program(source: Source | BinaryFile) -> str:
    """Return a program for the network of a file, see `written`.

    Raises:
        CnnError: if the file is not understood.
        FileError: if a package that reads it is not installed.
    """
    tool, imported = _imported(source)
    name = " ".join(source.name.replace("\\", "/").rpartition("/")[2].split())
    return written(imported, f"{name}, of {tool}")


def written(imported: Imported, origin: str, with_names: bool = False, classes: Mapping[str, str] | None = None) -> str:
    """Return a program for an imported network.

    The program is compiled, and each layer is compared with the imported one. The parameter counts that the reader
    computed by the rules of its format become asserts in the program, so they are checked too.

    Args:
        imported: The network.
        origin: Its source, for the first line.
        with_names: Whether the paths of its layers are names used in weights files.
        classes: The names of the modules' classes, by path, for naming blocks.

    Raises:
        CnnError: if the generated program differs from the network.
    """
    graph = with_exact_shares(growing(imported.graph))
    first = graph.nodes[graph.output]
    lines = [f"# Imported from {origin}.", *(f"# {note[0].upper()}{note[1:]}." for note in imported.notes)]
    lines += [raised(graph, with_names, classes), "", f"assert params == {imported.params:_}"]
    if len(graph.main_outputs) == 1:
        lines.append(f"assert output == {first.shape}")
    text = "\n".join(lines)
    if told := _fault(text, graph, with_names):
        message = f"the generated program differs from the network: {told}"
        raise CnnError(Diagnostic("E0505", message, help="please report it with the file"))
    return format(parse(Source("<import>", text)))


def _imported(source: Source | BinaryFile) -> tuple[str, Imported]:
    """Return the tool that wrote a file, and its network."""
    if isinstance(source, BinaryFile):
        tool, read_bytes = BINARY_READERS[suffix(source.name)]
        return tool, read_bytes(source)
    tool, read = READERS[suffix(source.name)]
    return tool, read(source)


def _fault(text: str, graph: Graph, with_names: bool) -> str:
    """Return why a program does not reproduce a graph; empty if it does."""
    try:
        made = elaborate(parse(Source("<import>", text)), {}, used)
    except CnnError as stop:
        return stop.diagnostics[0].message
    return difference(made, graph, with_names)


def suffix(name: str) -> str:
    """Return the suffix of a file name, in lower case."""
    return name[name.rfind(".") :].lower() if "." in name else ""
