"""The four things a plugin can be, and what the harness hands it. A plugin *is* its configuration."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

from synthbench.api.imaging import PictureRule
from synthbench.api.origin import Origin
from synthbench.progress import Progress
from synthbench.scale import GreyScale
from synthbench.seeds import derive_seed
from synthbench.storage.store import Store
from synthbench.storage.weights import WeightFile
from synthbench.types import Direction, Evaluation, Images, Labels, Pixels, Predictions, Score, Splits
from synthbench.version import __version__

__all__ = [
    "Context",
    "Dataset",
    "Embed",
    "Evaluator",
    "Extractor",
    "FeatureService",
    "Features",
    "Generator",
    "Plugin",
    "Prior",
    "Role",
    "Sampler",
    "balanced_labels",
]

Role = Literal["candidate", "floor", "ceiling"]
Prior = Literal["balanced", "train"]
Weights = npt.NDArray[np.integer]
Replicates = npt.NDArray[np.floating]
Features = npt.NDArray[np.float32]
"""Feature vectors (N, D), one row an image."""


class Plugin(BaseModel, ABC):
    """Base of all plugins: frozen pydantic model, unknown keys refused, importing it must not import torch."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)

    name: ClassVar[str]
    """What a benchmark file writes after `use:`."""

    needs: ClassVar[Mapping[str, float]] = {}
    """Of a machine, for schedulers: {"cpus": 4, "gpus": 1, "memory_gb": 16}."""

    def inputs(self) -> Mapping[str, str]:
        """Digests of files that the configuration names (weights, say): the store counts them by content."""
        return {}

    def files(self) -> Sequence[WeightFile]:
        """Published files that the work needs. Fetched and held to their digests before any work starts."""
        return ()

    def check_shape(self, shape: tuple[int, int, int]) -> None:
        """Raise DataError where it takes no images of this (height, width, channels). Asked before any work."""


class Dataset(Plugin):
    """Real images, split into train and test."""

    @abstractmethod
    def load(self, ctx: Context) -> Splits:
        """All splits, prepared to one size. Raises DataError with what is missing and what to do."""

    def check_files(self) -> None:
        """Raise DataError where a file that its options name as text is not there. Asked before any work."""

    def cohort_name(self) -> str:
        """Whose patients its groups number; "": its own. Sets of one cohort know each other's patients, others do
        not: every hospital has a patient 7."""
        return ""

    def picture_rule(self, splits: Splits) -> PictureRule:
        """How its pictures became `splits`: the rule by which images made elsewhere are read beside them."""
        return PictureRule(scale=splits.scale or GreyScale())

    def as_external(self, splits: Splits) -> Self:  # noqa: ARG002 - a hook: by default as it is
        """This set beside `splits`, the benchmark's own, read on that one's grey scale; all of it may be test."""
        return self


class Sampler(Protocol):
    """What `Generator.fit` returns: draws one image for each label."""

    def __call__(self, labels: Labels, rng: np.random.Generator, /) -> Pixels | Images:
        """labels int64 (N,) -> uint8 (N, H, W, C); or Images where ids and groups are known."""


class Generator(Plugin):
    """Learns from real training images, then draws labelled synthetic ones."""

    role: ClassVar[Role] = "candidate"
    """Floors and ceilings run beside every benchmark that says `baselines: true`; they have no rank."""

    prior: ClassVar[Prior] = "balanced"
    """Which labels the harness asks for: equally many of each class, or as in the training set."""

    quick: ClassVar[bool] = False
    """Whether fitting takes seconds. Then an evaluator that trains several classifiers trains each on images of
    another seed: as many trainings, and the spread holds generator and classifier."""

    duration: ClassVar[str] = ""
    """The option that says how long it trains ("steps"), where a shorter training is how a longer one begins; rows
    of `checkpoints:` then share `ctx.seed` and `ctx.resume`."""

    def origin(self) -> Origin:
        """By default it learns from what `fit` is given, and each seed gives other images."""
        return Origin()

    @abstractmethod
    def fit(self, train: Images, ctx: Context) -> Sampler:
        """Train on `train`, which it must not change, and return the sampler.

        Randomness comes from `ctx.seed` alone. What a killed run needs to go on goes into `ctx.resume`; called
        again over a finished `ctx.resume`, `fit` returns at once; over a shorter one's (`duration`) it goes on.
        """


