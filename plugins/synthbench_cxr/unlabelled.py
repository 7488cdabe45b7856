"""Folders whose images have no labels: every picture in them is of one class, whatever folder it lies in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from synthbench import DataError
from synthbench.intake import IMAGE_SUFFIXES, Walk, id_of
from synthbench_cxr.layout import Item, Listing

__all__ = ["REMARK", "UNLABELLED", "scan_unlabelled"]

UNLABELLED = "unlabelled"
"""What the one class is called."""

REMARK = "no labels: likeness and copying alone can be told, nothing of what the images are worth for training"


def scan_unlabelled(root: Path, parts: Mapping[str, Path]) -> Listing:
    """List the pictures in and below `parts` (folder by part name). Raises DataError where a part has none."""
    walk = Walk[str](root, of_classes=False)
    items = [Item(path, id_of(path, root), part, UNLABELLED) for part, path in walk.images(parts.items())]
    present = {item.part for item in items}
    if empty := [folder for part, folder in parts.items() if part not in present]:
        suffixes = " ".join(sorted(IMAGE_SUFFIXES))
        raise DataError(f"{empty[0]}: no images in it; image files end in {suffixes}{walk.links_in(empty[0])}")
    items.sort(key=lambda item: item.id)
    return Listing((UNLABELLED,), tuple(items), tuple(walk.aside), tuple(walk.remarks))
