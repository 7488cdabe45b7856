"""`synthbench stress`: real images made worse step by step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark
from synthbench.commands.device import resolve_device
from synthbench.progress import Progress
from synthbench.results.claim import claim
from synthbench.runner.fetch import with_files
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running
from synthbench.stress import Stressed, Sweep
from synthbench.stress import stress as stress_all

__all__ = ["StressTest", "stress"]


class StressTest(NamedTuple):
    """The benchmark's name and what came out."""

    name: str
    stressed: Stressed


def stress(
    file: BenchmarkSource,
    *,
    levels: int = 5,
    images: int = 1000,
    out: Path | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    device: str = "auto",
    in_process: bool = False,
    progress: Progress | None = None,
) -> StressTest:
    """Score real images under growing damage; the files go to `out`, by default runs/<its name>-stress.

    levels  strengths above 0
    images  most images in each half of the reals
    only    labels of evaluators; all where it is empty
    in_process  as of `run`
    """
    sweep = Sweep(levels, images)
    bench = load_benchmark(file, load_registry(), overrides)
    progress = progress or Progress()
    out = out or Path("runs") / f"{bench.name}-stress"
    store = Store(default_root(), say=progress.say)
    with claim(out, bench.name):
        bench = with_files(bench, progress)
        with running(store), workers_of(bench, store.root, in_process=in_process) as workers:
            session = Session(store, resolve_device(device), progress, out / "data", workers)
            return StressTest(bench.name, stress_all(bench, session, out, sweep, only))
