"""`synthbench fetch`: the weights and data sets that a benchmark file needs, ahead of time."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark
from synthbench.progress import Progress
from synthbench.runner.fetch import fetch_files
from synthbench.runner.load_data import load_splits
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running
from synthbench.storage.weights import WeightFile

__all__ = ["Fetched", "fetch"]


class Fetched(NamedTuple):
    """The published files with their SHA-256, and the number of images by part of the data."""

    files: Mapping[WeightFile, str]
    images: Mapping[str, int]


def fetch(file: BenchmarkSource, *, overrides: Sequence[str] = (), progress: Progress | None = None) -> Fetched:
    """Weights into the weights folder, data sets to where their plugins keep them."""
    bench, progress = load_benchmark(file, load_registry(), overrides), progress or Progress()
    files, store = fetch_files(bench, progress), Store(default_root())
    with (
        tempfile.TemporaryDirectory(prefix="synthbench-fetch-") as folder,
        running(store),
        workers_of(bench, store.root) as isolation,
    ):
        splits = load_splits(bench, Session(store, "cpu", progress, Path(folder), isolation))
    return Fetched(files, {"train": len(splits.train), **{name: len(part) for name, part in splits.tests.items()}})
