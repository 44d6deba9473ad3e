"""`LSTM` beside torch.nn.LSTM: values, names, parameters, multiply-adds, memory."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import cnndsl
from cnndsl.testing import differences, memory_differences

PLAIN = "INPUT 12x5 -> CONV3-6 -> LSTM-7 -> GAP -> FC-3"
BOTH = "INPUT 1x12x5 -> LSTM-7(bidirectional=yes, layers=2) -> RELU -> CONV1-6 -> LSTM-4 -> CONV1-3 -> GAP"
SHARED = """
net Shared(h in 4..64=8)
block Unit(h) = rnn: LSTM-h(bidirectional=yes) -> CONV1-h
INPUT 20x6 -> [Unit(h)]*3 -> GAP -> FC-2
"""


@pytest.mark.parametrize(("layers", "both"), [(1, False), (1, True), (2, False), (3, True)])
def test_it_is_the_lstm_of_pytorch(layers: int, both: bool) -> None:
    text = f"INPUT 9x5 -> LSTM-7(layers={layers}, bidirectional={'yes' if both else 'no'})"
    ours = cnndsl.loads(text).module()
    theirs = nn.LSTM(5, 7, layers, batch_first=True, bidirectional=both)
    theirs.load_state_dict({name.split(".", 1)[1]: value for name, value in ours.state_dict().items()}, strict=True)
    x = torch.randn(4, 5, 9)
    torch.testing.assert_close(ours(x), theirs(x.transpose(1, 2))[0].transpose(1, 2))


@pytest.mark.parametrize("text", [PLAIN, BOTH, SHARED], ids=["plain", "both", "shared"])
def test_the_emitted_module_is_the_graph(text: str) -> None:
    assert differences(text) == []


@pytest.mark.parametrize("text", [PLAIN, BOTH, SHARED], ids=["plain", "both", "shared"])
def test_parameters_and_multiply_adds(text: str) -> None:
    network = cnndsl.loads(text)
    totals = network.stats().totals
    with torch.device("meta"):
        module = network.module().eval()
        x = torch.zeros(1, network.graph.input.channels, *network.graph.input.spatial)
    assert totals.params == sum(each.numel() for each in module.parameters())
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        module(x)
    assert totals.flops == counter.get_total_flops()


def test_parameters_by_hand() -> None:
    # Four gates, of 5 features and 7 states each, and two biases: 4*7*(5 + 7) + 2*4*7.
    assert cnndsl.loads("INPUT 12x5 -> LSTM-7").stats().totals.params == 4 * 7 * (5 + 7) + 2 * 4 * 7


@pytest.mark.filterwarnings("ignore:TF32 acceleration on top of oneDNN")  # which asking for oneDNN's flags says
@pytest.mark.parametrize("text", [PLAIN, BOTH, SHARED], ids=["plain", "both", "shared"])
def test_memory_is_that_of_pytorchs_own_kernel(text: str) -> None:
    with torch.backends.mkldnn.flags(enabled=False):
        assert memory_differences(text, dtypes=("fp32", "bf16")) == []


def test_the_width_of_a_class_is_an_argument() -> None:
    source = cnndsl.loads(SHARED).source()
    assert "self.rnn = PositionLSTM(in_channels, h, bidirectional=True)" in source
    assert "nn.Conv1d(2 * h, h, 1)" in source


@pytest.mark.filterwarnings("ignore:The .grad attribute")
def test_it_runs_wherever_a_module_does() -> None:
    module, x = cnndsl.loads(PLAIN).module().eval(), torch.randn(2, 5, 12)
    exported = torch.export.export(module, (x,)).module()
    compiled = torch.compile(module, backend="eager")
    for other in (exported, compiled):
        torch.testing.assert_close(other(x), module(x))


def test_every_position_sees_all() -> None:
    *_, lstm, gap, _ = cnndsl.loads(PLAIN).stats().layers
    assert (lstm.receptive_field, gap.receptive_field) == ((12,), (12,))


def test_a_map_has_one_axis() -> None:
    with pytest.raises(cnndsl.CnnError, match="along one axis, and this is 4x5x3"):
        cnndsl.loads("INPUT 4x5x3 -> LSTM-7")
    with pytest.raises(cnndsl.CnnError, match="needs a spatial input"):
        cnndsl.loads("INPUT 8 -> LSTM-7")
