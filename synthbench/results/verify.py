"""A bundle held to itself: every file to its digest, every number to the predictions and scores behind it."""

from __future__ import annotations

import csv
import io
import math
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from synthbench.api.extractors import extractors_of
from synthbench.benchmark.declared import Declared
from synthbench.benchmark.definition import JUDGES
from synthbench.data.test_sets import dataset_of
from synthbench.errors import DataError
from synthbench.leaderboard.board import make_board
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.bundle import unpack
from synthbench.results.evidence import EVIDENCE, altered
from synthbench.results.folder import Row
from synthbench.results.read import SavedRun, bootstrap_run, read_run
from synthbench.results.recompute import Recomputation, Recomputed
from synthbench.results.verified import Verified
from synthbench.storage.code_version import code_of
from synthbench.storage.layout import Column, File, Table, evaluation_folder, high, low
from synthbench.types import Score

__all__ = ["verify"]

_PLUGIN = "its plugin is not at hand"


def verify(file: Path, progress: Progress, plugins: Path | None = None) -> Verified:
    """Check a bundle. Raises DataError where it is none, or holds no run; `plugins` as for `read_run`.

    scores.csv is recomputed from the predictions, by each evaluator's `resample` with every image counted once,
    and from the features, by its `restate`; leaderboard.csv, intervals.csv and comparisons.csv from scores.csv,
    run.json and the predictions, costs.csv from run.json. Nothing is taken from the store, no data set is read.
    """
    with tempfile.TemporaryDirectory(prefix="synthbench-verify-") as folder:
        verified = Verified(unpack(file, Path(folder)))
        try:
            _check(read_run(Path(folder), plugins), verified, progress)
        except (
            Exception
        ) as error:  # a bundle may hold anything: what the core or a plugin stumbles over is its fault
            message = f"{type(error).__name__}: {error}".replace(folder, file.name)
            if not verified.files:
                raise DataError(f"{file}: its content cannot be worked with: {message}") from error
            verified.notes.append(f"nothing more could be checked: {message}")
    return verified


def _check(run: SavedRun, verified: Verified, progress: Progress) -> None:
    verified.notes += [f"{label} cannot be recomputed: {why}" for label, why in run.missing.items()]
    other = _other_code(run)
    verified.notes += [f"{label}: the code of {use} here is not what made the run" for label, use in other.items()]
    verified.files += altered(run.folder)
    _check_declared(run, other, verified)
    _check_derived(run, verified)
    again = Recomputation(run, progress)
    with progress.bar("recomputing", len(run.results), unit="trials") as bar:
        for result in run.results:
            _check_scores(result, again, run, other, verified)
            bar.advance(1, note=result.trial.title)
    _check_board(run, verified, progress)


def _other_code(run: SavedRun) -> dict[str, str]:
    """By evaluator, which code is not what made the run: its own, or its extractor's."""
    verified: dict[str, str] = {}
    for entry in run.bench.evaluators:
        if entry.label not in run.missing:
            extractors = {} if entry.label in run.unread else extractors_of(entry.plugin)
            code = {entry.use: entry.plugin, **{e.use: e for e in extractors.values()}}
            here = {use: code_of(type(plugin))["source"] for use, plugin in code.items()}
            other = [use for use, digest in here.items() if run.record["code"].get(use) != digest]
            verified |= {entry.label: " and ".join(other)} if other else {}
    return verified


def _check_declared(run: SavedRun, other: Mapping[str, str], verified: Verified) -> None:
    """What run.json says of evaluators to what their classes say: a mismatch, a note where those are others."""
    for entry in run.bench.evaluators:
        if entry.label in {*run.missing, *run.unread}:
            continue
        recorded, at_hand = _facts(entry.declared), _facts(Declared.of(entry.plugin))
        for name, declared in recorded.items():
            here = at_hand[name]
            if entry.label not in other:
                verified.compare(File.RECORD, entry.label, name, declared, here)
            elif declared != here:
                verified.notes.append(
                    f"{entry.label}: run.json says {name} {declared or 'none'}, the class here {here or 'none'}"
                )


