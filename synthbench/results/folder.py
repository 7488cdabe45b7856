"""What a run left in its folder, read back. Pieces may be missing: they are empty here, never an error."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from synthbench.errors import DataError
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.results.tables import Row, StoredEstimate, estimate, number, read_cells, read_csv
from synthbench.storage.layout import Column, File, Table, evaluation_folder, is_clean, trial_folder
from synthbench.storage.versions import RUN, RUN_CHANGES

__all__ = [
    "NO_LABELS",
    "Row",
    "RunFolder",
    "StoredEstimate",
    "Trial",
    "dig",
    "estimate",
    "load_record",
    "number",
    "read_csv",
    "read_folder",
    "read_record",
]


Line = TypeVar("Line")

NO_LABELS = (
    "No labels: the board tells how like real images they are and whether they are copies, "
    "nothing of what they are worth for training."
)


@dataclass(frozen=True)
class Trial:
    """One trial as run.json tells of it; `folder` holds its files."""

    generator: str
    index: int
    folder: Path
    status: str = ""
    seed: int | None = None
    reasons: Sequence[str] = ()

    def evaluator(self, label: str) -> Path:
        """Where an evaluator's files are."""
        return evaluation_folder(self.folder, label)


@dataclass(frozen=True)
class RunFolder:
    """A run's folder: its tables as text, run.json, the trials. `problems` gathers what could not be read."""

    out: Path
    tables: Mapping[str, Sequence[Row]]
    record: Mapping[str, Any]
    problems: list[str] = field(default_factory=list)

    @property
    def board(self) -> Sequence[Row]:
        """leaderboard.csv, best first."""
        return self.tables[Table.BOARD]

    @property
    def bench(self) -> Mapping[str, Any]:
        """The benchmark file with every default written out."""
        content = dig(self.record, "benchmark", default={})
        return content if isinstance(content, Mapping) else {}

    @property
    def headline(self) -> str:
        """The metric that ranks, "" where run.json does not say."""
        return str(self.bench.get("headline", ""))

    @property
    def ranked_by(self) -> str:
        """ "tstr.auroc on test"; the name alone where no test set has a part in it: "kid.kid[..]"."""
        return f"{self.headline}{' on test' if self.headline_key().test_set else ''}"

    @property
    def name(self) -> str:
        """The benchmark's name, else the folder's."""
        return str(self.bench.get("name", self.out.resolve().name))

    @cached_property
    def estimates(self) -> dict[ScoreKey, dict[str, StoredEstimate]]:
        """intervals.csv: of each number, what each generator has of it; evaluators in the file's order."""
        known: dict[ScoreKey, dict[str, StoredEstimate]] = {}
        for row in self.tables[Table.INTERVALS]:
            known.setdefault(ScoreKey.of_row(row), {})[row["generator"]] = StoredEstimate.of_row(row)
        order = {label: place for place, label in enumerate(["judges", *self.evaluators])}
        return dict(sorted(known.items(), key=lambda item: order.get(item[0].evaluator, len(order))))

    def headline_key(self, test_set: str = "test") -> ScoreKey:
        """What the headline is on a test set, or wherever it is measured at all."""
        evaluator, _, metric = self.headline.rpartition(".")
        key = ScoreKey(evaluator, metric, test_set)
        return key if key in self.estimates else key._replace(test_set="")

    @cached_property
    def roles(self) -> dict[str, str]:
        """candidate, floor or ceiling by generator, in the board's order."""
        return {row[Column.GENERATOR]: row.get(Column.ROLE, "candidate") for row in self.board}

    @cached_property
    def evaluators(self) -> list[str]:
        """Labels in the benchmark file's order, then those that scores.csv alone knows."""
        named = [str(dig(e, "label", default="")) for e in dig(self.record, "benchmark", "evaluators", default=[])]
        return list(
            dict.fromkeys([*filter(None, named), *(row["evaluator"] for row in self.tables[Table.SCORES])])
        )

    @cached_property
    def classes(self) -> list[str]:
        """Class names in the order of the labels, as far as run.json knows them."""
        return list(dig(self.record, "data", "sets", "train", "counts", default={}))

    @cached_property
    def test_sets(self) -> list[str]:
        """Test sets that nobody has seen, `test` first; without the clean remainders of others."""
        unseen = [row["test_set"] for row in self.tables[Table.SCORES] if not row.get("seen")]
        names = dict.fromkeys([*(row["test_set"] for row in self.tables[Table.TEST_SETS]), *unseen])
        return sorted((name for name in names if not is_clean(name)), key=lambda name: name != "test")

    def leaked(self, test_set: str) -> str:
        """How much of a test set training knows, "" where nothing."""
        row = next((row for row in self.tables[Table.TEST_SETS] if row.get("test_set") == test_set), {})
        known = row.get("leaked", "")
        return f"leaked: {known} of {row.get('images', '?')}" if known not in ("", "0") else ""

    @cached_property
    def trials(self) -> list[Trial]:
        """As run.json lists them; without it, by the folders of the generators on the board."""
        listed = dig(self.record, "trials", default=[])
        if listed:
            return [self._trial(entry) for entry in listed]
        return [
            Trial(label, int(folder.name.removeprefix("seed-")), folder)
            for label in self.roles
            for folder in sorted(trial_folder(self.out, label, 0).parent.glob("seed-*"))
            if folder.name.removeprefix("seed-").isdecimal()
        ]

    def trials_of(self, generator: str) -> list[Trial]:
        """Those of one generator."""
        return [trial for trial in self.trials if trial.generator == generator]

    def note(self, path: Path, error: Exception) -> None:
        """Keep for the page what could not be read, and why."""
        name = path.relative_to(self.out) if path.is_relative_to(self.out) else path
        self.problems.append(f"{name}: {type(error).__name__}: {error}")

    def rows(self, path: Path) -> list[Row]:
        """A CSV file's rows; none where it is missing or cannot be read."""
        return self._lines(path, read_csv)

    def cells(self, path: Path) -> list[list[str]]:
        """The same as cells, the heading's first."""
        return self._lines(path, read_cells)

    def _lines(self, path: Path, read: Callable[[Path], list[Line]]) -> list[Line]:
        try:
            return read(path)
        except (OSError, ValueError, csv.Error) as error:
            self.note(path, error)
            return []

    def table(self, table: Table) -> list[Row]:
        """A table's rows; none where it lacks the columns that say what a row is of."""
        rows = self.rows(self.out / table.file)
        if rows and (lacking := [column for column in table.keys if column not in rows[0]]):
            self.note(self.out / table.file, ValueError(f"no column {', '.join(lacking)}"))
            return []
        return rows

    def _trial(self, entry: Mapping[str, Any]) -> Trial:
        label, index = str(entry.get("generator", "")), int(entry.get("index", 0))
        folder = trial_folder(self.out, label, index)
        reasons = [str(reason) for reason in entry.get("reasons", [])]
        return Trial(label, index, folder, str(entry.get("status", "")), entry.get("seed"), reasons)


