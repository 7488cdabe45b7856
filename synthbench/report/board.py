"""The leaderboard as a page shows it: cells with bars, reference lines, flags; a table for each test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synthbench.report.bars import Cell, number_cells, plain_cell
from synthbench.report.folder import Row, RunFolder, number

__all__ = ["BoardTable", "Head", "Line", "board_tables"]

MOST_CELLS = 4000
"""Cells of tables beyond the one on `test`: what is more stands in leaderboard.csv alone."""

COSTS = {
    "fit_wall_s": "fit, s",
    "sample_wall_s": "draw, s",
    "scoring": "score, s",
    "peak_memory_mb": "memory, MB",
    "peak_gpu_mb": "GPU memory, MB",
}


@dataclass(frozen=True)
class Head:
    """A column's heading: `first` is the direction of the first sort, `sorted` the one it comes in."""

    title: str
    numeric: bool = True
    first: str = "ascending"
    sorted: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Line:
    """A row: the generator with link and role, its cells."""

    generator: str
    role: str
    cells: Sequence[Cell]


@dataclass(frozen=True)
class BoardTable:
    """A board: of one test set, or of one variant or use of it."""

    title: str
    heads: Sequence[Head]
    lines: Sequence[Line]
    notes: Sequence[str] = field(default_factory=tuple)


Column = tuple[Head, Sequence[Cell]]


@dataclass(frozen=True)
class Metric:
    """A metric's column of leaderboard.csv: its name, the metric itself and where it was measured."""

    name: str
    title: str
    place: str
    direction: str


def board_tables(run: RunFolder) -> tuple[BoardTable, list[BoardTable], list[str]]:
    """The board on `test`; those of other test sets, seen images and variants; places left out for their size."""
    metrics = _metrics(run)
    places = dict.fromkeys(["test", *(metric.place for metric in metrics)])
    main = _main_table(run, [metric for metric in metrics if metric.place == "test"])
    others, left_out, cells = [], [], 0
    for place in list(places)[1:]:
        mine = [metric for metric in metrics if metric.place == place]
        cells += len(mine) * len(run.board)
        if cells > MOST_CELLS:
            left_out.append(place)
        else:
            others.append(_place_table(run, place, mine))
    return main, others, left_out


def _metrics(run: RunFolder) -> list[Metric]:
    """The board's metric columns: those with a standard deviation beside them, in its order."""
    known = {_column_name(row): row for row in run.tables["scores"]}
    names = [str(column) for column in run.board[0]]
    found = []
    for name in names:
        if f"{name}_sd" in names:
            row = known.get(name, {})
            title = f"{row['evaluator']}.{row['metric']}" if row else name
            found.append(Metric(name, title, _place(row), row.get("direction", "higher")))
    return found


def _mark(row: Row) -> list[str]:
    seen = row.get("seen", "")
    return [mark for mark in ({"generator": "seen"}.get(seen, seen), row.get("variant", "")) if mark]


def _column_name(row: Row) -> str:
    """As synthbench.cells.Column names it, from a row of scores.csv."""
    where = f"@{row['test_set']}" if row["test_set"] not in ("test", "") else ""
    return f"{row['evaluator']}.{row['metric']}{where}" + "".join(f"[{mark}]" for mark in _mark(row))


def _place(row: Row) -> str:
    return " ".join([row.get("test_set") or "test", *(f"[{mark}]" for mark in _mark(row))])


def _main_table(run: RunFolder, metrics: Sequence[Metric]) -> BoardTable:
    """Rank, headline, status with its flags, utility, the other metrics, costs."""
    board = run.board
    rank = Head("rank", hint="1 + the generators that are significantly better; floors and ceilings have none")
    columns: list[Column] = [(rank, [_rank(row) for row in board])]
    measured = [(_head(metric, run), number_cells(board, metric.name)) for metric in metrics]
    columns += [column for column in measured if column[0].sorted]
    columns.append((Head("status", numeric=False), [_status(row) for row in board]))
    for name in ("utility", "utility_imbalanced"):
        if any(row.get(name) for row in board):
            head = Head(name, first="descending", hint="0: the floor; 1: real images")
            columns.append((head, number_cells(board, name)))
    columns += [column for column in measured if not column[0].sorted]
    for name, title in COSTS.items():
        spent = [_cost(run, row, name) for row in board]
        if any(value is not None for value in spent):
            columns.append((Head(title), [plain_cell(value) for value in spent]))
    return _table(run, "test", columns)


def _place_table(run: RunFolder, place: str, metrics: Sequence[Metric]) -> BoardTable:
    return _table(run, place, [(_head(metric, run), number_cells(run.board, metric.name)) for metric in metrics])


def _table(run: RunFolder, place: str, columns: Sequence[Column]) -> BoardTable:
    lines = [
        Line(row["generator"], row.get("role", ""), [cells[k] for _, cells in columns])
        for k, row in enumerate(run.board)
    ]
    return BoardTable(place, [head for head, _ in columns], lines, _notes(run, place))


def _status(row: Row) -> Cell:
    seeds = row.get("seeds", "")
    return Cell(row.get("status", ""), f"{seeds} seeds" if seeds else "", flags=_flags(row))


def _head(metric: Metric, run: RunFolder) -> Head:
    first = "ascending" if metric.direction == "lower" else "descending"
    hint = f"{metric.direction} is better"
    return Head(metric.title, first=first, sorted=first if metric.name == run.headline else "", hint=hint)


def _rank(row: Row) -> Cell:
    low, high = row.get("rank_low") or row.get("rank", ""), row.get("rank_high", "")
    return Cell("–".join(dict.fromkeys(filter(None, [low, high]))), value=number(row.get("rank")))


def _cost(run: RunFolder, row: Row, name: str) -> float | None:
    """A cost column's number; "scoring" is the sum over evaluators."""
    if name != "scoring":
        return number(row.get(name))
    known = [s for label in run.evaluators if (s := number(row.get(f"{label}_wall_s"))) is not None]
    return sum(known) if known else None


def _flags(row: Row) -> list[str]:
    """What a reader must know of a row: copying, leaks of `test`, few seeds, a missing number."""
    flags = []
    copying = row.get("copying", "").strip()
    if copying.lower() not in ("", "0", "0.0", "no", "false"):
        said = "" if number(copying) is not None or copying.lower() in ("yes", "true") else f": {copying}"
        flags.append(f"copying{said}")
    if leaked := number(row.get("leaked@test")):
        flags.append(f"leaked: {leaked:.0f} images of test")
    if "(weak)" in row.get("interval_basis", ""):
        flags.append("weak interval: few seeds")
    return flags


def _notes(run: RunFolder, place: str) -> list[str]:
    """What is known of the test set that a table is on."""
    notes = []
    if place.endswith("[seen]"):
        notes.append("Seen: the generators were trained on these images.")
    if "[validation]" in place:
        notes.append("Validation: these images chose the classifier's epoch.")
    if place == "test":
        said = dict.fromkeys(row.get("utility_note", "") for row in run.board)
        notes += [f"Utility: {note}." for note in said if note]
    for row in run.tables["test_sets"]:
        if row["test_set"] == place:
            leaked = row.get("leaked", "")
            known = f"; leaked: training knows {leaked} of them" if leaked not in ("", "0") else "; no known leak"
            notes.append(f"{row.get('images', '?')} images of {row.get('patients', '?')} patients{known}.")
            notes.append(row.get("domain", ""))
    return [note for note in notes if note]
