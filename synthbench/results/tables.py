"""Tables of a run's folder as text, and the numbers in their cells."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from synthbench.storage.cells import as_text
from synthbench.storage.layout import high, low

__all__ = ["Row", "StoredEstimate", "estimate", "number", "read_cells", "read_csv"]

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


def read_cells(path: Path) -> list[list[str]]:
    """A CSV file's cells as text, the heading's first: of a table whose columns may be called alike."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [[as_text(cell) for cell in line] for line in csv.reader(file) if line]


def number(text: str | None) -> float | None:
    """A cell's number; None where it is empty, a text or not finite."""
    try:
        value = float(text) if text else float("nan")
    except ValueError:
        return None
    return value if abs(value) < float("inf") else None


class StoredEstimate(NamedTuple):
    """A number of a result file with the ends of its 95 % interval, if it has one; or a text in its place.

    by_seed  the seeds' values, where they are to stand beside the interval or in place of an unknown one
    check    of a floor: "chance 0.500; 5 draws: 0.507, sd 0.110"
    note     what is said of the number; `wide`: its ends say next to nothing and are left out
    """

    value: float = math.nan
    ends: tuple[float, float] | None = None
    text: str = ""
    by_seed: str = ""
    check: str = ""
    note: str = ""
    wide: bool = False

    @classmethod
    def parse(cls, text: str, low: str = "", high: str = "", by_seed: str = "", check: str = "") -> StoredEstimate:
        """From its cells; what is no finite number is a text, or no end."""
        value, ends = number(text), (number(low), number(high))
        if value is None:
            return cls(text=text)
        known = (ends[0], ends[1]) if ends[0] is not None and ends[1] is not None else None
        return cls(value, known, text, by_seed, check)

    @classmethod
    def of_row(cls, row: Row) -> StoredEstimate:
        """From a row of intervals.csv. Wide ends are none; "undefined: why" is a word."""
        wide, note = row.get("wide") == "True", row.get("note", "")
        known = ("", "") if wide else (row.get("low", ""), row.get("high", ""))
        text = row.get("value") or re.sub("^undefined: .*", "undefined", note, flags=re.DOTALL)
        parsed = cls.parse(text, *known, row.get("by_seed", ""), row.get("check", ""))
        return parsed._replace(note=note, wide=wide)

    def __str__(self) -> str:
        """ "0.802 (0.770 to 0.833)", "0.471 (0.244 to 0.698; seeds 0.435, 0.507)", "0.62 (unknown; seeds ...)"."""
        if self.check or math.isnan(self.value):
            return self.check or self.text
        about = self.about(lambda value: f"{value:.3f}")
        return f"{self.value:.3f}{f' ({about})' if about else ''}"

    def about(self, shown: Callable[[float], str]) -> str:
        """What stands in brackets: the interval, the seeds' values."""
        ends = " to ".join(map(shown, self.ends)) if self.ends else "unknown" * bool(self.wide or self.by_seed)
        return "; ".join(filter(None, [ends, f"seeds {self.by_seed}" if self.by_seed else ""]))


def estimate(row: Row, value: str, lower: str = "", upper: str = "") -> StoredEstimate | None:
    """The number in the column `value` and its interval in `lower`, `upper` (by default <value>_low and _high)."""
    stored = StoredEstimate.parse(
        row.get(value, ""), row.get(lower or low(value), ""), row.get(upper or high(value), "")
    )
    return None if math.isnan(stored.value) else stored
