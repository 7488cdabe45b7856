"""A benchmark file, read and checked: every plugin is built here, before any work starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from synthbench.api.extractors import Known
from synthbench.api.interfaces import Generator, Plugin
from synthbench.api.paths import Spot, absolute_options
from synthbench.api.registry import Kind, Registry, load_registry
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.extends import read_extended
from synthbench.benchmark.from_python import from_python
from synthbench.benchmark.matrix import at_checkpoints, expand
from synthbench.benchmark.real_sizes import with_size_curve
from synthbench.benchmark.requirement import parse_requirement
from synthbench.benchmark.shipped import benchmark_path
from synthbench.benchmark.strict_yaml import Written, apply_override
from synthbench.benchmark.validation import validated
from synthbench.benchmark.whole import check_whole, floors_and_ceilings
from synthbench.errors import ConfigError, PluginError

__all__ = ["BenchmarkFile", "BenchmarkSource", "build_plugin", "load_benchmark", "requiring"]

P = TypeVar("P", bound=Plugin)


class BenchmarkFile(BaseModel):
    """The keys of a benchmark file; what stands under the plugin entries is checked by the plugins."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="of the benchmark; results go to `runs/<name>`"
    )
    seed: int = Field(0, ge=0, description="all other seeds are hashed from it and from who asks")
    seeds: int = Field(
        1,
        ge=1,
        le=1000,
        description="trials of each generator, each under its own seed; of a quick one a trial a classifier",
    )
    samples: int = Field(
        3000,
        ge=2,
        description="images asked of each generator, classes balanced unless it asks for the training prior",
    )
    headline: str = Field(
        "tstr.auroc",
        description="`<evaluator label>.<metric>`: on the test set `test` it ranks the board",
    )
    judges: tuple[str, ...] = Field(
        (),
        description="labels of two or more `tstr` evaluators, whose ranks stand beside each other; a rank that "
        "depends on the judge says so; `headline: judges.<metric>` ranks by their mean",
    )
    real_sizes: tuple[int, ...] = Field(
        (),
        description="numbers of real images, e.g. `[100, 300, 1000]`: the headline's evaluator learns from so "
        "many of the balanced ceiling's as well, and the board says how many of them a candidate is worth",
    )
    ranking: Ranking = Field(Ranking(), description="how generators are compared, see below")
    max_leak: float = Field(
        0.01,
        ge=0,
        le=1,
        description="share of the images of `test` that training may know before nobody is ranked on it",
    )
    require: tuple[str, ...] = Field(
        (),
        description="what every candidate must reach, e.g. `[tstr.auroc>=.8, copying=no]`; where one does not, "
        "the run ends with exit code 3, board and report written",
    )
    holdout: float = Field(
        0.0,
        ge=0,
        le=0.5,
        description="share of the training images, cut off by patient, that nobody learns from: `memorisation` "
        "needs it to tell copying",
    )
    baselines: bool = Field(True, description="run every installed floor and ceiling beside the generators")
    timeout: float | None = Field(
        None, gt=0, description="seconds after which a stage, a `load` too, is stopped and fails; unset: none"
    )
    memory_limit: float | None = Field(
        None,
        gt=0,
        description="GB of memory, with all that it starts, above which a stage is stopped and its row fails; "
        "unset: 90 % of what the machine, container or batch job has",
    )
    dataset: dict[str, Any] = Field(description="the data set: training images, and the test set `test`")
    external: list[dict[str, Any]] = Field(
        [], description="further data sets, their test parts only: more columns"
    )
    generators: list[dict[str, Any]] = Field([], description="the generators to compare")
    evaluators: list[dict[str, Any]] = Field(min_length=1, description="what scores the synthetic images")


_PLAIN = (
    "name",
    "seed",
    "seeds",
    "samples",
    "judges",
    "real_sizes",
    "ranking",
    "max_leak",
    "holdout",
    "baselines",
)
_LIMITS = ("timeout", "memory_limit")


BenchmarkSource = Path | str | Mapping[str, Any]
"""A benchmark file, the name of a shipped one, or a mapping with the same keys."""


def load_benchmark(source: BenchmarkSource, registry: Registry, overrides: Sequence[str] = ()) -> Benchmark:
    """Read, override and check a benchmark: a file, the shipped one that a name means, or a mapping.

    Raises ConfigError with the YAML path of what is wrong.
    """
    if isinstance(source, Mapping):
        extended = from_python(source, registry)
    else:
        extended = read_extended(benchmark_path(source))
    content, where, path = extended.content, extended.name, extended.files[0]
    for override in overrides:
        apply_override(content, override)
    file = validated(BenchmarkFile, content, where, "")
    builder = _Builder(registry, where, path.parent)
    generators = builder.entries("generator", content.get("generators", []), "generators")
    if file.baselines:
        generators += _baselines(registry, {g.label for g in generators})
    bench = Benchmark(
        **{key: getattr(file, key) for key in (*_PLAIN, *_LIMITS)},
        headline=Headline.parse(file.headline),
        dataset=builder.entry("dataset", content["dataset"], "dataset"),
        external=builder.entries("dataset", content.get("external", []), "external"),
        generators=generators,
        evaluators=builder.entries("evaluator", content["evaluators"], "evaluators"),
    )
    check_whole(bench, where, registry)
    return requiring(with_size_curve(bench, where), file.require)


