"""How many configurations a second a sweep measures on one core, beside building their modules, in one run.

    python benchmarks/sweeping.py [--runs 5] [--members 400]

Two families: the networks of NAS-Bench-201, and a small one of at most 20 layers. Each row is a way
to know parameters and multiply-adds of the same configurations, drawn at random: `sums`, as `sweep` does it, with one
configuration in a hundred compiled as a whole; `graphs`, each compiled and counted; `modules`, each built by PyTorch
on the meta device, without storage, and its parameters counted, which leaves out the multiply-adds; `Optuna`, the
settings alone, as its random sampler draws them, if it is installed. One thread; times are of the processor, in turns;
`sums` begins with nothing known each time. Ratios are medians.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Callable, Sequence
from itertools import islice

from clock import in_turns, timed

from cnndsl.analysis.execution import unknown
from cnndsl.errors import Source
from cnndsl.finding import find, used
from cnndsl.sweeping import sweep
from cnndsl.values import Value

NAMES = ("params", "macs")
SMALL = """
net Small(w in {8, 16, 24, 32, 48, 64, 96, 128}, k in {3, 5, 7}, j in {3, 5, 7}, n in 1..4, act in {RELU, SILU, GELU},
          bn in {yes, no}, f in {64, 128, 256, 512})
INPUT 32x32x3 -> CONV{k}-w -> BN if bn -> act -> POOL2
-> [CONV{j}-{2*w} -> act]*n -> POOL2 -> CONV3-{4*w} -> act -> GAP -> FC-f -> act -> FC-10
"""


def names_of(settings: sweep.Settings) -> list[str]:
    return [str(getattr(value, "name", value)) for value in settings.values()]


def cell_network(operations: Sequence[str]) -> object:
    """NAS-Bench-201's network as its code builds it: arXiv:2001.00326, section 2.1."""
    from torch import nn

    def operation(name: str, c: int) -> nn.Module:
        if name.startswith("nor_conv"):
            return convolution(c, c, int(name[-1]))
        return nn.AvgPool2d(3, 1, 1, count_include_pad=False) if name.startswith("avg") else nn.Identity()

    def convolution(before: int, after: int, k: int, s: int = 1) -> nn.Module:
        return nn.Sequential(nn.ReLU(), nn.Conv2d(before, after, k, s, k // 2, bias=False), nn.BatchNorm2d(after))

    def reduction(c: int) -> nn.Module:
        shortcut = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(c // 2, c, 1, bias=False))
        return nn.ModuleList([convolution(c // 2, c, 3, 2), convolution(c, c, 3), shortcut])

    layers: list[nn.Module] = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16)]
    for c in (16, 32, 64):
        layers += [reduction(c)] if c > 16 else []
        layers += [nn.ModuleList([operation(name, c) for name in operations]) for _ in range(5)]
    return nn.Sequential(*layers, nn.BatchNorm2d(64), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Linear(64, 10))


def small_network(settings: Sequence[str]) -> object:
    from torch import nn

    w, k, j, n, f = (int(settings[at]) for at in (0, 1, 2, 3, 6))
    act = {"RELU": nn.ReLU, "SILU": nn.SiLU, "GELU": nn.GELU}[settings[4]]
    layers: list[nn.Module] = [nn.Conv2d(3, w, k, padding=k // 2)]
    layers += [nn.BatchNorm2d(w)] if settings[5] == "True" else []
    layers += [act(), nn.MaxPool2d(2)]
    for turn in range(n):
        layers += [nn.Conv2d(2 * w if turn else w, 2 * w, j, padding=j // 2), act()]
    layers += [nn.MaxPool2d(2), nn.Conv2d(2 * w, 4 * w, 3, padding=1), act(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(4 * w, f), act(), nn.Linear(f, 10))


def counted(build: Callable[[Sequence[str]], object], members: Sequence[sweep.Settings]) -> list[int]:
    import torch

    with torch.device("meta"):
        return [
            sum(each.numel() for each in build(names_of(chosen)).parameters())  # type: ignore[attr-defined]
            for chosen in members
        ]


def drawn_by_optuna(domains: dict[str, Sequence[Value]], count: int) -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))
    space = {name: [str(getattr(each, "name", each)) for each in values] for name, values in domains.items()}
    for _ in range(count):
        trial = study.ask()
        for name, values in space.items():
            trial.suggest_categorical(name, values)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--members", type=int, default=400)
    options = parser.parse_args()
    families = {
        "nas_bench_201": (sweep.family(find("nas_bench_201"), {}, used), lambda each: cell_network(each[:6])),
        "small": (sweep.family(Source("small.cnn", SMALL), {}, used), small_network),
    }
    print(f"{'family':<15}{'':<10}{'a second':>10}{'ratio to modules':>18}")
    for name, (family, build) in families.items():
        members = list(family.sample(options.members, seed=1))
        few = members[: max(2, options.members // 10)]
        assert counted(build, few) == [
            each.figures and each.figures["params"] for each in sweep.measure(family, few, unknown, NAMES)
        ], "the peer builds the same networks"
        actions: dict[str, tuple[int, Callable[[], object]]] = {
            "sums": (len(members), lambda f=family, m=members: list(sweep.measure(f, m, unknown, NAMES))),
            "graphs": (len(few), lambda f=family, m=few: [sweep.elaborated(f, each, unknown, NAMES) for each in m]),
            "modules": (len(few), lambda b=build, m=few: counted(b, m)),
        }
        if importlib.util.find_spec("optuna") is not None:
            domains = dict(islice(family.domains.items(), 7))
            actions["Optuna"] = (len(few), lambda d=domains, m=few: drawn_by_optuna(d, len(m)))
        times = in_turns({way: lambda a=action: timed(a) for way, (_, action) in actions.items()}, options.runs)
        for way, (count, _) in actions.items():
            ratio = times["modules"].to(times[way]) * count / actions["modules"][0]
            print(f"{name:<15}{way:<10}{count / times[way].least:>10,.0f}{ratio:>18.1f}")


if __name__ == "__main__":
    main()
