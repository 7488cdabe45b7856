"""Several judges of the same images: where each ranks a generator, and how far they agree.

A rank that turns with the classifier is a rank of the classifier. The judges are those of the benchmark file,
fixed, not drawn from any population of classifiers: their mean is one over these, and its interval holds seeds and
images.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from synthbench.benchmark.definition import JUDGES, Benchmark
from synthbench.leaderboard.estimates import Estimate, Estimates, Floats
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult

__all__ = ["ByJudge", "JudgePair", "Places", "judge_pairs", "ranks_by_judge", "with_mean"]

ENOUGH = 6
"""Candidates from which on a rank correlation means something: of five in another order, 1 in 120 has tau 1."""

Places = Mapping[str, tuple[int, int]]  # rank_low and rank_high by generator
ByJudge = Mapping[str, Places]


@dataclass(frozen=True)
class JudgePair:
    """How far judges `a` and `b` agree on the order of the candidates that both have a number for.

    kendall_tau  tau-b of the headline's metric (Kendall, Biometrika 1945), -1 to 1; NaN below ENOUGH candidates
    p            two-sided, of no association
    """

    a: str
    b: str
    metric: str
    candidates: int
    kendall_tau: float
    p: float
    note: str = ""


def judge_pairs(values: Mapping[str, Mapping[str, float]], metric: str) -> list[JudgePair]:
    """Every pair of judges. `values` holds, by judge, the metric of each candidate that has a number."""
    return [_pair(a, b, values, metric) for a, b in itertools.combinations(values, 2)]


def _pair(a: str, b: str, values: Mapping[str, Mapping[str, float]], metric: str) -> JudgePair:
    from scipy.stats import kendalltau

    both = [label for label in values[a] if label in values[b]]
    if len(both) < ENOUGH:
        note = f"too few candidates for a rank correlation: {len(both)} ({ENOUGH} needed)"
        return JudgePair(a, b, metric, len(both), math.nan, math.nan, note)
    tau, p = kendalltau(*([values[judge][label] for label in both] for judge in (a, b)))
    return JudgePair(a, b, metric, len(both), float(tau), float(p), "all values alike" if math.isnan(tau) else "")


def ranks_by_judge(label: str, places: ByJudge) -> str:
    """ "agree: 1-2", or who puts a generator where; "" where a judge does not rank it.

    places  by judge, the ranks of all candidates
    """
    ranks = {judge: of_judge.get(label) for judge, of_judge in places.items()}
    shown = {judge: "-".join(dict.fromkeys(map(str, rank))) for judge, rank in ranks.items() if rank}
    if len(shown) < len(ranks) or not shown:
        return ""
    if len(set(shown.values())) == 1:
        return f"agree: {next(iter(shown.values()))}"
    return f"depends on the judge: {', '.join(f'{rank} by {judge}' for judge, rank in shown.items())}"


def with_mean(estimates: Estimates, bench: Benchmark, results: Sequence[TrialResult]) -> Estimates:
    """`estimates` of one generator; where the headline is the judges' mean, with that on every test set."""
    if bench.headline.evaluator != JUDGES:
        return estimates
    first, metric = bench.judges[0], bench.headline.metric
    means: dict[ScoreKey, Estimate] = {}
    for key in estimates:
        if (key.evaluator, key.metric, key.variant) == (first, metric, ""):
            judges = [estimates.get(key._replace(evaluator=judge)) for judge in bench.judges]
            known = [estimate for estimate in judges if estimate is not None]
            if len(known) == len(judges):
                mean = _mean(known, results[0].bounds(first, metric))
                means[mean.key] = mean
    return {**estimates, **means}


def _mean(judges: Sequence[Estimate], bounds: tuple[float, float] | None) -> Estimate:
    """Seed by seed and resample by resample: all judges met the same images, and have as many seeds."""
    key = judges[0].key._replace(evaluator=JUDGES)
    if missing := next((estimate for estimate in judges if estimate.text), None):
        return replace(missing, key=key)  # no mean over fewer judges: it would be another number
    values = np.mean([estimate.values for estimate in judges], axis=0)
    resampled = [estimate.resampled for estimate in judges if estimate.resampled is not None]
    mean = partial(_mean_of, resampled) if len(resampled) == len(judges) else None
    return replace(
        judges[0],
        key=key,
        values=values,
        resampled=mean,
        own=None,
        redrawn=mean,
        bounds=bounds,
        note="; ".join(dict.fromkeys(estimate.note for estimate in judges if estimate.note)),
    )


def _mean_of(resampled: Sequence[Callable[[], Floats]]) -> Floats:
    mean: Floats = np.mean([one() for one in resampled], axis=0)
    return mean
