"""Searches a family with Optuna: the widest receptive field for the fewest parameters.

Run it as `python examples/optuna_search.py [FILE] [TRIALS]`, with `pip install cnndsl optuna`. Nothing is trained:
put your training in the place of the two figures.
"""

from __future__ import annotations

import sys

import optuna

import cnndsl


def search(file: str, trials: int) -> list[optuna.trial.FrozenTrial]:
    """The trials on the Pareto front, in no particular order."""
    walked = {name: each["values"] for name, each in cnndsl.space(file).items() if each["values"]}

    def objective(trial: optuna.Trial) -> tuple[int, int]:
        chosen = {name: trial.suggest_categorical(name, values) for name, values in walked.items()}
        try:
            totals = cnndsl.load(file, **chosen).stats().totals
        except cnndsl.CnnError as refused:
            raise optuna.TrialPruned(str(refused)) from None
        return totals.params, max(totals.receptive_field, default=1)

    study = optuna.create_study(directions=["minimize", "maximize"], sampler=optuna.samplers.NSGAIISampler(seed=1))
    study.optimize(objective, n_trials=trials)
    return study.best_trials


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    file = sys.argv[1] if len(sys.argv) > 1 else "recipe"
    for best in search(file, int(sys.argv[2]) if len(sys.argv) > 2 else 100):
        print(best.params, *map(int, best.values))
