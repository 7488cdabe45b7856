"""The sweep: every evaluator on real images that get worse step by step, in place of synthetic ones.

A half of the real training images, by patient, stands in for the synthetic set; the evaluators get the other half
as `train`. So strength 0 is real against real, and it is repeated on other halvings, to know how much a number
moves when nothing but the draw of images changes.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from synthbench.api.interfaces import Context, Evaluator, Generator, Sampler
from synthbench.api.registry import did_you_mean
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.benchmark.plan import Trial, evaluator_seed
from synthbench.data.audit import Audit
from synthbench.data.holdout import copies_within
from synthbench.data.split import grouped_split
from synthbench.errors import ConfigError, DataError, Skipped, StoreError
from synthbench.leaderboard.estimates import Estimates, estimates_of
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.runner.failure import Failure, message_of
from synthbench.runner.load_data import audited_splits
from synthbench.runner.session import Session
from synthbench.runner.stages import Seeds, evaluate
from synthbench.seeds import derive_seed
from synthbench.storage.layout import safe_name
from synthbench.stress.degrade import degradations
from synthbench.types import Images, Splits

__all__ = ["Point", "Sweep", "asked", "halves", "sweep"]

REPEATS = 5
"""Halvings at strength 0."""

FAILURES = "failed"
"""The folder of their tracebacks."""

FAILED = "failed: "
"""How the note of a point begins whose evaluator raised an error."""

_Scored = Estimates | str
Index = npt.NDArray[np.integer]


@dataclass(frozen=True)
class Point:
    """A metric at one strength. `low`, `high`: its 95 % interval; NaN where there is none.

    degradation  "" at strength 0, where all begin
    repeat       which halving: those after the first are of strength 0
    """

    degradation: str
    strength: float
    repeat: int
    key: ScoreKey
    value: float
    low: float = math.nan
    high: float = math.nan
    note: str = ""


@dataclass(frozen=True)
class Sweep:
    """How it is done: `levels` strengths above 0, evenly spaced up to 1; at most `images` in each half."""

    levels: int = 5
    images: int = 1000

    def __post_init__(self) -> None:
        if self.levels < 2 or self.images < 2:
            raise ConfigError("--levels and --images must be 2 or more")

    @property
    def strengths(self) -> list[float]:
        return [k / self.levels for k in range(1, self.levels + 1)]


@dataclass(frozen=True)
class _Set:
    """A stand-in set under evaluation, against the real data that goes with it."""

    degradation: str
    strength: float
    repeat: int
    real: Splits
    images: Images

    @property
    def title(self) -> str:
        if not self.degradation:
            return f"real-{self.repeat}"
        return f"{self.degradation}-{self.strength:.2f}"


class _Degraded(Generator):
    """Stands in a trial where a generator would."""

    name = "degraded-reals"

    def fit(self, train: Images, ctx: Context) -> Sampler:
        raise NotImplementedError("degraded images are not drawn from a sampler")


def sweep(bench: Benchmark, session: Session, out: Path, how: Sweep, only: Sequence[str] = ()) -> list[Point]:
    """All points; what an evaluator could not do is a point without a value and with a note.

    only  labels of evaluators, all where empty

    Raises DataError where there are too few images to halve.
    """
    evaluators = asked(bench, only)
    shutil.rmtree(out / FAILURES, ignore_errors=True)  # of an earlier one
    splits, audit = audited_splits(bench, session)
    scored_sets: dict[str, list[tuple[_Set, _Scored]]] = {entry.label: [] for entry in evaluators}
    total = REPEATS + len(degradations(splits.train)) * how.levels
    with session.progress.bar("stress test", total, unit="sets") as bar:
        for one in _sets(splits, audit, how, bench.seed):
            for entry in evaluators:
                scored_sets[entry.label].append((one, _evaluated(one, entry, bench, session, out)))
            bar.advance(1, note=one.title)
    return [point for entry in evaluators for point in _points(entry, scored_sets[entry.label])]


def asked(bench: Benchmark, only: Sequence[str]) -> list[Entry[Evaluator]]:
    """The evaluators of these labels, all of the file's where empty. Raises ConfigError for an unknown one."""
    labels = [entry.label for entry in bench.evaluators]
    for label in only:
        if label not in labels:
            raise ConfigError(f"--only {label}: no such evaluator.{did_you_mean(label, labels)}")
    shown = only or [label for label in labels if label != bench.size_curve]  # of real images, the same each time
    return [entry for entry in bench.evaluators if entry.label in shown]


