"""The boards of several runs as one: what may be compared is ranked anew, the rest is marked and says why."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from synthbench.benchmark.plan import seeds_of
from synthbench.errors import ConfigError
from synthbench.leaderboard.board import heads_of, standings
from synthbench.leaderboard.estimates import Estimate, estimates_of
from synthbench.leaderboard.judges import with_mean
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.comparability import incomparable
from synthbench.results.read import SavedRun, Wanted, bootstrap_run, read_run
from synthbench.storage.cells import csv_text
from synthbench.storage.disk import make_folder
from synthbench.storage.layout import Column, Table, column_name
from synthbench.storage.store import write_atomic

__all__ = ["Merged", "merge", "write_merged"]

Who = tuple[str, str]  # run, generator

RANKS = [Column.RANK, Column.RANK_HIGH]


@dataclass(frozen=True)
class Merged:
    """The merged board, the pairs of candidates behind its ranks, and what else a reader should know.

    leaderboard  the runs' rows as they were written, under `run`, `generator`, `comparable` ("yes", or "no: " and
                 why) and ranks of their own; comparable rows first, best headline first
    comparisons  as a run's comparisons.csv
    headline     of the first run, and the name of its column
    notes        what does not keep rows apart but may explain a difference
    """

    leaderboard: pd.DataFrame
    comparisons: pd.DataFrame
    headline: str
    column: str
    notes: list[str]

    @property
    def refused(self) -> dict[str, str]:
        """By run, why its rows are not ranked."""
        marked = self.leaderboard[self.leaderboard["comparable"] != "yes"]
        return dict(zip(marked["run"], marked["comparable"].str.removeprefix("no: "), strict=True))


def merge(folders: Sequence[Path], progress: Progress, plugins: Path | None = None) -> Merged:
    """Merge finished runs; the first decides what is comparable. Raises DataError for a folder that is no run.

    Candidates of all comparable runs are compared as within one: under the same resamples of the same test images,
    made anew from the stored predictions. `plugins` as for `read_run`.
    """
    runs = dict(zip(run_names(folders), [read_run(folder, plugins) for folder in folders], strict=True))
    first = next(iter(runs.values()))
    reasons = {name: "; ".join(incomparable(first.record, run.record)) for name, run in runs.items()}
    alike = {name: run for name, run in runs.items() if not reasons[name]}
    repeated = _repeated(alike)
    names = _names({name: [g for g in run.trials if (name, g) not in repeated] for name, run in runs.items()})
    trials: dict[str, list[TrialResult]] = {}
    for name, run in alike.items():
        bootstrap_run(run, first.bench.seed, progress, _headline_only(first))
        trials |= {names[name, label]: results for label, results in run.trials.items() if (name, label) in names}
    heads = _heads(first, trials)
    comparisons, places = standings(first.bench, first.tests, trials, heads)
    rows = pd.concat([_rows(name, run, reasons[name], names) for name, run in runs.items()], ignore_index=True)
    return Merged(
        _ordered(_ranked(rows.fillna(""), places), heads, first.bench.direction == "lower"),
        comparisons,
        str(first.bench.headline),
        column_name(*first.bench.headline),
        [
            *_notes(runs, alike),
            *(f"{run}: {label} is that of {other}: shown once" for (run, label), other in repeated.items()),
        ],
    )


def write_merged(merged: Merged, out: Path) -> None:
    """leaderboard.csv and comparisons.csv in `out`."""
    make_folder(out)
    for table, content in {Table.BOARD: merged.leaderboard, Table.COMPARISONS: merged.comparisons}.items():
        write_atomic(out / table.file, csv_text(content))


def run_names(folders: Sequence[Path]) -> list[str]:
    """Each folder's name, with as many parents as tell them apart. Raises ConfigError where one comes twice."""
    paths = [folder.resolve() for folder in folders]
    if twice := [folder for folder, n in zip(folders, map(paths.count, paths), strict=True) if n > 1]:
        raise ConfigError(f"{twice[0]}: the same run twice")
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = [Path(*path.parts[-depth:]).as_posix() for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _repeated(alike: Mapping[str, SavedRun]) -> dict[Who, str]:
    """Generators whose every score an earlier run has to the last digit, and that run: from one store, say.

    Ranked twice, they would push others down and make every comparison weigh less.
    """
    seen: dict[str, str] = {}
    repeated: dict[Who, str] = {}
    for name, run in alike.items():
        for label, results in run.trials.items():
            scores = repr((label, [result.scores for result in results]))
            if any(result.scores for result in results) and seen.setdefault(scores, name) != name:
                repeated[name, label] = seen[scores]
    return repeated


def _names(labels: Mapping[str, Sequence[str]]) -> dict[Who, str]:
    """What each generator of each run is called: its label, and the run where several have that label.

    With a number where another one is called so already: `pca (one)` may be a label.
    """
    counts = Counter(label for of_run in labels.values() for label in of_run)
    names: dict[Who, str] = {}
    taken = set(counts)
    for run, label in [(run, label) for run, of_run in labels.items() for label in of_run]:
        further = (f"{label} ({run}{f', {k}' if k > 1 else ''})" for k in itertools.count(1))
        names[run, label] = next(name for name in further if name not in taken) if counts[label] > 1 else label
        taken.add(names[run, label])
    return names


def _headline_only(run: SavedRun) -> Wanted:
    return lambda _, label: {"test"} if label in run.bench.ranked_by else ()


def _heads(first: SavedRun, trials: Mapping[str, Sequence[TrialResult]]) -> dict[str, Estimate]:
    """The headline's estimate of each generator; a run that was cut short shows `1/3 seeds`."""
    bench = first.bench
    estimates = {
        label: with_mean(estimates_of(results, seeds_of(bench, results[0].trial.generator)), bench, results)
        for label, results in trials.items()
    }
    return heads_of(estimates, bench)


def _rows(name: str, run: SavedRun, reason: str, names: Mapping[Who, str]) -> pd.DataFrame:
    """A run's own board without its ranks and the rows that have no name here."""
    table = pd.DataFrame(run.table(Table.BOARD))
    table = table[[(name, label) in names for label in table[Column.GENERATOR]]]
    generators = [names[name, label] for label in table[Column.GENERATOR]]
    of_this_run = {*RANKS, Column.JUDGES, Column.GENERATOR}.intersection(table.columns)
    table = table.drop(columns=list(of_this_run))
    table.insert(0, "run", name)
    table.insert(1, Column.GENERATOR, generators)
    table.insert(2, "comparable", f"no: {reason}" if reason else "yes")
    return table


def _ranked(table: pd.DataFrame, places: Mapping[str, tuple[int, int]]) -> pd.DataFrame:
    ranks = [places.get(generator, ("", "")) for generator in table[Column.GENERATOR]]
    note = table.pop(Column.NOTE)
    return pd.concat([pd.DataFrame(ranks, columns=RANKS, dtype=str), table], axis=1).assign(**{Column.NOTE: note})


def _ordered(table: pd.DataFrame, heads: Mapping[str, Estimate], ascending: bool) -> pd.DataFrame:
    """Comparable rows by headline, undefined ones behind them; then the others as their runs have them."""
    comparable = table["comparable"] == "yes"
    values = pd.Series([heads[label].value if label in heads else math.nan for label in table[Column.GENERATOR]])
    order = values[comparable].sort_values(ascending=ascending, kind="stable").index
    return table.loc[[*order, *table.index[~comparable]]].reset_index(drop=True)


def _notes(runs: Mapping[str, SavedRun], alike: Mapping[str, SavedRun]) -> list[str]:
    """Evaluators that cannot be resampled here, and those whose code is another than in the first run."""
    first = next(iter(runs))
    notes = [f"{name}: {label}: {why}" for name, run in alike.items() for label, why in run.missing.items()]
    for use in dict.fromkeys(e.use for e in runs[first].bench.evaluators):
        code = runs[first].record["code"].get(use)
        others = [name for name, run in alike.items() if run.record["code"].get(use, code) != code]
        notes += [f"{name}: other code of {use} than in {first}; see synthbench diff" for name in others]
    return notes
