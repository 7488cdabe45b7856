"""Folders of runs are copied, cut short and edited by hand: whatever that does to a reader is one message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthbench.errors import DataError, SynthbenchError

__all__ = ["readable"]


@contextmanager
def readable(*folders: Path) -> Iterator[None]:
    """Raise DataError, naming `folders`, for whatever the block stumbles over: files that do not fit together.

    The files are checked where they are read; this is for numbers, names and texts that no check foresees. Errors
    of the disk pass.
    """
    try:
        yield
    except (SynthbenchError, OSError):
        raise
    except Exception as error:
        names = " or ".join(map(str, folders))
        text = str(error)[:200]
        raise DataError(
            f"{names}: its files are damaged, or do not fit together ({type(error).__name__}: {text}); run the "
            "benchmark again: what is in the store is not computed anew"
        ) from error
