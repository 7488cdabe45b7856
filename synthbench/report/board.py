"""The leaderboard as a page shows it: cells with bars, reference lines, flags; a table for each test set."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from synthbench.leaderboard.copying import CANNOT_BE_TOLD
from synthbench.leaderboard.few_seeds import one_seed_note
from synthbench.leaderboard.floors import chance_of
from synthbench.leaderboard.judge_notes import by_judge, judge_notes
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.utility import worth_text
from synthbench.report.bars import Cell, number_cells, plain_cell, value_cells
from synthbench.report.fidelity import is_reference
from synthbench.report.metrics import BoardMetric, board_metrics, estimates_of, main_metrics
from synthbench.results.folder import NO_LABELS, Row, RunFolder, dig, number
from synthbench.storage.layout import Column, Table, is_clean

__all__ = ["BoardTable", "Head", "Line", "board_tables"]

MOST_CELLS = 4000
"""Cells of tables beyond the first: what is more stands in intervals.csv alone."""

MOST_SETS = 3
"""Further test sets beside `test` in the first table, which a window of 1,280 pixels has room for."""

COSTS = {
    Column.FIT: "fit, s",
    Column.SAMPLE: "draw, s",
    Column.SCORE: "score, s",
    Column.MEMORY: "memory, MB",
}
ABOVE_ONE = (
    "Above 1: better than as many real images under this classifier and metric; "
    "the ceiling is a reference, no upper bound: look at AUROC."
)
WEAK = "Fewer than ten seeds: how much they vary is itself hardly known, and so are the intervals."
IMBALANCED = ScoreKey("", "utility_imbalanced")
SAID_IN_FULL = ("test may have been seen", "may have seen every real image", "fewer images than asked")
"""How reasons begin that a reader of the board must see beside the row."""


@dataclass(frozen=True)
class Head:
    """A column's heading: `first` is the direction of the first sort, `sorted` the one it comes in.

    `better`: "higher is better" or "lower is better", shown; `hint`: what a pointer shows.
    """

    title: str
    numeric: bool = True
    first: str = "ascending"
    sorted: str = ""
    hint: str = ""
    better: str = ""


@dataclass(frozen=True)
class Line:
    """A row: the generator with link and role, its cells; `flags`: what a reader must know of it."""

    generator: str
    role: str
    cells: Sequence[Cell]
    flags: Sequence[str] = ()


@dataclass(frozen=True)
class BoardTable:
    """A board: `title` says of what; `leaked`: what training knows of its test set, if anything."""

    title: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    notes: Sequence[str] = field(default_factory=tuple)
    leaked: str = ""


Shown = tuple[Head, Sequence[Cell]]


def board_tables(run: RunFolder) -> tuple[list[BoardTable], list[BoardTable], list[str]]:
    """The first tables; the folded ones; what is left out for its size.

    First come the numbers to quote, then the other evaluators' main metrics.
    """
    metrics = board_metrics(run)
    first = [_first_table(run, metrics)]
    mains = main_metrics(run, metrics)
    if mains:
        values = [(_short(_head(metric, run)), value_cells(estimates_of(run, metric.key))) for metric in mains]
        first.append(_table(run, "Other evaluators, the main metric of each", values))
    folded, left_out, cells = [_further(run)], [], 0
    for title, group in _groups(metrics).items():
        cells += len(group) * len(run.board)
        if cells > MOST_CELLS:
            left_out.append(title)
        else:
            columns, key = [_numbers(metric, run) for metric in group], group[0].key
            folded.append(_table(run, title, columns, test_set=key.test_set, notes=_notes(run, key)))
    return first, folded, left_out


def _groups(metrics: Sequence[BoardMetric]) -> dict[str, list[BoardMetric]]:
    """What is measured in one place, by its title: an evaluator on `test`, all evaluators on another set."""
    groups: dict[str, list[BoardMetric]] = {}
    for metric in metrics:
        key = metric.key
        if key.of_board:
            where = "On test" if key.test_set else "Of the synthetic images"
            groups.setdefault(f"{where}: {key.evaluator}", []).append(metric)
        elif not is_reference(key.variant):
            groups.setdefault(f"{'On' if key.test_set else 'Of'} {key.place}", []).append(metric)
    return groups


def _first_table(run: RunFolder, metrics: Sequence[BoardMetric]) -> BoardTable:
    """The headline on `test`, rank, the headline elsewhere, utility, seeds, the time to fit."""
    wanted = run.headline_key()
    rank = Head("rank", hint="1 + the generators that are significantly better; floors and ceilings have none")
    seeds = Head("seeds", hint="of the generator × of the headline's evaluator for each")
    ranks = [Cell(by_judge(row)) for row in run.board]
    elsewhere = [m for m in metrics if m.key == wanted._replace(test_set=m.key.test_set) and _external(run, m)]
    columns: list[Shown] = [
        *(_numbers(metric, run) for metric in metrics if metric.key == wanted),  # all a narrow window shows
        (rank, [_rank(row) for row in run.board]),
        *([(Head("by judge", numeric=False), ranks)] if any(cell.text for cell in ranks) else []),
        *(_numbers(metric, run) for metric in elsewhere[:MOST_SETS]),
        *_utilities(run, [ScoreKey("", Column.UTILITY)]),
        *_worths(run),
        (seeds, [_seeds(row) for row in run.board]),
        *_costs(run, [Column.FIT]),
    ]
    title = "On test, best first" if wanted.test_set else "Best first"
    flags, notes = [_flags(row) for row in run.board], _board_notes(run, wanted)
    return _table(run, title, columns, test_set=wanted.test_set, notes=notes, flags=flags)


def _external(run: RunFolder, metric: BoardMetric) -> bool:
    """Whether it is on a test set of another data set than `test`, and is a number somewhere."""
    origin = {row["test_set"]: row.get("dataset", "") for row in run.tables[Table.TEST_SETS]}
    test_set = metric.key.test_set
    elsewhere = origin.get(test_set, origin.get("test")) != origin.get("test") and not is_clean(test_set)
    return elsewhere and any(not math.isnan(one.value) for one in run.estimates[metric.key].values())


def _further(run: RunFolder) -> BoardTable:
    """Both utilities, status and costs in full."""
    status = Head("status", numeric=False)
    columns = [
        *_utilities(run, [ScoreKey("", Column.UTILITY), IMBALANCED]),
        (status, [Cell(row.get(Column.STATUS, "")) for row in run.board]),
        *_costs(run, list(COSTS)),
    ]
    return _table(run, "Utility and costs", columns)


def _utilities(run: RunFolder, keys: Sequence[ScoreKey]) -> list[Shown]:
    return [
        (
            Head(key.metric, first="descending", hint="0: the floor; 1: real images", better="higher is better"),
            number_cells(estimates_of(run, key), list(run.roles.values())),
        )
        for key in keys
        if key in run.estimates
    ]


def _worths(run: RunFolder) -> list[Shown]:
    cells = [Cell(worth_text(row), value=number(row.get(Column.WORTH))) for row in run.board]
    hint = "real images, classes balanced, that give the same score"
    return [(Head("worth", first="descending", hint=hint), cells)] * any(cell.text for cell in cells)


def _costs(run: RunFolder, names: Sequence[str]) -> list[Shown]:
    spent = {name: [number(row.get(name)) for row in run.board] for name in names}
    return [
        (Head(COSTS[Column(name)]), [plain_cell(value) for value in values])
        for name, values in spent.items()
        if any(value is not None for value in values)
    ]


def _table(
    run: RunFolder,
    title: str,
    columns: Sequence[Shown],
    *,
    test_set: str = "",
    notes: Sequence[str] = (),
    flags: Sequence[Sequence[str]] = (),
) -> BoardTable:
    lines = [
        Line(row["generator"], row.get("role", ""), [cells[k] for _, cells in columns], flags[k] if flags else ())
        for k, row in enumerate(run.board)
    ]
    return BoardTable(title, [head for head, _ in columns], lines, notes, run.leaked(test_set))


def _numbers(metric: BoardMetric, run: RunFolder) -> Shown:
    """A metric's column; on images that nobody has seen its floor is chance, where that is known."""
    chance = None if metric.key.seen else chance_of(metric.key.metric, max(len(run.classes), 2))
    return _head(metric, run), number_cells(estimates_of(run, metric.key), list(run.roles.values()), chance)


