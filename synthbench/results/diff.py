"""Which numbers of the board moved between two runs, by how much, and whether by more than chance explains."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from synthbench.leaderboard.estimates import Cell, Column, cells_of
from synthbench.progress import Progress
from synthbench.results.comparability import Change, changes
from synthbench.results.read import SavedRun, bootstrap_run, read_run, read_table
from synthbench.stats import difference

__all__ = ["Diff", "Moved", "Verdict", "compare_runs"]

Verdict = Literal["same", "within", "beyond", "unknown", "other"]
Key = tuple[str, str]  # generator, name of the column

SAME = 1e-9
"""Numbers that differ by less are the same: floating point."""

UTILITIES = ("utility", "utility_imbalanced")


@dataclass(frozen=True)
class Shown:
    """What a board shows in a cell: a value with its interval, or a `text` in their place. NaN: not known.

    `column` says what was measured; None for a utility, which is made of several.
    """

    text: str
    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    column: Column | None = None


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
    a: Shown | None
    b: Shown | None
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
    mine, theirs = (dict(_shown(run)) for run in runs)
    apart = {
        key: shown.column
        for key, shown in mine.items()
        if shown.column and key in theirs and abs(theirs[key].value - shown.value) > SAME
    }
    paired = _paired(runs, apart, progress)
    numbers = [
        _moved(key, mine.get(key), theirs.get(key), paired.get(key)) for key in dict.fromkeys([*mine, *theirs])
    ]
    return Diff(changes(runs[0].record, runs[1].record), numbers, _ranks(*runs))


def _shown(run: SavedRun) -> Iterator[tuple[Key, Shown]]:
    """Every metric and utility of the run's board."""
    for row in read_table(run.folder / "intervals.csv").to_dict("records"):
        column = Column(row["evaluator"], row["metric"], row["test_set"], row["seen"], row["variant"])
        yield (row["generator"], column.name), _cell(row["value"] or row["note"], row["low"], row["high"], column)
    for row in read_table(run.folder / "leaderboard.csv").to_dict("records"):
        for name in UTILITIES:
            if row[name]:
                yield (row["generator"], name), _cell(row[name], row[f"{name}_low"], row[f"{name}_high"])


def _cell(text: str, low: str, high: str, column: Column | None = None) -> Shown:
    try:
        return Shown(text, float(text), float(low or "nan"), float(high or "nan"), column)
    except ValueError:
        return Shown(text)


def _moved(key: Key, a: Shown | None, b: Shown | None, paired: Shift | None) -> Moved:
    if a is None or b is None or math.isnan(a.value) or math.isnan(b.value):
        same = a is not None and b is not None and a.text == b.text
        return Moved(*key, a, b, "same" if same else "other")
    if abs(b.value - a.value) <= SAME:
        return Moved(*key, a, b, "same")
    shift = paired or _joined(a, b)
    return Moved(*key, a, b, _verdict(shift), shift)


def _verdict(shift: Shift) -> Verdict:
    if math.isnan(shift.low) or math.isnan(shift.high):
        return "unknown"
    return "within" if shift.low <= 0 <= shift.high else "beyond"


def _joined(a: Shown, b: Shown) -> Shift:
    """Of two numbers that are taken for independent: the half-widths that face each other add up as squares.

    MOVER for a difference (Zou & Donner, Statistics in Medicine 27, 2008, eq. 10).
    """
    moved = b.value - a.value
    low = moved - math.hypot(b.value - b.low, a.high - a.value)
    high = moved + math.hypot(b.high - b.value, a.value - a.low)
    return Shift(moved, low, high, "joined")


def _paired(runs: tuple[SavedRun, SavedRun], apart: Mapping[Key, Column], progress: Progress) -> dict[Key, Shift]:
    """Where both runs keep their answers for the same test images: compared as candidates of one run are.

    `apart` says which numbers to look at, and the column of each.
    """
    sets = [{name: about["digest"] for name, about in run.record["data"]["sets"].items()} for run in runs]
    common = {name for name in sets[0] if sets[0][name] == sets[1].get(name)}  # digests count ids and patients
    asked = {key: column for key, column in apart.items() if column.test_set in common}

    def wanted(generator: str, evaluator: str) -> set[str]:
        mine = [column for (label, _), column in asked.items() if label == generator]
        return {column.test_set for column in mine if column.evaluator == evaluator}

    cells: list[dict[str, dict[Column, Cell]]] = []
    for run in runs:
        bootstrap_run(run, runs[0].bench.seed, progress, wanted)
        cells.append({label: cells_of(mine, len(mine)) for label, mine in run.trials.items()})
    pairs = {key: [found[key[0]][column] for found in cells] for key, column in asked.items()}
    return {key: shift for key, (a, b) in pairs.items() if (shift := _shift(a, b))}


def _shift(a: Cell, b: Cell) -> Shift | None:
    if a.replicates is None or b.replicates is None:
        return None
    d = difference(b.values, b.replicates, a.values, a.replicates, groups=a.patients)
    return Shift(d.value, d.low, d.high, "paired")


def _ranks(a: SavedRun, b: SavedRun) -> list[tuple[str, str, str]]:
    found = [_rank_of(run) for run in (a, b)]
    both = found[0].keys() & found[1].keys()
    return [
        (label, found[0][label], found[1][label])
        for label in found[0]
        if label in both and found[0][label] != found[1][label]
    ]


def _rank_of(run: SavedRun) -> dict[str, str]:
    rows = read_table(run.folder / "leaderboard.csv").to_dict("records")
    return {row["generator"]: "-".join(dict.fromkeys([row["rank_low"], row["rank_high"]])) for row in rows}
