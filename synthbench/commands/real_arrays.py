"""Real images given as one `.npz` or `.npy` file: written out as class folders, which `image-folder` reads."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.data.class_folders import write_class_folders
from synthbench.errors import ConfigError, DataError
from synthbench.intake import ArrayFile
from synthbench.storage.weights import sha256_of
from synthbench.types import Images

__all__ = ["as_class_folders"]

NO_LABELS = "unlabelled"


def as_class_folders(file: Path, out: Path) -> Path:
    """The folder in `out` that holds the file's images, written unless it is there: its name hashes the content.

    The file is an `ArrayFile`: `images` or `arr_0`; `labels` or `arr_1`, class numbers or names, without which all
    are of one class; and, if known, `patients`. Raises ConfigError where it is not.
    """
    try:
        images = _images(ArrayFile(file))
    except (DataError, ValueError) as error:
        raise ConfigError(str(error)) from error
    folder = out / f"real-{sha256_of(file)[:8]}"
    if not folder.exists():
        partial = folder.with_name(f".{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)  # left by a kill
        write_class_folders(images, partial)
        partial.rename(folder)
    return folder


def _images(held: ArrayFile) -> Images:
    pixels, patients = held.images(), held.patients()
    labels = _names(held.labels()) if held.has_labels() else np.full(len(pixels), NO_LABELS)
    names, numbers = np.unique(labels, return_inverse=True)
    return Images(
        pixels[..., None] if pixels.ndim == 3 else pixels,
        numbers.astype(np.int64).reshape(-1),
        tuple(map(str, names)),
        groups=patients,  # type: ignore[arg-type]
    )


def _names(labels: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Class names; numbers as wide as the largest, so that their order as text is that of the numbers."""
    if labels.dtype.kind == "U":
        return labels
    width = len(str(labels.max(initial=0)))
    return np.array([f"{label:0{width}d}" for label in labels.tolist()], dtype=np.str_)
