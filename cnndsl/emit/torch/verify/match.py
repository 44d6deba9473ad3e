"""Compares the calls of the source with the layers of a graph, and tracks which storage is overwritten.

Each tensor is a value of `expected` in a storage. A storage counts its writes; a tensor created before the last write
no longer holds its value. Storage that autograd has saved must not be overwritten.
"""

from __future__ import annotations

from cnndsl.emit.torch.verify.differences import Difference, Findings, Rank
from cnndsl.emit.torch.verify.effects import ALIASES, KEEPS_INPUT, KEEPS_OUTPUT, WRITES
from cnndsl.emit.torch.verify.expected import CAT, EXPAND, RESIZED, Expected, pair
from cnndsl.emit.torch.verify.explain import Explainer
from cnndsl.emit.torch.verify.forms import Form, at_size
from cnndsl.emit.torch.verify.indexing import window_of
from cnndsl.emit.torch.verify.leaves import Forms, LeafModule
from cnndsl.emit.torch.verify.lower import of_flat
from cnndsl.emit.torch.verify.plain import items
from cnndsl.emit.torch.verify.replay import Size
from cnndsl.emit.torch.verify.settle import extents
from cnndsl.emit.torch.verify.trace import shown
from cnndsl.emit.torch.verify.values import Trouble
from cnndsl.shape import Shape


class TracedStorage:
    """Memory that tensors share: how often it was written, the line of the last write, and who has saved it."""

    __slots__ = ("is_input", "kept", "version", "written")

    def __init__(self, is_input: bool = False) -> None:
        self.version = self.written = self.kept = 0
        self.is_input = is_input


class TracedTensor:
    """A value of the graph (negative for the indices of a pooling), and its storage."""

    __slots__ = ("storage", "value", "version")

    def __init__(self, value: int, storage: TracedStorage, version: int = 0) -> None:
        self.value, self.storage, self.version = value, storage, version


