"""leaderboard.csv: one row a generator, best headline first; and intervals.csv and comparisons.csv behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import pandas as pd

from synthbench.benchmark.definition import Benchmark, Headline
from synthbench.benchmark.plan import seeds_of
from synthbench.data.test_sets import TestSet
from synthbench.errors import DataError
from synthbench.leaderboard.copying import copying, copying_reasons, flagged_by
from synthbench.leaderboard.estimates import Estimate, Estimates, estimates_of
from synthbench.leaderboard.few_seeds import UNKNOWN, by_seed, rank_basis, with_pools
from synthbench.leaderboard.floors import chance_of, floor_check, floor_warning
from synthbench.leaderboard.judges import ByJudge, JudgePair, Places, judge_columns, judge_pairs, with_mean
from synthbench.leaderboard.pairwise import Comparison, compare, ranks
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.leaderboard.utility import utilities
from synthbench.storage.layout import Column, check, cpu_s, domain, high, leaked, low, n, sd, seed_values, wall_s
from synthbench.storage.predictions import load_predictions
from synthbench.types import Predictions

__all__ = ["Board", "heads_of", "make_board", "standings"]

Trials = Mapping[str, Sequence[TrialResult]]  # by generator
ByGenerator = Mapping[str, Estimates]

RANKS = ("rank", "rank_low", "rank_high")

INTERVAL_COLUMNS = [
    *("generator", "evaluator", "metric", "variant", "test_set", "seen", "value", "low", "high"),
    *(
        "sampling_low",
        "sampling_high",
        "seed_sd",
        "generator_seeds",
        "classifier_seeds",
        "n",
        "weak",
        "wide",
        "basis",
        "note",
    ),
]


@dataclass(frozen=True)
class Board:
    """The leaderboard, every estimate in full, every pair of candidates, and every pair of judges."""

    leaderboard: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame
    judges: pd.DataFrame


def make_board(bench: Benchmark, tests: Sequence[TestSet], results: Sequence[TrialResult]) -> Board:
    """All four tables of the results so far."""
    trials: dict[str, list[TrialResult]] = {}
    for result in results:
        trials.setdefault(result.trial.generator.label, []).append(result)
    floors = {label for label, of_label in trials.items() if _role(of_label) == "floor"}
    own = {
        label: with_mean(estimates_of(of_label, len(of_label)), bench, of_label)
        for label, of_label in trials.items()
    }
    estimates = with_pools(own, floors)
    heads = heads_of(estimates, bench)
    barred = _barred(bench, tests)
    comparisons, places = standings(bench, tests, trials, heads)
    by_judge, pairs = _judged(bench, tests, trials, estimates)
    n_classes = len(tests[0].counts) if tests else 2
    columns = _columns(bench, estimates)
    rows = [
        {
            **_place(label, of_label, places, heads.get(label), by_judge),
            **_numbers(columns, estimates[label], n_classes, floor=label in floors),
            **utilities(label, heads if _role(of_label) == "candidate" else {}, bench, n_classes),
            **_facts(bench, tests, of_label, heads.get(label)),
            Column.REASON: "; ".join([*_reasons(of_label, heads.get(label), n_classes), *barred]),
        }
        for label, of_label in trials.items()
    ]
    return Board(
        _sorted(rows, [heads[label].value if label in heads else math.nan for label in trials], bench),
        pd.DataFrame(list(_intervals(estimates)), columns=INTERVAL_COLUMNS),
        pd.DataFrame(map(asdict, comparisons), columns=[field.name for field in fields(Comparison)]),
        pd.DataFrame(map(asdict, pairs), columns=[field.name for field in fields(JudgePair)]),
    )


def standings(
    bench: Benchmark, tests: Sequence[TestSet], trials: Trials, heads: Mapping[str, Estimate]
) -> tuple[list[Comparison], dict[str, tuple[int, int]]]:
    """Every pair of candidates, and the (rank_low, rank_high) of each: none where a test set leaks too much.

    A candidate that is flagged as copying is in no pair and has no rank; the others are ranked without it.

    trials  results by generator
    heads   the headline's estimate by generator
    """
    rivals = {} if _barred(bench, tests) else _rivals(trials, heads)
    comparisons = _comparisons(bench, trials, rivals)
    return comparisons, ranks(list(rivals), comparisons)


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


def _barred(bench: Benchmark, tests: Sequence[TestSet]) -> list[str]:
    """Why nobody can be ranked on this test set, if so."""
    return [
        f"not ranked: training knows {t.leaked['leaked']} of the {t.images} images of {t.name} ({t.share:.1%}), "
        f"more than max_leak = {bench.max_leak:.1%}"
        for t in tests
        if t.name == "test" and t.share > bench.max_leak
    ]


def _reasons(results: Sequence[TrialResult], head: Estimate | None, n_classes: int) -> list[str]:
    warnings = floor_warning(head, n_classes) if _role(results) == "floor" else []
    return [*(reason for result in results for reason in result.reasons), *copying_reasons(results), *warnings]


def _role(results: Sequence[TrialResult]) -> str:
    return results[0].trial.generator.declared.role


def _rivals(trials: Trials, heads: Mapping[str, Estimate]) -> dict[str, Estimate]:
    """Candidates that are not flagged as copying and whose headline is a number."""
    return {
        label: heads[label]
        for label, results in trials.items()
        if label in heads and not heads[label].text and _role(results) == "candidate" and not flagged_by(results)
    }


def _comparisons(bench: Benchmark, trials: Trials, rivals: Mapping[str, Estimate]) -> list[Comparison]:
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


def _columns(bench: Benchmark, estimates: ByGenerator) -> list[ScoreKey]:
    """The headline, then every metric in the file's order, on `test` first."""
    metrics = [ScoreKey(e.label, metric, "test") for e in bench.evaluators for metric in e.declared.metrics]
    declared = list(dict.fromkeys([ScoreKey(*bench.headline, "test"), *metrics]))
    order = {key.name: place for place, key in enumerate(declared)}
    measured = dict.fromkeys(key for known in estimates.values() for key in known)
    plain = {key.name for key in measured}
    # A metric that nobody has a number for yet, or that is not measured on `test`, has its column all the same.
    missing = [key for key in declared if key.name not in plain]
    first = sorted((key for key in [*measured, *missing] if key.name in order), key=lambda key: order[key.name])
    return list(dict.fromkeys([*first, *(key for key in measured if key.name not in order)]))


