"""The cells of the board: each metric of a generator over its seeds, with what is known of its uncertainty."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench.leaderboard.bootstrap import Measured
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.stats import Interval, interval
from synthbench.types import Score

__all__ = ["Cell", "Column", "cells_of", "seen_mark"]

Floats = npt.NDArray[np.floating]


class Column(NamedTuple):
    """What a column of the board shows."""

    evaluator: str
    metric: str
    test_set: str
    seen: str
    variant: str

    @property
    def name(self) -> str:
        """`tstr.auroc` on "test"; elsewhere `tstr.auroc@train[seen]`: marked where images were used."""
        name = f"{self.evaluator}.{self.metric}"
        if self.test_set not in ("test", ""):
            name += f"@{self.test_set}"
        return name + "".join(f"[{mark}]" for mark in self.marks)

    @property
    def marks(self) -> list[str]:
        """What the images were used for ("seen": a generator trained on them), and the variant."""
        return [mark for mark in (seen_mark(self.seen), self.variant) if mark]


def seen_mark(seen: str) -> str:
    """What people read for `Score.seen`."""
    return {"generator": "seen"}.get(seen, seen)


@dataclass(frozen=True)
class Cell:
    """One number of the board, or the `text` that stands in its place.

    values      (R,): by generator seed, classifiers averaged; of one generator seed, by classifier seed
    replicates  (R, B): the same in each resample of the test images, None where the evaluator cannot resample
    n           images it was measured on, by row of scores.csv
    patients    whom they show, where the evaluator keeps its answers
    note        what the evaluator says of the number
    """

    column: Column
    values: Floats
    replicates: Floats | None
    interval: Interval
    sd: float
    n: tuple[int, ...]
    patients: int | None
    generator_seeds: int
    classifier_seeds: int
    text: str = ""
    note: str = ""

    @property
    def value(self) -> float:
        """NaN where `text` stands instead."""
        return math.nan if self.text else float(self.values.mean())

    @property
    def shown_n(self) -> str:
        """The number of images: "624", or "600-602" where it differs by seed."""
        low, high = min(self.n), max(self.n)
        return str(low) if low == high else f"{low}-{high}"


def cells_of(results: Sequence[TrialResult], asked: int) -> dict[Column, Cell]:
    """All cells of one generator, of whose trials `asked` were planned.

    Nothing is averaged over what is missing: an undefined value, or a trial without one, leaves a text.
    """
    rows: dict[Column, list[tuple[TrialResult, Score]]] = {}
    for result, column, score in _scores(results):
        rows.setdefault(column, []).append((result, score))
    return {column: _cell(column, found, asked) for column, found in rows.items()}


def _scores(results: Sequence[TrialResult]) -> Iterator[tuple[TrialResult, Column, Score]]:
    for result in results:
        for label, scores in result.scores.items():
            for score in scores:
                yield result, Column(label, score.metric, score.test_set, score.seen, score.variant), score


def _cell(column: Column, rows: list[tuple[TrialResult, Score]], asked: int) -> Cell:
    seeds = list(dict.fromkeys(result.trial.index for result, _ in rows))
    classifiers = len({score.classifier_seed for _, score in rows})
    by_seed = [[row for row in rows if row[0].trial.index == seed] for seed in seeds]
    units = by_seed if len(by_seed) > 1 else [[row] for row in rows]
    values = np.array([np.mean([score.value for _, score in unit]) for unit in units])
    found = [_replicates(column, unit) for unit in units]
    replicates = np.stack([r for r in found if r is not None]) if all(r is not None for r in found) else None
    patients = rows[0][0].patients(column.evaluator, column.test_set)
    scores = [score for _, score in rows]
    every = [score.value for score in scores]
    return Cell(
        column,
        values,
        replicates,
        _interval(values, replicates, scores, rows[0][0].bounds(column.evaluator, column.metric), patients),
        sd=float(np.std(every, ddof=1)) if len(every) > 1 else math.nan,
        n=tuple(score.n for score in scores),
        patients=patients,
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


def _replicates(column: Column, unit: Sequence[tuple[TrialResult, Score]]) -> Floats | None:
    """(B,): the mean over the unit's classifiers, resample by resample."""
    found = [
        result.replicates[column.evaluator].values.get(
            Measured(column.metric, column.variant, column.test_set, score.classifier_seed)
        )
        for result, score in unit
        if column.evaluator in result.replicates
    ]
    if len(found) < len(unit) or any(one is None for one in found):
        return None
    mean: Floats = np.mean([one for one in found if one is not None], axis=0, dtype=np.float64)
    return mean


def _interval(
    values: Floats,
    replicates: Floats | None,
    scores: Sequence[Score],
    bounds: tuple[float, float] | None,
    patients: int | None,
) -> Interval:
    given = [(score.low, score.high) for score in scores if score.low is not None and score.high is not None]
    if replicates is None and len(given) == len(scores):
        return widened(values, np.array(given))
    return interval(values, replicates, bounds=bounds, groups=patients, images=scores[0].n)


def widened(values: Floats, given: Floats) -> Interval:
    """The evaluator's own interval of one seed; for several, their mean joined with the spread over seeds.

    Joined by MOVER (Zou & Donner, Statistics in Medicine 2008): the two half-widths, each side by itself, add up
    as squares.
    """
    seeds = interval(values, None, bounds=None, groups=None)
    low, high = given.mean(0)
    if len(values) == 1:
        return replace(seeds, low=low, high=high, sampling_low=low, sampling_high=high)
    mean = values.mean()
    return replace(
        seeds,
        low=mean - math.hypot(mean - low, mean - seeds.low),
        high=mean + math.hypot(high - mean, seeds.high - mean),
        sampling_low=low,
        sampling_high=high,
    )
