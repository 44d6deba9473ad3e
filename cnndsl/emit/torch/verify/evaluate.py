"""Evaluates expressions of the source by Python's rules on the values that are known."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction

from cnndsl.emit.torch.verify.arithmetic import binary, compare, truth, unary
from cnndsl.emit.torch.verify.attributes import attribute, item, iterate, slice_of
from cnndsl.emit.torch.verify.calls import call
from cnndsl.emit.torch.verify.construct import super_init
from cnndsl.emit.torch.verify.frame import Frame
from cnndsl.emit.torch.verify.values import Instance, Keyed, NotUnderstood, Register, Trouble, describe


def evaluate(node: ast.expr, frame: Frame) -> object:
    """Return the value of an expression. Raises Trouble if it has none."""
    rule = _RULES.get(type(node))
    if rule is None:
        raise NotUnderstood(f"`{type(node).__name__}`", node.lineno)
    return rule(node, frame)


def _constant(node: ast.Constant, _frame: Frame) -> object:
    value = node.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise NotUnderstood(f"the constant {value!r}", node.lineno)


def _name(node: ast.Name, frame: Frame) -> object:
    found = frame.names.get(node.id)
    return frame.look_up(node.id, node.lineno) if found is None else found


def _attribute(node: ast.Attribute, frame: Frame) -> object:
    return attribute(evaluate(node.value, frame), node.attr, frame, node.lineno)


def _call(node: ast.Call, frame: Frame) -> object:
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Call):
        inner = function.value
        if function.attr == "__init__" and isinstance(inner.func, ast.Name) and inner.func.id == "super":
            if inner.args or inner.keywords:
                raise NotUnderstood("`super` with arguments", node.lineno)
            super_init(frame, _arguments(node.args, frame), _named(node, frame), node.lineno)
            return None
    target = evaluate(function, frame)
    given, named = _arguments(node.args, frame), _named(node, frame)
    return call(target, given, named, frame, node.lineno)


def _arguments(nodes: Sequence[ast.expr], frame: Frame) -> list[object]:
    """Return the values in order, with starred ones unpacked."""
    found: list[object] = []
    for node in nodes:
        if isinstance(node, ast.Starred):
            found.extend(iterate(evaluate(node.value, frame), frame, node.lineno))
        else:
            found.append(evaluate(node, frame))
    return found


def _named(node: ast.Call, frame: Frame) -> dict[str, object]:
    found: dict[str, object] = {}
    for each in node.keywords:
        if each.arg is None:
            raise NotUnderstood("`**`", node.lineno)
        found[each.arg] = evaluate(each.value, frame)
    return found


def _binary(node: ast.BinOp, frame: Frame) -> object:
    left, right = evaluate(node.left, frame), evaluate(node.right, frame)
    return operate(type(node.op), left, right, frame, node.lineno)


def operate(operator: type[ast.operator], left: object, right: object, frame: Frame, line: int) -> object:
    """Return the result of an operator on two values, one of which may be a tensor."""
    if isinstance(left, Register) or isinstance(right, Register):
        if frame.recorder is None:
            raise NotUnderstood("a tensor outside of `forward`", line)
        return frame.recorder.operate(operator, left, right, line)
    return binary(operator, left, right, line)


def _unary(node: ast.UnaryOp, frame: Frame) -> object:
    value = evaluate(node.operand, frame)
    if isinstance(node.op, ast.Not):
        return not truth(value, node.lineno)
    return unary(type(node.op), value, node.lineno)


def _boolean(node: ast.BoolOp, frame: Frame) -> object:
    value: object = None
    for each in node.values:
        value = evaluate(each, frame)
        if truth(value, node.lineno) is not isinstance(node.op, ast.And):
            return value
    return value


def _compare(node: ast.Compare, frame: Frame) -> object:
    left = evaluate(node.left, frame)
    for operator, each in zip(node.ops, node.comparators, strict=True):
        right = evaluate(each, frame)
        if not compare(type(operator), left, right, node.lineno):
            return False
        left = right
    return True


def _conditional(node: ast.IfExp, frame: Frame) -> object:
    chosen = node.body if truth(evaluate(node.test, frame), node.lineno) else node.orelse
    return evaluate(chosen, frame)


def _tuple(node: ast.Tuple, frame: Frame) -> object:
    return tuple(_arguments(node.elts, frame))


def _list(node: ast.List, frame: Frame) -> object:
    return _arguments(node.elts, frame)


def _keyed(node: ast.Dict, frame: Frame) -> object:
    found: dict[str, object] = {}
    for key, each in zip(node.keys, node.values, strict=True):
        name = None if key is None else evaluate(key, frame)
        if not isinstance(name, str) or name in found:
            raise NotUnderstood("a dictionary with keys that are no texts, or not all different", node.lineno)
        found[name] = evaluate(each, frame)
    return Keyed(tuple(found.items()))


def _subscript(node: ast.Subscript, frame: Frame) -> object:
    value = evaluate(node.value, frame)
    return item(value, _index(node.slice, frame), frame, node.lineno)


def _index(node: ast.expr, frame: Frame) -> object:
    """Return the index in square brackets: a value, a slice, or a tuple of both."""
    if isinstance(node, ast.Slice):
        bounds = [None if each is None else evaluate(each, frame) for each in (node.lower, node.upper, node.step)]
        return slice_of(bounds, node.lineno)
    if isinstance(node, ast.Tuple):
        return tuple(_index(each, frame) for each in node.elts)
    return evaluate(node, frame)


def _joined(node: ast.JoinedStr, frame: Frame) -> object:
    words: list[str] = []
    for each in node.values:
        if isinstance(each, ast.Constant):
            words.append(str(each.value))
            continue
        if not isinstance(each, ast.FormattedValue) or each.conversion != -1 or each.format_spec is not None:
            raise NotUnderstood("a formatted value", node.lineno)
        value = evaluate(each.value, frame)
        if not isinstance(value, int | str | float | Fraction) and value is not None:
            raise NotUnderstood(f"{describe(value)} in a text", node.lineno)
        words.append(str(value))
    return "".join(words)


def _comprehension(node: ast.ListComp | ast.GeneratorExp, frame: Frame) -> object:
    if len(node.generators) != 1 or node.generators[0].is_async:
        raise NotUnderstood("a comprehension with several `for`", node.lineno)
    generator = node.generators[0]
    values = list(iterate(evaluate(generator.iter, frame), frame, node.lineno))
    frame.engine.spend(len(values))
    targets = set(_names_in(generator.target))
    hidden = {name: frame.names[name] for name in targets if name in frame.names}
    try:
        return _turns(node, generator, values, targets, frame)
    finally:
        for name in targets:
            frame.names.pop(name, None)
        frame.names.update(hidden)


def _turns(
    node: ast.ListComp | ast.GeneratorExp,
    generator: ast.comprehension,
    values: list[object],
    targets: set[str],
    frame: Frame,
) -> list[object]:
    if len(values) > 1 and not generator.ifs and frame.recorder is None and targets.isdisjoint(_names_in(node.elt)):
        assign(generator.target, values[-1], frame, node.lineno)
        first = evaluate(node.elt, frame)
        if isinstance(first, Instance) and first.template is not None:
            copies = (Instance(first.info, first.leaf, first.line, first.template) for _ in values[1:])
            return [first, *copies]
    found: list[object] = []
    for value in values:
        assign(generator.target, value, frame, node.lineno)
        if all(truth(evaluate(test, frame), node.lineno) for test in generator.ifs):
            found.append(evaluate(node.elt, frame))
    return found


def _names_in(node: ast.expr) -> Iterator[str]:
    return (each.id for each in ast.walk(node) if isinstance(each, ast.Name))


def assign(target: ast.expr, value: object, frame: Frame, line: int) -> None:
    """Assign a value to a name, or its parts to several names. Raises Trouble if their number differs."""
    if isinstance(target, ast.Name):
        frame.names[target.id] = value
        return
    if not isinstance(target, ast.Tuple | ast.List) or any(isinstance(each, ast.Starred) for each in target.elts):
        raise NotUnderstood("the target of an assignment", line)
    values = list(iterate(value, frame, line))
    if len(values) != len(target.elts):
        raise Trouble(f"{len(values)} values are given to {len(target.elts)} names", line)
    for each, part in zip(target.elts, values, strict=True):
        assign(each, part, frame, line)


_RULES: Mapping[type[ast.expr], Callable[..., object]] = {
    ast.Constant: _constant,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Call: _call,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
    ast.BoolOp: _boolean,
    ast.Compare: _compare,
    ast.IfExp: _conditional,
    ast.Tuple: _tuple,
    ast.List: _list,
    ast.Dict: _keyed,
    ast.Subscript: _subscript,
    ast.JoinedStr: _joined,
    ast.ListComp: _comprehension,
    ast.GeneratorExp: _comprehension,
}
