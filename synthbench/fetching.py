"""`synthbench fetch`, and what a run sees to before it starts: every published file is there and the right one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synthbench.config import Benchmark
from synthbench.features import extractors_of
from synthbench.interfaces import Plugin
from synthbench.loading import load_splits
from synthbench.progress import Progress
from synthbench.weights import WeightFile, provide
from synthbench.workshop import Workshop

__all__ = ["fetch", "files_of", "prepare"]


def files_of(bench: Benchmark) -> list[WeightFile]:
    """The published files that its plugins and their extractors need, each once.

    Raises ConfigError for a model that is not known, PluginError for an extra that is not installed.
    """
    return list(dict.fromkeys(file for plugin in _plugins(bench) for file in plugin.files()))


def prepare(bench: Benchmark, progress: Progress) -> dict[WeightFile, str]:
    """Get what is missing, unless offline; each file with its SHA-256. Raises DataError with all that is amiss."""
    files = files_of(bench)
    digests = provide(files, progress)
    for plugin in _plugins(bench):
        plugin.inputs()  # reads the files that the options name
    return dict(zip(files, digests, strict=True))


def fetch(bench: Benchmark, shop: Workshop) -> None:
    """Weights into the weights folder, data sets to where their plugins keep them; says what there is."""
    for file, digest in prepare(bench, shop.progress).items():
        pin = "" if file.sha256 else "; no digest is published: pin this one with `sha256:`"
        print(f"{file.path}: SHA-256 {digest}{pin}")
    splits = load_splits(bench, shop)
    counts = {"train": len(splits.train), **{name: len(images) for name, images in splits.tests.items()}}
    print(f"data: {', '.join(f'{name} {n}' for name, n in counts.items())} images")


def _plugins(bench: Benchmark) -> Iterator[Plugin]:
    """All of a benchmark's, their extractors among them."""
    entries: list[Any] = [bench.dataset, *bench.external, *bench.generators, *bench.evaluators]
    for entry in entries:
        yield entry.plugin
        yield from extractors_of(entry.plugin).values()
