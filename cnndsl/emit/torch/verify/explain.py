"""Explains a call that does not match a layer directly: an equivalent way to write one, or a difference.

A difference is reported for the smallest part that differs, and verification continues as if it had been valid, so one
mistake produces one difference.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnndsl.emit.torch.verify.differences import Difference, Findings, Rank
from cnndsl.emit.torch.verify.expected import Expected
from cnndsl.emit.torch.verify.forms import Form, describe_form, is_elementwise
from cnndsl.emit.torch.verify.indexing import part_of
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.settle import extents, pairs, settled
from cnndsl.emit.torch.verify.trace import shown

_SURPRISES = 1 << 40
"""The first number for values that are not in the graph."""


class Explainer:
    """Finds the layer that a call stands for. `ran` counts how often each value was computed."""

    __slots__ = ("_expected", "_findings", "_forms", "_ran", "_same", "_steps", "_surprises")

    def __init__(self, expected: Expected, forms: Forms, findings: Findings, ran: dict[int, int]) -> None:
        self._expected, self._forms, self._findings, self._ran = expected, forms, findings, ran
        self._same: dict[tuple[int, int, int], bool] = {}
        self._steps: dict[int, tuple[int, tuple[int, ...]]] = {}
        self._surprises = _SURPRISES

    def surprise(self) -> int:
        """Return a new value that is not in the graph."""
        self._surprises += 1
        return self._surprises

    def _say(self, rank: Rank, line: int, found: str, expected: str = "", at: int = -1) -> None:
        path, span = "", None
        if at >= 0:
            path, span = self._expected.graph.nodes[at].path, self._expected.graph.nodes[at].span
        self._findings.add(Difference(line, found, expected, path, span, rank))

    def _agree(self, number: int, at: int, value: int) -> bool:
        """Return whether a form equals that of a layer, both on the shape of a value."""
        sign = self._expected.signs[at]
        if number == sign:
            return True
        key = (number, sign, value)
        found = self._same.get(key)
        if found is None:
            known = self._forms.known
            mine, wanted = known[number], known[sign]
            shapes = self._expected.shapes
            found = False
            if value < len(shapes) and (mine[0] == wanted[0] or {mine[0], wanted[0]} == {"ln", "channelnorm"}):
                found = settled(mine, shapes[value]) == settled(wanted, shapes[value])
            self._same[key] = found
        return found

    def _readers(self, value: int) -> Iterator[int]:
        """Yield the layers with one input that read a value."""
        yield from self._expected.rows.get(value, ())

    def _unread(self) -> Iterator[int]:
        """Yield the layers that have not been computed yet."""
        for at, sign in enumerate(self._expected.signs):
            if sign >= 0 and not self._ran.get(self._expected.values[at]):
                yield at

    def stateful(self, leaf: LeafModule, path: str, value: int, line: int, made: int) -> int:
        """Return the value of a module with weights, which is identified by its path."""
        expected = self._expected
        at = expected.paths.get(path, -1)
        if at < 0:
            return self._misplaced(leaf, path, value, made)
        if expected.operands[at] != value:
            at = expected.applied.get((path, value), at)
        if not self._agree(leaf.number, at, expected.operands[at]):
            wanted = describe_form(self._forms.known[expected.signs[at]])
            self._say(1, made, f"{shown(path)} is {describe_form(leaf.form)}", wanted, at)
        self._reads(path, value, at, line)
        return at

    def _reads(self, path: str, value: int, at: int, line: int) -> None:
        wanted = self._expected.operands[at]
        if value != wanted:
            found = f"{_subject(path)} reads {self._expected.describe(value)}"
            self._say(2, line, found, self._expected.describe(wanted), at)

    def _misplaced(self, leaf: LeafModule, path: str, value: int, made: int) -> int:
        for at in self._readers(value):
            if self._expected.stateful[at] and self._agree(leaf.number, at, value) and not self._ran.get(at):
                self._say(1, made, f"{shown(path)} has the weights of another path", "its path", at)
                return at
        self._say(3, made, f"{shown(path)} is {describe_form(leaf.form)}, which is no layer of the program")
        return self.surprise()

    def random(self, leaf: LeafModule, path: str, value: int, line: int, made: int) -> int:
        """Return the value of a module that generates random numbers; each application has its own value."""
        source = self._expected.unflattened(value)
        known = self._expected.random
        through = source is not None and (leaf.number, value) not in known and (leaf.number, source) in known
        if source is not None and through and is_elementwise(leaf.form):
            return self._flattened(self.random(leaf, path, source, line, made))
        found = [at for at in self._expected.random.get((leaf.number, value), ()) if not self._ran.get(at)]
        for at in found:
            if self._expected.graph.nodes[at].path == path:
                return at
        if found:
            return found[0]
        again = self._expected.random.get((leaf.number, value), ())
        return again[0] if again else self._strange(leaf, path, value, line, made)

    def _flattened(self, at: int) -> int:
        """Return the value of a layer computed on its flattened input, which only changes the shape."""
        self._ran[at] = self._ran.get(at, 0) + 1
        return self._expected.flat(at)

    def plain(self, leaf: LeafModule, path: str, value: int, line: int, made: int) -> int:
        """Return the value of a module without weights."""
        for at in self._readers(value):
            if at not in self._expected.switches and self._agree(leaf.number, at, value):
                return self._expected.values[at]
        source = self._expected.unflattened(value)
        if source is not None and is_elementwise(leaf.form):
            known = self._expected.keys.get((leaf.number, source))
            if known is not None:
                return self._flattened(known)
        return self._strange(leaf, path, value, line, made)

    def _strange(self, leaf: LeafModule, path: str, value: int, line: int, made: int) -> int:
        """Return the value of a module that no layer matches: that of the layer at its path, or of the closest one."""
        at = self._nearest(leaf, path, value)
        expected = self._expected
        if at < 0:
            what = f"{describe_form(leaf.form)} of {expected.describe(value)}"
            self._say(3, line, f"{what} is no layer of the program")
            return self.surprise()
        if not self._agree(leaf.number, at, expected.operands[at]):
            wanted = describe_form(self._forms.known[expected.signs[at]])
            self._say(1, made, f"{_subject(path)} is {describe_form(leaf.form)}", wanted, at)
        self._reads(path, value, at, line)
        return expected.values[at]

    def _nearest(self, leaf: LeafModule, path: str, value: int) -> int:
        expected = self._expected
        node = expected.graph.by_path.get(path)
        if node is not None and expected.signs[node.index] >= 0 and not expected.stateful[node.index]:
            return node.index
        unread = list(self._unread())
        for at in unread:
            if expected.operands[at] == value and self._forms.known[expected.signs[at]][0] == leaf.form[0]:
                return at
        for at in unread:
            if expected.signs[at] == leaf.number:
                return at
        return -1

    def unpool(self, leaf: LeafModule, path: str, given: tuple[int, int], line: int, made: int) -> int:
        """Return the value of an unpooling of a value with the indices of a pooling."""
        value, switches = given
        expected = self._expected
        for at, wanted in expected.switches.items():
            if expected.operands[at] == value and wanted == switches and self._agree(leaf.number, at, value):
                return expected.values[at]
        node = expected.graph.by_path.get(path)
        if node is None or node.index not in expected.switches:
            self._say(3, line, f"{shown(path)} is no UNPOOL of the program")
            return self.surprise()
        at = node.index
        if not self._agree(leaf.number, at, expected.operands[at]):
            wanted_form = describe_form(self._forms.known[expected.signs[at]])
            self._say(1, made, f"{shown(path)} is {describe_form(leaf.form)}", wanted_form, at)
        self._reads(path, value, at, line)
        if switches != expected.switches[at]:
            found = f"{shown(path)} is given the indices of {expected.describe(switches)}"
            self._say(2, line, found, f"those of {expected.describe(expected.switches[at])}", at)
        return expected.values[at]

    def pair(self, sign: str, left: int, right: int, line: int) -> int:
        """Return the value of an operator on two values."""
        return self._merge(f"{self._expected.describe(left)} {sign} {self._expected.describe(right)}", line)

    def scalar(self, sign: str, value: int, number: float, line: int) -> int:
        """Return the value of an operator on a value and a number."""
        return self._merge(f"{self._expected.describe(value)} {sign} {number}", line)

    def cat(self, values: Sequence[int], line: int) -> int:
        """Return the value of a concatenation; of channels picked one by one, that of a layer."""
        taken = [self._steps.get(value) for value in values]
        channels: list[int] = []
        sources: set[int] = set()
        for each in taken:
            if each is None:
                return self._merge(f"the concatenation of {', '.join(map(self._expected.describe, values))}", line)
            sources.add(each[0])
            channels.extend(range(*each[1]))
        if len(sources) == 1:
            at = self._as_layer(("pick", tuple(channels)), sources.pop())
            if at is not None:
                return at
        return self._merge(f"the concatenation of {', '.join(map(self._expected.describe, values))}", line)

    def _merge(self, what: str, line: int) -> int:
        nodes = self._expected.graph.nodes
        merges = [node for node in nodes if node.layer.kind() in ("ADD", "CONCAT", "MUL", "SUB", "MAX", "MEAN")]
        open_ = [node for node in merges if not self._ran.get(self._expected.values[node.index])]
        if open_:
            operands = ", ".join(nodes[each].path for each in open_[0].inputs)
            self._say(2, line, what, f"{open_[0].layer.kind()} of {operands}", open_[0].index)
            return self._expected.values[open_[0].index]
        self._say(3, line, f"{what} is no layer of the program")
        return self.surprise()

    def _as_layer(self, form: Form, value: int) -> int | None:
        """Return the value of a layer of this form on a value; None if there is no such layer."""
        number = self._forms.number(form)
        found = self._expected.keys.get((number, value))
        if found is not None:
            return found
        for at in self._readers(value):
            if at not in self._expected.switches and self._agree(number, at, value):
                return self._expected.values[at]
        return None

    def index(self, form: Form, value: int, line: int) -> int:
        """Return the value of a part of a map: that of a layer, or of an intermediate step towards one."""
        at = self._as_layer(form, value)
        if at is not None:
            return at
        found = self._expected.between((*form, value), part_of(form, self._expected.shapes[value]))
        if form[0] == "slice":
            self._steps[found] = (value, extents(form[1:]))
        if form[0] == "steps":
            self._steps[found] = (value, extents(form[1]))
        return found

    def pad(self, form: Form, value: int, line: int) -> int:
        """Return the value of a padding: of the map, or of the channels after subsampling the map."""
        if form[0] == "pad":
            at = self._as_layer(form, value)
            if at is not None:
                return at
            return self._strange(self._forms.leaf(form), "", value, line, line)
        at = self._padded_channels(form, value)
        if at is None:
            self._say(3, line, "a padding of channels that is no layer of the program")
            return self.surprise()
        return at

    def _padded_channels(self, form: Form, value: int) -> int | None:
        source, steps = self._steps.get(value, (value, ()))
        shape = self._expected.shapes[source]
        pads = form[1]
        (before, after), *others = pairs(pads)
        if any(each != (0, 0) for each in others):
            return None
        stride = steps or (1,) * shape.rank
        features = shape.channels + before + after
        for where in ("after", "both"):
            if before == ((before + after) // 2 if where == "both" else 0):
                at = self._as_layer(("padchannels", shape.rank, shape.channels, features, stride, where), source)
                if at is not None:
                    return at
        return None


def _subject(path: str) -> str:
    """Return the name of a module, or of a function that is called without one."""
    return shown(path) if path else "this call"
