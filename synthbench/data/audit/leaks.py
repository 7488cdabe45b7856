"""The audit of a data set: all pairs that should not be there, and what they mean for each test set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from synthbench.errors import ConfigError
from synthbench.progress import Progress
from synthbench.types import Images, Splits, Strings

if TYPE_CHECKING:
    import pandas as pd

    from synthbench.data.audit.matching import Matches
    from synthbench.data.audit.parts import Mask, Part

__all__ = ["Audit", "Kind", "audit", "parts_of"]

Kind = Literal["exact", "perceptual", "patient"]

KINDS: tuple[Kind, ...] = ("exact", "perceptual", "patient")

TYPES = {
    **dict.fromkeys(("test_set", "image", "seen_in", "match", "kind"), "str"),
    "distance": "float64",
    "view": "str",
    "same_class": "bool",
}
"""The columns of the pairs, and what they hold."""

SEEN = "train"
"""The part that generators and classifiers learn from: what it knows is leaked."""


@dataclass(frozen=True, eq=False)
class Audit:
    """What was found.

    pairs  one row a match, in the columns
           test_set    the part that the image is in: a test set, `val` or `train`
           image       its id
           seen_in     the part that the other image is in: `train`, `val`, another test set, or the same part
           match       the other image's id
           kind        exact (the same pixels), perceptual (the same picture) or patient (the same patient)
           distance    0 for exact, 0-1 for perceptual (see `likeness.compare`), NaN for patient
           view        what was done to the image to lay it over the other: "as it is", "mirrored", ...; "" for
                       patient
           same_class  whether the two have one label
    ids    the ids of each part's images, by the part's name
    """

    pairs: pd.DataFrame
    ids: Mapping[str, Strings]

    def leaked(self, test_set: str, kind: Kind | None = None) -> Mask:
        """Which images of a test set the training set knows, in any way or in one: bool (N,)."""
        return self.matched(test_set, (SEEN,), kind)

    def matched(self, part: str, seen_in: tuple[str, ...], kind: Kind | None = None) -> Mask:
        """Which images of a part have a match in one of `seen_in`, of any kind or of one: bool (N,)."""
        rows = (self.pairs["test_set"] == part) & self.pairs["seen_in"].isin(seen_in)
        if kind is not None:
            rows &= self.pairs["kind"] == kind
        return np.isin(self.ids[part], self.pairs.loc[rows, "image"].to_numpy(dtype=np.str_))

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
    import pandas as pd

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
                _table(name, parts[name], seen_in, parts[seen_in], kind, search(parts[name], parts[seen_in]))
                for kind, search in searches.items()
            ]
            bar.advance(len(parts[name]))
    pairs = pd.concat(tables, ignore_index=True).astype(TYPES)
    return Audit(pairs, {name: part.images.ids for name, part in parts.items()})


def _comparisons(parts: Mapping[str, Part]) -> Iterator[tuple[str, str]]:
    for name in parts:
        yield name, name
        for other in parts:
            if other != name and (other == "train" or name not in ("train", "val")):
                yield name, other


def _table(name: str, part: Part, seen_in: str, other: Part, kind: str, matches: Matches) -> pd.DataFrame:
    import pandas as pd

    image, match, distance, view = matches
    return pd.DataFrame(
        {
            "test_set": name,
            "image": part.images.ids[image].astype(object),
            "seen_in": seen_in,
            "match": other.images.ids[match].astype(object),
            "kind": kind,
            "distance": distance.astype(np.float64).round(4),
            "view": view.astype(object),
            "same_class": part.images.labels[image] == other.images.labels[match],
        }
    )
