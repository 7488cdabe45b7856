"""The rows that `--only` leaves alone: those of the board that lay in the folder before."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial, make_plan
from synthbench.errors import DataError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.results.folder import dig, read_record

__all__ = ["Earlier", "Key", "as_it_stood", "earlier_trials", "in_order", "key_of", "left_out"]

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


def in_order(order: Sequence[Key], results: Mapping[Key, TrialResult]) -> list[TrialResult]:
    """The results in that order, as far as there are any."""
    return [results[key] for key in order if key in results]