def _place(
    label: str, results: Sequence[TrialResult], places: Places, head: Estimate | None, by_judge: ByJudge
) -> dict[str, Any]:
    first, last = places.get(label, (None, None))
    states = {result.status for result in results}
    return {
        Column.RANK: first,
        Column.RANK_LOW: first,
        Column.RANK_HIGH: last,
        Column.RANK_BASIS: rank_basis(head) if label in places and head else "",
        **(judge_columns(label, by_judge) if by_judge else {}),
        Column.GENERATOR: label,
        Column.STATUS: next(state for state in ("failed", "skipped", "done") if state in states),
    }


def _numbers(columns: Sequence[ScoreKey], estimates: Estimates, n_classes: int, *, floor: bool) -> dict[str, Any]:
    """Of every column value or text, interval, the seeds' values and standard deviation, N, a floor's check."""
    cells: dict[str, Any] = {}
    for key in columns:
        estimate, name = estimates.get(key), key.name
        known = estimate if estimate and not estimate.text else None
        cells[name] = "" if estimate is None else estimate.text or estimate.value
        cells[low(name)], cells[high(name)] = _ends(known)
        cells[seed_values(name)] = by_seed(known) if known else ""
        cells[sd(name)] = known.sd if known else math.nan
        cells[n(name)] = estimate.shown_n if estimate else ""
        if chance_of(key.metric, n_classes) is not None and key.test_set and not key.seen:
            cells[check(name)] = floor_check(known, n_classes) if known and floor else ""
    return cells


def _ends(estimate: Estimate | None) -> tuple[float | str, float | str]:
    if estimate is None:
        return math.nan, math.nan
    return (UNKNOWN, UNKNOWN) if estimate.interval.wide else (estimate.interval.low, estimate.interval.high)


def _facts(
    bench: Benchmark, tests: Sequence[TestSet], results: Sequence[TrialResult], head: Estimate | None
) -> dict[str, Any]:
    """What else is known of a row: role, copying, labels, seeds, what the interval covers, leaks, costs."""
    done = sum(result.status == "done" for result in results)
    return {
        Column.ROLE: _role(results),
        Column.COPYING: copying(results),
        Column.LABELS: _mean([r.label_agreement for r in results if r.label_agreement is not None]),
        Column.SEEDS: f"{done}/{seeds_of(bench, results[0].trial.generator)}",
        Column.BASIS: _basis(head) if head and not head.text else "",
        **{leaked(test.name): test.leaked["leaked"] for test in tests},
        **_costs(bench, results),
        **{domain(test.name): test.domain for test in tests},
    }


def _basis(estimate: Estimate) -> str:
    seeds = f"{estimate.generator_seeds} of the generator, {estimate.classifier_seeds} of the evaluator each"
    model = "; of this model, another seed may turn it" * (estimate.generator_seeds == 1)
    return f"{estimate.interval.basis}: {seeds}{model}"


def _costs(bench: Benchmark, results: Sequence[TrialResult]) -> dict[str, Any]:
    """Mean seconds a seed and peaks over all stages."""
    stages = ["fit", "sample", *(e.label for e in bench.evaluators)]
    columns: dict[str, Any] = {}
    for stage in stages:
        costs = [result.costs[stage] for result in results if stage in result.costs]
        columns[wall_s(stage)] = _mean([cost["wall_s"] for cost in costs])
        columns[cpu_s(stage)] = _mean([cost["cpu_s"] for cost in costs])
        if stage == "sample":
            speeds = [cost["images"] / max(cost["wall_s"], 1e-9) for cost in costs]
            columns[Column.SPEED] = _mean(speeds, digits=1)
    everything = [cost for result in results for cost in result.costs.values()]
    for peak in (Column.MEMORY, Column.GPU_MEMORY):
        columns[peak] = max((cost[peak] for cost in everything if cost[peak] is not None), default=math.nan)
    return columns


def _mean(values: list[float], digits: int = 3) -> float:
    return round(sum(values) / len(values), digits) if values else math.nan


def _sorted(rows: list[dict[str, Any]], headline: list[float], bench: Benchmark) -> pd.DataFrame:
    """Best headline first, undefined ones last. Cells that hold a text make their column one of objects."""
    order = pd.Series(headline).sort_values(ascending=bench.direction == "lower", kind="stable").index
    table = pd.DataFrame(rows).iloc[order].reset_index(drop=True)
    whole = {c: "Int64" for c in map(str, table) if c in RANKS or c.startswith(leaked(""))}
    return table.astype(whole)


def _intervals(estimates: ByGenerator) -> Iterator[dict[str, Any]]:
    for label, known in estimates.items():
        for key, estimate in known.items():
            ends = asdict(estimate.interval) if not estimate.text else {}
            yield {
                **{"generator": label, **key._asdict(), **ends, "value": estimate.value},
                **{"generator_seeds": estimate.generator_seeds, "classifier_seeds": estimate.classifier_seeds},
                **{"n": estimate.shown_n, "note": estimate.text or estimate.note},
            }
