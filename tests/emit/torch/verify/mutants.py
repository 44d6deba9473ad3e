"""Texts with one thing changed at random: a number, an operand, a name, a statement, the place of one."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from cnndsl.layers import HELPERS

IN_PLACE = frozenset("ReLU ReLU6 LeakyReLU ELU CELU SELU SiLU Mish Hardswish Hardsigmoid Hardtanh Dropout".split())


@dataclass(frozen=True)
class Place:
    """Where a node stands: in a field of another, which may be a list."""

    parent: ast.AST
    field: str
    at: int
    node: ast.AST

    def put(self, node: ast.AST) -> None:
        if self.at < 0:
            setattr(self.parent, self.field, node)
        else:
            getattr(self.parent, self.field)[self.at] = node

    @property
    def siblings(self) -> list[ast.stmt]:
        return getattr(self.parent, self.field)


def places(tree: ast.Module, *kinds: type[ast.AST]) -> list[Place]:
    """The nodes of these kinds in the classes and functions of a text, but those in annotations."""
    own = [each for each in tree.body if isinstance(each, ast.ClassDef | ast.FunctionDef) and each.name not in HELPERS]
    return [place for each in own for place in _below(each) if isinstance(place.node, kinds)]


def _below(node: ast.AST) -> Iterator[Place]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "bases"):
            continue
        parts: Sequence[object] = value if isinstance(value, list) else [value]
        for at, part in enumerate(parts):
            if isinstance(part, ast.AST):
                yield Place(node, field, at if isinstance(value, list) else -1, part)
                yield from _below(part)


def _number(tree: ast.Module, dice: random.Random) -> str | None:
    found = [each for each in places(tree, ast.Constant) if type(getattr(each.node, "value", None)) in (int, float)]
    if not found:
        return None
    place = dice.choice(found)
    value = getattr(place.node, "value", 0)
    place.put(ast.Constant(dice.choice([value + 1, value - 1, 2 * value])))
    return f"the number {value}"


def _truth(tree: ast.Module, dice: random.Random) -> str | None:
    found = [each for each in places(tree, ast.Constant) if type(getattr(each.node, "value", None)) is bool]
    if not found:
        return None
    place = dice.choice(found)
    place.put(ast.Constant(not getattr(place.node, "value", False)))
    return "a truth"


def _in_place(tree: ast.Module, dice: random.Random) -> str | None:
    calls = [each.node for each in places(tree, ast.Call) if isinstance(each.node, ast.Call)]
    found = [each for each in calls if isinstance(each.func, ast.Attribute) and each.func.attr in IN_PLACE]
    if not found:
        return None
    call = dice.choice(found)
    if any(each.arg == "inplace" for each in call.keywords):
        call.keywords = [each for each in call.keywords if each.arg != "inplace"]
    else:
        call.keywords.append(ast.keyword("inplace", ast.Constant(True)))
    return f"in place on line {call.lineno}"


def _keyword(tree: ast.Module, dice: random.Random) -> str | None:
    calls = [each.node for each in places(tree, ast.Call) if isinstance(each.node, ast.Call) and each.node.keywords]
    if not calls:
        return None
    call = dice.choice(calls)
    gone = call.keywords.pop(dice.randrange(len(call.keywords)))
    return f"without {gone.arg} on line {call.lineno}"


def _order(tree: ast.Module, dice: random.Random) -> str | None:
    found: list[list[ast.expr]] = []
    for place in places(tree, ast.Call, ast.List, ast.Tuple):
        if isinstance(place.node, ast.Call):
            found.append(place.node.args)
        elif isinstance(place.node, ast.List | ast.Tuple):
            found.append(place.node.elts)
    found = [each for each in found if len(each) > 1]
    if not found:
        return None
    parts = dice.choice(found)
    one, other = dice.sample(range(len(parts)), 2)
    parts[one], parts[other] = parts[other], parts[one]
    return "the order of arguments or parts"


def _operator(tree: ast.Module, dice: random.Random) -> str | None:
    found = [each.node for each in places(tree, ast.BinOp) if isinstance(each.node, ast.BinOp)]
    if not found:
        return None
    node = dice.choice(found)
    if dice.random() < 0.5:
        node.left, node.right = node.right, node.left
        return f"the order of operands on line {node.lineno}"
    node.op = dice.choice([ast.Add, ast.Mult, ast.Sub, ast.Div, ast.FloorDiv])()
    return f"the operator on line {node.lineno}"


def _assignment(tree: ast.Module, dice: random.Random) -> str | None:
    """`y = y + x` and `y += x`, one for the other."""
    found = [
        each
        for each in places(tree, ast.AugAssign, ast.Return)
        if isinstance(each.node, ast.AugAssign) or isinstance(getattr(each.node, "value", None), ast.BinOp)
    ]
    if not found:
        return None
    place = dice.choice(found)
    node = place.node
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        place.put(ast.Assign([node.target], ast.BinOp(ast.Name(node.target.id), node.op, node.value)))
    elif isinstance(node, ast.Return) and isinstance(node.value, ast.BinOp) and isinstance(node.value.left, ast.Name):
        name = node.value.left.id
        changed = ast.AugAssign(ast.Name(name, ast.Store()), node.value.op, node.value.right)
        place.siblings[place.at : place.at + 1] = [changed, ast.Return(ast.Name(name))]
    else:
        return None
    return f"in place or not on line {node.lineno}"


def _statement(tree: ast.Module, dice: random.Random) -> str | None:
    """A statement that is left out, said twice, or moved."""
    found = [each for each in places(tree, ast.stmt) if not isinstance(each.node, ast.FunctionDef) and each.at >= 0]
    place = dice.choice(found)
    body, how = place.siblings, dice.choice(["left out", "twice", "moved", "moved"])
    if how == "twice":
        body.insert(place.at, copy.deepcopy(body[place.at]))
    elif len(body) == 1:
        return None
    else:
        statement = body.pop(place.at)
        if how == "moved":
            body.insert(dice.randrange(len(body) + 1), statement)
    return f"line {getattr(place.node, 'lineno', 0)} {how}"


def _name(tree: ast.Module, dice: random.Random) -> str | None:
    functions = [each.node for each in places(tree, ast.FunctionDef) if getattr(each.node, "name", "") == "forward"]
    if not functions:
        return None
    inside = [each for each in ast.walk(dice.choice(functions)) if isinstance(each, ast.Name)]
    names = [each for each in inside if each.id not in ("self", "torch", "F", "nn", "Tensor")]
    if len(names) < 2:
        return None
    one, other = dice.sample(names, 2)
    told = f"{one.id} becomes {other.id} on line {one.lineno}"
    one.id = other.id
    return told


def _child(tree: ast.Module, dice: random.Random) -> str | None:
    found = [each.node for each in places(tree, ast.Attribute) if isinstance(each.node, ast.Attribute)]
    own = [each for each in found if isinstance(each.value, ast.Name) and each.value.id in ("self", "nn")]
    one = dice.choice(own)
    alike = [each for each in own if ast.dump(each.value) == ast.dump(one.value)]
    other = dice.choice(alike)
    told = f"{one.attr} becomes {other.attr} on line {one.lineno}"
    one.attr = other.attr
    return told


def _key(tree: ast.Module, dice: random.Random) -> str | None:
    """A child that is known by a text, as `self["a-1"]` or one of a ModuleDict, under another."""
    keys: list[ast.expr] = []
    for place in places(tree, ast.Subscript, ast.Dict, ast.Call):
        if isinstance(place.node, ast.Subscript):
            keys.append(place.node.slice)
        elif isinstance(place.node, ast.Dict):
            keys += [each for each in place.node.keys if each is not None]
        elif isinstance(place.node, ast.Call) and isinstance(place.node.func, ast.Attribute):
            keys += place.node.args[:1] if place.node.func.attr == "add_module" else []
    found = [each for each in keys if isinstance(each, ast.Constant) and isinstance(each.value, str)]
    if not found:
        return None
    key = dice.choice(found)
    told = f"the key {key.value!r} on line {key.lineno}"
    others = [each.value for each in found if each.value != key.value]
    key.value = dice.choice([*others, f"{key.value}_", str(key.value).replace("-", "/")])
    return told


def _forwards(tree: ast.Module) -> list[ast.FunctionDef]:
    functions = [each.node for each in places(tree, ast.FunctionDef)]
    return [each for each in functions if isinstance(each, ast.FunctionDef) and each.name == "forward"]


def _inputs(tree: ast.Module, dice: random.Random) -> str | None:
    """Two inputs of `forward`, one for the other."""
    found = [each for each in _forwards(tree) if len(each.args.args) > 2]
    if not found:
        return None
    arguments = dice.choice(found).args.args
    one, other = dice.sample(range(1, len(arguments)), 2)
    arguments[one], arguments[other] = arguments[other], arguments[one]
    return f"the inputs {arguments[one].arg} and {arguments[other].arg}"


def _application(tree: ast.Module, dice: random.Random) -> str | None:
    """A module that is applied once less, or once more."""
    found: list[Place] = []
    for place in places(ast.Module([*_forwards(tree)], []), ast.Call):
        call = place.node
        if isinstance(call, ast.Call) and len(call.args) == 1 and not call.keywords:
            text = ast.unparse(call.func)
            found += [place] if text.startswith("self") else []
    if not found:
        return None
    place = dice.choice(found)
    call = place.node
    assert isinstance(call, ast.Call)
    if dice.random() < 0.5:
        place.put(call.args[0])
        return f"without {ast.unparse(call.func)}"
    place.put(ast.Call(copy.deepcopy(call.func), [copy.deepcopy(call)], []))
    return f"{ast.unparse(call.func)} twice"


def _extents(tree: ast.Module, dice: random.Random) -> str | None:
    """The extents of another value."""
    found: list[ast.Name] = []
    names: list[str] = []
    for function in _forwards(tree):
        for each in ast.walk(function):
            if isinstance(each, ast.Attribute) and each.attr == "shape" and isinstance(each.value, ast.Name):
                found.append(each.value)
            elif isinstance(each, ast.Call) and ast.unparse(each.func).endswith("_like"):
                found += [one for one in each.args if isinstance(one, ast.Name)]
            names += [each.id] if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) else []
    if not found or not names:
        return None
    one = dice.choice(found)
    told = f"the extents of {one.id} on line {one.lineno}"
    one.id = dice.choice(names)
    return told


CHANGES: tuple[Callable[[ast.Module, random.Random], str | None], ...] = (
    *(_number, _truth, _in_place, _in_place, _keyword, _order, _operator, _assignment, _assignment),
    *(_statement, _statement, _name, _name, _child),
    *(_key, _inputs, _application, _extents),
)


def mutant(text: str, dice: random.Random) -> tuple[str, str]:
    """The text with one thing changed, and what was; the same text where nothing could be."""
    for _ in range(20):
        tree = ast.parse(text)
        tree.body = [each for each in tree.body if not isinstance(each, ast.If)]
        told = dice.choice(CHANGES)(tree, dice)
        if told is not None:
            return _helpers_as_they_were(ast.unparse(ast.fix_missing_locations(tree))), told
    return text, "nothing"


def _helpers_as_they_were(text: str) -> str:
    lines = text.split("\n")
    for each in reversed(ast.parse(text).body):
        if isinstance(each, ast.ClassDef) and each.name in HELPERS:
            lines[each.lineno - 1 : each.end_lineno] = HELPERS[each.name].rstrip().split("\n")
    return "\n".join(lines)