class Match:
    """The values of one run, in training or in evaluation."""

    __slots__ = ("_explain", "_findings", "_forms", "_mode", "_times", "expected", "ran", "ran_paths", "unknown")

    def __init__(self, expected: Expected, forms: Forms, findings: Findings, training: bool) -> None:
        self.expected, self._forms, self._findings = expected, forms, findings
        self._mode = int(training)
        self.ran: dict[int, int] = {}
        self.ran_paths: dict[str, int] = {}
        self._times: dict[str, int] = {}
        self.unknown = 0
        self._explain = Explainer(expected, forms, findings, self.ran)

    def say(self, rank: Rank, line: int, found: str, expected: str = "", node: int = -1) -> None:
        """Record a difference, at a layer of the graph if one is concerned."""
        if 0 <= node < len(self.expected.graph.nodes):
            layer = self.expected.graph.nodes[node]
            self._findings.add(Difference(line, found, expected, layer.path, layer.span, rank))
        else:
            self._findings.add(Difference(line, found, expected, rank=rank))

    def read(self, x: TracedTensor, line: int) -> int:
        """Return the value that a tensor holds, which must not have been overwritten since."""
        if x.version != x.storage.version:
            what = self.expected.describe(x.value)
            self.say(2, line, f"{what} is read, but line {x.storage.written} has overwritten it", "", x.value)
        return x.value

    def write(self, x: TracedTensor, line: int) -> None:
        """Record a write into a tensor's storage, which must no longer be needed."""
        storage = x.storage
        if storage.is_input:
            self.say(2, line, "the input of the network is overwritten, which is the caller's")
        if storage.kept:
            what = self.expected.describe(x.value)
            self.say(2, line, f"{what} is overwritten, but line {storage.kept} keeps it for the backward pass")
            storage.kept = 0
        storage.version += 1
        storage.written = line

    def fresh(self, value: int) -> TracedTensor:
        """Return a tensor with its own storage."""
        return TracedTensor(value, TracedStorage())

    def done(self, value: int) -> int:
        """Count the computation of a value and return the value."""
        self.ran[value] = self.ran.get(value, 0) + 1
        return value

    def _shape(self, value: int) -> Shape | None:
        return self.expected.shapes[value] if 0 <= value < len(self.expected.shapes) else None

    def leaf(self, leaf: LeafModule, path: str, x: TracedTensor, line: int, made: int) -> TracedTensor:
        """Return the result of calling a module with one tensor."""
        storage = x.storage
        value = x.value if x.version == storage.version else self.read(x, line)
        expected = self.expected
        if leaf.stateful:
            at = expected.paths.get(path, -1)
            if (expected.applied or expected.order) and at >= 0:
                at = self._applied(path, at, value, line)
            if at < 0 or expected.signs[at] != leaf.number or expected.operands[at] != value:
                at = self._explain.stateful(leaf, path, value, line, made)
        elif leaf.passes:
            return x if leaf.form[0] == "identity" else self.flatten(x, leaf.form[1], leaf.form[2], line)
        elif leaf.random:
            at = self._explain.random(leaf, path, value, line, made)
        else:
            at = expected.keys.get((leaf.number, value), -1)
            if at < 0:
                at = self._explain.plain(leaf, path, value, line, made)
        if at != value:  # an application that may be omitted is not counted
            self.ran[at] = self.ran.get(at, 0) + 1
        self.ran_paths[path] = line
        effect = leaf.effects[self._mode]
        return self._after(effect, at, x, line) if effect else TracedTensor(at, TracedStorage())

    def _applied(self, path: str, first: int, value: int, line: int) -> int:
        """Return the application of a module that reads a value."""
        at = first if self.expected.operands[first] == value else self.expected.applied.get((path, value), first)
        order = self.expected.order.get(path)
        if order is not None and self._mode:
            number = self._times.get(path, 0)
            self._times[path] = number + 1
            if number < len(order) and order[number] != at:
                self.say(2, line, f"{shown(path)} is applied in another order than in the program", "", at)
        return at

    def _after(self, effect: int, at: int, x: TracedTensor, line: int) -> TracedTensor:
        """Return the result of a module that writes, aliases or saves its input's storage."""
        storage = x.storage
        if effect & KEEPS_INPUT:
            storage.kept = line
        if effect & WRITES:
            self.write(x, line)
            out = TracedTensor(at, storage, storage.version)
        elif effect & ALIASES:
            out = TracedTensor(at, storage, storage.version)
        else:
            out = TracedTensor(at, TracedStorage())
        if effect & KEEPS_OUTPUT:
            out.storage.kept = line
        return out

    def pool(
        self, leaf: LeafModule, path: str, x: TracedTensor, line: int, made: int
    ) -> tuple[TracedTensor, TracedTensor]:
        """Return the output and the indices of a max pooling."""
        out = self.leaf(leaf, path, x, line, made)
        return out, self.fresh(-out.value - 1)

    def unpool(
        self, leaf: LeafModule, path: str, given: tuple[TracedTensor, TracedTensor, object], line: int, made: int
    ) -> TracedTensor:
        """Return the result of an unpooling, which puts values back at their indices."""
        x, indices, size = given
        value, switches = self.read(x, line), self.read(indices, line)
        self.ran_paths[path] = line
        if switches >= 0:
            self.say(2, line, f"{shown(path)} is given {self.expected.describe(switches)} for indices")
            switches = -1
        key = ("unpool", leaf.number, value, -switches - 1)
        at = self.expected.keys.get(key, -1)
        if at < 0:
            at = self._explain.unpool(leaf, path, (value, -switches - 1), line, made)
        if 0 <= at < len(self.expected.graph.nodes):
            self._unpooled(leaf, at, value, size, line)
        return self.fresh(self.done(at))

    def _unpooled(self, leaf: LeafModule, at: int, value: int, size: object, line: int) -> None:
        """Compare the output size of an unpooling."""
        wanted = self.expected.graph.nodes[at].shape.spatial
        shape = self._shape(value)
        if shape is None:
            return
        kernel, stride, padding = (extents(leaf.form[field]) for field in (2, 3, 4))
        parts = zip(shape.spatial, stride, padding, kernel, strict=False)
        usual = tuple((extent - 1) * s - 2 * p + k for extent, s, p, k in parts)
        found = items(size) or (usual if size is None else (size,) * len(wanted))
        if len(found) == len(wanted) + 2:
            found = found[2:]
        if found != wanted:
            self.say(1, line, f"the output_size is {_times(found)}", _times(wanted), at)
        elif any(not u - s < w < u + s for u, s, w in zip(usual, stride, wanted, strict=False)):
            self.say(1, line, f"the output_size {_times(found)} is out of reach of the window", "", at)

    def pair(self, sign: str, a: TracedTensor, b: TracedTensor, inplace: bool, line: int) -> TracedTensor:
        """Return the result of an operator on two tensors."""
        left, right = self.read(a, line), self.read(b, line)
        key = pair(sign, left, right) if sign in ("+", "*", "max") else (sign, left, right)
        at = self.expected.keys.get(key, -1)
        if at < 0:
            at = self._explain.pair(sign, left, right, line)
        self.done(at)
        if inplace:
            out_shape, in_shape = self._shape(at), self._shape(left)
            if out_shape is not None and in_shape is not None and out_shape != in_shape:
                self.say(2, line, f"{in_shape} is overwritten with a result of {out_shape}", "", at)
            if sign == "*":
                b.storage.kept = line
            if a.storage is b.storage and a.value != b.value:
                self.say(2, line, "a value is overwritten with itself and a view of it")
            self.write(a, line)
            return TracedTensor(at, a.storage, a.storage.version)
        if sign in ("*", "max", "/"):
            a.storage.kept = b.storage.kept = line
        return self.fresh(at)

    def scalar(self, sign: str, x: TracedTensor, number: float, inplace: bool, line: int) -> TracedTensor:
        """Return the result of an operator on a tensor and a number."""
        value = self.read(x, line)
        if sign == "*":
            key: tuple[object, ...] = (self._forms.number(("times", number)), value)
        else:
            key = (sign, value, number)
        at = self.expected.keys.get(key, -1)
        if at < 0:
            at = self._explain.scalar(sign, value, number, line)
        self.done(at)
        if inplace:
            self.write(x, line)
            return TracedTensor(at, x.storage, x.storage.version)
        return self.fresh(at)

    def cat(self, parts: list[TracedTensor], dim: int, line: int) -> TracedTensor:
        """Return the concatenation of tensors."""
        values = [self.read(each, line) for each in parts]
        shape = self._shape(values[0])
        if dim != 1 and not (shape is not None and dim == -shape.rank - 1):
            self.say(1, line, f"`torch.cat` is along dimension {dim}", "1")
        at = self.expected.keys.get((CAT, *values), -1)
        if at < 0:
            at = self._explain.cat(values, line)
        return self.fresh(self.done(at))

    def flatten(self, x: TracedTensor, start: object, end: object, line: int) -> TracedTensor:
        """Return `torch.flatten` or `nn.Flatten`: a view, or a copy if the memory layout allows no view."""
        value = self.read(x, line)
        shape = self._shape(value)
        if shape is None:
            return TracedTensor(self._explain.surprise(), x.storage, x.version)
        last = shape.rank + 1
        if start not in (1, 1 - last - 1) or end not in (-1, last):
            self.say(1, line, f"a flattening from dimension {start} to {end}", "from 1 to -1")
        return TracedTensor(self.expected.flat(value), x.storage, x.version)

    def index(self, x: TracedTensor, taken: tuple[object, ...], line: int) -> TracedTensor:
        """Return `x[…]`: a view of a part, or of the tensor with additional axes."""
        value = self.read(x, line)
        shape = self._shape(value)
        if shape is None:
            return TracedTensor(self._explain.surprise(), x.storage, x.version)
        found = window_of(taken, shape)
        if found is None:
            raise Trouble("an index that no layer stands for", line)
        if found == ():
            return x
        if found[0] == EXPAND:
            at = self.expected.expand(value, shape_axes(found))
        else:
            at = self._explain.index(found, value, line)
            self.done(at)
        return TracedTensor(at, x.storage, x.version)

    def size(self, x: TracedTensor, line: int) -> Size:
        """Return `x.shape`, which overwriting does not change."""
        shape = self._shape(x.value)
        if shape is None:
            raise Trouble("the shape of a value that is no layer's", line)
        return Size(("batch", shape.channels, *shape.spatial), x.value)

    def pad(self, x: TracedTensor, pads: tuple[int, ...], line: int) -> TracedTensor:
        """Return the result of `F.pad` on the spatial axes, or also on the channels."""
        value = self.read(x, line)
        shape = self._shape(value)
        if shape is None:
            return self.fresh(self._explain.surprise())
        if len(pads) % 2 or len(pads) > 2 * shape.rank + 2:
            raise Trouble(f"`F.pad` is given {len(pads)} numbers for {shape.rank} axes", line)
        axes = of_flat(pads)
        form: Form = ("pad", ((0, 0),) * (shape.rank - len(axes)) + axes)
        if len(axes) > shape.rank:
            form = ("padchannels of", axes)
        return self.fresh(self.done(self._explain.pad(form, value, line)))

    def resize(self, x: TracedTensor, form: Form, size: Size | None, line: int) -> TracedTensor:
        """Return the result of resizing a map: `F.interpolate`, an adaptive pooling, `crop_like`."""
        value = self.read(x, line)
        leaf = self._forms.leaf(form)
        like = None if size is None else self._like(leaf, value, size)
        if size is not None and like is None:
            leaf = self._forms.leaf(at_size(form, size.extents))
        at = self.expected.keys.get((leaf.number, value), -1) if like is None else like
        if at < 0:
            at = self._explain.plain(leaf, "", value, line, line)
        return self._after(leaf.effects[self._mode], self.done(at), x, line)

    def _like(self, leaf: LeafModule, value: int, size: Size) -> int | None:
        """Return the value of resizing to the size of another map, or None if the program has no such layer."""
        shape = self._shape(size.of)
        if shape is None or size.extents != shape.spatial:
            return None
        return self.expected.keys.get((RESIZED, leaf.number, value, size.of))


def shape_axes(found: tuple[object, ...]) -> int:
    """Return the number of axes that an index adds."""
    axes = found[1]
    assert isinstance(axes, int)
    return axes


def _times(parts: tuple[object, ...]) -> str:
    return "x".join(map(str, parts))
