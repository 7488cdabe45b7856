"""A process and all that it started: whose memory and time count together."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

__all__ = ["family_of"]


def family_of(pid: int | None = None) -> list[psutil.Process]:
    """The process, by default this one, then its descendants; [] where it has ended."""
    family: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        family.append(psutil.Process(pid))
        if not _are_listed():
            family += family[0].children(recursive=True)
            return family
    for process in family:  # it grows
        for child in _children(process.pid):
            with suppress(psutil.NoSuchProcess):
                family.append(psutil.Process(child))
    return family


@cache
def _are_listed() -> bool:
    """Whether the kernel lists children; else psutil goes through all processes, ten times a second."""
    return Path("/proc/thread-self/children").is_file()


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with suppress(OSError):  # the process ended just now
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with suppress(OSError):
                found += map(int, (thread / "children").read_text(encoding="ascii").split())
    return found
