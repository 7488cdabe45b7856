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
from synthbench.python.findings import Checked, Leaks
from synthbench.python.run import Run

__all__ = ["audit", "check", "export_train", "run", "score"]

Place = Path | str


def run(
    benchmark: BenchmarkSource,
    *,
    out: Place | None = None,
    only: Sequence[str] = (),
    overrides: Sequence[str] = (),
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
    overrides  "generators.0.steps=50", as after `--set`
    require    what every candidate must reach: "tstr.auroc>=.8", "copying=no"; see `Run.missed`
    device     "auto", "cpu", "cuda" or "cuda:N"
    fresh      compute everything again

    A trial that fails ends itself alone: see `Run.failed`. Raises SynthbenchError for whatever its user can mend.
    """
    result = run_benchmark(
        benchmark,
        out=_path(out),
        only=only,
        overrides=overrides,
        require=require,
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
    sets = [synthetic] if isinstance(synthetic, Path | str) else synthetic
    result = score_folders(
        Path(real),
        [Path(place) for place in sets],
        out=Path(out),
        test=_path(test),
        trained_on=trained_on,
        groups=groups,
        positive=positive,
        judge=judge,
        size=size,
        channels=channels,
        samples=samples,
        require=require,
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
    name = plugin if isinstance(plugin, str) else plugin.name
    return Checked(name, tuple(check_plugin(plugin, options=options, dataset=dataset, device=device)))


def audit(benchmark: BenchmarkSource, *, out: Place | None = None, overrides: Sequence[str] = ()) -> Leaks:
    """Look for test images that training knows, as `synthbench audit` does; `benchmark` as in `run`.

    Every pair goes to audit.csv in `out`, by default runs/<its name>-audit. Raises SynthbenchError for what
    its user can mend.
    """
    return Leaks(audit_benchmark(benchmark, out=_path(out), overrides=overrides))


def export_train(benchmark: BenchmarkSource, folder: Place, *, overrides: Sequence[str] = ()) -> Path:
    """Write what the benchmark trains on into an empty folder, as `synthbench export-train` does; the folder.

    Class folders of PNG files and labels.csv (path, label, patient, source), without hold-out and test images.
    Raises SynthbenchError for whatever its user can mend.
    """
    return export(benchmark, Path(folder), overrides=overrides).folder


def _path(place: Place | None) -> Path | None:
    return None if place is None else Path(place)
