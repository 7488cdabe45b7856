"""Where a candidate stands between floor and ceiling: utility = (score - floor) / (ceiling - floor)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.leaderboard.estimates import Estimate, Floats
from synthbench.stats import utility

__all__ = ["utilities"]

FLOOR = "shuffled-labels"
"""What it reaches is the floor of a metric whose value under guessing is not known beforehand."""


def utilities(label: str, estimates: Mapping[str, Estimate], bench: Benchmark, n_classes: int) -> dict[str, Any]:
    """`utility`, its bounds and what it was measured by, against the balanced and the imbalanced real ceiling.

    estimates  the headline of every generator
    Empty cells where the file has no such ceiling.
    """
    floor = _floor(estimates, bench, n_classes)
    columns: dict[str, Any] = {}
    for suffix, prior in (("", "balanced"), ("_imbalanced", "train")):
        ceiling = next((g for g in bench.generators if _is_ceiling(g, prior)), None)
        columns |= _utility(label, ceiling, estimates, floor, bench, f"utility{suffix}")
    return columns


def _is_ceiling(entry: Entry[Any], prior: str) -> bool:
    return entry.declared.role == "ceiling" and entry.declared.prior == prior


@dataclass(frozen=True)
class Floor:
    """A constant, or the values and replicates of a generator; `note` says which."""

    value: float | tuple[Floats, Floats]
    note: str


def _utility(
    label: str,
    ceiling: Entry[Any] | None,
    estimates: Mapping[str, Estimate],
    floor: Floor | None,
    bench: Benchmark,
    name: str,
) -> dict[str, Any]:
    empty = dict.fromkeys([name, f"{name}_low", f"{name}_high", f"{name}_note"])
    if ceiling is None or floor is None or any(not _known(estimates.get(c)) for c in (label, ceiling.label)):
        return empty
    candidate, top = estimates[label], estimates[ceiling.label]
    share = utility(_resampled(candidate), _resampled(top), floor.value, groups=candidate.patients)
    note = f"ceiling {ceiling.label} of {bench.samples} images; {floor.note}"
    if not share.defined:
        return {**empty, name: "undefined", f"{name}_note": f"{share.note}; {note}"}
    return {name: share.value, f"{name}_low": share.low, f"{name}_high": share.high, f"{name}_note": note}


def _known(estimate: Estimate | None) -> bool:
    return estimate is not None and not estimate.text and estimate.replicates is not None


def _resampled(estimate: Estimate) -> tuple[Floats, Floats]:
    if estimate.replicates is None:
        raise ValueError(f"{estimate.key.name} has no replicates")
    return estimate.values, estimate.replicates


def _floor(estimates: Mapping[str, Estimate], bench: Benchmark, n_classes: int) -> Floor | None:
    """Chance where it is known, else the estimate of `shuffled-labels`; None where that did not run."""
    chance = {"balanced_accuracy": 1 / n_classes, "auroc": 0.5, "balanced_accuracy_matched": 0.5}
    if (metric := bench.headline.metric) in chance:
        return Floor(chance[metric], f"floor {chance[metric]:.3g} (chance)")
    estimate = estimates.get(FLOOR)
    if estimate is None or not _known(estimate):
        return None
    return Floor(_resampled(estimate), f"floor {FLOOR} (mean over {len(estimate.values)} seeds)")
