"""Trials as tasks of a Ray cluster (https://docs.ray.io): each comes back packed, and the driver owns the store.

The nodes need synthbench, the plugins and the data; no folder has to be shared. The benchmark file goes along with
the YAML, Python and CSV files beside it, for nodes where they do not lie at the same place.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.benchmark.plan import Trial
from synthbench.commands.elsewhere.plan import needs_of
from synthbench.commands.elsewhere.remote import Remote
from synthbench.commands.elsewhere.task import Task
from synthbench.errors import ConfigError, DataError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.runner.elsewhere.ended import note_end
from synthbench.runner.elsewhere.packing import unpack
from synthbench.runner.elsewhere.parallel import Relay
from synthbench.storage.store import Store
from synthbench.storage.upkeep import own_folder

__all__ = ["Cluster", "connected", "work_on_ray"]

RETRIES = 3
"""How often a task is begun again whose node or process died; one whose plugin raised has ended, and is not."""

LISTEN_S = 1.0
"""Seconds between two looks at what the nodes have said."""

BESIDE = (".yaml", ".yml", ".py", ".csv")
LARGEST_BESIDE = 10_000_000
"""Bytes of a file that goes to every node; larger ones are data, which have their own place."""


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to. `ray` is the package."""

    ray: Any

    def device(self, wish: str) -> str:
        """Of all trials: "cuda" or "cpu"; "auto" as the cluster has it. Raises ConfigError for a GPU by number."""
        if wish == "auto":
            return "cuda" if self.ray.cluster_resources().get("GPU") else "cpu"
        if ":" in wish:
            raise ConfigError(f"--device {wish}: which GPU a trial gets is Ray's to say; write cuda")
        return wish

    def room_for(self, needs: Mapping[str, float]) -> bool:
        """Whether any node has so much in all, busy or not. `needs` by Ray's names."""
        nodes = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        return any(all(node.get(what, 0.0) >= amount for what, amount in needs.items()) for node in nodes)


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The cluster at `address`; "auto": the one that this machine belongs to, "": one of this machine alone.

    When the block ends, what still runs there for this process is ended. Raises ConfigError where Ray or the
    cluster is missing.
    """
    # Under `uv run` Ray would send the current folder, data and all, to every node.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigError(
            "--executor ray: in a clone of synthbench, `pip install '.[ray]'` or `uv sync --extra ray`"
        ) from error
    try:
        try:
            _knock(address)
            with _own_signals():
                ray.init(
                    address=address or "local", log_to_driver=False, include_dashboard=None if address else False
                )
        except Exception as error:  # Ray raises plain ones too, where a node is slow to start
            where = address or "this machine"
            raise ConfigError(f"--executor ray: no cluster at {where}: {error}") from error
        yield Cluster(ray)
    finally:
        ray.shutdown()


def _knock(address: str) -> None:
    """Raises OSError where nobody listens at "host:port": Ray itself would try for minutes."""
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "://" not in address:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray has SIGTERM end the driver then and there: results would stay unwritten."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def work_on_ray(
    cluster: Cluster, device: str, remote: Remote, store: Store, progress: Progress, plan: Sequence[Trial]
) -> frozenset[str]:
    """Work off `plan`; a trial whose process or node died again and again ends as failed.

    device  "cpu" or "cuda"; on a GPU every trial gets one at least

    Returns the titles of the trials whose end has been said.
    Raises DataError where a node cannot work.
    """
    ray = cluster.ray
    lines = _queue_beside_the_driver(ray)
    with progress.trials(len(plan)) as counted:
        relay = Relay(len(plan), progress, counted)
        beside, too_large = _beside(remote.file)
        if too_large:
            progress.say(
                f"{', '.join(too_large)}: too large to go to the nodes, which need them in their own folders"
            )
        files = ray.put({path.name: path.read_bytes() for path in beside})
        running = {}
        for trials in _trainings(plan):
            task = Task.of(remote, device, [trial.name for trial in trials])
            needs = _needs(trials, device)
            if not cluster.room_for(needs):
                progress.say(f"{', '.join(task.trials)}: no node has what it needs: {needs}; waiting for one")
            running[_submitted(ray, task, needs, files, lines)] = trials
        while running:
            ready, _ = ray.wait(list(running), timeout=LISTEN_S)
            for text in lines.get_nowait_batch(lines.qsize()):
                relay.follow(text.splitlines())
            for one in ready:
                # Of what has come back nothing is kept: the nodes' memory holds it as long as it is known here.
                _take_in(ray, one, running.pop(one), store, remote.out)
        for text in lines.get_nowait_batch(lines.qsize()):
            relay.follow(text.splitlines())
    return relay.ended


def _beside(file: Path) -> tuple[list[Path], list[str]]:
    """What a node may need besides the benchmark file itself (those that it extends, plugins, manifests), and the
    names of files that are too large to be sent."""
    files = [path for path in sorted(file.parent.iterdir()) if path.suffix in BESIDE and path.is_file()]
    large = {path.name for path in files if path.stat().st_size > LARGEST_BESIDE}
    return [path for path in files if path.name not in large], sorted(large)


def _queue_beside_the_driver(ray: Any) -> Any:
    """What all nodes say comes together here, and does not end with one of them."""
    from ray.util.queue import Queue
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True)
    return Queue(actor_options={"num_cpus": 0, "scheduling_strategy": here})


def _trainings(plan: Sequence[Trial]) -> list[list[Trial]]:
    """The trials, those that are checkpoints of one training together."""
    trainings: dict[tuple[str, int], list[Trial]] = {}
    for trial in plan:
        trainings.setdefault((trial.generator.training, trial.index), []).append(trial)
    return list(trainings.values())


def _needs(trials: Sequence[Trial], device: str) -> dict[str, float]:
    """The most that any of these needs, by Ray's names of it."""
    most = {
        what: max(needs_of(trial).get(what, 0.0) for trial in trials) for what in ("cpus", "gpus", "memory_gb")
    }
    needs = {"CPU": most["cpus"], "memory": most["memory_gb"] * 1e9}
    if device == "cuda":  # one device for all rows: what was made on a CPU is another entry
        needs["GPU"] = most["gpus"] or 1.0
    return {what: amount for what, amount in needs.items() if amount}


