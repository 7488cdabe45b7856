"""A table as spreadsheets write it: CSV with any of three separators, in any of three encodings."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from synthbench.errors import DataError

__all__ = ["Row", "read_rows"]

SEPARATORS = ",;\t"
UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")
ZIP_MARK = b"PK\x03\x04"


@dataclass(frozen=True)
class Row:
    """A line of the table: `cells` by column, without the spaces around them."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")


def read_rows(file: Path, known: Collection[str]) -> list[Row]:
    """All lines below the header that hold anything, at least one.

    The `known` columns are recognised in any letter case; a column without a name is not read. Raises DataError,
    with the line, where the file is no such table.
    """
    lines = list(io.StringIO(_text(file), newline=""))  # str.splitlines also splits where no CSV does: at U+2028
    first = 1 if lines and lines[0].casefold().startswith("sep=") else 0  # a line of Excel's own
    separator = max(SEPARATORS, key=lines[first].count) if lines[first:] else ","
    reader = csv.reader(lines[first:], delimiter=separator, strict=True)
    try:
        header = _header(next(reader, []), known, file)
        rows = [
            _row([cell.strip() for cell in cells], header, first + reader.line_num, file)
            for cells in _filled(reader)
        ]
    except csv.Error as error:
        raise DataError(f"{file}: line {first + reader.line_num} is no CSV: {error}") from error
    if not rows:
        raise DataError(f"{file}: no row below the header; one row an image is needed")
    return rows


def _text(file: Path) -> str:
    """By the mark that spreadsheets put in front, else UTF-8, else the encoding of Western Windows."""
    content = file.read_bytes()
    if content.startswith(ZIP_MARK):
        raise DataError(f"{file} is an Excel workbook or an archive: save the table as CSV")
    if content.startswith(UTF_16_MARKS):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _filled(lines: Iterator[list[str]]) -> Iterator[list[str]]:
    return (cells for cells in lines if any(cell.strip() for cell in cells))


def _header(cells: list[str], known: Collection[str], file: Path) -> list[str]:
    names = [" ".join(cell.split()) for cell in cells]
    names = [name.casefold() if name.casefold() in known else name for name in names]
    if twice := [name for name, n in Counter(filter(None, names)).items() if n > 1]:
        raise DataError(f"{file}: two columns are called {twice[0]}; rename or remove one")
    return names


def _row(cells: list[str], header: list[str], line: int, file: Path) -> Row:
    if len(cells) != len(header):
        raise DataError(
            f"{file}: line {line} has {len(cells)} cells, the header {len(header)}; put quotes around a cell that "
            "holds the separator"
        )
    return Row(line, {name: cell for name, cell in zip(header, cells, strict=True) if name})
