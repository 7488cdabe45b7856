"""Short vectors that tell pictures apart and that treatments leave alone; copies point in similar directions.

Of a picture's texture a linear map keeps those combinations in which pictures differ and treated copies of one do
not. It is learned from the audited pictures themselves, by linear discriminant analysis in which a class is one
picture and its members are random treatments of it (as LDAHash does: Strecha et al., IEEE TPAMI 34(1), 2012).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
from scipy.linalg import eigh

from synthbench.data.audit.texture import texture, turned
from synthbench.data.audit.thumbnails import Floats
from synthbench.data.audit.treatments import treated
from synthbench.data.audit.windows import POSES, windows
from synthbench.types import Pixels

__all__ = ["EXAMPLES", "FEW", "Described", "Descriptor", "describe", "learn"]

LENGTH = 96
EXAMPLES = 600
"""Images to learn from."""

FEW = 100
"""From fewer examples nothing is learned, and nothing is ruled out."""

NEAR = 0.5
"""Smallest cosine between the descriptors of a pair that is looked at."""

ROUNDS = 6
SHRINKAGE = 0.01
TOGETHER = 64
"""Pictures worked on at a time: what they need stays in the processor's cache."""


@dataclass(frozen=True, eq=False)
class Descriptor:
    """A learned map: textures (N, F, D, 7, 7) -> float32 (N, length), unit vectors; 96 numbers as a rule.

    Pairs whose cosine is below `near` are ruled out.
    """

    mean: Floats
    map: Floats
    near: float

    def __call__(self, textures: Floats) -> Floats:
        return _unit(np.asarray((_flat(textures) - self.mean) @ self.map))


def learn(examples: Floats) -> Descriptor:
    """The map for pictures like `examples`, thumbnails (N, 32, 32) that show anything; none for few."""
    if len(examples) < FEW:
        size = _flat(_textures(np.zeros((1, *examples.shape[1:]), np.float32))).shape[1]
        return Descriptor(np.zeros(size, np.float32), np.eye(size, dtype=np.float32), -1)
    rng = np.random.default_rng(0)
    members = [examples, *(treated(examples, rng) for _ in range(ROUNDS))]
    values = np.stack([_flat(_textures(images)) for images in members])  # (rounds + 1, N, size)
    mean, centres = values.mean(axis=(0, 1)), values.mean(axis=0)
    within, between = _covariance((values - centres).reshape(-1, len(mean))), _covariance(centres - mean)
    within += SHRINKAGE * (np.trace(within) / len(mean) * np.eye(len(mean)) - within)
    _, map_ = eigh(between, within, subset_by_index=(len(mean) - LENGTH, len(mean) - 1))
    return Descriptor(mean, map_[:, ::-1].astype(np.float32), NEAR)


def _covariance(centred: Floats) -> npt.NDArray[np.float64]:
    return np.asarray((centred.T @ centred / len(centred)).astype(np.float64))


def _textures(small: Floats) -> Floats:
    return np.concatenate([texture(small[i : i + TOGETHER]) for i in range(0, len(small), TOGETHER)])


def _flat(textures: Floats) -> Floats:
    """Unit vectors without their mean, so that strength and contrast drop out."""
    flat = textures.reshape(len(textures), math.prod(textures.shape[1:]))
    return _unit(flat - flat.mean(axis=1, keepdims=True))


def _unit(vectors: Floats) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(length, 1e-12), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Described:
    """Descriptors of the windows of some images, the windows in order of their images.

    image    int (M,), which image
    edges    (M, 4), where in it the window lies; see `windows`
    vectors  float32 (M, P, length), in each of P poses
    """

    image: npt.NDArray[np.intp]
    edges: npt.NDArray[np.float64]
    vectors: Floats

    def __len__(self) -> int:
        return len(self.image)

    @classmethod
    def joined(cls, blocks: list[Self]) -> Self:
        return cls(*(np.concatenate([getattr(block, name) for block in blocks]) for name in cls.__annotations__))


def describe(pixels: Pixels, descriptor: Descriptor, *, poses: int = 1, first: int = 0) -> Described:
    """All windows of images (N, H, W, C) that show anything, in the first `poses` of the eight poses.

    `first` is the number of the first image.
    """
    blocks = []
    for start in range(0, max(len(pixels), 1), TOGETHER):
        for image, edges, small in windows(pixels[start : start + TOGETHER]):
            textures = texture(small)
            vectors = np.stack([descriptor(turned(textures, pose)) for pose in POSES[:poses]], axis=1)
            blocks.append(Described(first + start + image, edges, vectors))
    return Described.joined(blocks)
