"""The leaderboard as a page shows it: cells with bars, reference lines, flags; a table for each test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synthbench.leaderboard.copying import CANNOT_BE_TOLD
from synthbench.leaderboard.floors import chance_of
from synthbench.leaderboard.judge_notes import judge_notes
from synthbench.report.bars import Cell, number_cells, plain_cell
from synthbench.report.fidelity import is_reference
from synthbench.report.metrics import BoardMetric, board_metrics, main_metrics
from synthbench.results.folder import Row, RunFolder, dig, number

__all__ = ["BoardTable", "Head", "Line", "board_tables"]

MOST_CELLS = 4000
"""Cells of tables beyond the main one: what is more stands in leaderboard.csv alone."""

COSTS = {
    "fit_wall_s": "fit, s",
    "sample_wall_s": "draw, s",
    "scoring": "score, s",
    "peak_memory_mb": "memory, MB",
    "peak_gpu_mb": "GPU memory, MB",
}
ABOVE_ONE = (
    "Above 1: better than as many real images under this classifier and metric; "
    "the ceiling is a reference, no upper bound: look at AUROC."
)
MAIN_COSTS = ("fit_wall_s", "scoring", "peak_memory_mb")
UTILITIES = ("utility", "utility_imbalanced")
SAID_IN_FULL = ("test may have been seen", "fewer images than asked")
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
    """A board: of one test set, or a variant or use of it; `leaked`: what training knows of it, if anything."""

    title: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    notes: Sequence[str] = field(default_factory=tuple)
    leaked: str = ""


Column = tuple[Head, Sequence[Cell]]


def board_tables(run: RunFolder) -> tuple[BoardTable, list[BoardTable], list[str]]:
    """The main board; the folded ones (evaluators on `test`, other places); those left out for their size."""
    metrics = board_metrics(run)
    on_test = [metric for metric in metrics if metric.key.place == "test"]
    main = main_metrics(run, on_test)
    more = {metric.key.evaluator for metric in on_test if metric not in main}
    groups: dict[str, list[BoardMetric]] = {}
    for metric in on_test:
        if metric.key.evaluator in more:
            groups.setdefault(f"test: {metric.key.evaluator}", []).append(metric)
    for metric in metrics:
        if metric.key.place != "test" and not is_reference(metric.key.variant):
            groups.setdefault(metric.key.place, []).append(metric)
    others, left_out, cells = _further(run), [], 0
    for place, of_place in groups.items():
        cells += len(of_place) * len(run.board)
        if cells > MOST_CELLS:
            left_out.append(place)
        else:
            others.append(_place_table(run, place, of_place))
    return _main_table(run, main), others, left_out


def _main_table(run: RunFolder, metrics: Sequence[BoardMetric]) -> BoardTable:
    """Rank, headline and its evaluator's metrics, utility, the other evaluators, status, costs."""
    board = run.board
    rank = Head("rank", hint="1 + the generators that are significantly better; floors and ceilings have none")
    chief = metrics[0].key.evaluator if metrics and metrics[0].name == run.headline else ""
    measured = [(metric, _numbers(metric, run)) for metric in metrics]
    columns: list[Column] = [
        (rank, [_rank(row) for row in board]),
        *_ranks_by_judge(run),
        *(column for metric, column in measured if metric.key.evaluator == chief),
        *_utilities(run, ["utility"]),
        *(column for metric, column in measured if metric.key.evaluator != chief),
        (Head("status", numeric=False), [_status(row) for row in board]),
        *_costs(run, MAIN_COSTS),
    ]
    return _table(run, "test", columns, [_flags(row) for row in board])


def _further(run: RunFolder) -> list[BoardTable]:
    """Utility and costs in full, where the main board does not show all there is of them."""
    further = [*_utilities(run, ["utility_imbalanced"]), *_costs(run, [c for c in COSTS if c not in MAIN_COSTS])]
    columns = [*_utilities(run, UTILITIES), *_costs(run, list(COSTS))]
    return [_table(run, "test: utility and costs", columns)] if further else []


def _utilities(run: RunFolder, names: Sequence[str]) -> list[Column]:
    hint = "0: the floor; 1: real images"
    return [
        (Head(name, first="descending", hint=hint, better="higher is better"), number_cells(run.board, name))
        for name in names
        if any(row.get(name) for row in run.board)
    ]


def _costs(run: RunFolder, names: Sequence[str]) -> list[Column]:
    spent = {name: [_cost(run, row, name) for row in run.board] for name in names}
    return [
        (Head(COSTS[name]), [plain_cell(value) for value in values])
        for name, values in spent.items()
        if any(value is not None for value in values)
    ]


def _place_table(run: RunFolder, place: str, metrics: Sequence[BoardMetric]) -> BoardTable:
    return _table(run, place, [_numbers(metric, run) for metric in metrics])


