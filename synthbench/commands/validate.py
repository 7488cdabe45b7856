"""`synthbench validate` and `run --dry-run`: a benchmark file checked, and its plan."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark, requiring
from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial, make_plan
from synthbench.benchmark.preflight import check_data, check_pickling, files_of

__all__ = ["Planned", "validate"]


class Planned(NamedTuple):
    """A checked benchmark and its trials, in their order."""

    bench: Benchmark
    plan: Sequence[Trial]


def validate(
    file: BenchmarkSource,
    *,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
    require: Sequence[str] = (),
    offline: bool = False,
) -> Planned:
    """Check a benchmark file, and what `run` would be told beside it, and plan it; nothing is run.

    `offline`: its files have to be here already.

    Raises SynthbenchError with all that is wrong.
    """
    bench = requiring(load_benchmark(file, load_registry(), overrides), require)
    plan = make_plan(bench, only)
    check_data(bench)
    check_pickling(bench)
    files_of(bench)
    if offline:
        from synthbench.progress import Progress  # beside what loads data, which a check need not wait for
        from synthbench.runner.fetch import with_files

        bench = with_files(bench, Progress())
    return Planned(bench, plan)
