"""Work on many files, in threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_threads"]

File = TypeVar("File")
Result = TypeVar("Result")

BATCH = 32
"""Files a thread takes at once: handing over each by itself costs as much as looking into it."""


def in_threads(
    work: Callable[[File], Result], files: Sequence[File], threads: int | None = None
) -> Iterator[Result]:
    """The result of each file, in order; by default in more threads than cores, for disks make them wait."""
    batches = [files[start : start + BATCH] for start in range(0, len(files), BATCH)]
    with ThreadPoolExecutor(threads) as pool:
        for results in pool.map(lambda batch: [work(file) for file in batch], batches):
            yield from results
