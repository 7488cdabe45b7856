"""`matrix:` and `checkpoints:` under a row: rows for values of its options, or for stages of its training."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from itertools import product
from typing import Any, NamedTuple

from synthbench.benchmark.definition import Checkpoint
from synthbench.errors import ConfigError

__all__ = ["Row", "at_checkpoints", "expand"]

MOST_ROWS = 1000


class Row(NamedTuple):
    """One entry of a list: where it stands in the file, as messages say it, and what it says."""

    path: str
    content: dict[str, Any]
    checkpoint: Checkpoint | None = None


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


def at_checkpoints(row: Row, duration: str, where: str) -> list[Row]:
    """A row with `checkpoints: [500, 2000]` as a row for each, `acgan@500` and `acgan@2000`, the shortest first.

    duration  the option of its generator that says how long it trains; "" where it has no checkpoints

    Raises ConfigError where they are no list of whole numbers, or its generator has none.
    """
    lengths, at = row.content["checkpoints"], f"{where}: {row.path}.checkpoints"
    content = {key: value for key, value in row.content.items() if key != "checkpoints"}
    label = content.get("label", content.get("use", ""))
    if not duration:
        raise ConfigError(f"{at}: the generator {content.get('use')} has no checkpoints; take the key away")
    whole = isinstance(lengths, list) and all(type(length) is int and length > 0 for length in lengths)
    if not whole or not lengths or len(set(lengths)) < len(lengths):
        raise ConfigError(f"{at}: expected a list of {duration}, [500, 2000], each once, found {lengths!r}")
    if duration in content:
        raise ConfigError(f"{at}: {duration} says the same; take {duration} away")
    # In rising order each goes on from the one before: all cost what the longest costs alone.
    return [
        Row(
            f"{row.path} ({length})",
            {**content, "label": f"{label}@{length}", duration: length},
            Checkpoint(str(label), length, duration),
        )
        for length in sorted(lengths)
    ]


def _short(value: Any) -> str:
    """As it stands in a label: 500, 0.5, true, cnn, [8,4]."""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
