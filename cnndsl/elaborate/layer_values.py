"""Errors for layers used as values: `Unit(LEAKYRELU(0.1))` and `(CONV3-16 * SIGMOID)`."""

from __future__ import annotations

import re
from itertools import chain, count

from cnndsl.elaborate.state import Environment
from cnndsl.elaborate.survey import is_kind
from cnndsl.expr import error
from cnndsl.expressions import Binary, Call, ChoiceExpr, Expr, ListExpr, Name
from cnndsl.functions import FUNCTIONS
from cnndsl.syntax import ast
from cnndsl.syntax.habit_hints import combined
from cnndsl.syntax.statement_fixes import product

_LAYER = re.compile(r"[A-Za-z_]\w*(?:-\w+)?(?:/\w+)?(?:\([^()\n]*\))?")


def check_no_layer(expr: Expr, env: Environment, name: str = "") -> None:
    """Raise CnnError for a value that is a layer with options, which only a block can name. `name` is that of a `let`;
    without it the value is an argument."""
    if isinstance(expr, ListExpr | ChoiceExpr):
        for each in expr.items if isinstance(expr, ListExpr) else (expr.chosen, expr.other):
            check_no_layer(each, env, name)
        return
    head = expr.function if isinstance(expr, Call) else _first_of(expr)
    if head in FUNCTIONS or head in env.values or not _names_layer(head, env):
        return
    text, start = expr.span.source.text, expr.span.start
    written = _LAYER.match(text, start)
    layer = written[0] if written and written.end() >= expr.span.end else expr.span.text
    if name:
        message = f"`{layer}` is a layer, but `let` names a value, or a layer type without options"
        raise error("E0205", message, expr.span, f"a layer is named by a block: `block {name} = {layer}`")
    names = chain(("Act",), (f"Act{number}" for number in count(2)))
    free = next(each for each in names if not re.search(rf"\b{each}\b", text))
    message = f"`{layer}` is a layer, but an argument is a value, or the bare name of a layer type or block"
    raise error("E0205", message, expr.span, f"name it, `block {free} = {layer}`, and pass the name: `{free}`")


def check_factor(item: ast.Repeat, env: Environment) -> None:
    """Raise CnnError for the count of a repeat that is a layer, which was meant to be multiplied."""
    name = item.count.name if isinstance(item.count, Name) else ""
    if not name or name in env.values or not _names_layer(name, env):
        return
    shown = combined(item.span.source.text, item.count.span.start, "*", "MUL") or f"MUL({item.body.span.text}, {name})"
    message = f"`*` repeats the part before it a whole number of times, but `{name}` is a layer"
    otherwise = f"branches are multiplied by MUL: `{shown}`"
    raise error("E0207", message, item.count.span, product(item.span.source, item.count.span.start) or otherwise)


def _first_of(expr: Expr) -> str:
    """Return `CONV3` for `CONV3-16/2`, which parses as a subtraction."""
    is_composed = isinstance(expr, Binary)
    while isinstance(expr, Binary) and expr.operator in ("-", "/"):
        expr = expr.left
    return expr.name if is_composed and isinstance(expr, Name) else ""


def _names_layer(name: str, env: Environment) -> bool:
    return bool(name) and (name in env.home.names_of_blocks or is_kind(name))
