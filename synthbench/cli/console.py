"""The console, and cells of leaderboard.csv as people read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from synthbench.leaderboard.few_seeds import one_seed_note
from synthbench.progress import plain
from synthbench.storage.layout import Column

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

__all__ = ["board_of", "caption_of", "clean", "make_console", "rank_of", "seconds_of", "seeds_of", "warnings_of"]

NUMBER = 7
"""Columns of a window that a number has at least: of an interval "(0.863", below the value."""

LABEL = 9
"""Those that a label has at least, over as many lines as it takes."""

LABELS = ("generator", "run")
TEXTS = (*LABELS, "role", "status")
COSTS = ("fit s", "score s")
DULL = {"status": "done", "worth": ""}
"""What a column says that need not be shown."""

ROOM_FOR_COSTS = 100
"""Columns of a window from which on it shows what the rows cost."""

WIDE = 200
"""Columns of a table that goes into a file or a pipe, where nothing has to fit a window."""


def make_console() -> Console:
    """rich's console: as wide as the window, or WIDE where the output goes into a file or a pipe."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else WIDE)


def clean(text: str) -> str:
    """A text for a cell or a title: no markup in it is obeyed, no control character reaches the terminal."""
    from rich.markup import escape

    return escape(plain(text))


def board_of(title: str, caption: str, columns: Mapping[str, Sequence[str]], spare: Sequence[str]) -> Table:
    """A row a generator, as wide as the console at most: long labels give way first, then whole columns.

    columns  cells by heading; costs need a wide window, those of DULL something to say
    spare    headings that a narrow window leaves out, the first first; the caption names them
    """
    from rich.table import Table

    width = make_console().width
    idle = [*COSTS] * (width < ROOM_FOR_COSTS)
    idle += [heading for heading, dull in DULL.items() if {*columns.get(heading, ())} <= {dull}]
    shown = {heading: cells for heading, cells in columns.items() if heading not in idle}
    missing = []
    for heading in filter(shown.__contains__, spare):
        if _framed(map(_least, shown, shown.values())) <= width:
            break
        missing.append(heading)
        del shown[heading]
    room = f"no room for {', '.join(missing)}: leaderboard.csv, or a wider window" if missing else ""
    table = Table(title=clean(title), caption=clean(". ".join(filter(None, [caption, room]))))
    for heading, size in _widths(shown, width).items():
        justify = "left" if heading in TEXTS else "right"
        table.add_column(clean(heading), justify=justify, overflow="fold", width=size)  # type: ignore[arg-type]
    for row in zip(*shown.values(), strict=True):
        table.add_row(*map(clean, row))
    return table


def _widths(columns: Mapping[str, Sequence[str]], width: int) -> dict[str, int]:
    """Of each column, so that all fit: the widest gives way first. (rich would cut the frame of such a table.)"""
    widths = {heading: max(map(len, [heading, *cells])) for heading, cells in columns.items()}
    least = {heading: _least(heading, cells) for heading, cells in columns.items()}
    while _framed(widths.values()) > width and (yielding := [h for h in widths if widths[h] > least[h]]):
        widths[max(yielding, key=widths.__getitem__)] -= 1
    return widths


def _framed(widths: Iterable[int]) -> int:
    """Columns of a window that a table takes: a blank on either side of a cell, a line between them."""
    return 1 + sum(width + 3 for width in widths)


def _least(heading: str, cells: Sequence[str]) -> int:
    """Columns of a window that a column needs: a rank, a role, "2 x 1" as a whole; of a number a piece a line."""
    texts = [heading, *cells]
    if heading == "rank":  # "1-2", or "not comparable" over two lines
        texts = " ".join(texts).split()
    longest = max(map(len, texts))
    if heading in ("rank", "role", "seeds"):
        return longest
    return min(longest, LABEL if heading in LABELS else NUMBER)


def rank_of(row: Mapping[str, str]) -> str:
    """Of a row of leaderboard.csv: "1-2", "copies" for who is flagged, "" for who has none."""
    if row.get(Column.COPYING) == "yes":
        return "copies"
    return "-".join(dict.fromkeys([row[Column.RANK], row[Column.RANK_HIGH]]))


def seeds_of(row: Mapping[str, str]) -> str:
    """ "3 x 2": three seeds of the generator, two of the headline's evaluator for each."""
    return " x ".join(filter(None, [row[Column.SEEDS], row[Column.EVALUATOR_SEEDS]]))


def seconds_of(row: Mapping[str, str], column: str) -> str:
    """A cost in tenths of a second."""
    return f"{float(row[column]):.1f}" if row[column] else ""


def warnings_of(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Floors that do differ from chance, and who may have seen the test images, by name."""
    doubts = ("differs from chance", "may have been seen", "may have seen")
    doubtful = [row for row in rows if any(doubt in row[Column.NOTE] for doubt in doubts)]
    return [f"warning: {row[Column.GENERATOR]}: {row[Column.NOTE]}" for row in doubtful]


def caption_of(rows: Iterable[Mapping[str, str]], training_images: int | None = None) -> str:
    """What to say below a board: what all learned from, how seeds are counted, whether one seed ranks."""
    trained = f"{training_images:,} real images to train on" if training_images else ""
    return ". ".join(filter(None, [trained, "seeds: of the generator x of the evaluator", one_seed_note(rows)]))
