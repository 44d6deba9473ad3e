"""`forward` as a straight-line program: the modules it calls and the operators it applies, on which registers.

A trace depends only on the module's template and the kinds of its arguments, so a block that occurs a hundred times is
traced once. Traces do not contain values; `replay` runs traces on values.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from cnndsl.emit.torch.verify import statements
from cnndsl.emit.torch.verify.forms import LIKE
from cnndsl.emit.torch.verify.frame import Engine, Frame
from cnndsl.emit.torch.verify.given import CallArguments
from cnndsl.emit.torch.verify.leaves import LeafModule
from cnndsl.emit.torch.verify.lower import upsampling
from cnndsl.emit.torch.verify.parameters import ViewedParameter, applied, is_parameter, operand
from cnndsl.emit.torch.verify.plain import LentList, as_range, is_a, items
from cnndsl.emit.torch.verify.signatures import FUNCTIONS, KNOWN_FUNCTIONS, bind, parameters
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.values import (
    Member,
    Named,
    NotUnderstood,
    Register,
    Template,
    Trouble,
    describe,
    frozen,
)

LEAF, CALL, POOL, UNPOOL, PAIR, SCALAR, CAT, VIEW, INDEX, SHAPE, TAKE, PAD, RESIZE = range(13)
"""Opcodes of the steps, see `replay`."""

TraceStep: TypeAlias = tuple[object, ...]

TrainingMode: TypeAlias = bool
"""True in training, False in evaluation."""


class Trace:
    """The steps of one `forward`. Its arguments are the first registers. `moded` is true if the trace depends on the
    mode. `released` lists the registers that are no longer referenced before each step, and after the last one."""

    __slots__ = ("inputs", "moded", "registers", "released", "result", "results", "steps")

    def __init__(
        self,
        steps: list[TraceStep],
        released: list[tuple[int, ...]],
        inputs: int,
        registers: int,
        result: object,
        moded: bool,
    ) -> None:
        self.steps, self.released, self.inputs, self.registers = steps, released, inputs, registers
        self.result, self.moded = result, moded
        self.results = [each.index for each in registers_of(result)]


class Tracer:
    """The traces of the modules of a program, each computed once."""

    __slots__ = ("_busy", "_traces", "engine", "program")

    def __init__(self, program: Program, engine: Engine) -> None:
        self.program, self.engine = program, engine
        self._traces: dict[object, Trace] = {}
        self._busy: set[int] = set()

    def trace(
        self, template: Template, given: Sequence[object], named: Mapping[str, object], training: TrainingMode
    ) -> Trace:
        """Return the trace of a module's call. Raises Trouble if `forward` cannot be followed."""
        shape = (tuple(map(_kind, given)), tuple((name, _kind(each)) for name, each in named.items()))
        key = (template.number, training, shape)
        found = self._traces.get(key)
        if found is None and not training:
            found = self._traces.get((template.number, True, shape))
            if found is not None and found.moded:
                found = None
        if found is None:
            if template.number in self._busy:
                raise Trouble("a module calls itself")
            self._busy.add(template.number)
            found = self._traces[key] = ForwardRecorder(self, training).record(template, given, named)
            self._busy.discard(template.number)
        return found


def _kind(value: object) -> object:
    """Return the part of an argument that a trace depends on."""
    if isinstance(value, Register):
        return (Register, value.is_size)
    if isinstance(value, Named):
        return (value.cls, tuple(map(_kind, value.values)))
    if is_a(value, list) or isinstance(value, LentList):
        return (list, tuple(map(_kind, items(value) or ())))
    if is_a(value, tuple):
        return tuple(map(_kind, items(value) or ()))
    return frozen(value)


def _lists_in(value: object) -> list[object]:
    """Return the lists in a value that a module shares with its creator."""
    inside = [found for each in items(value) or () for found in _lists_in(each)]
    return [value, *inside] if isinstance(value, list | LentList) else inside


def registers_of(value: object) -> list[Register]:
    """Return the registers in a value, in order."""
    if isinstance(value, Register):
        return [value]
    parts = value.values if isinstance(value, Named) else items(value) or ()
    return [found for each in parts for found in registers_of(each)]


