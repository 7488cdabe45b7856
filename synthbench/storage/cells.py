"""Cells of CSV files that hold anybody's text: labels, class names, file names, notes.

A spreadsheet takes a text that begins with = + - @ for a formula, and runs it. Such a cell is written with an
apostrophe before it, and read without.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["as_text", "as_texts", "csv_text", "guarded", "rows_text", "write_csv"]

FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""With apostrophes before it, so that a text that has one of its own comes back as it was."""


QUOTED_RETURN = "\r\n"
"""Ends the rows of a table that holds a carriage return: csv quotes a cell with what an end is made of, and takes
what is not quoted for an end."""


def guarded(cell: object) -> object:
    """The cell as it goes into a CSV file: a text as one that no spreadsheet runs, numbers as they are."""
    return f"'{cell}" if isinstance(cell, str) and FORMULA.match(cell) and not _is_number(cell) else cell


def as_text(cell: str) -> str:
    """The text that `guarded` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def as_texts(cells: Iterable[str]) -> list[str]:
    """`as_text` of a column."""
    return [as_text(cell) for cell in cells]


def csv_text(table: pd.DataFrame) -> str:
    """A table as the text of a CSV file, without its index; every text in it guarded."""
    texts = table.select_dtypes(include=["object", "string"]).columns
    safe = table.assign(**{name: table[name].map(guarded) for name in texts})
    text = str(safe.to_csv(index=False, lineterminator="\n"))
    return str(safe.to_csv(index=False, lineterminator=QUOTED_RETURN)) if "\r" in text else text


def write_csv(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """A CSV file for people and spreadsheets, heading first: a text that a spreadsheet would run as a formula gets
    an apostrophe before it, numbers stay."""
    path.write_text(rows_text([[guarded(cell) for cell in row] for row in rows]), encoding="utf-8", newline="")


def rows_text(rows: Sequence[Sequence[object]]) -> str:
    """Rows as the text of a CSV file, their cells as they are."""
    returns = any("\r" in cell for row in rows for cell in row if isinstance(cell, str))
    written = io.StringIO()
    csv.writer(written, lineterminator=QUOTED_RETURN if returns else "\n").writerows(rows)
    return written.getvalue()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
