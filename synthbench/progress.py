"""What a terminal shows while work goes on: the trials, and the current stage with rate, time left, last losses.

On a terminal these are two lines that redraw themselves, in a notebook with ipywidgets two widgets. In a pipe, a
file, a notebook without them or a terminal that cannot move its cursor (TERM=dumb) stages report in plain lines:
one soon, then one a minute, or as often as the process that started this one asks for.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn, Protocol

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["LINE_EVERY", "PLAIN_LINE", "Bar", "Progress", "Trials", "plain"]

LINE_EVERY = "SYNTHBENCH_LINE_EVERY"
"""The variable by which a process tells those that it starts how many seconds lie between two plain lines."""

LINE_EVERY_S = float(os.environ.get(LINE_EVERY) or 60)

FIRST_LINE_S = min(5.0, LINE_EVERY_S)
"""Seconds after which a stage prints its first plain line; what takes less prints none."""

PLAIN_LINE = re.compile(r".+: \d+/\d+ \w+")
"""How such a line begins."""


def plain(text: str) -> str:
    """The text without control characters, line ends and tabs apart: nobody's labels shall steer the terminal."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


class Bar(Protocol):
    """A running progress bar."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """`n` more units are done; `note` (last losses, say) stands behind the bar."""


class _Quiet:
    def advance(self, n: int = 1, note: str = "") -> None:
        pass


class Progress:
    """Shows on standard error what goes on: in bars, or (False) not at all; None: as the terminal allows."""

    def __init__(self, enabled: bool | None = None) -> None:
        self.enabled = _redraws() if enabled is None else enabled
        self._lines = enabled is None and not self.enabled
        self._trials: Trials | None = None

    @contextmanager
    def bar(self, what: str, total: int, unit: str = "images", done: int = 0) -> Iterator[Bar]:
        """A bar over `total` units of which `done` are there already (a resumed run)."""
        if self.enabled:
            with _tqdm()(
                total=total, initial=done, desc=what, unit=f" {unit}", leave=False, dynamic_ncols=True
            ) as bar:
                yield _Tqdm(bar)
        elif self._lines:
            title = f"{self._trials.now}: {what}" if self._trials and self._trials.now else what
            yield _Lines(title, total, unit, done)
        else:
            yield _Quiet()

    @contextmanager
    def trials(self, total: int) -> Iterator[Trials]:
        """A line above all bars that counts trials until the block ends."""
        self._trials = Trials(total)
        try:
            if not self.enabled:
                yield self._trials
                return
            shape = "{bar} {desc}" if _has_widgets() else "trials |{bar:20}| {desc}"
            with _tqdm()(total=total, leave=False, dynamic_ncols=True, bar_format=shape) as bar:
                self._trials.show(bar)
                yield self._trials
        finally:
            self._trials = None

    @contextmanager
    def others_line(self) -> Iterator[Callable[[str], None]]:
        """A line for what another process does: takes the plain lines that it prints, and shows the last."""
        if self.enabled:
            with _tqdm()(total=1, leave=False, dynamic_ncols=True, bar_format="{desc}") as bar:
                yield bar.set_description_str
        elif self._lines:
            yield partial(print, file=sys.stderr, flush=True)
        else:
            yield lambda _: None

    def stage(self, what: str) -> None:
        """What the running trial does now; nothing outside of `trials`."""
        if self._trials:
            self._trials.stage(what)

    def say(self, text: str) -> None:
        """Print on standard output at once, above the bars, without control characters."""
        text = plain(text)
        if self.enabled and not _has_widgets():
            from tqdm import tqdm

            tqdm.write(text, file=sys.stdout)
            sys.stdout.flush()
        else:
            print(text, flush=True)


def _has_widgets() -> bool:
    """Whether this is a notebook that can show bars: its kernel and ipywidgets are there."""
    return "ipykernel.zmqshell" in sys.modules and find_spec("ipywidgets") is not None


def _tqdm() -> Callable[..., tqdm[NoReturn]]:
    if _has_widgets():
        from tqdm.notebook import tqdm as in_notebook

        return in_notebook
    from tqdm import tqdm

    return tqdm


def _redraws() -> bool:
    """Whether the bars can redraw themselves: as widgets, or on a terminal that knows how long its lines are."""
    if _has_widgets():
        return True
    if not sys.stderr.isatty() or os.environ.get("TERM") in ("dumb", "unknown"):
        return False
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns > 0  # 0 in some containers: nothing would show
    except OSError:
        return True


class Trials:
    """Counts trials by how they ended. `now` names the one that runs, and its stage."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.ended: dict[str, int] = {}
        self.now = ""
        self._title = ""
        self._bar: tqdm[NoReturn] | None = None

    def show(self, bar: tqdm[NoReturn]) -> None:
        """From now on in this bar."""
        self._bar = bar
        self._draw()

    def begin(self, title: str) -> None:
        """A trial starts."""
        self._title = self.now = title
        self._draw()

    def stage(self, what: str) -> None:
        """The trial goes on to its next stage."""
        self.now = f"{self._title}, {what}"
        self._draw()

    def end(self, status: str) -> None:
        """The trial has ended as "done", "incomplete", "failed" or "skipped"."""
        self.ended[status] = self.ended.get(status, 0) + 1
        self.now = ""
        if self._bar is not None:
            self._bar.update(1)
        self._draw()

    def __str__(self) -> str:
        """ "3 done, 1 failed, 1 running, 4 left; acgan, seed 0, tstr"."""
        counts = {"done": 0, **self.ended, **({"running": 1} if self.now else {})}
        counts["left"] = self.total - sum(counts.values())
        text = ", ".join(f"{n} {what}" for what, n in counts.items())
        return f"{text}; {self.now}" if self.now else text

    def _draw(self) -> None:
        if self._bar is not None:
            self._bar.set_description_str(str(self))


class _Tqdm:
    def __init__(self, bar: tqdm[NoReturn]) -> None:
        self._bar = bar

    def advance(self, n: int = 1, note: str = "") -> None:
        if note:
            self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(n)


class _Lines:
    """A line now and then: "acgan, seed 0, generator: acgan: 901/2000 steps, 1.4 a second, 785 s left; D 0.27"."""

    def __init__(self, what: str, total: int, unit: str, done: int) -> None:
        self._what, self._total, self._unit = what, total, unit
        self._before = self._n = done
        self._started = time.monotonic()
        self._due = self._started + FIRST_LINE_S

    def advance(self, n: int = 1, note: str = "") -> None:
        self._n += n
        now = time.monotonic()
        if now >= self._due:
            self._due = now + LINE_EVERY_S
            print(f"{self._line(now)}{f'; {note}' if note else ''}", file=sys.stderr, flush=True)

    def _line(self, now: float) -> str:
        done = self._n - self._before
        rate = done / (now - self._started)
        # The first unit may have waited for what all needed, or come with many others.
        left = f", {rate:.3g} a second, {(self._total - self._n) / rate:.0f} s left" if done > 1 else ""
        return f"{self._what}: {self._n}/{self._total} {self._unit}{left}"
