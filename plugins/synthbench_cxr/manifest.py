"""A table of images: which file shows what, whom, and lies in which part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from pathlib import Path
from unicodedata import normalize

from synthbench import DataError, Quarantined
from synthbench.intake import IMAGE_SUFFIXES, Row, id_of, is_system, read_rows
from synthbench_cxr.layout import PARTS, Item, Listing, folded
from synthbench_cxr.patients import own_group

__all__ = ["read_manifest"]

COLUMNS = ("path", "label", "patient", "split")
"""All others are attributes of the images."""


def read_manifest(file: Path, root: Path, label: str = "") -> Listing:
    """The images that `file` lists, a CSV of path and label, and optionally patient, split and attributes.

    label  that of all images, whatever the table says of it, or if it has no such column; "" goes by the table

    Paths are relative to `root`; a bare file name also finds the one file of that name further below. Put aside
    are rows without a label, and images that no row lists; rows that say the same twice count once. What lies
    nowhere stays in the list, and turns out unreadable.

    Raises DataError, with the line, where the table cannot be read so, contradicts itself, or leads out of `root`.
    """
    rows = _checked(_labelled(read_rows(file, COLUMNS), label), file)
    used = {column for column in COLUMNS if any(row[column] for row in rows)}
    files = _Files(root)
    items: dict[str, Item] = {}
    first: dict[str, Row] = {}
    aside: list[Quarantined] = []
    for row in rows:
        where = f"{file}: line {row.line}"
        path = files.find(row["path"], where)
        item = Item(path, id_of(path, root), _part(row, used, where) if row["label"] else "train", row["label"])
        earlier = first.setdefault(item.id, row)
        if any(row[name] != earlier[name] for name in row.cells if name != "path"):
            raise DataError(f"{where} says something else of {item.id} than line {earlier.line}; keep one of them")
        if row["label"]:
            items[item.id] = item.of(_patient(row, item.id, used, where))
        elif row is earlier:
            aside.append(Quarantined(item.id, f"no label in {file.name}"))
    if not any(item.path.exists() for item in items.values()):
        raise DataError(
            f"{file}: none of the {len(items)} files that it gives a label lies in {root}; the first row names "
            f"{rows[0]['path']!r}; paths are relative to root"
        )
    twice = len(rows) - len(first)
    return Listing(
        classes=(),
        items=tuple(sorted(items.values(), key=lambda item: item.id)),
        aside=(
            *aside,
            *(Quarantined(name, f"not listed in {file.name}") for name in files.images() if name not in first),
        ),
        remarks=(f"{file.name} lists {twice} files a second time; they count once",) if twice else (),
        attributes={i: {name: first[i][name] for name in rows[0].cells if name not in COLUMNS} for i in items},
    )


def _labelled(rows: list[Row], label: str) -> list[Row]:
    return [Row(row.line, {**row.cells, "label": label}) for row in rows] if label else rows


def _checked(rows: list[Row], file: Path) -> list[Row]:
    """Raises DataError for a table without the columns needed, or a column that cannot name an attribute."""
    columns = rows[0].cells
    if missing := [name for name in ("path", "label") if name not in columns]:
        raise DataError(
            f"{file}: no column {' or '.join(missing)}; found: {', '.join(columns) or 'none'}. Call the column of "
            "file paths `path`, that of classes `label`; `patient` and `split` are optional, others are attributes"
        )
    if odd := [name for name in columns if "/" in name or "=" in name]:
        raise DataError(f"{file}: a column is called {odd[0]!r}; take the / or = out of its name")
    if bare := [row.line for row in rows if not row["path"]]:
        raise DataError(f"{file}: line {bare[0]} has no path")
    return rows


def _part(row: Row, used: Set[str], where: str) -> str:
    """Where nothing is said of any row, all is `train`, of which a test part is held out."""
    part = PARTS.get(folded(row["split"])) if "split" in used else "train"
    if part is None:
        raise DataError(f"{where}: split is {row['split']!r}, must be train, val or test in each row, or in none")
    return part


def _patient(row: Row, image_id: str, used: Set[str], where: str) -> str:
    if "patient" in used and not row["patient"]:
        raise DataError(
            f"{where} names no patient, others do: images of an unknown one could lie in train and test; name a "
            "patient in each row, or in none"
        )
    return row["patient"] or own_group(image_id)


class _Files:
    """What lies below the root. Names are compared in Unicode's form NFC: tables and disks differ in it."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._by_path = {normalize("NFC", id_of(path, root)): path for path in _walk(root)}
        self._by_name: dict[str, list[Path]] = {}
        for path in self._by_path.values():
            self._by_name.setdefault(normalize("NFC", path.name), []).append(path)

    def find(self, written: str, where: str) -> Path:
        """The file of a row's path; a path where nothing lies, if there is none. Raises DataError."""
        inside = self._inside(written, where)
        if inside not in self._by_path and "\\" in written:  # Windows' separator
            inside = self._inside(written.replace("\\", "/"), where)
        paths = [self._by_path[inside]] if inside in self._by_path else self._by_name.get(inside, [])
        if len(paths) > 1:
            places = ", ".join(id_of(path, self._root) for path in paths[:3])
            raise DataError(f"{where}: {len(paths)} files are called {written!r}: {places}; write the whole path")
        return paths[0] if paths else self._root / inside

    def images(self) -> Iterator[str]:
        """Ids of all image files, by their suffix."""
        paths = self._by_path.values()
        return (id_of(path, self._root) for path in paths if path.suffix.casefold() in IMAGE_SUFFIXES)

    def _inside(self, written: str, where: str) -> str:
        inside = os.path.relpath(self._root / normalize("NFC", written), self._root).replace(os.sep, "/")
        if inside.split("/")[0] == "..":
            raise DataError(f"{where}: path {written!r} leads out of {self._root}; paths are relative to root")
        return inside


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not is_system(name))
        yield from (Path(folder, name) for name in sorted(files) if not is_system(name))
