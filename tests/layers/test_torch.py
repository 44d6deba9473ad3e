"""What a kind says of itself, beside the live module that it becomes."""

from __future__ import annotations

import warnings

import pytest
import torch

from cnndsl.layers.base import Saved
from tests.layers.cases import ACTIVATIONS, CASES, MAPS, VECTOR, Case, name
from tests.support import Live, flops, nchw, saved_bytes

BATCH = 3
every_kind = pytest.mark.parametrize("case", CASES, ids=map(name, CASES))


@pytest.fixture(autouse=True)
def _reproducible() -> None:
    torch.manual_seed(0)
    warnings.filterwarnings("ignore", "Using padding='same' with even kernel", UserWarning)


@every_kind
def test_shape(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    assert tuple(live(*live.example(BATCH)).shape) == nchw(layer.output(*inputs), BATCH)


@every_kind
def test_parameters_and_buffers(case: Case) -> None:
    layer, inputs = case
    module = Live(layer, inputs).module
    tensors = layer.tensors(*inputs)
    mine = [(each.name, each.shape, "int64" if each.dtype == "int64" else "float32") for each in tensors]
    theirs = [
        (key, tuple(tensor.shape), str(tensor.dtype).removeprefix("torch."))
        for key, tensor in (*module.named_parameters(), *module.named_buffers())
    ]
    assert mine == theirs
    assert {each.name for each in tensors if each.role != "buffer"} == {key for key, _ in module.named_parameters()}
    assert {each.name for each in tensors if each.role == "bias"} <= {"bias"}
    assert list(module.state_dict()) == [each.name for each in tensors if each.persistent]


@every_kind
def test_formula_gives_the_number_of_weights(case: Case) -> None:
    layer, inputs = case
    weights = sum(tensor.numel for tensor in layer.tensors(*inputs) if tensor.role == "weight")
    assert eval(layer.formula(*inputs) or "0") == weights


@every_kind
def test_multiply_adds(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    example = live.example(BATCH)
    assert flops(lambda: live(*example)) == 2 * BATCH * layer.macs(*inputs)


def _predicted(saved: Saved, storages: list[torch.Tensor], output: torch.Tensor) -> int:
    kept = [storages[at] for at in saved.inputs] + [output] * saved.output
    distinct = {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in kept}
    extra = sum(
        (size if size > 0 else 4) * number * (BATCH if per_image else 1) for size, number, per_image in saved.extra
    )
    return sum(distinct.values()) + extra


@every_kind
def test_what_autograd_keeps(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    example = [x.requires_grad_() for x in live.example(BATCH)]
    alive: list[torch.Tensor] = []
    without = [*live.module.parameters(), *live.module.buffers()]
    found = saved_bytes(lambda: live(*example), without, alive)
    saved = layer.saved(*inputs)
    assert sum(found.values()) == _predicted(saved, example, alive[-1])
    # Which ones, not only how much: another layer may keep the same.
    assert [at for at, x in enumerate(example) if x.untyped_storage().data_ptr() in found] == list(saved.inputs)
    assert (alive[-1].untyped_storage().data_ptr() in found) is (saved.output or _passes(alive[-1], example, saved))


def _passes(output: torch.Tensor, example: list[torch.Tensor], saved: Saved) -> bool:
    """True where the output is an input that is kept."""
    return output.untyped_storage().data_ptr() in [example[at].untyped_storage().data_ptr() for at in saved.inputs]


in_place = [(layer, (x,)) for layer in ACTIVATIONS for x in (MAPS[2], VECTOR) if layer.torch(x).inplace]


@pytest.mark.parametrize("case", in_place, ids=map(name, in_place))
def test_what_autograd_keeps_in_place(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs, inplace=True)
    (x,) = (each.requires_grad_() * 1 for each in live.example(BATCH))
    alive: list[torch.Tensor] = []
    found = saved_bytes(lambda: live(x), [], alive)
    assert alive[-1].data_ptr() == x.data_ptr()
    assert sum(found.values()) == x.untyped_storage().nbytes()
    assert (x.untyped_storage().data_ptr() not in found) == layer.saved(*inputs).copies


dropping = [case for case in CASES if case[0].kind() in ("DROPOUT", "DROPPATH", "ID")]


@pytest.mark.parametrize("case", dropping, ids=map(name, dropping))
def test_identity_in_evaluation(case: Case) -> None:
    live = Live(*case)
    live.module.eval()
    (x,) = live.example(BATCH)
    assert torch.equal(live(x), x)


@every_kind
def test_a_view_takes_no_memory(case: Case) -> None:
    layer, inputs = case
    live = Live(layer, inputs)
    example = live.example(BATCH)
    shares = live(*example).untyped_storage().data_ptr() == example[0].untyped_storage().data_ptr()
    passes = (len(inputs) == 1 and layer.kind() in ("ADD", "MUL", "MAX")) or getattr(layer, "p", 1) == 0
    assert shares == (layer.views(*inputs) or passes)
