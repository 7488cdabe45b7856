"""The currency between plugins: `Images`, `Splits`, `Score`, `Evaluation`. NumPy only, checked when made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from synthbench.arrays import described, lock, pixel_hash
from synthbench.fields import PREDICTIONS_FIELDS, SCORE_FIELDS, check_fields
from synthbench.files import Geometry, Quarantined
from synthbench.influence import Influence
from synthbench.positive import positive_of
from synthbench.scale import GreyScale

__all__ = ["Direction", "Evaluation", "Geometry", "Images", "Predictions", "Quarantined", "Score", "Splits"]

Direction = Literal["higher", "lower"]
"""Which way of a metric is better."""
Pixels = npt.NDArray[np.uint8]
"""Images (N, H, W, C), C 1 or 3, range 0-255."""
Labels = npt.NDArray[np.int64]
"""(N,), each an index into the classes."""
Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, eq=False)
class Images:
    """Labelled images. Arrays are read-only views of those given: who wants to change one makes a copy.

    pixels   uint8 (N, H, W, C), C 1 or 3, range 0-255; may be a read-only memory map
    labels   int64 (N,), each an index into `classes`
    classes  class names, e.g. ("NORMAL", "PNEUMONIA")
    ids      str (N,), a stable name of each image; a copy of an image keeps its id
    groups   str (N,), whom an image shows (patient); images of one group belong on one side of any split
    digest   SHA-256 of all of the above; computed on first use where it is not known

    Raises ValueError where shapes, types or ranges disagree.
    """

    pixels: Pixels
    labels: Labels
    classes: tuple[str, ...]
    ids: Strings = None  # type: ignore[assignment]  # filled in below
    groups: Strings = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        n = len(self.pixels)
        if self.ids is None:
            object.__setattr__(self, "ids", np.array([f"{i:06d}" for i in range(n)], dtype=np.str_))
        if self.groups is None:
            object.__setattr__(self, "groups", self.ids)
        for name in ("ids", "groups"):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=np.str_))
        object.__setattr__(self, "classes", tuple(self.classes))
        lock(self, "pixels", "labels", "ids", "groups")
        _check_images(self)

    def __len__(self) -> int:
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(H, W, C) of one image."""
        _, height, width, channels = self.pixels.shape
        return height, width, channels

    def subset(self, index: npt.NDArray[Any]) -> Images:
        """The images at `index` (integers, repeats allowed, or a boolean mask), in that order."""
        return replace(
            self,
            pixels=self.pixels[index],
            labels=self.labels[index],
            ids=self.ids[index],
            groups=self.groups[index],
        )

    def counts(self) -> dict[str, int]:
        """Number of images by class name."""
        numbers = np.bincount(self.labels, minlength=len(self.classes))
        return {name: int(n) for name, n in zip(self.classes, numbers, strict=True)}

    @cached_property
    def digest(self) -> str:
        """SHA-256 over content: two `Images` with the same digest are interchangeable."""
        sha = pixel_hash(self.pixels, (self.pixels.shape, self.classes))
        sha.update(np.ascontiguousarray(self.labels).data)
        sha.update("\0".join([*self.ids.tolist(), *self.groups.tolist()]).encode())
        return sha.hexdigest()

    @cached_property
    def pixel_digest(self) -> str:
        """SHA-256 of the pixels and their shape: the same pictures under other ids and labels have the same."""
        return pixel_hash(self.pixels, self.pixels.shape).hexdigest()


