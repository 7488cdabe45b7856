"""What a board does where seeds are few: intervals borrow from other rows, the seeds' values stand beside them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from synthbench.leaderboard.estimates import Estimate, Estimates
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stats import pools

__all__ = ["UNKNOWN", "by_seed", "rank_basis", "with_pools"]

UNKNOWN = "unknown"
"""Stands for the ends of an interval where the seeds' margin exceeds a quarter of the metric's range."""


def with_pools(estimates: Mapping[str, Estimates], floors: Collection[str]) -> dict[str, Estimates]:
    """The same estimates, each knowing how much the seeds of comparable rows vary: see `stats.pooling`.

    estimates  by generator
    floors     generators that are floors: they borrow from each other, since a classifier without a signal varies
               far more than one with

    Comparable are seeds of the same kind, too: of the generator, or of the classifier where there is one generator
    seed. Values stay as they are, and so do all tests. Linear in the number of rows.
    """
    lenders: dict[tuple[ScoreKey, bool, bool], dict[str, float]] = {}
    for label, known in estimates.items():
        for key, estimate in known.items():
            if not estimate.text:
                kind = key, label in floors, estimate.generator_seeds > 1
                lenders.setdefault(kind, {})[label] = estimate.seed_variance
    pooled: dict[str, dict[ScoreKey, Estimate]] = {label: dict(known) for label, known in estimates.items()}
    for (key, *_), variances in lenders.items():
        for label, pool in zip(variances, pools(list(variances.values())), strict=True):
            pooled[label][key] = replace(pooled[label][key], pool=pool)
    return dict(pooled)


def rank_basis(head: Estimate) -> str:
    """What is said beside the rank and interval of a generator with one seed; "" of more."""
    one = head.generator_seeds == 1
    return "1 seed: intervals and order of these models; another seed may turn it" if one else ""


def by_seed(estimate: Estimate) -> str:
    """ "0.435, 0.507": the seeds' values, of two seeds or of an interval that is too wide to say much; else ""."""
    shown = not estimate.text and (len(estimate.values) == 2 or estimate.interval.wide)
    return ", ".join(f"{value:.3g}" for value in estimate.values) if shown else ""
