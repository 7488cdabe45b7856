"""The files below class folders: each once, whatever links say, and without what is no image of a patient."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from synthbench.api.dicom import is_dicom
from synthbench.api.pictures import PICTURE_SUFFIXES
from synthbench.errors import DataError
from synthbench.intake.masks import Beside, names_masks
from synthbench.storage.layout import holds_results
from synthbench.types import Quarantined

__all__ = ["IMAGE_SUFFIXES", "Walk", "id_of", "identity", "is_system", "names_masks", "subfolders", "unlisted"]

Key = TypeVar("Key", bound=Hashable)

SYSTEM_NAMES = {"__macosx", "thumbs.db", "desktop.ini", "$recycle.bin", "@eadir", "dicomdir"}
IMAGE_SUFFIXES = PICTURE_SUFFIXES | {".dcm", ".dicom"}

LINK = "a link to"
"""How the reason begins for what is read elsewhere."""


def is_system(name: str) -> bool:
    """Whether a file or folder is an operating system's own (`__MACOSX`, `._x`, `.DS_Store`, `Thumbs.db`)."""
    return name.startswith(".") or name.casefold() in SYSTEM_NAMES


def id_of(path: Path, root: Path) -> str:
    """Relative path with "/"; bytes that are no UTF-8 are written out, since ids are hashed and stored."""
    return path.relative_to(root).as_posix().encode("utf-8", "backslashreplace").decode()


def identity(real: str) -> str:
    """Of a path without links: the same for all names that hard links give one file."""
    try:
        about = Path(real).stat()
    except OSError:  # nothing is there, or it may not be looked at: said where it is read
        return real
    return f"{about.st_dev}:{about.st_ino}" if about.st_nlink > 1 else real


def subfolders(folder: Path) -> list[Path]:
    """Folders directly below, by name, without system folders and our own results.

    Raises DataError where it cannot be listed.
    """
    below = [folder / entry.name for entry in _entries(folder) if _is(entry.is_dir)]
    return [path for path in below if not holds_results(path)]


def unlisted(error: OSError) -> DataError:
    """The error for a folder that cannot be read: its images would be missing without a word."""
    return DataError(f"{error.filename} cannot be listed ({error.strerror}): make it readable or move it away")


@dataclass
class Walk(Generic[Key]):
    """One walk through the class folders of a set. `aside` fills with what is no image, or is read elsewhere, and
    `remarks` with what may be none.

    of_classes  whether the first folder below `root` is a class's: its name has passed another look
    """

    root: Path
    aside: list[Quarantined] = field(default_factory=list)
    of_classes: bool = True
    remarks: list[str] = field(default_factory=list)

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
                self._put_aside(path, f"{LINK} {id_of(taken[real], self.root)}, which is read there")
            else:
                taken[real] = path
                images.append((key, path))
        return self._without_masks(images)

    def files(self, starts: Iterable[tuple[Key, Path]]) -> Iterator[tuple[Key, Path, str]]:
        """Key, path and the path without links of every file, whatever it holds."""
        folders, links = deque[tuple[Key, Path]](), deque[tuple[Key, Path]]()
        top = Path(os.path.realpath(self.root))
        for start in starts:
            is_behind_link = os.path.realpath(start[1]) != str(top / start[1].relative_to(self.root))
            (links if is_behind_link else folders).append(start)
        seen: set[str] = set()
        while folders or links:
            key, folder = folders.popleft() if folders else links.popleft()
            real = os.path.realpath(folder)
            is_above = f"{top}/".startswith(f"{real}/") and folder != self.root
            if real in seen or is_above:
                self._put_aside(folder, f"{LINK} a folder that is read already, or to one above the set")
                continue
            seen.add(real)
            for entry in _entries(folder):
                path = folder / entry.name
                is_folder = _is(entry.is_dir)
                if is_folder and holds_results(path):
                    self._put_aside(path, "results of synthbench")
                elif is_folder:
                    (links if entry.is_symlink() else folders).append((key, path))
                elif _is(entry.is_file) or (entry.is_symlink() and not path.exists()):  # broken: said later
                    whole = os.path.realpath(path) if entry.is_symlink() else f"{real}/{entry.name}"
                    yield key, path, identity(whole)
                else:
                    self._put_aside(path, "no regular file, but a pipe or a device")

    def _without_masks(self, images: Sequence[tuple[Key, Path]]) -> list[tuple[Key, Path]]:
        """Segmentation masks are put aside: by a name made of an image's beside them, or by their folder's."""
        folders: dict[Path, list[Path]] = {}
        for _, path in images:
            folders.setdefault(path.parent, []).append(path)
        beside = {folder: Beside.of(paths) for folder, paths in folders.items()}
        outside = {key for key, path in images if not self._in_mask_folder(path)}
        kept = []
        for key, path in images:
            if key in outside and self._in_mask_folder(path):
                self._put_aside(path, "a mask by its folder's name")
            elif beside[path.parent].has_image_of(path):
                self._put_aside(path, "a mask by its name")
            else:
                kept.append((key, path))
        named = [(path, name) for _, path in kept if (name := beside[path.parent].namesake(path))]
        if named:
            path, name = named[0]
            self.remarks.append(
                f"{len(named)} images are named after another file in their folder, e.g. {id_of(path, self.root)} "
                f"after {name}: move away what is a mask or an overlay; let `groups` join what is of one patient"
            )
        return kept

    def _in_mask_folder(self, path: Path) -> bool:
        """Whether a folder around it, the class folder apart, is one of masks."""
        return any(names_masks(name) for name in path.relative_to(self.root).parts[int(self.of_classes) : -1])

    def links_in(self, folder: Path) -> str:
        """What to add where images are missing in a folder, since what lies there is read elsewhere."""
        inside = (entry for entry in self.aside if (self.root / entry.path).is_relative_to(folder))
        links = [entry for entry in inside if entry.reason.startswith(LINK)]
        said = (f". {len(links)} links there are not followed, e.g. {link.path}: {link.reason}" for link in links)
        return next(said, "")

    def _put_aside(self, path: Path, reason: str) -> None:
        self.aside.append(Quarantined(id_of(path, self.root), reason))


def _is(kind: Callable[[], bool]) -> bool:
    """What an entry says of its kind; False for a link to itself, which leads nowhere as a broken one does."""
    try:
        return kind()
    except OSError:
        return False


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What lies in a folder, by name, without system files."""
    try:
        with os.scandir(folder) as entries:
            return sorted((entry for entry in entries if not is_system(entry.name)), key=lambda entry: entry.name)
    except OSError as error:
        raise unlisted(error) from error