def _facts(declared: Declared) -> dict[str, str]:
    return {
        "metrics": _sorted(declared.metrics),
        "bounds": _sorted(declared.bounds),
        "gates": _listed(declared.gates),
    }


def _sorted(facts: Mapping[str, object]) -> str:
    return _listed(f"{name} {fact}" for name, fact in facts.items())


def _listed(facts: Iterable[str]) -> str:
    return "; ".join(sorted(facts))


# ---- scores.csv


def _check_derived(run: SavedRun, verified: Verified) -> None:
    """The columns that follow from run.json and test_sets.csv; rows that belong to no trial."""
    leaked = {test.name: str(test.leaked["leaked"]) for test in run.tests}
    roles = {entry.label: entry.declared.role for entry in run.bench.generators}
    directions = {entry.label: entry.declared.metrics for entry in run.bench.evaluators}
    asked = {(o.trial.generator.label, o.trial.index, e.label) for o in run.results for e in o.trial.evaluators}
    for row in run.table(Table.SCORES):
        recomputed = {
            "dataset": dataset_of(row["test_set"], run.bench),
            "role": roles.get(row["generator"], ""),
            "direction": directions.get(row["evaluator"], {}).get(row["metric"], ""),
            "leaked": leaked.get(row["test_set"], ""),
        }
        name = f"{row['generator']}, seed {row['seed']}, {row['evaluator']}.{row['metric']}"
        for column, cell in recomputed.items():
            verified.compare(Table.SCORES.file, name, column, row[column], cell)
        if (row["generator"], int(row["seed"]), row["evaluator"]) not in asked:
            verified.compare(Table.SCORES.file, name, "evaluations in run.json", "1", "0")


def _check_scores(
    result: TrialResult, again: Recomputation, run: SavedRun, other: Mapping[str, str], verified: Verified
) -> None:
    """Each number against what predictions and features give."""
    for entry in result.trial.evaluators:
        label, scores = entry.label, result.scores.get(entry.label, ())
        left = (
            label in result.predictions
            or (evaluation_folder(result.folder(run.folder), label) / EVIDENCE).exists()
        )
        recomputed: Recomputed = {}
        why = _PLUGIN
        if label not in run.missing and (scores or left):
            recomputed, why = again.of(result, label)
        for what, n in Counter(ScoreKey.of(label, s).within_evaluation for s in scores).items():
            if n > 1:
                verified.compare(Table.SCORES.file, _row(result, label, what), "number of rows", str(n), "1")
        for score in scores:
            _check_score(score, recomputed, why, _Place(result, label, label not in other), verified)
        lacking = [
            what for what in recomputed if what not in {ScoreKey.of(label, s).within_evaluation for s in scores}
        ]
        for what in lacking:
            verified.compare(Table.SCORES.file, _row(result, label, what), "value", "", recomputed[what]["value"])
        if result.status == "done":  # every evaluation delivers every metric
            rows = {what.metric for what in recomputed} | {score.metric for score in scores}
            for metric in [metric for metric in entry.declared.metrics if metric not in rows]:
                row = f"{result.trial.title}, {label}.{metric}"
                verified.compare(Table.SCORES.file, row, "number of rows", "0", "1 or more")


class _Place(NamedTuple):
    """Whose score it is, and whether the code at hand is what made it."""

    result: TrialResult
    label: str
    same_code: bool


