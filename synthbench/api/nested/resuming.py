"""What a killed training left in `ctx.resume`: its checkpoints, damaged ones as well, and what it had cost."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from synthbench.api.interfaces import Context, Generator, Sampler
from synthbench.errors import Skipped, StoreError
from synthbench.storage.store import write_atomic
from synthbench.types import Images

__all__ = ["earlier_cost", "fit_resuming", "fitted", "length_of", "note_cost"]

LEDGER = "cost-{}.json"
"""By the length of the training, 0 where it has none: what a longer one has cost is not the shorter one's."""

State = Mapping[str, tuple[int, int]]


def fit_resuming(plugin: Generator, train: Images, ctx: Context) -> Sampler:
    """`plugin.fit`; once more from the start where it fails on what an earlier process left.

    That is: there were checkpoints, and it failed before it wrote one of its own. Whatever it makes of damaged
    files, the row is no worse off than without them.
    """
    before = _state(ctx.resume)
    try:
        return fitted(plugin, train, ctx)
    except (Skipped, StoreError):
        raise
    except Exception as error:
        if not before or _state(ctx.resume) != before:
            raise
        ctx.progress.say(
            f"{plugin.name}: its checkpoints in {ctx.resume} cannot be gone on from "
            f"({type(error).__name__}: {error}); it begins anew"
        )
        ctx.log.warning("begun anew after %s: %s", type(error).__name__, error)
    for path in ctx.resume.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    return fitted(plugin, train, ctx)


def fitted(plugin: Generator, train: Images, ctx: Context) -> Sampler:
    """What `fit` returns. Raises TypeError where that draws nothing: a `return` that was forgotten, say."""
    sampler: object = plugin.fit(train, ctx)
    if not callable(sampler):
        kind = type(sampler).__name__
        raise TypeError(f"fit of {plugin.name} returned {kind}, not a sampler: what is called with labels and rng")
    return sampler


def _state(folder: Path) -> State:
    """Size and time of each file below a folder, the ledger apart."""
    files = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (about.st_size, about.st_mtime_ns) for name, about in files.items() if not _is_ledger(name)}


def length_of(plugin: Generator) -> int:
    """Of its training, in whatever its `duration` counts; 0 where it has none."""
    length: int = getattr(plugin, plugin.duration) if plugin.duration else 0
    return length


def earlier_cost(resume: Path, length: int = 0) -> Mapping[str, float | None]:
    """What the parts before a kill, or shorter trainings, had cost; nothing where that cannot be read."""
    lengths = [known for path in resume.glob(LEDGER.format("*")) if (known := _length(path.name)) <= length]
    try:
        cost = json.loads((resume / LEDGER.format(max(lengths))).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    numbers = isinstance(cost, dict) and all(isinstance(part, int | float | None) for part in cost.values())
    return cost if numbers else {}


def note_cost(resume: Path, cost: Mapping[str, float | None], length: int = 0) -> None:
    """Beside the checkpoints, where there are any."""
    if any(resume.iterdir()):
        write_atomic(resume / LEDGER.format(length), json.dumps(dict(cost)))


def _is_ledger(name: str) -> bool:
    return name.startswith("cost-") and name.endswith(".json")


def _length(name: str) -> int:
    """From a ledger's name, whoever wrote it."""
    digits = name.removeprefix("cost-").removesuffix(".json")
    return int(digits) if digits.isdecimal() else 0
