"""What a benchmark is, once its file was read and checked."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, NamedTuple, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from synthbench.api.interfaces import Dataset, Evaluator, Generator, Plugin
from synthbench.benchmark.declared import Declared
from synthbench.benchmark.requirement import Requirement
from synthbench.errors import PluginError
from synthbench.types import Direction

__all__ = ["Benchmark", "Checkpoint", "Entry", "Headline", "JUDGES", "Ranking"]  # noqa: RUF022 - a test wants plain order

P = TypeVar("P", bound=Plugin)

JUDGES = "judges"
"""In a headline, in place of an evaluator: the mean over the judges."""


class Checkpoint(NamedTuple):
    """A generator at one point of its training: the label of all of that training, and how far it was."""

    of: str
    at: int
    unit: str  # the option that says how long: "steps"

    @classmethod
    def of_record(cls, row: Mapping[str, Any]) -> Checkpoint | None:
        """That of a recorded row; an option `checkpoint` of the plugin's own is none."""
        point = row.get("checkpoint")
        return cls(**point) if isinstance(point, Mapping) and point.keys() == set(cls._fields) else None


@dataclass(frozen=True)
class Entry(Generic[P]):
    """A plugin under its label.

    declared    what it says of itself
    at_hand     the plugin; None in a run that is read back where its class is not to be had
    generators  of an evaluator: labels that it is restricted to, None for all
    optional    of an evaluator: left out, with a word, where a file that it needs is not to be had
    checkpoint  of a generator: where it is a row of several that one training makes
    """

    label: str
    use: str
    declared: Declared
    at_hand: P | None = None
    generators: tuple[str, ...] | None = None
    optional: bool = False
    checkpoint: Checkpoint | None = None

    @classmethod
    def of(
        cls, label: str, use: str, plugin: P, generators: tuple[str, ...] | None = None, *, optional: bool = False
    ) -> Entry[P]:
        """That of a plugin at hand."""
        return cls(label, use, Declared.of(plugin), plugin, generators, optional)

    @property
    def family(self) -> str:
        """The label of all checkpoints of one training, else its own."""
        return self.checkpoint.of if self.checkpoint else self.label

    @property
    def training(self) -> str:
        """The label whose seeds it has: of a wrapper that of the generator within it, lest each trains its own."""
        return self.declared.base or self.family

    def is_named(self, labels: Collection[str]) -> bool:
        """Whether `labels` hold its label or, of a checkpoint, that of its training."""
        return self.label in labels or self.family in labels

    @property
    def plugin(self) -> P:
        """The plugin itself. Raises PluginError where it is not at hand."""
        if self.at_hand is None:
            raise PluginError(f"{self.label}: the plugin {self.use} is not at hand")
        return self.at_hand

    def resolved(self) -> dict[str, Any]:
        """As it would stand in YAML with every default written out."""
        shown = {"use": self.use, "label": self.label, **self.plugin.model_dump(mode="json")}
        shown |= {"generators": list(self.generators)} if self.generators is not None else {}
        shown |= {"checkpoint": self.checkpoint._asdict()} if self.checkpoint else {}
        return shown | ({"optional": True} if self.optional else {})

    @classmethod
    def from_record(
        cls, record: Mapping[str, Any], declared: Mapping[str, Any] | None = None, plugin: P | None = None
    ) -> Entry[P]:
        """From what `resolved` gave and what the plugin declared, as run.json has them.

        Raises KeyError or TypeError where these are no such records.
        """
        only = record.get("generators")
        return cls(
            record["label"],
            record["use"],
            Declared.from_record(declared or {}),
            plugin,
            None if only is None else tuple(only),
            record.get("optional") is True,
            Checkpoint.of_record(record),
        )


class Ranking(BaseModel):
    """How generators are compared: the test, and the level at which a difference counts."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    test: Literal["bootstrap", "mcnemar", "delong"] = Field(
        "bootstrap",
        description="`bootstrap`: paired on the test images, resampled by patient; knows seeds; for every metric. "
        "`mcnemar`: on right and wrong answers, for accuracy; `delong`: on areas under ROC curves, for auroc of "
        "two classes; both for one generator seed and one classifier seed",
    )
    alpha: float = Field(
        0.05, gt=0, lt=1, description="level at which a difference counts, after Holm's correction"
    )
    margin: float | None = Field(
        None,
        gt=0,
        description="two are called equal where the whole interval of their difference lies within +-margin, in "
        "units of the headline; unset: a hundredth of its range, .01 of AUROC",
    )


class Headline(NamedTuple):
    """The metric that ranks the board, on the test set "test": `str` gives "<evaluator label>.<metric>"."""

    evaluator: str
    metric: str

    @classmethod
    def parse(cls, text: str) -> Headline:
        """From the file's text. A label may hold dots, a metric holds none."""
        evaluator, _, metric = text.rpartition(".")
        return cls(evaluator, metric)

    def __str__(self) -> str:
        return f"{self.evaluator}.{self.metric}" if self.evaluator else self.metric