def halves(splits: Splits, audit: Audit, images: int, seed: int) -> tuple[Splits, Images]:
    """Real data whose `train` is one half, and the other half; at most `images` each, as many in both.

    Of the test sets only "test" stays. Raises DataError where a class has images of one patient only.
    """
    rng = np.random.default_rng(seed)
    other = grouped_split(splits.train, 0.5, rng, copies_within(splits.train.ids, audit))
    sides = [rng.permutation(np.flatnonzero(side)) for side in (~other, other)]
    size = min(images, *map(len, sides))
    if size < (classes := len(np.unique(splits.train.labels))):
        raise DataError(f"{size} images in each half are too few for {classes} classes; raise --images")
    train, stand_in = (splits.train.subset(_some(side, splits.train.labels, size)) for side in sides)
    tests = {name: test for name, test in splits.tests.items() if name == "test"}
    return replace(splits, train=train, tests=tests, geometry={}, attributes={}), stand_in


def _some(side: Index, labels: Index, size: int) -> Index:
    """`size` of the places in `side`, the first of each class, in its share of them: one at least."""
    of_class = [side[labels[side] == k] for k in np.unique(labels[side])]
    exact = np.array([len(places) for places in of_class]) * size / len(side)
    counts = np.maximum(np.floor(exact), 1).astype(np.int64)
    for k in np.argsort(counts - exact, kind="stable")[: max(0, size - counts.sum())]:  # the largest remainders
        counts[k] += 1
    while counts.sum() > size:  # what rare classes got more than their share
        counts[counts.argmax()] -= 1
    return np.sort(np.concatenate([places[:n] for places, n in zip(of_class, counts, strict=True)]))


def _sets(splits: Splits, audit: Audit, how: Sweep, seed: int) -> Iterator[_Set]:
    pairs = [halves(splits, audit, how.images, derive_seed(seed, "stress", repeat)) for repeat in range(REPEATS)]
    for repeat, (real, images) in enumerate(pairs):
        yield _Set("", 0.0, repeat, real, images)
    real, images = pairs[0]
    for degrade in degradations(real.train):
        for strength in how.strengths:
            degraded = degrade(images, strength, derive_seed(seed, "stress", degrade.name))
            yield _Set(degrade.name, strength, 0, real, degraded)


def _evaluated(one: _Set, entry: Entry[Evaluator], bench: Benchmark, session: Session, out: Path) -> _Scored:
    """An evaluator's figures of one set, or why there are none; the traceback of a failure goes to `out`."""
    failed = out / FAILURES / one.title / safe_name(entry.label)
    try:
        return estimates_of([_trial_result(one, entry, bench, session, failed)], 1)
    except StoreError:
        raise
    except Skipped as reason:
        return f"skipped: {message_of(reason)}"
    except (Exception, SystemExit) as error:
        failure = Failure.of(error)
        failed.mkdir(parents=True, exist_ok=True)
        (failed / "error.txt").write_text(failure.trace, encoding="utf-8")
        return f"{FAILED}{failure.text}"


def _trial_result(
    one: _Set, entry: Entry[Evaluator], bench: Benchmark, session: Session, failed: Path
) -> TrialResult:
    """As of a trial, so that numbers get their intervals as on the board."""
    trial = Trial(Entry.of(one.title, _Degraded.name, _Degraded()), 0, bench.seed, (entry,))
    seeds = Seeds(evaluator_seed(bench, entry, 0), bench.seed)
    evaluated = evaluate(entry, seeds, one.real, one.images, session, failed)
    scores, replicates = {entry.label: evaluated.scores}, {entry.label: evaluated.replicates}
    return TrialResult(trial, scores=scores, replicates=replicates)


def _points(entry: Entry[Evaluator], scored_sets: Sequence[tuple[_Set, _Scored]]) -> Iterator[Point]:
    """Metric by metric in the order they are declared, each on every set."""
    keys = dict.fromkeys(key for _, scored in scored_sets if not isinstance(scored, str) for key in scored)
    for metric in entry.declared.metrics:
        of_metric = [key for key in keys if key.metric == metric and _shown(key)]
        for key in of_metric or [ScoreKey(entry.label, metric)]:
            yield from (_point(one, key, scored) for one, scored in scored_sets)


def _shown(key: ScoreKey) -> bool:
    """Not variants, nor what the synthetic images say of themselves."""
    return not key.variant and key.seen != "validation"


def _point(one: _Set, key: ScoreKey, scored: _Scored) -> Point:
    where = (one.degradation, one.strength, one.repeat, key)
    if isinstance(scored, str):
        return Point(*where, math.nan, note=scored)
    estimate = scored.get(key)
    if estimate is None or estimate.text:
        return Point(*where, math.nan, note=estimate.text if estimate else "no such score")
    return Point(*where, estimate.value, estimate.interval.low, estimate.interval.high)
