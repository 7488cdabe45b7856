"""Images as their owners keep them: folders, tables, arrays. Real and synthetic: one rule for both."""

from __future__ import annotations

from synthbench.intake.array_file import ARRAY_SUFFIXES, ArrayFile, read_labels
from synthbench.intake.names import PARTS, folded, readable
from synthbench.intake.spreadsheet import Row, read_rows
from synthbench.intake.walk import (
    IMAGE_SUFFIXES,
    Walk,
    id_of,
    identity,
    is_system,
    names_masks,
    subfolders,
    unlisted,
)

__all__ = [
    "ARRAY_SUFFIXES",
    "IMAGE_SUFFIXES",
    "PARTS",
    "ArrayFile",
    "Row",
    "Walk",
    "folded",
    "id_of",
    "identity",
    "is_system",
    "names_masks",
    "read_labels",
    "read_rows",
    "readable",
    "subfolders",
    "unlisted",
]
