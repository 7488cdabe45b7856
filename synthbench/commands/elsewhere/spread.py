"""Who works off the trials of a run: this process, others on this machine, a Ray cluster, or someone before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from synthbench.benchmark.config import BenchmarkSource
from synthbench.benchmark.plan import Trial
from synthbench.benchmark.shipped import benchmark_path
from synthbench.commands.device import share_devices
from synthbench.commands.elsewhere.on_ray import work_on_ray
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.runner.elsewhere.packing import unpack
from synthbench.runner.elsewhere.parallel import work_in_processes
from synthbench.storage.store import Store

__all__ = ["ALONE", "Remote", "Spread"]


@dataclass(frozen=True)
class Remote:
    """What other processes have to know of a run. `options` are those of `synthbench work`."""

    source: BenchmarkSource
    out: Path
    options: Sequence[str]
    overrides: Sequence[str]
    device: str

    @property
    def file(self) -> Path:
        """The benchmark file. Raises ConfigError where it is a mapping."""
        if isinstance(self.source, Mapping):
            raise ConfigError("other processes need a benchmark file, not a mapping")
        return benchmark_path(Path(self.source))


@dataclass(frozen=True)
class Spread:
    """By default the run's own process works them off.

    jobs      processes at a time; more than one share the devices and the cores out
    ray       address of a Ray cluster: "auto", "" for one on this machine
    collect   nobody does: board and report of what `work` has put into the store
    unpacked  a folder of files of `work(..., pack_into=)`, taken into the store first
    """

    jobs: int = 1
    ray: str | None = None
    collect: bool = False
    unpacked: Path | None = None

    def over(self, remote: Remote, store: Store, progress: Progress) -> Callable[[Sequence[Trial]], None] | None:
        """What works the trials off into the store, elsewhere; None where the run does so itself."""
        if self.unpacked:
            progress.say(f"{self.unpacked}: {unpack(self.unpacked, store, remote.out)} entries are new")
        if self.collect:
            return _nothing
        if self.ray is not None:
            return partial(work_on_ray, remote.file, remote.overrides, self.ray, store, remote.out, progress)
        if self.jobs > 1:
            devices = share_devices(remote.device, self.jobs)
            return partial(_in_processes, remote, devices, progress)
        return None


ALONE = Spread()


def _nothing(plan: Sequence[Trial]) -> None:
    """All that there will be is in the store."""


def _in_processes(remote: Remote, devices: Sequence[str], progress: Progress, plan: Sequence[Trial]) -> None:
    trials = [f"--trial={trial.name}" for trial in plan]
    command = [str(remote.file), "--out", str(remote.out), *remote.options, *trials]
    work_in_processes(command, devices, len(plan), progress)
