"""Read layers one at a time, for graphs that were not written as a program."""

from __future__ import annotations

from cnndsl.elaborate.inputs import input_layer
from cnndsl.elaborate.options import bind
from cnndsl.elaborate.outputs import Bound, NodeOutput
from cnndsl.elaborate.resolve import Kind, meaning
from cnndsl.elaborate.state import Environment, FileScope, ModuleScope, NamedOutput
from cnndsl.errors import Span
from cnndsl.syntax import ast


class LayerReader:
    """Reads layers whose options may refer to previously named outputs.

    >>> from cnndsl.errors import Source
    >>> from cnndsl.shape import Shape
    >>> from cnndsl.syntax.parse import parse
    >>> (main,) = parse(source := Source("", "INPUT 8x8x4 -> POOL2 -> UNPOOL2(@p)")).statements
    >>> reader = LayerReader()
    >>> reader.name("p", NodeOutput(1, Shape(4, (4, 4))), Span(source, 15, 20))
    >>> [reader.layer(item).references for item in main.chain.items]
    [(), (), (NodeOutput(node=1, shape=4x4x4),)]
    """

    def __init__(self) -> None:
        self._scope = ModuleScope()

    def name(self, label: str, output: NodeOutput, span: Span) -> None:
        """Make `@label` refer to an output from now on."""
        self._scope.labels[label] = NamedOutput(output, None, span)

    def layer(self, item: ast.WrittenLayer) -> Bound | None:
        """Return the layer that is written; None for ID, which makes no node. Raises CnnError if it is invalid."""
        env = Environment({}, FileScope(item.span.source), {}, self._scope)
        if item.head.upper() == "INPUT":
            return Bound(input_layer(item, env), (), item.span.text, ())
        meant = meaning(item, env)
        assert isinstance(meant, Kind), "nothing here defines a block"
        if meant.kind.ROLE == "identity":
            return None
        return bind(meant.kind, item, meant.digits, meant.name, env)
