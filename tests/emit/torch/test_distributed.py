"""Emitted modules on two processes: a training step there is a training step here."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import torch
from torch import Tensor, distributed, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor import DTensor
from torch.nn.parallel import DistributedDataParallel

from tests.emit.torch.nets import loss, net

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")]

PROCESSES = 2
RATE = 0.1
NAMES = ("gated", "resnet18")


def prepared(name: str) -> nn.Module:
    """The module in training mode, statistics of batches frozen: those differ by what each process sees."""
    module = net(name).module().train()
    for each in module.modules():
        if isinstance(each, nn.modules.batchnorm._BatchNorm):
            each.eval()
    return module


def step(module: nn.Module, images: Tensor) -> None:
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE)
    loss(module(images)).backward()
    optimizer.step()


def blocks(module: nn.Module) -> list[nn.Module]:
    """What a `block` of the program became: the classes of the emitted text, but for the network's own."""
    return [
        each for each in module.modules() if type(each).__module__ == type(module).__module__ and each is not module
    ]


def sharded(module: nn.Module) -> nn.Module:
    mesh = init_device_mesh("cpu", (PROCESSES,))
    units = blocks(module)
    assert len(units) >= 4
    for each in units:
        fully_shard(each, mesh=mesh)
    fully_shard(module, mesh=mesh)
    assert all(isinstance(each, DTensor) for each in module.parameters())
    return module


def whole(value: Tensor) -> Tensor:
    return value.full_tensor() if isinstance(value, DTensor) else value


def work(rank: int, way: str, name: str, folder: str) -> None:
    """What one process does: a step on its share of the images."""
    torch.set_num_threads(1)
    store = distributed.FileStore(f"{folder}/store", PROCESSES)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=PROCESSES, timeout=timedelta(seconds=120))
    try:
        module = prepared(name)
        wrapped = DistributedDataParallel(module) if way == "ddp" else sharded(module)
        step(wrapped, net(name).images(4).chunk(PROCESSES)[rank])
        state = {key: whole(value.detach()) for key, value in module.state_dict().items()}
        torch.save(state, f"{folder}/{rank}.pth")
    finally:
        distributed.destroy_process_group()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["ddp", "fsdp2"])
def test_a_step_on_two_processes_is_a_step_on_one(way: str, name: str, tmp_path: Path) -> None:
    module = prepared(name)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    step(module, net(name).images(4))
    expected = module.state_dict()
    torch.multiprocessing.spawn(work, (way, name, str(tmp_path)), nprocs=PROCESSES)
    for rank in range(PROCESSES):
        state = torch.load(tmp_path / f"{rank}.pth", weights_only=True)
        assert state.keys() == expected.keys()
        for key, value in expected.items():
            assert torch.allclose(state[key], value, rtol=0, atol=1e-5), key
    assert any((expected[key] - value).abs().max() > 1e-3 for key, value in before.items())
