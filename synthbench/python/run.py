"""A run as Python has it: its folder as pandas tables, shown as the table with which the report begins."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from synthbench.errors import DataError
from synthbench.python.show import as_html, in_a_line
from synthbench.python.show import as_text as board_text
from synthbench.report import REPORT
from synthbench.report.board import BoardTable, board_tables
from synthbench.results.damage import readable
from synthbench.results.folder import RunFolder, read_folder
from synthbench.results.requirements import missed, recorded
from synthbench.storage.cells import as_text
from synthbench.storage.layout import Table

__all__ = ["Run"]

NAMES = (
    "generator",
    "evaluator",
    "a",
    "b",
    "better",
    "test_set",
    "dataset",
    "image",
    "match",
    "path",
    "variant",
    "label",
)
"""Columns of names: a name of digits is no number."""


class Run:
    """The folder of a run, also of an earlier one: `Run("runs/quickstart")`. Tables are read when asked for.

    folder  where everything lies

    Raises DataError where the folder holds no run; here and later where its files are damaged.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        with readable(self.folder):
            self._read()

    @property
    def leaderboard(self) -> pd.DataFrame:
        """leaderboard.csv, best first: a row a generator."""
        return self.table("leaderboard")

    @property
    def scores(self) -> pd.DataFrame:
        """scores.csv: every number of every trial."""
        return self.table("scores")

    @property
    def intervals(self) -> pd.DataFrame:
        """intervals.csv: every number of the board with its interval."""
        return self.table("intervals")

    @property
    def comparisons(self) -> pd.DataFrame:
        """comparisons.csv: every pair of candidates, with the test of their difference."""
        return self.table("comparisons")

    def table(self, name: str) -> pd.DataFrame:
        """A table of the run: leaderboard, scores, intervals, comparisons, costs, test_sets, audit, ...

        Raises DataError where the run has none of that name.
        """
        file = self.folder / f"{name}.csv"
        if name not in list(Table) or not file.is_file():
            known = [table.value for table in Table if (self.folder / table.file).is_file()]
            raise DataError(f"{self.folder} has no table {name!r}; there is: {', '.join(known)}")
        try:
            # "None", "NA", "null" may be names of generators and of patients, and so may "007"
            table = pd.read_csv(file, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(NAMES, "str"))
            texts = table.select_dtypes(include=["object", "string"]).columns
            return table.assign(**{column: table[column].map(_text, na_action="ignore") for column in texts})
        except pd.errors.EmptyDataError:
            return pd.DataFrame()
        except ValueError as error:  # of pandas, or no UTF-8
            raise DataError(f"{file} is damaged: {error}") from error

    @property
    def report(self) -> Path:
        """report.html."""
        return self.folder / REPORT

    @property
    def failed(self) -> list[str]:
        """The trials in which something failed, with the reasons."""
        with readable(self.folder):
            trials = [trial for trial in self._read().trials if trial.status == "failed"]
            return [f"{trial.generator}, seed {trial.index}: {'; '.join(trial.reasons)}" for trial in trials]

    @property
    def missed(self) -> list[str]:
        """A line for each candidate and requirement, of the file or of the call, that it misses."""
        with readable(self.folder):
            run = self._read()
            return missed(recorded(run), run)

    def __repr__(self) -> str:
        with readable(self.folder):
            run, board = self._first()
            notes = map(in_a_line, self._notes(board))
            return "\n".join([in_a_line(_title(run)), board_text(_frame(board)), *notes])

    def _repr_html_(self) -> str:
        with readable(self.folder):
            run, board = self._first()
            return as_html(_title(run), _frame(board), self._notes(board))

    def _read(self) -> RunFolder:
        return read_folder(self.folder)

    def _first(self) -> tuple[RunFolder, BoardTable]:
        run = self._read()
        return run, board_tables(run)[0][0]

    def _notes(self, board: BoardTable) -> list[str]:
        failed = [f"failed, wholly or in part: {line}" for line in self.failed]
        return [*board.notes, *self.missed, *failed, f"report: {self.report}"]


def _title(run: RunFolder) -> str:
    return f"{run.name}: ranked by {run.ranked_by}; 95 % intervals"


def _frame(board: BoardTable) -> pd.DataFrame:
    """A board's cells as texts, the number to quote first as on the page."""
    rows = [
        [line.generator, line.role, *(_cell(cell.text, cell.detail) for cell in line.cells), "; ".join(line.flags)]
        for line in board.lines
    ]
    heads = ["generator", "role", *(head.title for head in board.heads), "note"]
    frame = pd.DataFrame(rows, columns=heads)
    return frame if any(line.flags for line in board.lines) else frame.drop(columns="note")


def _cell(text: str, detail: str) -> str:
    return f"{text} ({detail})" if detail else text


def _text(cell: object) -> object:
    """A cell without what guarded it; True and False, beside empty cells, come as they are."""
    return as_text(cell) if isinstance(cell, str) else cell
