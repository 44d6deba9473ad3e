"""The table of kinds, and kinds of others."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib import metadata
from typing import ClassVar

import pytest

from cnndsl import layers
from cnndsl.layers.base import Layer, Window
from cnndsl.layers.dense import Input
from cnndsl.layers.merge import MERGES
from cnndsl.shape import Shape
from tests.layers.cases import CASES

KINDS = sorted(set(layers.KINDS.values()), key=lambda kind: kind.kind())
every_kind = pytest.mark.parametrize("kind", KINDS, ids=[kind.kind() for kind in KINDS])

IN_THE_LANGUAGE = """
    BLURPOOL CHANNELCONV REFLECTPAD REPLICATEPAD CIRCULARPAD
    CONV DWCONV CONVT UPSAMPLE UNPOOL LOCAL POOL MAXPOOL AVGPOOL SUMPOOL LPPOOL GAP FC
    RELU RELU6 LEAKYRELU PRELU STARRELU SIGMOID TANH ELU GELU SILU HSIGMOID HSWISH SOFTMAX
    GRN EVONORM RMSNORM FRN L2NORM
    BN LRN LN GN IN SCALE DROPOUT DROPPATH FLATTEN ID ZEROPAD CROP PADCHANNELS PIXELSHUFFLE SHUFFLE SLICE PICK TIMES
    PIXELUNSHUFFLE RESHAPE PERMUTE CHANNELMAX CHANNELMEAN
""".split()


@pytest.mark.parametrize("name", IN_THE_LANGUAGE)
def test_the_language_has_it(name: str) -> None:
    kind = layers.find(name)
    assert kind is not None
    assert layers.find(name.lower()) is kind
    assert name in layers.known()


@every_kind
def test_is_made_without_options(kind: type[Layer]) -> None:
    """Bare kinds stand in recipes: INPUT -> [[CONV -> RELU]*N -> POOL?]*M -> FC."""
    assert kind() == kind()
    assert pickle.loads(pickle.dumps(kind())) == kind()
    assert hash(kind()) == hash(kind())


@every_kind
def test_short_forms_name_options(kind: type[Layer]) -> None:
    short = [*kind.POSITIONAL, *(name for name in (kind.SIZE, kind.WIDTH, kind.STRIDE) if name)]
    assert set(short) <= set(kind.options())
    names = [*kind.options(), *(alias for rule in kind.options().values() for alias in rule.aliases)]
    assert len(names) == len(set(names))


@every_kind
def test_is_documented_as_it_is_written(kind: type[Layer]) -> None:
    assert kind.__doc__ is not None
    assert kind.__doc__.startswith(f"`{kind.kind()}")


@every_kind
def test_words_contain_their_default(kind: type[Layer]) -> None:
    for field in fields(kind):
        rule = kind.options().get(field.name)
        if rule is not None and rule.words and isinstance(field.default, str):
            assert field.default in rule.words


@every_kind
def test_is_compared_with_torch(kind: type[Layer]) -> None:
    """Unpooling has its own tests: it needs a pool."""
    assert kind.kind() == "UNPOOL" or any(type(layer) is kind for layer, _ in CASES)


def test_names_are_unique() -> None:
    names = [name for kind in KINDS for name in kind.NAMES]
    assert len(names) == len(set(names)) == len(layers.KINDS)
    assert names == [name.upper() for name in names]


def test_merges_and_input_are_not_looked_up() -> None:
    assert set(MERGES) == {"+", "|", "MUL", "SUB", "MAX", "MEAN"}
    assert layers.find("MUL") is None
    assert layers.find("INPUT") is None
    layer = Input((224, 224, 3))
    assert layer.output() == Shape(3, (224, 224))
    assert layer.window() == Window((1, 1), (1, 1), (0, 0))
    assert layer.torch() is None


def test_torch_is_not_imported() -> None:
    code = "import sys, cnndsl.layers; sys.exit('torch' in sys.modules or 'networkx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@dataclass(frozen=True)
class Invert(Layer):
    """`INVERT`: -x; a kind of somebody else's."""

    NAMES: ClassVar = ("INVERT", "Negate", "CONV")


@pytest.fixture
def _plugins(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    values = {"invert": f"{__name__}:Invert", "broken": "no_such_module:Kind", "odd": "math:pi"}
    found = [metadata.EntryPoint(name, value, layers.GROUP) for name, value in values.items()]
    monkeypatch.setitem(sys.modules, __name__, sys.modules[Invert.__module__])
    monkeypatch.setattr(metadata, "entry_points", lambda group: found if group == layers.GROUP else [])
    layers._plugins.cache_clear()
    yield
    layers._plugins.cache_clear()


@pytest.mark.usefixtures("_plugins")
def test_kinds_of_others() -> None:
    """Ours win; a plug-in that cannot be used gives a warning, and only where a name is not ours."""
    assert layers.find("conv") is layers.KINDS["CONV"]
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        assert layers.find("invert") is Invert
    assert [str(each.message).split(" cannot")[0] for each in caught] == [
        "the layer plug-in `broken` (no_such_module:Kind)",
        "the layer plug-in `odd` (math:pi)",
    ]
    assert layers.find("negate") is Invert
    assert layers.find("nothing") is None
    assert "INVERT" in layers.known()
