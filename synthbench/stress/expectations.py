"""What each degradation should do to a metric: the one table that a stress test judges by.

A degraded image is worse evidence of what is real, so a measure of quality should get worse. A copy of a training
image is a perfect image: only what measures copying must get worse there, and nothing is asked of quality. In
return nothing is asked of a measure of copying elsewhere: noise does take images away from the training images.
"""

from __future__ import annotations

from typing import Literal

from synthbench.interfaces import Evaluator

__all__ = ["EXPECTED", "Aspect", "Expectation", "aspect_of", "expectation"]

Aspect = Literal["quality", "copying"]
Expectation = Literal["worse", "any"]

EXPECTED: dict[str, dict[Aspect, Expectation]] = {
    "noise": {"quality": "worse", "copying": "any"},
    "blur": {"quality": "worse", "copying": "any"},
    "jpeg": {"quality": "worse", "copying": "any"},
    "down-up": {"quality": "worse", "copying": "any"},
    "brightness": {"quality": "worse", "copying": "any"},
    "label-noise": {"quality": "worse", "copying": "any"},
    "drop-modes": {"quality": "worse", "copying": "any"},
    "drop-class": {"quality": "worse", "copying": "any"},
    "copy-train": {"quality": "any", "copying": "worse"},
}
"""By degradation: worse (as the metric's own direction has it) or anything."""

ABOUT_COPYING = frozenset({"authenticity"})
"""Metrics of copying whose evaluator gates nothing."""


def aspect_of(evaluator: Evaluator, metric: str) -> Aspect:
    """Whether a metric is about copying: those of an evaluator that gates, and `authenticity`."""
    kind = metric.partition("[")[0]  # without the extractor's name
    return "copying" if evaluator.gates or kind in ABOUT_COPYING else "quality"


def expectation(degradation: str, aspect: Aspect) -> Expectation:
    """What is asked of a metric of that aspect."""
    return EXPECTED[degradation][aspect]
