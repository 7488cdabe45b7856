"""scores.json of a stored evaluation."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from synthbench.errors import StoreError
from synthbench.runner.failure import MOST, printable
from synthbench.types import Score

__all__ = ["load_scores", "save_scores"]


def save_scores(folder: Path, scores: Sequence[Score]) -> None:
    """Into a stored evaluation's folder. Raises TypeError where a field that is to be a number is none."""
    rows = [
        {**_fields(score), "value": _finite(score.value), "note": printable(score.note, MOST)} for score in scores
    ]
    text = json.dumps(rows, indent=1, default=_plain_number)
    (folder / "scores.json").write_text(text, encoding="utf-8")


def _fields(score: Score) -> dict[str, Any]:
    """All but its influence, which has a file of its own."""
    return {name: value for name, value in vars(score).items() if name != "influence"}


def load_scores(folder: Path) -> tuple[Score, ...]:
    """What `save_scores` wrote. Raises StoreError where the file is damaged."""
    try:
        rows = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        values = [float("nan") if row["value"] is None else row["value"] for row in rows]
        return tuple(Score(**{**row, "value": value}) for row, value in zip(rows, values, strict=True))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise StoreError.damaged(folder, error) from error


def _plain_number(value: Any) -> float | int:
    """A count or the end of an interval as a number of NumPy's or torch's, of any width."""
    if callable(getattr(value, "item", None)):
        plain: float | int = value.item()
        return plain
    raise TypeError(f"a score holds {value!r}, which is no number")


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if np.isfinite(value) else None
