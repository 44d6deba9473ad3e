"""A module of PyTorch as the text of a program, which is verified before anyone sees it.

The text is compiled, the emitted module exported like the original, and the two compared operator by operator, in
evaluation and in training. Numbers come second: see `torch_compare`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cnndsl.elaborate.program import elaborate
from cnndsl.errors import CnnError, Diagnostic, Source
from cnndsl.finding import used
from cnndsl.importers.program import written
from cnndsl.importers.torch_compare import module_differences
from cnndsl.importers.torch_export import read
from cnndsl.runtime.live import module as emitted
from cnndsl.shape import Shape
from cnndsl.syntax.parse import parse

if TYPE_CHECKING:
    from torch import nn


def text_of_module(module: nn.Module, shapes: Sequence[Shape], origin: str) -> str:
    """Return the text of the program that is a module.

    Args:
        module: The module. It is left as it is.
        shapes: What enters.
        origin: Where it is from, for the first line.

    Raises:
        CnnError: where the module does what no program can say, and where the module that is made of the text differs.
    """
    import torch

    classes = {path: type(each).__name__ for path, each in module.named_modules() if path}
    text = written(read(module, shapes), origin, with_names=True, classes=classes)
    graph = elaborate(parse(Source("<import>", text)), {}, used)
    with torch.device("meta"):
        made = emitted(graph)
    if differences := module_differences(module, made, shapes):
        several = "\n".join(f"  {each}" for each in differences)
        message = f"the program that was found is not this network:\n{several}"
        raise CnnError(Diagnostic("E0505", message, help="please report it with the code"))
    return text
