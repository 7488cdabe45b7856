"""A few images of a user's data set, to try a plugin on."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthbench.api.interfaces import Dataset
from synthbench.api.registry import Registry
from synthbench.benchmark.config import BenchmarkSource, build_plugin, load_benchmark
from synthbench.benchmark.definition import Entry
from synthbench.errors import DataError
from synthbench.progress import Progress
from synthbench.runner.load_data import load_data_set
from synthbench.runner.session import Session
from synthbench.storage.store import Store, default_root
from synthbench.types import Images, Splits

__all__ = ["few_images"]

TRAIN, TEST = 60, 24
"""Images of each class at most: a generator is fitted four times."""


def few_images(source: BenchmarkSource, registry: Registry) -> Splits:
    """`train` and `test` of a benchmark's data set, or of the data set plugin of that name with its defaults.

    At most TRAIN and TEST images of each class, patient by patient in a random order, always the same. Raises
    SynthbenchError where there is no such data set or it has no training or test images.
    """
    entry = _entry(source, registry)
    with tempfile.TemporaryDirectory(prefix="synthbench-check-") as scratch:
        splits = load_data_set(entry, Session(Store(default_root()), "cpu", Progress(), Path(scratch)))
        if not len(splits.train) or "test" not in splits.tests:
            raise DataError(
                f"dataset {entry.label}: a plugin is tried on training images and a test set; it has none"
            )
        return _few(splits)


def _entry(source: BenchmarkSource, registry: Registry) -> Entry[Dataset]:
    cls = registry.names("dataset").get(str(source))
    if cls is None:
        return load_benchmark(source, registry).dataset
    plugin = build_plugin(cls)
    assert isinstance(plugin, Dataset)  # of that kind in the registry
    return Entry.of(str(source), str(source), plugin)


def _few(splits: Splits) -> Splits:
    train, test = _of_each_class(splits.train, TRAIN), _of_each_class(splits.tests["test"], TEST)
    geometry = {
        name: splits.geometry[name].subset(index)
        for name, index in (("train", train), ("test", test))
        if name in splits.geometry
    }
    return replace(
        splits,
        train=splits.train.subset(train),
        tests={"test": splits.tests["test"].subset(test)},
        val=None,
        geometry=geometry,
        attributes={},
    )


def _of_each_class(images: Images, most: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Places of `most` images of each class, those of one patient behind each other."""
    _, patients = np.unique(images.groups, return_inverse=True)
    place = np.random.default_rng(0).permutation(patients.max() + 1)[patients]
    order = np.argsort(place, kind="stable")
    return np.sort(np.concatenate([order[images.labels[order] == k][:most] for k in range(len(images.classes))]))
