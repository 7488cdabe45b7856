"""What `synthbench fetch` and a run see to before all else: every published file is there and the right one."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

from synthbench.api.nested.keys import within
from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.preflight import files_of, plugins_of
from synthbench.errors import DataError, HookError
from synthbench.progress import Progress
from synthbench.storage.weights import WeightFile, provide

__all__ = ["fetch_files", "with_files"]


def fetch_files(bench: Benchmark, progress: Progress) -> dict[WeightFile, str]:
    """Get what is missing, unless offline; each file with its SHA-256. Raises DataError with all that is amiss."""
    files = files_of(bench)
    digests = provide(files, progress)
    for plugin in plugins_of(bench):
        with suppress(HookError):  # its own row fails with that; what is wrong with a file ends the run here
            ask(plugin, "inputs", to=dict)  # reads the files that the options name
    return dict(zip(files, digests, strict=True))


def with_files(bench: Benchmark, progress: Progress) -> Benchmark:
    """The benchmark with all files at hand, without optional evaluators whose files are not to be had.

    Gets what is missing, unless offline. Raises DataError with all that is amiss of what is not optional.
    """
    left_out: dict[str, str] = {}
    for entry in (entry for entry in bench.evaluators if entry.optional):
        try:
            plugins = (entry.plugin, *(plugin for _, plugin in within(entry.plugin)))
            provide(dict.fromkeys(file for plugin in plugins for file in ask(plugin, "files", to=tuple)), progress)
        except DataError as error:
            left_out[entry.label] = str(error)
            progress.say(f"{entry.label} is left out: {error}")
    kept = tuple(entry for entry in bench.evaluators if entry.label not in left_out)
    bench = replace(bench, evaluators=kept, left_out=left_out)
    fetch_files(bench, progress)
    return bench
