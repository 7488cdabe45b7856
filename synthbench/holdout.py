"""Cutting a share of images off: relatives stay together, each class gives its share."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from synthbench.audit import Audit
from synthbench.errors import DataError
from synthbench.types import Images, Splits, Strings

__all__ = ["HOLDOUT", "cut", "families", "with_holdout"]

HOLDOUT = "holdout"
"""The name of the hold-out among the parts of a data set."""

Mask = npt.NDArray[np.bool_]
Index = npt.NDArray[np.int64]


def with_holdout(splits: Splits, audit: Audit, share: float, seed: int) -> tuple[Splits, Audit]:
    """`splits` with `share` of `train` moved to `holdout`, and the audit told so; for a share of 0 both as given.

    Copies that the audit found within `train` stay on one side, as images of one patient do: what is left of
    `train` knows nothing of the hold-out. Raises DataError where there are too few patients for that.
    """
    if not share:
        return splits, audit
    out = cut(splits.train, share, np.random.default_rng(seed), audit)
    geometry = dict(splits.geometry)
    if files := geometry.get("train"):
        geometry |= {"train": files.subset(~out), HOLDOUT: files.subset(out)}
    train, holdout = splits.train.subset(~out), splits.train.subset(out)
    return replace(splits, train=train, holdout=holdout, geometry=geometry), _told(audit, train, holdout)


def cut(images: Images, share: float, rng: np.random.Generator, audit: Audit | None = None) -> Mask:
    """Which images go, bool (N,): `share` of each class as nearly as whole families allow.

    Families come in random order; each goes where that brings the numbers by class nearer to what is wanted, by
    the sum of squares. Raises DataError where a class has no image on one side.
    """
    family = families(images, audit)
    classes = np.eye(len(images.classes), dtype=np.int64)[images.labels]  # (N, classes), one-hot
    sizes = np.zeros((family.max(initial=-1) + 1, len(images.classes)), dtype=np.int64)
    np.add.at(sizes, family, classes)
    missing = share * sizes.sum(0)
    gone = np.zeros(len(sizes), dtype=np.bool_)
    for member in rng.permutation(len(sizes)):
        if ((missing - sizes[member]) ** 2).sum() < (missing**2).sum():
            gone[member] = True
            missing = missing - sizes[member]
    _check(images, sizes, gone, share)
    mask: Mask = gone[family]
    return mask


def families(images: Images, audit: Audit | None = None) -> Index:
    """A number for each image, (N,): the same for relatives, also through others.

    Relatives share a group or an id; with an audit, also those that it calls copies within `train`.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    links = [_to_first(images.groups), _to_first(images.ids)]
    if audit is not None:
        links.append(_copies(images.ids, audit))
    one, other = np.concatenate(links, axis=1)
    graph = coo_matrix((np.ones(len(one)), (one, other)), shape=(len(images), len(images)))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _to_first(names: Strings) -> Index:
    """(2, N): each image, and the first one of that name."""
    _, first, inverse = np.unique(names, return_index=True, return_inverse=True)
    return np.stack([np.arange(len(names)), first[inverse]])


def _copies(ids: Strings, audit: Audit) -> Index:
    """(2, pairs): what the audit found to be one picture within `train`, as places in `ids`."""
    pairs = audit.pairs[(audit.pairs["test_set"] == "train") & (audit.pairs["seen_in"] == "train")]
    names, first = np.unique(ids, return_index=True)
    columns: Iterable[Strings] = (pairs[column].to_numpy(dtype=np.str_) for column in ("image", "match"))
    return np.stack([first[np.searchsorted(names, column)] for column in columns])


def _check(images: Images, sizes: Index, gone: Mask, share: float) -> None:
    for k, name in enumerate(images.classes):
        there, here = sizes[gone, k].sum(), sizes[~gone, k].sum()
        if not there or not here:
            raise DataError(
                f"holdout: class {name!r} has {here + there} training images of {(sizes[:, k] > 0).sum()} "
                f"patients: too few to hold out {share:.0%} and train on the rest; give more, or another share"
            )


def _told(audit: Audit, train: Images, holdout: Images) -> Audit:
    """The audit of the parts as they are now. Nothing new is found: whole families moved."""
    pairs = audit.pairs.copy()
    for part, image in (("test_set", "image"), ("seen_in", "match")):
        moved = (pairs[part] == "train") & np.isin(pairs[image].to_numpy(dtype=np.str_), holdout.ids)
        pairs.loc[moved, part] = HOLDOUT
    return Audit(pairs, {**audit.ids, "train": train.ids, HOLDOUT: holdout.ids})
