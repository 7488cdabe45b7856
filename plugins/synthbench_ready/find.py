"""From a place to the images that lie there: class folders, a manifest, .npz, .npy."""

from __future__ import annotations

import csv
import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unicodedata import normalize
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from synthbench import PICTURE_SUFFIXES, DataError, Labels, holds_results
from synthbench_ready.sources import Batch, Pictures, Source

__all__ = ["find_batch", "find_folders", "find_images", "find_listed", "find_unlabelled", "label_of"]

IMAGE_KEYS, LABEL_KEYS = ("images", "arr_0"), ("labels", "arr_1")
"""Of an .npz: by name, or in the order in which samplers give them to np.savez."""

UNREADABLE = (OSError, ValueError, EOFError, BadZipFile, zlib.error)
"""What NumPy raises for a damaged file of arrays."""


def find_images(
    root: Path, classes: Sequence[str], *, manifest: str | None, labels: Path | None, numbers: Sequence[str] | None
) -> Source:
    """What lies at `root`, labels as indices into `classes`.

    numbers  the class names behind the labels 0, 1, ... where labels are numbers; None: `classes` themselves

    Raises DataError where there is nothing, a label is no class, a class has no image, or an option is of no use.
    """
    if not root.exists():
        raise DataError(f"{root}: there is no such file or folder")
    arrays = root.suffix in (".npz", ".npy")
    idle: dict[str, object]
    if arrays:
        kind, idle = "arrays", {"manifest": manifest}
    elif manifest:
        kind, idle = "files that a manifest lists", {"labels": labels}
    else:
        kind, idle = "a folder of class folders", {"labels": labels, "classes": numbers}
    for option, value in idle.items():
        if value:
            raise DataError(f"{root}: `{option}` says nothing of {kind}; take it away")
    if arrays:
        source: Source = find_batch(root, labels, classes, numbers)
    elif manifest is not None:
        source = find_listed(root, root / manifest, classes, numbers)
    else:
        source = find_folders(root, classes)
    counts = np.bincount(source.labels, minlength=len(classes))
    if missing := [name for name, n in zip(classes, counts, strict=True) if n == 0]:
        raise DataError(f"{root}: no images of {', '.join(missing)}; the classes are {', '.join(classes)}")
    return source


def find_unlabelled(root: Path) -> Source:
    """All that lies at `root`, in whatever folder, under the label 0. Raises DataError where that is nothing."""
    if root.suffix in (".npz", ".npy"):
        stored, key = _open(root)
        n = len(stored[key] if key else stored)
        source: Source = Batch(root, key, np.zeros(n, dtype=np.int64))
    else:
        paths = sorted(_pictures_below(root))
        source = Pictures(paths, np.zeros(len(paths), dtype=np.int64), [_id(path, root) for path in paths])
    if not len(source.labels):
        raise DataError(f"{root}: no images in it; pictures end in {' '.join(sorted(PICTURE_SUFFIXES))}")
    return source


def find_folders(root: Path, classes: Sequence[str]) -> Pictures:
    """The pictures in and below the class folders of `root`, by name; other files there are passed over."""
    if not root.is_dir():
        raise DataError(f"{root}: neither a folder of class folders nor an .npz or .npy file")
    below = [path for path in root.iterdir() if path.is_dir() and not path.name.startswith(".")]
    folders = sorted(path for path in below if not holds_results(path))
    if not folders:
        raise DataError(
            f"{root}: no class folders; a flat folder needs `manifest:`, a CSV of path and label in it"
        )
    paths, labels = [], []
    for folder in folders:
        label = label_of(folder.name, classes, (), f"{root}: the folder")
        pictures = sorted(_pictures_below(folder))
        paths += pictures
        labels += [label] * len(pictures)
    return Pictures(paths, np.array(labels, dtype=np.int64), [_id(path, root) for path in paths])


def _pictures_below(folder: Path) -> Iterator[Path]:
    """At any depth, but for those in a run's folder: they are grids and curves, no generator's images."""
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not holds_results(Path(place, name))]
        yield from (path for path in (Path(place, name) for name in files) if _is_picture(path))


def _is_picture(path: Path) -> bool:
    return path.suffix.casefold() in PICTURE_SUFFIXES and not path.name.startswith(".") and path.is_file()


