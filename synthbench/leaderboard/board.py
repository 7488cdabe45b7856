"""leaderboard.csv: one row a generator, best headline first; and intervals.csv and comparisons.csv behind it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import pandas as pd

from synthbench.benchmark.config import Benchmark
from synthbench.data.test_sets import TestSet
from synthbench.errors import DataError
from synthbench.leaderboard.copying import copying, flagged_by
from synthbench.leaderboard.estimates import Cell, Column, cells_of
from synthbench.leaderboard.pairwise import Comparison, compare, ranks
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.leaderboard.utility import utilities
from synthbench.storage.predictions import load_predictions
from synthbench.types import Direction, Predictions

__all__ = ["Board", "direction_of", "head_of", "headline_of", "make_board", "standings"]

Trials = Mapping[str, Sequence[TrialResult]]
Cells = Mapping[str, Mapping[Column, Cell]]

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
        "basis",
        "note",
    ),
]


@dataclass(frozen=True)
class Board:
    """The leaderboard, every cell in full, and every pair of candidates."""

    leaderboard: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame


def make_board(bench: Benchmark, tests: Sequence[TestSet], results: Sequence[TrialResult]) -> Board:
    """All three tables of the results so far."""
    trials: dict[str, list[TrialResult]] = {}
    for result in results:
        trials.setdefault(result.trial.generator.label, []).append(result)
    cells = {label: cells_of(mine, len(mine)) for label, mine in trials.items()}
    heads = {label: found for label, mine in cells.items() if (found := head_of(mine, bench))}
    barred = _barred(bench, tests)
    comparisons, places = standings(bench, tests, trials, heads)
    n_classes = len(tests[0].counts) if tests else 2
    columns = _columns(bench, cells)
    rows = [
        {
            **_place(label, mine, places),
            **_numbers(columns, cells[label]),
            **utilities(label, heads if _role(mine) == "candidate" else {}, bench, n_classes),
            **_facts(bench, tests, mine, heads.get(label)),
            "reason": "; ".join([*(reason for o in mine for reason in o.reasons), *_flags(mine), *barred]),
        }
        for label, mine in trials.items()
    ]
    return Board(
        _sorted(rows, [heads[label].value if label in heads else math.nan for label in trials], bench),
        pd.DataFrame(list(_intervals(cells)), columns=INTERVAL_COLUMNS),
        pd.DataFrame(map(asdict, comparisons), columns=[field.name for field in fields(Comparison)]),
    )


def standings(
    bench: Benchmark, tests: Sequence[TestSet], trials: Trials, heads: Mapping[str, Cell]
) -> tuple[list[Comparison], dict[str, tuple[int, int]]]:
    """Every pair of candidates, and the (rank_low, rank_high) of each: none where a test set leaks too much.

    A candidate that is flagged as copying is in no pair and has no rank; the others are ranked without it.

    trials  results by generator
    heads   the headline's cell by generator
    """
    rivals = {} if _barred(bench, tests) else _rivals(trials, heads)
    comparisons = _comparisons(bench, trials, rivals)
    return comparisons, ranks(list(rivals), comparisons)


def headline_of(bench: Benchmark) -> Column:
    """The column that ranks the board."""
    evaluator, _, metric = bench.headline.rpartition(".")
    return Column(evaluator, metric, "test", "", "")


def head_of(cells: Mapping[Column, Cell], bench: Benchmark) -> Cell | None:
    """The headline's cell: on `test`, or of an evaluator that scores the synthetic images themselves."""
    on_test = headline_of(bench)
    return cells.get(on_test) or cells.get(on_test._replace(test_set=""))


def direction_of(bench: Benchmark) -> Direction:
    """Which way of the headline is better."""
    evaluator, _, metric = bench.headline.rpartition(".")
    return next(e.plugin.metrics[metric] for e in bench.evaluators if e.label == evaluator)


def _barred(bench: Benchmark, tests: Sequence[TestSet]) -> list[str]:
    """Why nobody can be ranked on this test set, if so."""
    return [
        f"not ranked: training knows {t.leaked['leaked']} of the {t.images} images of {t.name} ({t.share:.1%}), "
        f"more than max_leak = {bench.max_leak:.1%}"
        for t in tests
        if t.name == "test" and t.share > bench.max_leak
    ]


def _flags(results: Sequence[TrialResult]) -> list[str]:
    return [f"flagged as copying by {evaluator}" for evaluator in flagged_by(results)]


def _role(results: Sequence[TrialResult]) -> str:
    return results[0].trial.generator.plugin.role


def _rivals(trials: Trials, heads: Mapping[str, Cell]) -> dict[str, Cell]:
    """Candidates that are not flagged as copying and whose headline is a number."""
    found = {
        label: heads[label]
        for label, mine in trials.items()
        if label in heads and _role(mine) == "candidate" and not flagged_by(mine)
    }
    return {label: cell for label, cell in found.items() if not cell.text}


def _comparisons(bench: Benchmark, trials: Trials, rivals: Mapping[str, Cell]) -> list[Comparison]:
    named = bench.ranking.test != "bootstrap"
    answers = {label: _answers(bench, trials[label]) for label in rivals} if named else {}
    return compare(rivals, bench.ranking, direction_of(bench), answers)


