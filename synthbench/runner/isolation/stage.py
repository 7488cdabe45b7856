"""A stage's process: how it is started, and how it ends with all that it started."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from multiprocessing.process import BaseProcess
from types import ModuleType

import psutil

from synthbench.runner.isolation import child
from synthbench.runner.isolation.crossing import Order

__all__ = ["Stage", "prepare", "started"]

HEAVY = {
    "torch": ("torch._dynamo",),  # an optimiser loads it
    "sklearn": ("sklearn.linear_model", "sklearn.decomposition", "sklearn.cluster"),
    "scipy": ("scipy.stats",),
}
"""By package that plugins import: slow to load, needed by most stages, harmless in a process that is forked."""

ALWAYS = ("synthbench.runner.stages", "torch", "pandas", "PIL.Image", "filelock")
"""What every stage needs: torch for the number of threads, the others to write results."""

GRACE_S = 3.0
"""How long a process that is asked to end has for it."""


def prepare(loaded: Sequence[str]) -> None:
    """Have the server that processes are forked from load what is heavy, while the caller does something else."""
    context = _context(loaded)
    if context.get_start_method() == "forkserver":
        with _without_main():
            forkserver.ensure_running()


@contextmanager
def started(order: Order, loaded: Sequence[str]) -> Iterator[Stage]:
    """A running stage; when the block ends, it and all that it started have ended.

    loaded  packages that its plugins import: a server that is started for it loads what HEAVY names
    """
    context = _context(loaded)
    reports, to_reports = context.Pipe(duplex=False)
    output, to_output = context.Pipe(duplex=False)
    process: BaseProcess = context.Process(  # type: ignore[attr-defined]  # every context has it
        target=child.main, args=(order, to_reports, to_output), name="synthbench-stage"
    )
    with reports, output:
        with to_reports, to_output, _without_main():
            process.start()
        stage = Stage(process, reports, output)
        try:
            yield stage
        except BaseException:
            stage.ask_to_end()
            raise
        finally:
            stage.end()


@dataclass(frozen=True)
class Stage:
    """A running process and the reading ends of what it says and prints."""

    process: BaseProcess
    reports: Connection
    output: Connection

    def ask_to_end(self) -> None:
        """As Ctrl-C does, so that it notes what its work has cost so far."""
        with suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGINT)
        until = time.monotonic() + GRACE_S
        while self.process.is_alive() and time.monotonic() < until:
            for connection in wait(self.open, timeout=0.05):
                assert isinstance(connection, Connection)
                if not os.read(connection.fileno(), 1 << 16):  # unread, it would wait for us
                    connection.close()

    def end(self) -> None:
        """Now, with all that it started, in sessions of their own too."""
        with suppress(psutil.NoSuchProcess):
            for descendant in psutil.Process(self._pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    descendant.kill()
        with suppress(ProcessLookupError, PermissionError):  # nobody is left
            os.killpg(self._pid, signal.SIGKILL)
        if self.process.is_alive():
            self.process.kill()
        self.process.join()

    @property
    def open(self) -> list[Connection]:
        """The ends that it has not closed."""
        return [connection for connection in (self.reports, self.output) if not connection.closed]

    @property
    def _pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid


def _context(loaded: Sequence[str]) -> BaseContext:
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    heavy = [module for package in HEAVY if package in loaded for module in HEAVY[package]]
    context.set_forkserver_preload(["synthbench.runner.isolation.child", *ALWAYS, *heavy])
    return context


@contextmanager
def _without_main() -> Iterator[None]:
    """A process needs nothing of the script that called us; where that is unguarded, it would run it again."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
