"""The benchmark files that come with synthbench: what a name without a suffix means."""

from __future__ import annotations

from pathlib import Path

from synthbench.api.registry import did_you_mean
from synthbench.errors import ConfigError

__all__ = ["benchmark_path", "shipped", "shipped_path"]

FOLDERS = (Path(__file__).parent / "shipped", Path(__file__).parents[2] / "benchmarks")
"""Where they lie: in an installed package, and in a clone, whose `benchmarks/` the wheel packs as `shipped/`."""


def shipped() -> dict[str, Path]:
    """Every benchmark file that comes with synthbench, by name."""
    folder = FOLDERS[0] if FOLDERS[0].is_dir() else FOLDERS[1]
    return {file.stem: file for file in sorted(folder.glob("*.yaml"))}


def benchmark_path(written: Path | str) -> Path:
    """What an argument means: a path where it has a suffix or is a file, else the name of a shipped file.

    Raises ConfigError for an unknown name, with those that there are.
    """
    path = Path(written)
    return path if path.suffix or path.is_file() else shipped_path(str(written))


def shipped_path(name: str) -> Path:
    """The shipped file of that name. Raises ConfigError for an unknown one, with those that there are."""
    files = shipped()
    if name in files:
        return files[name]
    hint = did_you_mean(name, list(files))
    raise ConfigError(f"{name}: no such file, and no benchmark of that name comes with synthbench.{hint}")
