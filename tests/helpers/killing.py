"""A kill in the middle of a training: a progress bar that ends the process after so many steps."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from synthbench.progress import Bar, Progress


class Killed(BaseException):
    """As a kill would: nothing in between may catch it."""


class DyingBar:
    """Dies after so many steps."""

    def __init__(self, after: int) -> None:
        self.left = after

    def advance(self, n: int = 1, note: str = "") -> None:
        self.left -= n
        if self.left == 0:
            raise Killed


class KillingProgress(Progress):
    """Bars of that unit die after so many steps; of any unit where none is named."""

    def __init__(self, after: int, unit: str = "") -> None:
        super().__init__(enabled=False)
        self.after, self.unit = after, unit

    @contextmanager
    def bar(self, *_: object, unit: str = "images", **__: object) -> Iterator[Bar]:
        yield DyingBar(self.after if unit == self.unit or not self.unit else -1)
