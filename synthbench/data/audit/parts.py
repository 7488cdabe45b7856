"""A part of a data set (train, val or a test set) with all that it is compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from posixpath import splitext
from typing import Self

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.calibration import limit
from synthbench.data.audit.descriptors import EXAMPLES, FEW, Descriptor, learn
from synthbench.data.audit.gallery import Gallery, one_thread
from synthbench.data.audit.thumbnails import SIZE, Floats, has_content, thumbnails
from synthbench.types import Images, Strings

__all__ = ["Learned", "Mask", "Part", "describe_parts"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """One part, image by image.

    digests     SHA-256 of each image's shape and pixels, (N,)
    patients    whom it shows, (N,), "" where that is unknown
    descriptor  by which images of all parts are compared
    limit       the largest distance of two that are one picture
    """

    images: Images
    digests: Strings
    patients: Strings
    descriptor: Descriptor
    limit: float

    def __len__(self) -> int:
        return len(self.images)

    @cached_property
    def gallery(self) -> Gallery:
        """The part as others are looked for in it."""
        return Gallery.of(self.images.pixels, self.descriptor)


@dataclass(frozen=True, eq=False)
class Learned:
    """What is learned of the first part: by what pictures are compared, and the largest distance of two copies."""

    descriptor: Descriptor
    limit: float

    @classmethod
    def of(cls, parts: list[Images]) -> Self:
        """Of the first of `parts`; of all where it is small."""
        examples = _examples(parts[:1] if len(parts[0]) >= FEW else parts)
        with one_thread():
            descriptor = learn(examples)
        return cls(descriptor, limit(examples, descriptor))


def describe_parts(
    splits: Mapping[str, Images], cohorts: Mapping[str, str] | None = None, learned: Learned | None = None
) -> dict[str, Part]:
    """The parts by name, comparable with each other; patients of different `cohorts` are different people.

    How pictures are compared is learned from the first part, training images as a rule: what the others hold,
    copies of one image by the thousand, say, changes nothing about it. From all parts where it is small.
    `learned` is that of an earlier time.
    """
    cohorts = cohorts or {}
    learned = learned or Learned.of(list(splits.values()))
    side = min(min(images.shape[:2]) for images in splits.values())
    furthest = learned.limit * min(1, side / SIZE)  # a thumbnail shows no more than its image
    return {
        name: Part(
            images, _digests(images), _known_patients(images, cohorts.get(name, "")), learned.descriptor, furthest
        )
        for name, images in splits.items()
    }


def _examples(parts: list[Images]) -> Floats:
    """Thumbnails of evenly spaced images of every part, `EXAMPLES` in all."""
    step = max(1, -(-sum(map(len, parts)) // EXAMPLES))
    small = np.concatenate([thumbnails(images.pixels[::step]) for images in parts])
    return small[has_content(small)]


def _digests(images: Images) -> Strings:
    shape = repr(images.shape).encode()
    return np.array(
        [hashlib.sha256(shape + np.ascontiguousarray(image).tobytes()).hexdigest() for image in images.pixels],
        dtype=np.str_,
    )


def _known_patients(images: Images, cohort: str) -> Strings:
    """Each image's group, or "" where that says no more than the image's own name, with or without its suffix.

    With its cohort, where it is not the data set's own: every hospital has a patient 7.
    """
    names = zip(images.groups.tolist(), images.ids.tolist(), strict=True)
    known = [group not in (image_id, splitext(image_id)[0]) for group, image_id in names]
    patients = np.char.add(f"{cohort}: ", images.groups) if cohort else images.groups
    return np.where(np.array(known, dtype=bool), patients, "")
