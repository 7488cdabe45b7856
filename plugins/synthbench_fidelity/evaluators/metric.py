"""A metric of features as data, and the figure it gives."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from synthbench import Direction, Extractor, Influence, Score
from synthbench_fidelity.evaluators.parts import Pair, Part

__all__ = ["Figure", "Metric", "bracketed", "score", "too_few", "undefined"]


class Figure(NamedTuple):
    """A number with the interval it may have; `note` says what a reader must know, or why it is NaN."""

    value: float
    low: float | None = None
    high: float | None = None
    note: str = ""
    influence: Influence | None = None


@dataclass(frozen=True)
class Metric:
    """What a `FeatureEvaluator` is made of."""

    name: str
    """Without the extractor's."""
    direction: Direction
    function: Callable[[Pair], Figure]
    """Imports what it computes with when it is called: scipy must not load with the plugin."""
    bounds: tuple[float, float] | None = None
    """The least and the largest value, where it has both."""
    least: int = 3
    """Images that each side of the pair must have; with fewer the score says so."""
    calibrated: bool = False
    """Whether it is had of the references as well, and `<name>_place` beside it."""
    variant: str = ""
    """Which of several figures of one name."""


def undefined(why: str) -> Figure:
    """In place of a number that there is not."""
    return Figure(math.nan, note=why)


def too_few(there: int, needed: int, what: str) -> Figure:
    """In place of a number for which there are too few images."""
    return undefined(f"too few: {there} {what} ({needed} needed)")


def bracketed(name: str, extractor: Extractor) -> str:
    """`kid[efficientnet-lite0]`: figures of different extractors cannot be compared.

    Dots become underscores: `headline` has one before the metric.
    """
    return f"{name}[{extractor.label.replace('.', '_')}]"


def score(part: Part, metric: str, figure: Figure, variant: str = "") -> Score:
    """As the harness wants it; a number's note begins with the sizes of the two sets."""
    n, is_nan = len(part.synthetic), math.isnan(figure.value)
    left = f" of {part.of}" if part.of > len(part.real) else ""
    sizes = f"{n} against {len(part.real)}{left} train images"
    note = figure.note if is_nan else "; ".join(filter(None, [sizes, figure.note]))
    low, high = (None, None) if is_nan else (figure.low, figure.high)
    variant = ", ".join(filter(None, [part.variant, variant]))
    influence = None if is_nan or variant else figure.influence  # generators are compared by all images
    return Score(metric, figure.value, "", n, None, "", note, variant, low, high, influence)
