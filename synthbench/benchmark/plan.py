"""A benchmark as trials (generator x seed): data that can be printed and filtered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthbench.api.interfaces import Evaluator, Generator
from synthbench.api.registry import did_you_mean
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.errors import ConfigError
from synthbench.seeds import derive_seed

__all__ = ["Trial", "evaluator_seed", "make_plan"]


@dataclass(frozen=True)
class Trial:
    """One generator under one seed, and who scores it. `index` counts seeds from 0; `seed` is hashed."""

    generator: Entry[Generator]
    index: int
    seed: int
    evaluators: tuple[Entry[Evaluator], ...]

    @property
    def title(self) -> str:
        """For people: "acgan, seed 0"."""
        return f"{self.generator.label}, seed {self.index}"

    def evaluator(self, label: str) -> Entry[Evaluator]:
        """The evaluator of that label, which scores this trial."""
        return next(entry for entry in self.evaluators if entry.label == label)


def make_plan(bench: Benchmark, only: Sequence[str] = ()) -> list[Trial]:
    """All trials in the file's order, or those of the generators in `only`; ConfigError on unknown labels."""
    labels = [entry.label for entry in bench.generators]
    for label in only:
        if label not in labels:
            raise ConfigError(f"--only {label}: no such generator.{did_you_mean(label, labels)}")
    return [
        Trial(
            entry,
            index,
            derive_seed(bench.seed, "generator", entry.label, index),
            _evaluators(bench, entry.label),
        )
        for entry in bench.generators
        if not only or entry.label in only
        for index in range(bench.seeds)
    ]


def _evaluators(bench: Benchmark, label: str) -> tuple[Entry[Evaluator], ...]:
    return tuple(e for e in bench.evaluators if e.generators is None or label in e.generators)


def evaluator_seed(bench: Benchmark, evaluator: Entry[Evaluator], index: int) -> int:
    """The same for all generators, so that they are compared under the same initial weights."""
    return derive_seed(bench.seed, "evaluator", evaluator.label, index)
