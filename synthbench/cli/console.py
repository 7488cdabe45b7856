"""The console, and cells of leaderboard.csv as people read them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from synthbench.leaderboard.few_seeds import one_seed_note
from synthbench.progress import plain
from synthbench.storage.layout import Column

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["NUMBER", "caption_of", "clean", "make_console", "rank_of", "seconds_of", "seeds_of", "warnings_of"]

NUMBER = 7
"""Columns of a window that a number has at least: of an interval "(0.863", below the value."""

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
