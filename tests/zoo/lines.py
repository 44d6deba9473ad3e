"""Lines of bundled networks beside those of the code that they are held against: `python -m tests.zoo.lines`.

Lines that are blank or a comment do not count. Of a `.cnn` file those of an `assert` do not either, which says what is
published and not what is computed; the files that it uses are counted whole. Of torchvision and timm it is the classes
of the modules that a network consists of, with those that they inherit from, without docstrings. PyTorch's own are left
out, and so is everything that chooses widths and depths, builds or loads.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterable
from pathlib import Path

import torch
from torch import nn

from tests import oracle

ARCHITECTURES = Path(__file__).parents[2] / "architectures"

TORCHVISION = {
    **{name: name for name in ("alexnet", "vgg16", "vgg16_bn", "googlenet", "inception_v3", "resnet18", "resnet50")},
    **{name: name for name in ("resnet152", "resnext50_32x4d", "densenet121", "densenet201", "squeezenet1_0")},
    **{name: name for name in ("mobilenet_v2", "mobilenet_v3_large", "mobilenet_v3_small", "shufflenet_v2_x1_0")},
    **{name: name for name in ("regnet_x_400mf", "regnet_y_400mf", "efficientnet_v2_s", "convnext_tiny")},
    **{name: name for name in ("fcn_resnet50", "deeplabv3_resnet50", "lraspp_mobilenet_v3_large", "resnet50_fpn")},
    **{name: name for name in ("r3d_18", "mc3_18", "r2plus1d_18", "s3d")},
    "mnasnet": "mnasnet1_0",
    "efficientnet": "efficientnet_b0",
}
TIMM = {
    "hrnet": "hrnet_w18",
    "repvgg": "repvgg_a0",
    "ghostnet": "ghostnet_100",
    "res2net50": "res2net50_26w_4s",
    "resnest50": "resnest50d",
    "inception_v4": "inception_v4",
    "inception_resnet_v2": "inception_resnet_v2",
    "xception": "legacy_xception",
}
ALONE = ("unet", "unet_3d", "unet_plus_plus", "vnet", "ssd300", "yolov3", "yolov4", "yolov5", "yolov8", "openpose")
ALONE += ("edsr", "dcgan", "cyclegan", "wavenet", "tcn", "eegnet", "crnn", "siamese")
"""Networks whose reference is a paper, or code that is not installed."""


def of_file(path: Path) -> int:
    """The lines of a network's file."""
    text = re.sub(r"^assert .*\n(?:[ )].*\n)*", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in text.splitlines())


def used(path: Path) -> set[Path]:
    """A file and those that it uses, and they in turn."""
    names = re.findall(r'^use "(.+)":', path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {path}.union(*(used(path.parent / name) for name in names))


def of_classes(module: nn.Module, library: str) -> int:
    """The lines of the classes of a library that a network consists of."""
    every = {each for part in module.modules() for each in type(part).__mro__}
    return sum(of_class(each) for each in every if each.__module__.startswith(f"{library}."))


def of_class(which: type) -> int:
    """The lines of a class without its docstrings."""
    text = textwrap.dedent(inspect.getsource(which))
    hidden = {line for first, last in docstrings(text) for line in range(first, last + 1)}
    lines = enumerate(text.splitlines(), 1)
    return sum(at not in hidden and bool(line.strip()) and not line.lstrip().startswith("#") for at, line in lines)


def docstrings(text: str) -> Iterable[tuple[int, int]]:
    """The first and the last line of each."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            yield node.body[0].lineno, node.body[0].end_lineno or 0


def theirs(name: str) -> int | None:
    """The lines of the reference implementation."""
    if name in TORCHVISION:
        return of_classes(oracle.on_meta(TORCHVISION[name]), "torchvision")
    if name in TIMM:
        with torch.device("meta"):
            return of_classes(importlib.import_module("timm").create_model(TIMM[name]), "timm")
    return None


def rows() -> Iterable[tuple[str, int, int, str, int | None]]:
    """The network, its own lines, those with the files that it uses, its reference, and the lines of that."""
    for name in (*TORCHVISION, *TIMM, *ALONE):
        path = ARCHITECTURES / f"{name}.cnn"
        library = "torchvision" if name in TORCHVISION else "timm" if name in TIMM else ""
        yield name, of_file(path), sum(of_file(each) for each in used(path)), library, theirs(name)


def table() -> str:
    """The table of docs/lines.md."""
    head = "| network | lines | with used files | reference | reference lines |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| {name} | {own} | {'' if whole == own else whole} | {library} | {'' if other is None else other} |\n"
        for name, own, whole, library, other in rows()
    )


if __name__ == "__main__":
    print(table(), end="")
