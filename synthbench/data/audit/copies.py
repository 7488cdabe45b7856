"""For plugins: which of some images show a picture that others show as well."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.descriptors import FEW, Described, Descriptor
from synthbench.data.audit.gallery import Gallery
from synthbench.data.audit.matching import exact, perceptual
from synthbench.data.audit.parts import Learned, Part, describe_parts
from synthbench.data.audit.thumbnails import Floats
from synthbench.errors import StoreError
from synthbench.storage.code_version import code_version
from synthbench.storage.store import Store
from synthbench.types import Images, Strings

__all__ = ["Copies", "find_copies"]

FILE = "gallery.npz"


@dataclass(frozen=True, eq=False)
class Copies:
    """Verified pairs, sorted by query, each query once; arrays of one length.

    query      int64 (P,), place among the queries
    reference  int64 (P,), place among the references
    distance   float32 (P,), 0 (one picture) to at most 0.13; unrelated ones would have 1
    view       str (P,), what was done to the query to lay it over the reference: "as it is", "mirrored",
               "upside down", "turned by 90 degrees" (clockwise) and so on, with ", inverted" where the one is a
               negative of the other. Crops, borders, shifts and small turns are allowed for in any view.
    """

    query: npt.NDArray[np.int64]
    reference: npt.NDArray[np.int64]
    distance: Floats
    view: Strings

    def __len__(self) -> int:
        return len(self.query)


def find_copies(queries: Images, references: Images, store: Store | None = None) -> Copies:
    """The queries that show a picture of the references, each with the nearest one: the leak audit's own means.

    Found is an image that was re-encoded, resized, blurred, re-contrasted (gamma, equalisation, CLAHE, negative),
    mirrored, turned by a right angle or by up to 5 degrees, cropped, shifted, given a border or written on, and
    most that were treated in two of these ways. What share of each, and how many strangers pass for copies, is in
    docs/leaks.md.

    Not found are most shifts that wrap round or mirror the edge. At 32 px many copies with borders are missed, and
    nearly all that were blurred or JPEG-encoded at that size; without antialiasing also half or more of those
    turned, cropped or shifted.

    The two sets may differ in size, from 16 px up, and in channels: what a grey thumbnail of 32 px shows is
    compared. An image all but uniform (standard deviation below one grey level) matches by its pixels alone. Two
    images of one known patient (`groups`) must be nearer to count as one picture, at most 0.05.
    How near others must be is learned from the references: at most 0.13, less where these resemble each other.

    Deterministic. Time grows with the product of both numbers, memory beyond the pixels with their sum. With a
    `store` (`ctx.store`) what is learned of the references is kept for the next queries.
    """
    asked, known = _parts(queries, references, store)
    matches = [search(asked, known) for search in (exact, perceptual)]
    query, reference, distance, view = (np.concatenate(columns) for columns in zip(*matches, strict=True))
    order = np.lexsort((reference, distance, query))
    _, first = np.unique(query[order], return_index=True)
    best = order[first]
    return Copies(query[best].astype(np.int64), reference[best].astype(np.int64), distance[best], view[best])


def _parts(queries: Images, references: Images, store: Store | None) -> tuple[Part, Part]:
    """Queries, then references, comparable with each other."""
    both = {"references": references, "queries": queries}
    if store is None or len(references) < FEW:  # what is learned of few is learned of the queries too
        parts = describe_parts(both)
    else:
        learned, gallery = _learned(references, store)
        parts = describe_parts(both, learned=learned)
        parts["references"].__dict__["gallery"] = gallery
    return parts["queries"], parts["references"]


def _learned(references: Images, store: Store) -> tuple[Learned, Gallery]:
    """Of the references alone; from the store where they were described before."""
    key = {"code": code_version(__name__), "references": references.pixel_digest}

    def build(folder: Path) -> None:
        learned = Learned.of([references])
        gallery = Gallery.of(references.pixels, learned.descriptor)
        np.savez(folder / FILE, limit=learned.limit, **vars(learned.descriptor), **vars(gallery.described))

    entry = store.make("gallery", key, build, shared=True)
    try:
        with np.load(entry.path / FILE) as file:
            descriptor = Descriptor(file["mean"], file["map"], float(file["near"]))
            described = Described(file["image"], file["edges"], file["vectors"])
            learned = Learned(descriptor, float(file["limit"]))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise StoreError.damaged(entry.path, error) from error
    return learned, Gallery(references.pixels, descriptor, described)
