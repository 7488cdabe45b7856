"""The result files of a run: scores.csv (long), leaderboard.csv and what stands behind it, run.json."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from synthbench.benchmark.definition import Benchmark
from synthbench.data.test_sets import Data, dataset_of
from synthbench.leaderboard.board import make_board
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.storage.cells import csv_text
from synthbench.storage.layout import File, Table
from synthbench.storage.store import write_atomic

__all__ = ["SCORE_COLUMNS", "Writer", "scores_table", "write_results"]

SHARE = 0.05
"""Of a run's time so far, what writes after trials may take: a board of a thousand rows takes half a minute."""

SCORE_COLUMNS = [
    *("dataset", "test_set", "seen", "generator", "role", "seed", "evaluator", "metric", "variant"),
    *("classifier_seed", "value", "low", "high", "direction", "n", "leaked", "note"),
]


class Writer:
    """The result files of a run that goes on: written after trials, and left as they are at its end.

    A write takes longer the more trials there are; after a trial it is left out where all writes would cost more
    than SHARE of the time since the start. What a kill then costs is no work, for that is in the store, but its
    rows in the run's folder.
    """

    def __init__(self, bench: Benchmark, data: Data, out: Path) -> None:
        self._of = bench, data
        self._out = out
        self._begun = time.monotonic()
        self._spent = self._last = 0.0
        self._written = 0

    def after_trial(self, results: Callable[[], Sequence[TrialResult]]) -> None:
        """Write, where it is time to; the results are asked for only then."""
        if self._spent + self._last <= SHARE * (time.monotonic() - self._begun):
            self.write(results())

    def write(self, results: Sequence[TrialResult]) -> None:
        """Write, unless these very results have been."""
        if len(results) == self._written:
            return
        begun = time.monotonic()
        write_results(*self._of, results, self._out)
        self._written, self._last = len(results), time.monotonic() - begun
        self._spent += self._last


def write_results(bench: Benchmark, data: Data, results: Sequence[TrialResult], out: Path) -> pd.DataFrame:
    """Write every result file into `out`, each atomically, and return the leaderboard."""
    out.mkdir(parents=True, exist_ok=True)
    board = make_board(bench, data.tests, results)
    tables = {
        Table.SCORES: scores_table(bench, data, results),
        Table.BOARD: board.leaderboard,
        Table.INTERVALS: board.intervals,
        Table.COMPARISONS: board.comparisons,
        Table.COSTS: board.costs,
        **({Table.JUDGES: board.judges} if bench.judges else {}),
        Table.TEST_SETS: pd.DataFrame([test.row() for test in data.tests]),
        Table.QUARANTINE: pd.DataFrame([vars(q) for q in data.splits.quarantine], columns=["path", "reason"]),
    }
    for table, content in tables.items():
        write_atomic(out / table.file, csv_text(content))
    trials = [_trial_record(result) for result in results]
    threads = sorted({n for result in results for n in result.threads.values()})
    record = {
        **data.about,
        "threads": threads,
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "trials": trials,
    }
    write_atomic(out / File.RECORD, json.dumps(record, indent=1) + "\n")
    return board.leaderboard


def scores_table(bench: Benchmark, data: Data, results: Sequence[TrialResult]) -> pd.DataFrame:
    """One row a number, in the plan's order. `value` is empty where a metric is undefined; `note` says why.

    `low` and `high` are the evaluator's own interval, where it gives one. `leaked` counts the images of the test
    set that the training set knows.
    """
    leaked = {test.name: test.leaked["leaked"] for test in data.tests}
    directions = {e.label: e.declared.metrics for e in bench.evaluators}
    rows = [
        {
            "dataset": dataset_of(score.test_set, bench),
            "generator": result.trial.generator.label,
            "role": result.trial.generator.declared.role,
            "seed": result.trial.index,
            "evaluator": label,
            "direction": directions[label][score.metric],
            "leaked": leaked.get(score.test_set),
            **vars(score),
        }
        for result in results
        for label, scores in result.scores.items()
        for score in scores
    ]
    table = pd.DataFrame(rows, columns=SCORE_COLUMNS)
    return table.astype({"classifier_seed": "Int64", "seed": "Int64", "n": "Int64", "leaked": "Int64"})


def _trial_record(result: TrialResult) -> dict[str, Any]:
    trial = result.trial
    return {
        "generator": trial.generator.label,
        "index": trial.index,
        "seed": trial.seed,
        "status": result.status,
        "reasons": result.reasons,
        "label_agreement": result.label_agreement,
        "costs": result.costs,
        "shared": result.shared,
        "threads": result.threads,
        "from_store": result.from_store,
    }
