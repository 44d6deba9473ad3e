"""The expressions of merges and of parameters, laid out so that long ones can be broken."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from cnndsl.emit.torch.layout import CallDoc, Display, Doc, Infix, Item, Text, flat
from cnndsl.layers.base import TorchFunction

_PLACE = re.compile(r"\{\d+\}(\[[^\]]*\]|\.reshape\([^)]*\))?")
_CALL = re.compile(r"((?:torch\.|F\.)?\w+)\((.*)\)")
_NAMED = re.compile(r"(\w+=)(.*)")


def expression(template: str, operands: Sequence[Doc]) -> Doc:
    """Insert the operands into a template of `layers.base.TorchFunction`.

    >>> flat(expression("torch.cat([{inputs}], 1)", [Text("x"), Text("y")]))
    'torch.cat([x, y], 1)'
    >>> flat(expression("{0} + {1}", [expression("{0} + {1}", [Text("x"), Text("y")]), Text("z")]))
    'x + y + z'
    >>> flat(expression("{0} - {1}", [Text("x"), expression("{0} - {1}", [Text("y"), Text("z")])]))
    'x - (y - z)'
    >>> flat(expression("{0} * {1}[:, :, None]", [Text("x"), Text("y")]))
    'x * y[:, :, None]'
    >>> flat(expression("{0} + {1}.reshape(-1, 1)", [Text("x"), Text("self.shift")]))
    'x + self.shift.reshape(-1, 1)'
    """
    if template == "torch.cat([{inputs}], 1)":
        return CallDoc("torch.cat", (Item(Display("[]", tuple(map(Item, operands)))), Item(Text("1"))))
    if template == "torch.flatten({0}, 1)":
        return CallDoc("torch.flatten", (Item(operands[0]), Item(Text("1"))))
    for operator in ("+", "-", "*"):
        pieces = template.split(f" {operator} ")
        if len(pieces) == len(operands) > 1 and all(map(_PLACE.fullmatch, pieces)):
            return Infix(operator, tuple(_operands(operator, pieces, operands)))
    called = _CALL.fullmatch(template)
    if called:
        return CallDoc(called[1], tuple(_argument(each, operands) for each in _arguments(called[2])))
    if _PLACE.fullmatch(template):
        return operands[int(template[1 : template.index("}")])]
    quotient = re.fullmatch(r"\{0\} / (\d+)", template)
    if quotient:
        (operand,) = operands
        return Infix("/", (_indexed(operand, "{0}"), Text(quotient[1])))
    written = [f"({flat(doc)})" if isinstance(doc, Infix) else flat(doc) for doc in operands]
    return Text(template.format(*written))


def application(child: str, operands: Sequence[Doc], template: str) -> Doc:
    """Return the call of a child, or the expression of a parameter.

    >>> flat(application("self.gamma", [Text("x")], "{0} * {1}"))
    'x * self.gamma'
    """
    if template:
        return expression(template, (*operands, Text(child)))
    return CallDoc(child, tuple(map(Item, operands)))


def steps_of(function: TorchFunction) -> tuple[TorchFunction, ...]:
    """Return the functions of a mean, whose sum gets a line of its own, in order; any other function by itself.

    >>> [each.template for each in steps_of(TorchFunction("({0} + {1}) / 2", "mean"))]
    ['{0} + {1}', '{0} / 2']
    """
    if function.operation != "mean":
        return (function,)
    total, _, count = function.template.rpartition(" / ")
    return TorchFunction(total[1:-1], "sum"), TorchFunction(f"{{0}} / {count}", "mean")


def _arguments(text: str) -> list[str]:
    """Split the arguments of a call."""
    found, depth = [""], 0
    for char in text:
        depth += (char in "([") - (char in ")]")
        if char == "," and not depth:
            found.append("")
        else:
            found[-1] += char
    return [each.strip() for each in found]


def _argument(text: str, operands: Sequence[Doc]) -> Item:
    """Return an argument, which may have a keyword."""
    named = _NAMED.fullmatch(text)
    return Item(expression(named[2], operands), named[1]) if named else Item(expression(text, operands))


def _operands(operator: str, pieces: Sequence[str], operands: Sequence[Doc]) -> Iterator[Doc]:
    """Yield the operands of a sum, a difference or a product, with parentheses where Python's precedence and left
    associativity require them."""
    for at, (operand, piece) in enumerate(zip(operands, pieces, strict=True)):
        if isinstance(operand, Infix) and piece.endswith("}"):
            if not at and operand.operator == operator:
                yield from operand.operands
                continue
            if operator in "+-" and operand.operator in "*/":
                yield operand
                continue
        yield _indexed(operand, piece)


def _indexed(operand: Doc, piece: str) -> Doc:
    index = piece[piece.index("}") + 1 :]
    if isinstance(operand, Infix):
        return Text(f"({flat(operand)}){index}")
    return Text(flat(operand) + index) if index else operand