def _check_images(images: Images) -> None:
    pixels, labels = images.pixels, images.labels
    if not isinstance(pixels, np.ndarray) or pixels.dtype != np.uint8 or pixels.ndim != 4:
        raise ValueError(f"pixels must be a uint8 array (N, H, W, C), found {described(pixels)}")
    if pixels.shape[3] not in (1, 3):
        raise ValueError(f"pixels must have 1 or 3 channels, found {pixels.shape[3]}")
    if not isinstance(labels, np.ndarray) or labels.dtype != np.int64 or labels.shape != (len(pixels),):
        raise ValueError(f"labels must be an int64 array ({len(pixels)},), found {described(labels)}")
    if not images.classes or not all(images.classes) or len(set(images.classes)) != len(images.classes):
        raise ValueError(f"classes must be distinct names, found {images.classes}")
    if len(labels) and not (labels.min() >= 0 and labels.max() < len(images.classes)):
        raise ValueError(f"labels must be in 0..{len(images.classes) - 1}, found {labels.min()}..{labels.max()}")
    for name in ("ids", "groups"):
        if getattr(images, name).shape != (len(pixels),):
            raise ValueError(f"{name} must have shape ({len(pixels)},), found {getattr(images, name).shape}")


@dataclass(frozen=True, eq=False)
class Splits:
    """A data set as a benchmark uses it: `train` for generators, `tests` by name, an official `val` if any.

    `holdout` is the part of the training images that a benchmark keeps from everyone who learns, to tell copying
    from learning (`holdout:` in the file; cut off by the harness, by patient): None without one.

    `quarantine` lists the files put aside. `domain` says in a line whose images these are; `domains` by test
    set, where they are others. `geometry` tells of the files behind `train`, `val`, `holdout` and the test sets,
    by name; it is empty where the images come from no files. `scale` is how values of more than 8 bits became
    0-255, None where there were none; `conversions` counts the files that had such, by how. `cohorts` by test set:
    whose patients its groups number, where these are not the data set's own, for then a group of the same name is
    another patient.

    `attributes` are what else is known of the images of a part: by the part's name and the attribute's, str (N,),
    "" where unknown. They count in no digest and are given to no generator or evaluator: the harness scores them.

    `positive` is the one of two classes that AUROC, F1, recall and AUPRC speak of, on every test set. Unset it is
    the other one where one class alone is called normal, healthy, negative, control or the like; None
    where no name tells, and with more than two classes. Raises ValueError where it is no class of two.
    """

    train: Images
    tests: Mapping[str, Images]
    val: Images | None = None
    quarantine: tuple[Quarantined, ...] = ()
    domain: str = ""
    domains: Mapping[str, str] = field(default_factory=dict)
    geometry: Mapping[str, Geometry] = field(default_factory=dict)
    holdout: Images | None = None
    positive: str | None = None
    scale: GreyScale | None = None
    cohorts: Mapping[str, str] = field(default_factory=dict)
    conversions: Mapping[str, int] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Strings]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (
            "tests",
            "domains",
            "geometry",
            "cohorts",
            "attributes",
        ):  # a change to the mapping given changes nothing
            object.__setattr__(self, name, dict(getattr(self, name)))
        classes = self.train.classes
        if self.positive is None:
            object.__setattr__(self, "positive", positive_of(classes))
        elif self.positive not in classes or len(classes) != 2:
            raise ValueError(f"positive is {self.positive!r}, must be one of two classes; found {classes}")
        for name, images in self.parts.items():
            part = f"test set {name!r}" if name in self.tests else repr(name)
            if images.classes != self.train.classes:
                raise ValueError(f"{part} has classes {images.classes}, train has {self.train.classes}")
            if images.shape != self.train.shape:
                raise ValueError(f"{part} has images {images.shape}, train has {self.train.shape}")
        sizes = {name: len(images) for name, images in self.parts.items()}
        for name, files in self.geometry.items():
            if sizes.get(name) != len(files):
                raise ValueError(f"geometry of {name!r}: {len(files)} files for {sizes.get(name)} images")
        for name, columns in self.attributes.items():
            if wrong := [column for column, values in columns.items() if values.shape != (sizes.get(name),)]:
                raise ValueError(f"attributes of {name!r}: {wrong[0]} must be of shape ({sizes.get(name)},)")

    @property
    def positive_index(self) -> int | None:
        """The label of `positive`."""
        return None if self.positive is None else self.train.classes.index(self.positive)

    @property
    def parts(self) -> dict[str, Images]:
        """All images by the name of their part: train, val and holdout where there are any, then the test sets."""
        further = {"val": self.val, "holdout": self.holdout}
        known = {name: images for name, images in further.items() if images is not None}
        return {"train": self.train, **known, **self.tests}


