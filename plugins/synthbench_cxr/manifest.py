"""A table of images: which file shows what, whom, and lies in which part."""

from __future__ import annotations

import os
from collections.abc import Iterator, Set
from functools import cache
from pathlib import Path
from unicodedata import normalize

from synthbench import DataError, Quarantined
from synthbench.intake import IMAGE_SUFFIXES, Row, id_of, identity, is_system, read_rows
from synthbench_cxr.layout import PARTS, Item, Listing, folded
from synthbench_cxr.patients import own_group

__all__ = ["read_manifest"]

COLUMNS = ("path", "label", "patient", "split")
"""All others are attributes of the images."""

OTHER_NAMES = {
    "path": "file filename filepath image imagefile imagefilename imageindex imagename imagepath img imgpath",
    "label": "labels class classname category diagnosis",
    "patient": "patients patientid patientkey patientname patientno patientnumber pat patid pid mrn subject "
    "subjectid subjectno subjectnumber participant participantid person personid caseid caseno casenumber",
    "split": "splits datasplit dataset set subset partition part phase fold usage",
}
"""What else a column is called, `_squeezed`, where none has its name; one of splits must name a part."""


def read_manifest(file: Path, root: Path, label: str = "") -> Listing:
    """The images that `file` lists, a CSV of path and label, and optionally patient, split and attributes.

    label  that of all images, whatever the table says of it, or if it has no such column; "" goes by the table

    Paths are relative to `root`; a bare file name also finds the one file of that name further below. Put aside
    are rows without a label, and images that no row lists; rows that say the same twice count once, by whatever
    link they name the file. What lies nowhere stays in the list, and turns out unreadable.

    Raises DataError, with the line, where the table cannot be read so, contradicts itself, or leads out of `root`.
    """
    rows, remarks = _understood(read_rows(file, COLUMNS), file, label)
    used = {column for column in COLUMNS if any(row[column] for row in rows)}
    files = _Files(root)
    items: dict[str, Item] = {}
    first: dict[str, tuple[Row, str]] = {}
    aside: list[Quarantined] = []
    for row in rows:
        where = f"{file}: line {row.line}"
        path = files.find(row["path"], where)
        item = Item(path, id_of(path, root), _part(row, used, where) if row["label"] else "train", row["label"])
        earlier, name = first.setdefault(files.identity(path), (row, item.id))
        if row is not earlier:
            _check_same(row, earlier, where, item.id, name)
        elif row["label"]:
            items[item.id] = item.of(_patient(row, item.id, used, where))
        else:
            aside.append(Quarantined(item.id, f"no label in {file.name}"))
    if not any(item.path.exists() for item in items.values()):
        raise DataError(
            f"{file}: none of the {len(items)} files that it gives a label lies in {root}; the first row names "
            f"{rows[0]['path']!r}; paths are relative to root"
        )
    unlisted = (id_of(path, root) for path in files.images() if files.identity(path) not in first)
    twice = len(rows) - len(first)
    return Listing(
        classes=tuple(sorted({item.label for item in items.values()})),
        items=tuple(sorted(items.values(), key=lambda item: item.id)),
        aside=(*aside, *(Quarantined(name, f"not listed in {file.name}") for name in unlisted)),
        remarks=(
            *remarks,
            *([f"{file.name} lists {twice} files a second time; they count once"] if twice else []),
        ),
        attributes={i: _attributes(row) for row, i in first.values() if i in items},
    )


def _attributes(row: Row) -> dict[str, str]:
    return {name: cell for name, cell in row.cells.items() if name not in COLUMNS}


def _check_same(row: Row, earlier: Row, where: str, image_id: str, name: str) -> None:
    """Raises DataError for two rows that say different things of one file."""
    if any(row[column] != earlier[column] for column in row.cells if column != "path"):
        also = "" if image_id == name else f", which names the same file ({name})"
        raise DataError(
            f"{where} says something else of {image_id} than line {earlier.line}{also}; keep one of them"
        )


