"""What crosses between processes of a store, and what it saved a stage, or did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["StoreState", "Work"]


@dataclass(eq=False)
class Work:
    """What a store did within a `counting` block.

    built   entries made there and then: tells whether anything was computed
    spared  what making the entries that were found had cost: a stage that uses them counts it in
    """

    built: int = 0
    spared: dict[str, float] = field(default_factory=lambda: {"wall_s": 0.0, "cpu_s": 0.0})

    def spare(self, cost: Mapping[str, float]) -> None:
        """Take in an entry that was found."""
        for part, seconds in cost.items():
            self.spared[part] += seconds


@dataclass(frozen=True)
class StoreState:
    """What another process has to know of a store to go on with it as this one would."""

    root: Path
    fresh: bool
    made: frozenset[Path]
    emptied: frozenset[Path]
