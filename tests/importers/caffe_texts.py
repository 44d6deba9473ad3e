"""Short networks as Caffe writes them."""

from __future__ import annotations

from cnndsl.errors import Source
from cnndsl.importers.caffe import read
from cnndsl.importers.flat import Imported


def net(*layers: str, size: str = "1 4 7 7") -> str:
    """Layers behind an input `x` of the extents."""
    dims = " ".join(f"dim: {each}" for each in size.split())
    return "\n".join([f'input: "x" input_shape {{ {dims} }}', *layers])


def layer(type: str, param: str = "", bottom: str = "x", top: str = "y", rest: str = "") -> str:
    """A layer with its parameters; bottoms and tops are separated by blanks."""
    ends = [f'{key}: "{each}"' for key, names in (("bottom", bottom), ("top", top)) for each in names.split()]
    return f'layer {{ name: "{top}" type: "{type}" {" ".join(ends)} {param} {rest} }}'


def imported(text: str) -> Imported:
    return read(Source("net.prototxt", text))


def kinds(text: str) -> list[str]:
    return [node.layer.kind() for node in imported(text).graph]


def conv(said: str, **ends: str) -> str:
    return layer("Convolution", f"convolution_param {{ {said} }}", **ends)


def pool(said: str, **ends: str) -> str:
    return layer("Pooling", f"pooling_param {{ {said} }}", **ends)


DATA = """
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TRAIN } transform_param { crop_size: 9 } }
layer { name: "data" type: "Data" top: "data" top: "label" include { phase: TEST }
  transform_param { crop_size: 8 mean_value: 104 } data_param { source: "a" batch_size: 2 backend: LMDB } }
"""