def _understood(rows: list[Row], file: Path, label: str) -> tuple[list[Row], list[str]]:
    """The rows by the names in `COLUMNS`, each class in one spelling; and what of that the user should know."""
    meant = _columns_meant(rows, file)
    rows = [Row(row.line, {meant.get(name, name): cell for name, cell in row.cells.items()}) for row in rows]
    remarks = [f"{file.name}: its column {written!r} is read as `{name}`" for written, name in meant.items()]
    if label:
        return _checked([Row(row.line, {**row.cells, "label": label}) for row in rows], file), remarks
    rows = _checked(rows, file)
    spelling = _spelling(rows, file)
    if several := sorted(written for written, name in spelling.items() if written != name):
        names = ", ".join(f"{written} as {spelling[written]}" for written in several[:3])
        remarks.append(f"{file.name}: labels that differ in letter case are one class: {names}")
    return [Row(row.line, {**row.cells, "label": spelling[row["label"]]}) for row in rows], remarks


def _columns_meant(rows: list[Row], file: Path) -> dict[str, str]:
    """Which of `COLUMNS` those are that are called otherwise. Raises DataError where two could be one."""
    columns = rows[0].cells
    meant: dict[str, str] = {}
    for name in (name for name in COLUMNS if name not in columns):
        names = (name, *OTHER_NAMES[name].split())
        found = [column for column in columns if _squeezed(column) in names]
        if name == "split":
            found = [column for column in found if any(folded(row[column]) in PARTS for row in rows)]
        if len(found) > 1:
            raise DataError(
                f"{file}: {' and '.join(found)} could each be the column `{name}`; call the one that is `{name}`"
            )
        meant |= dict.fromkeys(found, name)
    return meant


def _squeezed(column: str) -> str:
    """Letters and digits of its name alone: "Patient ID", "patient_id" and "PatientID" are one."""
    return "".join(filter(str.isalnum, folded(column)))


def _spelling(rows: list[Row], file: Path) -> dict[str, str]:
    """How to spell each label: letter case makes no class, as of folders; the spelling that sorts first names it.

    Raises DataError for labels of one number (1 and 1.0): two classes nobody means, and 01 may be a code.
    """
    lines: dict[str, int] = {}
    for row in rows:
        lines.setdefault(row["label"], row.line)
    names = {folded(label): label for label in sorted(lines, reverse=True)}
    numbers: dict[float, str] = {}
    for label in sorted(names.values(), key=lines.__getitem__):
        number = _number(label)
        other = label if number is None else numbers.setdefault(number, label)
        if other != label:
            raise DataError(
                f"{file}: line {lines[label]}: the label {label} is the same number as {other} in line "
                f"{lines[other]}, and would be another class; write it one way"
            )
    return {label: names[folded(label)] for label in lines}


def _number(label: str) -> float | None:
    try:
        return float(label.replace(",", "."))
    except ValueError:
        return None


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
        self._real = cache(os.path.realpath)
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

    def identity(self, path: Path) -> str:
        """The same for all links to a file."""
        real = os.path.realpath(path) if path.is_symlink() else f"{self._real(path.parent)}/{path.name}"
        return identity(real)

    def images(self) -> Iterator[Path]:
        """All image files, by their suffix."""
        return (path for path in self._by_path.values() if path.suffix.casefold() in IMAGE_SUFFIXES)

    def _inside(self, written: str, where: str) -> str:
        inside = os.path.relpath(self._root / normalize("NFC", written), self._root).replace(os.sep, "/")
        if inside.split("/")[0] == "..":
            raise DataError(f"{where}: path {written!r} leads out of {self._root}; paths are relative to root")
        return inside


def _walk(root: Path) -> Iterator[Path]:
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if not is_system(name))
        yield from (Path(folder, name) for name in sorted(files) if not is_system(name))
