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
from synthbench.storage.store import Store, default_root

__all__ = ["fetch"]


def fetch(file: BenchmarkSource, *, overrides: Sequence[str] = (), progress: Progress | None = None) -> Fetched:
    """Weights into the weights folder, data sets to where their plugins keep them."""
    bench = load_benchmark(file, load_registry(), overrides)
    with tempfile.TemporaryDirectory(prefix="synthbench-fetch-") as folder:
        return fetch_all(bench, Session(Store(default_root()), "cpu", progress or Progress(), Path(folder)))
