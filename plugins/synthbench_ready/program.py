"""Run a program: no shell, no input, a limit on its time and on how much of what it says is kept."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from logging import Logger
from threading import Thread
from typing import IO

from synthbench import PluginError, started_in

__all__ = ["run_program"]

LINE, FIRST, LAST = 1000, 1000, 50
"""Characters of a line that are kept, and lines of the beginning and of the end."""

WAIT_S = 5.0
"""How long a grandchild that left the group may hold the output open."""

SHOWN = 5
"""Lines of the end that stand in an error."""


def run_program(words: Sequence[str], timeout: float, log: Logger) -> None:
    """Run a program to its end, in the folder that the run was started in; what it prints goes to `log`.

    Whatever it has started ends with it. Raises PluginError, with its last lines, where it cannot be started, is
    not done after `timeout` seconds, or ends by a signal or with another exit code than 0.
    """
    log.info("running %s", shlex.join(words))
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,  # a group of its own, so that its children can be ended with it
            cwd=started_in(),
        )
    except OSError as error:
        raise PluginError(f"{words[0]} cannot be started: {error.strerror}") from error
    assert process.stdout is not None
    output = _Output(process.stdout, log)
    try:
        code: int | None = process.wait(timeout)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _end(process)
        last = output.finish()
    if code is None:
        raise PluginError(f"{words[0]} was not done after {timeout:g} s (`timeout`) and was ended{last}")
    if code:
        how = f"with exit code {code}" if code > 0 else f"by signal {-code}"
        raise PluginError(f"{words[0]} ended {how}{last}")


def _end(process: subprocess.Popen[str]) -> None:
    """The program, if it still runs, and its children, which would hold its output open."""
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):  # nobody is left
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


class _Output:
    """Reads what a program prints, so that it never waits, and hands it on, all but the middle of very much."""

    def __init__(self, pipe: IO[str], log: Logger) -> None:
        self._pipe, self._log = pipe, log
        self._count = 0
        self._last: deque[str] = deque(maxlen=LAST)
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with self._pipe:
            for line in iter(lambda: self._pipe.readline(LINE), ""):
                text = line.rstrip()
                self._count += 1
                self._last.append(text)
                if self._count <= FIRST:
                    self._log.info("| %s", text)

    def finish(self) -> str:
        """Log the end of what was not logged; for a message, the last lines: " / " stands between them."""
        self._reader.join(WAIT_S)
        rest = list(self._last)[-(self._count - FIRST) :] if self._count > FIRST else []
        if self._count > FIRST + len(rest):
            self._log.info("... %d lines left out", self._count - FIRST - len(rest))
        for text in rest:
            self._log.info("| %s", text)
        shown = [text for text in self._last if text.strip()][-SHOWN:]
        return f"; it said last: {' / '.join(shown)}" if shown else "; it said nothing"
