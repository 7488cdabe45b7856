"""A task of a cluster: trials that one process works off, on a machine that may know nothing but the plugins."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synthbench.commands.elsewhere.remote import Remote
from synthbench.commands.elsewhere.work import work
from synthbench.progress import Progress
from synthbench.storage.store import default_root
from synthbench.storage.upkeep import own_folder
from synthbench.version import __version__

__all__ = ["Task"]


@dataclass(frozen=True)
class Task:
    """Trials for one process: one of them, or the checkpoints of one training.

    file, out  where the benchmark file and the run's folder lie on the driver
    version    of the driver's synthbench
    """

    file: Path
    out: Path
    trials: tuple[str, ...]
    overrides: tuple[str, ...]
    device: str
    in_process: bool
    version: str

    @classmethod
    def of(cls, remote: Remote, device: str, trials: Sequence[str]) -> Task:
        """Trials of a run by name, on this kind of device."""
        options = tuple(remote.overrides), device, remote.in_process, __version__
        return cls(remote.file.absolute(), remote.out, tuple(trials), *options)

    def work(self, files: Mapping[str, bytes], say: Callable[[str], None]) -> dict[str, Any]:
        """On a node: the packed entries; or why nothing could be worked off.

        files  the benchmark's by name, with what lies beside it
        say    tells the driver
        """
        node = platform.node()
        if self.version != __version__:
            return {"node": node, "error": f"it has synthbench {__version__}, the driver {self.version}"}
        say(f"{', '.join(self.trials)}: begun on {node}")
        with own_folder(default_root()) as folder:
            out = folder / "out"
            try:
                work(
                    self._file(files, folder),
                    trials=self.trials,
                    pack_into=folder / "packed",
                    out=out,
                    overrides=self.overrides,
                    device=self.device,
                    in_process=self.in_process,
                    progress=_Told(lambda text: say(text.replace(str(out), str(self.out)))),
                )
            except Exception as error:  # the driver may lack the class of another package's exception
                return {"node": node, "error": f"{type(error).__name__}: {error}"}
            (packed,) = (folder / "packed").glob("*.tar")
            return {"packed": packed.read_bytes()}

    def _file(self, files: Mapping[str, bytes], folder: Path) -> Path:
        """The benchmark file: at its own place where all lies there as at the driver's, else in `folder`."""
        there = [self.file.with_name(name) for name in files]
        if all(path.is_file() and path.read_bytes() == files[path.name] for path in there):
            return self.file
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return folder / self.file.name


class _Told(Progress):
    """Passes on what is said: a node has no terminal."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__(enabled=False)
        self._tell = tell

    def say(self, text: str) -> None:
        """As there."""
        self._tell(text)
