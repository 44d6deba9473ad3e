"""Predicted against measured peak memory on a GPU, for nets of the zoo: training and inference, fp32 and bf16 autocast.

    python benchmarks/memory.py [--batches 1 8 64] [NET ...]

Predicted is the peak under the estimate for CUDA's allocator, of a step with momentum; measured
`torch.cuda.max_memory_allocated` of a second step, after a first that made the optimizer's state. What was allocated
before the network was made is left out.
"""

from __future__ import annotations

import argparse
import gc
from contextlib import nullcontext
from itertools import product
from typing import Any

NETS = (
    "alexnet",
    "vgg16",
    "vgg16_bn",
    "resnet18",
    "resnet50",
    "densenet121",
    "googlenet",
    "inception_v3",
    "mobilenet_v2",
    "mobilenet_v3_large",
)


def measure(graph: Any, batch: int, train: bool, autocast: bool) -> int:
    """The peak of the network's second step, in bytes."""
    import torch
    from torch.nn import functional

    from cnndsl.runtime.live import module

    gc.collect()
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated()
    with torch.device("cuda"):
        network = module(graph).train(train)
        x = torch.randn(batch, graph.input.channels, *graph.input.spatial)
        target = torch.zeros(batch, dtype=torch.int64)
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-3, momentum=0.9)
    precision = torch.autocast("cuda", torch.bfloat16) if autocast else nullcontext()
    for _ in range(2):
        torch.cuda.reset_peak_memory_stats()
        if train:
            optimizer.zero_grad()
            with precision:
                outputs = network(x)
                each = outputs if isinstance(outputs, tuple) else (outputs,)
                loss = torch.stack([functional.cross_entropy(output, target) for output in each]).sum()
            loss.backward()
            optimizer.step()
            del outputs, each, loss
        else:
            with torch.no_grad(), precision:
                network(x)
    torch.cuda.synchronize()
    return torch.cuda.max_memory_allocated() - before


def predict(graph: Any, batch: int, train: bool, autocast: bool) -> int:
    """The predicted peak, in bytes."""
    from cnndsl.analysis.memory import inference, training
    from cnndsl.emit.torch.execution import executions

    dtype = "amp" if autocast else "fp32"
    if train:
        memory = training(graph, dtype, "momentum", "cuda", executions=executions(graph))
    else:
        memory = inference(graph, dtype, "cuda", executions=executions(graph))
    return memory.peak(batch, rounded=True).bytes


def row(graph: Any, batch: int, train: bool, autocast: bool) -> str:
    """A line of the table."""
    predicted, measured = predict(graph, batch, train, autocast), measure(graph, batch, train, autocast)
    mode, kind = "training" if train else "inference", "bf16" if autocast else "fp32"
    sizes = f"{predicted / 1e6:>10.1f}MB{measured / 1e6:>10.1f}MB{predicted / measured:>8.3f}"
    return f"{mode:<11}{kind:<6}{batch:>6}{sizes}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="*", default=NETS)
    parser.add_argument("--batches", nargs="+", type=int, default=(1, 8, 64))
    options = parser.parse_args()

    import torch

    import cnndsl

    if not torch.cuda.is_available():
        raise SystemExit("this needs a GPU that torch can use")
    print(torch.cuda.get_device_name(), f"torch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}")
    print(f"{'net':<20}{'mode':<11}{'type':<6}{'batch':>6}{'predicted':>12}{'measured':>12}{'ratio':>8}")
    for net in options.nets:
        graph = cnndsl.load(net).graph
        for train, autocast, batch in product((False, True), (False, True), options.batches):
            if batch > 1 or not train:
                print(f"{net:<20}{row(graph, batch, train, autocast)}")


if __name__ == "__main__":
    main()
