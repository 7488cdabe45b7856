"""A bundle held to itself: every file to its digest, every number to the predictions and scores behind it."""

from __future__ import annotations

import io
import math
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from synthbench.board import headline_of, make_board
from synthbench.bundle import unpack
from synthbench.errors import DataError
from synthbench.evidence import altered
from synthbench.finished import Finished, read_run, read_table, resample_run
from synthbench.progress import Progress
from synthbench.recomputing import Recomputation, measured_of
from synthbench.replicates import Measured
from synthbench.run import Outcome
from synthbench.source import code_version

__all__ = ["Mismatch", "Verified", "verify"]

TOLERANCE, FLOOR = 1e-6, 1e-7
"""How far a number may lie from its recomputation: this share of the larger of the two, or so much. Other
processors and library versions add in another order, and replicates are kept in single precision."""

P_TOLERANCE, P_FLOOR = 1e-3, 1e-12
"""The same for p-values, whose logarithm moves with the square of the difference that they belong to."""

_PLUGIN = "its plugin is not at hand"

KEYS = {
    "leaderboard": ["generator"],
    "intervals": ["generator", "evaluator", "metric", "variant", "test_set", "seen"],
    "comparisons": ["a", "b"],
}


@dataclass(frozen=True)
class Mismatch:
    """A number that does not follow from what stands beside it; "" where there is none on one side."""

    file: str
    row: str
    column: str
    stored: str
    recomputed: str


@dataclass
class Verified:
    """What came out.

    files        what does not fit the manifest, a line each
    matching     numbers that were recomputed and match, by file
    mismatches   those that do not
    unchecked    numbers that cannot be recomputed from the bundle, counted by what they are and why
    notes        what else a reader should know
    """

    files: list[str] = field(default_factory=list)
    matching: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.files and not self.mismatches

    def compare(self, file: str, row: str, column: str, stored: str, recomputed: str) -> None:
        """Take one cell in; one that is empty on both sides is none."""
        if stored == recomputed == "":
            return
        tolerance = (P_TOLERANCE, P_FLOOR) if column in ("p", "p_holm") else (TOLERANCE, FLOOR)
        if _agree(stored, recomputed, *tolerance):
            self.matching[file] += 1
        else:
            self.mismatches.append(Mismatch(file, row, column, stored, recomputed))


def verify(file: Path, progress: Progress, plugins: Path | None = None) -> Verified:
    """Check a bundle. Raises DataError where it is none, or holds no run; `plugins` as for `read_run`.

    scores.csv is recomputed from the predictions, by each evaluator's `resample` with every image counted once,
    and from the features, by its `restate`; leaderboard.csv, intervals.csv and comparisons.csv from scores.csv,
    run.json and the predictions. Nothing is taken from the store, no data set is read.
    """
    with tempfile.TemporaryDirectory(prefix="synthbench-verify-") as folder:
        found = Verified(unpack(file, Path(folder)))
        try:
            _check(read_run(Path(folder), plugins), found, progress)
        except (
            Exception
        ) as error:  # a bundle may hold anything: what the core or a plugin stumbles over is its fault
            message = f"{type(error).__name__}: {error}".replace(folder, file.name)
            if not found.files:
                raise DataError(f"{file}: its content cannot be worked with: {message}") from error
            found.notes.append(f"nothing more could be checked: {message}")
    return found


def _check(run: Finished, found: Verified, progress: Progress) -> None:
    found.notes += [f"{label} cannot be recomputed: {why}" for label, why in run.missing.items()]
    found.notes += _other_code(run)
    found.files += altered(run.folder)
    again = Recomputation(run, progress)
    with progress.bar("recomputing", len(run.outcomes), unit="trials") as bar:
        for outcome in run.outcomes:
            _check_scores(outcome, again, run.missing, found)
            bar.advance(1, note=outcome.trial.title)
    _check_board(run, found, progress)


def _agree(stored: str, recomputed: str, share: float, floor: float) -> bool:
    """Whether two cells say the same: numbers within the tolerance, other texts to the letter."""
    try:
        a, b = float(stored), float(recomputed)
    except ValueError:
        return stored == recomputed
    return math.isclose(a, b, rel_tol=share, abs_tol=floor) or (math.isnan(a) and math.isnan(b))


