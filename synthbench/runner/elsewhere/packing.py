"""Finished entries in one file, for machines that share no folder: `work --pack`, `run --collect --unpack`.

A tar file, not compressed: most of it is noise to a compressor. Every entry carries the digests of its files, and
is checked against them before the store takes it. Who can write the file decides what the board says, like anyone
who can write into the store; nothing is written outside of the store and the run's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tarfile
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from synthbench.errors import DataError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.results.evidence import KIND as EVIDENCE
from synthbench.results.evidence import digests_below
from synthbench.results.folder import read_record
from synthbench.storage.disk import make_folder, publish
from synthbench.storage.integrity import DamagedError, check_files, digest_of, read_meta
from synthbench.storage.layout import Folder, trial_folder
from synthbench.storage.store import Store
from synthbench.storage.upkeep import own_folder

__all__ = ["pack", "packs_in", "unpack"]

KINDS = ("synthetic", "scores", "replicates")
"""What a board is made of; with the evidence that the scores name."""

STORE, RUN = "store", "run"


def pack(store: Store, results: Sequence[TrialResult], out: Path, target: Path) -> Path:
    """Write what `store` holds of these trials, and the folders of those that failed, to one file in `target`.

    Of the same trials with the same results the same name. Returns the file.
    """
    entries = sorted(_entries(store))
    names = {
        "trials": [[result.trial.name, result.trial.seed, result.status] for result in results],
        "entries": [entry.relative_to(store.root).as_posix() for entry in entries],  # of this benchmark, say
    }
    file = make_folder(target, "give another --pack") / f"work-{digest_of(names)[:16]}.tar"
    temporary = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with tarfile.open(temporary, "w") as tar:
            for entry in entries:
                tar.add(entry, f"{STORE}/{entry.relative_to(store.root).as_posix()}")
            for result in results:
                folder = result.folder(out)
                if result.status != "done" and folder.is_dir():
                    tar.add(folder, f"{RUN}/{folder.relative_to(out).as_posix()}")
        temporary.replace(file)
    finally:
        temporary.unlink(missing_ok=True)
    return file


def _entries(store: Store) -> Iterator[Path]:
    evidence: set[str] = set()
    for entry in store.used():
        if entry.parent.name in KINDS:
            yield entry
            evidence |= digests_below(entry / "files")
    for digest in evidence:
        yield store.entry(EVIDENCE, {"sha256": digest})


def unpack(folder: Path, store: Store, out: Path) -> int:
    """Take what the files in `folder` hold into `store` and `out`; how many entries were new.

    A failure, which is in no store, takes nothing off a board in `out` that has scores of the trial.

    Raises DataError where there are none, or one cannot be read, or holds what is no entry or damaged.
    """
    scored = _scored(out)
    return sum(_unpack(file, store, out, scored) for file in packs_in(folder))


def packs_in(folder: Path) -> list[Path]:
    """The files that `unpack` takes. Raises DataError where there are none."""
    if files := sorted(folder.glob("*.tar")):
        return files
    raise DataError(f"{folder}: no .tar file of `synthbench work --pack` in there")


def _unpack(file: Path, store: Store, out: Path, scored: Collection[Path]) -> int:
    with own_folder(store.root) as place:
        try:
            with tarfile.open(file, "r:") as tar:
                tar.extractall(place, filter="data")  # no links out, no devices, no absolute names
            entries = sorted((place / STORE).glob("*/*"))
            new = sum([_adopt(store, entry) for entry in entries])
        except (tarfile.TarError, DamagedError, OSError, ValueError) as error:
            raise DataError(f"{file} cannot be taken in: {error}; make it again with `work --pack`") from error
        for folder in place.glob(f"{RUN}/{Folder.TRIALS}/*/*"):
            if (name := folder.relative_to(place / RUN)) not in scored:
                shutil.copytree(folder, out / name, dirs_exist_ok=True)
    return new


def _scored(out: Path) -> set[Path]:
    """Folders, within `out`, of the trials that have scores on the board in there."""
    with contextlib.suppress(DataError):
        return {
            trial_folder(Path(), trial["generator"], trial["index"])
            for trial in read_record(out)["trials"]
            if trial["costs"].keys() - {"fit", "sample"}
        }
    return set()


def _adopt(store: Store, folder: Path) -> bool:
    """Take an unpacked entry in, unless it is here; whether it was not.

    Raises DamagedError where `folder` is no entry, or not as its maker left it.
    """
    kind = folder.parent.name
    if kind not in (*KINDS, EVIDENCE):
        raise DamagedError(f"{kind!r} is no kind of entry that a board is made of")
    try:
        meta = read_meta(folder)
    except FileNotFoundError:
        raise DamagedError(f"{folder.name} is no entry") from None
    check_files(folder, meta)
    path = store.entry(kind, meta["key"])
    with store.locked(path, kind):
        if store.find(kind, meta["key"]):
            return False
        path.parent.mkdir(parents=True, exist_ok=True)
        publish(folder, path)
    return True
