"""`synthbench fetch`, and what a run sees to before it starts: every published file is there and the right one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from synthbench.api.extractors import extractors_of
from synthbench.api.interfaces import Plugin
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.errors import DataError
from synthbench.progress import Progress
from synthbench.runner.load_data import load_splits
from synthbench.runner.session import Session
from synthbench.storage.weights import WeightFile, provide

__all__ = ["Fetched", "fetch", "fetch_files", "files_of", "with_files"]


def files_of(bench: Benchmark) -> list[WeightFile]:
    """The published files that its plugins and their extractors need, each once.

    Raises ConfigError for a model that is not known, PluginError for an extra that is not installed.
    """
    return list(dict.fromkeys(file for plugin in _plugins(bench) for file in plugin.files()))


def fetch_files(bench: Benchmark, progress: Progress) -> dict[WeightFile, str]:
    """Get what is missing, unless offline; each file with its SHA-256. Raises DataError with all that is amiss."""
    files = files_of(bench)
    digests = provide(files, progress)
    for plugin in _plugins(bench):
        plugin.inputs()  # reads the files that the options name
    return dict(zip(files, digests, strict=True))


def with_files(bench: Benchmark, progress: Progress) -> Benchmark:
    """The benchmark with all files at hand, without optional evaluators whose files are not to be had.

    Gets what is missing, unless offline. Raises DataError with all that is amiss of what is not optional.
    """
    left_out: dict[str, str] = {}
    for entry in (entry for entry in bench.evaluators if entry.optional):
        try:
            provide(dict.fromkeys(file for plugin in _with_extractors(entry) for file in plugin.files()), progress)
        except DataError as error:
            left_out[entry.label] = str(error)
            progress.say(f"{entry.label} is left out: {error}")
    kept = tuple(entry for entry in bench.evaluators if entry.label not in left_out)
    bench = replace(bench, evaluators=kept, left_out=left_out)
    fetch_files(bench, progress)
    return bench


class Fetched(NamedTuple):
    """The published files with their SHA-256, and the number of images by part of the data."""

    files: Mapping[WeightFile, str]
    images: Mapping[str, int]


def fetch(bench: Benchmark, session: Session) -> Fetched:
    """Weights into the weights folder, data sets to where their plugins keep them."""
    files = fetch_files(bench, session.progress)
    splits = load_splits(bench, session)
    return Fetched(files, {"train": len(splits.train), **{name: len(part) for name, part in splits.tests.items()}})


def _plugins(bench: Benchmark) -> Iterator[Plugin]:
    """All of a benchmark's, their extractors among them."""
    entries: list[Any] = [bench.dataset, *bench.external, *bench.generators, *bench.evaluators]
    for entry in entries:
        yield from _with_extractors(entry)


def _with_extractors(entry: Entry[Any]) -> Iterator[Plugin]:
    yield entry.plugin
    yield from extractors_of(entry.plugin).values()
