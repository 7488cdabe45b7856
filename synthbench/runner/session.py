"""What all stages of a run share: the store and its keys, the device, and each piece of work's surroundings."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from synthbench.api.features import StoredFeatures
from synthbench.api.interfaces import Context, Plugin
from synthbench.api.nested.keys import work_key
from synthbench.api.process_state import restored
from synthbench.benchmark.definition import Entry
from synthbench.errors import PluginError
from synthbench.progress import Progress
from synthbench.storage.store import Store

__all__ = ["Isolation", "Job", "Session"]

LOG_BYTES = 10_000_000
"""At most so much of what a plugin logs is kept, and as much of what it prints: it may do so in a loop."""


class Job(Protocol):
    """A piece of work, as data that can be sent to another process: it fills an entry's folder."""

    @property
    def plugins(self) -> Sequence[Plugin]:
        """Whose code it runs."""

    def __call__(self, session: Session, folder: Path, /) -> dict[str, Any]:
        """Do it; returns meta data of the entry. Raises whatever a plugin raises."""


class Isolation(Protocol):
    """Runs jobs in processes of their own (`runner.worker.Workers`)."""

    def perform(self, job: Job, session: Session, folder: Path) -> dict[str, Any] | None:
        """What the job returns; None where it cannot be sent and has to be done here."""

    def room(self) -> Path:
        """A folder for what jobs hand over to the run; it goes with the run."""


@dataclass(frozen=True)
class Session:
    """What all stages share. Without `isolation` all work is done in this process."""

    store: Store
    device: str
    progress: Progress
    scratch: Path
    isolation: Isolation | None = None

    def key(self, entry: Entry[Any], **inputs: Any) -> dict[str, Any]:
        """Everything that goes into a piece of work: configuration, code, device type, extractors and inputs."""
        return work_key(entry.plugin, entry.use, self.device, **inputs)

    def perform(self, job: Job, folder: Path, failed: Path) -> dict[str, Any]:
        """What the job returns, done in a process of its own where there is isolation and it can be sent.

        folder  of the entry that it fills; where it fails, the files there are copied to `failed`
        """
        try:
            done = self.isolation.perform(job, self, folder) if self.isolation else None
            if done is None:
                with restored():
                    done = job(self, folder)
        except BaseException:
            if (folder / "files").is_dir():
                shutil.copytree(folder / "files", failed, dirs_exist_ok=True)
            raise
        return done

    @contextmanager
    def context(
        self,
        kind: str,
        key: Mapping[str, Any],
        seed: int,
        workdir: Path,
        **of_generator: Any,
    ) -> Iterator[Context]:
        """A context that logs to `workdir/log.txt`.

        of_generator  what of `Context` a generator alone is told

        Raises PluginError where that folder is gone at the end: an entry without it is damaged from the start.
        """
        workdir = workdir.absolute()  # wherever the work goes in the meantime
        workdir.mkdir(parents=True, exist_ok=True)
        log = logging.getLogger(f"synthbench.{workdir.parent.name}")
        log.setLevel(logging.INFO)
        log.propagate = False  # what plugins log belongs to the trial, not on the terminal
        handler = _LogFile(workdir / "log.txt", encoding="utf-8", errors="backslashreplace")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        try:
            with self.store.resume_folder(kind, key) as resume:
                features = StoredFeatures(self.device, self.store, self.progress, log)
                surroundings = (self.device, workdir, resume, self.store, features, self.progress, log)
                yield Context(seed, *surroundings, **of_generator)
            if not workdir.is_dir():
                raise PluginError("it removed its working folder, ctx.workdir, where its results belong")
        finally:
            log.removeHandler(handler)
            handler.close()


class _LogFile(logging.FileHandler):
    """A trial's log. It stops at LOG_BYTES, with a line that says so.

    On a full disk the work ends, as it would at its next file; logging by itself prints a traceback.
    """

    _full = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Called where a line could not be written."""
        if isinstance(error := sys.exception(), OSError):
            raise error
        super().handleError(record)

    def emit(self, record: logging.LogRecord) -> None:
        if self._full:
            return
        if self.stream and self.stream.tell() > LOG_BYTES:
            self._full = True
            record = logging.makeLogRecord(
                {"msg": f"this log ends here, at {LOG_BYTES:,} bytes", "levelname": "INFO"}
            )
        super().emit(record)
