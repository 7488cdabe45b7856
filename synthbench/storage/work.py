"""What crosses between processes of a store, and what it saved a stage, or did not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Ledger", "StoreState", "Work"]


@dataclass(eq=False)
class Work:
    """What a store did within a `counting` block.

    built   entries made there and then: tells whether anything was computed
    spared  what making the entries that were found had cost: a stage that uses them counts it in
    shared  by entry, what making those that many stages use had cost, whoever made them: a run counts each once
    booked  of `shared`, what was made there and then: seconds that a stage does not count in
    """

    built: int = 0
    spared: dict[str, float] = field(default_factory=lambda: {"wall_s": 0.0, "cpu_s": 0.0})
    shared: dict[str, dict[str, float]] = field(default_factory=dict)
    booked: dict[str, float] = field(default_factory=lambda: {"wall_s": 0.0, "cpu_s": 0.0})

    def spare(self, cost: Mapping[str, float]) -> None:
        """Take in an entry that was found."""
        for part, seconds in cost.items():
            self.spared[part] += seconds

    def share(self, entry: str, cost: Mapping[str, float], *, made: bool) -> None:
        """Take in an entry that many stages use, found or `made`."""
        self.shared[entry] = dict(cost)
        for part, seconds in cost.items() if made else ():
            self.booked[part] += seconds


class Ledger:
    """Tells every `counting` block of a store that is open what the store does."""

    def __init__(self) -> None:
        self._open: list[Work] = []

    @contextmanager
    def counting(self) -> Iterator[Work]:
        """A block of its own."""
        work = Work()
        self._open.append(work)
        try:
            yield work
        finally:
            self._open.remove(work)

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Nothing within the block counts: what shared work itself makes or finds is part of its own cost."""
        blocks, self._open = self._open, []
        try:
            yield
        finally:
            self._open = blocks

    def made(self, entry: str, cost: Mapping[str, float], *, shared: bool) -> None:
        """An entry was built there and then."""
        for work in self._open:
            work.built += 1
            if shared:
                work.share(entry, cost, made=True)

    def found(self, entry: str, cost: Mapping[str, float], *, shared: bool) -> None:
        """An entry was there."""
        for work in self._open:
            if shared:
                work.share(entry, cost, made=False)
            else:
                work.spare(cost)

    def take_in(self, built: int, spared: Mapping[str, float]) -> None:
        """What another process did."""
        for work in self._open:
            work.built += built
            work.spare(spared)


@dataclass(frozen=True)
class StoreState:
    """What another process has to know of a store to go on with it as this one would."""

    root: Path
    fresh: bool
    made: frozenset[Path]
    emptied: frozenset[Path]
