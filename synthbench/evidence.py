"""What scores can be told from again: arrays by name. Each array is kept once, whoever uses it.

`evidence.json` among an evaluation's files names its arrays, by the digest of their content; the arrays lie in
the store, and beside the trials in a run's folder.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.errors import DataError
from synthbench.store import Store, damaged

__all__ = ["EVIDENCE", "FOLDER", "altered", "copy_evidence", "load_evidence", "save_evidence", "tidy"]

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
    """Copy what evidence.json names from the store to a run's folder. Raises StoreError where it is gone."""
    for digest in set(_names(files).values()):
        target = out / FOLDER / f"{digest}.npy"
        entry = store.entry(KIND, {"sha256": digest}) / FILE
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(entry, target)
            except FileNotFoundError as error:
                raise damaged(files.parent, f"{entry} is gone") from error


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
    """Delete arrays that no trial in a run's folder names any more."""
    named = {digest for file in (out / "trials").rglob(EVIDENCE) for digest in _names(file.parent).values()}
    for path in (out / FOLDER).glob("*.npy"):
        if path.stem not in named:
            path.unlink()


def _names(files: Path) -> dict[str, str]:
    """By the array's name its digest."""
    path = files / EVIDENCE
    return dict(_checked(json.loads(path.read_text(encoding="utf-8")))) if path.exists() else {}


def _checked(found: Any) -> Iterator[tuple[str, str]]:
    """What a file says that may come from a stranger: digests become names of files."""
    for name, digest in found.items():
        if len(digest) != 64 or not set(digest) <= set("0123456789abcdef"):
            raise ValueError(f"{EVIDENCE}: {digest!r} is no digest")
        yield name, digest


def _put(array: Array, store: Store) -> str:
    digest = _digest(array)
    store.make(KIND, {"sha256": digest}, lambda folder: np.save(folder / FILE, array, allow_pickle=False))
    return digest


def _digest(array: Array) -> str:
    sha = hashlib.sha256(f"{array.dtype.str} {array.shape}".encode())
    sha.update(array.tobytes() if array.dtype.kind == "U" else array.data)
    return sha.hexdigest()


def _read(path: Path, digest: str) -> Array:
    array: Array = np.load(path, allow_pickle=False)
    if _digest(array) != digest:
        raise DataError(f"{FOLDER}/{path.name} holds another array than its name says")
    array.flags.writeable = False
    return array


def _fault(path: Path) -> str:
    try:
        _read(path, path.stem)
    except (DataError, ValueError, OSError, EOFError) as error:
        return str(error)
    return ""
