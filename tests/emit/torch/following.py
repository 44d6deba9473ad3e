"""Follows a `forward`, both its steps and its text, and compares them.

The text is parsed and run statement by statement on tensors that know only what they were computed from and in whose
memory they live. What is found wrong is raised as `Wrong`: a name that holds nothing, a value that was overwritten and
is read after all, calls in another order than that of the steps.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cnndsl.emit.torch.forward_method import ForwardText
from cnndsl.emit.torch.layout import Infix, flat, lines
from cnndsl.emit.torch.statements import PythonStatement, Suite


class Wrong(Exception):
    """The text does not do what the steps do, or does what Python or PyTorch forbids."""


@dataclass(eq=False)
class Storage:
    """Memory, and how often it was overwritten. Nobody but the caller writes to what is lent."""

    size: int
    is_lent: bool = False
    version: int = 0


@dataclass(frozen=True)
class Tensor:
    """What a tensor was computed from, as a number; without storage it is a size."""

    term: int
    storage: Storage | None
    version: int = 0


@dataclass
class Machine:
    """What both runs share: the numbers of terms, the sizes of values by their term, how children behave."""

    overwriting: frozenset[str]
    results: Mapping[str, int]
    extra: Mapping[str, int]
    is_training: bool
    flags: Mapping[str, bool]
    rows: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])
    sizes: dict[int, int] = field(default_factory=dict[int, int])
    terms: dict[tuple[object, ...], int] = field(default_factory=dict[tuple[object, ...], int])
    sums: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    def term(self, *parts: object) -> int:
        return self.terms.setdefault(parts, len(self.terms))

    def sum(self, a: Tensor, b: Tensor) -> int:
        """The term of a sum, whichever of its operands stands first or is written over."""
        operands = sorted(self.sums.get(a.term, [a.term]) + self.sums.get(b.term, [b.term]))
        term = self.term("+", *operands)
        self.sums[term] = operands
        return term


class Run:
    """One run: its names, the calls that it made in their order, what is alive between them and at the most."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.names: dict[str, Tensor | None] = {}
        self.lists: dict[str, list[Tensor]] = {}
        self.modules: dict[str, str] = {}
        self.calls: list[int] = []
        self.stack: list[Tensor] = []
        self.peak = 0
        self.returned: list[Tensor | None] | None = None
        self.record = ""

    # Statements

    def block(self, body: Sequence[ast.stmt]) -> None:
        if any(isinstance(each, ast.Return) for each in body[:-1]):
            raise Wrong("statements behind a return")
        for each in body:
            if self.returned is None:
                self.statement(each)

    def statement(self, node: ast.stmt) -> None:
        if not self.of_list(node):
            self.of_tensor(node)

    def of_list(self, node: ast.stmt) -> bool:
        """Follows a statement about a list, or a loop; False where it is another."""
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() as value):
                self.lists[name] = self.tensors(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.List(elts=[])):
                self.lists[name] = []
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])):
                self.lists[name].append(self.tensor(value))
            case ast.For(target=ast.Name(id=name), iter=ast.Attribute(attr=row), body=body):
                for child in self.machine.rows[row]:
                    self.modules[name] = child
                    self.block(body)
            case ast.For(target=ast.Name(id=name), iter=over, body=body):
                for each in self.tensors(over):
                    self.names[name] = each
                    self.block(body)
            case _:
                return False
        return True

    def of_tensor(self, node: ast.stmt) -> None:
        match node:
            case ast.Assign(targets=[target], value=value):
                self.assign(target, value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=None)):
                self.names[name] = None
            case ast.AugAssign(target=ast.Name(id=name), op=ast.Add(), value=value):
                self.add_over(name, value)
            case ast.Expr(value=ast.Call() as called):
                self.tensor(called)
            case ast.Delete(targets=targets):
                for each in targets:
                    assert isinstance(each, ast.Name)
                    if self.lists.pop(each.id, None) is None:
                        self.read(each.id)
                        del self.names[each.id]
            case ast.If(test=test, body=body, orelse=otherwise):
                self.block(body if self.truth(test) else otherwise)
            case ast.Return(value=value) if value is not None:
                self.result(value)
            case _:
                raise Wrong(f"not understood: {ast.unparse(node)}")

    def assign(self, target: ast.expr, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.names[target.id] = self.value(value)
            return
        assert isinstance(target, ast.Tuple)
        assert isinstance(value, ast.Call)
        outputs = self.call(value)
        if len(outputs) != len(target.elts):
            raise Wrong("another number of results")
        for each, output in zip(target.elts, outputs, strict=True):
            assert isinstance(each, ast.Name)
            self.names[each.id] = output

    def add_over(self, name: str, value: ast.expr) -> None:
        target = self.tensor(ast.Name(name))
        self.stack.append(target)
        other = self.tensor(value)
        self.stack.pop()
        self.touch(target)
        self.touch(other)
        self.names[name] = self.overwrite(target, self.machine.sum(target, other))

    def result(self, value: ast.expr) -> None:
        parts = value.elts if isinstance(value, ast.Tuple) else [value]
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name):
            self.record, parts = value.func.id, value.args
        found: list[Tensor | None] = []
        for each in parts:
            found.append(self.value(each))
            self.stack += [made for made in found[-1:] if made is not None]
        for each in found:
            if each is not None:
                self.touch(each)
        self.returned = found

    # Expressions

    def truth(self, test: ast.expr) -> bool:
        match test:
            case ast.Attribute(value=ast.Name(id="self"), attr="training"):
                return self.machine.is_training
            case ast.Attribute(value=ast.Name(id="self"), attr=flag):
                return self.machine.flags[flag]
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return not self.truth(operand)
            case _:
                raise Wrong(f"not understood: {ast.unparse(test)}")

    def value(self, node: ast.expr) -> Tensor | None:
        match node:
            case ast.Constant(value=None):
                return None
            case ast.IfExp(test=test, body=body, orelse=otherwise):
                return self.value(body if self.truth(test) else otherwise)
            case ast.Name(id=name):
                return self.read(name)
            case _:
                return self.tensor(node)

    def read(self, name: str) -> Tensor | None:
        if name not in self.names:
            raise Wrong(f"{name} holds nothing")
        return self.names[name]

    def tensor(self, node: ast.expr) -> Tensor:
        return self.listed(node) or self.single(node)

    def single(self, node: ast.expr) -> Tensor:
        match node:
            case ast.Name(id=name):
                found = self.read(name)
                if found is None:
                    raise Wrong(f"{name} is None")
                return found
            case ast.Call(func=ast.Attribute(value=ast.Name(id="self")) | ast.Name()) if not _is_function(node):
                (output,) = self.call(node)
                return output
            case ast.Call(func=ast.Name(id="list"), args=[ast.Subscript(value=ast.Attribute(value=of, attr="shape"))]):
                return Tensor(self.machine.term("size", self.tensor(of).term), None)
            case ast.Call(func=ast.Attribute(value=ast.Name(id="torch"), attr=name), args=args):
                first = args[0]
                operands = first.elts if isinstance(first, ast.List) else [*args]
                return self.compute(name, [each for each in operands if not isinstance(each, ast.Constant)])
            case ast.BinOp(left=left, op=operator, right=ast.Constant(value=number)):
                return self.compute(f"{type(operator).__name__} {number!r}", [left])
            case ast.BinOp(left=left, op=operator, right=right):
                return self.compute(type(operator).__name__, [left, right])
            case ast.Subscript(value=of, slice=index):
                return self.compute(f"[{ast.unparse(index)}]", [of])
            case _:
                raise Wrong(f"not understood: {ast.unparse(node)}")

    def listed(self, node: ast.expr) -> Tensor | None:
        """What is read of lists; None where nothing is."""
        match node:
            case ast.Call(func=ast.Attribute(attr="cat"), args=[ast.BinOp() | ast.Name() as several, _]):
                return self.made("cat", self.tensors(several))
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=int() as at)) if name in self.lists:
                return self.lists[name][at]
            case _:
                return None

    def tensors(self, node: ast.expr) -> list[Tensor]:
        """What a list holds, a part of one, or several put together."""
        match node:
            case ast.List(elts=elts):
                return self.operands(elts)
            case ast.Name(id=name):
                return self.lists[name]
            case ast.Subscript(value=of, slice=ast.Slice(lower=ast.Constant(value=int() as start), upper=None)):
                return self.tensors(of)[start:]
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                return [*self.tensors(left), *self.tensors(right)]
            case _:
                raise Wrong(f"not understood: {ast.unparse(node)}")

    def compute(self, name: str, nodes: Sequence[ast.expr]) -> Tensor:
        return self.made(name, self.operands(nodes))

    def made(self, name: str, operands: Sequence[Tensor]) -> Tensor:
        is_sum = name == "Add"
        term = self.machine.sum(*operands) if is_sum else self.machine.term(name, *(each.term for each in operands))
        for each in operands:
            self.touch(each)
        if name == "flatten" or name.startswith("["):
            return Tensor(term, operands[0].storage, operands[0].version)
        size = self.machine.sizes.get(term, 0)
        self.note(operands, size)
        return Tensor(term, Storage(size))

    def call(self, node: ast.Call) -> list[Tensor]:
        assert isinstance(node.func, ast.Attribute | ast.Name)
        child = node.func.attr if isinstance(node.func, ast.Attribute) else self.modules[node.func.id]
        operands = self.operands(node.args)
        for each in operands:
            self.touch(each)
        called = self.machine.term(len(self.calls), child, *(each.term for each in operands))
        self.calls.append(called)
        terms = [self.machine.term("output", at, called) for at in range(self.machine.results[child])]
        if child in self.machine.overwriting:
            return [self.overwrite(operands[0], terms[0])]
        outputs = [Tensor(term, Storage(self.machine.sizes.get(term, 0))) for term in terms]
        self.note(operands, self.machine.extra[child])
        return outputs

    def operands(self, nodes: Sequence[ast.expr]) -> list[Tensor]:
        found: list[Tensor] = []
        for each in nodes:
            found.append(self.tensor(each))
            self.stack.append(found[-1])
        del self.stack[len(self.stack) - len(found) :]
        return found

    # Memory

    def touch(self, tensor: Tensor) -> None:
        if tensor.storage is not None and tensor.storage.version != tensor.version:
            raise Wrong("a value is read that was overwritten")

    def overwrite(self, tensor: Tensor, term: int) -> Tensor:
        storage = tensor.storage
        assert storage is not None
        if storage.is_lent:
            raise Wrong("what the caller passed is overwritten")
        storage.version += 1
        return Tensor(term, storage, storage.version)

    def note(self, operands: Sequence[Tensor], more: int) -> None:
        listed = [each for several in self.lists.values() for each in several]
        alive = {each.storage for each in (*self.names.values(), *listed, *self.stack, *operands) if each is not None}
        self.peak = max(self.peak, more + sum(each.size for each in alive if each is not None))


