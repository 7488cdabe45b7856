"""Work on many files, in threads."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_threads"]

File = TypeVar("File")
Result = TypeVar("Result")

BATCH = 32
"""Files that a thread takes at once, at most: handing over each by itself costs as much as looking into it."""

SHARES = 8
"""Batches a core, at least: of a few large files each thread gets some."""


def in_threads(
    work: Callable[[File], Result], files: Sequence[File], threads: int | None = None
) -> Iterator[Result]:
    """The result of each file, in order; by default in more threads than cores, for disks make them wait."""
    size = min(BATCH, max(1, len(files) // (SHARES * (os.cpu_count() or 1))))
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    with ThreadPoolExecutor(threads) as pool:
        for results in pool.map(lambda batch: [work(file) for file in batch], batches):
            yield from results
