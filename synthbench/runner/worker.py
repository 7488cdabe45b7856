"""A process for each stage: what a plugin does to its process touches no other row.

On Linux processes are forked from a server that has loaded what is heavy, elsewhere they are started anew.
The run watches: what the process says, prints and needs, and how it ends.
"""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Plugin
from synthbench.api.nested.keys import within
from synthbench.benchmark.definition import Benchmark
from synthbench.errors import Skipped, StoreError
from synthbench.runner.failure import Failure, StageFailed, printable
from synthbench.runner.isolation.crossing import Order, Shelf
from synthbench.runner.isolation.stage import Stage, prepare, started
from synthbench.runner.isolation.watching import Log, Shown, memory_gb, resident_gb
from synthbench.runner.session import Job, Session
from synthbench.storage.code_version import Reading, code_of, read_elsewhere, readings
from synthbench.storage.places import STARTED_IN
from synthbench.storage.upkeep import own_folder

__all__ = ["Limits", "Workers", "workers_of"]

END_S = 3.0
"""How long a process that is done may take to end: a thread may still run in it."""

LOOK_S = 0.5
"""Seconds between two looks at time and memory."""


FOLDERS = ("SYNTHBENCH_CACHE", "SYNTHBENCH_DATA", "SYNTHBENCH_WEIGHTS", "TORCH_HOME", "HF_HOME")
"""Environment variables that name a folder, perhaps seen from the current one."""

IN_PROCESS = "SYNTHBENCH_IN_PROCESS"
"""The environment variable that keeps all work in the process of the run: for debuggers, and hundreds of tests."""

MEMORY_SHARE = 0.9
"""Of the memory that may be used, where the benchmark has no limit."""


@contextmanager
def workers_of(bench: Benchmark, root: Path, *, in_process: bool = False) -> Iterator[Workers | None]:
    """Those of a run with the store at `root`; None where all work is to be done in this process."""
    if in_process or os.environ.get(IN_PROCESS, "0") not in ("", "0"):
        yield None
        return
    memory = bench.memory_limit or MEMORY_SHARE * memory_gb()
    with Workers(root, Limits(bench.timeout, memory), _packages(bench)) as workers:
        yield workers


def _packages(bench: Benchmark) -> list[str]:
    """What the plugins import of others, by the top-level name."""
    plugins: list[Plugin] = [entry.plugin for entry in bench.generators]
    plugins += [entry.plugin for entry in bench.evaluators]
    plugins += [inner for plugin in plugins.copy() for _, inner in within(plugin)]
    return [name for plugin in plugins for name in code_of(type(plugin))]


@dataclass(frozen=True)
class Limits:
    """Of a stage. `timeout` in seconds, None without one; `memory` in GB of resident size."""

    timeout: float | None = None
    memory: float | None = None


class Workers:
    """Performs jobs in processes of their own (`session.Isolation`); the block that holds it removes its files.

    root    of the store: arrays that processes share are files there, in a hidden folder
    loaded  packages that the plugins import
    """

    def __init__(self, root: Path, limits: Limits, loaded: Sequence[str] = ()) -> None:
        self._root, self._limits = root, limits
        self._loaded = loaded
        self._mine = ExitStack()
        self._folder: Path | None = None
        self._shelf: Shelf | None = None
        self._said: set[str] = set()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        self._mine.close()
        self._folder = self._shelf = None

    def prepare(self) -> None:
        """Begin to load what the first stage will need, beside what the run itself has to do before it."""
        prepare(self._loaded)

    def perform(self, job: Job, session: Session, folder: Path) -> dict[str, Any] | None:
        """See `session.Isolation`. Raises Skipped, StoreError, or StageFailed with what happened."""
        if reason := _stays(job):
            self._say(job, reason, session)
            return None
        shelf = self._prepared()
        state = session.store.state()
        folder = folder.absolute()
        try:
            packed = shelf.packed((job, state, session.device, session.scratch.absolute(), folder))
        except OSError:
            raise
        except Exception as error:  # pickle passes on whatever a class's own methods raise
            self._say(job, Failure.of(error).text, session)
            return None
        last = self._supervised(packed, session, folder)
        if "unreadable" in last:
            self._say(job, last["unreadable"], session)
            return None
        return _result(last, session)

    def _say(self, job: Job, reason: str, session: Session) -> None:
        """Once for a class."""
        for name in {f"{type(plugin).__name__}" for plugin in job.plugins} - self._said:
            self._said.add(name)
            session.progress.say(f"{name} runs in the process of the run itself: {reason}")

    def room(self) -> Path:
        """See `session.Isolation`."""
        if self._folder is None:
            self._folder = self._mine.enter_context(own_folder(self._root))
        return self._folder

    def _prepared(self) -> Shelf:
        if self._shelf is None:
            self._shelf = Shelf(self.room())
        return self._shelf

    def _supervised(self, packed: bytes, session: Session, folder: Path) -> dict[str, Any]:
        """The last message of the process. Raises StageFailed where it ends without one."""
        home = Path(tempfile.mkdtemp(prefix="home-", dir=self.room()))
        torch = sys.modules.get("torch")
        order = Order(packed, _environment(), torch.get_num_threads() if torch else None, home, readings())
        try:
            with (
                started(order, self._loaded) as stage,
                Shown(session.progress) as shown,
                Log(folder / "files") as log,
            ):
                return _watched(stage, self._limits, shown, log)
        finally:
            shutil.rmtree(home, ignore_errors=True)


