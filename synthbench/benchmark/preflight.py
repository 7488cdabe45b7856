"""What can be known of a benchmark's plugins before any work, and takes more than reading their options."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthbench.api.image_dataset import ImageDataset
from synthbench.api.interfaces import Plugin
from synthbench.api.nested.keys import within
from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.errors import ConfigError, DataError
from synthbench.storage.weights import WeightFile

__all__ = ["check_data", "check_pickling", "check_shapes", "entries_of", "files_of", "plugins_of"]


def entries_of(bench: Benchmark) -> list[Entry[Any]]:
    """Data sets, generators and evaluators."""
    return [bench.dataset, *bench.external, *bench.generators, *bench.evaluators]


def plugins_of(bench: Benchmark) -> Iterator[Plugin]:
    """All of a benchmark's, those within their options among them."""
    for entry in entries_of(bench):
        yield entry.plugin
        yield from (plugin for _, plugin in within(entry.plugin))


def files_of(bench: Benchmark) -> list[WeightFile]:
    """The published files that its plugins and their extractors need, each once.

    Raises ConfigError for a model that is not known, PluginError for an extra that is not installed or a hook that
    fails.
    """
    return list(dict.fromkeys(file for plugin in plugins_of(bench) for file in ask(plugin, "files", to=tuple)))


def check_data(bench: Benchmark) -> None:
    """Raise ConfigError or DataError for a file or folder that a data set's options name and that is not there,
    DataError for an image size that a plugin does not take."""
    for entry in (bench.dataset, *bench.external):
        for name in type(entry.plugin).model_fields:
            place = getattr(entry.plugin, name)
            if isinstance(place, Path) and not place.expanduser().exists():
                raise ConfigError(
                    f"dataset {entry.label}: {name} is {place}, and nothing is there; correct {name}"
                )
        ask(entry.plugin, "check_files")
    if isinstance(images := bench.dataset.plugin, ImageDataset):
        check_shapes(bench, (images.image_size, images.image_size, images.channels))


def check_shapes(bench: Benchmark, shape: tuple[int, int, int]) -> None:
    """Raise DataError with all who take no images of this shape: a judge would say so when all is trained."""
    faults = []
    entries: list[Entry[Any]] = [*bench.generators, *bench.evaluators]
    for entry in entries:
        for plugin in (entry.plugin, *(plugin for _, plugin in within(entry.plugin))):
            try:
                ask(plugin, "check_shape", shape)
            except DataError as fault:
                faults.append(f"{entry.label}: {fault}")
    if faults:
        raise DataError("\n".join(dict.fromkeys(faults)))


def check_pickling(bench: Benchmark) -> None:
    """Raise ConfigError for a plugin that cannot go to another process and come back the same."""
    for entry in entries_of(bench):
        try:
            copy = pickle.loads(pickle.dumps(entry.plugin))
        except Exception as error:  # pickle passes on whatever a class's own methods raise
            raise ConfigError(
                f"{entry.label}: its class cannot be pickled ({type(error).__name__}: {error}); define it at the "
                "top level of a module"
            ) from error
        if copy != entry.plugin:
            raise ConfigError(f"{entry.label}: its copy by pickle differs; keep all settings in pydantic fields")
