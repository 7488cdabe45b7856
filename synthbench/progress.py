"""Progress bars with rate and time left; silent when the terminal is not one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["Bar", "Progress"]


class Bar(Protocol):
    """A running progress bar."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """`n` more units are done; `note` (last losses, say) stands behind the bar."""


class _Quiet:
    def advance(self, n: int = 1, note: str = "") -> None:
        pass


class Progress:
    """Makes bars on standard error. `enabled=None` asks the terminal."""

    def __init__(self, enabled: bool | None = None) -> None:
        self.enabled = sys.stderr.isatty() if enabled is None else enabled

    @contextmanager
    def bar(self, what: str, total: int, unit: str = "images", done: int = 0) -> Iterator[Bar]:
        """A bar over `total` units of which `done` are there already (a resumed run)."""
        if not self.enabled:
            yield _Quiet()
            return
        from tqdm import tqdm

        with tqdm(total=total, initial=done, desc=what, unit=f" {unit}", leave=False, dynamic_ncols=True) as bar:
            yield _Tqdm(bar)


class _Tqdm:
    def __init__(self, bar: tqdm[NoReturn]) -> None:
        self._bar = bar

    def advance(self, n: int = 1, note: str = "") -> None:
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(n)