def _is_function(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == "list"


# The text


def text_lines(body: Sequence[PythonStatement], indent: int = 8) -> Iterator[str]:
    """Lays statements out as lines."""
    for each in body:
        if isinstance(each, Suite):
            yield from lines(each.doc, indent, each.lead, each.comment, ":")
            yield from text_lines(each.body, indent + 4)
            if each.otherwise:
                yield " " * indent + "else:"
                yield from text_lines(each.otherwise, indent + 4)
        elif isinstance(each.doc, Infix) and each.doc.operator == ",":
            yield " " * indent + each.lead + ", ".join(map(flat, each.doc.operands))
        else:
            yield from lines(each.doc, indent, each.lead, each.comment)


def run_text(made: ForwardText, inputs: Sequence[Tensor], machine: Machine) -> Run:
    """Runs the text of a `forward`."""
    names = [each.split(":")[0] for each in made.arguments]
    arguments = ", ".join(made.arguments)
    source = "\n".join([f"    def forward(self, {arguments}):", *text_lines(made.body)])
    (cls,) = ast.parse(f"class C:\n{source}").body
    assert isinstance(cls, ast.ClassDef)
    (function,) = cls.body
    assert isinstance(function, ast.FunctionDef)
    run = Run(machine)
    run.names = dict(zip(names, inputs, strict=True))
    run.stack = [*inputs]
    run.block(function.body)
    if run.returned is None:
        raise Wrong("nothing is returned")
    return run
