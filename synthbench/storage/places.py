"""Where the store lies, and folders that a variable of the environment names."""

from __future__ import annotations

import os
from pathlib import Path

from synthbench.errors import StoreError

__all__ = ["STARTED_IN", "default_root", "folder_in", "started_in"]

STARTED_IN = "SYNTHBENCH_STARTED_IN"
"""The environment variable that tells a stage's process in which folder the run was started."""


def started_in() -> Path:
    """The folder that the run was started in, from which its user writes: a stage's process has another."""
    return Path(os.environ.get(STARTED_IN) or Path.cwd())


def default_root() -> Path:
    """`SYNTHBENCH_CACHE`, or synthbench's folder in the user's cache folder. Raises StoreError without a home."""
    if folder := folder_in("SYNTHBENCH_CACHE"):
        return folder
    import platformdirs

    try:
        place = platformdirs.user_cache_dir("synthbench")
    except RuntimeError:
        place = "~/.cache/synthbench"
    if not Path(place).is_absolute():  # a "~" that nobody expanded would become a folder of that name
        raise StoreError(f"there is no home folder here (it would be {place!r}); set SYNTHBENCH_CACHE")
    return Path(place)


def folder_in(variable: str) -> Path | None:
    """The folder that a variable names, "~" expanded; None where it is not set.

    Raises StoreError where there is no home to expand it by.
    """
    written = os.environ.get(variable)
    if not written:
        return None
    try:
        return Path(written).expanduser().absolute()
    except RuntimeError as error:
        raise StoreError(f"{variable} is {written!r}, and there is no home folder; give a full path") from error