class ForwardRecorder:
    """Records the trace of one call of `forward`."""

    __slots__ = ("_before", "_count", "_moded", "_released", "_steps", "_tracer", "_training")

    def __init__(self, tracer: Tracer, training: TrainingMode) -> None:
        self._tracer, self._training = tracer, training
        self._steps: list[TraceStep] = []
        self._before: list[tuple[int, ...]] = []
        self._released: list[int] = []
        self._count = 0
        self._moded = False

    def record(self, template: Template, given: Sequence[object], named: Mapping[str, object]) -> Trace:
        """Return the trace of the module's call. Raises Trouble if `forward` cannot be followed."""
        arguments = [self._renewed(each) for each in given]
        keywords = {name: self._renewed(each) for name, each in named.items()}
        inputs = self._count
        value = self._forward(template, arguments, keywords)
        lent = {id(each) for given in (*arguments, *keywords.values()) for each in _lists_in(given)}
        if any(id(each) in lent for each in _lists_in(value)):
            raise NotUnderstood("a list that is given back as it came")
        if is_a(value, list):
            value = LentList(items(value) or ())
        self._let_go()
        return Trace(self._steps, self._before, inputs, self._count, value, self._moded)

    def _add(self, step: TraceStep) -> None:
        self._let_go()
        self._steps.append(step)

    def _let_go(self) -> None:
        """Record the registers released since the last step."""
        self._before.append(tuple(self._released))
        self._released.clear()

    def _renewed(self, value: object) -> object:
        """Return the same structure with registers of this trace; lists become `LentList`s."""
        if isinstance(value, Register):
            return self._register(value.is_size)
        if isinstance(value, Named):
            return Named(value.cls, tuple(map(self._renewed, value.values)))
        several = items(value)
        if several is None:
            return value
        renewed = tuple(map(self._renewed, several))
        return LentList(renewed) if isinstance(value, list | LentList) else renewed

    def _register(self, is_size: bool = False) -> Register:
        self._count += 1
        return Register(self._count - 1, is_size, self._released)

    def _forward(self, template: Template, given: Sequence[object], named: Mapping[str, object]) -> object:
        info = template.info
        assert info is not None
        program = self._tracer.program
        if info.forward is None:
            if info.kind != "sequential":
                raise Trouble(f"`{info.name}` has no `forward`", info.node.lineno if info.node else 0)
            if len(given) != 1 or named:
                raise Trouble(f"a Sequential takes one argument and is given {len(given) + len(named)}")
            return self._sequence(template, given[0], program)
        function = info.forward
        if not function.params:
            raise Trouble("`forward` takes nothing", function.node.lineno)
        line = function.node.lineno
        bound = bind(f"{info.name}.forward", function.params[1:], function.star - 1, given, named)
        names: dict[str, object] = {function.params[0][0]: Member(template, "", line), **bound}
        return statements.returns(function.node.body, Frame(program, function, names, self, self._tracer.engine))

    def _sequence(self, template: Template, value: object, program: Program) -> object:
        for name, (child, line) in template.children.items():
            value = self._member(Member(child, name, line), [value], {}, line)
        return value

    def mode(self) -> bool:
        """Return `self.training`."""
        self._moded = True
        return self._training

    def call(
        self, member: Member, given: Sequence[object], named: Mapping[str, object], frame: Frame, line: int
    ) -> object:
        """Return the value of a module's call. Raises Trouble if the module cannot be called with these arguments."""
        return self._member(member, given, named, line)

    def _member(self, member: Member, given: Sequence[object], named: Mapping[str, object], line: int) -> object:
        template = member.template
        if template.leaf is not None:
            return self._leaf(template.leaf, member, given, named, line)
        trace = self._tracer.trace(template, given, named, self._training)
        self._moded |= trace.moded
        into = [each.index for each in registers_of([*given, *named.values()])]
        value = self._renewed(trace.result)
        results = [each.index for each in registers_of(value)]
        self._add((CALL, line, tuple(results), trace, member.path, tuple(into)))
        return value

    def _leaf(
        self, leaf: LeafModule, member: Member, given: Sequence[object], named: Mapping[str, object], line: int
    ) -> object:
        self._moded |= leaf.effects[0] != leaf.effects[1]
        if is_parameter(leaf):
            raise Trouble(f"{_called(member)} is a parameter, and is called", line)
        if leaf.form[0] == "unpool":
            return self._unpool(leaf, member, given, named, line)
        if named or len(given) != 1:
            raise Trouble(f"{_called(member)} takes one argument and is given {len(given) + len(named)}", line)
        value = given[0]
        if isinstance(value, Register) and not value.is_size:
            x = value.index
        else:
            x = self.tensor(value, f"what {_called(member)} is given", line)
        out = self._register()
        if leaf.indices:
            indices = self._register()
            self._add((POOL, line, out.index, leaf, member.path, x, indices.index, member.line))
            return (out, indices)
        self._add((LEAF, line, out.index, leaf, member.path, x, member.line))
        return out

    def _unpool(
        self, leaf: LeafModule, member: Member, given: Sequence[object], named: Mapping[str, object], line: int
    ) -> object:
        params = (("input", None), ("indices", None), ("output_size", None))
        bound = bind("MaxUnpool", params, 3, given, named)
        x = self.tensor(bound["input"], f"what {_called(member)} is given", line)
        indices = self.tensor(bound["indices"], f"what {_called(member)} is given as indices", line)
        size = self._size(bound["output_size"], line)
        out = self._register()
        self._add((UNPOOL, line, out.index, leaf, member.path, x, indices, size, member.line))
        return out

    def _size(self, value: object, line: int) -> object:
        """Return the size that is passed to a call: a register that holds one, integers, or None."""
        if value is None or (isinstance(value, Register) and value.is_size):
            return value
        several = items(value)
        if several is not None and all(type(each) is int for each in several):
            return several
        if type(value) is int:
            return value
        raise Trouble(f"{describe(value)} is given as a size", line)

    def tensor(self, value: object, what: str, line: int) -> int:
        """Return the register of a tensor. Raises Trouble for any other value."""
        if isinstance(value, Register) and not value.is_size:
            return value.index
        shown = "several values" if isinstance(value, Named) or items(value) is not None else describe(value)
        raise Trouble(f"{what} is {shown}, not a tensor", line)

    def operate(
        self, operator: type[ast.operator], left: object, right: object, line: int, inplace: bool = False
    ) -> Register:
        """Record an operator with a tensor on at least one side."""
        sign = _SIGNS.get(operator)
        if sign is None:
            raise NotUnderstood(f"the operator `{operator.__name__}` of tensors", line)
        if isinstance(left, Register) and isinstance(right, Register):
            a, b = (self.tensor(each, "an operand", line) for each in (left, right))
            return self._step(PAIR, line, sign, a, b, inplace)
        tensor, number = (left, right) if isinstance(left, Register) else (right, left)
        parameter = operand(number)
        if parameter is not None:
            return self._beside(tensor, parameter, sign, line, inplace)
        if type(number) is not int and type(number) is not float:
            raise Trouble(f"`{sign}` of a tensor and {describe(number)}", line)
        if tensor is right and sign not in ("*", "+"):
            raise NotUnderstood(f"a number `{sign}` a tensor", line)
        return self._step(SCALAR, line, sign, self.tensor(tensor, "an operand", line), number, inplace)

    def _beside(self, value: object, parameter: ViewedParameter, sign: str, line: int, inplace: bool) -> Register:
        """Record an operator on a tensor and a parameter of the module, as a computation of the parameter."""
        if inplace:
            raise NotUnderstood(f"`{sign}=` of a tensor and a parameter", line)
        leaf, member = applied(sign, parameter, self._tracer.program.forms, line), parameter.member
        x, out = self.tensor(value, "an operand", line), self._register()
        self._add((LEAF, line, out.index, leaf, member.path, x, member.line))
        return out

    def _step(self, code: int, line: int, *rest: object, is_size: bool = False) -> Register:
        out = self._register(is_size)
        self._add((code, line, out.index, *rest))
        return out

    def shape(self, x: Register, line: int) -> Register:
        """Record `x.shape`."""
        return self._step(SHAPE, line, x.index, is_size=True)

    def index(self, x: Register, index: object, line: int) -> object:
        """Record `x[…]` of a tensor or of a size."""
        if not x.is_size:
            return self._step(INDEX, line, x.index, items(index) or (index,))
        part = as_range(index)
        if part is None:
            raise NotUnderstood("a single extent of a shape", line)
        return self._step(TAKE, line, x.index, part, is_size=True)

    def function(self, name: str, given: Sequence[object], named: Mapping[str, object], line: int) -> object:
        """Record a function of `torch` or `F` on tensors. Raises Trouble for arguments that it does not accept."""
        params, star = parameters(FUNCTIONS.get(name) or KNOWN_FUNCTIONS[name])
        bound = bind(name, params, star, given, named)
        if name == "torch.cat":
            return self._cat(bound["tensors"], bound["dim"], line)
        if name in KNOWN_FUNCTIONS:
            x, other = (self.tensor(bound[key], f"what `{name}` is given", line) for key in ("x", "other"))
            size = self._step(TAKE, line, self.shape(Register(other), line).index, slice(2, None), is_size=True)
            return self._step(RESIZE, line, x, (_LIKE[name], LIKE), size)
        if name == "torch.maximum":
            a, b = (self.tensor(bound[key], f"an operand of `{name}`", line) for key in ("input", "other"))
            return self._step(PAIR, line, "max", a, b, False)
        x = self.tensor(bound["input"], f"what `{name}` is given", line)
        if name == "torch.flatten":
            return self._step(VIEW, line, x, bound["start_dim"], bound["end_dim"])
        if name == "F.pad":
            given_pads = CallArguments(name, bound)
            given_pads.must_be("mode", "constant")
            given_pads.must_be("value", None, 0)
            return self._step(PAD, line, x, given_pads.integers("pad"))
        if name.startswith("F.adaptive"):
            return self._adapt(name, x, bound, line)
        return self._resize(x, bound, line)

    def _cat(self, tensors: object, dim: object, line: int) -> Register:
        values = items(tensors)
        if values is None:
            raise Trouble(f"`torch.cat` is given {describe(tensors)}", line)
        parts = tuple(self.tensor(each, "a part of `torch.cat`", line) for each in values)
        if type(dim) is not int:
            raise Trouble(f"`torch.cat` along {describe(dim)}", line)
        if not parts:
            raise Trouble("`torch.cat` is given nothing", line)
        return self._step(CAT, line, parts, dim)

    def _resize(self, x: int, bound: Mapping[str, object], line: int) -> Register:
        given = CallArguments("F.interpolate", bound)
        given.must_be("antialias", False)
        given.must_be("recompute_scale_factor", None, False)
        size = self._size(bound["size"], line)
        placed: object = 1 if isinstance(size, Register) else size
        form = upsampling(CallArguments("F.interpolate", {**bound, "size": placed}))
        if not isinstance(size, Register):
            return self._step(RESIZE, line, x, form, None)
        return self._step(RESIZE, line, x, (form[0], LIKE, *form[2:]), size)

    def _adapt(self, name: str, x: int, bound: Mapping[str, object], line: int) -> Register:
        """Record `F.adaptive_avg_pool2d` or a similar function."""
        given, rank = CallArguments(name, bound), int(name[-2])
        given.must_be("return_indices", False)
        family = "aavg" if "avg" in name else "amax"
        size = self._size(bound["output_size"], line)
        if isinstance(size, Register):
            return self._step(RESIZE, line, x, (family, rank, LIKE), size)
        return self._step(RESIZE, line, x, (family, rank, given.extents("output_size", rank)), None)


_LIKE: Mapping[str, str] = {"crop_like": "cropto", "pad_like": "padto"}
"""The families of the functions that resize a feature map to the size of another one."""


_SIGNS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Mult: "*", ast.Div: "/", ast.Sub: "-"}


def _called(member: Member) -> str:
    return shown(member.path)


def shown(path: str) -> str:
    """Return a module's path as `forward` writes it.

    >>> shown("features.0.conv")
    '`self.features[0].conv`'
    """
    words = "".join(f"[{part}]" if part.isdigit() else f".{part}" for part in path.split("."))
    return f"`self{words}`"
