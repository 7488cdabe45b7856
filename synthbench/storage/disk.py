"""What disks do to us: they are full, read-only, or not there; and arrays written so that they can say so."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.errors import StoreError

__all__ = [
    "READ_ONLY",
    "beside",
    "disk_errors",
    "disk_trouble",
    "make_folder",
    "publish",
    "save_array",
    "write_atomic",
]

FULL = (errno.ENOSPC, errno.EDQUOT)
READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
REFUSED = (*READ_ONLY, errno.ENOTDIR, errno.EEXIST, errno.ENAMETOOLONG)
SMALL = 1 << 20
"""Bytes that are as good as none."""


def disk_trouble(error: BaseException, folder: Path) -> str:
    """What to tell a user where `error` is the fault of the disk below `folder`; "" where it is not.

    Libraries lose the error's number: NumPy's tofile, copies of whole folders, safetensors.
    """
    number = getattr(error, "errno", None)
    name = getattr(error, "filename", None) or folder
    if number in FULL or (_is_nameless(error) and _is_full(folder)):
        return f"the disk is full: {name}; free some space, then run again: nothing finished is lost"
    if number == errno.EFBIG:
        return f"{name} would be larger than its file system or `ulimit -f` allows; use another folder"
    return ""


def _is_nameless(error: BaseException) -> bool:
    said = isinstance(error, OSError) and error.errno is None
    return said or type(error).__name__ == "SafetensorError"


def _is_full(folder: Path) -> bool:
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free < SMALL


@contextmanager
def disk_errors(root: Path, remedy: str) -> Iterator[None]:
    """Turn what a full or read-only disk says of `root` into a StoreError; other errors pass.

    remedy  what to do where `root` cannot be written
    """
    try:
        yield
    except Exception as error:
        if trouble := disk_trouble(error, root):
            raise StoreError(trouble) from error
        if isinstance(error, OSError) and _is_refused(error, root):
            raise StoreError(f"{root} cannot be written ({error.strerror}); {remedy}") from error
        raise


def _is_refused(error: OSError, root: Path) -> bool:
    if not root.is_dir():
        return error.errno in (*REFUSED, errno.ENOENT)
    places = map(str, (root, *root.parents)) if error.errno == errno.EEXIST else ()
    below = Path(str(error.filename)).is_relative_to(root) or str(error.filename) in places
    return error.errno in REFUSED and below


def make_folder(folder: Path, remedy: str = "give another --out") -> Path:
    """Make a folder that a user named, and return it. Raises StoreError where that cannot be."""
    with disk_errors(folder, remedy):
        folder.mkdir(parents=True, exist_ok=True)
    return folder


def save_array(path: Path, array: npt.NDArray[Any]) -> None:
    """`np.save`, byte by byte through Python's file: NumPy's own way loses what a full disk says."""
    with path.open("wb") as file:
        np.save(SimpleNamespace(write=file.write), array, allow_pickle=False)


def write_atomic(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new content, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def beside(path: Path) -> Path:
    """A hidden name beside an entry, that tells whose it is: `.<hash>-<random>`."""
    return path.with_name(f".{path.name}-{secrets.token_hex(4)}")


def publish(building: Path, path: Path) -> None:
    """Put a finished entry into its place; what lies there is damaged, or to be made anew."""
    old = beside(path)
    try:
        if path.exists():
            path.rename(old)  # readers that have it open keep it
        building.rename(path)
    except OSError as error:
        # Where the file system has no locks another process may have been first: its entry stands.
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
            raise
    finally:
        shutil.rmtree(old, ignore_errors=True)
