"""Convert an ONNX model to a graph: its inputs, its layers by operator, and its outputs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cnndsl.files import BinaryFile
from cnndsl.graph.labels import why_not
from cnndsl.importers.flat import Imported
from cnndsl.importers.onnx_models.folding import as_written, folded
from cnndsl.importers.onnx_models.loading import loaded, problem
from cnndsl.importers.onnx_models.maker import OnnxMaker, is_made_up
from cnndsl.importers.onnx_models.model import OnnxModel
from cnndsl.importers.onnx_models.operators import FOUND, OPERATORS, check, has_counterpart, is_layer
from cnndsl.importers.onnx_models.patterns import found
from cnndsl.importers.onnx_models.views import OnnxView
from cnndsl.shape import Shape


def read(file: BinaryFile) -> Imported:
    """Return the network of an ONNX file.

    Raises:
        CnnError: if the file is not a valid model, an operator or attribute is not understood, or shapes do not match.
        FileError: if the package `onnx` is missing.
    """
    name = file.name
    whole = loaded(name, file.data)
    check(name, as_written(whole), has_counterpart)
    model = found(folded(name, whole))
    check(name, model.nodes, is_layer)
    if not model.nodes:
        raise problem(name, "nothing is computed of what enters: there is no network")
    return _OnnxReader(name, model).result()


class _OnnxReader:
    def __init__(self, name: str, model: OnnxModel) -> None:
        self.name, self.model = name, model
        self.maker = OnnxMaker(name, model)
        self.is_last = False
        """Whether the inputs are channels-last in the file."""

    def result(self) -> Imported:
        for name in self.model.inputs:
            self._enter(name)
        for at, node in enumerate(self.model.nodes):
            self.maker.begin(at)
            make = FOUND[node.op] if node.op in FOUND else OPERATORS[node.op][0]
            make(self.maker)
            self._check(node.outputs)
        outputs = self._outputs()
        inputs = [_name(name) for name in self.model.inputs]
        self._note()
        graph = self.maker.made.graph(outputs, inputs if inputs[1:] else ())
        return Imported(graph, self.maker.params, tuple(self.maker.notes))

    def _enter(self, name: str) -> None:
        """Add an input; its channels come first here, as in PyTorch."""
        _, *dims = self.model.dims[name]
        if len(dims) > 4:
            raise problem(
                self.name, f"the input `{name}` has {len(dims)} axes beside the batch, and a map has 4 at most"
            )
        if name not in self.model.readers:
            raise problem(self.name, f"nothing that the network gives depends on the input `{name}`")
        is_last = len(dims) > 1 and self._ends_last(name, len(dims))
        shape = Shape(dims[-1], tuple(dims[:-1])) if is_last else Shape(dims[0], tuple(dims[1:]))
        view = self.maker.plainly(self.maker.made.input(shape, 0))
        if is_last:
            self.is_last = True
            self.maker.note(f"`{name}` has its channels at the end in the file, and first in the module")
        self.maker.views[name] = view.permuted([*range(1, len(dims)), 0]) if is_last else view

    def _ends_last(self, name: str, rank: int) -> bool:
        """Return whether a value is channels-last: all its readers transpose it to channels-first."""
        order = [0, rank, *range(1, rank)]
        waiting, known = [name], {name}
        while waiting:
            readers = self.model.readers.get(waiting.pop(), ())
            for node in readers:
                if node.op == "Transpose" and [axis % (rank + 1) for axis in node.several("perm")] == order:
                    continue
                if node.op not in ("Add", "Div", "Mul", "Pad", "Sub", "affine", "batchnorm"):
                    return False
                fresh = set(node.outputs) - known
                known |= fresh
                waiting += fresh
            if not readers:
                return False
        return True

    def _check(self, names: Sequence[str]) -> None:
        """Raise CnnError if a value's shape differs from the one that the package `onnx` has inferred."""
        for name in names:
            wanted = self.model.dims.get(name)
            view = self.maker.views.get(name)
            if wanted is not None and view is not None and view.dims != wanted[1:]:
                raise self.maker.wrong(f"it gives {wanted[1:]} in ONNX, and its counterpart {view.dims}")

    def _outputs(self) -> list[tuple[str, int]]:
        """Return the outputs by names that no input has."""
        outputs: dict[int, str] = {}
        taken = {_name(name) for name in self.model.inputs}
        for value, label in zip(self.model.outputs, self.model.names, strict=True):
            view = self.maker.views.get(value)
            if view is None or value in self.model.inputs:
                raise problem(self.name, f"the output `{label}` is computed of no input")
            name, node = _name(label), self._given(view, label)
            outputs.setdefault(node, f"{name}_{node}" if name in {*taken, *outputs.values()} else name)
        return [(name if len(outputs) > 1 else "", node) for node, name in outputs.items()]

    def _given(self, view: OnnxView, label: str) -> int:
        """Return the node of an output; a channels-last map becomes channels-first if any input was channels-last."""
        shape = self.maker.shape(view.node)
        plain = self.maker.plainly(view.node)
        if self.is_last and shape.rank and view == plain.permuted([*range(1, 1 + shape.rank), 0]):
            self.maker.note(f"`{label}` has its channels at the end in the file, and first in the module")
            return view.node
        return self.maker.settled(view)

    def _note(self) -> None:
        """Record a remark about normalisations that an exporter has folded into convolutions."""
        convolutions = [node for node in self.model.nodes if node.op == "Conv"]
        has_norms = any(node.op in ("BatchNormalization", "batchnorm") for node in self.model.nodes)
        weights = [self.model.constants[node.inputs[1]].root for node in convolutions]
        lost = sum(map(is_made_up, weights))
        is_said = any("batch_norm" in "".join(node.scope[-1:]) for node in convolutions)
        if is_said or (not has_norms and lost * 2 > len(convolutions)):
            self.maker.note("batch normalisations were folded into its convolutions, and are biases there")


def _name(text: str) -> str:
    """Return an ONNX name as a valid identifier.

    >>> _name("output.1"), _name("400"), _name("float")
    ('output_1', 'y400', 'float_')
    """
    name = re.sub(r"\W", "_", text, flags=re.ASCII) or "y"
    name = name if re.match("[A-Za-z_]", name) else f"y{name}"
    return f"{name}_" if why_not(name) else name
