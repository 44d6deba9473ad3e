"""INPUT as written, and the layer it stands for."""

from __future__ import annotations

from math import prod

from cnndsl.elaborate.state import Environment
from cnndsl.errors import Span
from cnndsl.expr import error, number
from cnndsl.layers.dense import Input
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.syntax.layer_fixes import volume
from cnndsl.values import Value, show

INPUT = "input"
"""The setting for the input shape, in every network without a parameter of that name."""

_FORM = "an input is height x width x channels: `INPUT 224x224x3`"


def setting_of(name: str) -> str:
    """Return the setting for the shape of the input with that name."""
    return f"{INPUT}.{name}"


def input_layer(layer: ast.WrittenLayer, env: Environment) -> Input:
    """Return the layer of `INPUT 224x224x3`. Raises CnnError for an invalid shape, and for options."""
    if layer.arguments is not None or layer.width is not None or layer.stride is not None:
        help = volume(layer.span.source, layer.span.start) or "for example, `INPUT 224x224x3`"
        raise error("E0223", "INPUT takes a shape and nothing else", layer.span, help)
    return Input(_volume(layer, env))


def input_of(item: ast.ChainItem) -> ast.WrittenLayer | None:
    """Return the INPUT that an element is, whatever is around it; None for any other element."""
    while isinstance(item, ast.Label | ast.Optional | ast.Repeat | ast.Group):
        item = item.body.items[0] if isinstance(item, ast.Group) else item.body
    return item if isinstance(item, ast.WrittenLayer) and item.head.upper() == "INPUT" else None


def input_settings(file: ast.File) -> tuple[str, ...]:
    """Return the setting for the shape of each input of a file, in order.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.syntax.parse import parse
    >>> input_settings(parse(Source("", "a = INPUT 8x8x3 b = INPUT 8x8x3 c = (@a + @b)")))
    ('input.a', 'input.b')
    """
    found: list[str] = []
    for statement in file.statements:
        if isinstance(statement, ast.Main):
            found.append(INPUT)
        elif isinstance(statement, ast.Equation) and input_of(statement.body.items[0]) is not None:
            found.append(setting_of(statement.name_span.text))
    return tuple(found)


def check_named_input(statement: ast.Equation) -> None:
    """Raise CnnError if a named input is not alone in its chain."""
    item, *rest = statement.body.items
    name = statement.name_span.text
    if isinstance(item, ast.Label):
        raise error("E0218", "this input has two names", item.span, f"remove the label: `{name} = INPUT …`")
    if not isinstance(item, ast.WrittenLayer):
        raise error(
            "E0219", "a named input is a statement of its own", item.span, f"for example, `{name} = INPUT 64x64x3`"
        )
    if item.arguments and item.arguments[0].span.line != item.span.line:
        help = "a chain that begins with parentheses needs a name: `x = (…)`"
        raise error("E0223", "INPUT takes a shape and nothing else, but parentheses follow it", item.span, help)
    if rest:
        shown = rest[0].span.text[:40]
        message = f"a named input is a statement of its own, but `{shown}` follows it"
        help = f"write the rest as a chain of its own: `x = @{name} -> {shown}`"
        raise error("E0219", message, rest[0].span, help)


def layer_of(volume: tuple[int, ...]) -> Input:
    """Return the input layer for a shape."""
    return Input(volume)


def given_volume(value: Value, place: Span) -> tuple[int, ...]:
    """Return the shape that was given from outside, as in `--input 160x160x3`. Raises CnnError if it is invalid."""
    extents = (value,) if isinstance(value, int) and not isinstance(value, bool) else value
    if not isinstance(extents, tuple) or any(extent < 1 for extent in extents):
        help = "for example, `--input 160x160x3`"
        raise error("E0227", f"the input must be a shape such as 160x160x3, not {show(value)}", place, help)
    return _checked(extents, place)


def _volume(layer: ast.WrittenLayer, env: Environment) -> tuple[int, ...]:
    extents: list[int] = []
    for expr in layer.dims:
        value = number(expr, env.values)
        if not isinstance(value, int) or value < 1:
            wanted = "at least 1" if isinstance(value, int) else "a whole number"
            message = f"each extent of an input must be {wanted}, but this is {show(value)}"
            raise error("E0227", message, expr.span, _FORM)
        extents.append(value)
    return _checked(tuple(extents) or (224, 224, 3), layer.span)


def _checked(extents: tuple[int, ...], place: Span) -> tuple[int, ...]:
    if len(extents) > 4:
        message = f"a shape has at most three spatial axes and the channels, but this one has {len(extents)} extents"
        raise error(
            "E0303", message, place, "for example, `INPUT 16x112x112x3` for 16 frames of 112x112 with 3 channels"
        )
    digits = current().digits
    if prod(extents) > 10**digits:
        raise error("E0203", f"this shape has more than 10^{digits} values", place)
    return extents
