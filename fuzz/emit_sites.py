"""Where the emitter can be broken: the operators of `mutating`, and those for code that writes text.

Beside a changed operator, constant, condition or result these are a statement left out, an argument left out, two
arguments exchanged, an operand or an element left out, an order or a choice not kept, and whatever f-strings hold.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mutating import ROOT, Mutant, Way, changes, made, places

EMITTER = ROOT / "cnndsl" / "emit" / "torch"
LEFT_OUT = ("__init__.py", "verified.py")
"""What holds no step of the emitter."""

SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Assert, ast.Delete, ast.Expr, ast.Raise, ast.Return)
ORDERS = ("sorted", "reversed")


@dataclass(frozen=True)
class Site:
    """One change that can be made to a file; `lines` are those of the statement that holds it."""

    path: Path
    tree: ast.Module
    way: Way
    change: Callable[[Any], ast.AST]
    line: int
    lines: range

    def mutant(self) -> Mutant:
        return made(self.path, self.tree, self.way, self.change)


def emitter_files() -> list[Path]:
    """Lists the files of the emitter's steps."""
    return [each for each in sorted(EMITTER.glob("*.py")) if each.name not in LEFT_OUT]


def sites(path: Path) -> Iterator[Site]:
    """Finds all that can be changed in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for way, node in list(places(tree, in_texts=True)):
        lines = _statement(tree, way)
        found = getattr(node, "lineno", 0) or getattr(getattr(node, "target", None), "lineno", 0)
        line = found if found in lines else lines.start
        for change in (*changes(node), *_more(node)):
            yield Site(path, tree, way, change, line, lines)


def _statement(tree: ast.Module, way: Way) -> range:
    """Gives the lines of the innermost statement; of one with a body, only those of the part in front of that."""
    node: Any = tree
    lines = range(1, 2)
    for name, at in (*way, ("", 0)):
        if isinstance(node, SIMPLE):
            return range(node.lineno, node.end_lineno + 1)
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            end = body[0].lineno if isinstance(body, list) else node.end_lineno + 1
            lines = range(node.lineno, max(end, node.lineno + 1))
        if isinstance(node, ast.match_case | ast.ExceptHandler):
            start = getattr(node, "lineno", 0) or node.pattern.lineno
            lines = range(start, max(node.body[0].lineno, start + 1))
        if name:
            node = getattr(node, name) if at < 0 else getattr(node, name)[at]
    return lines


def _more(node: ast.AST) -> Iterator[Callable[[Any], ast.AST]]:
    """Lists what else can be done to one node, beside the changes of `mutating`."""
    if isinstance(node, ast.Continue | ast.AugAssign) or (isinstance(node, ast.Expr) and _is_call(node.value)):
        yield lambda new: ast.copy_location(ast.Pass(), new)
    elif isinstance(node, ast.BoolOp):
        yield from (partial(_without, field="values", at=at) for at in range(len(node.values)))
    elif isinstance(node, ast.List | ast.Tuple) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield from (partial(_without, field="elts", at=at) for at in range(len(node.elts)))
    elif isinstance(node, ast.IfExp):
        yield lambda new: new.body
        yield lambda new: new.orelse
    elif isinstance(node, ast.Call):
        yield from _calls(node)


def _calls(node: ast.Call) -> Iterator[Callable[[Any], ast.AST]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    if name == "isinstance":
        return
    if name in ORDERS and not node.keywords:
        yield _unordered
    if len(node.args) > 1 and not any(isinstance(each, ast.Starred) for each in node.args[:2]):
        yield _exchanged
    # The others of a call with more arguments are left out only where they are given by name.
    for at, keyword in enumerate(node.keywords):
        if keyword.arg not in (None, "strict"):
            yield partial(_without, field="keywords", at=at)


def _is_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call)


def _without(node: Any, field: str, at: int) -> ast.AST:
    several = getattr(node, field)
    del several[at]
    return several[0] if isinstance(node, ast.BoolOp) and len(several) == 1 else node


def _exchanged(node: Any) -> ast.AST:
    node.args[:2] = node.args[1], node.args[0]
    return node


def _unordered(node: Any) -> ast.AST:
    node.func = ast.copy_location(ast.Name("list", ast.Load()), node.func)
    return node
