"""What scores can be told from again: arrays by name. Each array is kept once, whoever uses it.

`evidence.json` among an evaluation's files names its arrays, by the digest of their content; the arrays lie in
the store, and beside the trials in a run's folder.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from synthbench.errors import DataError, StoreError
from synthbench.storage.disk import save_array
from synthbench.storage.store import Store

__all__ = [
    *("EVIDENCE", "FOLDER", "altered", "copy_evidence", "digests_below", "load_evidence", "save_evidence", "tidy"),
]

Array = npt.NDArray[Any]

EVIDENCE = "evidence.json"
FOLDER = "evidence"
"""Of a run's folder, beside `trials`."""

KIND, FILE = "evidence", "array.npy"


def save_evidence(files: Path, evidence: Mapping[str, Array], store: Store) -> None:
    """Write evidence.json into an evaluation's files, and each array into the store. None: no file."""
    if evidence:
        names = {name: _put(np.asarray(array, order="C"), store) for name, array in evidence.items()}
        (files / EVIDENCE).write_text(json.dumps(names, indent=1), encoding="utf-8")


def copy_evidence(files: Path, store: Store, out: Path) -> None:
    """Copy what evidence.json names from the store to a run's folder, unless it is there and whole.

    files  of the evaluation's entry in the store: this is what has to be made anew where an array is gone, and
           what the StoreError names
    """
    for digest in set(_names(files).values()):
        target = out / FOLDER / f"{digest}.npy"
        entry = store.entry(KIND, {"sha256": digest}) / FILE
        if target.exists() and not _fault(target):
            continue
        if not entry.is_file():
            raise StoreError.damaged(files.parent, f"{entry} is gone")
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(entry, target)
        if fault := _fault(target):
            target.unlink()
            raise StoreError.damaged(files.parent, f"{entry}: {fault}")


def _copy(file: Path, target: Path) -> None:
    """All or nothing: half a file would be taken for the whole one."""
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(file, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def load_evidence(files: Path, out: Path) -> dict[str, Array]:
    """The arrays that evidence.json in `files` names, from the folder of a run; {} where there is no such file.

    Raises FileNotFoundError where an array is not there, DataError where one is not what its name says
    (`altered` lists those).
    """
    return {name: _read(out / FOLDER / f"{digest}.npy", digest) for name, digest in _names(files).items()}


def altered(out: Path) -> list[str]:
    """The arrays in a run's folder that are not what their name says, a line each."""
    return [line for path in sorted((out / FOLDER).glob("*.npy")) if (line := _fault(path))]


def tidy(out: Path) -> None:
    """Delete arrays that no trial in a run's folder names any more; none where that cannot be told."""
    try:
        named = {digest for file in (out / "trials").rglob(EVIDENCE) for digest in _names(file.parent).values()}
    except (OSError, ValueError):  # another file of that name, by a plugin say
        return
    for path in (out / FOLDER).glob("*.npy"):
        if path.stem not in named:
            path.unlink()


def digests_below(folder: Path) -> set[str]:
    """The arrays that are named anywhere below a folder; other files that are called evidence.json name none."""
    digests: set[str] = set()
    for file in folder.rglob(EVIDENCE):
        with contextlib.suppress(ValueError):
            digests.update(_names(file.parent).values())
    return digests


def _names(files: Path) -> dict[str, str]:
    """By the array's name its digest."""
    path = files / EVIDENCE
    return dict(_checked(json.loads(path.read_text(encoding="utf-8")))) if path.exists() else {}


def _checked(names: Any) -> Iterator[tuple[str, str]]:
    """What a file says that may come from a stranger: digests become names of files."""
    if not isinstance(names, dict):
        raise ValueError(f"{EVIDENCE}: expected names of arrays with their digests")
    for name, digest in names.items():
        if not isinstance(digest, str) or len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(f"{EVIDENCE}: {digest!r} is no digest")
        yield name, digest


def _put(array: Array, store: Store) -> str:
    digest = _digest(array)
    made = store.make(KIND, {"sha256": digest}, lambda folder: save_array(folder / FILE, array))
    if not (made.path / FILE).is_file():
        raise StoreError.damaged(made.path, f"its {FILE} is gone")
    return digest


def _digest(array: Array) -> str:
    sha = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    sha.update(array.tobytes() if array.dtype.kind == "U" else array.data)
    return sha.hexdigest()


def _read(path: Path, digest: str) -> Array:
    _check_size(path)
    array: Array = np.load(path, allow_pickle=False)
    if _digest(array) != digest:
        raise DataError(f"{FOLDER}/{path.name} holds another array than its name says")
    array.flags.writeable = False
    return array


def _check_size(path: Path) -> None:
    """Raises DataError for a file that is no array, or whose header tells of more or less than is in it."""
    with path.open("rb") as file:
        try:
            version = npy.read_magic(file)
            read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
            shape, _, dtype = read(file)
        except Exception as error:  # the header is a Python literal: what its parser says of another text is open
            raise DataError(f"{FOLDER}/{path.name} is no array: {type(error).__name__}") from error
        rest = path.stat().st_size - file.tell()
    if math.prod(shape) * dtype.itemsize != rest:
        raise DataError(f"{FOLDER}/{path.name} holds {rest} bytes for an array of {dtype} {shape}")


def _fault(path: Path) -> str:
    """What is wrong with an array in a run's folder, or ""."""
    try:
        _read(path, path.stem)
    except DataError as error:
        return str(error)
    except Exception as error:  # a stranger's file may fail in any way, and others have to be looked at too
        return f"{FOLDER}/{path.name}: {type(error).__name__}: {error}"
    return ""
