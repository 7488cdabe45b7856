"""`synthbench init`: a benchmark file that comes with synthbench, copied to be edited."""

from __future__ import annotations

from pathlib import Path

from synthbench.api.registry import did_you_mean
from synthbench.benchmark.shipped import shipped
from synthbench.errors import ConfigError

__all__ = ["init"]


def init(name: str, folder: Path | None = None) -> Path:
    """Copy the shipped benchmark `name` to `<name>.yaml` in `folder`, by default the current one; its path.

    Raises ConfigError where none is called so, or where such a file is there: nothing is overwritten.
    """
    files = shipped()
    if name not in files:
        raise ConfigError(f"no benchmark called {name!r} comes with synthbench.{did_you_mean(name, list(files))}")
    copy = (folder or Path()) / f"{name}.yaml"
    try:
        with copy.open("xb") as file:
            file.write(files[name].read_bytes())
    except FileExistsError as error:
        raise ConfigError(f"{copy} is there already and was not overwritten; move it, or edit it") from error
    return copy
