"""From outcomes to scores.csv (long), leaderboard.csv (one row a generator) and run.json."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from synthbench.config import Benchmark
from synthbench.store import write_atomic
from synthbench.types import Splits

if TYPE_CHECKING:
    from synthbench.run import Outcome

__all__ = ["leaderboard", "scores_table", "write_results"]

SCORE_COLUMNS = [
    *("dataset", "test_set", "seen", "generator", "role", "seed", "evaluator", "metric"),
    *("classifier_seed", "value", "direction", "n", "note"),
]


def write_results(
    bench: Benchmark, splits: Splits, outcomes: Sequence[Outcome], about: dict[str, Any], out: Path
) -> pd.DataFrame:
    """Write every result file into `out`, each atomically, and return the leaderboard."""
    out.mkdir(parents=True, exist_ok=True)
    scores = scores_table(bench, outcomes)
    board = leaderboard(bench, scores, outcomes)
    write_atomic(out / "scores.csv", _csv(scores))
    write_atomic(out / "leaderboard.csv", _csv(board))
    quarantine = pd.DataFrame([vars(q) for q in splits.quarantine], columns=["path", "reason"])
    write_atomic(out / "quarantine.csv", _csv(quarantine))
    trials = [_trial_record(outcome) for outcome in outcomes]
    record = {**about, "finished": datetime.now(UTC).isoformat(timespec="seconds"), "trials": trials}
    write_atomic(out / "run.json", json.dumps(record, indent=1) + "\n")
    return board


def scores_table(bench: Benchmark, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row a number, in the plan's order. `value` is empty where a metric is undefined; `note` says why."""
    directions = {e.label: e.plugin.metrics for e in bench.evaluators}
    rows = [
        {
            "dataset": _dataset_of(score.test_set, bench),
            "generator": outcome.trial.generator.label,
            "role": outcome.trial.generator.plugin.role,
            "seed": outcome.trial.index,
            "evaluator": label,
            "direction": directions[label][score.metric],
            **vars(score),
        }
        for outcome in outcomes
        for label, scores in outcome.scores.items()
        for score in scores
    ]
    table = pd.DataFrame(rows, columns=SCORE_COLUMNS)
    return table.astype({"classifier_seed": "Int64", "seed": "Int64", "n": "Int64"})


def _dataset_of(test_set: str, bench: Benchmark) -> str:
    """The label of the data set that a test set comes from."""
    labels = (e.label for e in bench.external if test_set == e.label or test_set.startswith(f"{e.label}/"))
    return next(labels, bench.dataset.label)


def leaderboard(bench: Benchmark, scores: pd.DataFrame, outcomes: Sequence[Outcome]) -> pd.DataFrame:
    """One row a generator, best headline first; floors, ceilings and rows without a headline have no rank."""
    labels = list(dict.fromkeys(o.trial.generator.label for o in outcomes))
    trials = Counter(o.trial.generator.label for o in outcomes)
    means, spreads = _cells(scores, trials)
    columns = _metric_columns(bench, means)
    rows = []
    for label in labels:
        mine = [o for o in outcomes if o.trial.generator.label == label]
        done = sum(o.status == "done" for o in mine)
        row: dict[str, Any] = {"rank": None, "generator": label, "status": _status(mine)}
        for column in columns:
            row[column] = means.get((label, column), math.nan)
            row[f"{column}_sd"] = spreads.get((label, column), math.nan)
        row |= {
            "role": mine[0].trial.generator.plugin.role,
            "seeds": f"{done}/{bench.seeds}",
            **_costs(bench, mine),
        }
        row["reason"] = "; ".join(reason for o in mine for reason in o.reasons)
        rows.append(row)
    return _ranked(pd.DataFrame(rows), bench)


def column_name(evaluator: str, metric: str, test_set: str, seen: str) -> str:
    """`tstr.auroc` on the test set "test"; elsewhere `tstr.auroc@train[seen]`, marked where images were used."""
    name = f"{evaluator}.{metric}"
    if test_set in ("test", ""):
        return name
    return f"{name}@{test_set}[{'seen' if seen == 'generator' else seen}]" if seen else f"{name}@{test_set}"


Cells = dict[tuple[str, str], float]


def _cells(scores: pd.DataFrame, trials: Mapping[str, int]) -> tuple[Cells, Cells]:
    """Mean and standard deviation over seeds (generator's, then classifier's) of each cell of the board.

    An undefined value, or a trial without one, makes its cell undefined: nothing is averaged over what is missing.
    """
    means: Cells = {}
    spreads: Cells = {}
    keys = ["generator", "evaluator", "metric", "test_set", "seen"]
    for values, group in scores.groupby(keys, sort=False, dropna=False):
        generator, *column = map(str, values)
        cell = (generator, column_name(*column))
        complete = group["seed"].nunique() == trials[generator]
        means[cell] = float(group["value"].mean(skipna=False)) if complete else math.nan
        spreads[cell] = float(group["value"].std(ddof=1, skipna=False)) if complete else math.nan
    return means, spreads


def _metric_columns(bench: Benchmark, means: Cells) -> list[str]:
    """The headline, then every metric in the file's order, on `test` first."""
    declared = [f"{e.label}.{metric}" for e in bench.evaluators for metric in e.plugin.metrics]
    others = dict.fromkeys(column for _, column in means if column not in declared)
    return list(dict.fromkeys([bench.headline, *declared, *others]))


def _status(outcomes: Sequence[Outcome]) -> str:
    states = {o.status for o in outcomes}
    return next(state for state in ("failed", "skipped", "done") if state in states)


def _costs(bench: Benchmark, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Mean seconds a seed and peaks over all stages."""
    stages = ["fit", "sample", *(e.label for e in bench.evaluators)]
    costs: dict[str, Any] = {}
    for stage in stages:
        found = [o.costs[stage] for o in outcomes if stage in o.costs]
        costs[f"{stage}_wall_s"] = _mean([c["wall_s"] for c in found])
        costs[f"{stage}_cpu_s"] = _mean([c["cpu_s"] for c in found])
        if stage == "sample":
            costs["sample_images_per_s"] = _mean([c["images"] / max(c["wall_s"], 1e-9) for c in found], digits=1)
    everything = [cost for o in outcomes for cost in o.costs.values()]
    for peak in ("peak_memory_mb", "peak_gpu_mb"):
        costs[peak] = max((c[peak] for c in everything if c[peak] is not None), default=math.nan)
    return costs


def _mean(values: list[float], digits: int = 3) -> float:
    return round(sum(values) / len(values), digits) if values else math.nan


def _ranked(board: pd.DataFrame, bench: Benchmark) -> pd.DataFrame:
    evaluator, _, metric = bench.headline.rpartition(".")
    direction = next(e.plugin.metrics[metric] for e in bench.evaluators if e.label == evaluator)
    ascending = direction == "lower"
    candidates = board["role"] == "candidate"
    board["rank"] = board.loc[candidates, bench.headline].rank(method="min", ascending=ascending).astype("Int64")
    return board.sort_values(bench.headline, ascending=ascending, na_position="last", kind="stable").reset_index(
        drop=True
    )


def _trial_record(outcome: Outcome) -> dict[str, Any]:
    trial = outcome.trial
    return {
        "generator": trial.generator.label,
        "index": trial.index,
        "seed": trial.seed,
        "status": outcome.status,
        "reasons": outcome.reasons,
        "costs": outcome.costs,
        "from_store": outcome.from_store,
    }


def _csv(table: pd.DataFrame) -> str:
    return table.to_csv(index=False, lineterminator="\n")
