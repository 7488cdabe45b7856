"""`synthbench plan`: the trials of a benchmark file, as data for whoever schedules them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial

__all__ = ["as_json", "needs_of"]


def as_json(bench: Benchmark, plan: Sequence[Trial]) -> dict[str, Any]:
    """`trials`, each with its `name` for `work --trial`, its stages in their order and what it needs.

    needs  of a machine: the most that its plugins declare
    after  the checkpoint of the same training from which this one goes on, to be made before it, best by the same
           process; "" where there is none
    """
    before: dict[tuple[str, int], str] = {}
    trials = []
    for trial in plan:
        training = (trial.generator.training, trial.index)
        trials.append(
            {
                "name": trial.name,
                "generator": trial.generator.label,
                "role": trial.generator.declared.role,
                "index": trial.index,
                "seed": trial.seed,
                "stages": ["generator", *(evaluator.label for evaluator in trial.evaluators)],
                "needs": needs_of(trial),
                "after": before.get(training, ""),
            }
        )
        before[training] = trial.name
    return {"benchmark": bench.name, "headline": str(bench.headline), "samples": bench.samples, "trials": trials}


def needs_of(trial: Trial) -> dict[str, float]:
    """What a trial asks of a machine: the most that any of its plugins declares; one CPU where none does."""
    most: dict[str, float] = {"cpus": 1.0}
    plugins = [trial.generator.plugin, *(evaluator.plugin for evaluator in trial.evaluators)]
    for plugin in plugins:
        for what, amount in plugin.needs.items():
            most[what] = max(most.get(what, 0.0), amount)
    return most
