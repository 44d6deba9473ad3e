"""Layers whose type comes from a plug-in: only the plug-in knows their PyTorch module, so its own method is used."""

from __future__ import annotations

from cnndsl.emit.torch.verify.forms import Form
from cnndsl.emit.torch.verify.initial import drawn
from cnndsl.emit.torch.verify.lower import lower
from cnndsl.emit.torch.verify.signatures import SIGNATURES, bind, parameters
from cnndsl.emit.torch.verify.text import Program
from cnndsl.emit.torch.verify.values import LeafClass, NotUnderstood, frozen
from cnndsl.graph import Node
from cnndsl.shape import Shape


class Plugins:
    """The forms of plug-in layers, built from the constructor calls that they request."""

    __slots__ = ("_program",)

    def __init__(self, program: Program) -> None:
        self._program = program

    def __call__(self, node: Node, inputs: tuple[Shape, ...]) -> tuple[Form, bool]:
        """Return the form of a layer, and whether it flattens its input. Raises NotUnderstood if it names no class."""
        wanted: object = node.layer.torch(*inputs)
        name = getattr(wanted, "name", None)
        if not isinstance(name, str) or not hasattr(wanted, "arguments"):
            raise NotUnderstood(f"the layer {node.path}, whose kind {node.kind} is not known here")
        given = [_value(each) for each in getattr(wanted, "arguments", ())]
        named = {str(key): _value(each) for key, each in getattr(wanted, "keywords", ())}
        flat = getattr(wanted, "flatten", False) is True
        plain = name.removeprefix("nn.")
        if plain in SIGNATURES:
            params, star = parameters(SIGNATURES[plain])
            form = lower(plain, bind(plain, params, star, given, named), self._program.forms).form
            return _initialised(form, node), flat
        found = self._program.names.get(name)
        if not isinstance(found, LeafClass):
            raise NotUnderstood(f"the class `{name}` of the layer {node.path}")
        bound = bind(name, found.params, found.star, given, named)
        form = ("plugin", name, *((key, frozen(each)) for key, each in bound.items()))
        return _initialised(form, node), flat


def _initialised(form: Form, node: Node) -> Form:
    """Return the form with the initialisation of `weight` that an option of the layer names."""
    word = str(getattr(node.layer, node.layer.INIT)) if node.layer.INIT else "default"
    return form if word == "default" else drawn(form, "weight", word)


def _value(slot: object) -> object:
    return getattr(slot, "value", slot)
