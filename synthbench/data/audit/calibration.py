"""How near two images must be to count as one picture: less where all images of a set resemble each other."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthbench.data.audit.descriptors import FEW, Descriptor
from synthbench.data.audit.gallery import Gallery
from synthbench.data.audit.thumbnails import Floats

__all__ = ["LIMIT", "limit"]

LIMIT = 0.13
"""Largest distance of two copies of one picture. Calibrated on chest X-rays: docs/leaks.md."""

SHARE = 0.4
"""Of the distance at which strangers of the set lie: the limit, where that is less."""

EXAMPLES, GROUP, NEAREST = 200, 20, 0.1
"""Images looked at, how many of them together, and which quantile of the distances to the nearest stands for all.

Of 20 images drawn at random few are copies of each other, also where a set holds many: so they do not count.
"""


def limit(examples: Floats, descriptor: Descriptor) -> float:
    """The largest distance of two copies among pictures like `examples`, thumbnails (N, 32, 32)."""
    if len(examples) < FEW:
        return LIMIT
    order = np.random.default_rng(0).permutation(len(examples))[:EXAMPLES]
    anyone = replace(descriptor, near=-1.0)
    distances = []
    for group in np.array_split(order, len(order) // GROUP):
        pairs = Gallery.of(np.rint(examples[group, ..., None]).astype(np.uint8), anyone).pairs_within()
        nearest = np.ones(len(group))
        np.minimum.at(nearest, pairs.query, pairs.distance)
        distances.append(nearest[np.unique(pairs.query)])
    return min(LIMIT, SHARE * float(np.quantile(np.concatenate(distances), NEAREST)))
