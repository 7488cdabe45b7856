"""Whether an entry of the store is what its maker left: the size and SHA-256 of every file stand in its meta.json.

meta.json itself ends with a digest of the rest of it, and holds the key that the entry's name is the hash of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = [
    *("LARGE", "META", "DamagedError", "OutdatedError", "check_files", "digest_of", "read_meta", "size_of"),
    "write_meta",
]

META = "meta.json"
LARGE = 256_000_000
"""Bytes of an entry from which on it is checked at its first use in a run, not at every one."""

Meta = Mapping[str, Any]


class DamagedError(Exception):
    """An entry is not what its maker left; says which file and how."""


class OutdatedError(DamagedError):
    """An entry of a version that kept no digests."""


def digest_of(key: Mapping[str, Any]) -> str:
    """SHA-256 of a key's canonical JSON."""
    text = json.dumps(key, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_meta(folder: Path, meta: Meta) -> dict[str, Any]:
    """Write meta.json with the size and digest of every other file below `folder`; what was written."""
    files = {name: [path.stat().st_size, _sha256(path)] for name, path in sorted(_files(folder).items())}
    # As it will be read: JSON has no tuples, and every key of a mapping is a text.
    complete: dict[str, Any] = json.loads(json.dumps({**meta, "files": files}))
    text = json.dumps({**complete, "seal": _seal(complete)}, indent=1)
    (folder / META).write_text(text, encoding="utf-8")
    return complete


def read_meta(folder: Path) -> dict[str, Any]:
    """meta.json of an entry. Raises FileNotFoundError where there is none, DamagedError where it is damaged."""
    try:
        meta = json.loads((folder / META).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise
    except (OSError, ValueError) as error:
        raise DamagedError(f"{META}: {error}") from error
    if not isinstance(meta, dict):
        raise DamagedError(f"{META} holds no entry's data")
    if "files" not in meta and "seal" not in meta:
        raise OutdatedError("it was made by a version that kept no digests")
    if meta.pop("seal", None) != _seal(meta):
        raise DamagedError(f"{META} has changed")
    if digest_of(meta["key"])[: len(folder.name)] != folder.name:
        raise DamagedError("it is the entry of another key")
    return meta


def check_files(folder: Path, meta: Meta) -> None:
    """Read every file of an entry. Raises DamagedError, naming the first that is not as it was made."""
    for name, (size, digest) in meta["files"].items():
        path = folder / name
        try:
            there = path.stat().st_size
            if there != size:
                raise DamagedError(f"{name} has {there} bytes of {size}")
            if _sha256(path) != digest:
                raise DamagedError(f"{name} has changed")
        except FileNotFoundError as error:
            raise DamagedError(f"{name} is gone") from error
        except OSError as error:
            raise DamagedError(f"{name}: {error.strerror}") from error


def size_of(meta: Meta) -> int:
    """Bytes of an entry's files."""
    return sum(size for size, _ in meta["files"].values())


def _files(folder: Path) -> dict[str, Path]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(meta: Meta) -> str:
    return hashlib.sha256(json.dumps(meta, sort_keys=True).encode()).hexdigest()
