"""What the run sees of a stage's process: progress to show, output for the log, memory to count."""

from __future__ import annotations

import json
import os
import time
from contextlib import AbstractContextManager, suppress
from multiprocessing.connection import Connection
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import IO, Any

import psutil

from synthbench.progress import Bar, Progress
from synthbench.runner.family import family_of
from synthbench.runner.session import LOG_BYTES

__all__ = ["Log", "Shown", "memory_gb", "resident_gb"]


class Shown:
    """Shows the messages of a process; its bars are closed when the block ends.

    begun  when its work began, on the monotonic clock: the server may have had to start before it
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.begun: float | None = None
        self._bars: dict[int, tuple[AbstractContextManager[Bar], Bar]] = {}

    def __enter__(self) -> Shown:
        return self

    def __exit__(self, *_: object) -> None:
        for number in list(self._bars):
            self._close(number)

    def read(self, reports: Connection) -> dict[str, Any]:
        """Show one message; the last one of a process, which says how it ended, is returned, else {}."""
        try:
            message: dict[str, Any] = json.loads(reports.recv_bytes())
        except (EOFError, OSError, ValueError):  # the process ended, in the middle of a message perhaps
            reports.close()
            return {}
        match message:
            case {"begun": _}:
                self.begun = time.monotonic()
            case {"say": text}:
                self._progress.say(text)
            case {"stage": what}:
                self._progress.stage(what)
            case {"open": number, **about}:
                holder = self._progress.bar(**about)
                self._bars[number] = holder, holder.__enter__()
            case {"bar": number, "n": n, "note": note}:
                self._bars[number][1].advance(n, note)
            case {"close": number}:
                self._close(number)
            case _:
                return message
        return {}

    def read_all(self, reports: Connection) -> dict[str, Any]:
        """All that is left, up to a last message."""
        while not reports.closed and reports.poll():
            if last := self.read(reports):
                return last
        return {}

    def _close(self, number: int) -> None:
        if bar := self._bars.pop(number, None):
            bar[0].__exit__(None, None, None)


class Log:
    """Appends what a process prints to log.txt in `folder`: LOG_BYTES of it, then a line that says so."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "log.txt"
        self._file: IO[bytes] | None = None
        self._left = LOG_BYTES
        self._end = b""

    def __enter__(self) -> Log:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("ab")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        assert self._file is not None
        self._file.close()

    def read(self, output: Connection) -> bool:
        """A piece of what was printed; whether there was any."""
        piece = os.read(output.fileno(), 1 << 16)
        if not piece:
            output.close()
            return False
        assert self._file is not None
        self._end = (self._end + piece)[-4000:]
        if self._left > 0:
            self._file.write(piece[: self._left])
            self._left -= len(piece)
            if self._left <= 0:
                self._file.write(f"\n... what is printed beyond {LOG_BYTES:,} bytes is not kept\n".encode())
            self._file.flush()
        return True

    def read_all(self, output: Connection) -> None:
        """All that is there."""
        while not output.closed and output.poll() and self.read(output):
            pass

    def end(self) -> str:
        """The last lines."""
        return self._end.decode("utf-8", "backslashreplace").strip()


def memory_gb(root: Path = Path("/")) -> float:
    """What this process may use: the machine's memory, or less where its container or batch job has a limit; GB.

    Linux' control groups, of either version; a limit of any group above holds too.
    """
    limits = [psutil.virtual_memory().total]
    with suppress(OSError):  # no Linux
        for line in (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            folder, file = (
                ("sys/fs/cgroup/memory", "memory.limit_in_bytes")
                if controllers
                else ("sys/fs/cgroup", "memory.max")
            )
            inside = PurePosixPath(group.lstrip("/"))
            for place in (inside, *inside.parents):
                with suppress(OSError, ValueError):  # not there, or "max"
                    limits.append(int((root / folder / place / file).read_text(encoding="ascii")))
    return min(limits) / 1e9


def resident_gb(pid: int | None, limit: float) -> float:
    """Resident memory of a process and all that it started, in GB.

    Pages that several of them share count once; that takes a while to tell, so it is told near the limit alone.
    """
    family = family_of(pid)
    used = sum(_bytes(process, "rss") for process in family) / 1e9
    if used <= limit or len(family) == 1:
        return used
    return sum(_bytes(process, "pss") for process in family) / 1e9


def _bytes(process: psutil.Process, what: str) -> int:
    try:
        memory: Any = process.memory_info() if what == "rss" else process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0
    return int(getattr(memory, what, memory.rss))
