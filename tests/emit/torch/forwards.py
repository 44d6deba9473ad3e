"""Draws a `forward` at random: steps of every kind over values, each of which is defined before it is read."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from cnndsl.emit.torch.ir import Apply, BranchStep, Compute, Forward, ForwardValue, Step, StepOperation, Training, key
from cnndsl.emit.torch.steps import made_by, with_outputs
from tests.emit.torch.following import Machine, Storage, Tensor, Wrong
from tests.emit.torch.stepping import StepRun

_HINTS = ("", "", "3", "a", "skip", "relu1", "x", "self", "lambda", "y", "down4", "indices", "1x1", "aux", "F", "e-f")
_MERGES: tuple[tuple[StepOperation, str], ...] = (
    ("sum", "{0} + {1}"),
    ("product", "{0} * {1}"),
    ("mean", "{0} / 2"),
    ("maximum", "torch.maximum({0}, {1})"),
    ("concat", "torch.cat([{inputs}], 1)"),
    ("product", "{0} * {1}[:, :, None, None]"),
)
_FLATTEN: tuple[StepOperation, str] = ("flatten", "torch.flatten({0}, 1)")
_VIEWS: tuple[tuple[StepOperation, str], ...] = (_FLATTEN, _FLATTEN, ("same", "{0}"))


@dataclass
class Drawn:
    """A `forward`, and what its children are like: which have several results, overwrite, or weigh."""

    forward: Forward
    results: dict[str, int] = field(default_factory=dict[str, int])
    overwriting: frozenset[str] = frozenset()
    heavy: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    flags: tuple[str, ...] = ()
    rows: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The children of each container that a loop can run over."""

    def machine(self, is_training: bool, flags: dict[str, bool]) -> Machine:
        extra = dict.fromkeys(self.results, 0)
        return Machine(self.overwriting, self.results, extra, is_training, flags, self.rows)


