"""`synthbench work`: trials of a benchmark worked off into the store, for many processes and machines."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.benchmark.plan import Trial, make_plan
from synthbench.commands.device import resolve_device
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.runner.elsewhere.packing import pack
from synthbench.runner.elsewhere.work import named, shard
from synthbench.runner.elsewhere.work import work as work_off
from synthbench.runner.fetch import with_files
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running

__all__ = ["work"]


def work(
    file: Path,
    *,
    trials: Sequence[str] = (),
    part: str | None = None,
    pack_into: Path | None = None,
    out: Path | None = None,
    overrides: Sequence[str] = (),
    device: str = "auto",
    in_process: bool = False,
    progress: Progress | None = None,
) -> list[TrialResult]:
    """Work off trials of a benchmark file into the store; `run(..., collect=True)` makes board and report of them.

    trials     "acgan/0": those alone; all where it is empty
    part       "3/64": of those the third of 64 parts
    pack_into  a folder for one file with what the store then holds of them, for `unpack` elsewhere
    in_process  no process of its own for each stage
    out        where the folders of failed trials go, by default runs/<its name>

    Raises SynthbenchError for whatever its user can mend.
    """
    bench = load_benchmark(file, load_registry(), overrides)
    _chosen(make_plan(bench), trials, part)  # a mistake in these is found before anything is fetched
    progress = progress or Progress()
    out = out or Path("runs") / bench.name
    store = Store(default_root(), say=progress.say)
    with (
        running(store),
        tempfile.TemporaryDirectory(prefix="synthbench-work-") as scratch,
        workers_of(bench, store.root, in_process=in_process) as workers,
    ):
        bench = with_files(bench, progress)
        chosen = _chosen(make_plan(bench), trials, part)
        session = Session(store, resolve_device(device), progress, Path(scratch), workers)
        ended = work_off(bench, session, chosen, out)
        if pack_into:
            packed = pack(store, ended, out, pack_into)
            progress.say(f"{packed}: for `synthbench run {file} --collect --unpack {pack_into}`")
    return ended


def _chosen(plan: Sequence[Trial], trials: Sequence[str], part: str | None) -> Sequence[Trial]:
    chosen = named(plan, trials) if trials else plan
    return shard(chosen, part) if part else chosen
