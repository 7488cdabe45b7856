"""Which numbers of the board moved between two runs, by how much, and whether by more than chance explains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthbench.leaderboard.estimates import Estimate, Estimates, estimates_of
from synthbench.leaderboard.judges import with_mean
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.progress import Progress
from synthbench.results.comparability import Change, changes
from synthbench.results.folder import Row, StoredEstimate
from synthbench.results.read import SavedRun, bootstrap_run, read_run
from synthbench.stats import difference
from synthbench.storage.layout import Column, Table, subgroup_parts

__all__ = ["Diff", "Moved", "Verdict", "compare_runs"]

Verdict = Literal["same", "within", "beyond", "unknown", "other"]
Key = tuple[str, ScoreKey]  # generator, column

SAME = 1e-9
"""Numbers that differ by less are the same: floating point."""


@dataclass(frozen=True)
class Shift:
    """b less a with its 95 % interval, by the rule "paired" or "joined"."""

    difference: float
    low: float
    high: float
    rule: str


@dataclass(frozen=True)
class Moved:
    """A number of the board in both runs; None where a run does not have it.

    verdict  "same"; "within" the interval of the difference (0 is in it) or "beyond" it; "unknown" (there is no
             interval); "other" (one run lacks the number, or a text stands in its place)
    """

    generator: str
    column: str
    a: StoredEstimate | None
    b: StoredEstimate | None
    verdict: Verdict
    shift: Shift | None = None


@dataclass(frozen=True)
class Diff:
    """All that differs between two runs. `ranks` holds generator, rank in a, rank in b where those differ."""

    inputs: list[Change]
    numbers: list[Moved]
    ranks: list[tuple[str, str, str]]

    @property
    def differs(self) -> bool:
        """Whether a number moved and its interval does not explain it."""
        return any(number.verdict not in ("same", "within") for number in self.numbers)


def compare_runs(a: Path, b: Path, progress: Progress, plugins: Path | None = None) -> Diff:
    """Compare two runs' folders. Raises DataError where one is none; `plugins` as for `read_run`.

    Costs are not compared: they belong to the machine and its load.
    """
    runs = (read_run(a, plugins), read_run(b, plugins))
    in_a, in_b = (dict(_numbers(run)) for run in runs)
    apart = [key for key in in_a if key in in_b and abs(in_b[key].value - in_a[key].value) > SAME]
    paired = _paired(runs, apart, progress)
    numbers = [_moved(key, in_a.get(key), in_b.get(key), paired.get(key)) for key in dict.fromkeys([*in_a, *in_b])]
    return Diff(changes(runs[0].record, runs[1].record), numbers, _ranks(*runs))


def _numbers(run: SavedRun) -> Iterator[tuple[Key, StoredEstimate]]:
    """Every metric and utility of the run."""
    for row in run.table(Table.INTERVALS):
        key = (row["generator"], ScoreKey.of_row(row))
        stored = StoredEstimate.parse(row["value"] or row["note"])
        yield key, stored._replace(ends=_ends(row))


def _ends(row: Row) -> tuple[float, float] | None:
    """Of an interval, open ones (of `worth`, infinite) and wide ones too; None where there is none."""
    low, high = (float(row[end] or "nan") for end in ("low", "high"))
    return None if math.isnan(low) or math.isnan(high) else (low, high)


def _moved(key: Key, a: StoredEstimate | None, b: StoredEstimate | None, paired: Shift | None) -> Moved:
    who = (key[0], key[1].name)
    if a is None or b is None or math.isnan(a.value) or math.isnan(b.value):
        same = a is not None and b is not None and a.text == b.text
        return Moved(*who, a, b, "same" if same else "other")
    if abs(b.value - a.value) <= SAME:
        return Moved(*who, a, b, "same")
    shift = paired or _joined(a, b)
    return Moved(*who, a, b, _verdict(shift), shift)


def _verdict(shift: Shift) -> Verdict:
    if math.isnan(shift.low) or math.isnan(shift.high):
        return "unknown"
    return "within" if shift.low <= 0 <= shift.high else "beyond"


def _joined(a: StoredEstimate, b: StoredEstimate) -> Shift:
    """Of two numbers that are taken for independent: the half-widths that face each other add up as squares.

    MOVER for a difference (Zou & Donner, Statistics in Medicine 27, 2008, eq. 10).
    """
    moved = b.value - a.value
    if not (a.ends and b.ends):
        return Shift(moved, math.nan, math.nan, "joined")
    low = moved - math.hypot(b.value - b.ends[0], a.ends[1] - a.value)
    high = moved + math.hypot(b.ends[1] - b.value, a.value - a.ends[0])
    return Shift(moved, low, high, "joined")


def _paired(runs: tuple[SavedRun, SavedRun], apart: Sequence[Key], progress: Progress) -> dict[Key, Shift]:
    """Those of `apart` where both runs keep predictions for the same test images: compared as within one run."""
    sets = [{name: about["digest"] for name, about in run.record["data"]["sets"].items()} for run in runs]
    common = {name for name in sets[0] if sets[0][name] == sets[1].get(name)}  # digests count ids and patients
    asked = [(label, key) for label, key in apart if _whole(key.test_set) in common]

    def wanted(generator: str, evaluator: str) -> set[str]:
        return {key.test_set for label, key in asked if (label, key.evaluator) == (generator, evaluator)}

    estimates: list[dict[str, Estimates]] = []
    for run in runs:
        bootstrap_run(run, runs[0].bench.seed, progress, wanted)
        of_run = {label: estimates_of(results, len(results)) for label, results in run.trials.items()}
        estimates.append({label: with_mean(of_run[label], run.bench, run.trials[label]) for label in of_run})
    pairs = {(label, key): [by_label[label].get(key) for by_label in estimates] for label, key in asked}
    return {key: shift for key, (a, b) in pairs.items() if a and b and (shift := _shift(a, b))}


def _whole(test_set: str) -> str:
    """The set that a subgroup is of; those of one set alone have a digest."""
    parts = subgroup_parts(test_set)
    return parts[0] if parts else test_set


def _shift(a: Estimate, b: Estimate) -> Shift | None:
    """None where one is not resampled, or their subgroups are of other images."""
    if a.resampled is None or b.resampled is None or (a.patients, {*a.n}) != (b.patients, {*b.n}):
        return None
    d = difference(*b.side, *a.side, bounds=a.bounds, groups=a.patients)
    return Shift(d.value, d.low, d.high, "paired")


def _ranks(a: SavedRun, b: SavedRun) -> list[tuple[str, str, str]]:
    """Generator, its rank in a and in b, where both runs have it and the two differ."""
    ranks_a, ranks_b = (_rank_of(run) for run in (a, b))
    both = [label for label in ranks_a if label in ranks_b]
    return [(label, ranks_a[label], ranks_b[label]) for label in both if ranks_a[label] != ranks_b[label]]


def _rank_of(run: SavedRun) -> dict[str, str]:
    rows = run.table(Table.BOARD)
    return {row["generator"]: "-".join(dict.fromkeys([row[Column.RANK], row[Column.RANK_HIGH]])) for row in rows}
