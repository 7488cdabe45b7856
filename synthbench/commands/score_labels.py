"""Whether the images that `synthbench score` is given have labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from synthbench.api.pictures import has_picture_suffix
from synthbench.errors import ConfigError

__all__ = ["LABELS", "pictures_in", "unlabelled"]

LABELS = ("labels", "arr_1")
"""What an `.npz` calls them."""

PARTS = frozenset({"train", "training", "val", "valid", "validation", "test", "testing"})


def unlabelled(real: Sequence[Path], synthetic: Sequence[Path]) -> list[Path]:
    """Those without labels: folders without class folders, arrays with none beside them. A table has some."""
    flat_real = [place for place in real if _has_none(place, [*_parts(place)] or [place])]
    return [*flat_real, *(place for place in synthetic if _has_none(place, [place]))]


def pictures_in(place: Path) -> int:
    """Files that are pictures by their suffix, at any depth. Raises ConfigError for a folder that has none."""
    n = sum(has_picture_suffix(path) for path in place.rglob("*") if path.is_file())
    if not n:
        raise ConfigError(f"{place}: no images in it; give a folder of picture files, or an .npz or .npy file")
    return n


def _parts(place: Path) -> list[Path]:
    """Its folders train, val and test."""
    return [folder for folder in _folders(place) if folder.name.casefold() in PARTS] if place.is_dir() else []


def _has_none(place: Path, parts: Sequence[Path]) -> bool:
    if place.suffix.casefold() == ".npz" and place.is_file():
        return not _names(place) & set(LABELS)
    if place.is_file():
        return place.suffix.casefold() == ".npy"
    classes = [folder for part in parts for folder in _folders(part)]
    return not any(path.is_file() for folder in classes for path in folder.rglob("*"))


def _folders(place: Path) -> list[Path]:
    return [path for path in place.iterdir() if path.is_dir() and not path.name.startswith(".")]


def _names(file: Path) -> set[str]:
    """Of the arrays; LABELS where it cannot be read, which is told by who reads the images."""
    try:
        with np.load(file, allow_pickle=False) as arrays:
            return set(arrays.files)
    except (OSError, ValueError, EOFError, AttributeError, BadZipFile):
        return set(LABELS)