def requiring(bench: Benchmark, texts: Sequence[str]) -> Benchmark:
    """The benchmark with further requirements. Raises ConfigError for those that it cannot tell."""
    metrics = dict.fromkeys([*bench.metrics, str(bench.headline)])  # it may be the judges' mean
    return replace(bench, require=(*bench.require, *(parse_requirement(text, metrics) for text in texts)))


def build_plugin(cls: type[P], overrides: Sequence[str] = (), settings: Mapping[str, Any] | None = None) -> P:
    """A plugin from options and `key=value` overrides alone, checked as in a file."""
    registry = load_registry()
    options = from_python(settings or {}, registry).content
    for override in overrides:
        apply_override(options, override)
    known = Known(registry, Path.cwd(), dict(_folders(options)))
    return _plugin(cls, options, cls.name, "", known)


@dataclass(frozen=True)
class _Builder:
    """Makes entries; `where` names the file in messages, `folder` is where it lies."""

    registry: Registry
    where: str
    folder: Path

    def entries(self, kind: Kind, rows: Sequence[dict[str, Any]], path: str) -> tuple[Entry[Any], ...]:
        """Of a list; a row with a `matrix:` makes several, one of a generator with `checkpoints:` as well."""
        entries: list[Entry[Any]] = []
        for row in expand(rows, path, self.where):
            if kind == "generator" and "checkpoints" in row.content:
                duration = getattr(self._class(kind, row.content, row.path), "duration", "")
                stages = at_checkpoints(row, duration, self.where)
                entries += [replace(self.entry(kind, s.content, s.path), checkpoint=s.checkpoint) for s in stages]
            else:
                entries.append(self.entry(kind, row.content, row.path))
        return tuple(entries)

    def entry(self, kind: Kind, content: dict[str, Any], path: str) -> Entry[Any]:
        """Build one plugin from `{use: ..., label: ..., <options>}`."""
        cls = self._class(kind, content, path)
        options = dict(content)
        use = str(options.pop("use"))
        label = self._text(options, "label", path) or use
        restricted = self._labels(options, path) if kind == "evaluator" else None
        optional = kind == "evaluator" and self._flag(options, "optional", path)
        known = Known(self.registry, self.folder, dict(_folders(content)))
        plugin = _plugin(cls, options, self.where, path, known)
        try:
            return Entry.of(label, use, plugin, restricted, optional=optional)
        except Exception as error:  # a plugin's own code, or `metrics` that is no mapping
            reason = f"{type(error).__name__}: {error}"
            raise ConfigError(f"{self.where}: {path}: what {use} declares cannot be read: {reason}") from error

    def _class(self, kind: Kind, content: Mapping[str, Any], path: str) -> type[Plugin]:
        """The class that `use:` names."""
        use = self._text(dict(content), "use", path)
        if use is None:
            raise ConfigError(f"{self.where}: {path}: `use:` is missing; it names the {kind} plugin")
        folders = Known(self.registry, self.folder, dict(_folders(content)))
        try:
            return self.registry.find(kind, use, folders.folder_at(("use",)))
        except PluginError as error:
            raise ConfigError(f"{self.where}: {path}.use: {error}") from error

    def _flag(self, options: dict[str, Any], key: str, path: str) -> bool:
        value = options.pop(key, False)
        if not isinstance(value, bool):
            raise ConfigError(f"{self.where}: {path}.{key}: expected true or false, found {value!r}")
        return value

    def _text(self, options: dict[str, Any], key: str, path: str) -> str | None:
        value = options.pop(key, None)
        if value is not None and (not isinstance(value, str) or not value):
            raise ConfigError(f"{self.where}: {path}.{key}: expected a text, found {value!r}; put it in quotes")
        return None if value is None else str(value)  # a plain one: entries are copied deeply

    def _labels(self, options: dict[str, Any], path: str) -> tuple[str, ...] | None:
        value = options.pop("generators", None)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise ConfigError(
                f"{self.where}: {path}.generators: expected a list of generator labels, found {value!r}"
            )
        return tuple(map(str, value))


def _folders(value: Any, spot: Spot = ()) -> Iterator[tuple[Spot, Path]]:
    """Of each text among options where it stands and the folder of its file."""
    if isinstance(value, Written):
        yield spot, value.folder
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _folders(item, (*spot, str(key)))


def _plugin(cls: type[P], options: dict[str, Any], where: str, path: str, known: Known) -> P:
    """Build a plugin from its options, paths among them made absolute."""
    try:
        options = absolute_options(cls, options, known.folder_at)
    except ConfigError as error:
        raise ConfigError(f"{where}: {f'{path}.' if path else ''}{error}") from error
    return validated(cls, options, where, path, known)


def _baselines(registry: Registry, taken: set[str]) -> tuple[Entry[Generator], ...]:
    """Every registered floor and ceiling with its defaults, unless the file has that label already."""
    return tuple(
        Entry.of(name, name, validated(cls, {}, "baselines: true", name))
        for name, cls in floors_and_ceilings(registry).items()
        if name not in taken
    )
