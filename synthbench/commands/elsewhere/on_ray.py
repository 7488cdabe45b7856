"""Trials as tasks of a Ray cluster (https://docs.ray.io): each comes back packed, and the driver owns the store.

The nodes need synthbench, the plugins and the data; no folder has to be shared. The benchmark file goes along with
the YAML, Python and CSV files beside it, for nodes where it does not lie at the same place.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.benchmark.plan import Trial
from synthbench.commands.elsewhere.plan import needs_of
from synthbench.commands.elsewhere.work import work
from synthbench.errors import ConfigError, DataError
from synthbench.progress import Progress
from synthbench.runner.elsewhere.packing import unpack
from synthbench.storage.store import Store

__all__ = ["Task", "work_on_ray"]

RETRIES = 5
"""How often a task is begun again whose node or process died; one whose plugin raised has ended, and is not."""

BESIDE = (".yaml", ".yml", ".py", ".csv")


@dataclass(frozen=True)
class Task:
    """Trials for one process: one of them, or the checkpoints of one training.

    files  the benchmark's, by name, with what lies beside it; `file` is where it lies on the driver
    """

    file: Path
    files: Mapping[str, bytes]
    trials: tuple[str, ...]
    overrides: tuple[str, ...]

    def work(self) -> dict[str, Any]:
        """On a node: the packed entries, and what was said on the way; or why nothing could be worked off."""
        with tempfile.TemporaryDirectory(prefix="synthbench-ray-") as place:
            folder, said = Path(place), _Said()
            file = self.file
            if not file.is_file():
                file = folder / self.file.name
                for name, content in self.files.items():
                    (folder / name).write_bytes(content)
            try:
                work(
                    file,
                    trials=self.trials,
                    pack_into=folder / "packed",
                    out=folder / "out",
                    overrides=self.overrides,
                    progress=said,
                )
            except Exception as error:  # the driver may lack the class of another package's exception
                return {"error": f"{type(error).__name__}: {error}"}
            (packed,) = (folder / "packed").glob("*.tar")
            return {"name": packed.name, "packed": packed.read_bytes(), "said": said.lines}


class _Said(Progress):
    """Keeps what is said; a node has no terminal."""

    def __init__(self) -> None:
        super().__init__(enabled=False)
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        """As there."""
        self.lines.append(text)


def work_on_ray(
    file: Path,
    overrides: Sequence[str],
    address: str,
    store: Store,
    out: Path,
    progress: Progress,
    plan: Sequence[Trial],
) -> None:
    """Work off `plan` on the cluster at `address` ("auto": the one that this machine belongs to; "": one here).

    Raises ConfigError where Ray or the cluster is missing, DataError where a node cannot work.
    """
    ray = _connected(address)
    try:
        gpus = bool(ray.cluster_resources().get("GPU"))
        tasks = {_submitted(ray, task, trials, gpus=gpus): task for task, trials in _tasks(file, overrides, plan)}
        left = list(tasks)
        while left:
            ready, left = ray.wait(left, num_returns=1)
            _take_in(ray.get(ready[0]), store, out)
            done = len(tasks) - len(left)
            progress.say(f"[{done}/{len(tasks)}] {', '.join(tasks[ready[0]].trials)}: back from the cluster")
    finally:
        ray.shutdown()  # what still runs there ends with its driver


def _connected(address: str) -> Any:
    # Under `uv run` Ray would send the current folder, data and all, to every node.
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")
    try:
        import ray
    except ImportError as error:
        raise ConfigError("--executor ray: install the extra: pip install 'synthbench-medical[ray]'") from error
    try:
        ray.init(address=address or None, log_to_driver=False, include_dashboard=False if not address else None)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise ConfigError(f"--executor ray: no cluster at {address or 'this machine'}: {error}") from error
    return ray


def _tasks(file: Path, overrides: Sequence[str], plan: Sequence[Trial]) -> Iterator[tuple[Task, list[Trial]]]:
    """A task each for the trainings of the plan, with its trials."""
    files = {path.name: path.read_bytes() for path in file.parent.iterdir() if path.suffix in BESIDE}
    trainings: dict[tuple[str, int], list[Trial]] = {}
    for trial in plan:
        trainings.setdefault((trial.generator.training, trial.index), []).append(trial)
    for trials in trainings.values():
        yield Task(file.absolute(), files, tuple(t.name for t in trials), tuple(overrides)), trials


def _submitted(ray: Any, task: Task, trials: Sequence[Trial], *, gpus: bool) -> Any:
    """`gpus`: whether a trial gets one though no plugin asks for it."""
    needs = {
        what: max(needs_of(trial).get(what, 0.0) for trial in trials) for what in ("cpus", "gpus", "memory_gb")
    }
    remote = ray.remote(
        num_cpus=needs["cpus"],
        num_gpus=needs["gpus"] or (1.0 if gpus else 0.0),
        memory=int(needs["memory_gb"] * 1e9) or None,
        max_retries=RETRIES,
        max_calls=1,  # a process for each task: what leaks dies with it
    )(_on_a_node)
    return remote.remote(task)


def _on_a_node(task: Task) -> dict[str, Any]:
    return task.work()


def _take_in(returned: Mapping[str, Any], store: Store, out: Path) -> None:
    if "error" in returned:
        raise DataError(f"a node of the cluster could not work: {returned['error']}")
    with tempfile.TemporaryDirectory(prefix="synthbench-ray-") as place:
        (Path(place) / str(returned["name"])).write_bytes(returned["packed"])
        unpack(Path(place), store, out)
