"""Images as programs outside read them: class folders of PNG files, and a table that lists them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from synthbench.types import Images

__all__ = ["LABELS", "write_class_folders"]

LABELS = "labels.csv"
COLUMNS = ("path", "label", "patient", "source")


def write_class_folders(images: Images, folder: Path) -> None:
    """Write `<class>/000000.png`, ... into `folder`, the pixels as they are, and `labels.csv` beside them.

    Its columns are path, label, patient (the image's group) and source (its id): `image-folder` reads it as its
    `manifest`. A class whose name names no folder lies in `class-<number>`.
    """
    names = _folders(images.classes)
    for name in names:
        (folder / name).mkdir(parents=True)
    rows = []
    for i, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        path = f"{names[label]}/{i:06d}.png"
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(folder / path, compress_level=1)
        rows.append((path, images.classes[label], images.groups[i], images.ids[i]))
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _folders(classes: Sequence[str]) -> list[str]:
    """The classes' names, where they name folders; others are numbered, by a name that no class has."""
    folders = []
    for k, name in enumerate(classes):
        stem = "class"
        while f"{stem}-{k}" in classes:
            stem += "-"
        folders.append(name if _is_plain(name) else f"{stem}-{k}")
    return folders


def _is_plain(name: str) -> bool:
    return name == Path(name).name == name.strip() and not name.startswith(".") and name not in ("", LABELS)
