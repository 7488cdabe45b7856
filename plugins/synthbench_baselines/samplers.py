"""Samplers that need no training: uniform noise, and real images drawn again."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from synthbench import DataError, Images, Labels, Pixels

__all__ = ["Noise", "Redraw", "draw_by_label", "require_classes"]


@dataclass(frozen=True)
class Noise:
    """Every value of every pixel uniform in 0..255, whatever the label. `shape` is (H, W, C)."""

    shape: tuple[int, int, int]

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Pixels:
        return rng.integers(0, 256, size=(len(labels), *self.shape), dtype=np.uint8)


@dataclass(frozen=True, eq=False)
class Redraw:
    """Draws real images again, with their ids and groups.

    images   the pool
    labels   int64 (len(images),): the label that each of them is drawn for, its own or another
    """

    images: Images
    labels: Labels

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Images:
        index = draw_by_label(self.labels, labels, self.images.classes, rng)
        return replace(self.images.subset(index), labels=labels)


def draw_by_label(
    pool: Labels, asked: Labels, classes: tuple[str, ...], rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """For each asked label a place in `pool` that has it, (len(asked),).

    Without replacement until a class is exhausted, then all over again: in n draws out of m
    every image comes up floor(n / m) or ceil(n / m) times. Raises DataError for a class that has none.
    """
    require_classes(np.bincount(pool, minlength=len(classes)), asked, classes)
    drawn = np.empty(len(asked), dtype=np.int64)
    for label in np.unique(asked):
        targets, sources = np.flatnonzero(asked == label), np.flatnonzero(pool == label)
        rounds = -(-len(targets) // len(sources))
        drawn[targets] = np.concatenate([rng.permutation(sources) for _ in range(rounds)])[: len(targets)]
    return drawn


def require_classes(counts: npt.NDArray[np.integer], asked: Labels, classes: tuple[str, ...]) -> None:
    """Raise DataError where a label is asked for whose class has no training images."""
    for label in np.unique(asked):
        if counts[label] == 0:
            raise DataError(
                f"images of class {classes[label]!r} were asked for, and the training set has none; "
                "add some or take the class out of the data set"
            )
