"""Keys that group the calls of a block that may share a class, from the coarsest to the finest."""

from __future__ import annotations

from collections.abc import Mapping

from cnndsl.emit.torch.ir import key
from cnndsl.emit.torch.part_queries import Borders, child_name
from cnndsl.graph import CallPart, ChoicePart, LayerPart, LoopPart, Part, inner_parts, nodes_of, output
from cnndsl.layers.base import TorchCall


class CallKinds:
    """The grouping keys of the calls of one graph. `first` maps a path of weights to the call that applied it first."""

    def __init__(self, borders: Borders, first: Mapping[str, CallPart]) -> None:
        self.borders, self.graph, self._first = borders, borders.graph, first

    def written(self, call: CallPart) -> object:
        """Return a key that is equal for calls that differ only in the number of iterations of their repeats and in the
        branch of an `either` that they take."""
        made: list[object] = []
        stack: list[Part] = [call.body]
        while stack:
            part = stack.pop()
            if isinstance(part, LayerPart):
                made.append(_head(self.borders.made(part.node)))
            elif isinstance(part, CallPart):
                made.append(part.block)
            elif isinstance(part, LoopPart):
                made.append(part.span.start)
            elif isinstance(part, ChoicePart):
                made.append((part.span.start, part.taken if part.kind != "either" else 0))
                stack.extend(inner_parts(part) if part.kind != "either" else ())
            else:
                stack.extend(reversed(inner_parts(part)))
        return tuple(made)

    def signature(self, call: CallPart) -> object:
        """Return a key that is equal for calls that can share a class: their layers and the names of these."""
        call = self._first[weights_of(call)]
        nodes = [(at, self.graph.nodes[at].path) for at in nodes_of(call.body)]
        return tuple((child_name(path, call.path), _head(self.borders.made(at))) for at, path in nodes)

    def wiring(self, call: CallPart) -> object:
        """Return the signature of a call together with the values that each of its layers reads."""
        call = self._first[weights_of(call)]
        known = {key(call.entry): 0}
        made: list[tuple[int, ...]] = []
        for at in nodes_of(call.body):
            made.append(tuple(known.setdefault(read, len(known)) for read in self.borders.reads(at)))
            known[key(at)] = len(known)
        return self.signature(call), tuple(made), known.get(key(output(call.body, call.entry)))

    def identity(self, call: CallPart) -> object:
        """Return a key that is equal for calls that do the same: their wiring, arguments and input shape."""
        call = self._first[weights_of(call)]
        return self.wiring(call), tuple(map(str, call.arguments)), self.graph.nodes[call.entry].shape


def weights_of(call: CallPart) -> str:
    """Return the path of the weights of a call: applications of one part share them."""
    return ".".join(each.partition("@")[0] for each in call.path.split("."))


def _head(made: object) -> str:
    """Return the name of what a layer becomes in PyTorch."""
    return made.name if isinstance(made, TorchCall) else str(made)