class _Drawing:
    """Draws steps one after the other. `sizes` are the values that are no tensors."""

    def __init__(self, seed: int, is_plain: bool, has_rows: bool) -> None:
        self.random, self.is_plain, self.has_rows = random.Random(seed), is_plain, has_rows
        self.rows: dict[str, tuple[str, ...]] = {}
        self.names: list[str] = []
        self.sizes: set[int] = set()
        self.absent: set[int] = set()
        self.was_read: set[int] = set()
        self.results: dict[str, int] = {}
        self.overwriting: set[str] = set()
        self.flags: list[str] = []
        self.is_chain = self.random.random() < 0.6

    def value(self) -> int:
        self.names.append(self.random.choice(_HINTS))
        return len(self.names) - 1

    def forward(self) -> Drawn:
        draw = self.random
        inputs = [self.value() for _ in range(draw.choice((1, 1, 1, 2, 3)))]
        known = [*inputs]
        steps: list[Step] = []
        for _ in range(draw.randint(1, 12)):
            steps += self.row(known) if self.has_rows and draw.random() < 0.3 else [self.step(known, depth=0)]
        always = [value for value in known if value not in self.absent and value not in self.sizes]
        unread = [value for value in always if value not in self.was_read and value not in inputs]
        more = (
            unread[:-1] if draw.random() < 0.5 else draw.sample(always, min(len(always), draw.choice((0, 0, 0, 1, 2))))
        )
        results = [(unread or always)[-1], *more]
        absent = sorted(self.absent)
        training = draw.sample(absent, draw.randint(0, len(absent)))
        values = tuple(ForwardValue((key(at),), name) for at, name in enumerate(self.names))
        used = (*results, *training)
        forward = Forward(values, tuple(inputs), tuple(with_outputs(steps, used)), used, True, frozenset(training))
        stages = [child for child, count in self.results.items() if count < 3 and draw.random() < 0.4]
        heavy = [child for child in self.results if draw.random() < 0.5 or child in stages]
        return Drawn(
            forward,
            self.results,
            frozenset(self.overwriting),
            frozenset(heavy),
            frozenset(stages),
            tuple(self.flags),
            self.rows,
        )

    def step(self, known: list[int], depth: int) -> Step:
        """Draws a step, and adds what it makes to what is known."""
        kinds = ["apply"] * 6 + ["compute"] * 4 + ["view", "size"]
        if not self.is_plain:
            kinds += ["branch", "training", "training"] if depth < 2 else []
        kind = self.random.choice(kinds)
        if kind == "branch":
            return self.branch(known, depth)
        if kind == "training" and depth == 0:
            return self.training(known, depth)
        if kind == "apply" or kind == "training":
            return self.apply(known)
        return self.compute(known, kind)

    def row(self, known: list[int]) -> list[Step]:
        """Draws calls whose values merges read, with steps between: most rows can be loops, some cannot."""
        draw = self.random
        children = tuple(f"r{len(self.rows)}_{at}" for at in range(draw.choice((4, 4, 5, 3))))
        self.rows[f"row{len(self.rows)}"] = children
        count, is_carried, is_dense = draw.choice((1, 1, 2)), draw.random() < 0.7, draw.random() < 0.3
        count = 1 if is_dense else count
        same = [self.read(known) for _ in range(draw.choice((0, 0, 1)) + (not is_carried))]
        entering, at = self.read(known), draw.randrange(count)
        values = [self.read(known) for _ in range(draw.choice((0, 0, 1, 1, 2)) or is_dense)]
        steps: list[Step] = []
        for child in children:
            self.results[child] = count
            outputs = tuple(self.value() for _ in range(count))
            inputs = (entering, *same) if is_carried or is_dense else tuple(same)
            steps.append(Apply(child, inputs, outputs))
            values.append(outputs[at])
            entering = outputs[draw.randrange(count)] if draw.random() < 0.05 else outputs[0]
            if is_dense:
                entering = self.value()
                steps.append(Compute("concat", _MERGES[4][1], tuple(values), entering))
        known += [entering] if is_carried or is_dense else []
        if is_dense and draw.random() < 0.9:
            return steps
        is_sum = draw.random() < 0.5
        for number in range(draw.choice((1, 1, 1, 2))):
            steps += [self.step(known, depth=0) for _ in range(draw.choice((0, 0, 1, 2)))]
            more = [self.read(known) for _ in range(draw.choice((0, 0, 0, 1)))]
            steps.append(self.merge((*values, *more), is_sum and not number))
            known += made_by(steps[-1])
        return steps

    def merge(self, reads: tuple[int, ...], is_sum: bool) -> Compute:
        """A merge of several values. Of one row there is one sum: part of it could be all of another."""
        if not is_sum:
            return Compute("concat", _MERGES[4][1], reads, self.value())
        template = " + ".join(f"{{{at}}}" for at in range(len(reads)))
        return Compute("sum", template, reads, self.value(), self.random.choice((-1, 0)))

    def read(self, known: Sequence[int], absent: bool = False) -> int:
        """A value that is there, often the last one."""
        draw = self.random
        there = [each for each in known if each not in self.sizes and (absent or each not in self.absent)]
        unread = [each for each in there if each not in self.was_read]
        last = there[-1:] if draw.random() < (0.4 if self.is_chain else 0.1) else []
        found = draw.choice(last or (unread if unread and draw.random() < 0.6 else there))
        self.was_read.add(found)
        return found

    def apply(self, known: list[int]) -> Step:
        draw = self.random
        reads = [self.read(known, self.in_training) for _ in range(draw.choice((1, 1, 1, 1, 2, 3)))]
        sizes = [each for each in known if each in self.sizes]
        if sizes and draw.random() < 0.3:
            reads.append(draw.choice(sizes))
        child = f"c{len(self.results)}"
        count = draw.choice((1, 1, 1, 1, 1, 2, 3))
        again = [name for name, each in self.results.items() if each == count]
        if again and draw.random() < 0.1:
            child = draw.choice(again)
        if child not in self.results and count == 1 and draw.random() < 0.3:
            self.overwriting.add(child)
        self.results[child] = count
        outputs = tuple(self.value() for _ in range(count))
        known += draw.sample(outputs, draw.randint(1, count))
        return Apply(child, tuple(reads), outputs, child in self.overwriting)

    in_training = False

    def compute(self, known: list[int], kind: str) -> Step:
        draw, output = self.random, self.value()
        operation: StepOperation = "size"
        over = -1
        if kind == "size":
            template, reads = "list({0}.shape[2:])", [self.read(known, self.in_training)]
            self.sizes.add(output)
        elif kind == "view":
            operation, template = draw.choice(_VIEWS)
            reads = [self.read(known, self.in_training)]
        else:
            operation, template = draw.choice(_MERGES)
            count = 1 if operation == "mean" else 2
            if operation in ("concat", "sum"):
                count = draw.choice((2, 2, 2, 3, 4))
            reads = [self.read(known, self.in_training) for _ in range(count)]
            if operation == "sum":
                template = " + ".join(f"{{{at}}}" for at in range(count))
                over = draw.choice((-1, *range(count)))
        known.append(output)
        return Compute(operation, template, tuple(reads), output, over)

    def branch(self, known: list[int], depth: int) -> Step:
        flag = f"has_{len(self.flags)}"
        self.flags.append(flag)
        ways: list[tuple[tuple[Step, ...], int]] = []
        for _ in range(2):
            inner = [*known]
            steps = tuple(self.step(inner, depth + 1) for _ in range(self.random.choice((0, 1, 1, 2, 3))))
            ways.append((steps, self.read(inner, self.in_training)))
        output = self.value()
        known.append(output)
        return BranchStep(flag, ways[0][0], ways[1][0], ways[0][1], ways[1][1], output)

    def training(self, known: list[int], depth: int) -> Step:
        self.in_training = True
        inner = [*known]
        steps = tuple(self.step(inner, depth + 1) for _ in range(self.random.choice((1, 1, 2, 3))))
        self.in_training = False
        made = [value for value in inner if value not in known]
        tensors = [value for value in made if value not in self.sizes]
        self.absent.update(made)
        known += tensors
        return Training(steps, tuple(tensors))


