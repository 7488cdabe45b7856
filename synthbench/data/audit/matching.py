"""What one part has in common with another, or with itself: the same pixels, the same picture, the same patient.

All functions return `Matches`. Compared with itself, a part's image is matched with an earlier one only, so that
every pair comes once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.parts import Part
from synthbench.data.audit.thumbnails import Floats
from synthbench.types import Strings

__all__ = ["SAME_PATIENT_LIMIT", "Matches", "exact", "patient", "perceptual"]

Index = npt.NDArray[np.intp]

SAME_PATIENT_LIMIT = 0.05
"""Largest distance of two images known to show one patient: two exams are more alike than any other images."""


class Matches(NamedTuple):
    """Columns of one length: place in the part, place in the other, distance, view (see `gallery.Pairs`)."""

    image: Index
    match: Index
    distance: Floats
    view: Strings


def exact(part: Part, other: Part) -> Matches:
    """Images whose pixels the other part holds, each with the first image there that has them; distance 0."""
    match = _first(part.digests, other.digests, within=part is other)
    index = np.flatnonzero(match >= 0)
    return _alike(index, match[index], 0)


def patient(part: Part, other: Part) -> Matches:
    """Images of patients whom the other part knows, each with the first image of that patient; distance NaN.

    One row an image, not one a pair: patients with many images would fill the table. Nothing where a part is
    compared with itself: that a patient has several images there is no leak.
    """
    match = _first(part.patients, other.patients, within=False)
    index = np.flatnonzero((match >= 0) & (part.patients != "") & (part is not other))
    return _alike(index, match[index], np.nan)


def _alike(index: Index, match: Index, distance: float) -> Matches:
    n = len(index)
    return Matches(index, match, np.full(n, distance, np.float32), np.full(n, "as it is" if distance == 0 else ""))


def _first(keys: Strings, among: Strings, *, within: bool) -> Index:
    """For each of `keys` the first place where `among` has it, -1 where it has not; `within`: an earlier place."""
    if not len(among):
        return np.full(len(keys), -1)
    values, places = np.unique(among, return_index=True)
    nearest = np.minimum(np.searchsorted(values, keys), len(values) - 1)
    match = np.where(values[nearest] == keys, places[nearest], -1)
    return np.where(match < np.arange(len(keys)), match, -1) if within else match


def perceptual(part: Part, other: Part) -> Matches:
    """Pairs that are one picture but not the same pixels; of each image those with the few most alike."""
    pairs = part.gallery.pairs_within() if part is other else other.gallery.pairs(part.images.pixels)
    whom = part.patients[pairs.query]
    same_patient = (whom == other.patients[pairs.reference]) & (whom != "")
    alike = pairs.distance <= np.where(same_patient, min(SAME_PATIENT_LIMIT, part.limit), part.limit)
    alike &= part.digests[pairs.query] != other.digests[pairs.reference]
    copies = pairs.subset(alike)
    return Matches(copies.query, copies.reference, copies.distance, copies.view)
