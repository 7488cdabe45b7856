"""`synthbench export-train`: what a benchmark trains on, for tools outside."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark
from synthbench.data.class_folders import write_class_folders
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.runner.load_data import audited_splits
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running
from synthbench.types import Splits

__all__ = ["Exported", "export_train"]


class Exported(NamedTuple):
    """What was written where: images by class, their patients; and how many images of other parts were not."""

    folder: Path
    counts: dict[str, int]
    patients: int
    left_out: dict[str, int]


def export_train(
    file: BenchmarkSource, folder: Path, *, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Exported:
    """Write the benchmark's training part, at its size, into `folder`, which has to be empty or not there.

    It is what `fit` gets in a run: without the hold-out and without the test sets. Class folders of PNG files and
    labels.csv, see `write_class_folders`. Raises ConfigError where there is something in `folder`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not empty; nothing was written: give a new folder, or empty this one")
    bench = load_benchmark(file, load_registry(), overrides)
    store = Store(default_root())
    with (
        tempfile.TemporaryDirectory(prefix="synthbench-export-") as scratch,
        running(store),
        workers_of(bench, store.root) as isolation,
    ):
        session = Session(store, "cpu", progress or Progress(), Path(scratch), isolation)
        splits, _ = audited_splits(bench, session)
        write_class_folders(splits.train, folder)
    return Exported(folder, splits.train.counts(), len(np.unique(splits.train.groups)), _left_out(splits))


def _left_out(splits: Splits) -> dict[str, int]:
    return {name: len(images) for name, images in splits.parts.items() if name not in ("train", "val")}
