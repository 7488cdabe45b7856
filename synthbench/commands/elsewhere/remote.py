"""What other processes have to know of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from synthbench.benchmark.config import BenchmarkSource
from synthbench.benchmark.shipped import benchmark_path
from synthbench.errors import ConfigError

__all__ = ["Remote"]


@dataclass(frozen=True)
class Remote:
    """The benchmark and the options of a run whose trials others work off."""

    source: BenchmarkSource
    out: Path
    overrides: Sequence[str]
    device: str
    in_process: bool

    @property
    def file(self) -> Path:
        """The benchmark file. Raises ConfigError where it is a mapping."""
        if isinstance(self.source, Mapping):
            raise ConfigError("other processes need a benchmark file, not a mapping")
        return benchmark_path(Path(self.source))