def _head(metric: BoardMetric, run: RunFolder) -> Head:
    first = "ascending" if metric.direction == "lower" else "descending"
    elsewhere = f" on {metric.key.test_set}" if metric.key.test_set not in ("", "test") else ""
    return Head(
        f"{metric.key.title}{elsewhere}",
        first=first,
        sorted=first if metric.key == run.headline_key() else "",
        better=f"{metric.direction} is better",
    )


def _short(head: Head) -> Head:
    """Without the extractor, which a pointer shows: a table of many evaluators has no room for it."""
    return replace(head, title=re.sub(r"\[.*\]", "", head.title), hint=head.title)


def _rank(row: Row) -> Cell:
    low, high = row.get(Column.RANK, ""), row.get(Column.RANK_HIGH, "")
    return Cell("–".join(dict.fromkeys(filter(None, [low, high]))), value=number(low))


def _seeds(row: Row) -> Cell:
    known = [row.get(Column.SEEDS, ""), row.get(Column.EVALUATOR_SEEDS, "")]
    return Cell(" × ".join(filter(None, known)), value=number(known[0]))


def _flags(row: Row) -> list[str]:
    """What a reader must know of this row and not of all: copying, gaps, labels that fit no images."""
    flags = []
    status, copying, note = (row.get(name, "") for name in (Column.STATUS, Column.COPYING, Column.NOTE))
    if copying == CANNOT_BE_TOLD:
        flags.append("copying cannot be told")
    elif copying == "yes":
        flags.append("copying" if row.get("role", "candidate") == "candidate" else "copying (by design)")
    if status not in ("", "done"):
        flags.append(status)
    if "differs from chance" in note:
        flags.append("differs from chance")
    reasons = [part.removeprefix("seed").lstrip("s 0123456789,:") for part in note.split("; ")]
    if any(reason.startswith("labels: ") for reason in reasons):
        flags.append("labels do not fit the images")
    flags += [reason for reason in dict.fromkeys(reasons) if reason.startswith(SAID_IN_FULL)]
    return flags


