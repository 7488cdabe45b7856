"""`matrix:` under a row: a row for each combination of the values of its options."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from synthbench.errors import ConfigError

__all__ = ["Row", "expand"]

MOST_ROWS = 1000


class Row(NamedTuple):
    """One entry of a list: where it stands in the file, as messages say it, and what it says."""

    path: str
    content: dict[str, Any]


def expand(rows: Sequence[dict[str, Any]], path: str, where: str) -> list[Row]:
    """The rows of the list at `path`, those with a `matrix:` once for each combination, the last key fastest.

    `{use: acgan, matrix: {steps: [500, 2000]}}` becomes `acgan-steps=500` and `acgan-steps=2000`. Raises
    ConfigError where the matrix is no mapping of keys to lists, or repeats a key of its row.
    """
    expanded: list[Row] = []
    for number, row in enumerate(rows):
        place = f"{path}.{number}"
        expanded += _combinations(row, place, where) if "matrix" in row else [Row(place, row)]
    return expanded


def _combinations(row: dict[str, Any], place: str, where: str) -> list[Row]:
    content = {key: value for key, value in row.items() if key != "matrix"}
    matrix, at = row["matrix"], f"{where}: {place}.matrix"
    if not isinstance(matrix, dict) or not matrix:
        raise ConfigError(f"{at}: expected options with lists of values, {{steps: [500, 2000]}}, found {matrix!r}")
    for key, values in matrix.items():
        if not isinstance(values, list) or not values:
            raise ConfigError(f"{at}.{key}: expected a list of values, found {values!r}")
        if key in content or key in ("use", "label", "generators"):
            raise ConfigError(f"{at}.{key}: {key} belongs to the row itself; take it away here or there")
    if (count := math.prod(map(len, matrix.values()))) > MOST_ROWS:
        raise ConfigError(f"{at}: {count} combinations; at most {MOST_ROWS}")
    label = content.get("label", content.get("use", ""))
    rows = []
    for values in product(*matrix.values()):
        chosen = dict(zip(matrix, values, strict=True))
        name = ",".join(f"{key}={_short(value)}" for key, value in chosen.items())
        rows.append(Row(f"{place} ({name})", {**content, "label": f"{label}-{name}", **chosen}))
    return rows


def _short(value: Any) -> str:
    """As it stands in a label: 500, 0.5, true, cnn, [8,4]."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
