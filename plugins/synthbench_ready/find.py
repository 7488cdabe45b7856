"""From a place to the images that lie there: class folders, a table, .npz, .npy."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench import DataError, Labels, Quarantined
from synthbench.intake import (
    ARRAY_SUFFIXES,
    IMAGE_SUFFIXES,
    ArrayFile,
    Row,
    Walk,
    folded,
    id_of,
    read_labels,
    read_rows,
    subfolders,
)
from synthbench_ready.sources import Batch, Pictures, Source

__all__ = ["files_at", "find_batch", "find_folders", "find_images", "find_listed", "find_unlabelled", "label_of"]

COLUMNS = ("path", "label")


def files_at(root: Path, manifest: Path | None, *, labelled: bool) -> list[Path]:
    """The files that decide what is found at `root`: those that are read, and the table that lists them."""
    if root.is_file():
        return [root]
    if manifest is not None:
        rows = _rows(manifest)
        return [manifest, *sorted({_place(root, row, manifest) for row in rows})]
    return [path for _, path in _walked(root, labelled=labelled)[0]]


def find_images(
    root: Path,
    classes: Sequence[str],
    *,
    manifest: Path | None,
    labels: Path | None,
    numbers: Sequence[str] | None,
) -> Source:
    """What lies at `root`, labels as indices into `classes`.

    numbers  the class names behind the labels 0, 1, ... where labels are numbers; None: `classes` themselves

    Raises DataError where there is nothing, a label is no class, a class has no image, or an option is of no use.
    """
    if not root.exists():
        raise DataError(f"{root}: there is no such file or folder")
    idle: dict[str, object]
    if _holds_arrays(root):
        kind, idle = "arrays", {"manifest": manifest}
    elif manifest:
        kind, idle = "files that a manifest lists", {"labels": labels}
    else:
        kind, idle = "a folder of class folders", {"labels": labels, "classes": numbers}
    for option, value in idle.items():
        if value:
            raise DataError(f"{root}: `{option}` says nothing of {kind}; take it away")
    if _holds_arrays(root):
        source: Source = find_batch(root, labels, classes, numbers)
    elif manifest is not None:
        source = find_listed(root, manifest, classes, numbers)
    else:
        source = find_folders(root, classes)
    counts = np.bincount(source.labels, minlength=len(classes))
    if missing := [name for name, n in zip(classes, counts, strict=True) if n == 0]:
        raise DataError(f"{root}: no images of {', '.join(missing)}; the classes are {', '.join(classes)}")
    return source


def find_unlabelled(root: Path) -> Source:
    """All that lies at `root`, in whatever folder, under the label 0. Raises DataError where that is nothing."""
    if _holds_arrays(root):
        count = ArrayFile(root).count()
        source: Source = Batch(root, np.zeros(count, dtype=np.int64))
    else:
        found, aside = _walked(root, labelled=False)
        source = _pictures(root, [(0, path) for _, path in found], aside)
    if not len(source.labels):
        raise DataError(f"{root}: no images in it; pictures end in {' '.join(sorted(IMAGE_SUFFIXES))}")
    return source


def find_folders(root: Path, classes: Sequence[str]) -> Pictures:
    """The pictures in and below the class folders of `root`, by name; other files there are passed over."""
    if not root.is_dir():
        raise DataError(f"{root}: neither a folder of class folders nor an .npz or .npy file")
    folders = subfolders(root)
    if not folders:
        raise DataError(
            f"{root}: no class folders; a flat folder needs `manifest:`, a CSV of path and label in it"
        )
    labels = {folder.name: label_of(folder.name, classes, (), f"{root}: the folder") for folder in folders}
    found, aside = _walked(root, labelled=True)
    return _pictures(root, [(labels[name], path) for name, path in found], aside)


def _holds_arrays(root: Path) -> bool:
    return root.suffix.casefold() in ARRAY_SUFFIXES and not root.is_dir()


def _walked(root: Path, *, labelled: bool) -> tuple[list[tuple[str, Path]], list[Quarantined]]:
    """The pictures in and below `root`, by the rules for real ones, each with its class folder; the rest."""
    walk = Walk[str](root, of_classes=labelled)
    starts = [(folder.name, folder) for folder in subfolders(root)] if labelled else [("", root)]
    return sorted(walk.images(starts), key=lambda found: id_of(found[1], root)), walk.aside


def _pictures(root: Path, found: Sequence[tuple[int, Path]], aside: Sequence[Quarantined]) -> Pictures:
    labels = np.array([label for label, _ in found], dtype=np.int64)
    return Pictures([path for _, path in found], labels, [id_of(path, root) for _, path in found], aside)


def find_listed(root: Path, manifest: Path, classes: Sequence[str], numbers: Sequence[str] | None) -> Pictures:
    """The pictures that a CSV of path and label lists, each once, in its order; paths below `root`."""
    rows = _rows(manifest)
    listed: dict[str, tuple[Path, str, int]] = {}
    for row in rows:
        label = label_of(row["label"], classes, numbers, f"{manifest}, line {row.line}:")
        path = _place(root, row, manifest)
        name = row["path"].replace("\\", "/")
        if listed.setdefault(os.path.realpath(path), (path, name, label))[2] != label:
            raise DataError(f"{manifest}, line {row.line}: {name} has two labels; keep one of them")
    paths, names, labels = zip(*listed.values(), strict=True)
    return Pictures(paths, np.array(labels, dtype=np.int64), names)


def _rows(manifest: Path) -> list[Row]:
    if not manifest.is_file():
        raise DataError(f"{manifest}: there is no such file; a relative `manifest` lies in root")
    rows = read_rows(manifest, COLUMNS)
    if not set(COLUMNS) <= rows[0].cells.keys():
        found = ", ".join(rows[0].cells)
        raise DataError(f"{manifest}: expected rows with the columns path and label, found {found}")
    return rows


def _place(root: Path, row: Row, manifest: Path) -> Path:
    """The file that a row names. Raises DataError where it is none, or lies outside of `root`."""
    name = row["path"].replace("\\", "/")
    inside, where = os.path.relpath(root / name, root), f"{manifest}, line {row.line}: {name}"
    if Path(inside).parts[:1] == ("..",):
        raise DataError(f"{where} lies outside of {root}")
    if not (root / inside).is_file():
        raise DataError(f"{where} is no file below {root}")
    return root / inside


def find_batch(file: Path, labels: Path | None, classes: Sequence[str], numbers: Sequence[str] | None) -> Batch:
    """The array of images in an .npz or .npy file, and its labels: in it, or in the file `labels`."""
    held = ArrayFile(file)
    count = held.count()
    if labels is not None:
        raw = read_labels(labels)
    elif held.has_labels():
        raw = held.labels()
    else:
        raise DataError(f"{file}: no labels in it (labels, or arr_1); give an .npy file of them as `labels:`")
    if len(raw) != count:
        raise DataError(f"{file}: {count} images and {len(raw)} labels")
    return Batch(file, _indices(raw, classes, numbers, labels or file))


def _indices(raw: npt.NDArray[Any], classes: Sequence[str], numbers: Sequence[str] | None, file: Path) -> Labels:
    """Names or numbers as indices into `classes`."""
    kinds, inverse = np.unique(raw.astype(np.str_), return_inverse=True)
    index = np.array([label_of(str(kind), classes, numbers, f"{file}:") for kind in kinds], dtype=np.int64)
    return index[inverse.reshape(-1)]


def label_of(text: str, classes: Sequence[str], numbers: Sequence[str] | None, where: str) -> int:
    """The index of a class by its name, letter case apart, or by its number in `numbers`.

    Unless these are given, a number counts `classes`; where one of those is itself called by a number, it is a
    name: of the classes 1, 2 and 3 nobody knows whether 1 is the first. Zeros in front are none of a name's: 1 is
    the class 01, as numbers are written to be in their order. Raises DataError for what is no class.
    """
    names = [folded(name) for name in classes]
    if numbers is None:
        numbers = () if any(name.isdecimal() for name in classes) else classes
    if text.isdecimal() and int(text) < len(numbers):
        text = numbers[int(text)]
    if folded(text) in names:
        return names.index(folded(text))
    same = [k for k, name in enumerate(names) if name.isdecimal() and text.isdecimal() and int(name) == int(text)]
    if len(same) == 1:
        return same[0]
    raise DataError(f"{where} {text!r} is none of the benchmark's classes {', '.join(classes)}")
