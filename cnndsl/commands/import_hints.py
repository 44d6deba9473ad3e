"""Suggest what `cnndsl import` could have been meant to read."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path

_LIBRARY = re.compile(r"(?:(timm|torchvision)(?:\.models)?|pytorch|torch|torch\.hub|hub)[./:](?:models?[./])?(\w+)")
_DOTTED = re.compile(r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\.([A-Za-z_]\w*)")
_WITHOUT_READER = {
    **dict.fromkeys((".h5", ".hdf5", ".keras", ".tflite", ".pb"), "export the network to ONNX, as tf2onnx does"),
    **dict.fromkeys((".mlmodel", ".mlpackage", ".xml", ".engine", ".trt", ".uff"), "export the network to ONNX"),
    ".caffemodel": "it holds weights; the network is in its .prototxt file",
    ".weights": "it holds weights; the network is in its .cfg file",
    ".cnn": "it is a program already, which every command reads",
    ".ipynb": "put the class into a .py file, and write FILE.py:CLASS",
}


def import_hint(source: str, readers: Sequence[str]) -> str:
    """Return how to import the source that a text probably means, if it names neither code nor a file that can be read.

    >>> import_hint("torchvision.models.vgg16", [".onnx"]), import_hint("nets.mine.Net", [".onnx"])
    ('write torchvision:vgg16', 'write nets.mine:Net')
    """
    suffix = Path(source).suffix.lower()
    if suffix in _WITHOUT_READER:
        return _WITHOUT_READER[suffix]
    if suffix == ".py":
        return _of_python(source)
    if match := _LIBRARY.fullmatch(source):
        return f"write {match[1] or 'torchvision'}:{match[2]}"
    from cnndsl.resources import architecture

    if architecture(source) is not None:
        return f"this network is bundled: cnndsl stats {source}; a library's is timm:{source} or torchvision:{source}"
    if match := _DOTTED.fullmatch(source):
        return f"write {match[1]}:{match[2]}"
    if re.fullmatch(r"\w+", source):
        return f"a network of a library is timm:{source} or torchvision:{source}"
    return (
        f"code is timm:NAME, torchvision:NAME, package.module:NAME or FILE.py:NAME; a file ends in {', '.join(readers)}"
    )


def _of_python(source: str) -> str:
    """Return the classes of modules that a Python file defines, as targets."""
    try:
        tree = ast.parse(Path(source).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return f"write {source}:CLASS"
    names = [each.name for each in tree.body if isinstance(each, ast.ClassDef) and any(map(_is_module, each.bases))]
    return f"name the class or the function: {' or '.join(f'{source}:{name}' for name in names[:4] or ['CLASS'])}"


def _is_module(base: ast.expr) -> bool:
    return "Module" in ast.unparse(base)
