"""The hold-out: a share of `train` that no generator sees, cut off by patient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from synthbench.data.audit import Audit
from synthbench.data.split import Index, grouped_split
from synthbench.errors import DataError
from synthbench.types import Images, Splits, Strings

__all__ = ["HOLDOUT", "copies_within", "with_holdout"]

HOLDOUT = "holdout"
"""The name of the hold-out among the parts of a data set."""


def with_holdout(splits: Splits, audit: Audit, share: float, seed: int) -> tuple[Splits, Audit]:
    """`splits` with `share` of `train` moved to `holdout`, and the audit told so; for a share of 0 both as given.

    Copies that the audit found within `train` stay on one side, as images of one patient do: what is left of
    `train` knows nothing of the hold-out. Raises DataError where there are too few patients for that.
    """
    if not share:
        return splits, audit
    try:
        out = grouped_split(
            splits.train, share, np.random.default_rng(seed), copies_within(splits.train.ids, audit)
        )
    except DataError as error:
        raise DataError(f"holdout: {error}") from error
    geometry = dict(splits.geometry)
    if files := geometry.get("train"):
        geometry |= {"train": files.subset(~out), HOLDOUT: files.subset(out)}
    attributes = dict(splits.attributes)
    if columns := attributes.get("train"):
        sides = {"train": ~out, HOLDOUT: out}
        attributes |= {part: {name: v[side] for name, v in columns.items()} for part, side in sides.items()}
    train, holdout = splits.train.subset(~out), splits.train.subset(out)
    parts = replace(splits, train=train, holdout=holdout, geometry=geometry, attributes=attributes)
    return parts, _told(audit, train, holdout)


def copies_within(ids: Strings, audit: Audit) -> Index:
    """(2, pairs): what the audit found to be one picture within `train`, as places in `ids`."""
    within = (audit.columns["test_set"] == "train") & (audit.columns["seen_in"] == "train")
    names, first = np.unique(ids, return_index=True)
    return np.stack([first[np.searchsorted(names, audit.columns[side][within])] for side in ("image", "match")])


def _told(audit: Audit, train: Images, holdout: Images) -> Audit:
    """The audit of the parts as they are now. Nothing new is found: whole families moved."""
    columns = dict(audit.columns)
    for part, image in (("test_set", "image"), ("seen_in", "match")):
        moved = (columns[part] == "train") & np.isin(columns[image], holdout.ids)
        columns[part] = np.where(moved, HOLDOUT, columns[part])
    return Audit(columns, {**audit.ids, "train": train.ids, HOLDOUT: holdout.ids})
