"""A test part for a set that has none: whole groups, the same ones on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from synthbench import DataError
from synthbench_cxr.layout import Listing

__all__ = ["hold_out"]


def hold_out(listing: Listing, fraction: float) -> Listing:
    """Move about `fraction` of the groups of `train` to `test`, class by class; 1 moves all images, of any part.

    A group goes as a whole, with the class of its first image. Below 1, every class has a group on either
    side. The choice depends on the groups' names alone, not on a seed: it is part of what the data set is,
    as an official split would be.

    Raises DataError where a class has one group only.
    """
    if fraction == 1:
        return replace(listing, items=tuple(replace(item, part="test") for item in listing.items))
    class_of: dict[str, str] = {}
    for item in listing.items:
        if item.part == "train":
            class_of.setdefault(item.group, item.label)
    held: set[str] = set()
    for name in listing.classes:
        groups = sorted((group for group in class_of if class_of[group] == name), key=_rank)
        if len(groups) < 2:
            number = "one group" if groups else "no group of its own"
            advice = ("Add images, or a test folder, or set test_fraction to 1", *listing.remarks)
            raise DataError(
                f"{name} has images of {number} only: a test part needs another one. {'. '.join(advice)}"
            )
        held.update(groups[: min(len(groups) - 1, max(1, round(fraction * len(groups))))])
    items = [replace(item, part="test") if item.group in held else item for item in listing.items]
    return replace(listing, items=tuple(items))


def _rank(group: str) -> str:
    return hashlib.sha256(group.encode()).hexdigest()
