"""What a verification found, and when two numbers count as the same."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field

from synthbench.storage.layout import Table

__all__ = ["Mismatch", "Verified", "agree"]

TOLERANCE, FLOOR = 1e-6, 1e-12
"""How far a number may lie from its recomputation: this share of the larger of the two, or so much. Other
processors and library versions add in another order."""

RESAMPLED_FLOOR = 1e-7
"""Of numbers that come from replicates: those are kept in single precision."""

P_TOLERANCE = 1e-3
"""Of p-values, whose logarithm moves with the square of the difference that they belong to."""


@dataclass(frozen=True)
class Mismatch:
    """A number that does not follow from what stands beside it; "" where there is none on one side."""

    file: str
    row: str
    column: str
    stored: str
    recomputed: str


@dataclass
class Verified:
    """What came out.

    files        what does not fit the manifest, a line each
    matching     numbers that were recomputed and match, by file
    mismatches   those that do not
    unchecked    numbers that cannot be recomputed from the bundle, counted by what they are and why
    notes        what else a reader should know
    """

    files: list[str] = field(default_factory=list)
    matching: Counter[str] = field(default_factory=Counter)
    mismatches: list[Mismatch] = field(default_factory=list)
    unchecked: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return not self.files and not self.mismatches

    def compare(self, file: str, row: str, column: str, stored: str, recomputed: str) -> None:
        """Take one cell in; one that is empty on both sides is none."""
        if stored == recomputed == "":
            return
        if agree(stored, recomputed, *_tolerance(file, column)):
            self.matching[file] += 1
        else:
            self.mismatches.append(Mismatch(file, row, column, stored, recomputed))


def _tolerance(file: str, column: str) -> tuple[float, float]:
    """Share and floor for a cell."""
    if column in ("p", "p_holm"):
        return P_TOLERANCE, FLOOR
    ends = file != Table.SCORES.file and column.endswith(("low", "high"))
    return TOLERANCE, RESAMPLED_FLOOR if ends or file == Table.COMPARISONS.file else FLOOR


def agree(stored: str, recomputed: str, share: float, floor: float) -> bool:
    """Whether two cells say the same: numbers within the tolerance, other texts to the letter."""
    try:
        a, b = float(stored), float(recomputed)
    except ValueError:
        return stored == recomputed
    return math.isclose(a, b, rel_tol=share, abs_tol=floor) or (math.isnan(a) and math.isnan(b))
