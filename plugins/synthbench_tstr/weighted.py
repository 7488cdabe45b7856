"""The metrics of `summary` for many resamples of the test images at once: what intervals and tests are made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench_tstr.metrics import OF_TWO, SENSITIVITY, Labels, Probabilities, Truth

__all__ = ["weighted_summary"]

Weights = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float64]

BLOCK = 1 << 18
"""Weights looked at together: 2 MB of float64 stay in a core's cache."""


def weighted_summary(
    labels: Labels, probabilities: Probabilities, weights: Weights, positive: int | None = None
) -> dict[str, Floats]:
    """`summary` of many resamples of the images at once.

    labels, probabilities, positive  as in `summary`
    weights                          int (B, N) >= 0, how often each image counts in each of B resamples

    Returns float64 (B,) by metric: what `summary` gives for the images repeated so often, NaN where that is
    undefined. So the threshold of `balanced_accuracy_matched` is that of each resample, as its positives are.
    """
    n_classes = probabilities.shape[1]
    k = 1 if positive is None else positive
    rankings = [
        _Ranking.of(labels == c, probabilities[:, c]) for c in ([k] if n_classes == 2 else range(n_classes))
    ]
    cell = np.eye(n_classes**2)[labels * n_classes + probabilities.argmax(1)]  # (N, K^2), one-hot
    parts: list[dict[str, Floats]] = []
    for block in np.array_split(weights, max(1, weights.size // BLOCK)):
        by_image = np.ascontiguousarray(block.T, dtype=np.float64)  # (N, b): picking images picks whole rows
        confusions = (cell.T @ by_image).T.reshape(-1, n_classes, n_classes)
        counts = [ranking.counts(by_image) for ranking in rankings]
        parts.append({**_threshold_free(counts), **_from_confusions(confusions, k)})
    return {metric: np.concatenate([part[metric] for part in parts]) for metric in parts[0]}


class _Counts(NamedTuple):
    """Positives, negatives and both at or above each threshold, from none to all: (T + 1, b), of b resamples."""

    true: Floats
    false: Floats
    called: Floats


@dataclass(frozen=True, eq=False)
class _Ranking:
    """One class against the rest, sorted once for all resamples: thresholds lie between images of unlike scores.

    inside, outside          positions of the class's images and of the others, by descending score
    true_upto, false_upto    how many of each lie at or above each of T + 1 thresholds
    """

    inside: Labels
    outside: Labels
    true_upto: Labels
    false_upto: Labels

    @classmethod
    def of(cls, truth: Truth, scores: Probabilities) -> _Ranking:
        order = np.argsort(-scores, kind="stable")
        last_of_tie = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1) if len(order) else order
        upto = [np.append(0, np.cumsum(side[order])[last_of_tie]) for side in (truth, ~truth)]
        return cls(order[truth[order]], order[~truth[order]], *upto)

    def counts(self, weights: Floats) -> _Counts:
        """Weights (N, b) -> counts; sums of integers, so exact."""
        true = _cumulated(weights[self.inside])[self.true_upto]
        false = _cumulated(weights[self.outside])[self.false_upto]
        return _Counts(true, false, true + false)


def _cumulated(weights: Floats) -> Floats:
    """(n, b) -> (n + 1, b): of the first 0, 1, 2, ... rows."""
    sums = np.zeros((len(weights) + 1, weights.shape[1]))
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _threshold_free(counts: list[_Counts]) -> dict[str, Floats]:
    """The metrics that follow from rankings: of one class against the other, or of each against the rest."""

    def mean(metric: Callable[[_Counts], Floats]) -> Floats:
        means: Floats = np.mean([metric(one) for one in counts], axis=0)
        return means

    if len(counts) > 1:
        undefined = np.full(counts[0].true.shape[1], np.nan)
        return {"auroc": mean(_area), "auprc": mean(_auprc), **dict.fromkeys(sorted(OF_TWO), undefined)}
    (of_positive,) = counts
    return {
        "auroc": _area(of_positive),
        "auprc": _auprc(of_positive),
        "auprc_negative": _auprc_negative(of_positive),
        "balanced_accuracy_matched": _matched(of_positive),
        "specificity_at_90_sensitivity": _specificity(of_positive),
    }


def _area(counts: _Counts) -> Floats:
    """Mann-Whitney's U as a share of all pairs, ties counting half: trapezoids. Exact before the division."""
    true, false, _ = counts
    pairs = np.einsum("tb,tb->b", np.diff(false, axis=0), true[1:] + true[:-1])
    return _ratio(pairs, 2 * true[-1] * false[-1])


def _auprc(counts: _Counts) -> Floats:
    true, false, called = counts
    return _average_precision(np.diff(true, axis=0), true[1:], called[1:], false[-1])


def _auprc_negative(counts: _Counts) -> Floats:
    """The same from the other end: what is not above a threshold is called negative."""
    true, false, called = counts
    return _average_precision(np.diff(false, axis=0), false[-1] - false[:-1], called[-1] - called[:-1], true[-1])


def _average_precision(steps: Floats, hits: Floats, called: Floats, others: Floats) -> Floats:
    """The precision (T, b) at each threshold, weighted by what the threshold adds; NaN without the other class."""
    precision = hits / np.maximum(called, 1)  # where none is called, none is hit
    return np.where(others > 0, _ratio(np.einsum("tb,tb->b", steps, precision), steps.sum(0)), np.nan)


def _matched(counts: _Counts) -> Floats:
    """Balanced accuracy where as many are called positive as are; those tied there count by the share needed."""
    true, false, called = counts
    positives, resample = true[-1], np.arange(true.shape[1])
    upper = np.maximum((called < positives).sum(0), 1), resample  # the first threshold that calls enough
    lower = upper[0] - 1, resample
    share = _ratio(positives - called[lower], called[upper] - called[lower])
    hits = true[lower] + share * (true[upper] - true[lower])
    return (_ratio(hits, positives) + 1 - _ratio(positives - hits, false[-1])) / 2


def _specificity(counts: _Counts) -> Floats:
    """At the first threshold that finds enough of the positives."""
    true, false, _ = counts
    enough = (true < SENSITIVITY * true[-1]).sum(0)
    fall_out = _ratio(false[enough, np.arange(true.shape[1])], false[-1])
    return np.where(true[-1] > 0, 1 - fall_out, np.nan)


def _from_confusions(counts: Floats, positive: int) -> dict[str, Floats]:
    """The metrics that follow from confusion matrices (b, K, K), rows true, columns predicted; each (b,)."""
    right, true, predicted = counts.diagonal(axis1=1, axis2=2), counts.sum(2), counts.sum(1)
    recalls = _ratio(right, true)
    f1 = np.where((true > 0).all(1, keepdims=True), _ratio(2 * right, true + predicted), np.nan)
    binary = counts.shape[1] == 2
    return {
        "accuracy": _ratio(right.sum(1), true.sum(1)),
        "balanced_accuracy": recalls.mean(1),
        "f1": f1[:, positive] if binary else f1.mean(1),
        "recall": recalls[:, positive] if binary else recalls.mean(1),
    }


def _ratio(part: Floats, whole: Floats) -> Floats:
    """NaN where the whole is 0."""
    share = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=share, where=whole > 0)
    return share
