"""The functions of the source: their parameters, their local names, and what they raise."""

from __future__ import annotations

import ast
from collections.abc import Callable

from cnndsl.emit.torch.verify.signatures import of_arguments
from cnndsl.emit.torch.verify.values import Function, NotUnderstood, Trouble


def function(node: ast.FunctionDef, default: Callable[[ast.expr], object]) -> Function:
    """Return a function of the source; `default` evaluates defaults. Raises Trouble for unsupported parameters."""
    try:
        params, star = of_arguments(node.args, default)
    except ValueError:
        raise NotUnderstood(f"a default of `{node.name}` that is no constant", node.lineno) from None
    except Trouble as stop:
        raise NotUnderstood(stop.message, node.lineno) from None
    found = {name for name, _ in params}
    if len(found) < len(params):
        raise Trouble(f"`{node.name}` has two parameters of one name", node.lineno)
    _collect(node.body, found)
    return Function(node, params, star, frozenset(found))


def is_docstring(node: ast.stmt) -> bool:
    """Return whether a statement is a lone string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _collect(body: list[ast.stmt], found: set[str]) -> None:
    """Collect the names that statements assign, which are local to the whole function. Comprehensions have their own.

    Raises Trouble for an error that is not a ValueError, even on a path that is never executed.
    """
    for statement in body:
        match statement:
            case ast.Assign(targets=targets):
                for target in targets:
                    _targets(target, found)
            case ast.AnnAssign(target=target) | ast.AugAssign(target=target):
                _targets(target, found)
            case ast.For(target=target, body=inner, orelse=other):
                _targets(target, found)
                _collect(inner, found)
                _collect(other, found)
            case ast.If(body=inner, orelse=other):
                _collect(inner, found)
                _collect(other, found)
            case ast.Delete(targets=targets):
                for target in targets:
                    _targets(target, found)
            case ast.Raise():
                _check_raised(statement)
            case _:
                pass


def _check_raised(node: ast.Raise) -> None:
    match node:
        case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[_], keywords=[]), cause=None):
            pass
        case _:
            raise NotUnderstood("what is raised", node.lineno)


def _targets(node: ast.expr, found: set[str]) -> None:
    if isinstance(node, ast.Name):
        found.add(node.id)
    elif isinstance(node, ast.Tuple | ast.List):
        for each in node.elts:
            _targets(each, found)
    elif isinstance(node, ast.Starred):
        _targets(node.value, found)