def _other_code(run: Finished) -> Iterator[str]:
    """Evaluators whose code here is not what made the run."""
    for entry in run.bench.evaluators:
        recorded = run.record["code"].get(entry.use)
        if entry.label not in run.missing and recorded != code_version(type(entry.plugin).__module__)["source"]:
            yield f"{entry.label}: the code of {entry.use} here is not what made the run"


# ---- scores.csv


def _check_scores(outcome: Outcome, again: Recomputation, missing: Mapping[str, str], found: Verified) -> None:
    """Each number against what predictions and features give."""
    for label in dict.fromkeys([*outcome.scores, *outcome.predictions]):
        told, why = ({}, _PLUGIN) if label in missing else again.of(outcome, label)
        stored = {measured_of(score): score for score in outcome.scores.get(label, ())}
        for what, score in stored.items():
            if what in told:
                for column, value in told[what].items():
                    found.compare(
                        "scores.csv", _row(outcome, label, what), column, _cell(getattr(score, column)), value
                    )
            elif not math.isnan(score.value):
                found.unchecked[f"scores.csv: {label}.{score.metric}: {why}"] += 1
        for what in [what for what in told if what not in stored]:
            found.compare("scores.csv", _row(outcome, label, what), "value", "", told[what]["value"])


def _cell(value: object) -> str:
    return "" if value is None else str(value)


def _row(outcome: Outcome, label: str, what: Measured) -> str:
    classifier = "" if what.classifier_seed is None else f"classifier {what.classifier_seed}"
    parts = [outcome.trial.title, f"{label}.{what.metric}", what.variant, f"on {what.test_set}", classifier]
    return ", ".join(part for part in parts if part)


# ---- the board


def _check_board(run: Finished, found: Verified, progress: Progress) -> None:
    resample_run(run, run.bench.seed, progress)
    board = make_board(run.bench, run.tests, run.outcomes)
    for name, keys in KEYS.items():
        again = pd.read_csv(
            io.StringIO(getattr(board, name).to_csv(index=False)), dtype=str, keep_default_na=False
        )
        stored = read_table(run.folder / f"{name}.csv")
        found.compare(f"{name}.csv", "all", "number of rows", str(len(stored)), str(len(again)))
        _check_table(name, _keyed(stored, keys), _keyed(again, keys), run, found)


Rows = Mapping[str, Mapping[str, str]]


def _keyed(table: pd.DataFrame, keys: list[str]) -> Rows:
    rows = [{str(column): cell for column, cell in row.items()} for row in table.to_dict("records")]
    return {", ".join(filter(None, (row[key] for key in keys))): row for row in rows}


def _check_table(name: str, stored: Rows, again: Rows, run: Finished, found: Verified) -> None:
    """Cell by cell; a row or a column that only one side has shows as cells that only one side has."""
    for key in dict.fromkeys([*stored, *again]):
        mine, theirs = stored.get(key, {}), again.get(key, {})
        for column in dict.fromkeys([*mine, *theirs]):
            if label := _unknown(name, {**theirs, **mine}, column, run):
                found.unchecked[f"{name}.csv: {label}: {_PLUGIN}"] += 1
            else:
                found.compare(f"{name}.csv", key, column, mine.get(column, ""), theirs.get(column, ""))


def _unknown(name: str, row: Mapping[str, str], column: str, run: Finished) -> str:
    """The evaluator without which this cell cannot be recomputed; "" where it can."""
    headline = headline_of(run.bench).evaluator
    if headline in run.missing and (
        name == "comparisons" or column.startswith(("rank", "utility", "interval_basis"))
    ):
        return headline
    if name == "intervals":
        resampled = ("low", "high", "sampling_low", "sampling_high", "basis")
        return row["evaluator"] if row["evaluator"] in run.missing and column in resampled else ""
    ends = column.endswith(("_low", "_high"))
    return next((label for label in run.missing if ends and column.startswith(f"{label}.")), "")
