"""What an elaboration asks about shapes, with the answers, so that the same questions can be asked for other inputs.

Apart from names such as `H` in expressions, an elaboration depends on the extents of its inputs in four ways: whether
the layers take what enters them, what `out=@x` and UNPOOL read of another map, which choice of an `ID or X` fits, and
whether `again` finds the same part. A log has these questions in order. Where all answers are the same for other
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

    `made` is a layer that took its inputs and gave `shape`, and `refused` one that did not take them. `fits` is a
    choice and what it has to fit, merged by `layer`, and `same` a layer and another application of it; `answer` says
    whether they do. A question in a `trial` is about what an `or` tried out; its layers are not in the network.
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
        """The values that the options of a layer refer to, as `out=@x` does."""
        return () if self.layer.ROLE == "merge" else self.inputs[1:]


class ShapeLog:
    """The questions of one elaboration up to its first error, and the files that it read."""

    def __init__(self) -> None:
        self.questions: list[ShapeQuestion] = []
        self.sources: Sequence[Source] = ()
        self.error: Diagnostic | None = None
        """The first error. The last question says why where the shape rule does; then it is `refused` or not `same`."""
        self._trials = 0
        self._numbers: list[int] = []
        self._is_closed = False

    @property
    def nodes(self) -> Sequence[int]:
        """For each node of the network the number of the question that made it."""
        return self._numbers

    @property
    def is_about_shapes(self) -> bool:
        """Whether the first error is one of the shape rule, which other inputs may not have."""
        last = self.questions[-1] if self.questions else None
        return self.error is not None and last is not None and not last.is_trial and self._is_negative(last)

    @staticmethod
    def _is_negative(question: ShapeQuestion) -> bool:
        return question.kind == "refused" or (question.kind == "same" and not question.answer)

    @contextmanager
    def trial(self) -> Generator[None]:
        """Take the questions inside for those of a trial."""
        self._trials += 1
        try:
            yield
        finally:
            self._trials -= 1

    def number(self, node: int) -> int:
        """Return the question that made a node; one that was just taken back is still known. After the first error
        none is."""
        return -1 if self._is_closed else self._numbers[node]

    def made(self, at: int, layer: Layer, inputs: Sequence[int], shape: Shape, span: Span) -> None:
        """Note that node `at` was made, of the nodes `inputs`. What was taken back before ends where this begins."""
        del self._numbers[at:]
        if self._ask("made", layer, inputs, shape, span):
            self._numbers.append(len(self.questions) - 1)

    def refused(self, layer: Layer, inputs: Sequence[int]) -> None:
        """Note that a layer does not take the values of these nodes: an error, unless this is a trial."""
        self._ask("refused", layer, inputs)
        self._is_closed = self._is_closed or not self._trials

    def fits(self, layer: Layer, choice: int, target: int, answer: bool) -> None:
        """Note whether a choice fits a merge with the value of `target`; both are numbers of questions."""
        if not self._is_closed:
            self.questions.append(
                ShapeQuestion("fits", layer, (choice, target), None, None, bool(self._trials), answer)
            )

    def same(self, first: int, again: int, layer: Layer, answer: bool) -> None:
        """Note whether a node is another application of the first one: an error where it is not."""
        self._ask("same", layer, (first, again), answer=answer)
        self._is_closed = self._is_closed or not (answer or self._trials)

    def failed(self, error: Diagnostic) -> None:
        """Note an error: the log ends with the first one outside of trials."""
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
    """Return the questions of a graph that was not made from a program: about its layers alone."""
    log = ShapeLog()
    for node in graph:
        log.made(node.index, node.layer, node.inputs, node.shape, node.span)
        if node.weights_of >= 0:
            log.same(node.weights_of, node.index, node.layer, answer=True)
    return log
