"""From results to the five tables of a board: estimates, comparisons and ranks, and what is shown of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

import pandas as pd

from synthbench.benchmark.definition import Benchmark, Headline
from synthbench.data.test_sets import TestSet
from synthbench.errors import DataError
from synthbench.leaderboard.copying import flagged_by, may_have_seen_test
from synthbench.leaderboard.estimates import Estimate, Estimates, estimates_of
from synthbench.leaderboard.few_seeds import with_pools
from synthbench.leaderboard.judges import JudgePair, judge_pairs, ranks_by_judge, with_mean
from synthbench.leaderboard.long_tables import costs_table, intervals_table
from synthbench.leaderboard.pairwise import compare, listed, ranks
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.table import Standing, barred, board_table
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.leaderboard.utility import Utility, utilities, worths
from synthbench.storage.layout import Column
from synthbench.storage.predictions import load_predictions
from synthbench.types import Predictions

__all__ = ["Board", "heads_of", "make_board", "standings"]

Trials = Mapping[str, Sequence[TrialResult]]  # by generator
ByGenerator = Mapping[str, Estimates]


@dataclass(frozen=True)
class Board:
    """The leaderboard, every estimate in full, every pair of candidates and of judges, and what trials cost."""

    leaderboard: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame
    judges: pd.DataFrame
    costs: pd.DataFrame


def make_board(bench: Benchmark, tests: Sequence[TestSet], results: Sequence[TrialResult]) -> Board:
    """All five tables of the results so far."""
    trials: dict[str, list[TrialResult]] = {}
    for result in results:
        trials.setdefault(result.trial.generator.label, []).append(result)
    floors = {label for label, of_label in trials.items() if of_label[0].role == "floor"}
    own = {
        label: with_mean(estimates_of(of_label, len(of_label)), bench, of_label)
        for label, of_label in trials.items()
    }
    estimates = with_pools(own, floors)
    heads = heads_of(estimates, bench)
    comparisons, places = standings(bench, tests, trials, heads)
    by_judge, pairs = _judged(bench, tests, trials, estimates)
    n_classes = len(tests[0].counts) if tests else 2
    known = _utilities(bench, trials, estimates, heads, n_classes)
    rows = {
        label: Standing(
            *(of_label, estimates[label], known.get(label, {})),
            *(places.get(label), ranks_by_judge(label, by_judge)),
        )
        for label, of_label in trials.items()
    }
    return Board(
        board_table(bench, tests, rows),
        intervals_table(estimates, known, floors, n_classes),
        comparisons,
        pd.DataFrame(map(asdict, pairs), columns=[field.name for field in fields(JudgePair)]),
        costs_table(results),
    )


def _utilities(
    bench: Benchmark, trials: Trials, estimates: ByGenerator, heads: Mapping[str, Estimate], n_classes: int
) -> dict[str, dict[str, Utility]]:
    """By candidate, then by name: its utilities, and its worth in real images."""
    candidates = [label for label, results in trials.items() if results[0].role == "candidate"]
    ceiling = bench.ceiling("balanced")
    of_ceiling = estimates.get(ceiling.label, {}) if ceiling else {}
    known = {label: utilities(label, heads, bench, n_classes) for label in candidates}
    for label, images in worths(candidates, heads, of_ceiling, bench).items():
        known[label][Column.WORTH] = images
    return known


def standings(
    bench: Benchmark, tests: Sequence[TestSet], trials: Trials, heads: Mapping[str, Estimate]
) -> tuple[pd.DataFrame, dict[str, tuple[int, int]]]:
    """Pairs of candidates, and the (rank_low, rank_high) of each: none where a test set leaks too much.

    Ranks follow from all pairs; of very many those `listed` are returned.

    A candidate that is flagged as copying is in no pair and has no rank; the others are ranked without it.

    trials  results by generator
    heads   the headline's estimate by generator
    """
    rivals = {} if barred(bench, tests) else _rivals(trials, heads)
    comparisons = _comparisons(bench, trials, rivals)
    return listed(comparisons, rivals, bench.direction), ranks(list(rivals), comparisons)


def heads_of(estimates: ByGenerator, bench: Benchmark) -> dict[str, Estimate]:
    """The headline's estimates: on `test`, or of an evaluator that scores the synthetic images themselves."""
    on_test = ScoreKey(*bench.headline, "test")
    nowhere = on_test._replace(test_set="")
    return {
        label: head
        for label, known in estimates.items()
        if (head := known.get(on_test) or known.get(nowhere)) is not None
    }


def _judged(
    bench: Benchmark, tests: Sequence[TestSet], trials: Trials, estimates: ByGenerator
) -> tuple[dict[str, dict[str, tuple[int, int]]], list[JudgePair]]:
    """By judge the ranks that it alone would give, and how far every two judges agree."""
    places: dict[str, dict[str, tuple[int, int]]] = {}
    values: dict[str, dict[str, float]] = {}
    for judge in bench.judges:
        alone = replace(bench, headline=Headline(judge, bench.headline.metric))
        heads = heads_of(estimates, alone)
        places[judge] = standings(alone, tests, trials, heads)[1]
        values[judge] = {label: head.value for label, head in _rivals(trials, heads).items()}
    return places, judge_pairs(values, bench.headline.metric)


def _rivals(trials: Trials, heads: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Candidates with a headline that are not flagged as copying and cannot have seen the test images."""
    return {
        label: heads[label]
        for label, results in trials.items()
        if label in heads
        and not heads[label].text
        and results[0].role == "candidate"
        and not (flagged_by(results) or may_have_seen_test(results))
    }


def _comparisons(bench: Benchmark, trials: Trials, rivals: Mapping[str, Estimate]) -> pd.DataFrame:
    named = bench.ranking.test != "bootstrap"
    predictions = {label: _predictions(bench, trials[label]) for label in rivals} if named else {}
    return compare(rivals, bench.ranking, bench.direction, predictions)


def _predictions(bench: Benchmark, results: Sequence[TrialResult]) -> Predictions:
    """The headline's on `test`, of the only seed: what the named tests compare."""
    label = bench.headline.evaluator
    file = results[0].predictions.get(label)
    if file is None:
        raise DataError(f"{results[0].trial.title}: no predictions of {label}, which {bench.ranking.test} needs")
    return next(p for p in load_predictions(file) if p.test_set == "test" and not p.variant)
