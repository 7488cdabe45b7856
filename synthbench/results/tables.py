"""Tables of a run's folder as text, and the numbers in their cells."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

from synthbench.storage.cells import as_text

__all__ = ["Row", "number", "read_csv"]

Row = Mapping[str, str]


def read_csv(path: Path) -> list[Row]:
    """A CSV file's rows as text, short ones filled up with ""; none where there is no file."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file, restval="")
        return [
            {as_text(column): as_text(cell) for column, cell in row.items() if column is not None} for row in rows
        ]


def number(text: str | None) -> float | None:
    """A cell's number; None where it is empty, a text or not finite."""
    try:
        value = float(text) if text else float("nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None