def _check_score(score: Score, recomputed: Recomputed, why: str, place: _Place, verified: Verified) -> None:
    """One row of scores.csv."""
    what = ScoreKey.of(place.label, score).within_evaluation
    if what not in recomputed:
        if not math.isnan(score.value):
            verified.unchecked[f"scores.csv: {place.label}.{score.metric}: {why}"] += 1
        return
    for column, cell in recomputed[what].items():
        # Other code may word a note in another way.
        if column != "note" or place.same_code:
            row = _row(place.result, place.label, what)
            verified.compare(Table.SCORES.file, row, column, _cell(getattr(score, column)), cell)
    ends = {"low": score.low, "high": score.high}
    for column in [column for column, end in ends.items() if end is not None and column not in recomputed[what]]:
        verified.unchecked[f"scores.csv: {place.label}.{score.metric} {column}: predictions do not tell it"] += 1


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _row(result: TrialResult, label: str, what: ScoreKey) -> str:
    classifier = "" if what.classifier_seed is None else f"classifier {what.classifier_seed}"
    place = f"on {what.test_set}" if what.test_set else ""
    parts = [result.trial.title, f"{label}.{what.metric}", what.variant, place, classifier]
    return ", ".join(part for part in parts if part)


# ---- the board


def _check_board(run: SavedRun, verified: Verified, progress: Progress) -> None:
    bootstrap_run(run, run.bench.seed, progress)
    board = make_board(run.bench, run.tests, run.results)
    frames = {
        Table.BOARD: board.leaderboard,
        Table.INTERVALS: board.intervals,
        Table.COMPARISONS: board.comparisons,
        Table.COSTS: board.costs,
        **({Table.JUDGES: board.judges} if run.bench.judges else {}),
    }
    for table, keys in ((table, table.keys) for table in frames):
        again = list(csv.DictReader(io.StringIO(frames[table].to_csv(index=False))))
        stored = run.table(table)
        verified.compare(table.file, "all", "number of rows", str(len(stored)), str(len(again)))
        many, recomputed = _counted(stored, keys), _counted(again, keys)
        for key in [key for key, n in many.items() if n > max(1, recomputed[key])]:
            verified.compare(table.file, _named(key), "rows of this name", str(many[key]), "1")
        _check_table(table, _keyed(stored, keys), _keyed(again, keys), run, verified)


Key = tuple[str, ...]
Rows = Mapping[Key, Row]


def _keyed(rows: Sequence[Row], keys: Sequence[str]) -> Rows:
    return {tuple(row[key] for key in keys): row for row in rows}


def _counted(rows: Sequence[Row], keys: Sequence[str]) -> Counter[Key]:
    return Counter(tuple(row[key] for key in keys) for row in rows)


def _named(key: Key) -> str:
    return ", ".join(filter(None, key))


def _check_table(table: Table, stored: Rows, again: Rows, run: SavedRun, verified: Verified) -> None:
    """Cell by cell; a row or a column that only one side has shows as cells that only one side has."""
    for key in dict.fromkeys([*stored, *again]):
        ours, theirs = stored.get(key, {}), again.get(key, {})
        for column in dict.fromkeys([*ours, *theirs]):
            if label := _unknown(table, {**theirs, **ours}, column, run):
                verified.unchecked[f"{table.file}: {label}: {_PLUGIN}"] += 1
            else:
                verified.compare(table.file, _named(key), column, ours.get(column, ""), theirs.get(column, ""))


def _unknown(table: Table, row: Mapping[str, str], column: str, run: SavedRun) -> str:
    """The evaluator without which this cell cannot be recomputed; "" where it can."""
    missing = next((judge for judge in (*run.bench.ranked_by, *run.bench.judges) if judge in run.missing), "")
    if table == Table.BOARD:
        # Of the board's numbers only the headline's have ends; its note says where ends are unknown.
        of_estimates = (Column.RANK, Column.UTILITY, Column.WORTH, Column.JUDGES)
        resampled = column.endswith((low(""), high(""))) or column == Column.NOTE
        return missing if resampled or column.startswith(of_estimates) else ""
    if table in (Table.COMPARISONS, Table.JUDGES):
        return missing
    if table == Table.INTERVALS:
        if missing and row.get("evaluator") in ("", JUDGES):  # utilities are nobody's
            return missing
        resampled = column in ("low", "high", "sampling_low", "sampling_high", "basis")
        return row["evaluator"] if row["evaluator"] in run.missing and resampled else ""
    return ""
