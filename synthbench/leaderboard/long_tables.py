"""The long files behind the board: each estimate in full (intervals.csv), each stage of each trial (costs.csv)."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import pandas as pd

from synthbench.leaderboard.estimates import Estimate, Estimates
from synthbench.leaderboard.few_seeds import by_seed
from synthbench.leaderboard.floors import floor_check
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.leaderboard.utility import Utility

__all__ = ["COST_COLUMNS", "INTERVAL_COLUMNS", "costs_table", "intervals_table"]

INTERVAL_COLUMNS = [
    *("generator", "evaluator", "metric", "variant", "test_set", "seen", "value", "low", "high"),
    *("sampling_low", "sampling_high", "seed_sd", "generator_seeds", "classifier_seeds", "by_seed", "n"),
    *("weak", "wide", "basis", "check", "note"),
]

COST_COLUMNS = [
    *("generator", "seed", "stage", "wall_s", "cpu_s", "images", "peak_memory_mb", "peak_gpu_mb"),
]


def intervals_table(
    estimates: Mapping[str, Estimates],
    utilities: Mapping[str, Mapping[str, Utility]],
    floors: Collection[str],
    n_classes: int,
) -> pd.DataFrame:
    """A row an estimate, by generator; then its utilities, which no evaluator measured."""
    rows = [
        row
        for label, known in estimates.items()
        for row in (
            *(_interval(label, key, one, label in floors, n_classes) for key, one in known.items()),
            *({"generator": label, **asdict(one)} for one in utilities.get(label, {}).values()),
        )
    ]
    whole = dict.fromkeys(["generator_seeds", "classifier_seeds", "n"], "Int64")
    return pd.DataFrame(rows, columns=INTERVAL_COLUMNS).astype(whole)


def _interval(label: str, key: ScoreKey, estimate: Estimate, floor: bool, n_classes: int) -> dict[str, Any]:
    ends = asdict(estimate.interval) if not estimate.text else {}
    checked = floor and key.test_set and not key.seen
    return {
        **{"generator": label, **key._asdict(), **ends, "value": estimate.value},
        **{"generator_seeds": estimate.generator_seeds, "classifier_seeds": estimate.classifier_seeds},
        **{"by_seed": by_seed(estimate), "n": min(estimate.n), "note": estimate.notes},
        "check": floor_check(estimate, n_classes) if checked else "",
    }


def costs_table(results: Sequence[TrialResult]) -> pd.DataFrame:
    """A row a stage of a trial: "fit", "sample", then each evaluator by its label; last what several share."""
    rows = [*_costs(results), *_shared(results)]
    return pd.DataFrame(rows, columns=COST_COLUMNS).astype({"images": "Int64", "seed": "Int64"})


def _shared(results: Sequence[TrialResult]) -> list[dict[str, Any]]:
    entries = {entry: cost for result in results for entry, cost in result.shared.items()}
    if not entries:
        return []
    seconds = {part: round(sum(cost[part] for cost in entries.values()), 3) for part in ("wall_s", "cpu_s")}
    return [{"generator": "", "seed": None, "stage": "shared", **seconds}]


def _costs(results: Sequence[TrialResult]) -> Iterator[dict[str, Any]]:
    for result in results:
        for stage, cost in result.costs.items():
            known = {name: math.nan if value is None else value for name, value in cost.items()}
            yield {"generator": result.trial.generator.label, "seed": result.trial.index, "stage": stage, **known}
