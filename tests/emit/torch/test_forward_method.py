"""The statements of a `forward` do what its steps do, in their order, and need no more memory."""

from __future__ import annotations

import ast
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from cnndsl.emit.torch.forward_method import ForwardText, write
from cnndsl.emit.torch.ir import Apply, BranchStep, Compute, Forward, ForwardValue, Step, Training, key
from cnndsl.emit.torch.memory import ForwardMemory
from cnndsl.emit.torch.statements import Suite
from cnndsl.emit.torch.steps import made_by, used_by
from tests.emit.torch.following import Machine, Run, Storage, Tensor, Wrong, run_text, text_lines
from tests.emit.torch.forwards import Drawn, drawn, lent
from tests.emit.torch.stepping import StepRun


class Costs:
    """What values and children take, as given; nothing is known of other children."""

    places = 1

    def __init__(self, sizes: Mapping[int, int], extra: Mapping[str, int]) -> None:
        self.sizes, self.children = sizes, extra

    def size(self, value: int) -> tuple[int, ...]:
        return (self.sizes.get(value, 0),)

    def extra(self, step: Apply, workspace: bool) -> tuple[int, ...] | None:
        most = self.children.get(step.child)
        return None if most is None else (most,)


class Calls:
    """How children are called, and which are worth a line."""

    def __init__(
        self,
        heavy: frozenset[str] = frozenset(),
        stages: frozenset[str] = frozenset(),
        rows: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.heavy, self.stages, self.rows = heavy, stages, rows or {}

    def text(self, child: str) -> str:
        return f"self.{child}"

    def is_heavy(self, child: str) -> bool:
        return child in self.heavy

    def is_stage(self, child: str) -> bool:
        return child in self.stages

    def takes_list(self, child: str) -> bool:
        return False

    def walk(self, child: str) -> tuple[str, ...]:
        return next((tuple(row) for row in self.rows.values() if row[0] == child), ())

    def over(self, child: str) -> str:
        return next(f"self.{name}" for name, row in self.rows.items() if row[0] == child)


def written(made: Drawn, costs: Costs, record_name: str = "") -> ForwardText:
    calls = Calls(made.heavy, made.stages, made.rows)
    return write(made.forward, ForwardMemory(made.forward, costs), calls, record_name)


def compare(made: Drawn, text: ForwardText, machine: Machine) -> None:
    """Asserts that the text calls what the steps call, on the same values, in their order, and returns the same."""
    steps = StepRun(made.forward, lent(made.forward), machine, is_over=False)
    run = run_text(text, lent(made.forward), machine)
    assert run.calls == steps.run.calls
    wanted = [None if each is None else each.term for each in steps.results]
    returned = [None if each is None else each.term for each in run.returned or ()]
    is_plain = text.returns.startswith("Tensor | ") and not machine.is_training
    assert returned == (wanted[:1] if is_plain else wanted)


@pytest.mark.parametrize("start", range(0, 6000, 1000))
def test_the_text_does_what_the_steps_do(start: int) -> None:
    for seed in range(start, start + 1000):
        made, draw = drawn(seed, is_plain=seed % 3 == 0), random.Random(seed)
        sizes = {value: draw.randint(1, 20) for value in range(len(made.forward.values))}
        extra = {child: draw.randint(1, 40) for child in made.results if draw.random() < 0.5}
        record_name = draw.choice(("", "Output")) if len(made.forward.results) > 1 else ""
        text = written(made, Costs(sizes, extra), record_name)
        for is_training in (False, True):
            for _ in range(min(2 ** len(made.flags), 6)):
                flags = {flag: draw.random() < 0.5 for flag in made.flags}
                compare(made, text, made.machine(is_training, flags))


@pytest.mark.parametrize("start", range(0, 3000, 1000))
def test_the_text_needs_no_more_memory_than_the_steps(start: int) -> None:
    assert sum(needs_no_more(seed) for seed in range(start, start + 1000)) > 300


def needs_no_more(seed: int, has_rows: bool = False) -> bool:
    """Asserts it for one `forward` all of whose values are used; False says that this is none."""
    made = without_idle_steps(drawn(seed, is_plain=True, has_rows=has_rows))
    forward, machine, draw = made.forward, made.machine(is_training=False, flags={}), random.Random(seed)
    used = {*forward.results, *(value for step in forward.steps for value in used_by(step))}
    if any(value not in used for step in forward.steps for value in made_by(step)):
        return False
    try:
        first = StepRun(forward, lent(forward), machine, is_over=True)
    except Wrong:
        return False
    sizes = sizes_of(first.values, machine, draw)
    for step in forward.steps:
        if isinstance(step, Apply):
            most = sum(sizes[value] for value in step.outputs) + draw.choice((0, 0, 5))
            machine.extra = {**machine.extra, step.child: max(machine.extra[step.child], most)}
    least = StepRun(forward, lent(forward), machine, is_over=True).run.peak
    memory = ForwardMemory(forward, Costs(sizes, machine.extra))
    text = write(forward, memory, Calls(made.heavy, made.stages, made.rows))
    assert memory.extra(workspace=False) == (least,)
    assert run_text(text, lent(forward), machine).peak <= least
    return True


@pytest.mark.parametrize("start", range(0, 3000, 1000))
def test_loops_do_what_the_steps_do(start: int) -> None:
    loops = 0
    for seed in range(start, start + 1000):
        made, draw = drawn(seed, is_plain=seed % 3 == 0, has_rows=True), random.Random(seed)
        sizes = {value: draw.randint(1, 20) for value in range(len(made.forward.values))}
        extra = {child: draw.randint(1, 40) for child in made.results if draw.random() < 0.5}
        text = written(made, Costs(sizes, extra))
        loops += any(isinstance(each, Suite) and each.lead.startswith("for ") for each in text.body)
        for is_training in (False, True):
            for _ in range(min(2 ** len(made.flags), 4)):
                flags = {flag: draw.random() < 0.5 for flag in made.flags}
                compare(made, text, made.machine(is_training, flags))
    assert loops > 200


@pytest.mark.parametrize("start", range(0, 3000, 1000))
def test_loops_need_no_more_memory_than_the_steps(start: int) -> None:
    assert sum(needs_no_more(seed, has_rows=True) for seed in range(start, start + 1000)) > 100


def without_idle_steps(made: Drawn) -> Drawn:
    """Leaves out the steps that nothing comes of, and sums that are written over an operand."""
    wanted, kept = set(made.forward.results), list[Step]()
    for step in reversed(made.forward.steps):
        if wanted.intersection(made_by(step)):
            wanted.update(used_by(step))
            kept.append(replace(step, over=-1) if isinstance(step, Compute) else step)
    return replace(made, forward=replace(made.forward, steps=tuple(kept[::-1])))


def sizes_of(values: Mapping[int, Tensor | None], machine: Machine, draw: random.Random) -> dict[int, int]:
    """Draws a size for each memory, and tells the machine the size of each term."""
    by_storage: dict[Storage, int] = {}
    sizes: dict[int, int] = {}
    for value, tensor in sorted(values.items()):
        if tensor is None or tensor.storage is None or tensor.storage.is_lent:
            sizes[value] = 0
            continue
        size = machine.sizes.get(tensor.term, draw.randint(1, 20))
        sizes[value] = machine.sizes[tensor.term] = by_storage.setdefault(tensor.storage, size)
    return sizes


# What is written for some


def shown(
    steps: tuple[Step, ...],
    results: tuple[int, ...],
    names: tuple[str, ...],
    inputs: tuple[int, ...] = (0,),
    training: frozenset[int] = frozenset(),
    costs: Costs | None = None,
    record_name: str = "",
) -> str:
    """Writes the steps, checks the text, and returns its lines."""
    values = tuple(ForwardValue((key(at),), name) for at, name in enumerate(names))
    forward = Forward(values, inputs, steps, results, main=0, training=training)
    inner = [each for step in steps for each in (step.steps if isinstance(step, Training) else (step,))]
    inner += [each for step in steps if isinstance(step, BranchStep) for each in (*step.then, *step.otherwise)]
    calls = [step for step in inner if isinstance(step, Apply)]
    flags = tuple(step.flag for step in (*steps, *inner) if isinstance(step, BranchStep))
    over = frozenset(step.child for step in calls if step.overwrites)
    made = Drawn(forward, {step.child: len(step.outputs) for step in calls}, over, flags=flags)
    text = written(made, costs or Costs({}, {step.child: 0 for step in calls}), record_name)
    for is_training in (False, True):
        for holds in (False, True):
            compare(made, text, made.machine(is_training, dict.fromkeys(flags, holds)))
    return "\n".join(text_lines(text.body, 0))


def test_a_residual_is_added_in_place() -> None:
    steps = (
        Apply("conv", (0,), (1,)),
        Apply("bn", (1,), (2,)),
        Compute("sum", "{0} + {1}", (2, 0), 3, over=0),
        Apply("relu", (3,), (4,), overwrites=True),
    )
    assert shown(steps, (4,), ("", "", "", "", "")) == "y = self.bn(self.conv(x))\ny += x\nreturn self.relu(y)"


def test_what_waits_is_called_before_a_sum_in_place() -> None:
    steps = (
        Compute("product", "{0} * {1}", (0, 0), 1),
        Apply("pool", (0,), (2, 3)),
        Apply("first", (2,), (4,)),
        Apply("second", (3,), (5,)),
        Compute("sum", "{0} + {1}", (5, 1), 6, over=1),
    )
    assert shown(steps, (6, 4), ("", "", "", "indices", "", "", "")).splitlines() == [
        "y = x * x",
        "x, indices = self.pool(x)",
        "x = self.first(x)",
        "y += self.second(indices)",
        "return y, x",
    ]


def test_a_sum_is_not_written_over_what_the_caller_passed() -> None:
    steps = (Apply("conv", (0,), (1,)), Compute("sum", "{0} + {1}", (0, 1), 2, over=0))
    assert shown(steps, (2,), ("", "", "")) == "return x + self.conv(x)"


def test_a_sum_is_not_written_over_what_is_read_later() -> None:
    steps = (
        Apply("a", (0,), (1,)),
        Apply("b", (1,), (2,)),
        Compute("sum", "{0} + {1}", (1, 2), 3, over=0),
        Compute("product", "{0} * {1}", (1, 3), 4),
    )
    assert "+=" not in shown(steps, (4,), ("",) * 5)


def test_several_results_do_not_take_the_name_of_what_waits() -> None:
    steps = (
        Apply("conv", (0,), (1,)),
        Apply("pool", (0,), (2, 3)),
        Apply("unpool", (2, 3), (4,)),
        Compute("sum", "{0} + {1}", (1, 4), 5, over=0),
    )
    text = shown(steps, (5,), ("", "", "", "indices", "", ""))
    assert text == "y = self.conv(x)\nx, indices = self.pool(x)\ny += self.unpool(x, indices)\nreturn y"


def test_a_branch_ends_with_one_name() -> None:
    steps = (
        BranchStep("down", (Apply("downsample", (0,), (1,)),), (), chosen=1, other=0, output=2),
        Apply("conv", (2,), (3,)),
    )
    assert shown(steps, (3,), ("",) * 4) == "if self.down:\n    x = self.downsample(x)\nreturn self.conv(x)"


def test_training_gives_none_in_evaluation() -> None:
    steps = (
        Apply("stem", (0,), (1,)),
        Training((Apply("aux", (1,), (2,)),), (2,)),
        Apply("fc", (1,), (3,)),
    )
    text = shown(steps, (3, 2), ("", "", "t", ""), training=frozenset({2}), record_name="Output")
    assert text.splitlines() == [
        "x = self.stem(x)",
        "t = self.aux(x) if self.training else None",
        "x = self.fc(x)",
        "if self.training:",
        "    return Output(x, t)",
        "return x",
    ]


def test_several_outputs_of_training_get_their_names_at_once() -> None:
    steps = (Training((Apply("a", (0,), (1,)), Apply("b", (1,), (2,))), (1, 2)), Apply("fc", (0,), (3,)))
    text = shown(steps, (3, 1, 2), ("", "t", "t", ""), training=frozenset({1, 2}))
    assert text.splitlines() == [
        "t: Tensor | None = None",
        "t2: Tensor | None = None",
        "if self.training:",
        "    t = self.a(x)",
        "    t2 = self.b(t)",
        "return self.fc(x), t, t2",
    ]


def test_training_without_statements_is_not_written() -> None:
    nothing = BranchStep("has", (), (), chosen=0, other=0, output=2)
    assert shown((Apply("fc", (0,), (1,)), Training((nothing,), ())), (1,), ("", "", "")) in (
        "x = self.fc(x)\nreturn x",
        "y = self.fc(x)\nreturn y",
    )


def test_a_size_keeps_nothing_alive() -> None:
    steps = (
        Apply("a", (0,), (1,)),
        Compute("size", "list({0}.shape[2:])", (1,), 2),
        Apply("b", (1,), (3,)),
        Apply("c", (3,), (4,)),
        Apply("up", (4, 2), (5,)),
    )
    costs = Costs({1: 9, 3: 1, 4: 9, 5: 9}, {"a": 9, "b": 1, "c": 9, "up": 9})
    text = shown(steps, (5,), ("", "", "size", "", "", ""), costs=costs)
    assert text.splitlines()[:2] == ["x = self.a(x)", "size = list(x.shape[2:])"]


def test_a_name_that_would_cost_memory_is_given_to_what_ends_with_it() -> None:
    steps = (
        Apply("squeeze", (0,), (1,)),
        Apply("left", (1,), (2,)),
        Apply("right", (1,), (3,)),
        Compute("concat", "torch.cat([{inputs}], 1)", (2, 3), 4),
    )
    costs = Costs({1: 2, 2: 8, 3: 8, 4: 16}, {"squeeze": 2, "left": 8, "right": 8})
    text = shown(steps, (4,), ("", "relu1", "", "", ""), costs=costs)
    assert text.splitlines() == [
        "relu1 = self.squeeze(x)",
        "x = self.left(relu1)",
        "relu1 = self.right(relu1)",
        "return torch.cat([x, relu1], 1)",
    ]


# The checker sees what is wrong


WRONG = {
    "a name that was deleted": "y = self.a(x)\ndel y\nreturn y",
    "a name before its value": "y = self.a(z)\nreturn y",
    "overwritten, then read": "y = self.a(x)\nz = self.relu(y)\nreturn y * z",
    "the caller's": "x += self.a(x)\nreturn x",
    "no result": "y = self.a(x)",
    "a statement that nobody reaches": "return x\ny = self.a(x)",
}


@pytest.mark.parametrize("text", WRONG.values(), ids=WRONG.keys())
def test_the_checker_refuses(text: str) -> None:
    run = Run(Machine(frozenset({"relu"}), {"a": 1, "relu": 1}, {"a": 0, "relu": 0}, is_training=True, flags={}))
    run.names = {"x": Tensor(-1, Storage(0, is_lent=True))}

    def follow() -> None:
        run.block(ast.parse(text).body)
        if run.returned is None:
            raise Wrong("nothing is returned")

    with pytest.raises(Wrong):
        follow()
