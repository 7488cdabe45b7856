"""Images and their labels as NumPy keeps them: an `.npz` of both, or an `.npy` of either."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from synthbench.errors import DataError

__all__ = ["ARRAY_SUFFIXES", "ArrayFile", "read_labels"]

ARRAY_SUFFIXES = frozenset({".npz", ".npy"})

IMAGES, LABELS = ("images", "arr_0"), ("labels", "arr_1")
"""Of an .npz: by name, or in the order in which samplers give them to np.savez."""

PATIENTS = ("patients", "patient", "patient_id", "patient_ids", "groups")

ALONE = ""
"""The name of the array in an .npy."""

UNREADABLE = (OSError, ValueError, EOFError, BadZipFile, zlib.error, NotImplementedError)
"""What NumPy and zipfile raise for a damaged file of arrays."""


class ArrayFile:
    """An `.npz`, or an `.npy` of images alone. Its arrays are read when they are asked for.

    Images are uint8 (N, H, W) or (N, H, W, C), C 1 or 3; labels and patients a number or a name for each. All
    methods raise DataError, naming the file, for what is not there, damaged, or of another form.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        with _reading(file):
            self._stored: Any = np.load(file, mmap_mode="r", allow_pickle=False)
        self.names: tuple[str, ...] = tuple(getattr(self._stored, "files", (ALONE,)))

    def images(self) -> npt.NDArray[np.uint8]:
        """The pixels; of an `.npy` mapped into memory."""
        self.count()
        return self._read(self._name(IMAGES))

    def count(self) -> int:
        """How many images, by the array's header: no pixel is read."""
        shape, dtype = self._header(self._name(IMAGES))
        if problem := _problem(shape, dtype):
            raise DataError(f"{self.file}: {problem}")
        return shape[0]

    def has_labels(self) -> bool:
        """Whether there are labels beside the images."""
        return any(name in self.names for name in LABELS)

    def labels(self) -> npt.NDArray[Any]:
        """A whole number from 0 or a class name for each image, as `read_labels` gives them."""
        return self._one_each(_labels(self._read(self._name(LABELS)), "labels", self.file), "labels")

    def patients(self) -> npt.NDArray[np.str_] | None:
        """Whom each image shows; None where no array says so."""
        if not any(name in self.names for name in PATIENTS):
            return None
        patients = _plain(self._read(self._name(PATIENTS)), "patients", self.file)
        return self._one_each(patients.astype(np.str_), "patients")

    def _one_each(self, column: npt.NDArray[Any], what: str) -> npt.NDArray[Any]:
        if len(column) != self.count():
            raise DataError(f"{self.file}: {self.count()} images and {len(column)} {what}")
        return column

    def _name(self, names: tuple[str, ...]) -> str:
        if self.names == (ALONE,) and names is IMAGES:
            return ALONE
        if name := next((name for name in names if name in self.names), None):
            return name
        held = ", ".join(filter(None, self.names)) or "no names"
        raise DataError(f"{self.file}: no array {' or '.join(names[:2])}; it holds {held}")

    def _header(self, name: str) -> tuple[tuple[int, ...], np.dtype[Any]]:
        if name == ALONE:
            return self._stored.shape, self._stored.dtype
        with _reading(self.file), self._stored.zip.open(f"{name}.npy") as member:
            is_first = np.lib.format.read_magic(member) == (1, 0)
            reader = np.lib.format.read_array_header_1_0 if is_first else np.lib.format.read_array_header_2_0
            shape, _, dtype = reader(member)
            return shape, dtype

    def _read(self, name: str) -> npt.NDArray[Any]:
        with _reading(self.file):
            array: npt.NDArray[Any] = self._stored if name == ALONE else self._stored[name]
            return array


def read_labels(file: Path) -> npt.NDArray[Any]:
    """The labels in an `.npy`, or in an `.npz` that calls them so: whole numbers from 0 or names, (N,).

    Raises DataError where there are none, or one is neither, or is missing.
    """
    held = ArrayFile(file)
    name = ALONE if held.names == (ALONE,) else held._name(LABELS)
    return _labels(held._read(name), "labels", file)


def _labels(column: npt.NDArray[Any], what: str, file: Path) -> npt.NDArray[Any]:
    labels = _plain(column, what, file)
    if labels.dtype.kind == "i" and labels.min(initial=0) < 0:
        raise DataError(f"{file}: {what} hold {labels.min()}; classes count from 0: leave out what has no class")
    return labels


def _plain(column: npt.NDArray[Any], what: str, file: Path) -> npt.NDArray[Any]:
    """(N,) or (N, 1) of anything as whole numbers or texts (N,): False and True are 0 and 1, 2.0 is 2."""
    kind, found = column.dtype.kind, " x ".join(map(str, column.shape)) or "one value"
    if column.ndim == 0 or column.size != len(column) or kind not in "biufSU":
        entry = "one whole number or class name" if what == "labels" else "one number or name"
        raise DataError(f"{file}: {what} are {entry} an image, found {column.dtype} {found}")
    column = column.reshape(-1)
    if kind in "iu":
        return column
    if kind == "b":
        return column.astype(np.int64)
    return _whole(column, what, file) if kind == "f" else _texts(column, what, file)


def _whole(column: npt.NDArray[Any], what: str, file: Path) -> npt.NDArray[np.int64]:
    odd = column[~(np.isfinite(column) & (column == np.rint(column)))]
    if odd.size:
        raise DataError(f"{file}: {what} hold {odd[0]}: give each image a whole number or a name, or leave it out")
    return column.astype(np.int64)


def _texts(column: npt.NDArray[Any], what: str, file: Path) -> npt.NDArray[np.str_]:
    if column.dtype.kind == "S":
        column = np.char.decode(column, "utf-8", "backslashreplace")
    texts = np.char.strip(column)
    if missing := np.flatnonzero(texts == "").tolist():
        raise DataError(f"{file}: {what} are empty for image {missing[0]} (from 0): name it, or leave it out")
    return texts


@contextmanager
def _reading(file: Path) -> Iterator[None]:
    try:
        yield
    except UNREADABLE as error:
        raise DataError(f"{file} cannot be read: {error}") from error


def _problem(shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
    """What is wrong with an array of images, "" where nothing is."""
    size = " x ".join(map(str, shape)) or "one value"
    if len(shape) == 4 and shape[1] in (1, 3) and shape[3] not in (1, 3):
        return f"an array of {size}, the channels in front: write np.moveaxis(images, 1, 3)"
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        return f"an array of {size}: images are N x H x W, or N x H x W x C with 1 or 3 channels"
    if dtype != np.uint8:
        return f"values of type {dtype}: write them as uint8, 0 black and 255 white"
    return ""
