"""What lies in files and folders as one digest: a changed image, or a further one, recomputes."""

from __future__ import annotations

import hashlib
from functools import cache
from glob import escape, glob
from pathlib import Path

from synthbench import DataError, sha256_of

__all__ = ["SEED_INDEX", "digest_of_all", "digest_of_files"]

SEED_INDEX = "{seed_index}"


def digest_of_all(root: Path) -> str:
    """SHA-256 of the files at `root`, those of every seed where it holds SEED_INDEX. Raises DataError for none."""
    pattern = "*".join(map(escape, str(root).split(SEED_INDEX)))
    places = sorted(glob(pattern))  # noqa: PTH207 - the star may stand anywhere in the path
    if not places:
        raise DataError(f"{root}: there is no such file or folder")
    return digest_of_files([Path(place) for place in places])


def digest_of_files(places: list[Path]) -> str:
    """SHA-256 of files, and of all files in folders, by their names within them; hidden ones do not count.

    Raises DataError where a place is missing.
    """
    total = hashlib.sha256()
    for place in places:
        if not place.exists():
            raise DataError(f"{place}: there is no such file or folder")
        files = sorted(path for path in place.rglob("*") if path.is_file()) if place.is_dir() else [place]
        for path in files:
            name = path.relative_to(place.parent).as_posix()
            if not any(part.startswith(".") for part in path.relative_to(place).parts):
                about = path.stat()
                digest = _sha256(path, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
                total.update(f"{name}\0{digest}\n".encode("utf-8", "backslashreplace"))
    return total.hexdigest()


@cache
def _sha256(path: Path, *_: int) -> str:
    """Asked for by every trial and every record of a run; a file of the same size and times is not read again."""
    return sha256_of(path)
