"""What a benchmark's `judges` have to be: alike in all but the classifier, and asked about every row."""

from __future__ import annotations

from synthbench.api.registry import did_you_mean
from synthbench.benchmark.definition import JUDGES, Benchmark
from synthbench.errors import ConfigError

__all__ = ["check_judges"]

JUDGE = "tstr"
"""The evaluator that a judge is: others score something else."""


def check_judges(bench: Benchmark, where: str) -> None:
    """Raise ConfigError unless ranks of the judges can stand beside each other, and be averaged."""
    if not bench.judges:
        if bench.headline.evaluator == JUDGES:
            raise ConfigError(f"{where}: headline: {bench.headline} needs `judges:`, a list of evaluators' labels")
        return
    if len(set(bench.judges)) < 2 or len(set(bench.judges)) < len(bench.judges):
        raise ConfigError(f"{where}: judges: two labels or more, each once; found {', '.join(bench.judges)}")
    labels = [entry.label for entry in bench.evaluators if entry.use == JUDGE]
    for judge in bench.judges:
        if judge not in labels:
            hint = did_you_mean(judge, labels)
            raise ConfigError(f"{where}: judges: no `{JUDGE}` evaluator has the label {judge!r}.{hint}")
        if bench.evaluator(judge).generators is not None:
            raise ConfigError(f"{where}: judges: {judge} must score every row: take its `generators:` away")
    seeds = {judge: getattr(bench.evaluator(judge).plugin, "seeds", 1) for judge in bench.judges}
    if len(set(seeds.values())) > 1:
        numbers = ", ".join(f"{judge} {n}" for judge, n in seeds.items())
        raise ConfigError(
            f"{where}: judges: all need the same `seeds`, else one is surer than another; found {numbers}"
        )
    if bench.headline.evaluator not in (JUDGES, *bench.judges):
        names = ", ".join(f"{judge}.{bench.headline.metric}" for judge in (*bench.judges, JUDGES))
        raise ConfigError(f"{where}: headline: with `judges:` it is one of {names}; found {bench.headline}")
