"""Drawn images offered one after another, each to be kept or dropped, as the policy `dqn` meets them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import pairwise_distances_argmin_min

from synthbench import Images, Labels
from synthbench_select.policies import kernel_width
from synthbench_select.probe import Probe

__all__ = ["Offers", "Real", "Stream"]

Floats = npt.NDArray[np.float64]
Index = npt.NDArray[np.int64]

FAR = 3.0
"""Distances above so many widths count as this: of outliers, and of the first image from what is not there yet."""


@dataclass(frozen=True, eq=False)
class Real:
    """The training images in the probe's features, standardised by themselves.

    features  (M, D)
    width     the median distance between two of them, the unit of distances
    """

    centre: Floats
    spread: Floats
    features: Floats
    width: float

    @classmethod
    def of(cls, features: Floats) -> Real:
        """From what the probe's last layer sees, (M, D)."""
        centre, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        standardised = (features - centre) / spread
        return cls(centre, spread, standardised, kernel_width(standardised))

    def offers(self, images: Images, probe: Probe) -> Offers:
        """What can be said of drawn images before any is taken."""
        probabilities, seen = probe(images)
        features = (seen - self.centre) / self.spread
        _, distances = pairwise_distances_argmin_min(features, self.features)
        logs = np.log(np.maximum(probabilities, 1e-12))
        facts = [
            probabilities[np.arange(len(images)), images.labels],
            -(probabilities * logs).sum(axis=1) / np.log(probabilities.shape[1]),
            np.minimum(distances / self.width, FAR),
        ]
        return Offers(images.labels, features, np.stack(facts, axis=1), self.width, probabilities.shape[1])


@dataclass(frozen=True, eq=False)
class Offers:
    """Drawn images as the policy sees them.

    labels    int64 (N,)
    features  (N, D), standardised by the training images
    facts     (N, 3): the probe's probability of the label, the entropy of its answer as a share of the largest,
              the distance to the nearest training image
    width     the unit of distances
    classes   how many there are
    """

    labels: Labels
    features: Floats
    facts: Floats
    width: float
    classes: int


class Stream:
    """Offers in an order, of which `counts[k]` of each class k are to be kept, and no class has fewer.

    Only free choices are put: of a class that has enough the others are dropped, and kept once they are needed
    one and all.
    """

    def __init__(self, offers: Offers, counts: Index, order: Index) -> None:
        self.offers, self.order = offers, order
        self.asked = counts
        self.offered = np.bincount(offers.labels, minlength=offers.classes)
        self.wanted, self.left = self.asked.copy(), self.offered.copy()
        self.nearest = np.full(len(order), FAR)
        """Of each image the distance to the nearest one taken."""
        self.kept: list[int] = []
        self.position = 0
        self._pass_forced()

    @property
    def done(self) -> bool:
        return self.position == len(self.order)

    def observation(self) -> npt.NDArray[np.float32]:
        """(4 + 3 K,): the image's facts, its distance to the nearest one taken, its class; of each class the
        share taken of what is asked, and the share left of what is offered.
        """
        place = self.order[self.position]
        label = np.eye(self.offers.classes)[self.offers.labels[place]]
        taken = 1 - self.wanted / np.maximum(self.asked, 1)
        left = self.left / np.maximum(self.offered, 1)
        parts = [self.offers.facts[place], self.nearest[[place]], label, taken, left]
        return np.concatenate(parts).astype(np.float32)

    def decide(self, *, keep: bool) -> None:
        """Keep or drop the image on offer, and pass on to the next free choice."""
        self._put_away(keep=keep)
        self._pass_forced()

    def _pass_forced(self) -> None:
        while not self.done:
            label = self.offers.labels[self.order[self.position]]
            if 0 < self.wanted[label] < self.left[label]:
                return
            self._put_away(keep=self.wanted[label] > 0)

    def _put_away(self, *, keep: bool) -> None:
        place = int(self.order[self.position])
        label = self.offers.labels[place]
        self.position += 1
        self.left[label] -= 1
        if keep:
            self.wanted[label] -= 1
            self.kept.append(place)
            distances = np.linalg.norm(self.offers.features - self.offers.features[place], axis=1)
            self.nearest = np.minimum(self.nearest, distances / self.offers.width)
