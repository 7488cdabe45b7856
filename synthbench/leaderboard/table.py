"""leaderboard.csv: a row a generator, best headline first, and no more columns than a page has room for.

Its numbers are numbers or empty: what stands in place of one is said in `note`. The long files hold all that was
measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from synthbench.benchmark.definition import Benchmark
from synthbench.data.test_sets import TestSet
from synthbench.leaderboard.copying import copying, copying_reasons, may_have_seen_test
from synthbench.leaderboard.estimates import Estimate, Estimates
from synthbench.leaderboard.few_seeds import by_seed
from synthbench.leaderboard.floors import floor_warnings
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult, is_ranked, row_status
from synthbench.leaderboard.utility import Utility
from synthbench.storage.layout import Column, column_name, high, is_clean, low, n, on

__all__ = ["Standing", "barred", "board_table"]


@dataclass(frozen=True)
class NumberColumn:
    """A metric's column: its `name`, whose number it shows, `interval`: whether its ends stand beside it."""

    name: str
    key: ScoreKey
    interval: bool

    def estimate(self, estimates: Estimates) -> Estimate | None:
        """A generator's: on that test set, or of the synthetic images themselves."""
        return estimates.get(self.key) or estimates.get(self.key._replace(test_set=""))


@dataclass(frozen=True)
class Standing:
    """What a generator's row is made of.

    utilities  by name, where it stands between floor and real images
    place      its rank and the last that it could have, None where it has none
    judges     its ranks by each judge
    """

    results: Sequence[TrialResult]
    estimates: Estimates
    utilities: Mapping[str, Utility]
    place: tuple[int, int] | None
    judges: str


def board_table(bench: Benchmark, tests: Sequence[TestSet], standings: Mapping[str, Standing]) -> pd.DataFrame:
    """The whole table, of the generators' standings by label."""
    columns = _number_columns(bench, tests, [standing.estimates for standing in standings.values()])
    n_classes = len(tests[0].counts) if tests else 2
    leaked = next((test.leaked["leaked"] for test in tests if test.name == "test"), None)
    heads = {label: columns[0].estimate(standing.estimates) for label, standing in standings.items()}
    floors = {k: head for k, head in heads.items() if head and standings[k].results[0].role == "floor"}
    doubtful = floor_warnings(floors, n_classes)
    rows = [
        {
            **_row(bench, columns, label, standing, leaked),
            Column.NOTE: "; ".join([*_notes(columns, standing, doubtful.get(label)), *barred(bench, tests)]),
        }
        for label, standing in standings.items()
    ]
    head = columns[0].name
    whole = [Column.RANK, Column.RANK_HIGH, n(head), Column.LEAKED, Column.SEEDS, Column.EVALUATOR_SEEDS]
    table = pd.DataFrame(rows).astype(dict.fromkeys(map(str, whole), "Int64"))
    return table.sort_values(head, ascending=bench.direction == "lower", kind="stable", ignore_index=True)


def _row(
    bench: Benchmark, columns: Sequence[NumberColumn], label: str, standing: Standing, leaked: int | None
) -> dict[str, Any]:
    """A generator's cells but for the note."""
    results, estimates = standing.results, standing.estimates
    first, last = standing.place or (None, None)
    head = columns[0].estimate(estimates)
    beside = [cell for column in columns[1:] if column.interval for cell in _cells(column, estimates).items()]
    alone = [cell for column in columns[1:] if not column.interval for cell in _cells(column, estimates).items()]
    return {
        **{Column.RANK: first, Column.RANK_HIGH: last},
        **{Column.GENERATOR: label, Column.ROLE: results[0].role, Column.STATUS: row_status(bench, results)},
        **_cells(columns[0], estimates),
        **{n(columns[0].name): min(head.n) if head else None, **dict(beside)},
        **_utility(Column.UTILITY, standing),
        **(_utility(Column.WORTH, standing) if bench.real_sizes else {}),
        **dict(alone),
        Column.TRAINED_ON: results[0].trial.generator.declared.origin.trained_on,
        **{Column.COPYING: copying(results), Column.LEAKED: leaked},
        Column.SEEDS: sum(is_ranked(bench, result) for result in results),
        Column.EVALUATOR_SEEDS: head.classifier_seeds if head else None,
        **({Column.JUDGES: standing.judges} if bench.judges else {}),
        **_costs(results),
    }


def _number_columns(
    bench: Benchmark, tests: Sequence[TestSet], estimates: Sequence[Estimates]
) -> list[NumberColumn]:
    """The headline on `test` and on the external sets that it was measured on, then the others' main metrics."""
    head = ScoreKey(*bench.headline, "test")
    name = column_name(*bench.headline)
    measured = {key for known in estimates for key, estimate in known.items() if not estimate.text}
    external = {entry.label for entry in bench.external}
    sets = [test.name for test in tests if test.dataset in external]
    elsewhere = [key for name in sets if (key := head._replace(test_set=name)) in measured and not is_clean(name)]
    others = {e.label: e.declared.main_metric(bench.headline.metric) for e in bench.evaluators}
    wanted = [
        NumberColumn(name, head, interval=True),
        *(NumberColumn(on(name, key.test_set), key, interval=True) for key in elsewhere),
        *(
            NumberColumn(column_name(label, metric), ScoreKey(label, metric, "test"), interval=False)
            for label, metric in others.items()
            if label not in (bench.headline.evaluator, bench.size_curve)
        ),
    ]
    names = _told_apart([column.name for column in wanted])
    return [replace(column, name=name) for name, column in zip(names, wanted, strict=True)]