def read_folder(out: Path) -> RunFolder:
    """Read a run's folder. Raises DataError where there is no leaderboard.csv in it, or of another format."""
    board = out / Table.BOARD.file
    if not board.is_file():
        raise DataError(f"{out} has no {Table.BOARD.file}; give the folder that `synthbench run` wrote")
    run = RunFolder(out, {}, {})
    tables: dict[str, Sequence[Row]] = {
        table: [] if table.optional and not (out / table.file).is_file() else run.table(table) for table in Table
    }
    if not tables[Table.BOARD] or Column.GENERATOR not in tables[Table.BOARD][0]:
        raise DataError(f"{board} has no row with a generator; run the benchmark again")
    record: dict[str, Any] = {}
    try:
        record = load_record(out)
    except DataError as error:
        run.note(out / File.RECORD, error.__cause__ if isinstance(error.__cause__, Exception) else error)
    else:
        _check_format(out, record)
    return RunFolder(out, tables, record, run.problems)


def read_record(folder: Path) -> dict[str, Any]:
    """A run's run.json. Raises DataError where there is none, or one of another format than `versions.RUN`."""
    record = load_record(folder)
    _check_format(folder, record)
    return record


def _check_format(folder: Path, record: Mapping[str, Any]) -> None:
    """Nothing of another format is read as if it were of this one: names have stayed that mean something else."""
    written = record.get("format", 1)
    if written == RUN:
        return
    if not isinstance(written, int) or written > RUN:
        raise DataError(
            f"{folder}: a newer synthbench wrote this run (format {written}, this one reads {RUN}); install that "
            "version to read it"
        )
    since = "; ".join(change for number, change in RUN_CHANGES.items() if number > written)
    raise DataError(
        f"{folder}: an older synthbench wrote this run (format {written}, this one reads {RUN}): since then "
        f"{since}; run the benchmark again: what the store holds is not computed anew"
    )


def load_record(folder: Path) -> dict[str, Any]:
    """A run's run.json, of whatever format. Raises DataError where there is none that can be read."""
    try:
        record = json.loads((folder / File.RECORD).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder}: no run.json; give the folder of a run, runs/<name> say") from error
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{folder / 'run.json'} cannot be read: {error}") from error
    if not isinstance(record, dict):
        raise DataError(f"{folder / 'run.json'} holds no record of a run")
    return record


def dig(tree: Any, *keys: str, default: Any) -> Any:
    """The value below nested keys, `default` where one is missing or None."""
    for key in keys:
        tree = tree.get(key) if isinstance(tree, Mapping) else None
    return default if tree is None else tree