def _submitted(ray: Any, task: Task, needs: Mapping[str, float], files: Any, lines: Any) -> Any:
    remote = ray.remote(
        num_cpus=needs.get("CPU", 0.0),
        num_gpus=needs.get("GPU", 0.0),
        memory=int(needs.get("memory", 0.0)) or None,
        max_retries=RETRIES,
        max_calls=1,  # a process for each task: what leaks dies with it
    )(_on_a_node)
    return remote.remote(task, files, lines)


def _on_a_node(task: Task, files: Mapping[str, bytes], lines: Any) -> dict[str, Any]:
    return task.work(files, lines.put)


def _take_in(ray: Any, reference: Any, trials: Sequence[Trial], store: Store, out: Path) -> None:
    try:
        returned = ray.get(reference)
    except ray.exceptions.RayTaskError as error:  # before it came to a plugin: synthbench is missing there, say
        raise DataError(f"a node of the cluster could not work: {error.cause}") from error
    except ray.exceptions.RayError as error:
        for trial in trials:
            result = TrialResult(trial)
            reason = f"its process or node died {RETRIES + 1} times ({type(error).__name__})"
            result.end("failed", f"{trial.generator.label}: {reason}")
            note_end(result, out)
        return
    if "error" in returned:
        raise DataError(f"{returned['node']}, a node of the cluster, could not work: {returned['error']}")
    with own_folder(store.root) as place:
        (place / "work.tar").write_bytes(returned["packed"])
        unpack(place, store, out)
