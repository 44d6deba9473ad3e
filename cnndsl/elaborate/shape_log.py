"""A log of the shape questions of an elaboration, with the answers, so that they can be asked again for other inputs.

Apart from names such as `H` in expressions, an elaboration depends on the sizes of its inputs in four ways: whether
layers accept their inputs, the size that `out=@x` and UNPOOL read from another map, which choice of an `ID or X` fits,
and whether `again` finds the same part. A log has these questions in order. If all answers are the same for other
inputs, the elaboration makes the same layers. `cnndsl.sweeping.replay` asks them.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Literal, TypeAlias

from cnndsl.errors import Diagnostic, Source, Span
from cnndsl.graph import Graph
from cnndsl.layers.base import Layer
from cnndsl.records import record
from cnndsl.shape import Shape

QuestionKind: TypeAlias = Literal["made", "refused", "fits", "same"]


@record(slots=True)
class ShapeQuestion:
    """One question, about the values of earlier ones: `inputs` are their numbers in the log.

    `made` is a layer that accepted its inputs and output `shape`, and `refused` one that rejected them. `fits` is a
    choice and the value it has to fit, merged by `layer`, and `same` a layer and another application of it; `answer` is
    whether they do. A question in a trial is about elements that an `or` tried out; its layers are not in the network.
    """

    kind: QuestionKind
    layer: Layer
    inputs: tuple[int, ...]
    shape: Shape | None = None
    span: Span | None = None
    is_trial: bool = False
    answer: bool = True

    @property
    def references(self) -> tuple[int, ...]:
        """The values to which the options of a layer refer, as `out=@x` does."""
        return () if self.layer.ROLE == "merge" else self.inputs[1:]


class ShapeLog:
    """The questions of one elaboration up to its first error, and the files that it read."""

    def __init__(self) -> None:
        self.questions: list[ShapeQuestion] = []
        self.sources: Sequence[Source] = ()
        self.error: Diagnostic | None = None
        """The first error. If the shape rule caused it, the last question says why: it is `refused` or not `same`."""
        self._trials = 0
        self._numbers: list[int] = []
        self._is_closed = False

    @property
    def nodes(self) -> Sequence[int]:
        """For each node of the network, the number of the question that made it."""
        return self._numbers

    @property
    def is_about_shapes(self) -> bool:
        """Whether the first error comes from the shape rule, and so may not occur for other inputs."""
        last = self.questions[-1] if self.questions else None
        return self.error is not None and last is not None and not last.is_trial and self._is_negative(last)

    @staticmethod
    def _is_negative(question: ShapeQuestion) -> bool:
        return question.kind == "refused" or (question.kind == "same" and not question.answer)

    @contextmanager
    def trial(self) -> Generator[None]:
        """Mark the questions asked inside as a trial."""
        self._trials += 1
        try:
            yield
        finally:
            self._trials -= 1

    def number(self, node: int) -> int:
        """Return the question that made a node, even if it was just undone; -1 after the first error."""
        return -1 if self._is_closed else self._numbers[node]

    def made(self, at: int, layer: Layer, inputs: Sequence[int], shape: Shape, span: Span) -> None:
        """Record that node `at` was made from the nodes `inputs`. Nodes from `at` on were undone and are discarded."""
        del self._numbers[at:]
        if self._ask("made", layer, inputs, shape, span):
            self._numbers.append(len(self.questions) - 1)

    def refused(self, layer: Layer, inputs: Sequence[int]) -> None:
        """Record that a layer rejects the values of these nodes: an error, unless this is a trial."""
        self._ask("refused", layer, inputs)
        self._is_closed = self._is_closed or not self._trials

    def fits(self, layer: Layer, choice: int, target: int, answer: bool) -> None:
        """Record whether a choice fits a merge with the value of `target`; both are numbers of questions."""
        if not self._is_closed:
            self.questions.append(
                ShapeQuestion("fits", layer, (choice, target), None, None, bool(self._trials), answer)
            )

    def same(self, first: int, again: int, layer: Layer, answer: bool) -> None:
        """Record whether a node is another application of the first one: an error if it is not."""
        self._ask("same", layer, (first, again), answer=answer)
        self._is_closed = self._is_closed or not (answer or self._trials)

    def failed(self, error: Diagnostic) -> None:
        """Record an error: the log ends with the first one outside trials."""
        if not self._trials and self.error is None:
            self.error = error
            self._is_closed = True

    def _ask(
        self,
        kind: QuestionKind,
        layer: Layer,
        inputs: Sequence[int],
        shape: Shape | None = None,
        span: Span | None = None,
        answer: bool = True,
    ) -> bool:
        if self._is_closed:
            return False
        numbers = tuple(self._numbers[each] for each in inputs)
        self.questions.append(ShapeQuestion(kind, layer, numbers, shape, span, bool(self._trials), answer))
        return True


def log_of(graph: Graph) -> ShapeLog:
    """Return the questions of a graph that was not made from a program; they are only about its layers."""
    log = ShapeLog()
    for node in graph:
        log.made(node.index, node.layer, node.inputs, node.shape, node.span)
        if node.weights_of >= 0:
            log.same(node.weights_of, node.index, node.layer, answer=True)
    return log
