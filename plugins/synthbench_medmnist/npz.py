"""MedMNIST's .npz files, unpacked to the disk and not to memory: at 224 pixels a set takes up to 16 GB."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench import DataError, Images

__all__ = ["PARTS", "unpack_part"]

PARTS = ("train", "val", "test")
LUMA = np.array([19595, 38470, 7471], dtype=np.uint32)
"""ITU-R 601 in units of 1/65536, rounded as Pillow does."""
BLOCK = 4096

Array = npt.NDArray[Any]


def unpack_part(file: Path, part: str, classes: tuple[str, ...], size: int, channels: int, work: Path) -> Images:
    """The images of one part, their pixels memory-mapped in `work`.

    Raises DataError where the file is none, lacks the part, or holds other images or labels.
    """
    pixels = _member(file, f"{part}_images", work)
    labels = _member(file, f"{part}_labels", work)
    n = len(pixels) if pixels.ndim else 0
    if not n:
        raise DataError(f"{file}: {part}_images are {pixels.dtype} {pixels.shape}: no images")
    if pixels.dtype != np.uint8 or pixels.shape[1:] not in ((size, size), (size, size, 3)):
        kind = f"{part}_images are {pixels.dtype} {pixels.shape}"
        raise DataError(f"{file}: {kind}, must be uint8 (N, {size}, {size}) or (N, {size}, {size}, 3)")
    if labels.shape != (n, 1) or labels.dtype.kind not in "iu":
        raise DataError(
            f"{file}: {part}_labels are {labels.dtype} {labels.shape}, must be one number an image, ({n}, 1)"
        )
    if not 0 <= labels.min() <= labels.max() < len(classes):
        found = f"go from {labels.min()} to {labels.max()}"
        raise DataError(f"{file}: {part}_labels {found}, must be 0 to {len(classes) - 1}: {len(classes)} classes")
    if part == "train" and (missing := set(range(len(classes))).difference(np.unique(labels).tolist())):
        named = ", ".join(classes[k] for k in sorted(missing))
        raise DataError(f"{file}: {part}_labels have none of {named}")
    ids = np.array([f"{part}/{i:06d}" for i in range(n)], dtype=np.str_)
    ready = _with_channels(pixels.reshape(n, size, size, -1), channels, work / f"{part}_pixels.npy")
    return Images(ready, labels[:, 0].astype(np.int64), classes, ids)


def _member(file: Path, name: str, work: Path) -> Array:
    """An array of the archive, memory-mapped from a copy in `work`."""
    target = work / f"{name}.npy"
    try:
        with (
            zipfile.ZipFile(file) as archive,
            archive.open(f"{name}.npy") as packed,
            target.open("wb") as unpacked,
        ):
            shutil.copyfileobj(packed, unpacked, 1 << 20)
        array: Array = np.load(target, mmap_mode="r", allow_pickle=False)
    except KeyError as error:
        raise DataError(f"{file}: no {name} in it; is it a file of MedMNIST?") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise DataError(f"{file}: is damaged or no .npz file ({error}); get it again") from error
    return array


def _with_channels(pixels: Array, channels: int, target: Path) -> Array:
    """(N, H, W, C) as they are, or block by block in a file: grey three times, or the luma of RGB."""
    if pixels.shape[3] == channels:
        return pixels
    # In order, not through a memory map: on a full disk that would end the process (SIGBUS).
    with target.open("wb") as file:
        about = {"descr": "|u1", "fortran_order": False, "shape": (*pixels.shape[:3], channels)}
        np.lib.format.write_array_header_1_0(file, about)
        for start in range(0, len(pixels), BLOCK):
            block = np.asarray(pixels[start : start + BLOCK])
            if channels == 1:
                block = ((block @ LUMA + 0x8000) >> 16).astype(np.uint8)[..., None]
            file.write(np.ascontiguousarray(np.broadcast_to(block, (*block.shape[:3], channels))).data)
    ready: Array = np.load(target, mmap_mode="r", allow_pickle=False)
    return ready
