"""The rows that `--only` leaves alone: those of the board that lay in the folder before."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial, make_plan
from synthbench.errors import ConfigError, DataError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.results.folder import dig, read_record
from synthbench.runner.elsewhere.ended import is_missing

__all__ = [
    "Earlier",
    "Key",
    "as_it_stood",
    "earlier_trials",
    "in_order",
    "key_of",
    "left_out",
    "refuse_to_forget",
]

Key = tuple[str, int]
"""A trial's generator and index."""

Earlier = Mapping[Key, Mapping[str, Any]]
"""What an earlier run.json says of its trials."""


def key_of(trial: Trial) -> Key:
    """What names it within its benchmark."""
    return trial.generator.label, trial.index


def earlier_trials(bench: Benchmark, out: Path) -> Earlier:
    """The trials of the board in `out`, of the same benchmark; none where there is none that can be read."""
    with contextlib.suppress(DataError):
        record = read_record(out)
        if dig(record, "benchmark", "name", default="") == bench.name:
            return {(trial["generator"], trial["index"]): trial for trial in record["trials"]}
    return {}


def left_out(bench: Benchmark, plan: Sequence[Trial], earlier: Earlier) -> list[Trial]:
    """The trials of the file that are not in `plan` and stood on the earlier board."""
    asked = set(map(key_of, plan))
    return [trial for trial in make_plan(bench) if key_of(trial) in earlier.keys() - asked]


def as_it_stood(result: TrialResult, earlier: Mapping[str, Any]) -> TrialResult | None:
    """A trial put together from the store: as it is, or with the reasons that its failure had; else None."""
    if result.status == "done":
        return result
    if earlier.get("status") not in ("failed", "skipped"):
        return None
    result.status, result.reasons = earlier["status"], list(earlier["reasons"])
    return result


def refuse_to_forget(collected: Sequence[TrialResult], earlier: Earlier, store: Path, out: Path) -> None:
    """Raise ConfigError where the board in `out` has numbers of trials that the store does not hold.

    A store that was emptied, or another one than the board is from, is no reason to throw a finished board away.
    """
    lost = [
        result.trial.title
        for result in collected
        if is_missing(result) and earlier.get(key_of(result.trial), {}).get("status") == "done"
    ]
    if lost:
        named = "; ".join(lost[:3]) + " ..." * (len(lost) > 3)
        raise ConfigError(
            f"the board in {out} would lose {len(lost)} of its trials ({named}), which the store in {store} does "
            "not hold as this file asks for them. Nothing was changed: set SYNTHBENCH_CACHE to their store, work "
            "them off, or collect into another folder with --out"
        )


def in_order(order: Sequence[Key], results: Mapping[Key, TrialResult]) -> list[TrialResult]:
    """The results in that order, as far as there are any."""
    return [results[key] for key in order if key in results]
