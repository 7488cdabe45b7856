"""`synthbench run`: a benchmark file from its YAML to the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark, requiring
from synthbench.commands.device import resolve_device
from synthbench.progress import Progress
from synthbench.report import report_or_warning
from synthbench.runner.fetch import with_files
from synthbench.runner.loop import RunResult
from synthbench.runner.loop import run as run_plan
from synthbench.runner.session import Session
from synthbench.storage.store import Store, default_root

__all__ = ["run"]


def run(
    file: BenchmarkSource,
    *,
    out: Path | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    require: Sequence[str] = (),
    device: str = "auto",
    fresh: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Run a benchmark file; results and the report go to `out`, by default runs/<its name>.

    only       labels of generators; all where it is empty
    overrides  "generators.0.steps=50", as after `--set`
    require    what every candidate must reach beside the file's `require`: "tstr.auroc>=.8", "copying=no"
    device     "auto", "cpu", "cuda" or "cuda:N"
    fresh      compute everything again, whatever the store holds

    Raises SynthbenchError for whatever its user can mend.
    """
    bench = requiring(load_benchmark(file, load_registry(), overrides), require)
    progress = progress or Progress()
    bench = with_files(bench, progress)
    out = out or Path("runs") / bench.name
    store = Store(default_root(), fresh=fresh)
    result = run_plan(bench, Session(store, resolve_device(device), progress, out / "data"), out, only)
    progress.say(report_or_warning(out))
    return result
