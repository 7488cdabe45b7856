"""Images in a folder, an entry's of the store say: pixels.npy and images.json."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from synthbench.errors import StoreError
from synthbench.storage.disk import save_array
from synthbench.types import Images

__all__ = ["load_images", "save_images"]


def save_images(folder: Path, images: Images) -> None:
    """Write `images` into an existing folder: pixels.npy and images.json."""
    save_array(folder / "pixels.npy", images.pixels)
    about = {
        "classes": images.classes,
        "labels": images.labels.tolist(),
        "ids": images.ids.tolist(),
        "groups": images.groups.tolist(),
        "digest": images.digest,
    }
    (folder / "images.json").write_text(json.dumps(about), encoding="utf-8")


def load_images(folder: Path) -> Images:
    """Read what `save_images` wrote; the pixels are memory-mapped. Raises StoreError where damaged."""
    try:
        about = json.loads((folder / "images.json").read_text(encoding="utf-8"))
        images = Images(
            pixels=np.load(folder / "pixels.npy", mmap_mode="r"),
            labels=np.array(about["labels"], dtype=np.int64),
            classes=tuple(about["classes"]),
            ids=np.array(about["ids"], dtype=np.str_),
            groups=np.array(about["groups"], dtype=np.str_),
        )
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise StoreError.damaged(folder, error) from error
    images.__dict__["digest"] = about["digest"]  # known from when it was written: saves reading the pixels
    return images