def _table(
    run: RunFolder, place: str, columns: Sequence[Column], flags: Sequence[Sequence[str]] = ()
) -> BoardTable:
    lines = [
        Line(row["generator"], row.get("role", ""), [cells[k] for _, cells in columns], flags[k] if flags else ())
        for k, row in enumerate(run.board)
    ]
    return BoardTable(
        place, [head for head, _ in columns], lines, _notes(run, place), run.leaked(place.partition(" [")[0])
    )


def _numbers(metric: BoardMetric, run: RunFolder) -> Column:
    """A metric's column; on images that nobody has seen its floor is chance, where that is known."""
    chance = None if metric.key.seen else chance_of(metric.key.metric, max(len(run.classes), 2))
    return _head(metric, run), number_cells(run.board, metric.name, chance)


def _status(row: Row) -> Cell:
    seeds = row.get("seeds", "")
    return Cell(row.get("status", ""), f"{seeds} seeds" if seeds else "")


def _head(metric: BoardMetric, run: RunFolder) -> Head:
    first = "ascending" if metric.direction == "lower" else "descending"
    return Head(
        metric.key.title,
        first=first,
        sorted=first if metric.name == run.headline else "",
        better=f"{metric.direction} is better",
    )


def _rank(row: Row) -> Cell:
    low, high = row.get("rank_low") or row.get("rank", ""), row.get("rank_high", "")
    return Cell("–".join(dict.fromkeys(filter(None, [low, high]))), value=number(row.get("rank")))


def _ranks_by_judge(run: RunFolder) -> list[Column]:
    """What the rank would be by each judge alone."""
    judges = [name.partition("@")[2] for name in run.board[0] if name.startswith("rank_low@")]
    ranks = {
        judge: [{end: row[f"{end}@{judge}"] for end in ("rank_low", "rank_high")} for row in run.board]
        for judge in judges
    }
    return [
        (Head(f"rank by {judge}"), [_rank({**ends, "rank": ends["rank_low"]}) for ends in rows])
        for judge, rows in ranks.items()
    ]


def _cost(run: RunFolder, row: Row, name: str) -> float | None:
    """A cost column's number; "scoring" is the sum over evaluators."""
    if name != "scoring":
        return number(row.get(name))
    known = [s for label in run.evaluators if (s := number(row.get(f"{label}_wall_s"))) is not None]
    return sum(known) if known else None


def _flags(row: Row) -> list[str]:
    """What a reader must know of a row: copying, leaks of `test`, few seeds, labels that fit no images."""
    flags = []
    copying = row.get("copying", "").strip()
    if copying == CANNOT_BE_TOLD:
        flags.append("copying cannot be told")
    elif copying.lower() not in ("", "0", "0.0", "no", "false"):
        said = "" if number(copying) is not None or copying.lower() in ("yes", "true") else f": {copying}"
        flags.append(
            f"copying{said}" if row.get("role", "candidate") == "candidate" else f"copying (by design){said}"
        )
    if leaked := number(row.get("leaked@test")):
        flags.append(f"leaked: {leaked:.0f} images of test")
    if basis := row.get("rank_basis"):
        flags.append(basis)
    elif "of this model" in row.get("interval_basis", ""):
        flags.append("1 seed: intervals of this model")
    elif "(weak)" in row.get("interval_basis", ""):
        flags.append("weak interval: few seeds")
    if "differs from chance" in row.get("reason", ""):
        flags.append("differs from chance")
    reasons = row.get("reason", "").split("; ")
    if any(reason.startswith("labels: ") for reason in reasons):
        flags.append("labels do not fit the images")
    flags += [reason for reason in dict.fromkeys(reasons) if reason.startswith(SAID_IN_FULL)]
    return flags


def _notes(run: RunFolder, place: str) -> list[str]:
    """What is known of the test set that a table is on."""
    notes = []
    if place.endswith("[seen]"):
        notes.append("Seen: the generators were trained on these images.")
    if "[validation]" in place:
        notes.append("Validation: these images chose the classifier's epoch.")
    if place == "test":
        left_out = dig(run.record, "left_out", default={})
        notes += [f"{label} is left out: {reason}." for label, reason in left_out.items()]
        said = dict.fromkeys(row.get("utility_note", "") for row in run.board)
        notes += judge_notes(run.board, run.tables["judges"])
        notes += [f"{basis}." for basis in dict.fromkeys(row.get("rank_basis", "") for row in run.board) if basis]
        notes += [f"Utility: {note}." for note in said if note]
        notes += [ABOVE_ONE] if _above_one(run) else []
    for row in run.tables["test_sets"]:
        if row["test_set"] == place:
            leaked = row.get("leaked", "")
            known = f"; leaked: training knows {leaked} of them" if leaked not in ("", "0") else "; no known leak"
            notes.append(f"{row.get('images', '?')} images of {row.get('patients', '?')} patients{known}.")
            notes.append(row.get("domain", ""))
    return [note for note in notes if note]


def _above_one(run: RunFolder) -> bool:
    """Whether a candidate's utility lies above the ceiling's, its interval included."""
    return any((number(row.get("utility_low")) or 0) > 1 for row in run.board if row.get("role") == "candidate")
