"""Estimates: each metric of a generator over its seeds, with what is known of its uncertainty."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial

import numpy as np
import numpy.typing as npt

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.stats import Interval, Pool, interval, seed_variance
from synthbench.types import Score

__all__ = ["Estimate", "Estimates", "estimates_of"]

Floats = npt.NDArray[np.floating]
Row = tuple[TrialResult, Score]  # of scores.csv


@dataclass(frozen=True)
class Estimate:
    """One number of the board, or the `text` that stands in its place.

    values      (R,): by generator seed, classifiers averaged; of one generator seed, by classifier seed
    resampled   gives `replicates`; None where the evaluator cannot resample, or gives intervals of its own
    own         (n, 2): the evaluator's intervals, by row of scores.csv, where it gives them
    redrawn     gives the replicates that tests compare it by; None where there are none
    bounds      the metric's range
    n           images it was measured on, by row of scores.csv
    patients    whom they show, where the evaluator keeps its predictions
    note        what the evaluator says of the number
    pool        how much the seeds of comparable rows vary, where the interval borrows from them
    """

    key: ScoreKey
    values: Floats
    resampled: Callable[[], Floats] | None
    own: Floats | None
    redrawn: Callable[[], Floats] | None
    bounds: tuple[float, float] | None
    n: tuple[int, ...]
    patients: int | None
    generator_seeds: int
    classifier_seeds: int
    text: str = ""
    note: str = ""
    pool: Pool | None = None

    @property
    def replicates(self) -> Floats | None:
        """(R, B): the values in each resample of the test images. Read from disk each time, kept by nobody."""
        return self.resampled() if self.resampled else None

    @cached_property
    def interval(self) -> Interval:
        """For other images, patients and seeds; made when asked for, since not every reader of estimates does."""
        if self.own is not None:
            return widened(self.values, self.own, self.bounds, self.pool)
        return interval(
            *self.side,
            bounds=self.bounds,
            groups=self.patients,
            images=self.n[0],
            pool=self.pool,
        )

    @property
    def seed_variance(self) -> float:
        """What the seeds bring to the variance of one value: lent to other rows. NaN for one seed."""
        return seed_variance(self.side)

    @property
    def side(self) -> tuple[Floats, Floats | None]:
        """What its interval follows from: values and replicates."""
        return self.values, self.replicates

    @property
    def rival(self) -> tuple[Floats, Floats | None]:
        """What tests compare it by: values, and replicates under the draws that all generators meet."""
        return self.values, self.redrawn() if self.redrawn else None

    @property
    def value(self) -> float:
        """NaN where `text` stands instead."""
        return math.nan if self.text else float(self.values.mean())

    @property
    def notes(self) -> str:
        """What stands in place of a number, or what is to be said of it."""
        low, high = min(self.n), max(self.n)
        images = f"{low} to {high} images by seed" if low < high else ""
        return self.text or "; ".join(filter(None, [self.note, images]))


Estimates = Mapping[ScoreKey, Estimate]
"""All of one generator, by their columns."""


def estimates_of(results: Sequence[TrialResult], asked: int) -> dict[ScoreKey, Estimate]:
    """All estimates of one generator, of whose trials `asked` were planned.

    Nothing is averaged over what is missing: an undefined value, or a trial without one, leaves a text. What an
    evaluator was not to score is not missing.
    """
    rows: dict[ScoreKey, list[Row]] = {}
    for result in results:
        for label, scores in result.scores.items():
            for score in scores:
                rows.setdefault(ScoreKey.of(label, score).column, []).append((result, score))
    spared = Counter(
        label
        for result in results
        for label in {key.evaluator for key in rows} - {entry.label for entry in result.trial.evaluators}
    )
    return {key: _estimate(key, of_key, asked - spared[key.evaluator]) for key, of_key in rows.items()}


def _estimate(key: ScoreKey, rows: Sequence[Row], asked: int) -> Estimate:
    seeds = list(dict.fromkeys(result.trial.index for result, _ in rows))
    classifiers = len({score.classifier_seed for _, score in rows})
    by_seed = [[row for row in rows if row[0].trial.index == seed] for seed in seeds]
    # Of one generator seed nothing but its classifiers can vary; of several, classifiers are averaged within each.
    units = by_seed if len(by_seed) > 1 else [[row] for row in rows]
    values = np.array([np.mean([score.value for _, score in unit]) for unit in units])
    redrawn = partial(_replicates, key, units) if _known(key, rows) else None
    scores = [score for _, score in rows]
    own = _own_intervals(scores)
    return Estimate(
        key,
        values,
        resampled=redrawn if own is None else None,
        own=own,
        redrawn=redrawn,
        bounds=rows[0][0].bounds(key.evaluator, key.metric),
        n=tuple(score.n for score in scores),
        patients=rows[0][0].patients(key.evaluator, key.test_set),
        generator_seeds=len(seeds),
        classifier_seeds=classifiers,
        text=_text(scores, len(seeds), asked),
        note="; ".join(dict.fromkeys(score.note for score in scores if score.note)),
    )


def _text(scores: Sequence[Score], seeds: int, asked: int) -> str:
    """What stands in place of a number, if anything has to."""
    if seeds < asked:
        return f"{seeds}/{asked} seeds"
    notes = [score.note or "undefined" for score in scores if math.isnan(score.value)]
    return notes[0] if notes else ""


def _known(key: ScoreKey, rows: Sequence[Row]) -> bool:
    """Whether all rows were resampled: an interval over fewer would be another number's."""
    return all(
        key.evaluator in result.replicates
        and ScoreKey.of(key.evaluator, score).within_evaluation in result.replicates[key.evaluator].values
        for result, score in rows
    )


def _replicates(key: ScoreKey, units: Sequence[Sequence[Row]]) -> Floats:
    """(R, B): of each unit the mean over its classifiers, resample by resample."""
    by_classifier = [
        [
            result.replicates[key.evaluator].values[ScoreKey.of(key.evaluator, score).within_evaluation]
            for result, score in unit
        ]
        for unit in units
    ]
    return np.stack([np.mean(classifiers, axis=0, dtype=np.float64) for classifiers in by_classifier])


def _own_intervals(scores: Sequence[Score]) -> Floats | None:
    ends = [(score.low, score.high) for score in scores if score.low is not None and score.high is not None]
    return np.array(ends) if len(ends) == len(scores) else None


def widened(
    values: Floats, own: Floats, bounds: tuple[float, float] | None = None, pool: Pool | None = None
) -> Interval:
    """The evaluator's own interval of one seed; for several, their mean joined with the spread over seeds.

    Joined by MOVER (Zou & Donner, Statistics in Medicine 2008): the two half-widths, each side by itself, add up
    as squares; cut at the metric's range.
    """
    seeds = interval(values, None, bounds=None, groups=None, pool=pool)
    seeds = replace(seeds, wide=interval(values, None, bounds=bounds, groups=None, pool=pool).wide)
    low, high = own.mean(0)
    if len(values) == 1:
        return replace(seeds, low=low, high=high, sampling_low=low, sampling_high=high)
    mean, (least, most) = values.mean(), bounds or (-math.inf, math.inf)
    apart = 0.0 if math.isnan(seeds.low) else mean - seeds.low  # NaN: the seeds are all alike
    return replace(
        seeds,
        low=float(np.maximum(mean - math.hypot(mean - low, apart), least)),
        high=float(np.minimum(mean + math.hypot(high - mean, apart), most)),
        sampling_low=low,
        sampling_high=high,
    )
