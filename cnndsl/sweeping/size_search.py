"""Find the inputs with which a program compiles, with few elaborations; their questions answer for the other inputs.

Each elaboration is applied to every input for which nothing is known (`replay`). Inputs that it cannot answer, since
other layers would be made, are elaborated, and so on. So each input is either elaborated, or was answered by an
elaboration that makes the same layers of it. Names of extents such as `H` may be used anywhere in a program: if one is,
each input is elaborated.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from ntpath import basename
from typing import TypeAlias

from cnndsl.elaborate.inputs import INPUT, input_settings
from cnndsl.elaborate.parameters import parameters
from cnndsl.elaborate.program import Find, elaborate, elaborated_part
from cnndsl.elaborate.shape_log import ShapeLog, log_of
from cnndsl.errors import CnnError, Diagnostic, Source, Span
from cnndsl.graph import Graph
from cnndsl.records import record
from cnndsl.shape import Shape
from cnndsl.sweeping.replay import Replayed, ShapeReplay
from cnndsl.syntax import ast
from cnndsl.syntax.parse import parse
from cnndsl.values import Value

InputExtents: TypeAlias = tuple[int, ...]
"""The extents of the inputs that vary."""
SizeProgress: TypeAlias = Callable[[int, int], None]
"""Called with the number of known inputs, and of all inputs, after each elaboration."""
PlaceKey: TypeAlias = "tuple[object, ...]"

_MOST_USELESS = 8
"""After this many consecutive elaborations that answer for no other input, no more are applied to others."""


@record(slots=True)
class Outcome:
    """The result for one input: the shape of the network's output and a number for its weights, the same for weights of
    the same names and shapes; or the location of the failure."""

    output: Shape | None = None
    weights: int = -1
    place: PlaceKey = ()

    @property
    def works(self) -> bool:
        """Return whether the program compiles with the input."""
        return self.output is not None


@record(slots=True)
class Attempt:
    """One elaboration: its number, its graph or its errors, its questions, and a replay of them if possible."""

    number: int
    graph: Graph | None
    errors: Sequence[Diagnostic]
    log: ShapeLog
    replay: ShapeReplay | None


@record(slots=True)
class KnownInput:
    """The result for an input according to the replay of the elaboration of a network."""

    graph: Graph
    replay: ShapeReplay
    found: Replayed


class SizeSearch:
    """The inputs of one program. `varied` are the numbers of the inputs whose extents vary, `entering` the shapes of
    all of them as they are written."""

    def __init__(
        self,
        file: ast.File | None,
        settings: Mapping[str, Value],
        find: Find,
        graph: Graph | None = None,
        of: str | None = None,
        progress: SizeProgress | None = None,
    ) -> None:
        """Begin with the inputs as they are written. Without a `file` only the `graph` is used. The input called `of`
        varies; without a name, all that are as large as the first one that has axes. Raises CnnError if the inputs are
        not known, ValueError if no input has the name, or none can vary."""
        if file is not None and any(each.name == INPUT for each in parameters(file)):
            raise ValueError("the network has a parameter called `input`, so that nothing else can say what enters")
        self._file, self._settings, self._find, self._progress = file, settings, find, progress
        self._names = input_settings(file) if file is not None else ()
        self.outcomes: dict[InputExtents, Outcome] = {}
        self.elaborations = 0
        self.names_axis: Span | None = None
        """The first location at which the program names an extent."""
        self._useless = 0
        self._weights: dict[object, int] = {}
        self._known_weights: dict[tuple[int, tuple[int, ...]], int] = {}
        self.first = self._attempt({}) if file is not None else _of_graph(graph)
        made = [each for each in self.first.log.questions if each.kind == "made" and not each.inputs]
        self.entering = tuple([each.shape for each in made if each.shape is not None])
        if file is not None and (len(self.entering) < len(self._names) or not self.entering):
            raise CnnError(self.first.errors)
        self.input_names = self._input_names(graph)
        self.varied = self._alike() if of is None else self._called(of)
        self.base = self.written
        """The input that others are compared with: one that works, once it is known."""
        self.attempts = [self.first] if self.first.replay is not None else []

    def _alike(self) -> tuple[int, ...]:
        """Return the inputs as large as the first one that has axes."""
        maps = [each.spatial for each in self.entering if each.rank]
        return tuple(at for at, each in enumerate(self.entering) if maps and each.spatial == maps[0])

    def _called(self, name: str) -> tuple[int, ...]:
        if name not in self.input_names:
            known = ", ".join(self.input_names) or "it has one without a name"
            raise ValueError(f"no input is called {name!r}: {known}")
        at = self.input_names.index(name)
        return (at,) if self.entering[at].rank else ()

    def _input_names(self, graph: Graph | None) -> tuple[str, ...]:
        """Return the names of the inputs; empty if one of them has no name."""
        if self._file is None:
            return graph.input_names if graph is not None else ()
        named = [name.partition(".")[2] for name in self._names]
        return tuple(named) if all(named) else ()

    @property
    def written(self) -> InputExtents:
        """Return the extents as they are written."""
        return self.entering[self.varied[0]].spatial if self.varied else ()

    @property
    def title(self) -> str:
        """Return the name of the network, or of its file if it has none."""
        if self._file is None:
            return self.first.graph.title if self.first.graph is not None else ""
        net = next((each for each in self._file.statements if isinstance(each, ast.Net)), None)
        return net.name if net is not None else basename(self._file.source.name).removesuffix(".cnn").strip("<>")

    @property
    def can_elaborate(self) -> bool:
        """Return whether there is a program; for a graph that was made in another way there are only its questions."""
        return self._file is not None

    @property
    def is_replayed(self) -> bool:
        """Return whether elaborations can be applied to other inputs."""
        return self.names_axis is None and self._useless < _MOST_USELESS

    def shapes(self, point: InputExtents) -> tuple[Shape, ...]:
        """Return the shapes of all inputs, with other extents of those that vary."""
        return tuple(
            Shape(each.channels, point) if at in self.varied else each for at, each in enumerate(self.entering)
        )

    def solve(self, points: Iterable[InputExtents]) -> None:
        """Compute the results for all these inputs."""
        pending = [each for each in dict.fromkeys(points) if each not in self.outcomes]
        if self.written in pending and not self.outcomes:
            self.outcomes[self.written] = self._outcome(self.first, self.written)
            pending.remove(self.written)
        for attempt in self._working_first():
            pending = self._ask(attempt, pending)
        total = len(self.outcomes) + len(pending)
        pending.sort(key=self.distance)
        while pending:
            point = pending.pop(0)
            attempt = self.attempt(point)
            self.outcomes[point] = self._outcome(attempt, point)
            if self._progress is not None:
                self._progress(total - len(pending), total)
            if attempt.replay is not None and self._useless < _MOST_USELESS:
                before = len(pending)
                pending = self._ask(attempt, pending)
                self._useless = 0 if len(pending) < before or not pending else self._useless + 1
                self.attempts.append(attempt)
        self._locate()

    def distance(self, point: InputExtents) -> tuple[int, InputExtents]:
        """Return how far an input is from the written one, to sort by."""
        return sum(abs(a - b) for a, b in zip(point, self.written, strict=True)), point

    def _working_first(self) -> list[Attempt]:
        return sorted(self.attempts, key=lambda each: each.graph is None)

    def attempt(self, point: InputExtents) -> Attempt:
        """Elaborate the program with an input."""
        return self._attempt(self._volumes(point))

    def path_of_failure(self, point: InputExtents) -> str:
        """Return the path of the layer at which an input fails; empty if another part fails."""
        assert self._file is not None
        errors = self.attempt(point).errors
        partial = elaborated_part(self._file, {**self._settings, **self._volumes(point)}, self._find, errors)
        failing = min(partial.failing, default=-1) if partial is not None else -1
        return partial.graph.nodes[failing].path if partial is not None and failing >= 0 else ""

    def _volumes(self, point: InputExtents) -> dict[str, Value]:
        return {self._names[at]: shape.hwc for at, shape in enumerate(self.shapes(point)) if at in self.varied}

    def replayed(self, point: InputExtents) -> KnownInput | None:
        """Return the result of a network that works for an input; None if no network makes the same layers of it."""
        for attempt in self.attempts:
            if attempt.replay is not None and attempt.graph is not None:
                found = attempt.replay(self.shapes(point))
                if found.verdict != "open":
                    return KnownInput(attempt.graph, attempt.replay, found)
        return None

    def _attempt(self, volumes: Mapping[str, Value]) -> Attempt:
        assert self._file is not None
        log = ShapeLog()
        self.elaborations += 1
        try:
            graph, errors = elaborate(self._file, {**self._settings, **volumes}, self._find, log), ()
        except CnnError as stop:
            graph, errors = None, stop.diagnostics
            for each in errors:
                log.failed(each)
        if self.names_axis is not None:
            return Attempt(self.elaborations, graph, errors, log, None)
        letters = {"C", *(axis for each in log.questions if each.shape for axis in "DHW"[3 - each.shape.rank :])}
        named = _names_in(log.sources, self._file, letters)
        self.names_axis = next((span for letter, span in named if letter != "C"), None)
        replay = ShapeReplay(log, fixes_channels=bool(named)) if self.names_axis is None else None
        return Attempt(self.elaborations, graph, errors, log, replay)

    def _ask(self, attempt: Attempt, points: Sequence[InputExtents]) -> list[InputExtents]:
        """Apply an elaboration to inputs; return those that it cannot answer."""
        replay, left = attempt.replay, list[InputExtents]()
        for point in points:
            found = replay(self.shapes(point)) if replay is not None else None
            outcome = self._answered(attempt, found) if found is not None else None
            if outcome is None:
                left.append(point)
            else:
                self.outcomes[point] = outcome
        return left

    def _answered(self, attempt: Attempt, found: Replayed) -> Outcome | None:
        replay, graph = attempt.replay, attempt.graph
        assert replay is not None
        if found.verdict == "fails":
            if graph is None:
                return Outcome(place=("question", attempt.number, found.at))
            return Outcome(place=("node", attempt.number, found.at))
        if found.verdict == "open" or (graph is None and attempt.log.is_about_shapes):
            return None
        if graph is None:
            return Outcome(place=_place_of(attempt.log.error))
        key = (attempt.number, replay.weights(found))
        if key not in self._known_weights:
            tensors = (replay.tensors(found, at) for at in replay.nodes)
            named = [(node, each) for node, each in zip(graph, tensors, strict=True) if node.weights_of < 0]
            entries = frozenset((t.entry(node.path), t.shape) for node, several in named for t in several)
            self._known_weights[key] = self._weights.setdefault(entries, len(self._weights))
        return Outcome(replay.numbered(found.shapes[replay.nodes[graph.output]]), self._known_weights[key])

    def _outcome(self, attempt: Attempt, point: InputExtents) -> Outcome:
        """Return the result for an input that was elaborated."""
        graph = attempt.graph
        if attempt.replay is not None:
            outcome = self._answered(attempt, attempt.replay(self.shapes(point)))
            assert outcome is not None, "an elaboration answers for itself"
            return outcome
        if graph is None:
            return Outcome(place=_place_of(attempt.log.error))
        tensors = ((node.path, each) for node in graph for each in graph.tensors(node))
        entries = frozenset((each.entry(path), each.shape) for path, each in tensors if each.persistent)
        return Outcome(graph.nodes[graph.output].shape, self._weights.setdefault(entries, len(self._weights)))

    def _locate(self) -> None:
        """Move failures that were found before any input worked to their locations in a network that works."""
        working = [each for each in self.attempts if each.graph is not None and each.replay is not None]
        if not working:
            return
        for point, outcome in self.outcomes.items():
            if outcome.works or outcome.place[:1] == ("node",):
                continue
            for attempt in working:
                assert attempt.replay is not None
                found = attempt.replay(self.shapes(point))
                if found.verdict == "fails":
                    self.outcomes[point] = Outcome(place=("node", attempt.number, found.at))
                    break


def _of_graph(graph: Graph | None) -> Attempt:
    assert graph is not None
    log = log_of(graph)
    return Attempt(0, graph, (), log, ShapeReplay(log, fixes_channels=False))


def _place_of(error: Diagnostic | None) -> PlaceKey:
    return ("error", error.code, error.span, error.context) if error is not None else ("error",)


def _names_in(sources: Sequence[Source], file: ast.File, letters: set[str]) -> list[tuple[str, Span]]:
    """Return the locations at which the files of a program name axes, except in assertions, which are about the written
    input."""
    found: list[tuple[str, Span]] = []
    for source in sources:
        statements = (file if source is file.source else parse(source)).statements
        asserts = [(each.span.start, each.span.end) for each in statements if isinstance(each, ast.Assert)]
        for match in re.finditer(r"#[^\n]*|\b[CHWD]\b", source.text):
            at, name = match.start(), match[0]
            if name in letters and not any(start <= at < end for start, end in asserts):
                found.append((name, Span(source, at, match.end())))
    return found
