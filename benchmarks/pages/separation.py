"""How well a metric tells training sets apart: pure functions of a table of runs."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

__all__ = ["ladder_correlation", "pairs_in_order", "variance_ratio"]


def variance_ratio(runs: pd.DataFrame) -> float:
    """Variance between the means of training sets over the mean variance between seeds of one set (both unbiased).

    runs  columns `training` (the set's name) and `value`, a row a seed; two sets or more of two seeds or more

    At 1/R, with R seeds, the means differ by no more than their seeds make them.
    """
    by_set = runs.groupby("training").value
    return float(by_set.mean().var(ddof=1) / by_set.var(ddof=1).mean())


def pairs_in_order(runs: pd.DataFrame) -> float:
    """Of pairs of single runs of two sets, the share whose order is that of the two sets' means; ties count half.

    What a board of one seed would get right, if the means over all seeds were the truth. `runs` as above.
    """
    means = runs.groupby("training").value.mean()
    values = {name: group.to_numpy() for name, group in runs.groupby("training").value}
    shares: list[npt.NDArray[np.float64]] = []
    for a, b in itertools.combinations(values, 2):
        difference = values[a][:, None] - values[b]
        agreed = np.sign(difference) * np.sign(means[a] - means[b])
        shares.append(((agreed + 1) / 2).ravel())
    return float(np.concatenate(shares).mean())


def ladder_correlation(runs: pd.DataFrame) -> float:
    """Spearman's rank correlation of single runs with the truth: the less noise, the better.

    runs  columns `noise` (share of random labels) and `value`
    """
    return float(stats.spearmanr(-runs.noise, runs.value).statistic)
