"""What the images are that `synthbench score` is given: how many, and whether they have labels."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from synthbench.errors import ConfigError, DataError
from synthbench.intake import ARRAY_SUFFIXES, PARTS, ArrayFile, Walk, folded, subfolders

__all__ = ["images_in", "unlabelled"]


def unlabelled(real: Sequence[Path], synthetic: Sequence[Path]) -> list[Path]:
    """Those without labels: folders without class folders, arrays with none beside them. A table has some."""
    flat_real = [place for place in real if _has_none(place, [*_parts(place)] or [place])]
    return [*flat_real, *(place for place in synthetic if _has_none(place, [place]))]


def images_in(place: Path) -> int:
    """Pictures at any depth, as `images` finds them, or those of an array. Raises ConfigError for none."""
    try:
        if place.suffix.casefold() in ARRAY_SUFFIXES and place.is_file():
            return ArrayFile(place).count()
        n = len(Walk[str](place).images([("", place)])) if place.is_dir() else 0
    except DataError as error:
        raise ConfigError(str(error)) from error
    if not n:
        raise ConfigError(f"{place}: no images in it; give a folder of picture files, or an .npz or .npy file")
    return n


def _parts(place: Path) -> list[Path]:
    """Its folders train, val and test."""
    return [folder for folder in subfolders(place) if folded(folder.name) in PARTS] if place.is_dir() else []


def _has_none(place: Path, parts: Sequence[Path]) -> bool:
    if place.is_file():
        return place.suffix.casefold() in ARRAY_SUFFIXES and not _has_labels(place)
    classes = [folder for part in parts for folder in subfolders(part)]
    return not any(path.is_file() for folder in classes for path in folder.rglob("*"))


def _has_labels(file: Path) -> bool:
    """Also where it cannot be read, which is told by who reads the images."""
    try:
        return ArrayFile(file).has_labels()
    except DataError:
        return True
