"""The rows of simple layers: each is the only word on its layer type, and its options are the language's."""

from __future__ import annotations

from fractions import Fraction

import pytest

from cnndsl.emit.torch.verify.forms import FIELDS
from cnndsl.emit.torch.verify.layers import LAYERS, ExpectedLayer
from cnndsl.emit.torch.verify.leaves import Forms
from cnndsl.emit.torch.verify.lower import lower
from cnndsl.emit.torch.verify.lower_helpers import lower_helper
from cnndsl.emit.torch.verify.signatures import SIGNATURES, bind, of_class, parameters
from cnndsl.emit.torch.verify.simple import SIMPLE, SimpleLayer
from cnndsl.layers import HELPERS, find
from cnndsl.network import loads

WRITTEN = {
    "LRN": ("LRN(size=3, alpha=0.1, beta=0.5, k=2)", (3, 0.1, 0.5, 2.0)),
    "SOFTPLUS": ("SOFTPLUS(beta=2)", (2.0, 20.0)),
    "SOFTMAX": ("SOFTMAX", (1,)),
    "LOGSOFTMAX": ("LOGSOFTMAX", (1,)),
    "SHUFFLE": ("SHUFFLE4", (4,)),
    "SLICE": ("SLICE(1, 3)", (1, 3)),
    "PICK": ("PICK(3, 1)", ((3, 1),)),
    "TIMES": ("TIMES(0.3)", (0.3,)),
}
"""Layers whose options are not the defaults, and the fields of their forms, in the order of the documentation."""

each_row = pytest.mark.parametrize("row", SIMPLE, ids=lambda row: row.names[0])


def test_each_is_there_once() -> None:
    for names in ([row.names[0] for row in SIMPLE], [row.cls for row in SIMPLE], [row.family for row in SIMPLE]):
        assert len(set(names)) == len(names)


@each_row
def test_no_other_table_has_an_entry_for_it(row: SimpleLayer) -> None:
    """One would take precedence, and the row would say what is not so."""
    assert FIELDS[row.family] == (row.cls, row.in_messages)
    assert row.digest or SIGNATURES[row.cls] == row.signature


@each_row
def test_its_names_are_those_of_the_layer_type(row: SimpleLayer) -> None:
    kind = find(row.names[0])
    assert kind is not None
    assert row.names == kind.NAMES


@each_row
def test_the_layer_and_the_module_have_one_form(row: SimpleLayer) -> None:
    """Numbers of the language are floats in the form, as they are in the text."""
    written, values = WRITTEN.get(row.names[0], (row.names[0], ()))
    graph = loads(f"INPUT 8x8x4 -> {written}").graph
    form = LAYERS[row.names[0]](ExpectedLayer(graph.nodes[1], (graph.nodes[0].shape,)))
    assert form == (row.family, *values)
    assert not any(isinstance(each, Fraction) for each in form)
    params, star = of_class(HELPERS[row.cls]) if row.digest else parameters(SIGNATURES[row.cls])
    bound = bind(row.cls, params, star, values, {})
    assert (lower_helper if row.digest else lower)(row.cls, bound, Forms()).form == form
