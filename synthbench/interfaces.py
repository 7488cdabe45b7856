"""The three things a plugin can be. A plugin *is* its configuration: its fields are the YAML keys."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from synthbench.context import Context
from synthbench.types import Direction, Evaluation, Images, Labels, Pixels, Predictions, Splits

__all__ = ["Dataset", "Evaluator", "Generator", "Plugin", "Sampler"]

MetricOf = tuple[str, str]  # metric, variant
Weights = npt.NDArray[np.integer]
Replicates = npt.NDArray[np.floating]


class Plugin(BaseModel, ABC):
    """Base of all plugins: frozen pydantic model, unknown keys refused, importing it must not import torch."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    name: ClassVar[str]
    """What a benchmark file writes after `use:`."""

    def inputs(self) -> Mapping[str, str]:
        """Digests of files that the configuration names (weights, say): the store counts them by content."""
        return {}


class Dataset(Plugin):
    """Real images, split into train and test."""

    @abstractmethod
    def load(self, ctx: Context) -> Splits:
        """All splits, prepared to one size. Raises DataError with what is missing and what to do."""


class Sampler(Protocol):
    """What `Generator.fit` returns: draws one image for each label."""

    def __call__(self, labels: Labels, rng: np.random.Generator, /) -> Pixels | Images:
        """labels int64 (N,) -> uint8 (N, H, W, C); or Images where ids and groups are known."""


class Generator(Plugin):
    """Learns from real training images, then draws labelled synthetic ones."""

    role: ClassVar[Literal["candidate", "floor", "ceiling"]] = "candidate"
    """Floors and ceilings run beside every benchmark that says `baselines: true`; they have no rank."""

    prior: ClassVar[Literal["balanced", "train"]] = "balanced"
    """Which labels the harness asks for: equally many of each class, or as in the training set."""

    @abstractmethod
    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Train on `train` and return the sampler. Must not change `train`.

        Randomness comes from `ctx.seed` alone. What a killed run needs to go on goes into `ctx.resume`;
        called again over a finished `ctx.resume`, `fit` returns at once.
        """


class Evaluator(Plugin):
    """Scores synthetic images against real ones."""

    metrics: ClassVar[Mapping[str, Direction]]
    """Every metric it delivers and which way is better, e.g. {"fid": "lower"}."""

    @abstractmethod
    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """Scores by metric and test set. Must not change its inputs."""

    def resample(  # a hook: by default nothing is resampled
        self,
        answers: Mapping[str, Predictions],
        weights: Weights,  # noqa: ARG002
    ) -> Mapping[MetricOf, Replicates]:
        """Its metrics again with weighted test images, for intervals and paired tests.

        answers  the predictions on one test set under one classifier seed, by variant; the same images in each
        weights  (B, N), how often each image counts in each of B resamples; all ones give the metric itself

        Returns {(metric, variant): float (B,)}, NaN where a resample leaves a metric undefined. Metrics that are
        left out get no interval from resampling.
        """
        return {}


def balanced_labels(n: int, n_classes: int) -> npt.NDArray[np.int64]:
    """n labels, each class within one image of the others: 0, 1, 0, 1, ..."""
    return np.arange(n, dtype=np.int64) % n_classes