@dataclass(frozen=True)
class Benchmark:
    """A checked benchmark.

    seed      the benchmark's own seed, from which all others are hashed
    seeds     trials of each generator
    samples   images asked of each generator
    headline  the evaluator and metric that rank the board
    ranking   the test that compares generators
    max_leak  share of the images of "test" that may be known from training before it cannot rank the board
    holdout   share of the training images that nobody learns from, to tell copying from learning; 0 for none
    judges    labels of evaluators whose ranks stand beside each other; none, or two or more
    real_sizes  numbers of real images, ascending, whose scores a candidate's is held against; none, or two or more
    require   what every candidate must reach
    left_out  of optional evaluators whose files are not to be had: label and reason
    timeout, memory_limit  seconds and GB at which a stage is stopped; they decide no number
    """

    name: str
    seed: int
    seeds: int
    samples: int
    headline: Headline
    ranking: Ranking
    max_leak: float
    holdout: float
    baselines: bool
    dataset: Entry[Dataset]
    external: tuple[Entry[Dataset], ...]
    generators: tuple[Entry[Generator], ...]
    evaluators: tuple[Entry[Evaluator], ...]
    judges: tuple[str, ...] = ()
    real_sizes: tuple[int, ...] = ()
    require: tuple[Requirement, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None
    memory_limit: float | None = None

    @property
    def generator_names(self) -> list[str]:
        """Labels of generators, and of the trainings whose checkpoints they are."""
        return list(dict.fromkeys(name for entry in self.generators for name in (entry.family, entry.label)))

    def evaluator(self, label: str) -> Entry[Evaluator]:
        """The evaluator of that label. Raises StopIteration where there is none."""
        return next(entry for entry in self.evaluators if entry.label == label)

    @property
    def metrics(self) -> list[str]:
        """`<evaluator label>.<metric>` of all evaluators."""
        return [f"{entry.label}.{metric}" for entry in self.evaluators for metric in entry.declared.metrics]

    @property
    def ranked_by(self) -> tuple[str, ...]:
        """The evaluators behind the headline: one, or all judges where it is their mean."""
        return self.judges if self.headline.evaluator == JUDGES else (self.headline.evaluator,)

    @property
    def size_curve(self) -> str:
        """Label of the evaluator that scores `real_sizes` real images; "" where none are asked for."""
        return f"{self.headline.evaluator}-real-sizes" if self.real_sizes else ""

    def ceiling(self, prior: str) -> Entry[Generator] | None:
        """The first generator that hands out real images, classes by `prior`, "balanced" or "train"."""
        ceilings = (entry for entry in self.generators if entry.declared.role == "ceiling")
        return next((entry for entry in ceilings if entry.declared.prior == prior), None)

    @property
    def direction(self) -> Direction:
        """Which way of the headline is better."""
        return self.evaluator(self.ranked_by[0]).declared.metrics[self.headline.metric]

    def resolved(self) -> dict[str, Any]:
        """The whole file with every default written out; floors and ceilings stand among the generators."""
        return {
            "name": self.name,
            "seed": self.seed,
            "seeds": self.seeds,
            "samples": self.samples,
            "headline": str(self.headline),
            "judges": list(self.judges),
            **({"real_sizes": list(self.real_sizes)} if self.real_sizes else {}),
            "ranking": self.ranking.model_dump(),
            "max_leak": self.max_leak,
            "require": list(map(str, self.require)),
            "holdout": self.holdout,
            "baselines": self.baselines,
            **{key: value for key in ("timeout", "memory_limit") if (value := getattr(self, key)) is not None},
            "dataset": self.dataset.resolved(),
            "external": [entry.resolved() for entry in self.external],
            "generators": [entry.resolved() for entry in self.generators],
            "evaluators": [entry.resolved() for entry in self.evaluators],
        }
