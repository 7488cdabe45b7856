"""Where a data set lies: `root:` in the benchmark file, else SYNTHBENCH_DATA, else a download from Kaggle."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from synthbench import DataError, offline
from synthbench_cxr.layout import find_set, folder_names

__all__ = ["VARIABLE", "Source", "existing_folder", "locate"]

VARIABLE = "SYNTHBENCH_DATA"


@dataclass(frozen=True)
class Source:
    """A published set.

    folder  its folder's name under SYNTHBENCH_DATA
    handle  its name on Kaggle
    layout  the folders it has, for messages
    fits    whether a folder has them
    """

    folder: str
    handle: str
    layout: str
    fits: Callable[[Path], bool]


def locate(source: Source, root: Path | None) -> Path:
    """The folder of the set itself. Raises DataError with what was found and what to do."""
    if root is not None:
        return _from_root(source, existing_folder(root, "root"))
    if variable := os.environ.get(VARIABLE):
        return _from_variable(source, existing_folder(Path(variable), VARIABLE))
    return _from_kaggle(source)


def existing_folder(path: Path, what: str) -> Path:
    """`path` made absolute, "~" expanded. Raises DataError unless it is a folder."""
    folder = path.expanduser().absolute()
    if not folder.is_dir():
        kind = "a file, no folder" if folder.exists() else "not there"
        raise DataError(f"{what} is {path}, but {folder} is {kind}; correct {what}")
    return folder


def _from_root(source: Source, root: Path) -> Path:
    if found := find_set(root, source.fits):
        return found
    raise DataError(
        f"root is {root}, but it does not hold {source.layout}, nor do folders up to two deeper; "
        f"found: {folder_names(root)}"
    )


def _from_variable(source: Source, data: Path) -> Path:
    sister = data / source.folder
    if found := find_set(sister if sister.is_dir() else data, source.fits):
        return found
    raise DataError(
        f"{VARIABLE} is {data}, but there is no {source.folder}/ in it with {source.layout}, "
        f"and it is no such set itself; found: {folder_names(data)}. "
        f"Put the set there, or unset {VARIABLE} to download it from Kaggle"
    )


def _from_kaggle(source: Source) -> Path:
    import kagglehub

    if offline() and not _downloaded(source.handle):
        raise DataError(
            f"offline, and no images for {source.folder}: `synthbench fetch` downloads Kaggle's {source.handle} "
            f"where there is a network; or put {source.folder}/ with {source.layout} into the folder that "
            f"{VARIABLE} names, or give it as `root:`"
        )
    try:
        downloaded = Path(kagglehub.dataset_download(source.handle))
    except Exception as error:  # whatever it was, there are no images, and the user has three ways out
        raise DataError(
            f"no images for {source.folder}: give its folder as `root:` in the benchmark file; "
            f"or set {VARIABLE} to a folder that holds {source.folder}/ with {source.layout}; "
            f"or let kagglehub download {source.handle}, which failed: {type(error).__name__}: {error}"
        ) from error
    if found := find_set(downloaded, source.fits):
        return found
    raise DataError(
        f"Kaggle's {source.handle} was downloaded to {downloaded}, but holds no {source.layout}; "
        f"found: {folder_names(downloaded)}"
    )


def _downloaded(handle: str) -> bool:
    """Whether kagglehub has the whole set (`<owner>/<name>/versions/<n>`) in its cache and needs no network."""
    from kagglehub.config import get_cache_folder

    name, _, version = handle.partition("/versions/")
    return Path(get_cache_folder(), "datasets", name, f"{version}.complete").is_file()
