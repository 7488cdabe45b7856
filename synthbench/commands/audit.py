"""`synthbench audit`: leaks between the parts of a benchmark's data; nothing is run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from synthbench.api.registry import load_registry
from synthbench.benchmark.config import BenchmarkSource, load_benchmark
from synthbench.data.audit import Audit, cached_audit, write_audit
from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.runner.load_data import load_splits
from synthbench.runner.session import Session
from synthbench.runner.worker import workers_of
from synthbench.storage.disk import make_folder
from synthbench.storage.layout import File, Table
from synthbench.storage.store import Store, default_root
from synthbench.storage.upkeep import running

__all__ = ["Audited", "audit"]


class Audited(NamedTuple):
    """The benchmark's name, what was found, the file that lists every pair, and the share that may be known."""

    name: str
    audit: Audit
    file: Path
    max_leak: float

    @property
    def leaking(self) -> dict[str, float]:
        """The test sets of which training knows more than `max_leak`, and how much, 0-1."""
        tests = {
            name: len(ids) for name, ids in self.audit.ids.items() if name not in ("train", "val") and len(ids)
        }
        shares = {name: self.audit.counts(name)["leaked"] / images for name, images in tests.items()}
        return {name: share for name, share in shares.items() if share > self.max_leak}


def audit(
    file: BenchmarkSource,
    *,
    out: Path | None = None,
    overrides: Sequence[str] = (),
    progress: Progress | None = None,
) -> Audited:
    """Look for images that two parts share; every pair goes to audit.csv in `out`, else in runs/<its name>-audit.

    Raises SynthbenchError for whatever its user can mend, a folder that holds a run among it: its table would go.
    """
    bench = load_benchmark(file, load_registry(), overrides)
    out = out or Path("runs") / f"{bench.name}-audit"
    if (out / File.RECORD).exists():
        raise ConfigError(f"{out} holds a run, whose {Table.AUDIT.file} would be lost; give another --out")
    progress = progress or Progress()
    store = Store(default_root(), say=progress.say)
    scratch = make_folder(out) / "data"
    with running(store), workers_of(bench, store.root) as isolation:
        splits = load_splits(bench, Session(store, "cpu", progress, scratch, isolation))
        leaks = cached_audit(splits, store, progress)
    return Audited(bench.name, leaks, write_audit(leaks, out), bench.max_leak)