def _environment() -> dict[str, str]:
    """This one's, as it holds in a working folder of its own."""
    places = {name: value for name in FOLDERS if (value := os.environ.get(name))}
    absolute = {name: str(Path(value).expanduser().absolute()) for name, value in places.items()}
    return {**os.environ, **absolute, STARTED_IN: str(Path.cwd())}


def _watched(stage: Stage, limits: Limits, shown: Shown, log: Log) -> dict[str, Any]:
    """The last message, once the process has said it or ended. Raises StageFailed."""
    timeout, memory = limits.timeout, limits.memory
    last: dict[str, Any] = {}
    while not last:
        ready = wait([*stage.open, stage.process.sentinel], timeout=LOOK_S)
        if stage.output in ready:
            log.read(stage.output)
        if stage.reports in ready:
            last = shown.read(stage.reports)
        if not last and stage.process.sentinel in ready:
            last = shown.read_all(stage.reports)
            log.read_all(stage.output)
            if not last:
                stage.process.join()
                raise _failed(_how_it_ended(stage.process.exitcode), log)
        if last:
            break
        if timeout is not None and shown.begun and time.monotonic() - shown.begun > timeout:
            raise _failed(f"stopped after {timeout:,g} s: the limit is `timeout`", log)
        if memory is not None and (used := resident_gb(stage.process.pid, memory)) > memory:
            stage.end()  # at once: the machine is about to run out of memory
            limit = f"the limit is `memory_limit`, {memory:.3g} GB"
            raise _failed(f"stopped at {used:.3g} GB of memory: {limit}", log)
    stage.process.join(END_S)
    log.read_all(stage.output)
    return last


def _how_it_ended(code: int | None) -> str:
    if code is None or code >= 0:
        return f"the plugin ended its process: exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = "unknown"
    memory = "; the system does so where memory runs out" if -code == signal.SIGKILL else ""
    return f"killed by signal {-code} ({name}){memory}"


def _failed(text: str, log: Log) -> StageFailed:
    return StageFailed(Failure(text, printable(f"{text}\n\nThe end of log.txt:\n{log.end()}\n")))


def _result(last: dict[str, Any], session: Session) -> dict[str, Any]:
    """What the job returned. Raises what it raised."""
    news = last["store"]
    session.store.take_in(news, news["built"], news["spared"])
    read_elsewhere({module: Reading(**reading) for module, reading in last["readings"].items()})
    if "skipped" in last:
        raise Skipped(last["skipped"])
    if "store_error" in last:
        error = StoreError(last["store_error"])
        error.folder, error.why = Path(last["folder"]) if last["folder"] else None, last["why"]
        raise error
    if "failed" in last:
        raise StageFailed(Failure(**last["failed"]))
    done: dict[str, Any] = last["done"]
    return done


def _stays(job: Job) -> str:
    """Why a job has to be done in the process of the run, "" where nothing is against another one."""
    if os.name != "posix":
        return "processes of their own need Linux or macOS"
    inner = [plugin for outer in job.plugins for _, plugin in within(outer)]
    for cls in map(type, [*job.plugins, *inner]):
        if cls.__module__ == "__main__":
            return "its class is defined in a notebook or script, not in a file that can be imported"
        if "<locals>" in cls.__qualname__:
            return "its class is defined inside a function"
    return ""