@dataclass(frozen=True)
class Score:
    """One number: `metric` on `test_set` of `n` images; `classifier_seed` where a model was trained for it.

    `seen` says what the images were used for before: "" (nothing), "generator" (it trained on them)
    or "validation" (they chose the classifier's epoch). `variant` tells several figures of one metric apart: ""
    is the evaluator's own figure, "500 images" say a point of its size curve. `low` and `high` are a 95 %
    interval, given where the evaluator knows one that resampling its predictions would not give. Generators are
    tested against each other by its `influence`, where there are no predictions to do that by.
    """

    metric: str
    value: float
    test_set: str
    n: int
    classifier_seed: int | None = None
    seen: Literal["", "generator", "validation"] = ""
    note: str = ""
    variant: str = ""
    low: float | None = None
    high: float | None = None
    influence: Influence | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_fields(self, SCORE_FIELDS, f"Score {self.metric!r:.200}")
        if self.seen not in ("", "generator", "validation"):
            raise ValueError(
                f"Score {self.metric!r}: seen must be '', 'generator' or 'validation', not {self.seen!r}"
            )


@dataclass(frozen=True, eq=False)
class Predictions:
    """Per-image results, for intervals and paired tests: `probabilities` float (N, classes), rows sum to 1.

    `variant` as in `Score`: whose answers these are where an evaluator asks several models. `positive` is the
    column of the positive class of two (`Splits.positive_index`): metrics follow from these alone. All read-only.
    """

    test_set: str
    ids: Strings
    groups: Strings
    labels: Labels
    probabilities: npt.NDArray[np.floating[Any]]
    classifier_seed: int | None = None
    variant: str = ""
    positive: int | None = None

    def __post_init__(self) -> None:
        where = f"Predictions on {self.test_set!r:.200}"
        for name in ("ids", "groups", "labels", "probabilities"):
            if not isinstance(value := getattr(self, name), np.ndarray):
                raise TypeError(f"{where}: {name} must be a NumPy array, found {described(value)}")
        check_fields(self, PREDICTIONS_FIELDS, where)
        if self.labels.dtype.kind not in "iu" or self.probabilities.dtype.kind != "f":
            kinds_found = f"labels {self.labels.dtype}, probabilities {self.probabilities.dtype}"
            raise TypeError(f"{where}: labels must be integers and probabilities floats, found {kinds_found}")
        lock(self, "ids", "groups", "labels", "probabilities")
        n = len(self.labels)
        if self.probabilities.ndim != 2 or any(len(x) != n for x in (self.ids, self.groups, self.probabilities)):
            raise ValueError(f"predictions on {self.test_set!r}: arrays of different lengths")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """What an evaluator returns. Files worth keeping it writes into `ctx.workdir`.

    `evidence` are arrays that `Evaluator.restate` tells the scores from again, features say, by name: a run keeps
    each array once, and `synthbench verify` recomputes the scores from them.
    """

    scores: Sequence[Score]
    predictions: Sequence[Predictions] = field(default_factory=tuple)
    evidence: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, cls in (("scores", Score), ("predictions", Predictions)):
            values = getattr(self, name)
            if not isinstance(values, Sequence) or (wrong := [v for v in values if not isinstance(v, cls)]):
                shown = values if not isinstance(values, Sequence) else wrong[0]
                raise TypeError(
                    f"Evaluation: {name} must be a list of {cls.__name__}, found {type(shown).__name__}"
                )
        if not isinstance(self.evidence, Mapping):
            raise TypeError(f"Evaluation: evidence must be arrays by name, found {type(self.evidence).__name__}")


@dataclass(frozen=True)
class Artifact:
    """A finished entry of the store: its folder and what it cost to make."""

    path: Path
    meta: Mapping[str, Any]
