"""`synthbench audit`: leaks between the parts of a benchmark's data; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import load_benchmark
from synthbench.data.audit import Audit, cached_audit, write_audit
from synthbench.progress import Progress
from synthbench.runner.load_data import load_splits
from synthbench.runner.session import Session
from synthbench.storage.store import Store, default_root

__all__ = ["Audited", "audit"]


class Audited(NamedTuple):
    """The benchmark's name, what was found, and the file that lists every pair."""

    name: str
    audit: Audit
    file: Path


def audit(
    file: Path, *, out: Path | None = None, overrides: Sequence[str] = (), progress: Progress | None = None
) -> Audited:
    """Look for images that two parts share; every pair goes to audit.csv in `out`, by default runs/<its name>."""
    bench = load_benchmark(file, load_registry(), overrides)
    out = out or Path("runs") / bench.name
    session = Session(Store(default_root()), "cpu", progress or Progress(), out / "data")
    leaks = cached_audit(load_splits(bench, session), session.store, session.progress)
    return Audited(bench.name, leaks, write_audit(leaks, out))
