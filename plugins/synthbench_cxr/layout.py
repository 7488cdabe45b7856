"""Folders to lists: which files lie in which part (train, val, test) and in which class."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from synthbench import DataError, Quarantined
from synthbench.intake import (
    IMAGE_SUFFIXES,
    PARTS,
    Walk,
    folded,
    id_of,
    is_system,
    readable,
    subfolders,
    unlisted,
)

__all__ = [
    "PARTS",
    "Item",
    "Listing",
    "find_set",
    "folded",
    "folder_names",
    "readable",
    "scan",
    "split_folders",
    "subfolders",
]


@dataclass(frozen=True)
class Item:
    """One file that should be an image. `id` is its path below the set's folder, with "/"."""

    path: Path
    id: str
    part: str
    label: str
    group: str = ""

    def of(self, patient: str) -> Item:
        """The same, showing this patient."""
        return replace(self, group=patient)


@dataclass(frozen=True)
class Listing:
    """All that lies in the class folders: files to read, in order of id, and files put aside unread.

    `remarks` are for the user: what may be as it should, but looks odd. `attributes` of images by id and name, the
    same names for all: "" where a value is not known.
    """

    classes: tuple[str, ...]
    items: tuple[Item, ...]
    aside: tuple[Quarantined, ...] = ()
    remarks: tuple[str, ...] = ()
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def grouped(self, group_of: Callable[[str], str]) -> Listing:
        """The same with the group (patient) that `group_of` reads from an id."""
        return replace(self, items=tuple(item.of(group_of(item.id)) for item in self.items))

    def joined(self, other: Listing) -> Listing:
        """The files of both; the classes are those of this one."""
        items = sorted((*self.items, *other.items), key=lambda item: item.id)
        return replace(self, items=tuple(items), aside=tuple(dict.fromkeys((*self.aside, *other.aside))))

    def spelled(self, names: Sequence[str]) -> Listing:
        """The same with the classes spelled, and in the order, as in `names`, where they are the same `folded`."""
        spelling = {folded(name): name for name in names}
        if sorted(map(folded, self.classes)) != sorted(map(folded, names)):
            return self
        items = tuple(replace(item, label=spelling[folded(item.label)]) for item in self.items)
        return replace(self, classes=tuple(names), items=items)


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.iterdir() if not is_system(path.name))
    except OSError as error:
        raise unlisted(error) from error


def folder_names(folder: Path, depth: int = 2, most: int = 8) -> str:
    """What to print about the folders found in `folder`, e.g. "test/(NORMAL, PNEUMONIA), train"."""
    names = []
    for path in subfolders(folder)[:most]:
        inner = folder_names(path, depth - 1, most) if depth > 1 and subfolders(path) else ""
        names.append(f"{readable(path.name)}/({inner})" if inner else readable(path.name))
    return ", ".join([*names, "..."] if len(subfolders(folder)) > most else names) or "no folders"


def split_folders(folder: Path) -> dict[str, Path]:
    """The folders train, val (valid, validation) and test directly below, any letter case, by part name.

    Raises DataError where two of them are the same part.
    """
    found: dict[str, Path] = {}
    for path in subfolders(folder):
        part = PARTS.get(folded(path.name))
        if part in found:
            raise DataError(f"{folder}: both {found[part].name} and {path.name} are {part}; merge or rename one")
        if part is not None:
            found[part] = path
    return found


def find_set(root: Path, fits: Callable[[Path], bool], depth: int = 2) -> Path | None:
    """The folder that `fits`: `root` itself or the nearest one at most `depth` folders deeper.

    Raises DataError where several are equally near.
    """
    level = [root]
    for _ in range(depth + 1):
        found = [folder for folder in level if fits(folder)]
        if len(found) > 1:
            raise DataError(f"several folders fit: {', '.join(map(str, found))}; name one of them as `root:`")
        if found:
            return found[0]
        level = [below for folder in level for below in subfolders(folder)]
    return None


def scan(root: Path, parts: Mapping[str, Path], classes: Mapping[str, str | None]) -> Listing:
    """List the files of `parts` (folder by part name) whose class folders are named as in `classes`.

    `classes` maps a folder's `folded` name to a class, or to None where its images are left out. Put aside are:
    what is no image by its suffix or no file, images in no class folder, masks beside images, links to what is
    read already. System files are passed over.

    Raises DataError where a part has other folders (their images would have no label) or an empty class.
    """
    names = tuple(dict.fromkeys(name for name in classes.values() if name is not None))
    loose = [path for folder in parts.values() for path in _loose_images(folder)]
    starts: list[tuple[tuple[str, str], Path]] = [
        ((part, label), folder)
        for part, whole in parts.items()
        for folder in subfolders(whole)
        if (label := _label(folder, classes)) is not None
    ]
    walk = Walk[tuple[str, str]](
        root, [Quarantined(id_of(path, root), "lies in no class folder") for path in loose]
    )
    items = [Item(path, id_of(path, root), *key) for key, path in walk.images(starts)]
    for part, folder in parts.items():
        present = {item.label for item in items if item.part == part}
        if missing := [name for name in names if name not in present]:
            raise DataError(
                f"{folder}: no images of {', '.join(missing)}; every class needs some. Folders found: "
                f"{folder_names(folder)}; image files end in {' '.join(sorted(IMAGE_SUFFIXES))}"
                f"{walk.links_in(folder)}"
            )
    items.sort(key=lambda item: item.id)
    return Listing(names, tuple(items), tuple(walk.aside), tuple(walk.remarks))


def _label(folder: Path, classes: Mapping[str, str | None]) -> str | None:
    if folded(folder.name) in classes:
        return classes[folded(folder.name)]
    raise DataError(
        f"{folder.parent}: the folder '{readable(folder.name)}' is none of the classes {', '.join(classes)}; "
        "move it away, or read the set with `image-folder`"
    )


def _loose_images(folder: Path) -> list[Path]:
    files = [path for path in _entries(folder) if path.is_file()]
    return [path for path in files if path.suffix.casefold() in IMAGE_SUFFIXES]
