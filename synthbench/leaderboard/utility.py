"""Where a candidate stands between floor and ceiling: utility = (score - floor) / (ceiling - floor).

And its worth: how many real images give the same score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.leaderboard.estimates import Estimate, Estimates, Floats
from synthbench.leaderboard.floors import chance_of
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stats import utility, worth
from synthbench.storage.layout import Column, high, low

__all__ = ["Utility", "utilities", "worth_text", "worths"]

FLOOR = "shuffled-labels"
"""What it reaches is the floor of a metric whose value under guessing is not known beforehand."""


@dataclass(frozen=True)
class Utility:
    """A row of intervals.csv. `value` is NaN where undefined; `note` says by what it was measured, or why not.

    `wide`: the seeds of candidate or ceiling lie so far apart that the ends say next to nothing.
    """

    metric: str
    value: float
    low: float
    high: float
    note: str
    wide: bool = False


def utilities(
    label: str, estimates: Mapping[str, Estimate], bench: Benchmark, n_classes: int
) -> dict[str, Utility]:
    """By name, against the balanced and the imbalanced real ceiling, where the file has such a one.

    estimates  the headline of every generator
    """
    floor = _floor(estimates, bench, n_classes)
    known: dict[str, Utility] = {}
    for name, prior in ((Column.UTILITY, "balanced"), ("utility_imbalanced", "train")):
        ceiling = bench.ceiling(prior)
        if ceiling and floor and all(_known(estimates.get(c)) for c in (label, ceiling.label)):
            known[name] = _utility(label, ceiling, estimates, floor, bench, name)
    return known


def worths(
    labels: Sequence[str], heads: Mapping[str, Estimate], of_ceiling: Estimates, bench: Benchmark
) -> dict[str, Utility]:
    """Of each label the worth of its headline in real images; none where curve or headline are not known.

    heads       the headline of every generator
    of_ceiling  all estimates of the balanced real ceiling
    """
    curve = _size_curve(of_ceiling, bench)
    known = (label for label in labels if _known(heads.get(label)))
    return {label: _worth(heads[label], curve, bench) for label in known} if curve else {}


def _size_curve(of_ceiling: Estimates, bench: Benchmark) -> list[tuple[Floats, Floats]]:
    """The ceiling's values and replicates at each of `real_sizes`; empty where one is missing or none is asked."""
    if not bench.real_sizes:
        return []
    variants = [*(f"{size} images" for size in bench.real_sizes[:-1]), ""]
    keys = [ScoreKey(bench.size_curve, bench.headline.metric, "test", variant=variant) for variant in variants]
    points = [point for key in keys if (point := of_ceiling.get(key)) and _known(point)]
    return [*map(_resampled, points)] if len(points) == len(keys) else []


def _worth(head: Estimate, curve: Sequence[tuple[Floats, Floats]], bench: Benchmark) -> Utility:
    known = worth(_resampled(head), curve, bench.real_sizes, bounds=head.bounds, groups=head.patients)
    note = f"of {', '.join(map(str, bench.real_sizes))} real images, classes balanced, scored as the headline"
    text = f"{known.note}; {note}" if known.note else note
    value, low, high = map(_whole, (known.value, known.low, known.high))
    return Utility(Column.WORTH, value, low, high, text)


def worth_text(row: Mapping[str, str]) -> str:
    """Of a row of the board: "420 (250 to 900)" real images; "at least 700", "at most 90" where the curve ends."""
    columns = (Column.WORTH, low(Column.WORTH), high(Column.WORTH))
    value, least, most = (_number(row.get(column, "")) for column in columns)
    if math.isnan(least) or math.isnan(most):
        return ""
    ends = f"{least:.0f} to {most:.0f}"
    if math.isinf(most):
        ends = f"at least {least:.0f}" if least else "unknown"
    elif not least:
        ends = f"at most {most:.0f}"
    return ends if math.isnan(value) else f"{value:.0f} ({ends})"


def _number(cell: str) -> float:
    """NaN where it is none; infinite where the file says so."""
    try:
        return float(cell)
    except ValueError:
        return math.nan


def _whole(images: float) -> float:
    return float(round(images)) if math.isfinite(images) else images


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
    score, best = _resampled(candidate), _resampled(top)
    share = utility(score, best, floor.value, bounds=candidate.bounds, groups=candidate.patients)
    note = f"ceiling {ceiling.label} of {bench.samples} images; {floor.note}"
    if not share.defined:
        return Utility(name, math.nan, math.nan, math.nan, f"undefined: {share.note}; {note}")
    wide = candidate.interval.wide or top.interval.wide
    return Utility(name, share.value, share.low, share.high, note, wide)


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
    floors = (entry for entry in bench.generators if entry.declared.role == "floor")
    label = next((entry.label for entry in floors if FLOOR in (entry.use, entry.label)), "")
    estimate = estimates.get(label)
    if estimate is None or not _known(estimate):
        return None
    return Floor(_resampled(estimate), f"floor {label} (mean over {len(estimate.values)} seeds)")