def _board_notes(run: RunFolder, headline: ScoreKey) -> list[str]:
    """What holds for the whole board, said once: its test set, seeds, utility, judges."""
    intervals = [row for row in run.tables[Table.INTERVALS] if ScoreKey.of_row(row) == headline]
    utility = run.estimates.get(ScoreKey("", Column.UTILITY), {}).values()
    defined = [one for one in utility if not math.isnan(one.value)] or utility  # or why there is none at all
    measured_by = dict.fromkeys(one.note for one in defined if one.note)
    one_seed = one_seed_note(run.board)
    against = {one.note for one in run.estimates.get(headline, {}).values()} if not headline.test_set else set()
    return [
        *([NO_LABELS] if len(run.classes) == 1 else []),
        *_notes(run, headline),
        *(f"{headline.evaluator}: {note}." for note in sorted(against) if len(against) == 1),
        *(f"{label} is left out: {reason}." for label, reason in dig(run.record, "left_out", default={}).items()),
        *judge_notes(run.board, run.tables[Table.JUDGES]),
        *([f"{one_seed}."] if one_seed else []),
        *([WEAK] if any(row.get("weak") == "True" for row in intervals) else []),
        *(f"Utility: {note}." for note in measured_by),
        *([ABOVE_ONE] if _above_one(run) else []),
    ]


def _notes(run: RunFolder, key: ScoreKey) -> list[str]:
    """What is known of the images that a table is on."""
    notes = []
    if key.seen == "generator":
        notes.append("Seen: these are the images to train on.")
    if key.seen == "validation":
        notes.append("Validation: these images chose the classifier's epoch.")
    for row in run.tables[Table.TEST_SETS]:
        if row["test_set"] == key.test_set:
            leaked = row.get("leaked", "")
            known = f"; leaked: training knows {leaked} of them" if leaked not in ("", "0") else "; no known leak"
            notes.append(f"{_images_of(row)}{known}.")
            notes += [f"Whose images: {row['domain']}."] if row.get("domain") else []
    return notes


def _images_of(row: Row) -> str:
    """ "40 images of 12 patients"; of images that are each a group of their own nobody may know the patients."""
    images, patients = row.get("images", "?"), row.get("patients", "?")
    whose = ", patients unknown or one each" if images == patients else f" of {patients} patients"
    return f"{images} images{whose}"


def _above_one(run: RunFolder) -> bool:
    """Whether a candidate's utility lies above the ceiling's, its interval included."""
    return any((number(row.get("utility_low")) or 0) > 1 for row in run.board if row.get("role") == "candidate")
