"""Real images given as one `.npz` or `.npy` file: written out as class folders, which `image-folder` reads."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.commands.score_labels import LABELS
from synthbench.data.class_folders import write_class_folders
from synthbench.errors import ConfigError
from synthbench.storage.weights import sha256_of
from synthbench.types import Images

__all__ = ["as_class_folders"]

IMAGES, PATIENTS = ("images", "arr_0"), "patients"
NO_LABELS = ("unlabelled",)


def as_class_folders(file: Path, out: Path) -> Path:
    """The folder in `out` that holds the file's images, written unless it is there: its name hashes the content.

    The file holds `images` or `arr_0`, uint8 (N, H, W) or (N, H, W, C), C 1 or 3; `labels` or `arr_1` (N,), class
    numbers or names, without which all are of one class; and, if known, `patients` (N,). An `.npy` file holds the
    images alone. Raises ConfigError where it does not.
    """
    folder = out / f"real-{sha256_of(file)[:8]}"
    if not folder.exists():
        partial = folder.with_name(f".{folder.name}")
        shutil.rmtree(partial, ignore_errors=True)  # left by a kill
        write_class_folders(_images(file), partial)
        partial.rename(folder)
    return folder


def _images(file: Path) -> Images:
    held = _held(file)
    pixels, patients = _array(held, IMAGES, file), held.get(PATIENTS)
    labels = next((held[name] for name in LABELS if name in held), None)
    names, numbers = np.array(NO_LABELS), np.zeros(len(pixels), dtype=np.int64)
    if labels is not None:
        if labels.size != len(pixels):
            raise ConfigError(f"{file}: {labels.size} labels for {len(pixels)} images")
        names, numbers = np.unique(_names(labels.reshape(-1)), return_inverse=True)
    try:
        return Images(
            pixels[..., None] if pixels.ndim == 3 else pixels,
            numbers.astype(np.int64).reshape(-1),
            tuple(map(str, names)),
            groups=None if patients is None else np.asarray(patients, dtype=np.str_),  # type: ignore[arg-type]
        )
    except ValueError as error:
        raise ConfigError(f"{file}: {error}") from error


def _held(file: Path) -> dict[str, npt.NDArray[Any]]:
    """Its arrays by name; that of an `.npy` as the first of IMAGES. Raises ConfigError."""
    try:
        if file.suffix.casefold() == ".npy":
            return {IMAGES[0]: np.lib.format.open_memmap(file, mode="r")}
        with zipfile.ZipFile(file):  # np.load would also take a .npy of that name
            arrays = np.load(file, allow_pickle=False)
        return {name: arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ConfigError(f"{file} cannot be read: {error}") from error


def _array(held: dict[str, npt.NDArray[Any]], names: tuple[str, ...], file: Path) -> npt.NDArray[Any]:
    for name in names:
        if name in held:
            return held[name]
    raise ConfigError(f"{file}: no array {' or '.join(names)}; it holds {', '.join(held) or 'nothing'}")


def _names(labels: npt.NDArray[Any]) -> npt.NDArray[np.str_]:
    """Class names; numbers as wide as the largest, so that their order as text is that of the numbers."""
    if not np.issubdtype(labels.dtype, np.integer):
        return labels.astype(np.str_)
    width = len(str(labels.max(initial=0)))
    return np.array([f"{label:0{width}d}" for label in labels.tolist()], dtype=np.str_)
