"""Which synthetic images show a picture of a real one, whatever was done to it: verified pair by pair.

What is asked of each is `synthbench.find_copies`: is this that picture, mirrored, shifted, re-encoded, noisy? Real
images of other patients hardly ever pass, so few such pairs are enough, and it does not matter how the parts of
the data set differ: who copies the test set is caught as well.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from synthbench import Context, Images, Splits, code_version, write_csv
from synthbench_fidelity.arrays import Array, Integers, numbered

if TYPE_CHECKING:
    from synthbench import Copies

__all__ = ["CopyTest", "Originals", "copied", "different", "named", "originals"]

CHANCE = 1e-3
"""Share of new images that pass for a picture they do not show, at most; measured in docs/leaks.md."""
EXACT_CHANCE = 1e-4
"""The same of equal pixels, which no two radiographs of different patients have."""
LEAST = 0.01
"""Share of a generator's different images below which verified copies that are not exact flag nobody."""
CONFIDENCE = 0.95
"""Of the bound on the hold-out's own share, where there is one."""

KNOWN = {"train": "the training images", "holdout": "the hold-out", "val": "val", "test": "the test set"}


@dataclass(frozen=True, eq=False)
class Originals:
    """All real images that can be copied; of the test sets those that `train` does not know."""

    images: Images
    part: Integers
    """(R,) which of `names` each is of"""
    names: tuple[str, ...]
    """The parts: train, the hold-out, then the others"""
    held_out: Integers
    """(3,): images of the hold-out; of these, verified copies of training images, and exact ones"""


def originals(real: Splits, ctx: Context) -> Originals:
    """The parts of a data set, and how often its own hold-out passes for a copy; searched once, then in the store.

    An image of a test set that `train` knows as well is no evidence of who has seen the test set. Images that two
    other parts share count for the first: train, the hold-out, the others in their order.
    """
    parts = _ordered(real)
    key = {"code": code_version(__name__), "parts": {name: p.pixel_digest for name, p in parts.items()}}

    def build(folder: Path) -> None:
        kept, held_out = _search(parts)
        np.savez(folder / "originals.npz", kept=kept, held_out=held_out)

    with np.load(ctx.store.make("originals", key, build).path / "originals.npz") as file:
        kept, held_out = file["kept"], file["held_out"]
    part = np.repeat(np.arange(len(parts)), [len(images) for images in parts.values()])
    return Originals(_joined(list(parts.values())).subset(kept), part[kept], tuple(parts), held_out)


def _ordered(real: Splits) -> dict[str, Images]:
    first = [name for name in ("train", "holdout") if name in real.parts]
    return {name: real.parts[name] for name in [*first, *(set_ for set_ in real.parts if set_ not in first)]}


def _search(parts: Mapping[str, Images]) -> tuple[npt.NDArray[np.bool_], Integers]:
    """Which images stay, over all parts; and the hold-out's counts."""
    from synthbench import find_copies  # here, as below: scipy must not load with the plugin

    others = {name: images for name, images in parts.items() if name != "train"}
    kept = np.ones(sum(map(len, parts.values())), dtype=np.bool_)
    if not others:
        return kept, np.zeros(3, dtype=np.int64)
    first, held = len(parts["train"]), len(parts.get("holdout", ()))
    known = find_copies(_joined(list(others.values())), parts["train"])
    kept[first + known.query] = False
    kept[first : first + held] = True
    of_holdout = known.query < held
    as_exact = _exact(parts["holdout"], parts["train"]) >= 0 if held else np.zeros(0)
    return kept, np.array([held, of_holdout.sum(), as_exact.sum()], dtype=np.int64)


def _joined(parts: list[Images]) -> Images:
    pixels, labels = (np.concatenate([getattr(part, name) for part in parts]) for name in ("pixels", "labels"))
    return Images(pixels, labels, parts[0].classes, np.concatenate([part.ids for part in parts]))


def different(images: Images) -> Integers:
    """A number for each image, (N,): the same for equal pixels."""
    return numbered(np.array([_digest(pixels) for pixels in images.pixels]))


