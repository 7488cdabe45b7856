"""The files below class folders: each once, whatever links say, and without what is no image of a patient."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from synthbench.api.dicom import is_dicom
from synthbench.api.pictures import PICTURE_SUFFIXES
from synthbench.errors import DataError
from synthbench.storage.layout import holds_results
from synthbench.types import Quarantined

__all__ = ["IMAGE_SUFFIXES", "Walk", "id_of", "is_system", "names_masks", "subfolders", "unlisted"]

Key = TypeVar("Key", bound=Hashable)

SYSTEM_NAMES = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "dicomdir"}
IMAGE_SUFFIXES = PICTURE_SUFFIXES | {".dcm", ".dicom"}

MASK = r"(?:masks?|seg(?:m|mentations?)?|gt|ground[ _-]?truth|annotations?|labels?|rois?|contours?)"
MASK_FILE = re.compile(
    rf"(?:{MASK}[ _.-]+(?P<after>.+)|(?P<before>.+?)[ _.-]+{MASK}(?:[ _.-]*\d+)?)", re.IGNORECASE
)
MASK_FOLDER = re.compile(rf"(?:.*[ _.-])?{MASK}|.*masks?", re.IGNORECASE)


def is_system(name: str) -> bool:
    """Whether a file or folder is an operating system's own (`__MACOSX`, `._x`, `.DS_Store`, `Thumbs.db`)."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def names_masks(folder: str) -> bool:
    """Whether a folder is called as one of masks is: `masks`, `lung_masks`, `ground truth`."""
    return MASK_FOLDER.fullmatch(folder) is not None


def id_of(path: Path, root: Path) -> str:
    """Relative path with "/"; bytes that are no UTF-8 are written out, since ids are hashed and stored."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()


def subfolders(folder: Path) -> list[Path]:
    """Folders directly below, by name, without system folders and our own results.

    Raises DataError where it cannot be listed.
    """
    below = [folder / entry.name for entry in _entries(folder) if entry.is_dir()]
    return [path for path in below if not holds_results(path)]


def unlisted(error: OSError) -> DataError:
    """The error for a folder that cannot be read: its images would be missing without a word."""
    return DataError(f"{error.filename} cannot be listed ({error.strerror}): make it readable or move it away")


@dataclass
class Walk(Generic[Key]):
    """One walk through the class folders of a set. `aside` fills with what is no image, or is read elsewhere.

    of_classes  whether the first folder below `root` is a class's: its name has passed another look
    """

    root: Path
    aside: list[Quarantined] = field(default_factory=list)
    of_classes: bool = True

    def images(self, starts: Iterable[tuple[Key, Path]]) -> list[tuple[Key, Path]]:
        """The image files at any depth (a patient may have a folder) below each start, with its key.

        Links are followed to where nothing was read yet, after all that is no link: so a file counts where it
        lies, and no loop ends in a second copy. Raises DataError where a folder cannot be listed.
        """
        taken: dict[str, Path] = {}
        images = []
        for key, path, real in sorted(self.files(starts), key=lambda file: file[1].is_symlink()):
            if path.suffix.casefold() not in IMAGE_SUFFIXES and not is_dicom(
                path
            ):  # archives name them as they like
                self._put_aside(path, f"no image by its suffix {path.suffix!r}")
            elif real in taken:
                self._put_aside(path, f"a link to {id_of(taken[real], self.root)}, which is read there")
            else:
                taken[real] = path
                images.append((key, path))
        return self._without_masks(images)

    def files(self, starts: Iterable[tuple[Key, Path]]) -> Iterator[tuple[Key, Path, str]]:
        """Key, path and the path without links of every file, whatever it holds."""
        folders, links = deque[tuple[Key, Path]](), deque[tuple[Key, Path]]()
        for start in starts:
            (links if start[1].is_symlink() else folders).append(start)
        top = os.path.realpath(self.root)
        seen: set[str] = set()
        while folders or links:
            key, folder = folders.popleft() if folders else links.popleft()
            real = os.path.realpath(folder)
            is_above = f"{top}/".startswith(f"{real}/") and folder != self.root
            if real in seen or is_above:
                self._put_aside(folder, "a link to a folder that is read already, or to one above the set")
                continue
            seen.add(real)
            for entry in _entries(folder):
                path = folder / entry.name
                if entry.is_dir() and holds_results(path):
                    self._put_aside(path, "results of synthbench")
                elif entry.is_dir():
                    (links if entry.is_symlink() else folders).append((key, path))
                elif entry.is_file() or (entry.is_symlink() and not path.exists()):  # a broken link says so later
                    yield key, path, os.path.realpath(path) if entry.is_symlink() else f"{real}/{entry.name}"
                else:
                    self._put_aside(path, "no regular file, but a pipe or a device")

    def _without_masks(self, images: Sequence[tuple[Key, Path]]) -> list[tuple[Key, Path]]:
        """Segmentation masks are put aside: by a name made of an image's beside them, or by their folder's."""
        stems: dict[Path, set[str]] = {}
        for _, path in images:
            stems.setdefault(path.parent, set()).add(path.stem.casefold())
        outside = {key for key, path in images if not self._in_mask_folder(path)}
        kept = []
        for key, path in images:
            if key in outside and self._in_mask_folder(path):
                self._put_aside(path, "a mask by its folder's name")
            elif _masked_image(path.stem.casefold()) & stems[path.parent]:
                self._put_aside(path, "a mask by its name")
            else:
                kept.append((key, path))
        return kept

    def _in_mask_folder(self, path: Path) -> bool:
        """Whether a folder around it, the class folder apart, is one of masks."""
        return any(names_masks(name) for name in path.relative_to(self.root).parts[int(self.of_classes) : -1])

    def _put_aside(self, path: Path, reason: str) -> None:
        self.aside.append(Quarantined(id_of(path, self.root), reason))


def _masked_image(stem: str) -> set[str]:
    """The stems of the image that a mask of this name would belong to: "x (1)_mask_2" to "x (1)"."""
    match = MASK_FILE.fullmatch(stem)
    return {name for name in match.groups() if name} if match else set()


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, without system files."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_system(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise unlisted(error) from error
