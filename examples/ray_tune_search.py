"""Searches a family with Ray Tune: the member with the fewest multiply-adds below a number of parameters.

Run it as `python examples/ray_tune_search.py [FILE] [SAMPLES]`, with `pip install cnndsl "ray[tune]"`. Nothing is
trained: report the loss of your training beside the figures.
"""

from __future__ import annotations

import sys

from ray import tune

import cnndsl

MOST_PARAMETERS = 5_000_000


def measure(config: dict[str, object], file: str) -> dict[str, float]:
    """The figures of one member; infinite where it is no network, or too large."""
    try:
        totals = cnndsl.load(file, **config).stats().totals
    except cnndsl.CnnError:
        return {"macs": float("inf")}
    return {"macs": totals.macs if totals.params < MOST_PARAMETERS else float("inf")}


def search(file: str, samples: int) -> tune.Result:
    """The best of so many members drawn at random."""
    walked = {name: each["values"] for name, each in cnndsl.space(file).items() if each["values"]}
    tuner = tune.Tuner(
        tune.with_parameters(measure, file=file),
        param_space={name: tune.choice(values) for name, values in walked.items()},
        tune_config=tune.TuneConfig(metric="macs", mode="min", num_samples=samples),
    )
    return tuner.fit().get_best_result()


if __name__ == "__main__":
    best = search(sys.argv[1] if len(sys.argv) > 1 else "recipe", int(sys.argv[2]) if len(sys.argv) > 2 else 20)
    print(best.config, best.metrics["macs"] if best.metrics else "")
