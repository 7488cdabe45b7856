"""`synthbench plan`: the trials of a benchmark file, as data for whoever schedules them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial

__all__ = ["as_json"]


def as_json(bench: Benchmark, plan: Sequence[Trial]) -> dict[str, Any]:
    """`trials`, each with its `name` for `work --trial`, its stages in their order and what it needs.

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
                "after": before.get(training, ""),
            }
        )
        before[training] = trial.name
    return {"benchmark": bench.name, "headline": str(bench.headline), "samples": bench.samples, "trials": trials}
