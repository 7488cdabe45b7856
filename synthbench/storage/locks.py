"""Locks between processes: one maker an entry, one run a folder. A process that ends, however, holds none.

`flock` on Unix, `LockFileEx` on Windows, through `filelock`. A network file system has to carry them between
machines: NFS 4 does, NFS 3 with lockd, Lustre when mounted with `flock`. Where there are none at all, filelock
falls back on files that name their holder; one of a dead holder on another machine has to be deleted by hand.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["hold", "is_free", "try_hold"]

PATIENCE_S = 0.5
"""Waiting for so long is not worth a word."""

ASK_EVERY_S = 0.1


@contextmanager
def try_hold(file: Path) -> Iterator[bool]:
    """Hold the lock within the block, if nobody does; whether it is held. Its folder must be there."""
    with _locked(file, 0.0) as held:
        yield held


@contextmanager
def hold(file: Path, waiting: Callable[[], None]) -> Iterator[None]:
    """Hold the lock within the block, however long that takes; `waiting` is called once where it takes long."""
    with _locked(file, PATIENCE_S) as held:
        if held:
            yield
            return
    waiting()
    with _locked(file, -1.0):
        yield


def is_free(file: Path) -> bool:
    """Whether nobody holds the lock; a file that a dead holder left is removed."""
    with try_hold(file) as held:
        return held


@contextmanager
def _locked(file: Path, timeout: float) -> Iterator[bool]:
    """Whether it was to be had within `timeout` seconds, -1 for ever."""
    from filelock import FileLock, Timeout  # 20 ms that only who makes something has to wait for

    lock = FileLock(file)  # created under the umask: others of the group must be able to open it
    try:
        lock.acquire(timeout=timeout, poll_interval=ASK_EVERY_S)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        # Removed while it is held: who waits with the old file open finds it gone and opens the next one.
        with contextlib.suppress(OSError):  # Windows removes no open file
            file.unlink()
        lock.release()
