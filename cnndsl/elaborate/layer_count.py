"""Compute a lower bound on the layers of a part without expanding it, so nested repeats and calls return at once.

Unknown values (sizes, the iteration number) count as 0; an empty iteration counts as a layer, since it takes as long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from cnndsl.elaborate.state import Definition, Environment, ModuleScope, NameValue, env_of, is_sized_kind
from cnndsl.elaborate.tables import rows_of
from cnndsl.errors import CnnError, Span
from cnndsl.expr import error, evaluate, given
from cnndsl.expressions import Expr, Name, ReferenceExpr
from cnndsl.limits import current
from cnndsl.syntax import ast
from cnndsl.values import NameSymbol, Unknown, Value


def check(items: Sequence[ast.ChainItem], env: Environment, most: int) -> None:
    """Raise CnnError at the first element at which a chain exceeds the maximum number of layers."""
    counter, total = _Counter(), 0
    for item in items:
        total += counter.least(item, env)
        if total > most:
            raise too_many(total, most, item.span)


def least(item: ast.ChainItem, env: Environment, depth: int) -> int:
    """Return a lower bound on the layers of an element at a nesting depth."""
    return _Counter(depth).least(item, env)


def least_of_call(block: Definition, values: Mapping[str, Value], depth: int) -> int:
    """Return a lower bound on the layers of a call at a nesting depth, with the values of the parameters."""
    return _Counter(depth).body(block, values)


def too_many(number: int, most: int, span: Span) -> CnnError:
    """Return the error for a part that makes more layers than a network may have."""
    help = "repeat fewer times: a repeat in a repeat multiplies the layers"
    return error("E0209", f"this makes {number:,} layers; a network has at most {most:,}", span, help)


_UNKNOWN = Unknown()
_AXES: Mapping[str, Value] = dict.fromkeys("CHWD", _UNKNOWN)
_NOWHERE = ModuleScope()


class _Counter:
    """One count. Calls with the same values are counted once; an element nested too deep counts as one layer."""

    def __init__(self, depth: int = 0) -> None:
        self._calls: dict[tuple[int, tuple[tuple[str, Value], ...]], int] = {}
        self._depth, self._deepest = depth, 2 * current().nesting

    def chain(self, items: Iterable[ast.ChainItem], env: Environment) -> int:
        total = 0
        for item in items:
            total += self.least(item, env)
        return total

    def least(self, item: ast.ChainItem, env: Environment) -> int:
        if self._depth > self._deepest:
            return 1
        self._depth += 1
        try:
            return self._least(item, env)
        finally:
            self._depth -= 1

    def _least(self, item: ast.ChainItem, env: Environment) -> int:
        if isinstance(item, ast.WrittenLayer):
            return self._layer(item, env)
        if isinstance(item, ast.Group | ast.Equation):
            return self.chain(item.body.items, env)
        if isinstance(item, ast.Label | ast.Tap):
            return self.least(item.body, env)
        if isinstance(item, ast.Repeat):
            return _times(item.count, env) * max(1, self.least(item.body, _without(("i",), env)))
        if isinstance(item, ast.For):
            return _turns(item, env) * max(1, self.chain(item.body.items, _without(item.names, env)))
        if isinstance(item, ast.Each):
            return self._least(item.table, env)
        if isinstance(item, ast.Merge):
            return self.chain((each for branch in item.branches for each in branch.items), env)
        return self._choice(item, env)

    def _choice(self, item: ast.Optional | ast.Conditional | ast.Either | ast.Ref | ast.Again, env: Environment) -> int:
        if isinstance(item, ast.Optional):
            name = item.name or env.home.choices.get(item.span.start, "")
            return 0 if env.values.get(name) is False else self.least(item.body, env)
        if isinstance(item, ast.Either):
            return min(self.least(each, env) for each in item.choices)
        if isinstance(item, ast.Ref | ast.Again):
            return 0
        test = _value(item.test, env)
        if test is True:
            return self.least(item.body, env)
        otherwise = self.least(item.otherwise, env) if item.otherwise else 0
        return otherwise if test is False else min(otherwise, self.least(item.body, env))

    def _layer(self, item: ast.WrittenLayer, env: Environment) -> int:
        block = None if is_sized_kind(item) else _block(item.head, env)
        if block is None:
            return 1
        return self.body(block, _bind(block, item, env))

    def body(self, block: Definition, values: Mapping[str, Value]) -> int:
        """Return the number of layers of a block's body; 0 while it is being counted, as in a circular call."""
        key = (id(block.block), tuple(values.items()))
        if key not in self._calls:
            self._calls[key] = 0
            known = {**block.home.values, **_AXES, **values}
            env = Environment(known, block.home, block.defaults, _NOWHERE, True)
            for each in block.block.values:
                known[each.name] = _argument(each.value, env)
            self._calls[key] = self.chain(block.block.body.items, env)
        return self._calls[key]


def _bind(block: Definition, item: ast.WrittenLayer, env: Environment) -> dict[str, Value]:
    """Return the values of a block's parameters in a call, as far as they are known."""
    parameters = block.block.parameters or ()
    names = [each.name for each in parameters]
    values: dict[str, Value] = {}
    for position, each in enumerate(item.arguments or ()):
        name = each.name or (names[position] if position < len(names) else "")
        values[name] = _argument(each.value, env)
    for each in parameters:
        if each.name not in values:
            inner = Environment({**block.home.values, **_AXES, **values}, block.home, {}, _NOWHERE)
            values[each.name] = _UNKNOWN if each.default is None else _argument(each.default, inner)
    return values


def _block(head: str, env: Environment) -> Definition | None:
    """Return the block that a head names, directly or by a parameter."""
    for _ in range(current().nesting):
        value = env.values.get(head)
        if not isinstance(value, NameSymbol):
            return None if value is _UNKNOWN else env.home.blocks.get(head)
        head, env = value.name, env_of(value, env)
    return None


def _without(names: Sequence[str], env: Environment) -> Environment:
    return replace(env, values={**env.values, **dict.fromkeys(names, _UNKNOWN)})


def _argument(expr: Expr, env: Environment) -> Value:
    def word(written: Name | ReferenceExpr) -> Value:
        return NameValue(written.name, env) if isinstance(written, Name) else _UNKNOWN

    try:
        return given(expr, env.values, word)
    except CnnError:
        return _UNKNOWN


def _value(expr: Expr, env: Environment) -> Value:
    """Return the value of an expression; unknown if it depends on an unknown value or is invalid."""
    try:
        return evaluate(expr, env.values)
    except CnnError:
        return _UNKNOWN


def _times(expr: Expr, env: Environment) -> int:
    value = _value(expr, env)
    return value if isinstance(value, int) and value > 0 else 0


def _turns(item: ast.For, env: Environment) -> int:
    if item.is_range:
        first, last = (_value(expr, env) for expr in item.rows)
        return max(0, last - first + 1) if isinstance(first, int) and isinstance(last, int) else 0
    values = [_argument(each, env) for each in item.rows]
    return 0 if values == [_UNKNOWN] else len(rows_of(item, values))
