"""`synthbench run`: a benchmark file from its YAML to the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark, requiring
from synthbench.benchmark.plan import Trial
from synthbench.commands.device import resolve_device, share_devices
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.report import report_or_warning
from synthbench.results.claim import claim
from synthbench.runner.elsewhere.packing import unpack
from synthbench.runner.elsewhere.parallel import work_in_processes
from synthbench.runner.fetch import with_files
from synthbench.runner.loop import RunResult
from synthbench.runner.loop import run as run_plan
from synthbench.runner.session import Session
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
    jobs: int = 1,
    collect: bool = False,
    unpacked: Path | None = None,
    in_process: bool = False,
    progress: Progress | None = None,
) -> RunResult:
    """Run a benchmark file; results and the report go to `out`, by default runs/<its name>.

    only       labels of generators; all where it is empty
    overrides  "generators.0.steps=50", as after `--set`
    require    what every candidate must reach beside the file's `require`: "tstr.auroc>=.8", "copying=no"
    device     "auto", "cpu", "cuda" or "cuda:N"
    fresh      compute everything again, whatever the store holds
    jobs       processes that work off trials at a time; more than one share the devices and the cores out
    collect    work off no trial: board and report of what `work` has put into the store
    unpacked   a folder of files of `work(..., pack_into=)`, taken into the store first
    in_process  no process of its own for each stage: what a plugin does to its process may touch later rows

    Raises SynthbenchError for whatever its user can mend.
    """
    if fresh and (jobs > 1 or collect):
        raise ConfigError("--fresh: with one process alone, not with --jobs or --collect")
    bench = requiring(load_benchmark(file, load_registry(), overrides), require)
    progress = progress or Progress()
    out = out or Path("runs") / bench.name
    store = Store(default_root(), fresh=fresh, say=progress.say)
    workers = workers_of(bench, store.root, in_process=in_process)
    with claim(out, bench.name), running(store), workers as isolation:
        bench = with_files(bench, progress)
        if unpacked:
            progress.say(f"{unpacked}: {unpack(unpacked, store, out)} entries are new")
        session = Session(store, resolve_device(device), progress, out / "data", isolation)
        options = ["--out", str(out), *(f"--set={o}" for o in overrides), *["--in-process"] * in_process]
        spread = partial(_in_processes, file, options, share_devices(device, jobs), progress)
        result = run_plan(
            bench, session, out, only, elsewhere=_nothing if collect else spread if jobs > 1 else None
        )
        progress.say(report_or_warning(out))
    return result


def _nothing(plan: Sequence[Trial]) -> None:
    """All that there will be is in the store."""


def _in_processes(
    file: BenchmarkSource,
    options: Sequence[str],
    devices: Sequence[str],
    progress: Progress,
    plan: Sequence[Trial],
) -> None:
    if isinstance(file, Mapping):
        raise ConfigError("jobs: other processes need a benchmark file, not a mapping")
    trials = [f"--trial={trial.name}" for trial in plan]
    work_in_processes([str(file), *options, *trials], devices, len(plan), progress)
