"""The table of an audit: in the store, so that leaks are looked for once for each content, and as audit.csv."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.data.audit.leaks import TYPES, Audit, Columns, audit, parts_of
from synthbench.errors import StoreError
from synthbench.progress import Progress
from synthbench.storage.cells import as_texts, csv_text
from synthbench.storage.store import Store, write_atomic
from synthbench.storage.versions import AUDIT
from synthbench.types import Splits

__all__ = ["cached_audit", "read_columns", "write_audit"]

PARSED: Mapping[str, Callable[[Sequence[str]], npt.NDArray[Any]]] = {
    "str": lambda cells: np.array(as_texts(cells), dtype=np.str_),
    "float64": lambda cells: np.array([float(cell or "nan") for cell in cells], dtype=np.float64),
    "bool": lambda cells: np.array([("False", "True").index(cell) for cell in cells], dtype=np.bool_),
}
"""By type of a column, from its cells. They raise ValueError."""


def cached_audit(splits: Splits, store: Store, progress: Progress) -> Audit:
    """`audit(splits)`, from the store where these images were audited before."""
    parts = parts_of(splits)
    digests = {name: images.digest for name, images in parts.items()}
    key = {"schema": AUDIT, "parts": digests, "cohorts": dict(splits.cohorts)}

    def build(folder: Path) -> dict[str, Any]:
        write_atomic(folder / "audit.csv", csv_text(audit(splits, progress).pairs))
        return {}

    stored = store.make("audit", key, build).path
    try:
        return Audit(read_columns(stored / "audit.csv"), {name: images.ids for name, images in parts.items()})
    except (OSError, ValueError) as error:
        raise StoreError.damaged(stored, error) from error


def read_columns(path: Path) -> Columns:
    """Those of an audit.csv, whatever its names look like. Raises OSError or ValueError where damaged."""
    with path.open(newline="", encoding="utf-8") as file:
        try:
            heading, *rows = csv.reader(file, strict=True)
        except csv.Error as error:
            raise ValueError(f"{path}: {error}") from error
    if heading != list(TYPES) or {len(row) for row in rows} - {len(TYPES)}:
        raise ValueError(f"{path} has not the columns {', '.join(TYPES)} throughout")
    cells = dict(zip(TYPES, zip(*rows, strict=True) if rows else [()] * len(TYPES), strict=True))
    return {name: PARSED[type_](cells[name]) for name, type_ in TYPES.items()}


def write_audit(audit: Audit, out: Path) -> Path:
    """Write every pair to audit.csv in the folder `out`, which is made; its path."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "audit.csv", csv_text(audit.pairs))
    return out / "audit.csv"
