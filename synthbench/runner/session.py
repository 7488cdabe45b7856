"""What all stages of a run share: the store and its keys, the device, and each piece of work's surroundings."""

from __future__ import annotations

import logging
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.api.extractors import extractors_of, identity
from synthbench.api.features import StoredFeatures
from synthbench.api.interfaces import Context
from synthbench.benchmark.definition import Entry
from synthbench.progress import Progress
from synthbench.storage.code_version import code_version
from synthbench.storage.store import Store
from synthbench.storage.versions import ENTRIES

__all__ = ["Session"]


class LogFile(logging.FileHandler):
    """A trial's log. On a full disk the work ends, as it would at its next file; logging prints a traceback."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Called where a line could not be written."""
        if isinstance(error := sys.exception(), OSError):
            raise error
        super().handleError(record)


@dataclass(frozen=True)
class Session:
    """What all stages share."""

    store: Store
    device: str
    progress: Progress
    scratch: Path

    def key(self, entry: Entry[Any], **inputs: Any) -> dict[str, Any]:
        """Everything that goes into a piece of work: configuration, code, device type, extractors and inputs."""
        extractors = {name: identity(extractor) for name, extractor in extractors_of(entry.plugin).items()}
        return {
            "schema": ENTRIES,
            "use": _identity(entry),
            "config": entry.plugin.model_dump(mode="json"),
            "inputs": dict(entry.plugin.inputs()),
            "code": code_version(type(entry.plugin).__module__),
            # The kind alone: cuda:0 and cuda:1 are alike, a CPU and a GPU add in another order.
            "device": self.device.partition(":")[0],
            **({"extractors": extractors} if extractors else {}),
            **inputs,
        }

    @contextmanager
    def context(
        self,
        kind: str,
        key: Mapping[str, Any],
        seed: int,
        workdir: Path,
        failed: Path | None = None,
        **of_generator: Any,
    ) -> Iterator[Context]:
        """A context that logs to `workdir/log.txt`; where the work fails, its files are copied to `failed`.

        of_generator  what of `Context` a generator alone is told
        """
        workdir.mkdir(parents=True, exist_ok=True)
        log = logging.getLogger(f"synthbench.{workdir.parent.name}")
        log.setLevel(logging.INFO)
        log.propagate = False  # what plugins log belongs to the trial, not on the terminal
        handler = LogFile(workdir / "log.txt", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        try:
            with self.store.resume_folder(kind, key) as resume:
                features = StoredFeatures(self.device, self.store, self.progress, log)
                surroundings = (self.device, workdir, resume, self.store, features, self.progress, log)
                yield Context(seed, *surroundings, **of_generator)
        except BaseException:
            if failed:
                shutil.copytree(workdir, failed, dirs_exist_ok=True)
            raise
        finally:
            log.removeHandler(handler)
            handler.close()


def _identity(entry: Entry[Any]) -> str:
    """A registered name is unique; classes named by their file may share one, by inheritance say."""
    cls = type(entry.plugin)
    return entry.plugin.name if entry.use == entry.plugin.name else f"{entry.plugin.name}:{cls.__qualname__}"
