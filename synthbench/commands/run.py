"""`synthbench run`: a benchmark file from its YAML to the report."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark, requiring
from synthbench.commands.elsewhere.remote import Remote
from synthbench.commands.elsewhere.spread import ALONE, Spread
from synthbench.progress import Progress
from synthbench.report import report_or_warning
from synthbench.results.claim import claim
from synthbench.runner.fetch import with_files
from synthbench.runner.loop import RunResult
from synthbench.runner.loop import run as run_plan
from synthbench.runner.session import Session
from synthbench.runner.unchanged import may_stand, note_standing
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running

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
    spread: Spread = ALONE,
    in_process: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Run a benchmark file; results and the report go to `out`, by default runs/<its name>.

    only       labels of generators; all where it is empty
    overrides  "generators.0.steps=50", as after `--set`
    require    what every candidate must reach beside the file's `require`: "tstr.auroc>=.8", "copying=no"
    device     "auto", "cpu", "cuda" or "cuda:N"; to collect, the kind that the trials were worked off on
    fresh      compute everything again, whatever the store holds
    spread     whether other processes or machines work off the trials
    in_process  no process of its own for each stage: what a plugin does to its process may touch later rows

    Raises SynthbenchError for whatever its user can mend.
    """
    spread.check(device, fresh=fresh)
    bench = requiring(load_benchmark(file, load_registry(), overrides), require)
    progress = progress or Progress()
    out = out or Path("runs") / bench.name
    store = Store(default_root(), fresh=fresh, say=progress.say)
    with ExitStack() as stack:
        stack.enter_context(claim(out, bench.name))
        bench = with_files(bench, progress)  # before the store is touched
        stack.enter_context(running(store))
        isolation = stack.enter_context(workers_of(bench, store.root, in_process=in_process))
        remote = Remote(file, out, overrides, device, in_process)
        device, elsewhere = stack.enter_context(spread.over(remote, store, progress))
        session = Session(store, device, progress, out / "data", isolation)
        if isolation and spread == ALONE and not may_stand(out):
            isolation.prepare()  # seconds of another core, while this one reads the data
        result = run_plan(bench, session, out, only, elsewhere=elsewhere)
        _with_report(result, progress)
    return result


def _with_report(result: RunResult, progress: Progress) -> None:
    """Draw the report, unless it stands as everything else does."""
    if result.unchanged:
        progress.say(f"nothing has changed: {result.out} is as the run that made it left it, report and all")
        return
    progress.say(report_or_warning(result.out))
    note_standing(result.out, result.made_from)