def copied(real: Originals, synthetic: Images, ctx: Context) -> dict[str, Array]:
    """The evidence: of each synthetic image what it is a copy of. Verified pairs go to copies.csv in the workdir.

    "pictures" (M,) a number for each different image; "parts" (P,) names; "copy_of" (M,) the part that holds the
    picture, -1 where none does; "exact" (M,) whether it has the same pixels; "held_out" (3,), see `Originals`.
    """
    from synthbench import find_copies

    pictures = different(synthetic)
    _, first = np.unique(pictures, return_index=True)
    once = synthetic.subset(first)
    copies, exact = find_copies(once, real.images, ctx.store), _exact(once, real.images)
    source = np.where(exact >= 0, exact, -1)
    missed = copies.query[source[copies.query] < 0]
    source[missed] = copies.reference[np.isin(copies.query, missed)]
    _write(ctx.workdir, once, real, copies)
    copy_of = np.where(source >= 0, real.part[source], -1)
    return {
        "pictures": pictures,
        "parts": np.array(real.names, dtype=np.str_),
        "copy_of": copy_of[pictures],
        "exact": (exact >= 0)[pictures],
        "held_out": real.held_out,
    }


def _exact(images: Images, among: Images) -> Integers:
    """The first place in `among` with the same pixels, -1 where there is none: (N,)."""
    places = {_digest(pixels): place for place, pixels in reversed(list(enumerate(among.pixels)))}
    return np.array([places.get(_digest(pixels), -1) for pixels in images.pixels], dtype=np.int64)


def _digest(pixels: npt.NDArray[Any]) -> str:
    return hashlib.blake2b(np.ascontiguousarray(pixels).data, digest_size=16).hexdigest()


def _write(folder: Path, images: Images, real: Originals, copies: Copies) -> None:
    rows = [["synthetic", "part", "image", "distance", "view"]]
    for k in np.argsort(copies.distance, kind="stable"):
        source = copies.reference[k]
        known = (real.names[real.part[source]], real.images.ids[source])
        rows.append([images.ids[copies.query[k]], *known, f"{copies.distance[k]:.4f}", copies.view[k]])
    write_csv(folder / "copies.csv", rows)


@dataclass(frozen=True)
class CopyTest:
    """Whether images hold more verified copies than those of somebody who has not seen the originals."""

    images: int
    """Different images; an image that is drawn many times is one draw."""
    copies: int
    exact: int
    sources: Mapping[str, int]
    """Copies by the part that holds their originals, most first"""
    p_value: float
    """Of so many verified copies, or so many exact ones (Bonferroni), in images of somebody who has not"""

    @classmethod
    def of(cls, evidence: Mapping[str, Array], chosen: Integers) -> CopyTest:
        """Of the images at the places `chosen`.

        The count is binomial with CHANCE (exact copies: EXACT_CHANCE) at most, or with the upper 95 % bound on the
        hold-out's own share (Clopper & Pearson) where real images of it pass for copies of the others.
        """
        _, first = np.unique(evidence["pictures"][chosen], return_index=True)
        once = chosen[first]
        source, exact = evidence["copy_of"][once], int(evidence["exact"][once].sum())
        n, copies = len(once), int((source >= 0).sum())
        reals, as_copies, as_exact = map(int, evidence["held_out"])
        p_near = _p_value(copies, n, max(CHANCE, _upper(as_copies, reals))) if copies >= LEAST * n else 1.0
        p_exact = _p_value(exact, n, max(EXACT_CHANCE, _upper(as_exact, reals)))
        counts = {str(name): int((source == k).sum()) for k, name in enumerate(evidence["parts"])}
        sources = {name: count for name, count in sorted(counts.items(), key=lambda one: -one[1]) if count}
        return cls(n, copies, exact, sources, min(1.0, 2 * min(p_near, p_exact)))

    def __str__(self) -> str:
        """copies the test set (612 of 1000 different images), the training images (3)"""
        listed = [f"{named(name)} ({count})" for name, count in self.sources.items()]
        listed[0] = listed[0].replace(")", f" of {self.images} different images)")
        return "copies " + ", ".join(listed)


def _p_value(count: int, n: int, chance: float) -> float:
    """Of at least `count` of n."""
    from scipy import stats  # 45 MB that no other metric needs

    return float(stats.binom.sf(count - 1, n, chance)) if count else 1.0


def _upper(count: int, n: int) -> float:
    from scipy import stats

    return float(stats.beta.ppf(CONFIDENCE, count + 1, n - count)) if count and count < n else float(count > 0)


def named(part: str) -> str:
    """As a reader knows it."""
    return KNOWN.get(part, f"the test set {part}")
