"""A column of the board: numbers with their intervals as bars, on one scale, with floors and ceilings as lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.results.folder import StoredEstimate

__all__ = ["Bar", "Cell", "number_cells", "plain_cell", "shown_number", "value_cells"]

Scale = tuple[float, float]


@dataclass(frozen=True)
class Bar:
    """An interval on its column's scale, all in per cent of the width; `floors`, `ceilings`: reference lines."""

    value: float
    low: float
    high: float
    floors: Sequence[float]
    ceilings: Sequence[float]


@dataclass(frozen=True)
class Cell:
    """What a cell shows: `text`, `detail` below it, what it sorts by, a bar."""

    text: str
    detail: str = ""
    value: float | None = None
    bar: Bar | None = None


def shown_number(value: float | None) -> str:
    """Three decimals up to 10, then fewer; what these would show as 0 as 1.2e-4; "" for None."""
    if value is None:
        return ""
    size = abs(value)
    if size < 0.0005:
        return f"{value:.1e}".replace("e-0", "e-") if value else "0.000"
    return f"{value:.3f}" if size < 10 else f"{value:.1f}" if size < 1000 else f"{value:,.0f}"


def plain_cell(value: float | None) -> Cell:
    """A cost: seconds or megabytes."""
    text = "" if value is None else f"{value:.1f}" if value < 100 else f"{value:,.0f}"
    return Cell(text, value=value)


def number_cells(
    estimates: Sequence[StoredEstimate | None], roles: Sequence[str], chance: float | None = None
) -> list[Cell]:
    """A column: numbers with bars, or what stands in their place.

    roles   of the rows: floors and ceilings are lines in every bar
    chance  where it is known it is the floor's line, not what a floor happened to reach
    """
    numbers = [one if one and not math.isnan(one.value) else None for one in estimates]
    scale = _scale([one for one in numbers if one], chance)
    marks: dict[str, list[float]] = {"floor": [], "ceiling": []}
    for role, one in zip(roles, numbers, strict=True):
        if one and role in marks:
            at = one.value if chance is None or role != "floor" else chance
            marks[role].append(_percent(at, scale))
    return [
        _cell(known, scale, marks) if known else Cell(one.text if one else "")
        for one, known in zip(estimates, numbers, strict=True)
    ]


def value_cells(estimates: Sequence[StoredEstimate | None]) -> list[Cell]:
    """A column of values alone, or of what stands in their place."""
    return [_value_cell(one) if one else Cell("") for one in estimates]


def _value_cell(one: StoredEstimate) -> Cell:
    return Cell(one.text) if math.isnan(one.value) else Cell(shown_number(one.value), value=one.value)


def _cell(one: StoredEstimate, scale: Scale, marks: Mapping[str, Sequence[float]]) -> Cell:
    text, detail = shown_number(one.value), one.about(shown_number)
    if one.check:
        text, _, detail = one.check.partition("; ")  # "chance 0.500", and below it what the draws say
    value, low, high = (_percent(x, scale) for x in (one.value, *(one.ends or (one.value, one.value))))
    return Cell(text, detail, one.value, Bar(value, low, high, marks["floor"], marks["ceiling"]))


def _scale(estimates: Sequence[StoredEstimate], chance: float | None) -> Scale:
    """From the least to the greatest number of the column, ends of intervals and chance included."""
    numbers = [x for one in estimates for x in (one.value, *(one.ends or ()))]
    numbers += [chance] if numbers and chance is not None else []
    return (min(numbers), max(numbers)) if numbers else (0.0, 1.0)


def _percent(value: float, scale: Scale) -> float:
    """Of the bar's width, with 2 % left free on either side."""
    low, high = scale
    return round(2 + 96 * (value - low) / (high - low), 1) if high > low else 50.0
