"""Executes the statements of the source one after the other."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence

from cnndsl.emit.torch.verify import evaluate as expressions
from cnndsl.emit.torch.verify.arithmetic import truth
from cnndsl.emit.torch.verify.attributes import iterate
from cnndsl.emit.torch.verify.construct import set_attribute, set_item
from cnndsl.emit.torch.verify.frame import Frame
from cnndsl.emit.torch.verify.names import is_docstring
from cnndsl.emit.torch.verify.plain import LentList
from cnndsl.emit.torch.verify.values import Instance, NotUnderstood, Refused, Register, Trouble, describe


class Returned:
    """A function's return value, on its way out of the statements around the `return`."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


def run(body: Sequence[ast.stmt], frame: Frame) -> object:
    """Return the value that the statements return, None if they end without a `return`. Raises Trouble if they fail."""
    returned = _block(body, frame)
    return None if returned is None else returned.value


def returns(body: Sequence[ast.stmt], frame: Frame) -> object:
    """Return the value that the statements return. Raises Trouble if they end without a `return`."""
    returned = _block(body, frame)
    if returned is None:
        raise Trouble(f"`{frame.function.name}` ends without a `return`", frame.function.node.lineno)
    return returned.value


def _block(body: Sequence[ast.stmt], frame: Frame) -> Returned | None:
    for statement in body:
        rule = _RULES.get(type(statement))
        if rule is None:
            raise NotUnderstood(f"the statement `{type(statement).__name__}`", statement.lineno)
        try:
            returned = rule(statement, frame)
        except Trouble as stop:
            stop.line = stop.line or statement.lineno
            raise
        if returned is not None:
            return returned
    return None


def _assign(node: ast.Assign, frame: Frame) -> None:
    value = expressions.evaluate(node.value, frame)
    for target in node.targets:
        _give(target, value, frame, node.lineno)


def _give(target: ast.expr, value: object, frame: Frame, line: int) -> None:
    if isinstance(target, ast.Attribute):
        _set_attribute(target, value, frame, line)
    elif isinstance(target, ast.Subscript):
        owner = expressions.evaluate(target.value, frame)
        if not isinstance(owner, Instance) or frame.recorder is not None:
            raise NotUnderstood(f"an assignment into {describe(owner)}", line)
        set_item(owner, expressions.evaluate(target.slice, frame), value, line)
    else:
        expressions.assign(target, value, frame, line)


def _set_attribute(target: ast.Attribute, value: object, frame: Frame, line: int) -> None:
    owner = expressions.evaluate(target.value, frame)
    if not isinstance(owner, Instance) or frame.recorder is not None:
        raise NotUnderstood(f"an assignment to an attribute of {describe(owner)}", line)
    set_attribute(owner, target.attr, value, line, frame.program.forms)


def _annotated(node: ast.AnnAssign, frame: Frame) -> None:
    if node.value is not None:
        _give(node.target, expressions.evaluate(node.value, frame), frame, node.lineno)


def _augmented(node: ast.AugAssign, frame: Frame) -> None:
    before = expressions.evaluate(node.target, frame)
    value = expressions.evaluate(node.value, frame)
    if isinstance(before, list | LentList):
        raise NotUnderstood("a list that is changed by an operator", node.lineno)
    if isinstance(before, Register) and frame.recorder is not None:
        if not isinstance(node.target, ast.Name):
            raise NotUnderstood("an operator in place on what has no name", node.lineno)
        after: object = frame.recorder.operate(type(node.op), before, value, node.lineno, inplace=True)
    else:
        after = expressions.operate(type(node.op), before, value, frame, node.lineno)
    _give(node.target, after, frame, node.lineno)


def _expression(node: ast.Expr, frame: Frame) -> None:
    if is_docstring(node):
        return
    if not isinstance(node.value, ast.Call):
        raise NotUnderstood("an expression without effect", node.lineno)
    expressions.evaluate(node.value, frame)


def _if(node: ast.If, frame: Frame) -> Returned | None:
    chosen = node.body if truth(expressions.evaluate(node.test, frame), node.lineno) else node.orelse
    return _block(chosen, frame)


def _for(node: ast.For, frame: Frame) -> Returned | None:
    if node.orelse:
        raise NotUnderstood("an `else` of a loop", node.lineno)
    for value in iterate(expressions.evaluate(node.iter, frame), frame, node.lineno):
        frame.engine.spend()
        expressions.assign(node.target, value, frame, node.lineno)
        returned = _block(node.body, frame)
        if returned is not None:
            return returned
    return None


def _return(node: ast.Return, frame: Frame) -> Returned:
    return Returned(None if node.value is None else expressions.evaluate(node.value, frame))


def _raise(node: ast.Raise, frame: Frame) -> None:
    """Raise the error; it is a ValueError, as `names.function` has checked."""
    frame.look_up("ValueError", node.lineno)
    raise Refused(node.lineno)


def _delete(node: ast.Delete, frame: Frame) -> None:
    for target in node.targets:
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        for each in names:
            if not isinstance(each, ast.Name):
                raise NotUnderstood("what is deleted", node.lineno)
            if each.id not in frame.names:
                raise Trouble(f"`{each.id}` is deleted where it has no value", node.lineno)
            del frame.names[each.id]


def _pass(_node: ast.Pass, _frame: Frame) -> None:
    return None


_RULES: Mapping[type[ast.stmt], Callable[..., Returned | None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _annotated,
    ast.AugAssign: _augmented,
    ast.Expr: _expression,
    ast.If: _if,
    ast.For: _for,
    ast.Return: _return,
    ast.Raise: _raise,
    ast.Delete: _delete,
    ast.Pass: _pass,
}
