"""An audit kept in the store: looking for leaks once for each content."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthbench.audit.leaks import TYPES, Audit, audit, parts_of
from synthbench.store import damaged
from synthbench.types import Splits

if TYPE_CHECKING:
    import pandas as pd

    from synthbench.workshop import Workshop

__all__ = ["cached_audit", "read_pairs"]

SCHEMA = 1
"""Counts up when a line of this package changes what is found."""


def cached_audit(splits: Splits, shop: Workshop) -> Audit:
    """`audit(splits)`, from the store where these images were audited before."""
    parts = parts_of(splits)
    key = {"schema": SCHEMA, "parts": {name: images.digest for name, images in parts.items()}}

    def build(folder: Path) -> dict[str, Any]:
        audit(splits, shop.progress).pairs.to_csv(folder / "audit.csv", index=False, lineterminator="\n")
        return {}

    stored = shop.store.make("audit", key, build).path
    try:
        return Audit(read_pairs(stored / "audit.csv"), {name: images.ids for name, images in parts.items()})
    except (OSError, ValueError) as error:
        raise damaged(stored, error) from error


def read_pairs(path: Path) -> pd.DataFrame:
    """The table of an audit.csv, whatever its names look like. Raises OSError or ValueError where damaged."""
    import pandas as pd

    return pd.read_csv(path, usecols=list(TYPES), dtype=TYPES, keep_default_na=False, na_values={"distance": [""]})
