"""Apply the questions of one elaboration to other inputs, to find what it would compute for them.

A shape is a number here, and a layer's output for given numbers is looked up, so that an input takes a microsecond for
each layer. Nothing is assumed about layer types: each is asked for its own shape rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, TypeAlias

from cnndsl.elaborate.shape_log import ShapeLog, ShapeQuestion
from cnndsl.layers.base import Layer, LayerError
from cnndsl.layers.facts import Tensor
from cnndsl.layers.infer import fits, infer
from cnndsl.records import record
from cnndsl.shape import Shape

InputVerdict: TypeAlias = Literal["works", "fails", "open"]
ShapeNumbers: TypeAlias = list[int]
"""For each question the number of the shape that its layer returns; negative if the layer rejects its inputs."""
EnteringKey: TypeAlias = "int | tuple[int, ...]"
"""The input of a layer: a number, or several for one with several inputs."""
ShapeTable: TypeAlias = dict[EnteringKey, int]
"""The output of a layer for each of its inputs."""
AskStep: TypeAlias = Callable[[ShapeNumbers], InputVerdict | None]


@record(slots=True)
class Replayed:
    """The result for an input: `works` if the same layers are made, `fails` at question `at` if they are made up to
    that one, and `open` if an answer differs that determines which layers are made."""

    verdict: InputVerdict
    at: int
    shapes: ShapeNumbers


class ShapeReplay:
    """The questions of one elaboration. With `fixes_channels` its program reads the channels of a value, so that
    nothing is known about inputs with other channels."""

    def __init__(self, log: ShapeLog, *, fixes_channels: bool) -> None:
        self.questions: Sequence[ShapeQuestion] = tuple(log.questions)
        self.nodes: Sequence[int] = tuple(log.nodes)
        self._fixes_channels = fixes_channels
        self._shapes: list[Shape] = []
        self._errors: list[LayerError] = []
        self._numbers: dict[Shape, int] = {}
        self._kinds: dict[tuple[Tensor, ...], int] = {}
        self._tables: dict[int, ShapeTable] = {}
        self._inputs = [at for at, each in enumerate(self.questions) if each.kind == "made" and not each.inputs]
        self._steps = [self._step(at, each) for at, each in enumerate(self.questions)]
        tables: dict[int, ShapeTable] = {}
        weighted = [at for at in self.nodes if self._has_weights(self.questions[at])]
        self._weighted = [
            (at, tables.setdefault(id(self.questions[at].layer), dict[EnteringKey, int]())) for at in weighted
        ]

    @property
    def weighted(self) -> Sequence[int]:
        """Return the questions whose layers have weights."""
        return [at for at, _ in self._weighted]

    def __call__(self, entering: Sequence[Shape]) -> Replayed:
        """Return the result for inputs of these shapes, in the order of the network's inputs."""
        shapes = [0] * len(self._steps)
        for at, shape in zip(self._inputs, entering, strict=False):
            shapes[at] = self._numbered(shape)
        for at, step in enumerate(self._steps):
            verdict = step(shapes)
            if verdict is not None:
                return Replayed(verdict, at, shapes)
        return Replayed("works", len(shapes), shapes)

    def numbered(self, number: int) -> Shape:
        """Return the shape that has this number."""
        return self._shapes[number]

    def entering(self, replayed: Replayed, at: int) -> tuple[Shape, ...]:
        """Return the input shapes of question `at`."""
        return tuple([self._shapes[replayed.shapes[each]] for each in self.questions[at].inputs])

    def error(self, replayed: Replayed) -> LayerError | None:
        """Return the error of the layer that fails; None if it cannot be applied again."""
        made = replayed.shapes[replayed.at]
        return self._errors[-1 - made] if made < 0 else None

    def weights(self, replayed: Replayed) -> tuple[int, ...]:
        """Return a number for the tensors of each layer that has any: the same for tensors of the same shapes."""
        found: list[int] = []
        for at, table in self._weighted:
            inputs = self.questions[at].inputs
            key = replayed.shapes[inputs[0]] if len(inputs) == 1 else tuple([replayed.shapes[each] for each in inputs])
            number = table.get(key)
            if number is None:
                number = self._kinds.setdefault(self.tensors(replayed, at), len(self._kinds))
                table[key] = number
            found.append(number)
        return tuple(found)

    def tensors(self, replayed: Replayed, at: int) -> tuple[Tensor, ...]:
        """Return the tensors in weight files of the layer of question `at`; empty for an input."""
        shapes = self.entering(replayed, at)
        tensors = self.questions[at].layer.tensors(*shapes) if shapes else ()
        return tuple([each for each in tensors if each.persistent])

    def _has_weights(self, question: ShapeQuestion) -> bool:
        shapes = [self.questions[each].shape for each in question.inputs]
        return bool(question.layer.tensors(*[each for each in shapes if each is not None])) if shapes else False

    def _numbered(self, shape: Shape) -> int:
        number = self._numbers.get(shape)
        if number is None:
            number = self._numbers[shape] = len(self._shapes)
            self._shapes.append(shape)
        return number

    # Each kind of question

    def _step(self, at: int, question: ShapeQuestion) -> AskStep:
        if question.kind == "fits":
            return partial(self._fits, question)
        if question.kind == "same":
            return partial(self._same, question)
        if not question.inputs:
            return lambda _: None
        table = self._tables.setdefault(id(question.layer), dict[EnteringKey, int]())
        if _refers(question):
            target = self.questions[question.inputs[1]]
            return self._layer(at, question, {}, (*question.inputs, *target.inputs))
        return self._layer(at, question, table, question.inputs)

    def _layer(self, at: int, question: ShapeQuestion, table: ShapeTable, reads: tuple[int, ...]) -> AskStep:
        """Return the output of a layer, applied to the shapes of the questions `reads`."""
        first, is_single = reads[0], len(reads) == 1
        is_plain = question.kind == "made" and not self._fixes_channels

        def step(shapes: ShapeNumbers) -> InputVerdict | None:
            key = shapes[first] if is_single else tuple([shapes[each] for each in reads])
            made = table.get(key)
            if made is None:
                made = table[key] = self._made(question, key if isinstance(key, tuple) else (key,))
            shapes[at] = made
            return None if is_plain and made >= 0 else self._judged(question, made)

        return step

    def _judged(self, question: ShapeQuestion, made: int) -> InputVerdict | None:
        """Return the result if a layer returns a shape, or rejects its inputs."""
        if made < 0:
            if question.is_trial:
                return None if question.kind == "refused" else "open"
            return "fails"
        if question.kind == "refused" or (
            self._fixes_channels and question.shape and self._shapes[made].channels != question.shape.channels
        ):
            return "open"
        return None

    def _made(self, question: ShapeQuestion, key: tuple[int, ...]) -> int:
        entering = [self._shapes[each] for each in key]
        try:
            layer = self._referring(question, entering[len(question.inputs) :])
            return self._numbered(infer(layer, entering[: len(question.inputs)]))
        except LayerError as stop:
            self._errors.append(stop)
            return -len(self._errors)

    def _referring(self, question: ShapeQuestion, entering: Sequence[Shape]) -> Layer:
        """Return the layer, adapted to the input shapes of the layer that its options refer to."""
        return (
            question.layer.referring(self.questions[question.inputs[1]].layer, *entering)
            if entering
            else question.layer
        )

    def _fits(self, question: ShapeQuestion, shapes: ShapeNumbers) -> InputVerdict | None:
        choice, target = (self._shapes[shapes[each]] for each in question.inputs)
        return None if fits(question.layer, choice, target) == question.answer else "open"

    def _same(self, question: ShapeQuestion, shapes: ShapeNumbers) -> InputVerdict | None:
        """Return None if a layer is still the same module in both applications, with weights of the same shapes;
        otherwise the verdict."""
        first, again = (self._applied(self.questions[each], shapes) for each in question.inputs)
        answer = first == again or (first[0] == again[0] and _is_one_module(first[0], first[1], again[1]))
        if answer == question.answer and answer:
            return None
        return "fails" if not answer and not question.is_trial else "open"

    def _applied(self, question: ShapeQuestion, shapes: ShapeNumbers) -> tuple[Layer, list[Shape]]:
        """Return a layer and its input."""
        reads = [self._shapes[shapes[each]] for each in question.inputs]
        if not _refers(question):
            return question.layer, reads
        target = self.questions[question.inputs[1]]
        return self._referring(question, [self._shapes[shapes[each]] for each in target.inputs]), reads


def _refers(question: ShapeQuestion) -> bool:
    """Return whether a layer reads the input of the layer that its options refer to."""
    return bool(question.references) and type(question.layer).referring is not Layer.referring


def _is_one_module(layer: Layer, first: Sequence[Shape], again: Sequence[Shape]) -> bool:
    tensors = [[(each.name, each.shape) for each in layer.tensors(*shapes)] for shapes in (first, again)]
    return tensors[0] == tensors[1] and layer.torch(*first) == layer.torch(*again)
