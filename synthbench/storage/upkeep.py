"""The store as a whole: what lies in it, what a kill left behind, what may go, whether all of it is sound."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from synthbench.storage.disk import READ_ONLY, disk_errors
from synthbench.storage.integrity import META, DamagedError, check_files, read_meta
from synthbench.storage.locks import is_free, try_hold
from synthbench.storage.store import LOCKS, REMEDY, RESUME, Store

__all__ = ["StoredEntry", "collect", "damaged_entries", "own_folder", "running", "stored_entries", "sweep"]

ENTRY = re.compile(r"[0-9a-f]{32}")
BUILDING = re.compile(r"\.([0-9a-f]{32})-[0-9a-f]{8}")
OWN = re.compile(r"\.\d+-[0-9a-f]{16}")
RUN = re.compile(r"run-(\d+)-\d+-[0-9a-f]{8}")
DAY_S = 86400.0
SHARED = "shared"
"""Folders in the store that are no entries: each belongs to a process and goes with it."""


@dataclass(frozen=True)
class StoredEntry:
    """An entry, or the checkpoints of work that is not finished (kind "resume").

    size  bytes on disk
    used  seconds since the epoch: when it was made, or read last
    """

    kind: str
    path: Path
    size: int
    used: float

    @classmethod
    def at(cls, kind: str, path: Path) -> StoredEntry:
        """Look at a folder; last used is an entry as its meta.json was, another folder as its newest file."""
        files = [file.stat() for file in path.rglob("*") if file.is_file()]
        meta = path / META
        used = meta.stat().st_mtime if meta.is_file() else max((f.st_mtime for f in files), default=0.0)
        return cls(kind, path, sum(file.st_size for file in files), used)


@contextmanager
def running(store: Store) -> Iterator[None]:
    """A run uses the store within the block: what it reads stays, whoever cleans up meanwhile.

    First what killed runs left behind is removed. Who may only read the store does neither: much can be had so.
    """
    locks = store.root / LOCKS
    with disk_errors(store.root, REMEDY):
        store.root.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                locks.mkdir(exist_ok=True)
                sweep(store.root)
                mark = f"run-{int(time.time())}-{os.getpid()}-{secrets.token_hex(4)}"
                stack.enter_context(try_hold(locks / mark))
            except OSError as error:
                if error.errno not in READ_ONLY:
                    raise
            yield


@contextmanager
def own_folder(root: Path) -> Iterator[Path]:
    """A folder in the store for the time of the block; one that a kill leaves goes with the next run."""
    folder = root / SHARED / f".{os.getpid()}-{secrets.token_hex(8)}"
    (root / LOCKS).mkdir(parents=True, exist_ok=True)
    with try_hold(_lock(root, SHARED, folder.name)):
        folder.mkdir(parents=True)
        try:
            yield folder.absolute()
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with contextlib.suppress(OSError):  # others have theirs beside it
                folder.parent.rmdir()


def sweep(root: Path) -> int:
    """Remove what killed processes left: half-built entries, own folders, lock files. Nothing of a living one.

    Returns how many half-built entries there were.
    """
    left = 0
    for folder in _subfolders(root):
        for place in sorted(folder.iterdir()):
            if match := BUILDING.fullmatch(place.name):
                left += _remove(place, _lock(root, folder.name, match[1]))
    for folder in _subfolders(root / SHARED):
        if OWN.fullmatch(folder.name):
            _remove(folder, _lock(root, SHARED, folder.name))
    for file in sorted((root / LOCKS).glob("*")):
        with contextlib.suppress(OSError):  # gone, or another user's
            is_free(file)
    return left


def stored_entries(root: Path) -> list[StoredEntry]:
    """Everything in the store, by kind."""
    resume = [StoredEntry.at(RESUME, path) for kind in _subfolders(root / RESUME) for path in _entries(kind)]
    kinds = [folder for folder in _subfolders(root) if folder.name not in (RESUME, LOCKS)]
    return [StoredEntry.at(kind.name, path) for kind in kinds for path in _entries(kind)] + resume


def damaged_entries(root: Path) -> Iterator[tuple[Path, str]]:
    """Every entry with what is wrong with it, "" where nothing is. Reads the whole store."""
    for entry in stored_entries(root):
        if entry.kind == RESUME:  # nobody knows what a killed process had written
            continue
        try:
            check_files(entry.path, read_meta(entry.path))
        except FileNotFoundError:
            yield entry.path, f"{META} is gone"
        except DamagedError as error:
            yield entry.path, str(error)
        else:
            yield entry.path, ""


def collect(root: Path, older_than: float | None = None, max_size: float | None = None) -> list[StoredEntry]:
    """Remove entries, the least recently used first; those that were removed.

    older_than  days without use from which on an entry goes
    max_size    bytes; entries go until the rest is no larger

    What is being made stays, and what has been used since the oldest run that goes on was started.
    """
    entries = sorted(stored_entries(root), key=lambda entry: entry.used)
    total, now = sum(entry.size for entry in entries), time.time()
    held_since = min(_living_runs(root), default=now + DAY_S)
    removed = []
    for entry in entries:
        old = older_than is not None and now - entry.used > older_than * DAY_S
        large = max_size is not None and total > max_size
        if entry.used < held_since and (old or large) and _remove(entry.path, _lock_of(root, entry)):
            removed.append(entry)
            total -= entry.size
    return removed


def _living_runs(root: Path) -> list[float]:
    """When the runs that go on were started."""
    files = [(file, match) for file in (root / LOCKS).glob("run-*") if (match := RUN.fullmatch(file.name))]
    return [float(match[1]) for file, match in files if not is_free(file)]


def _remove(folder: Path, lock: Path) -> bool:
    """Remove a folder unless a process holds its lock; whether it is gone."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with try_hold(lock) as held:
        if held:
            shutil.rmtree(folder, ignore_errors=True)
    return not folder.exists()


def _lock_of(root: Path, entry: StoredEntry) -> Path:
    return _lock(root, *entry.path.relative_to(root).parts)


def _lock(root: Path, *parts: str) -> Path:
    """As `Store.lock_file`."""
    return Store(root).lock_file(root.joinpath(*parts))


def _subfolders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _entries(kind: Path) -> list[Path]:
    return [path for path in _subfolders(kind) if ENTRY.fullmatch(path.name)]