def _told_apart(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that another column of the board has."""
    ends = (end(column) for column in (Column.UTILITY, Column.WORTH) for end in (low, high))
    taken = {*map(str, Column), *ends}
    apart = []
    for name in names:
        tried = (name if k == 1 else f"{name}_{k}" for k in range(1, len(names) + len(taken) + 2))
        apart.append(next(one for one in tried if taken.isdisjoint([one, low(one), high(one), n(one)])))
        taken |= {apart[-1], low(apart[-1]), high(apart[-1]), n(apart[-1])}
    return apart


def _cells(column: NumberColumn, estimates: Estimates) -> dict[str, float]:
    """The number and its interval; NaN for what is not known."""
    estimate = column.estimate(estimates)
    value = estimate.value if estimate else math.nan
    if not column.interval:
        return {column.name: value}
    known = estimate.interval if estimate and not estimate.text and not estimate.interval.wide else None
    ends = (known.low, known.high) if known else (math.nan, math.nan)
    return {column.name: value, low(column.name): ends[0], high(column.name): ends[1]}


def _utility(column: Column, standing: Standing) -> dict[str, float]:
    known = standing.utilities.get(column)
    ends = (known.low, known.high) if known and not known.wide else (math.nan, math.nan)
    cells = (known.value if known else math.nan, *ends)
    return dict(zip((column, low(column), high(column)), cells, strict=True))


def _costs(results: Sequence[TrialResult]) -> dict[str, float]:
    """Mean seconds a seed to fit, to draw, to score, and the greatest memory of a stage."""
    seconds: dict[str, list[float]] = {}
    for result in results:
        for stage, cost in result.costs.items():
            seconds.setdefault(stage, []).append(cost["wall_s"])
    means = {stage: sum(of_stage) / len(of_stage) for stage, of_stage in seconds.items()}
    fit, sample = means.pop("fit", math.nan), means.pop("sample", math.nan)
    peaks = [cost["peak_memory_mb"] for result in results for cost in result.costs.values()]
    return {
        **{Column.FIT: round(fit, 3), Column.SAMPLE: round(sample, 3)},
        Column.SCORE: round(sum(means.values()), 3) if means else math.nan,
        Column.MEMORY: max(peaks, default=math.nan),
    }


def _notes(columns: Sequence[NumberColumn], standing: Standing, doubtful: str | None) -> Iterator[str]:
    """What failed or was skipped, who flagged it, why a floor is `doubtful`, why numbers are missing."""
    results = standing.results
    yield from _reasons(results)
    yield from copying_reasons(results)
    yield from filter(None, [may_have_seen_test(results), doubtful])
    yield from _gaps(columns, standing)
    for column in (Column.UTILITY, Column.WORTH):
        known = standing.utilities.get(column)
        if known and math.isnan(known.value):
            yield f"{column} {known.note}"
        elif known and known.wide:
            yield f"{column}: interval unknown, seeds too far apart"


def _reasons(results: Sequence[TrialResult]) -> Iterator[str]:
    """What was noted of the trials, each reason once; of which seeds, where not of all."""
    seeds: dict[str, list[str]] = {}
    for result in results:
        for reason in result.reasons:
            seeds.setdefault(reason, []).append(str(result.trial.index))
    for reason, of_seeds in seeds.items():
        named = f"seed{'s' * (len(of_seeds) > 1)} {', '.join(of_seeds)}: "
        yield reason if len(of_seeds) == len(results) else named + reason


def _gaps(columns: Sequence[NumberColumn], standing: Standing) -> Iterator[str]:
    """Why numbers or ends of intervals are missing, each reason once."""
    reasons: dict[str, list[str]] = {}
    for column in columns:
        estimate = column.estimate(standing.estimates)
        if estimate and estimate.text:
            reasons.setdefault(estimate.text, []).append(column.name)
        elif estimate and column.interval and standing.results[0].role != "floor" and estimate.interval.wide:
            reasons.setdefault(f"interval unknown, seeds {by_seed(estimate)}", []).append(column.name)
    yield from (f"{', '.join(names)}: {reason}" for reason, names in reasons.items())


def barred(bench: Benchmark, tests: Sequence[TestSet]) -> list[str]:
    """Why nobody can be ranked on this test set, if so."""
    return [
        f"not ranked: training knows {t.leaked['leaked']} of the {t.images} images of {t.name} ({t.share:.1%}), "
        f"more than max_leak = {bench.max_leak:.1%}"
        for t in tests
        if t.name == "test" and t.share > bench.max_leak
    ]
