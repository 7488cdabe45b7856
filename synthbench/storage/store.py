"""The content-addressed store: finished work by the hash of everything that went into it.

An entry is a folder `<root>/<kind>/<hash>/` that appears in one atomic rename, complete or not at all.
Its `meta.json` holds the key in full, so a stranger can see what made it. Failures are never stored.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from synthbench.errors import StoreError
from synthbench.types import Artifact, Images

__all__ = [
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


def default_root() -> Path:
    """`SYNTHBENCH_CACHE`, or synthbench's folder in the user's cache folder."""
    if folder := os.environ.get("SYNTHBENCH_CACHE"):
        return Path(folder).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_cache_dir("synthbench"))


def digest_of(key: Key) -> str:
    """SHA-256 of a key's canonical JSON."""
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(eq=False)
class Work:
    """What a store did within a `counting` block.

    built   entries made there and then: tells whether anything was computed
    spared  what making the entries that were found had cost: a stage that uses them counts it in
    """

    built: int = 0
    spared: dict[str, float] = field(default_factory=lambda: {"wall_s": 0.0, "cpu_s": 0.0})

    def spare(self, cost: Mapping[str, float]) -> None:
        """Take in an entry that was found."""
        for part, seconds in cost.items():
            self.spared[part] += seconds


@dataclass(frozen=True)
class StoreState:
    """What another process has to know of a store to go on with it as this one would."""

    root: Path
    fresh: bool
    made: frozenset[Path]
    emptied: frozenset[Path]


