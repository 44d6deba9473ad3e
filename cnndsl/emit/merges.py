"""The expressions of merges, laid out so that long ones can be broken."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.emit.layout import Call, Display, Doc, Infix, Item, Text, flat

_PLACE = re.compile(r"\{\d+\}(\[[^\]]*\])?")


def expression(template: str, operands: Sequence[Doc]) -> Doc:
    """The operands in a template of `layers.base.TorchFunction`.

    >>> flat(expression("torch.cat([{inputs}], 1)", [Text("x"), Text("y")]))
    'torch.cat([x, y], 1)'
    >>> flat(expression("{0} * {1}[:, :, None]", [Text("x"), Text("y")]))
    'x * y[:, :, None]'
    """
    if template == "torch.cat([{inputs}], 1)":
        return Call("torch.cat", (Item(Display("[]", tuple(map(Item, operands)))), Item(Text("1"))))
    if template == "torch.flatten({0}, 1)":
        return Call("torch.flatten", (Item(operands[0]), Item(Text("1"))))
    for operator in ("+", "*"):
        pieces = template.split(f" {operator} ")
        if len(pieces) == len(operands) > 1 and all(map(_PLACE.fullmatch, pieces)):
            docs = [_indexed(operand, piece) for operand, piece in zip(operands, pieces, strict=True)]
            return Infix(operator, tuple(docs))
    written = [f"({flat(doc)})" if isinstance(doc, Infix) else flat(doc) for doc in operands]
    return Text(template.format(*written, inputs=", ".join(written)))


def _indexed(operand: Doc, piece: str) -> Doc:
    index = piece[piece.index("}") + 1 :]
    if isinstance(operand, Infix):
        return Text(f"({flat(operand)}){index}")
    return Text(flat(operand) + index) if index else operand