def _answers(bench: Benchmark, results: Sequence[TrialResult]) -> Predictions:
    """The headline's answers on `test`, of the only seed: what the named tests compare."""
    label = headline_of(bench).evaluator
    file = results[0].predictions.get(label)
    if file is None:
        raise DataError(f"{results[0].trial.title}: no predictions of {label}, which {bench.ranking.test} needs")
    found = load_predictions(file)
    return next(p for p in found if p.test_set == "test" and not p.variant)


def _columns(bench: Benchmark, cells: Cells) -> list[Column]:
    """The headline, then every metric in the file's order, on `test` first."""
    declared = {(e.label, metric): f"{e.label}.{metric}" for e in bench.evaluators for metric in e.plugin.metrics}
    found = dict.fromkeys(column for mine in cells.values() for column in mine)
    plain = {column.name for column in found}
    # A metric that nobody has a number for yet, or that is not measured on `test`, has its column all the same.
    missing = [Column(*who, "test", "", "") for who, name in declared.items() if name not in plain]
    order = list(declared.values())
    first = sorted([c for c in [*found, *missing] if c.name in order], key=lambda c: order.index(c.name))
    first.sort(key=lambda column: column.name != bench.headline)  # stable: the headline leads
    return list(dict.fromkeys([*first, *(c for c in found if c.name not in order)]))


def _place(label: str, results: Sequence[TrialResult], places: Mapping[str, tuple[int, int]]) -> dict[str, Any]:
    low, high = places.get(label, (None, None))
    states = {o.status for o in results}
    status = next(state for state in ("failed", "skipped", "done") if state in states)
    return {"rank": low, "rank_low": low, "rank_high": high, "generator": label, "status": status}


def _numbers(columns: Sequence[Column], cells: Mapping[Column, Cell]) -> dict[str, Any]:
    """Value or text, interval, standard deviation over seeds and N of every column."""
    shown: dict[str, Any] = {}
    for column in columns:
        cell, name = cells.get(column), column.name
        known = cell is not None and not cell.text
        shown[name] = "" if cell is None else cell.text or cell.value
        shown[f"{name}_low"] = cell.interval.low if cell and known else math.nan
        shown[f"{name}_high"] = cell.interval.high if cell and known else math.nan
        shown[f"{name}_sd"] = cell.sd if cell and known else math.nan
        shown[f"{name}_n"] = cell.shown_n if cell else ""
    return shown


def _facts(
    bench: Benchmark, tests: Sequence[TestSet], results: Sequence[TrialResult], head: Cell | None
) -> dict[str, Any]:
    """Role, copying, seeds done, what the headline's interval covers, leaks and domains of test sets, costs."""
    done = sum(o.status == "done" for o in results)
    return {
        "role": _role(results),
        "copying": copying(results),
        "seeds": f"{done}/{bench.seeds}",
        "interval_basis": _basis(head) if head and not head.text else "",
        **{f"leaked@{t.name}": t.leaked["leaked"] for t in tests},
        **_costs(bench, results),
        **{f"domain@{t.name}": t.domain for t in tests},
    }


def _basis(cell: Cell) -> str:
    seeds = f"{cell.generator_seeds} of the generator, {cell.classifier_seeds} of the evaluator each"
    return f"{cell.interval.basis}: {seeds}"


def _costs(bench: Benchmark, results: Sequence[TrialResult]) -> dict[str, Any]:
    """Mean seconds a seed and peaks over all stages."""
    stages = ["fit", "sample", *(e.label for e in bench.evaluators)]
    costs: dict[str, Any] = {}
    for stage in stages:
        found = [o.costs[stage] for o in results if stage in o.costs]
        costs[f"{stage}_wall_s"] = _mean([c["wall_s"] for c in found])
        costs[f"{stage}_cpu_s"] = _mean([c["cpu_s"] for c in found])
        if stage == "sample":
            costs["sample_images_per_s"] = _mean([c["images"] / max(c["wall_s"], 1e-9) for c in found], digits=1)
    everything = [cost for o in results for cost in o.costs.values()]
    for peak in ("peak_memory_mb", "peak_gpu_mb"):
        costs[peak] = max((c[peak] for c in everything if c[peak] is not None), default=math.nan)
    return costs


def _mean(values: list[float], digits: int = 3) -> float:
    return round(sum(values) / len(values), digits) if values else math.nan


def _sorted(rows: list[dict[str, Any]], headline: list[float], bench: Benchmark) -> pd.DataFrame:
    """Best headline first, undefined ones last. Cells that hold a text make their column one of objects."""
    order = pd.Series(headline).sort_values(ascending=direction_of(bench) == "lower", kind="stable").index
    table = pd.DataFrame(rows).iloc[order].reset_index(drop=True)
    whole = {column: "Int64" for column in map(str, table) if column.startswith(("rank", "leaked@"))}
    return table.astype(whole)


def _intervals(cells: Cells) -> Iterator[dict[str, Any]]:
    for label, mine in cells.items():
        for column, cell in mine.items():
            known = asdict(cell.interval) if not cell.text else {}
            yield {
                **{"generator": label, **column._asdict(), **known, "value": cell.value},
                **{"generator_seeds": cell.generator_seeds, "classifier_seeds": cell.classifier_seeds},
                **{"n": cell.shown_n, "note": cell.text or cell.note},
            }
