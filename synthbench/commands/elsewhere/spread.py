"""Who works off the trials of a run: this process, others on this machine, a Ray cluster, or someone before."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from synthbench.benchmark.plan import Trial
from synthbench.commands.device import resolve_device, share_devices
from synthbench.commands.elsewhere.on_ray import connected, work_on_ray
from synthbench.commands.elsewhere.remote import Remote
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.runner.elsewhere.packing import packs_in, unpack
from synthbench.runner.elsewhere.parallel import work_in_processes
from synthbench.storage.store import Store

__all__ = ["ALONE", "Elsewhere", "Spread"]

Elsewhere = Callable[[Sequence[Trial]], Collection[str]]
"""Works trials off into the store, in other processes; returns the titles of those whose end it has said."""


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

    def check(self, device: str, *, fresh: bool) -> None:
        """Raise SynthbenchError, before any work, for what a run cannot take and for contradictions."""
        if fresh and self != ALONE:
            raise ConfigError("--fresh: with one process alone, not with --jobs, --executor or --collect")
        if self.jobs < 1:
            raise ConfigError(f"--jobs {self.jobs}: expected 1 or more")
        if self.collect and (self.jobs > 1 or self.ray is not None):
            raise ConfigError("--collect: it works nothing off, leave --jobs and --executor away")
        if self.jobs > 1 and self.ray is not None:
            raise ConfigError("--jobs: for processes on this machine, not with --executor ray")
        if self.unpacked:
            packs_in(self.unpacked)
        if device != "auto" and self.ray is None and not self._takes_at_its_word(device):
            resolve_device(device)

    def _takes_at_its_word(self, device: str) -> bool:
        """Who only collects need not have a GPU."""
        return self.collect and device.startswith("cuda")

    @contextmanager
    def over(self, remote: Remote, store: Store, progress: Progress) -> Iterator[tuple[str, Elsewhere | None]]:
        """The device that the trials are worked off on, and who does so: None where the run does itself.

        The device is part of every entry's key.
        """
        if self.unpacked:
            progress.say(f"{self.unpacked}: {unpack(self.unpacked, store, remote.out)} entries are new")
        if self.collect:
            yield "cuda" if self._takes_at_its_word(remote.device) else resolve_device(remote.device), _nothing
        elif self.ray is not None:
            with connected(self.ray) as cluster:
                device = cluster.device(remote.device)
                yield device, partial(work_on_ray, cluster, device, remote, store, progress)
        elif self.jobs > 1:
            devices = share_devices(remote.device, self.jobs)
            yield devices[0], partial(_in_processes, remote, devices, progress)
        else:
            yield resolve_device(remote.device), None


ALONE = Spread()


def _nothing(_: Sequence[Trial]) -> Collection[str]:
    """All that there will be is in the store."""
    return ()


def _in_processes(
    remote: Remote, devices: Sequence[str], progress: Progress, plan: Sequence[Trial]
) -> Collection[str]:
    options = [f"--set={override}" for override in remote.overrides] + ["--in-process"] * remote.in_process
    trials = [f"--trial={trial.name}" for trial in plan]
    command = [str(remote.file), "--out", str(remote.out), *options, *trials]
    return work_in_processes(command, devices, len(plan), progress)
