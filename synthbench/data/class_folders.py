"""Images as programs outside read them: class folders of PNG files, and a table that lists them."""

from __future__ import annotations

import csv
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
    names = [_folder(name, k) for k, name in enumerate(images.classes)]
    for name in names:
        (folder / name).mkdir(parents=True)
    rows = []
    for i, (pixels, label) in enumerate(zip(images.pixels, images.labels, strict=True)):
        path = f"{names[label]}/{i:06d}.png"
        Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(folder / path, compress_level=1)
        rows.append((path, images.classes[label], images.groups[i], images.ids[i]))
    with (folder / LABELS).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *rows])


def _folder(name: str, number: int) -> str:
    """The class's name, where that names a folder."""
    is_plain = name == Path(name).name and not name.startswith(".")
    return name if is_plain else f"class-{number}"
