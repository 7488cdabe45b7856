"""The audit of a data set: all pairs that should not be there, and what they mean for each test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.types import Images, Splits, Strings

if TYPE_CHECKING:
    import pandas as pd

    from synthbench.data.audit.matching import Matches
    from synthbench.data.audit.parts import Mask, Part

__all__ = ["TYPES", "Audit", "Columns", "Kind", "audit", "parts_of"]

Kind = Literal["exact", "perceptual", "patient"]

KINDS: tuple[Kind, ...] = ("exact", "perceptual", "patient")

TYPES = {
    **dict.fromkeys(("test_set", "image", "seen_in", "match", "kind"), "str"),
    "distance": "float64",
    "view": "str",
    "same_class": "bool",
}
"""The columns of the pairs, and what they hold."""

Columns = Mapping[str, npt.NDArray[Any]]
"""By TYPES, of one length."""

SEEN = "train"
"""The part that generators and classifiers learn from: what it knows is leaked."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    columns  one place a match, as arrays (a run that has its audit in the store does without pandas):
             test_set    the part that the image is in: a test set, `val` or `train`
             image       its id
             seen_in     the part that the other image is in: `train`, `val`, another test set, or the same part
             match       the other image's id
             kind        exact (the same pixels), perceptual (the same picture) or patient (the same patient)
             distance    0 for exact, 0-1 for perceptual (see `likeness.compare`), NaN for patient
             view        what was done to the image to lay it over the other: "as it is", "mirrored", ...; "" for
                         patient
             same_class  whether the two have one label
    ids      the ids of each part's images, by the part's name
    """

    columns: Columns
    ids: Mapping[str, Strings]

    @property
    def pairs(self) -> pd.DataFrame:
        """The columns as a table."""
        import pandas as pd

        return pd.DataFrame({name: self.columns[name] for name in TYPES}).astype(TYPES)

    def leaked(self, test_set: str, kind: Kind | None = None) -> Mask:
        """Which images of a test set the training set knows, in any way or in one: bool (N,)."""
        return self.matched(test_set, (SEEN,), kind)

    def matched(self, part: str, seen_in: tuple[str, ...], kind: Kind | None = None) -> Mask:
        """Which images of a part have a match in one of `seen_in`, of any kind or of one: bool (N,)."""
        rows = (self.columns["test_set"] == part) & np.isin(self.columns["seen_in"], seen_in)
        if kind is not None:
            rows &= self.columns["kind"] == kind
        return np.isin(self.ids[part], self.columns["image"][rows])

    def counts(self, test_set: str) -> dict[str, int]:
        """Images of a test set that the training set knows: leaked_exact, ... by kind, and in all: leaked."""
        by_kind = {f"leaked_{kind}": int(self.leaked(test_set, kind).sum()) for kind in KINDS}
        return {**by_kind, "leaked": int(self.leaked(test_set).sum())}


def parts_of(splits: Splits) -> dict[str, Images]:
    """All parts of a data set by name: train, val where there is one, the test sets.

    Raises ConfigError where a test set has the name of another part.
    """
    if taken := {"train", "val"} & splits.tests.keys():
        raise ConfigError(f"a test set is called {min(taken)!r}, as another part is: give its data set a `label:`")
    return {name: images for name, images in splits.parts.items() if name != "holdout"}


def audit(splits: Splits, progress: Progress | None = None) -> Audit:
    """Compare every test set with all other parts, val with train, and each part with itself.

    Memory: some 200 numbers an image beside the pixels, which may be memory-mapped. Patients are compared by the
    names of the groups, across data sets of one cohort too; a group that is only the image's own name is no
    knowledge.

    Raises ConfigError where a test set is called train or val.
    """
    # Here: they stand on scipy, which a run that has its audit in the store does without.
    from synthbench.data.audit.matching import exact, patient, perceptual
    from synthbench.data.audit.parts import describe_parts

    searches = {"exact": exact, "perceptual": perceptual, "patient": patient}
    parts = describe_parts(parts_of(splits), splits.cohorts)
    comparisons = list(_comparisons(parts))
    tables = []
    with (progress or Progress(False)).bar("looking for leaks", sum(len(parts[a]) for a, _ in comparisons)) as bar:
        for name, seen_in in comparisons:
            tables += [
                _columns(name, parts[name], seen_in, parts[seen_in], kind, search(parts[name], parts[seen_in]))
                for kind, search in searches.items()
            ]
            bar.advance(len(parts[name]))
    columns = {name: np.concatenate([table[name] for table in tables]) for name in TYPES}
    return Audit(columns, {name: part.images.ids for name, part in parts.items()})


def _comparisons(parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    for name in parts:
        yield name, name
        for other in parts:
            if other != name and (other == "train" or name not in ("train", "val")):
                yield name, other


def _columns(name: str, part: Part, seen_in: str, other: Part, kind: str, matches: Matches) -> Columns:
    image, match, distance, view = matches
    return {
        "test_set": np.full(len(image), name),
        "image": part.images.ids[image],
        "seen_in": np.full(len(image), seen_in),
        "match": other.images.ids[match],
        "kind": np.full(len(image), kind),
        "distance": distance.astype(np.float64).round(4),
        "view": view,
        "same_class": part.images.labels[image] == other.images.labels[match],
    }
