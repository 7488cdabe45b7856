"""Files by what is in them, as one digest: a changed one, or a further one, recomputes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from glob import escape, glob
from pathlib import Path

from synthbench import DataError, sha256_of
from synthbench.intake import Walk

__all__ = ["SEED_INDEX", "digest_of_files", "digest_of_places", "every_seed"]

SEED_INDEX = "{seed_index}"


def every_seed(path: Path) -> list[Path]:
    """`path`, of every seed where it holds SEED_INDEX. Raises DataError where nothing is there."""
    pattern = "*".join(map(escape, str(path).split(SEED_INDEX)))
    places = sorted(glob(pattern))  # noqa: PTH207 - the star may stand anywhere in the path
    if not places:
        raise DataError(f"{path}: there is no such file or folder")
    return [Path(place) for place in places]


def digest_of_places(places: Iterable[Path]) -> str:
    """SHA-256 of files, and of all files in folders; hidden ones and Python's bytecode do not count.

    Raises DataError where a place is missing.
    """
    files = []
    for place in places:
        if not place.exists():
            raise DataError(f"{place}: there is no such file or folder")
        files.append((place, _below(place) if place.is_dir() else [place]))
    return digest_of_files(files)


def _below(folder: Path) -> list[Path]:
    paths = (path for _, path, _ in Walk[str](folder).files([("", folder)]))
    return sorted(path for path in paths if path.parent.name != "__pycache__")


def digest_of_files(found: Iterable[tuple[Path, Sequence[Path]]]) -> str:
    """SHA-256 of files by their content, and by their names as seen from where the place they belong to lies."""
    total = hashlib.sha256()
    for place, paths in found:
        for path in paths:
            name = Path(os.path.relpath(path, place.parent)).as_posix()
            digest = _of_content(path) if path.is_file() else ""  # a broken link says so when it is read
            total.update(f"{name}\0{digest}\n".encode("utf-8", "backslashreplace"))
    return total.hexdigest()


def _of_content(path: Path) -> str:
    about = path.stat()
    return _sha256(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


@cache
def _sha256(path: Path, *_: int) -> str:
    """Asked for by every trial and every record of a run; a file of the same size and times is not read again."""
    return sha256_of(path)
