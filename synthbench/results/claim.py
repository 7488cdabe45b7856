"""One run at a time writes into a folder, and no benchmark over the results of another one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from synthbench.errors import ConfigError, DataError
from synthbench.results.folder import dig, load_record
from synthbench.storage.disk import disk_errors
from synthbench.storage.layout import LOCK, File
from synthbench.storage.locks import try_hold

__all__ = ["claim"]


@contextmanager
def claim(out: Path, name: str) -> Iterator[None]:
    """Within the block `out` is this run's, of the benchmark `name`; it is made where it is missing.

    Raises ConfigError where another run writes there, or where another benchmark's results lie there; StoreError
    where it cannot be made, or is full.
    """
    with disk_errors(out, "give another --out"):
        made = [folder for folder in (out, *out.parents) if not folder.exists()]
        out.mkdir(parents=True, exist_ok=True)
        with try_hold(out / LOCK) as held:
            if not held:
                raise ConfigError(f"{out}: another run writes there; wait for its end, or give another --out")
            _check_name(out, name)
            try:
                yield
            finally:
                if made and [path.name for path in out.iterdir()] == [LOCK]:  # nothing came of it
                    with contextlib.suppress(OSError):  # Windows removes no open file
                        (out / LOCK).unlink()
                        for folder in made:
                            folder.rmdir()


def _check_name(out: Path, name: str) -> None:
    if not (out / File.RECORD).exists():
        return
    try:
        there = dig(load_record(out), "benchmark", "name", default=name)
    except DataError:  # damaged: nobody's any more, and written anew
        return
    if there != name:
        raise ConfigError(
            f"{out} holds the results of the benchmark {there!r}, this one is {name!r}; give another --out, or "
            "remove that folder"
        )
