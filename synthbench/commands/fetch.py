"""`synthbench fetch`: the weights and data sets that a benchmark file needs, ahead of time."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark
from synthbench.progress import Progress
from synthbench.runner.fetch import Fetched
from synthbench.runner.fetch import fetch as fetch_all
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running

__all__ = ["fetch"]


def fetch(file: BenchmarkSource, *, overrides: Sequence[str] = (), progress: Progress | None = None) -> Fetched:
    """Weights into the weights folder, data sets to where their plugins keep them."""
    bench = load_benchmark(file, load_registry(), overrides)
    store = Store(default_root())
    with (
        tempfile.TemporaryDirectory(prefix="synthbench-fetch-") as folder,
        running(store),
        workers_of(bench, store.root) as isolation,
    ):
        return fetch_all(bench, Session(store, "cpu", progress or Progress(), Path(folder), isolation))
