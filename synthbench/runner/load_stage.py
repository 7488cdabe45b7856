"""A data set's `load`: in a process of its own, until it has ended well there.

From then on, with the same code and options, the run's own process asks it for what it finds in the store, so that
a run in which nothing is new starts no process. Where it has to make anything, it goes to a process again.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Dataset, Plugin
from synthbench.api.process_state import changes, process_state, restored
from synthbench.runner.isolation.handing import handed_over, taken_over
from synthbench.runner.session import Isolation, Session
from synthbench.types import Splits

__all__ = ["load"]

KIND = "loaded"
"""Of the store's entries that say of a data set that its `load` has ended well. They hold nothing."""


def load(plugin: Dataset, key: Mapping[str, Any], session: Session, workdir: Path) -> Splits:
    """What `plugin.load` returns.

    key      of its work: code, options, files
    workdir  for its log and what else it writes

    Raises StageFailed, Skipped or StoreError where its process ended so; in this process whatever it raises.
    """
    loading = _Loading(plugin, key)
    isolation = session.isolation
    if isolation is None:
        return loading.here(session, workdir)
    if session.store.find(KIND, key) or not os.access(session.store.root, os.W_OK):
        try:
            with session.store.finished_only() as lacking:
                splits = loading.here(session, workdir)
        except Exception:
            if not lacking:
                raise
        else:
            if not lacking:  # else it caught that itself, and what it returned may be less than the whole
                return splits
    return _apart(loading, session, isolation, workdir)


@dataclass(frozen=True)
class _Loading:
    """It caches by content itself: only it knows what its content is."""

    plugin: Dataset
    key: Mapping[str, Any]

    @property
    def plugins(self) -> Sequence[Plugin]:
        return (self.plugin,)

    def __call__(self, session: Session, folder: Path) -> dict[str, Any]:
        before = process_state()
        splits = self._load(session, folder / "files")
        left = changes(before)
        return {"splits": handed_over(splits, folder), "left": left}

    def here(self, session: Session, workdir: Path) -> Splits:
        """In this process, its state put back."""
        with restored():
            return self._load(session, workdir)

    def _load(self, session: Session, workdir: Path) -> Splits:
        with session.context("dataset", self.key, 0, workdir) as ctx:
            splits = session.store.mending(lambda: self.plugin.load(ctx))
        if not isinstance(splits, Splits):
            raise TypeError(f"load must return synthbench.Splits, found {type(splits).__name__}")
        return splits


def _apart(loading: _Loading, session: Session, isolation: Isolation, workdir: Path) -> Splits:
    # Not below `workdir`: what it hands over goes with the run, and so does what a kill leaves of it.
    folder = Path(tempfile.mkdtemp(prefix="load-", dir=isolation.room()))
    try:
        done = isolation.perform(loading, session, folder)
    finally:
        if (folder / "files").is_dir():
            shutil.copytree(folder / "files", workdir, dirs_exist_ok=True)
    if done is None:  # it cannot be sent
        return loading.here(session, workdir)
    splits = taken_over(done["splits"])
    if not done["left"]:  # what leaves its process changed would leave ours so
        session.store.make(KIND, loading.key, lambda _: None)
    return splits
