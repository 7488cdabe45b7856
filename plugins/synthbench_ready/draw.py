"""From images that are there to those that were asked for: each at most once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthbench import DataError, Images, Labels, PictureRule
from synthbench_ready.sources import Source

__all__ = ["Drawer"]

Index = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Drawer:
    """Draws images of a source, no image twice.

    place  where they lie, for messages
    shape  (H, W, C) of the benchmark's images, made by `rule`
    fewer  whether all there are will do where a class has fewer than asked for
    """

    source: Source
    place: str
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    rule: PictureRule
    fewer: bool

    def __call__(self, labels: Labels, rng: np.random.Generator) -> Images:
        targets, index = self._choose(labels, rng)
        ids = np.array(self.source.ids, dtype=np.str_)[index]
        return Images(self.source.read(index, self.shape, self.rule), labels[targets], self.classes, ids)

    def _choose(self, asked: Labels, rng: np.random.Generator) -> tuple[Index, Index]:
        """Places in `asked` that are served, ascending, and the source's image for each: a random draw."""
        drawn = np.full(len(asked), -1, dtype=np.int64)
        for label in np.unique(asked):
            targets, images = np.flatnonzero(asked == label), np.flatnonzero(self.source.labels == label)
            if len(images) < len(targets) and not self.fewer:
                raise DataError(
                    f"{self.place}: {len(images)} images of {self.classes[label]}, asked for are {len(targets)}: "
                    "make more, lower the benchmark's `samples`, or take what there is with `fewer: true`"
                )
            n = min(len(images), len(targets))
            drawn[targets[:n]] = rng.permutation(images)[:n]
        served = np.flatnonzero(drawn >= 0)
        return served, drawn[served]