class Evaluator(Plugin):
    """Scores synthetic images against real ones."""

    if TYPE_CHECKING:  # to be read from an evaluator; a subclass writes a class variable or a property

        @property
        def metrics(self) -> Mapping[str, Direction]:
            """Every metric it delivers and which way is better, e.g. {"fid": "lower"}; the main one first."""

        @property
        def bounds(self) -> Mapping[str, tuple[float, float]]:
            """The least and the largest value of metrics that have both: no interval goes beyond."""

    else:
        metrics: ClassVar[Mapping[str, Direction]]
        bounds: ClassVar[Mapping[str, tuple[float, float]]] = {}

    gates: ClassVar[frozenset[str]] = frozenset()
    """Metrics of its own that flag a generator as copying where above 0: marked on the board, it has no rank."""

    @property
    def trainings(self) -> int:
        """How many it makes of one set of images, each from a seed of its own."""
        return 1

    @abstractmethod
    def evaluate(self, real: Splits, synthetic: Images, ctx: Context) -> Evaluation:
        """Scores by metric and test set. Must not change its inputs."""

    def once(self) -> Self:
        """The same evaluator with one training where it makes several (`trainings`): for draws of generator and
        classifier together. By default itself."""
        return self

    def resample(  # a hook: by default nothing is resampled
        self,
        predictions: Mapping[str, Predictions],  # noqa: ARG002
        weights: Weights,  # noqa: ARG002
    ) -> Mapping[tuple[str, str], Replicates]:
        """Its metrics again with weighted test images, for intervals and paired tests.

        predictions  those on one test set under one classifier seed, by variant; the same images in each
        weights      (B, N), how often each image counts in each of B resamples; all ones give the metric itself

        Returns {(metric, variant): float (B,)}, NaN where undefined. Metrics left out get no interval from it.
        """
        return {}

    def restate(  # a hook: by default nothing can be told again
        self,
        evidence: Mapping[str, npt.NDArray[Any]],  # noqa: ARG002
        ctx: Context,  # noqa: ARG002
    ) -> Sequence[Score]:
        """The scores again, from the evidence that `evaluate` returned, for those who lack the images.

        evidence  as returned, read-only
        ctx       the seed is that of `evaluate`; the store is empty, and `ctx.features` of no use
        """
        return ()


class Embed(Protocol):
    """What `Extractor.load` returns: the features of a batch."""

    def __call__(self, pixels: Pixels, /) -> Features:
        """uint8 (n, H, W, C), C 1 or 3 -> float32 (n, D): one image's row does not depend on the others'."""


class Extractor(Plugin):
    """Turns images into feature vectors, by resize, channel and normalisation rules of its own: those of
    `ctx.features(images, extractor, train=...)`. Evaluators name it in a field of the type `ExtractorField`."""

    argument: ClassVar[str] = ""
    """An option that may stand after the name: with "model", `timm:resnet18` is `{use: timm, model: resnet18}`."""

    learns: ClassVar[bool] = False
    """Whether it is trained on the real training images: they then count in the cache key."""

    batch_size: int = Field(16, ge=1, description="images at a time; moves features in their last digits only")

    _use: str = PrivateAttr("")

    @property
    def use(self) -> str:
        """What stands after `use:`: its name, or `file.py:Class` as written in the benchmark file."""
        return self._use or self.name

    @property
    def label(self) -> str:
        """As one writes it: `inception`, `timm:resnet18`."""
        return f"{self.name}:{getattr(self, self.argument)}" if self.argument else self.name

    @property
    @abstractmethod
    def preprocessing(self) -> str:
        """Input size, resize rule, channels and normalisation, in a few words."""

    def signature(self) -> str:
        """What to cite beside a number: name, first digits of the weights' SHA-256, preprocessing, version."""
        digests = ",".join(digest[:8] for digest in self.inputs().values())
        weights = [f"weights {digests}"] if digests else []
        return " | ".join([self.label, *weights, self.preprocessing, f"synthbench {__version__}"])

    def inputs(self) -> Mapping[str, str]:
        """Digests of its weights as they lie on the disk. Raises DataError where they are missing or others."""
        return {file.name: file.verify() for file in self.files()}

    @abstractmethod
    def load(self, train: Images, ctx: Context) -> Embed:
        """Read (or, where it `learns`, train) the network on `ctx.device` and return the function that runs it.

        `train` holds the real training images for one that `learns`, and none for others. `ctx.seed` is the
        same in every trial: an image's features depend on nothing but its pixels.
        """


class FeatureService(Protocol):
    """What `ctx.features` is: each image set goes through each extractor once, however many evaluators ask."""

    def __call__(self, images: Images, extractor: Extractor, *, train: Images) -> Features:
        """Feature vectors float32 (N, D) of `images`, in their order; a read-only memory map, kept by the content
        of the pixels. `train` are the real training images, for extractors that learn; others do not see them."""


@dataclass(frozen=True)
class Context:
    """One piece of work's surroundings. Made by the harness, always passed, never global.

    seed      the only source of randomness, 0..2**32-1
    device    "cpu" or "cuda:N", resolved
    workdir   files worth keeping go here (curves, grids, weights): stored with the result, copied to the run
    resume    checkpoints go here: survives a kill, empty on a first start, never shown to the user
    store     the content-addressed cache, for work a plugin wants to share between its own calls
    features  `ctx.features(images, extractor, train=real.train)`, see `FeatureService`
    progress  `with ctx.progress.bar("training", total, unit="images") as bar: bar.advance(n)`
    log       goes to the trial's log file
    seed_index  of a generator: which of its seeds this is, from 0
    pictures  how the benchmark's pictures became arrays: `ctx.pictures.read(path, train.shape)`
    """

    seed: int
    device: str
    workdir: Path
    resume: Path
    store: Store
    features: FeatureService
    progress: Progress
    log: logging.Logger
    seed_index: int = 0
    pictures: PictureRule = field(default_factory=PictureRule)

    def rng(self, *who: object) -> np.random.Generator:
        """A NumPy generator seeded by `seed` and who asks."""
        return np.random.default_rng(derive_seed(self.seed, *who))

    def child(self, *who: object) -> Context:
        """The same surroundings under a seed derived from this one."""
        return replace(self, seed=derive_seed(self.seed, *who))


def balanced_labels(n: int, n_classes: int) -> Labels:
    """n labels, each class within one image of the others: 0, 1, 0, 1, ..."""
    return np.arange(n, dtype=np.int64) % n_classes
