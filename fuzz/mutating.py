"""What can be broken in a module: each mutant has one operator, constant, condition or result changed.

Texts of messages are not changed, nor type annotations, decorators, docstrings and the `strict` of `zip`, which is an
assertion.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.Div: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
NAMES = {
    "min": "max",
    "max": "min",
    "any": "all",
    "all": "any",
    "sum": "max",
    "prod": "sum",
    "lcm": "gcd",
    "gcd": "lcm",
}
SPEECH = {"LayerError", "Diagnostic", "CnnError", "error", "KeyError", "TypeError", "Finding", "warning"}
"""Calls whose texts are read by people."""


@dataclass(frozen=True)
class Mutant:
    path: Path
    line: int
    before: str
    after: str
    source: str
    function: str
    """The function that is changed, as `Class.method`; empty where it is something outside of functions."""

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}: {self.before}  ->  {self.after}"


def changes(node: ast.AST) -> Iterator[Callable[[Any], ast.AST]]:
    """What can be done to one node: each function changes a copy of it and gives what takes its place."""
    if isinstance(node, ast.Compare):
        yield from (partial(_compared, at=at) for at in range(len(node.ops)))
    elif isinstance(node, ast.Constant):
        yield from _constants(node)
    elif type(node) in REPLACED and not any(
        (
            isinstance(node, ast.Return) and (node.value is None or _is_none(node.value)),
            isinstance(node, ast.Name) and not (node.id in NAMES and isinstance(node.ctx, ast.Load)),
            isinstance(node, ast.BinOp) and type(node.op) not in OPERATORS,
            isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant),
            isinstance(node, ast.comprehension) and not node.ifs,
        )
    ):
        yield REPLACED[type(node)]


REPLACED: dict[type[ast.AST], Callable[[Any], ast.AST]] = {
    ast.BinOp: lambda new: _with(new, op=OPERATORS[type(new.op)]()),
    ast.BoolOp: lambda new: _with(new, op=ast.Or() if isinstance(new.op, ast.And) else ast.And()),
    ast.UnaryOp: lambda new: new.operand,
    ast.IfExp: lambda new: _with(new, body=new.orelse, orelse=new.body),
    ast.If: lambda new: _with(new, test=ast.UnaryOp(ast.Not(), new.test)),
    ast.While: lambda new: _with(new, test=ast.UnaryOp(ast.Not(), new.test)),
    ast.comprehension: lambda new: _with(new, ifs=[]),
    ast.Return: lambda new: _with(new, value=ast.Constant(None)),
    ast.Name: lambda new: _with(new, id=NAMES[new.id]),
}


def _compared(node: Any, at: int) -> ast.AST:
    node.ops[at] = COMPARISONS[type(node.ops[at])]()
    return node


def _constants(node: ast.Constant) -> Iterator[Callable[[Any], ast.AST]]:
    if isinstance(node.value, bool):
        yield lambda new: _with(new, value=not new.value)
    elif isinstance(node.value, int | float):
        yield lambda new: _with(new, value=new.value + 1)
    elif isinstance(node.value, str) and node.value:
        yield lambda new: _with(new, value=f"{new.value}X")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _with(node: ast.AST, **fields: object) -> ast.AST:
    for name, value in fields.items():
        setattr(node, name, value)
    return node


Way = tuple[tuple[str, int], ...]
"""The way to a node: the field of each node above it, and the place in it where that is a list."""


def places(node: ast.AST, path: Way = (), in_texts: bool = False) -> Iterator[tuple[Way, ast.AST]]:
    """The nodes worth changing, each with the way to it; with `in_texts` those of f-strings too."""
    yield path, node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "decorator_list", "type_params", "conversion", "format_spec"):
            continue
        if _is_unread(node, name) and not (in_texts and isinstance(node, ast.JoinedStr)):
            continue
        several = value if isinstance(value, list) else [value]
        for at, child in enumerate(several):
            if isinstance(child, ast.AST) and not _is_speech(node, child):
                yield from places(child, (*path, (name, at if isinstance(value, list) else -1)), in_texts)


def _is_unread(node: ast.AST, name: str) -> bool:
    """What is not code: f-strings, imports, types, and the bodies that only type checkers read."""
    if isinstance(node, ast.JoinedStr | ast.Import | ast.ImportFrom):
        return True
    if isinstance(node, ast.keyword) and node.arg == "strict":
        return True
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "Literal":
        return True
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SPEECH:
        return name in ("args", "keywords")
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def _is_speech(node: ast.AST, child: ast.AST) -> bool:
    """Docstrings, names of types, and variables that hold what is said."""
    if isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant):
        return True
    if isinstance(child, ast.Assign) and isinstance(child.targets[0], ast.Name):
        return child.targets[0].id in ("message", "help", "hint")
    if isinstance(child, ast.AnnAssign):
        return isinstance(child.annotation, ast.Name) and child.annotation.id == "TypeAlias"
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cast"


def mutants(path: Path) -> Iterator[Mutant]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for way, node in list(places(tree)):
        for change in changes(node):
            yield made(path, tree, way, change)


def made(path: Path, tree: ast.Module, way: Way, change: Callable[[Any], ast.AST]) -> Mutant:
    """The mutant in which one node is changed."""
    broken = copy.deepcopy(tree)
    parent: Any = broken
    for name, at in way[:-1]:
        value = getattr(parent, name)
        parent = value if at < 0 else value[at]
    name, at = way[-1]
    old = getattr(parent, name) if at < 0 else getattr(parent, name)[at]
    line = getattr(old, "lineno", 0) or getattr(getattr(old, "target", None), "lineno", 0)
    spoken = ast.unparse(parent if isinstance(old, ast.Constant | ast.Name) else old).splitlines()[0]
    before = spoken[:120]
    new = change(old)
    if at < 0:
        setattr(parent, name, new)
    else:
        getattr(parent, name)[at] = new
    ast.fix_missing_locations(broken)
    spoken = ast.unparse(parent if isinstance(old, ast.Constant | ast.Name) else new).splitlines()[0]
    after = spoken[:120]
    return Mutant(path, line, before, after, ast.unparse(broken), _function(tree, way))


def _function(tree: ast.AST, way: Way) -> str:
    """The outermost function whose body holds a place."""
    names: list[str] = []
    node: Any = tree
    for name, at in way:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.append(node.name)
        if isinstance(node, ast.FunctionDef):
            return ".".join(names) if name == "body" else ""
        node = getattr(node, name) if at < 0 else getattr(node, name)[at]
    return ""
