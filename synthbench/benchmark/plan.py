"""A benchmark as trials (generator x seed): data that can be printed and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from synthbench.api.interfaces import Evaluator, Generator
from synthbench.api.registry import did_you_mean
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.errors import ConfigError
from synthbench.seeds import derive_seed

__all__ = ["FLOOR_DRAWS", "Trial", "evaluator_seed", "make_plan", "scorers", "seeds_of"]

FLOOR_DRAWS = 5
"""A floor is drawn at least this often: without a signal a classifier learns something else each time."""


@dataclass(frozen=True)
class Trial:
    """One generator under one seed, and who scores it. `index` counts seeds from 0; `seed` is hashed."""

    generator: Entry[Generator]
    index: int
    seed: int
    evaluators: tuple[Entry[Evaluator], ...]

    @property
    def name(self) -> str:
        """For commands: "acgan/0"."""
        return f"{self.generator.label}/{self.index}"

    @property
    def title(self) -> str:
        """For people: "acgan, seed 0"."""
        return f"{self.generator.label}, seed {self.index}"

    def evaluator(self, label: str) -> Entry[Evaluator]:
        """The evaluator of that label, which scores this trial."""
        return next(entry for entry in self.evaluators if entry.label == label)


def make_plan(bench: Benchmark, only: Sequence[str] = ()) -> list[Trial]:
    """All trials in the file's order, or those of the generators in `only`; ConfigError on unknown labels."""
    labels = bench.generator_names
    for label in only:
        if label not in labels:
            raise ConfigError(f"--only {label}: no such generator.{did_you_mean(label, labels)}")
    return [
        Trial(
            entry,
            index,
            derive_seed(bench.seed, "generator", entry.training, index),
            _evaluators(bench, entry, index),
        )
        for entry in bench.generators
        if not only or entry.is_named(only)
        for index in range(seeds_of(bench, entry))
    ]


def seeds_of(bench: Benchmark, generator: Entry[Generator]) -> int:
    """How many trials a generator has: as the file says, unless it is drawn together with its classifiers.

    Then a floor has at least FLOOR_DRAWS, a quick one as many as the headline evaluator trains; none more than its
    generator has seeds.
    """
    asked = bench.seeds
    if all(_scores(bench.evaluator(label), generator) for label in bench.ranked_by):
        if _is_floor(generator):
            asked = max(asked, FLOOR_DRAWS)
        elif generator.declared.quick:
            asked *= _trainings(bench)
    return min(asked, generator.declared.origin.seeds or asked)


def scorers(bench: Benchmark, generator: Entry[Generator], index: int) -> tuple[Entry[Evaluator], ...]:
    """Who scores a trial: all that the file has for its generator; of further draws those that are drawn anew."""
    asked = tuple(entry for entry in bench.evaluators if _scores(entry, generator))
    return asked if index < bench.seeds else tuple(e for e in asked if e.label in _drawn_anew(bench, generator))


def _evaluators(bench: Benchmark, generator: Entry[Generator], index: int) -> tuple[Entry[Evaluator], ...]:
    """The scorers as they are to work: those that are drawn anew train once a draw.

    The spread over draws then holds the generator's seed and the classifier's. A floor's five draws cost five
    trainings, those of a quick generator as many as of any other.
    """
    anew = _drawn_anew(bench, generator)
    asked = scorers(bench, generator, index)
    return tuple(replace(e, at_hand=e.plugin.once()) if e.label in anew else e for e in asked)


def _drawn_anew(bench: Benchmark, generator: Entry[Generator]) -> frozenset[str]:
    """Labels of the evaluators whose trainings are draws of the generator as well.

    Judges have as many as the headline's evaluator, and stand beside it on candidates; floors they do not rank.
    """
    if _is_floor(generator):
        return frozenset(bench.ranked_by)
    together = generator.declared.quick and seeds_of(bench, generator) > bench.seeds
    return frozenset((*bench.ranked_by, *bench.judges) if together else ())


def _trainings(bench: Benchmark) -> int:
    return bench.evaluator(bench.ranked_by[0]).declared.trainings


def _is_floor(generator: Entry[Generator]) -> bool:
    return generator.declared.role == "floor"


def _scores(evaluator: Entry[Evaluator], generator: Entry[Generator]) -> bool:
    return evaluator.generators is None or generator.is_named(evaluator.generators)


def evaluator_seed(bench: Benchmark, evaluator: Entry[Evaluator], index: int) -> int:
    """The same for all generators, so that they are compared under the same initial weights."""
    return derive_seed(bench.seed, "evaluator", evaluator.label, index)