class Store:
    """Finished work under `root`. With `fresh`, what earlier processes stored is made again (once each)."""

    def __init__(self, root: Path, *, fresh: bool = False) -> None:
        self.root = root
        self.fresh = fresh
        # With `fresh` an entry is distrusted once: what this process made itself may be found again, or every
        # evaluator would compute the features that they share.
        self._made: set[Path] = set()
        self._emptied: set[Path] = set()
        self._counting: list[Work] = []

    @contextmanager
    def counting(self) -> Iterator[Work]:
        """Count what is built and what is spared within the block."""
        work = Work()
        self._counting.append(work)
        try:
            yield work
        finally:
            self._counting.remove(work)

    def entry(self, kind: str, key: Key) -> Path:
        """Where the entry lies, whether it is there or not."""
        return self.root / kind / digest_of(key)[:32]

    def find(self, kind: str, key: Key) -> Artifact | None:
        """The finished entry, or None. Raises StoreError where it is damaged."""
        path = self.entry(kind, key)
        if self.fresh and path not in self._made:
            return None
        try:
            return Artifact(path, json.loads((path / "meta.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise StoreError.damaged(path, error) from error

    def make(self, kind: str, key: Key, build: Callable[[Path], Mapping[str, Any] | None]) -> Artifact:
        """The entry under `key`; where missing, `build(folder)` fills it and returns further meta data.

        Two processes may build the same entry at once: the first to finish wins, both get its content.
        """
        if stored := self.find(kind, key):
            for work in self._counting:
                work.spare(stored.meta.get("made_in", {}))
            return stored
        path = self.entry(kind, key)
        with _people_errors(self.root):
            path.parent.mkdir(parents=True, exist_ok=True)
            # Beside the entry, so that the rename stays on one file system: only there is it atomic.
            building = Path(tempfile.mkdtemp(prefix=f".{path.name[:8]}-", dir=path.parent))
        try:
            with _people_errors(self.root):
                wall, cpu = time.perf_counter(), time.process_time()
                meta: dict[str, Any] = {"key": key, **(build(building) or {})}
                meta["made_in"] = {"wall_s": time.perf_counter() - wall, "cpu_s": time.process_time() - cpu}
                # Last, since its presence says that all else is there.
                (building / "meta.json").write_text(json.dumps(meta, indent=1), encoding="utf-8")
                self._publish(building, path)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        self._made.add(path)
        for work in self._counting:
            work.built += 1
        return Artifact(path, meta)

    def state(self) -> StoreState:
        """As it stands now."""
        return StoreState(
            self.root.absolute(),
            self.fresh,
            *(frozenset(p.absolute() for p in of) for of in (self._made, self._emptied)),
        )

    @classmethod
    def of(cls, state: StoreState) -> Store:
        """The same store, in another process."""
        store = cls(state.root, fresh=state.fresh)
        store._made, store._emptied = set(state.made), set(state.emptied)
        return store

    def news(self, since: StoreState) -> dict[str, list[str]]:
        """What happened since, as plain data for `take_in`."""
        now = self.state()
        pairs = {"made": (now.made, since.made), "emptied": (now.emptied, since.emptied)}
        return {what: sorted(map(str, after - before)) for what, (after, before) in pairs.items()}

    def take_in(self, news: Mapping[str, Sequence[str]], built: int, spared: Mapping[str, float]) -> None:
        """Note what another process did on this store's behalf, as if it had been done here."""
        for known, paths in ((self._made, news["made"]), (self._emptied, news["emptied"])):
            known.update(self._as_here(Path(path)) for path in paths)
        for work in self._counting:
            work.built += built
            work.spare(spared)

    def _as_here(self, path: Path) -> Path:
        """A path below a root that may be written relative to the current folder."""
        return self.root / path.relative_to(self.root.absolute())

    def made(self) -> frozenset[Path]:
        """The entries that this process has made."""
        return frozenset(self._made)

    def discard(self, entries: Collection[Path]) -> None:
        """Remove entries that should not have been made: they are made anew when next asked for."""
        for path in entries:
            shutil.rmtree(path, ignore_errors=True)
            self._made.discard(path)

    def resume_folder(self, kind: str, key: Key) -> Path:
        """A folder for checkpoints of the work under `key`; outlives a kill."""
        path = self.root / "resume" / kind / digest_of(key)[:32]
        if self.fresh and path not in self._emptied:
            shutil.rmtree(path, ignore_errors=True)
            self._emptied.add(path)
        with _people_errors(self.root):
            path.mkdir(parents=True, exist_ok=True)
        return path

    def _publish(self, building: Path, path: Path) -> None:
        incomplete = not (path / "meta.json").exists()  # someone has cleaned up in there
        if path.exists() and (self.fresh or incomplete):
            shutil.rmtree(path)
        try:
            building.rename(path)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):  # another process was first: its entry stands
                raise


@contextmanager
def _people_errors(root: Path) -> Iterator[None]:
    """Turn what a full or read-only disk says into a StoreError; other errors pass."""
    try:
        yield
    except OSError as error:
        if _is_full(error, root):
            raise StoreError(
                f"the disk is full: {error.filename or root}; free some space, then run again"
            ) from error
        if error.errno in (errno.EROFS, errno.EACCES, errno.ENOTDIR) and str(root) in str(error.filename):
            message = f"the cache folder {root} cannot be written ({error.strerror}); set SYNTHBENCH_CACHE"
            raise StoreError(message) from error
        raise


def _is_full(error: OSError, root: Path) -> bool:
    """NumPy, and copies of whole folders, report a full disk without its number."""
    nameless = error.errno is None and root.exists()
    return error.errno in (errno.ENOSPC, errno.EDQUOT) or (nameless and shutil.disk_usage(root).free < 1 << 20)


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def save_images(folder: Path, images: Images) -> None:
    """Write `images` into an existing folder: pixels.npy and images.json."""
    np.save(folder / "pixels.npy", images.pixels)
    about = {
        "classes": images.classes,
        "labels": images.labels.tolist(),
        "ids": images.ids.tolist(),
        "groups": images.groups.tolist(),
        "digest": images.digest,
    }
    (folder / "images.json").write_text(json.dumps(about), encoding="utf-8")


def load_images(folder: Path) -> Images:
    """Read what `save_images` wrote; the pixels are memory-mapped. Raises StoreError where damaged."""
    try:
        about = json.loads((folder / "images.json").read_text(encoding="utf-8"))
        images = Images(
            pixels=np.load(folder / "pixels.npy", mmap_mode="r"),
            labels=np.array(about["labels"], dtype=np.int64),
            classes=tuple(about["classes"]),
            ids=np.array(about["ids"], dtype=np.str_),
            groups=np.array(about["groups"], dtype=np.str_),
        )
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise StoreError.damaged(folder, error) from error
    images.__dict__["digest"] = about["digest"]  # known from when it was written: saves reading the pixels
    return images