def _id(path: Path, root: Path) -> str:
    """Bytes that are no UTF-8 are written out, since ids are hashed and stored."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()


def find_listed(root: Path, manifest: Path, classes: Sequence[str], numbers: Sequence[str] | None) -> Pictures:
    """The pictures that a CSV with the columns path and label lists, each once, in its order; paths below `root`.

    Cells are parted by comma, semicolon or tab; letter case of the columns' names makes no difference.
    """
    try:
        with manifest.open(encoding="utf-8-sig", newline="") as file:
            heading = file.readline()
            file.seek(0)
            table = csv.DictReader(file, delimiter=max(",;\t", key=heading.count))
            rows = [{str(name).strip().casefold(): cell for name, cell in row.items()} for row in table]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{manifest} cannot be read: {error}") from error
    if not rows or not {"path", "label"} <= rows[0].keys():
        columns = ", ".join(map(str, rows[0])) if rows else "no rows"
        raise DataError(f"{manifest}: expected rows with the columns path and label, found {columns}")
    labels = [
        label_of(row["label"] or "", classes, numbers, f"{manifest}, line {line}:")
        for line, row in enumerate(rows, start=2)
    ]
    listed: dict[Path, tuple[str, int]] = {}
    for line, (row, label) in enumerate(zip(rows, labels, strict=True), start=2):
        name = (row["path"] or "").replace("\\", "/")
        path, where = (root / name).resolve(), f"{manifest}, line {line}: {name}"
        if not path.is_file():
            raise DataError(f"{where} is no file below {root}")
        if not path.is_relative_to(root.resolve()):
            raise DataError(f"{where} lies outside of {root}")
        if listed.setdefault(path, (name, label))[1] != label:
            raise DataError(f"{where} has two labels; keep one of them")
    names, numbered = zip(*listed.values(), strict=True)
    return Pictures(list(listed), np.array(numbered, dtype=np.int64), list(names))


def find_batch(file: Path, labels: Path | None, classes: Sequence[str], numbers: Sequence[str] | None) -> Batch:
    """The array of images in an .npz or .npy file, and its labels: in it, or in the .npy file `labels`."""
    stored, key = _open(file)
    names = list(getattr(stored, "files", []))
    try:
        if labels is not None:
            raw = np.load(labels, allow_pickle=False)
        elif beside := next((name for name in LABEL_KEYS if name in names), ""):
            raw = stored[beside]
        else:
            raise DataError(f"{file}: no labels in it (labels, or arr_1); give an .npy file of them as `labels:`")
    except UNREADABLE as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
    return Batch(file, key, _labels(raw, classes, numbers, labels or file))


def _open(file: Path) -> tuple[Any, str]:
    """What numpy reads, and under which name the images stand in it: "" of an .npy. Raises DataError."""
    try:
        stored = np.load(file, mmap_mode="r", allow_pickle=False)
    except UNREADABLE as error:
        raise DataError(f"{file}: cannot be read: {error}") from error
    names = list(getattr(stored, "files", []))
    key = next((name for name in IMAGE_KEYS if name in names), "")
    if names and not key:
        raise DataError(f"{file}: no array images or arr_0, found {', '.join(names)}")
    return stored, key


def _labels(raw: npt.NDArray[Any], classes: Sequence[str], numbers: Sequence[str] | None, file: Path) -> Labels:
    """Names or numbers, (N,) or (N, 1), as indices into `classes`; False and True are 0 and 1."""
    raw = raw.astype(np.int64) if raw.dtype.kind == "b" else raw
    if raw.size != len(raw) or raw.dtype.kind not in "iuU":
        shape = " x ".join(map(str, raw.shape))
        raise DataError(f"{file}: labels are one whole number or class name an image, found {raw.dtype} {shape}")
    kinds, inverse = np.unique(raw.ravel().astype(np.str_), return_inverse=True)
    index = np.array([label_of(str(kind), classes, numbers, f"{file}:") for kind in kinds], dtype=np.int64)
    return index[inverse] if len(raw) else np.empty(0, dtype=np.int64)


def label_of(text: str, classes: Sequence[str], numbers: Sequence[str] | None, where: str) -> int:
    """The index of a class by its name, letter case apart, or by its number in `numbers`.

    Unless these are given, a number counts `classes`; where one of those is itself called by a number, it is a
    name: of the classes 1, 2 and 3 nobody knows whether 1 is the first. Raises DataError for what is no class.
    """
    names = [_folded(name) for name in classes]
    if numbers is None:
        numbers = () if any(name.isdecimal() for name in classes) else classes
    if text.isdecimal() and int(text) < len(numbers):
        text = numbers[int(text)]
    if _folded(text) in names:
        return names.index(_folded(text))
    raise DataError(f"{where} {text!r} is none of the benchmark's classes {', '.join(classes)}")


def _folded(name: str) -> str:
    return normalize("NFC", normalize("NFD", name).casefold())
