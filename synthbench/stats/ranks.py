"""Ranks as groups: a tie that the data do not break stays one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

__all__ = ["holm", "rank_groups"]


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values, in the order given; a NaN stays one and is no test.

    Holm, Scandinavian Journal of Statistics 6, 1979: rejecting where an adjusted p is below alpha keeps the chance
    of any false rejection below alpha, however the tests depend on each other.
    """
    adjusted = np.array(p, dtype=np.float64)
    order = np.argsort(adjusted)[: len(adjusted) - int(np.isnan(adjusted).sum())]  # NaN comes last
    steps = adjusted[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1)
    return [float(value) for value in adjusted]


def rank_groups(labels: Sequence[str], better: Collection[tuple[str, str]]) -> dict[str, tuple[int, int]]:
    """(rank_low, rank_high) of each label.

    better  pairs (a, b), each once: a is significantly better than b; a pair that is missing is undecided

    rank_low is 1 + the number of those significantly better, rank_high is n less those significantly worse. The
    relation need not be transitive: a may tie with b and b with c though a is better than c.
    """
    wins, defeats = Counter(a for a, _ in better), Counter(b for _, b in better)
    return {label: (1 + defeats[label], len(labels) - wins[label]) for label in labels}
