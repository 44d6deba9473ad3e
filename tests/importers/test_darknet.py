"""Darknet's .cfg files, each rule against a reading of Darknet's own source with loops, written for these tests.

The reading follows github.com/AlexeyAB/darknet: `forward_maxpool_layer`, `shortcut_cpu`, `reorg_cpu` and the parser.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from cnndsl import loads
from cnndsl.errors import CnnError, Source
from cnndsl.importers.darknet import read
from cnndsl.importers.program import program
from tests.commands.running import run

NET = "[net]\nheight=12\nwidth=12\nchannels=4\nbatch=64\n"


def text_of(cfg: str) -> str:
    return program(Source("net.cfg", NET + cfg))


def emitted(cfg: str, x: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """What the module of a file gives, and its parameters in order."""
    module = loads(text_of(cfg)).module()
    for each in module.parameters():
        torch.nn.init.normal_(each)
    module.eval()
    with torch.no_grad():
        return module(x), list(module.parameters())


def pooled(x: torch.Tensor, size: int, stride: int, padding: int) -> torch.Tensor:
    """forward_maxpool_layer: windows begin at -padding/2, and what is outside counts as the least number."""
    extents = [(extent + padding - size) // stride + 1 for extent in x.shape[2:]]
    y = torch.full((*x.shape[:2], *extents), -torch.inf)
    for i in range(extents[0]):
        for j in range(extents[1]):
            for n in range(size):
                for m in range(size):
                    row, column = i * stride - padding // 2 + n, j * stride - padding // 2 + m
                    if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
                        y[:, :, i, j] = torch.maximum(y[:, :, i, j], x[:, :, row, column])
    return y


@pytest.mark.parametrize(
    ("keys", "size", "stride", "padding"),
    [
        ("size=2\nstride=2", 2, 2, 1),
        ("size=2\nstride=1", 2, 1, 1),
        ("size=3\nstride=2", 3, 2, 2),
        ("size=3\nstride=3", 3, 3, 2),
        ("size=5\nstride=1", 5, 1, 4),
        ("size=3\nstride=2\npadding=0", 3, 2, 0),
        ("size=4\nstride=2\npadding=2", 4, 2, 2),
        ("stride=2", 2, 2, 1),
    ],
)
@pytest.mark.parametrize("side", [12, 13])
def test_max_pooling(keys: str, size: int, stride: int, padding: int, side: int) -> None:
    x = torch.randn(2, 4, side, side)
    cfg = f"[maxpool]\n{keys}\n"
    module = loads(program(Source("net.cfg", NET.replace("12", str(side)) + cfg))).module()
    assert torch.equal(module(x), pooled(x, size, stride, padding))


@pytest.mark.parametrize(
    ("keys", "padding", "options"),
    [
        ("size=3\npad=1", 1, {}),
        ("size=3", 0, {}),
        ("size=3\npadding=2", 2, {}),
        ("size=5\npad=1\nstride=2", 2, {"stride": 2}),
        ("size=3\npad=1\nstride_x=2\nstride_y=1", 1, {"stride": (1, 2)}),
        ("size=3\npad=1\ndilation=2", 2, {"dilation": 2}),
        ("size=1\ngroups=2", 0, {"groups": 2}),
    ],
)
def test_convolution(keys: str, padding: int, options: dict[str, int]) -> None:
    x = torch.randn(2, 4, 12, 12)
    y, (weight, bias) = emitted(f"[convolutional]\nfilters=6\nactivation=linear\n{keys}\n", x)
    torch.testing.assert_close(y, F.conv2d(x, weight, bias, padding=padding, **options))


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("linear", lambda x: x),
        ("leaky", lambda x: torch.where(x > 0, x, 0.1 * x)),
        ("relu", lambda x: x * (x > 0)),
        ("logistic", lambda x: 1 / (1 + torch.exp(-x))),
        ("mish", lambda x: x * torch.tanh(torch.log1p(torch.exp(x)))),
        ("swish", lambda x: x / (1 + torch.exp(-x))),
        ("relu6", lambda x: x.clamp(0, 6)),
    ],
)
def test_activations(name: str, function: Callable[[torch.Tensor], torch.Tensor]) -> None:
    x = torch.randn(2, 4, 12, 12)
    y, (weight, bias) = emitted(f"[convolutional]\nfilters=3\nsize=1\nactivation={name}\n", x)
    torch.testing.assert_close(y, function(F.conv2d(x, weight, bias)))


def test_batch_normalisation_takes_the_place_of_biases() -> None:
    cfg = "[convolutional]\nbatch_normalize=1\nfilters=6\nsize=3\npad=1\nactivation=leaky\n"
    x = torch.randn(2, 4, 12, 12)
    y, (weight, scale, shift) = emitted(cfg, x)
    found = F.conv2d(x, weight, padding=1) / (1 + 1e-5) ** 0.5 * scale[:, None, None] + shift[:, None, None]
    torch.testing.assert_close(y, torch.where(found > 0, found, 0.1 * found))
    assert f"assert params == {6 * 4 * 9 + 2 * 6}" in text_of(cfg)


def test_a_shortcut_to_more_channels_and_a_smaller_map() -> None:
    """shortcut_cpu adds the channels that both have, at every second position of the larger map."""
    x = torch.randn(2, 4, 12, 12)
    cfg = "[activation]\nactivation=linear\n[convolutional]\nfilters=6\nsize=1\nstride=2\nactivation=linear\n"
    y, (weight, bias) = emitted(f"{cfg}[shortcut]\nfrom=-2\nactivation=leaky\n", x)
    wanted = F.conv2d(x, weight, bias, stride=2)
    for channel in range(4):
        for i in range(6):
            for j in range(6):
                wanted[:, channel, i, j] += x[:, channel, 2 * i, 2 * j]
    torch.testing.assert_close(y, torch.where(wanted > 0, wanted, 0.1 * wanted))


def test_reorg_reads_the_memory_of_a_larger_map() -> None:
    """reorg_cpu, as it stands there: `in_index` and `out_index` of flat arrays."""
    x = torch.randn(1, 4, 12, 12)
    y, _ = emitted("[reorg]\nstride=2\n", x)
    flat, out = x.flatten(), torch.zeros(4 * 12 * 12)
    stride, width, height, channels = 2, 12, 12, 4
    least = channels // (stride * stride)
    for k in range(channels):
        for j in range(height):
            for i in range(width):
                in_index = i + width * (j + height * k)
                c2, offset = k % least, k // least
                w2, h2 = i * stride + offset % stride, j * stride + offset // stride
                out_index = w2 + width * stride * (h2 + height * stride * c2)
                out[in_index] = flat[out_index]
    assert torch.equal(y.flatten(), out)


def test_routes_join_values_and_take_groups_of_channels() -> None:
    x = torch.randn(2, 4, 12, 12)
    routes = "[route]\nlayers=-1\ngroups=2\ngroup_id=1\n[route]\nlayers=-1,0\n"
    y, _ = emitted(f"[maxpool]\nsize=3\nstride=1\n{routes}[upsample]\nstride=2\n", x)
    pool = pooled(x, 3, 1, 2)
    joined = torch.cat([pool[:, 2:], pool], 1)
    assert torch.equal(y, joined.repeat_interleave(2, 2).repeat_interleave(2, 3))


def test_heads_are_outputs_with_names() -> None:
    conv = "[convolutional]\nfilters={}\nsize=1\nactivation=linear\n"
    cfg = f"{conv.format(8)}{conv.format(6)}[yolo]\nmask=0,1\n[route]\nlayers=0\n{conv.format(3)}[yolo]\nclasses=2\n"
    net = loads(text_of(cfg))
    given = net.module()(torch.randn(1, 4, 12, 12))
    assert [tuple(each.shape[1:]) for each in given] == [(6, 12, 12), (3, 12, 12)]
    assert given._fields == ("yolo1", "yolo2")
    assert f"assert params == {(4 * 8 + 8) + (8 * 6 + 6) + (8 * 3 + 3)}" in text_of(cfg)


@pytest.mark.parametrize(
    ("cfg", "message", "line"),
    [
        ("[gru]\noutput=4\n", "the section `[gru]` has no counterpart", 6),
        ("[maxpool]\nsize=2\nceil_mode=0\n", "the key `ceil_mode` of `[maxpool]` is unknown", 8),
        ("[convolutional]\nfilters=x\n", "`filters` must be a whole number of at most 9 digits, not 'x'", 7),
        ("[convolutional]\nactivation=loggy\n", "the activation `loggy` has no counterpart", 7),
        ("[route]\nlayers=-2\n", "there is no layer -2 before this one", 7),
        ("[maxpool]\nsize=2\nstride=2\n[shortcut]\nfrom=-2\n", "there is no layer -2 before this one", 10),
        ("[convolutional]\nfilters=3\ngroups=3\n", "cannot both be divided into 3 groups", 6),
        ("nonsense\n", "a line of a .cfg file is", 6),
        ("[convolutional]\nfilters=2\nfilters=3\n", "`filters` is given twice in `[convolutional]`", 8),
        ("[convolutional]\nfilters=\uff11\n", "`filters` must be a whole number of at most 9 digits", 7),
        ("[dropout]\nprobability=nan\n", "`probability` is a number from 0 to 1, not 'nan'", 7),
        ("[upsample]\nstride=2\nscale=.5\n", "a `scale` has no counterpart", 8),
    ],
)
def test_what_is_not_understood_is_told_with_its_line(cfg: str, message: str, line: int) -> None:
    with pytest.raises(CnnError) as stop:
        read(Source("net.cfg", NET + cfg))
    (diagnostic,) = stop.value.diagnostics
    assert message in diagnostic.message
    assert diagnostic.span is not None
    assert diagnostic.span.source.text.count("\n", 0, diagnostic.span.start) + 1 == line


@pytest.mark.parametrize(
    ("made", "message"),
    [
        ("INPUT 12x12x4 -> POOL2 -> RELU", "there are layers that nothing reads|is RELU"),
        ("INPUT 12x12x4 -> (@x1 + ID)", "cannot find `@x1` before this point"),
    ],
)
def test_a_text_that_is_not_the_network_is_not_given(made: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cnndsl.importers.program.raised", lambda *_: made)
    with pytest.raises(CnnError, match=message) as stop:
        text_of("[maxpool]\nsize=2\nstride=2\n")
    assert [each.code for each in stop.value.diagnostics] == ["E0505"]


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "net.cfg"
    unit = "[convolutional]\nbatch_normalize=1\nfilters=4\nsize=3\npad=1\nactivation=leaky\n[shortcut]\nfrom=-2\n"
    file.write_text(NET + "[maxpool]\nstride=2\n" + unit * 3)
    done = run("import", str(file))
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == [
        "# Imported from net.cfg, of Darknet.",
        "INPUT 12x12x4",
        "-> POOL2 -> (CONV3-4(bias=no) -> BN -> LEAKYRELU(0.1) + ID)*3",
        "",
        "assert params == 456",
        "assert output == 6x6x4",
    ]
    assert run("import", str(file), "-o", str(file)).exit_code == 1
    assert run("import", "net.pb").exit_code == 1


def test_the_example_of_the_guide() -> None:
    """Parameters by hand: 3*9*16 + 32, 16*9*32 + 64 twice, 32*16 + 32, 32*18 + 18."""
    guide = (Path(__file__).parents[2] / "docs" / "import.md").read_text("utf-8").partition("## Darknet")[2]
    cfg, text = (guide.split(f"```{kind}\n")[1].split("```")[0] for kind in ("ini", "cnn"))
    assert program(Source("tiny.cfg", cfg)) == text
    assert f"assert params == {464 + 2 * 4672 + 544 + 594:_}" in text
