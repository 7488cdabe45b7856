"""A part of a data set (train, val or a test set) with all that it is compared by."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from posixpath import splitext

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.fingerprints import EXAMPLES, Fingerprint, learn
from synthbench.data.audit.thumbnails import BLOCK, Floats, has_content, thumbnails
from synthbench.types import Images, Strings

__all__ = ["Mask", "Part", "describe_parts"]

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Part:
    """One part, image by image.

    digests       SHA-256 of each image's shape and pixels, (N,)
    patients      whom it shows, (N,), "" where that is unknown
    fingerprints  float32 (M, length), of the images that show anything
    shown         which images those are, int (M,)
    selective     whether fingerprints far apart rule a copy out: not when they were learned from few images
    """

    images: Images
    digests: Strings
    patients: Strings
    fingerprints: Floats
    shown: npt.NDArray[np.intp]
    selective: bool

    def __len__(self) -> int:
        return len(self.images)


def describe_parts(splits: Mapping[str, Images], cohorts: Mapping[str, str] | None = None) -> dict[str, Part]:
    """The parts by name, their fingerprints comparable; patients of different `cohorts` are different people."""
    cohorts = cohorts or {}
    examples = _examples(list(splits.values()))
    fingerprint = learn(examples) if len(examples) > 1 else None
    selective = len(examples) >= EXAMPLES // 10
    return {
        name: Part(
            images,
            _digests(images),
            _known_patients(images, cohorts.get(name, "")),
            *_describe(images, fingerprint),
            selective,
        )
        for name, images in splits.items()
    }


def _examples(parts: list[Images]) -> Floats:
    """Thumbnails of evenly spaced images of every part, between `EXAMPLES` and twice as many in all."""
    step = max(1, sum(map(len, parts)) // EXAMPLES)
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


def _describe(images: Images, fingerprint: Fingerprint | None) -> tuple[Floats, npt.NDArray[np.intp]]:
    """Fingerprints of the images that show anything, and which those are."""
    if fingerprint is None or not len(images):
        return np.empty((0, 1), dtype=np.float32), np.empty(0, dtype=np.intp)
    found, where = [], []
    for start in range(0, len(images), BLOCK):
        small = thumbnails(images.pixels[start : start + BLOCK])
        shown = np.flatnonzero(has_content(small))
        found.append(fingerprint(small[shown]))
        where.append(start + shown)
    return np.concatenate(found), np.concatenate(where)
