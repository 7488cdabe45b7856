"""`sb.run`, `sb.score`, `sb.check`, `sb.audit`, `sb.export_train`: the commands, called from Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Plugin
from synthbench.api.origin import TrainedOn
from synthbench.benchmark.config import BenchmarkSource
from synthbench.commands.audit import audit as audit_benchmark
from synthbench.commands.check import check as check_plugin
from synthbench.commands.export_train import export_train as export
from synthbench.commands.run import run as run_benchmark
from synthbench.commands.score import score as score_folders
from synthbench.errors import ConfigError
from synthbench.python.asked import Place, as_count, as_overrides, as_path, as_paths, as_texts
from synthbench.python.findings import Checked, Leaks
from synthbench.python.run import Run

__all__ = ["audit", "check", "export_train", "run", "score"]


def run(
    benchmark: BenchmarkSource,
    *,
    out: Place | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] | Mapping[str, Any] = (),
    require: Sequence[str] = (),
    device: str = "auto",
    fresh: bool = False,
) -> Run:
    """Run a benchmark, as `synthbench run` does; what is in the store is not computed again.

    benchmark  a file, the name of one that comes with synthbench, or a mapping with the keys of a file. Where that
               names a plugin, a class or an instance may stand: `{"use": MyGenerator, "spread": 3}`,
               `MyGenerator(spread=3)`
    out        folder for the results, by default runs/<its name>
    only       labels of generators; all where it is empty
    overrides  ["generators.0.steps=50"], as after `--set`, or {"generators.0.steps": 50}
    require    what every candidate must reach: "tstr.auroc>=.8", "copying=no"; see `Run.missed`
    device     "auto", "cpu", "cuda" or "cuda:N"
    fresh      compute everything again

    A trial that fails ends itself alone: see `Run.failed`. Raises SynthbenchError for whatever its user can mend.
    """
    result = run_benchmark(
        _benchmark(benchmark),
        out=_path(out, "out"),
        only=as_texts(only, "only"),
        overrides=as_overrides(overrides),
        require=as_texts(require, "require"),
        device=device,
        fresh=fresh,
    )
    return Run(result.out)


def score(
    real: Place,
    synthetic: Place | Sequence[Place],
    *,
    out: Place = "score",
    test: Place | None = None,
    trained_on: TrainedOn = "unknown",
    groups: str | None = None,
    positive: str | None = None,
    judge: str = "cnn",
    size: int = 64,
    channels: int = 1,
    samples: int = 1000,
    require: Sequence[str] = (),
    device: str = "auto",
) -> Run:
    """Score folders of synthetic images against real ones, as `synthbench score` does, without a benchmark file.

    The options are those of the command; `synthetic` is one folder or several. Board, report and benchmark.yaml,
    the file that says the same, go to `out`. Raises SynthbenchError for whatever its user can mend.
    """
    result = score_folders(
        as_path(real, "real"),
        as_paths(synthetic, "synthetic"),
        out=as_path(out, "out"),
        test=_path(test, "test"),
        trained_on=trained_on,
        groups=groups,
        positive=positive,
        judge=judge,
        size=as_count(size, "size"),
        channels=as_count(channels, "channels"),
        samples=as_count(samples, "samples"),
        require=as_texts(require, "require"),
        device=device,
    )
    return Run(result.out)


def check(
    plugin: str | Plugin | type[Plugin],
    options: Mapping[str, Any] | None = None,
    *,
    dataset: BenchmarkSource | None = None,
    device: str = "cpu",
) -> Checked:
    """The conformance suite on a plugin: a name, "file.py:Class", a class with its `options`, or an instance.

    With `dataset`, a benchmark or the name of a data set plugin, it is tried on a few images of that one.
    Raises SynthbenchError where there is no such plugin or an option is wrong.
    """
    if not isinstance(plugin, str | Plugin) and not (isinstance(plugin, type) and issubclass(plugin, Plugin)):
        raise ConfigError(f'plugin: expected a name, "file.py:Class", a class or an instance, found {plugin!r}')
    name = plugin if isinstance(plugin, str) else plugin.name
    return Checked(name, tuple(check_plugin(plugin, options=options, dataset=dataset, device=device)))


def audit(
    benchmark: BenchmarkSource, *, out: Place | None = None, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> Leaks:
    """Look for test images that training knows, as `synthbench audit` does; `benchmark` as in `run`.

    Every pair goes to audit.csv in `out`, by default runs/<its name>-audit. Raises SynthbenchError for what
    its user can mend.
    """
    audited = audit_benchmark(_benchmark(benchmark), out=_path(out, "out"), overrides=as_overrides(overrides))
    return Leaks(audited)


def export_train(
    benchmark: BenchmarkSource, folder: Place, *, overrides: Sequence[str] | Mapping[str, Any] = ()
) -> Path:
    """Write what the benchmark trains on into an empty folder, as `synthbench export-train` does; the folder.

    Class folders of PNG files and labels.csv (path, label, patient, source), without hold-out and test images.
    Raises SynthbenchError for whatever its user can mend.
    """
    return export(_benchmark(benchmark), as_path(folder, "folder"), overrides=as_overrides(overrides)).folder


def _path(place: Place | None, name: str) -> Path | None:
    return None if place is None else as_path(place, name)


def _benchmark(benchmark: BenchmarkSource) -> BenchmarkSource:
    if not isinstance(benchmark, str | Path | Mapping):
        raise ConfigError(f"benchmark: expected a file, a name or a mapping, found {benchmark!r}")
    return benchmark
