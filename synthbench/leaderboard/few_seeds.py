"""What a board does where seeds are few: intervals borrow from other rows, the seeds' values stand beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from synthbench.leaderboard.estimates import Estimate, Estimates
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stats import pools
from synthbench.storage.layout import Column

__all__ = ["ONE_SEED", "by_seed", "one_seed_note", "with_pools"]

ONE_SEED = "1 seed: intervals and order are of these models; another seed may turn them"


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


def one_seed_note(rows: Iterable[Mapping[str, str]]) -> str:
    """What is to be said once of a board whose ranked rows have one generator seed each; "" of others.

    rows  of leaderboard.csv; where only some have one seed, they are named
    """
    ranked = [row for row in rows if row.get(Column.RANK)]
    alone = [row[Column.GENERATOR] for row in ranked if row.get(Column.SEEDS) == "1"]
    whose = f" ({', '.join(alone)})" if len(alone) < len(ranked) else ""
    return f"{ONE_SEED}{whose}" if alone else ""


def by_seed(estimate: Estimate) -> str:
    """ "0.435, 0.507": the seeds' values, of two seeds or of an interval that is too wide to say much; else ""."""
    shown = not estimate.text and (len(estimate.values) == 2 or estimate.interval.wide)
    # With the zeros at its end, "0.930, 0.931": as many digits of each.
    return ", ".join(f"{value:#.3g}".removesuffix(".") for value in estimate.values) if shown else ""
