"""Where a candidate stands between floor and ceiling: utility = (score - floor) / (ceiling - floor)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.leaderboard.estimates import Estimate, Floats
from synthbench.leaderboard.floors import chance_of
from synthbench.stats import utility
from synthbench.storage.layout import Column

__all__ = ["Utility", "utilities"]

FLOOR = "shuffled-labels"
"""What it reaches is the floor of a metric whose value under guessing is not known beforehand."""


@dataclass(frozen=True)
class Utility:
    """A row of intervals.csv. `value` is NaN where undefined; `note` says by what it was measured, or why not."""

    metric: str
    value: float
    low: float
    high: float
    note: str


def utilities(
    label: str, estimates: Mapping[str, Estimate], bench: Benchmark, n_classes: int
) -> dict[str, Utility]:
    """By name, against the balanced and the imbalanced real ceiling, where the file has such a one.

    estimates  the headline of every generator
    """
    floor = _floor(estimates, bench, n_classes)
    known: dict[str, Utility] = {}
    for name, prior in ((Column.UTILITY, "balanced"), ("utility_imbalanced", "train")):
        ceiling = next((g for g in bench.generators if _is_ceiling(g, prior)), None)
        if ceiling and floor and all(_known(estimates.get(c)) for c in (label, ceiling.label)):
            known[name] = _utility(label, ceiling, estimates, floor, bench, name)
    return known


def _is_ceiling(entry: Entry[Any], prior: str) -> bool:
    return entry.declared.role == "ceiling" and entry.declared.prior == prior


@dataclass(frozen=True)
class Floor:
    """A constant, or the values and replicates of a generator; `note` says which."""

    value: float | tuple[Floats, Floats]
    note: str


def _utility(
    label: str,
    ceiling: Entry[Any],
    estimates: Mapping[str, Estimate],
    floor: Floor,
    bench: Benchmark,
    name: str,
) -> Utility:
    candidate, top = estimates[label], estimates[ceiling.label]
    share = utility(_resampled(candidate), _resampled(top), floor.value, groups=candidate.patients)
    note = f"ceiling {ceiling.label} of {bench.samples} images; {floor.note}"
    if not share.defined:
        return Utility(name, math.nan, math.nan, math.nan, f"undefined: {share.note}; {note}")
    return Utility(name, share.value, share.low, share.high, note)


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and not estimate.text and estimate.resampled is not None


def _resampled(estimate: Estimate) -> tuple[Floats, Floats]:
    if estimate.resampled is None:
        raise ValueError(f"{estimate.key.name} has no replicates")
    return estimate.values, estimate.resampled()


def _floor(estimates: Mapping[str, Estimate], bench: Benchmark, n_classes: int) -> Floor | None:
    """Chance where it is known, else the estimate of `shuffled-labels`; None where that did not run."""
    if (chance := chance_of(bench.headline.metric, n_classes)) is not None:
        return Floor(chance, f"floor {chance:.3g} (chance)")
    estimate = estimates.get(FLOOR)
    if estimate is None or not _known(estimate):
        return None
    return Floor(_resampled(estimate), f"floor {FLOOR} (mean over {len(estimate.values)} seeds)")
