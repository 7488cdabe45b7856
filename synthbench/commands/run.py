"""`synthbench run`: a benchmark file from its YAML to the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.commands.device import resolve_device
from synthbench.progress import Progress
from synthbench.report import report_or_warning
from synthbench.results.claim import claim
from synthbench.runner.fetch import with_files
from synthbench.runner.loop import RunResult
from synthbench.runner.loop import run as run_plan
from synthbench.runner.session import Session
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running

__all__ = ["run"]


def run(
    file: Path,
    *,
    out: Path | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    device: str = "auto",
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Run a benchmark file; results and the report go to `out`, by default runs/<its name>.

    only       labels of generators; all where it is empty
    overrides  "generators.0.steps=50", as after `--set`
    device     "auto", "cpu", "cuda" or "cuda:N"
    fresh      compute everything again, whatever the store holds

    Raises SynthbenchError for whatever its user can mend.
    """
    bench = load_benchmark(file, load_registry(), overrides)
    progress = progress or Progress()
    out = out or Path("runs") / bench.name
    store = Store(default_root(), fresh=fresh, say=progress.say)
    with claim(out, bench.name):
        bench = with_files(bench, progress)
        with running(store):
            result = run_plan(bench, Session(store, resolve_device(device), progress, out / "data"), out, only)
        progress.say(report_or_warning(out))
    return result
