"""What one part has in common with another, or with itself: the same pixels, the same picture, the same patient.

All functions return `Found`: index into the part, index into the other, distance. Compared with itself, a part's
image is matched with an earlier one only, so that every pair comes once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.likeness import distance
from synthbench.data.audit.parts import Part
from synthbench.data.audit.thumbnails import Floats, thumbnails
from synthbench.types import Strings

__all__ = ["Found", "exact", "neighbours", "patient", "perceptual"]

Index = npt.NDArray[np.intp]
Found = tuple[Index, Index, Floats]

LIMIT = 0.12
"""Largest distance of two perceptual copies. Calibrated on chest X-rays: docs/leaks.md."""

SAME_PATIENT_LIMIT = 0.05
"""The same for two images known to show one patient: two exams of a patient are more alike than any others."""

NEIGHBOURS = 3
"""Images with the nearest fingerprints, in each other part, that are looked at."""

NEAR = 0.7
"""Smallest cosine between the fingerprints of a pair that is looked at."""

PAIRS = 256
"""Pairs compared at a time: bounds the memory, and stays in the processor's cache."""


def exact(part: Part, other: Part) -> Found:
    """Images whose pixels the other part holds, each with the first image there that has them; distance 0."""
    match = _first(part.digests, other.digests, within=part is other)
    index = np.flatnonzero(match >= 0)
    return index, match[index], np.zeros(len(index), dtype=np.float32)


def patient(part: Part, other: Part) -> Found:
    """Images of patients whom the other part knows, each with the first image of that patient; distance NaN.

    One row an image, not one a pair: patients with many images would fill the table. Nothing where a part is
    compared with itself: that a patient has several images there is no leak.
    """
    match = _first(part.patients, other.patients, within=False)
    index = np.flatnonzero((match >= 0) & (part.patients != "") & (part is not other))
    return index, match[index], np.full(len(index), np.nan, dtype=np.float32)


def _first(keys: Strings, among: Strings, *, within: bool) -> Index:
    """For each of `keys` the first place where `among` has it, -1 where it has not; `within`: an earlier place."""
    if not len(among):
        return np.full(len(keys), -1)
    values, places = np.unique(among, return_index=True)
    nearest = np.minimum(np.searchsorted(values, keys), len(values) - 1)
    match = np.where(values[nearest] == keys, places[nearest], -1)
    return np.where(match < np.arange(len(keys)), match, -1) if within else match


def perceptual(part: Part, other: Part) -> Found:
    """Pairs that are one picture but not the same pixels; of each image at most `NEIGHBOURS` pairs."""
    index, match = neighbours(part, other)
    differ = part.digests[index] != other.digests[match]
    index, match = index[differ], match[differ]
    blocks = [slice(start, start + PAIRS) for start in range(0, len(index), PAIRS)]
    distances = np.concatenate(
        [np.empty(0, dtype=np.float32)] + [_distances(part, index[b], other, match[b]) for b in blocks]
    )
    same_patient = (part.patients[index] == other.patients[match]) & (part.patients[index] != "")
    copies = distances <= np.where(same_patient, SAME_PATIENT_LIMIT, LIMIT)
    return index[copies], match[copies], distances[copies]


def neighbours(part: Part, other: Part) -> tuple[Index, Index]:
    """Pairs that may be one picture, by their fingerprints: index into the part, index into the other."""
    from sklearn.neighbors import NearestNeighbors

    within = part is other
    wanted = min(NEIGHBOURS + within, len(other.shown))
    if not wanted or not len(part.shown):
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    search = NearestNeighbors(n_neighbors=wanted, algorithm="brute").fit(other.fingerprints)
    apart, nearest = search.kneighbors(part.fingerprints)  # on unit vectors: apart^2 = 2 - 2 cosine
    index = np.repeat(part.shown, wanted)
    match = other.shown[nearest.ravel()]
    near = (apart.ravel() ** 2 <= 2 - 2 * NEAR) | (not part.selective)
    index, match = index[near], match[near]
    return _each_pair_once(index, match) if within else (index, match)


def _each_pair_once(index: Index, match: Index) -> tuple[Index, Index]:
    """The later image of each pair first; an image is no pair with itself."""
    pairs = np.stack([np.maximum(index, match), np.minimum(index, match)], axis=1)
    pairs = np.unique(pairs[index != match], axis=0)
    return pairs[:, 0], pairs[:, 1]


def _distances(part: Part, index: Index, other: Part, match: Index) -> Floats:
    return distance(thumbnails(part.images.pixels[index]), thumbnails(other.images.pixels[match]))
