"""The content-addressed store: finished work by the hash of everything that went into it.

An entry is a folder `<root>/<kind>/<hash>/` that appears in one atomic rename, complete or not at all, made by one
process while others wait. Its `meta.json` holds the key in full, so a stranger can see what made it, and a digest
of each file: what is damaged is named and made again. Failures are never stored.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from synthbench.errors import StoreError
from synthbench.storage.disk import READ_ONLY, beside, disk_errors, publish, write_atomic
from synthbench.storage.image_files import load_images, save_images
from synthbench.storage.integrity import (
    LARGE,
    META,
    DamagedError,
    OutdatedError,
    check_files,
    digest_of,
    read_meta,
    size_of,
    write_meta,
)
from synthbench.storage.locks import hold
from synthbench.storage.places import default_root
from synthbench.storage.work import Ledger, StoreState, Work
from synthbench.types import Artifact

__all__ = [
    "NotStoredError",
    "Store",
    "StoreState",
    "Work",
    "default_root",
    "digest_of",
    "load_images",
    "save_images",
    "write_atomic",
]

Key = Mapping[str, Any]
T = TypeVar("T")

LOCKS, RESUME = "locks", "resume"  # folders beside those of the kinds
REMEDY = "set SYNTHBENCH_CACHE to a folder that can"


class NotStoredError(Exception):
    """Raised by `make` within a block `finished_only` for what would have to be made."""


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


class Store:
    """Finished work under `root`. With `fresh`, what earlier processes stored is made again (once each).

    say  where a user reads what the store met: damage, waiting for another run
    """

    def __init__(self, root: Path, *, fresh: bool = False, say: Callable[[str], None] = _print) -> None:
        self.root = root.absolute()  # whatever a plugin changes to
        self.fresh = fresh
        self.say = say
        # With `fresh` an entry is distrusted once: what this process made itself may be found again, or every
        # evaluator would compute the features that they share.
        self._made: set[Path] = set()
        self._used: set[Path] = set()
        self._emptied: set[Path] = set()
        self._checked: set[Path] = set()
        self._damaged: set[Path] = set()
        self._ledger = Ledger()
        self._refused: list[str] = []
        self.frozen = False
        """Whether nothing is made now."""

    @contextmanager
    def finished_only(self) -> Iterator[list[str]]:
        """Within the block nothing is made, also where everything is to be made anew.

        Yields the kinds of what would have had to be made, as they are asked for.
        """
        fresh, self.fresh, self.frozen = self.fresh, False, True
        self._refused = []
        try:
            yield self._refused
        finally:
            self.fresh, self.frozen = fresh, False

    def counting(self) -> contextlib.AbstractContextManager[Work]:
        """Count what is built and what is spared within the block."""
        return self._ledger.counting()

    def entry(self, kind: str, key: Key) -> Path:
        """Where the entry lies, whether it is there or not."""
        return self.root / kind / digest_of(key)[:32]

    def find(self, kind: str, key: Key) -> Artifact | None:
        """The finished entry, or None, also where it is damaged: that is said, and `make` makes it again."""
        path = self.entry(kind, key)
        if self.fresh and path not in self._made:
            return None
        try:
            meta = self._read(path)
        except FileNotFoundError:
            return None
        except DamagedError as error:
            self._tell(path, error)
            return None
        with contextlib.suppress(OSError):  # of another user, or on a disk that is read-only
            os.utime(path / META)  # when it was used last, for `synthbench store gc`
        self._used.add(path)
        return Artifact(path, meta)

    def _read(self, path: Path) -> dict[str, Any]:
        """An entry's meta data, its files checked; those of large ones once by this object."""
        meta = read_meta(path)
        if path not in self._checked:
            check_files(path, meta)
            if size_of(meta) >= LARGE:
                self._checked.add(path)
        return meta

    def make(
        self,
        kind: str,
        key: Key,
        build: Callable[[Path], Mapping[str, Any] | None],
        *,
        shared: bool = False,
    ) -> Artifact:
        """The entry under `key`; where missing, `build(folder)` fills it and returns further meta data.

        One process makes it; others that ask meanwhile wait and get its content. Of `shared` work many stages need
        the result: a run counts what it cost once, and none of the stages does.
        """
        if stored := self.find(kind, key):
            return self._spare(kind, stored, shared=shared)
        if self.frozen:
            self._refused.append(kind)
            raise NotStoredError(f"{kind}: not in the store")
        path = self.entry(kind, key)
        with self._disk_errors(), self.locked(path, f"{kind} {key.get('use', '')}".strip()):
            if stored := self.find(kind, key):  # whoever held the lock until now has made it
                return self._spare(kind, stored, shared=shared)
            with self._ledger.aside() if shared else contextlib.nullcontext():
                meta = self._build(path, key, build)
        self._made.add(path)
        self._used.add(path)
        self._ledger.made(f"{kind}/{path.name}", meta["made_in"], shared=shared)
        return Artifact(path, meta)

    def _spare(self, kind: str, stored: Artifact, *, shared: bool) -> Artifact:
        self._ledger.found(f"{kind}/{stored.path.name}", stored.meta.get("made_in", {}), shared=shared)
        return stored

    def _build(self, path: Path, key: Key, build: Callable[[Path], Mapping[str, Any] | None]) -> dict[str, Any]:
        """Make an entry beside its place, so that the rename stays on one file system: only there is it atomic."""
        building = beside(path)
        building.mkdir(parents=True)  # not mkdtemp, whose folders are private: a group may share the store
        try:
            wall, cpu = time.perf_counter(), time.process_time()
            meta: dict[str, Any] = {"key": key, **(build(building) or {})}
            meta["made_in"] = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
            meta = write_meta(building, meta)  # last, since its presence says that all else is there
            publish(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return meta

    def state(self) -> StoreState:
        """As it stands now."""
        return StoreState(self.root, self.fresh, frozenset(self._made), frozenset(self._emptied))

    @classmethod
    def of(cls, state: StoreState, say: Callable[[str], None] = _print) -> Store:
        """The same store, in another process."""
        store = cls(state.root, fresh=state.fresh, say=say)
        store._made, store._emptied = set(state.made), set(state.emptied)
        return store

    def news(self, since: StoreState) -> dict[str, list[str]]:
        """What happened since, as plain data for `take_in`."""
        made, emptied = self._made - since.made, self._emptied - since.emptied
        return {"made": sorted(map(str, made)), "emptied": sorted(map(str, emptied))}

    def take_in(self, news: Mapping[str, Sequence[str]], built: int, spared: Mapping[str, float]) -> None:
        """Note what another process did on this store's behalf, as if it had been done here."""
        for known, paths in ((self._made, news["made"]), (self._emptied, news["emptied"])):
            known.update(map(Path, paths))
        self._ledger.take_in(built, spared)

    def count_in(self, cost: Mapping[str, float | None]) -> None:
        """Note what work that is gone on from had cost (`wall_s`, `cpu_s`), as `make` does of what it finds."""
        self._ledger.take_in(0, {part: cost.get(part) or 0.0 for part in ("wall_s", "cpu_s")})

    def made(self) -> frozenset[Path]:
        """The entries that this process has made."""
        return frozenset(self._made)

    def used(self) -> frozenset[Path]:
        """The entries that this process has made or found."""
        return frozenset(self._used)

    def discard(self, entries: Collection[Path]) -> None:
        """Remove entries that should not have been made: they are made anew when next asked for."""
        for path in entries:
            shutil.rmtree(path, ignore_errors=True)
            self._made.discard(path)

    def mending(self, work: Callable[[], T]) -> T:
        """What `work` returns; once more where an entry that it reads turns out to be damaged after all.

        Such an entry is removed: `work` makes it again. The second time its StoreError is raised.
        """
        try:
            return work()
        except StoreError as error:
            if not (entry := self._entry_of(error.folder)):
                raise
            self._tell(entry, error.why)
            self.discard([entry])
            return work()

    def _entry_of(self, folder: object) -> Path | None:
        """The entry that a folder is, or lies in."""
        if not isinstance(folder, Path) or not folder.is_relative_to(self.root):
            return None
        parts = folder.relative_to(self.root).parts
        return self.root.joinpath(*parts[:2]) if len(parts) >= 2 else None

    def _tell(self, path: Path, why: object) -> None:
        """Once for each damaged entry; those of an older version are many, and one word does for all."""
        outdated = isinstance(why, OutdatedError)
        told = self.root if outdated else path
        if told in self._damaged:
            return
        self._damaged.add(told)
        if outdated:
            self.say(f"{self.root}: entries of an older version, without digests, are made again")
        else:
            self.say(f"{path} is damaged ({why}): it is made again")

    @contextmanager
    def resume_folder(self, kind: str, key: Key) -> Iterator[Path]:
        """A folder for checkpoints of the work under `key`, this process's own within the block; outlives a kill.

        Gone after the block where the work left nothing in it, and where the store can only be read.
        """
        path = self.root / RESUME / kind / digest_of(key)[:32]
        with ExitStack() as stack:
            try:
                stack.enter_context(self.locked(path, f"{kind} {key.get('use', '')}".strip()))
                if self.fresh and path not in self._emptied:
                    shutil.rmtree(path, ignore_errors=True)
                    self._emptied.add(path)
                with self._disk_errors():
                    path.mkdir(parents=True, exist_ok=True)
            except StoreError as error:
                if not (self.root.is_dir() and getattr(error.__cause__, "errno", None) in READ_ONLY):
                    raise
                # What is asked for may be there: a data set always comes by here. If not, `make` says so.
                path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="synthbench-resume-")))
            try:
                yield path
            finally:
                if path.is_dir() and not any(path.iterdir()):
                    path.rmdir()

    def lock_file(self, path: Path) -> Path:
        """Whose lock says that a process makes the entry, or works in the resume folder, at `path`."""
        return self.root / LOCKS / "-".join(path.relative_to(self.root).parts)

    @contextmanager
    def locked(self, path: Path, what: str) -> Iterator[None]:
        """Within the block no other process makes the entry, or works in the resume folder, at `path`."""
        file = self.lock_file(path)
        with ExitStack() as stack:
            with self._disk_errors():
                file.parent.mkdir(parents=True, exist_ok=True)
                waiting = f"waiting for another run that makes {what} ({path.name[:8]})"
                stack.enter_context(hold(file, lambda: self.say(waiting)))
            yield

    def _disk_errors(self) -> contextlib.AbstractContextManager[None]:
        return disk_errors(self.root, REMEDY)