def drawn(seed: int, is_plain: bool = False, has_rows: bool = False) -> Drawn:
    """Draws a `forward`. What would overwrite a value that is read later does not."""
    made = _Drawing(seed, is_plain, has_rows).forward()
    if _is_sound(made, is_over=True):
        return made
    made = replace(made, forward=_kept(made.forward), overwriting=frozenset())
    if not _is_sound(made, is_over=True):
        made = replace(made, forward=_kept(made.forward, is_over=False))
    return made


def _is_sound(made: Drawn, is_over: bool) -> bool:
    """Whether nothing is read that was overwritten."""
    try:
        for is_training in (False, True):
            for number in range(2 ** len(made.flags)):
                flags = {flag: bool(number >> at & 1) for at, flag in enumerate(made.flags)}
                StepRun(made.forward, lent(made.forward), made.machine(is_training, flags), is_over)
    except Wrong:
        return False
    return True


def lent(forward: Forward) -> list[Tensor]:
    """What the caller passes."""
    return [Tensor(-1 - at, Storage(0, is_lent=True)) for at in range(len(forward.inputs))]


def _kept(forward: Forward, is_over: bool = True) -> Forward:
    def keep(step: Step) -> Step:
        if isinstance(step, Apply):
            return replace(step, overwrites=False)
        if isinstance(step, Compute):
            return step if is_over else replace(step, over=-1)
        if isinstance(step, Training):
            return replace(step, steps=tuple(map(keep, step.steps)))
        return replace(step, then=tuple(map(keep, step.then)), otherwise=tuple(map(keep, step.otherwise)))

    return replace(forward, steps=tuple(map(keep, forward.steps)))
