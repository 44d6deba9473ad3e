"""Write the expressions inside a block with the names that a drawing of the block shows."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cnndsl.emit.drawing.cards.items import UnitItem
from cnndsl.expressions import Expr, Name, names
from cnndsl.graph.parts import CallPart
from cnndsl.records import record

_AXES = frozenset({"C", "H", "W"})
"""Names of the input shape, which is another one for a block within the block."""
_ATOM = re.compile(r"[\w.]+")


@record(slots=True)
class ScopedText:
    """An expression as text, and the names in it."""

    text: str
    names: frozenset[str]


_ScopedValues = Mapping[str, ScopedText]


def in_scope(
    expr: Expr, calls: Sequence[CallPart], whole: UnitItem, turns: Sequence[UnitItem], columns: Sequence[str]
) -> ScopedText | None:
    """Return an expression in the parameters of an opened block, or in the table columns that correspond to them.

    `calls` are the calls around the expression in the block `whole`, the outermost first; `turns` are all instances of
    it. None if the expression depends on the input of an inner block, or contains a comment.
    """
    values: _ScopedValues = _columns_of(whole, turns, columns)
    for call in calls:
        if call is not whole.part:
            inner = {name: _told(value, values) for name, value in (*call.defaults, *call.written)}
            unknown = {name: ScopedText("", frozenset({name})) for name in _AXES}
            values = {**inner, **unknown}
        for name, value in call.lets:
            values = {**values, name: _told(value, values)}
    found = _told(expr, values)
    is_unknown = any(values[name].text == "" for name in found.names & _AXES & values.keys())
    return None if is_unknown or "#" in found.text else found


def _columns_of(whole: UnitItem, turns: Sequence[UnitItem], columns: Sequence[str]) -> _ScopedValues:
    """Return the parameters of a block to which every instance passes the same table column, under another name."""
    calls = [each.part for each in turns if isinstance(each.part, CallPart)]
    if not isinstance(whole.part, CallPart) or len(calls) < len(turns):
        return {}
    given = [dict(each.written) for each in calls]
    found: dict[str, ScopedText] = {}
    for name, value in whole.part.written:
        if isinstance(value, Name) and value.name in columns:
            others = (each.get(name) for each in given)
            if all(isinstance(each, Name) and each.name == value.name for each in others):
                found[name] = ScopedText(value.name, frozenset({value.name}))
    return found


def _told(expr: Expr, values: _ScopedValues) -> ScopedText:
    """Return the text of an expression as it is written, with some names replaced."""
    at, pieces, found = expr.span.start, list[str](), set[str]()
    for name in names(expr):
        value = values.get(name.name, ScopedText(name.name, frozenset({name.name})))
        is_whole = isinstance(expr, Name) or _ATOM.fullmatch(value.text)
        pieces += [expr.span.source.text[at : name.span.start], value.text if is_whole else f"({value.text})"]
        found |= value.names
        at = name.span.end
    pieces.append(expr.span.source.text[at : expr.span.end])
    return ScopedText(" ".join("".join(pieces).split()), frozenset(found))
