"""The table of an audit: in the store, so that leaks are looked for once for each content, and as audit.csv."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthbench.data.audit.leaks import TYPES, Audit, audit, parts_of
from synthbench.errors import StoreError
from synthbench.progress import Progress
from synthbench.storage.cells import as_texts, csv_text
from synthbench.storage.store import Store, write_atomic
from synthbench.storage.versions import AUDIT
from synthbench.types import Splits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["cached_audit", "read_pairs", "write_audit"]


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
        return Audit(read_pairs(stored / "audit.csv"), {name: images.ids for name, images in parts.items()})
    except (OSError, ValueError) as error:
        raise StoreError.damaged(stored, error) from error


def read_pairs(path: Path) -> pd.DataFrame:
    """The table of an audit.csv, whatever its names look like. Raises OSError or ValueError where damaged."""
    import pandas as pd

    table = pd.read_csv(
        path, usecols=list(TYPES), dtype=TYPES, keep_default_na=False, na_values={"distance": [""]}
    )
    return table.assign(**{name: as_texts(table[name]) for name, type_ in TYPES.items() if type_ == "str"})


def write_audit(audit: Audit, out: Path) -> Path:
    """Write every pair to audit.csv in the folder `out`, which is made; its path."""
    out.mkdir(parents=True, exist_ok=True)
    write_atomic(out / "audit.csv", csv_text(audit.pairs))
    return out / "audit.csv"
