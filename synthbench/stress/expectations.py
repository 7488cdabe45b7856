"""What each degradation should do to a metric: the one table that a stress test judges by.

A degraded image is worse evidence of what is real, so a measure of quality should get worse. A copy of a training
image is a perfect image: only what measures copying must get worse there, and nothing is asked of quality. In
return nothing is asked of a measure of copying elsewhere: noise does take images away from the training images.
A metric that gates must not get worse elsewhere: it would bar a generator that copies nothing.
"""

from __future__ import annotations

from typing import Literal

from synthbench.api.interfaces import Evaluator

__all__ = ["Aspect", "Expectation", "aspect_of", "expectation"]

Aspect = Literal["quality", "copying", "gate"]
Expectation = Literal["worse", "not worse", "any"]

ELSEWHERE: dict[Aspect, Expectation] = {"quality": "worse", "copying": "any", "gate": "not worse"}

EXPECTED: dict[str, dict[Aspect, Expectation]] = {
    "noise": ELSEWHERE,
    "blur": ELSEWHERE,
    "jpeg": ELSEWHERE,
    "down-up": ELSEWHERE,
    "brightness": ELSEWHERE,
    "label-noise": ELSEWHERE,
    "drop-modes": ELSEWHERE,
    "drop-class": ELSEWHERE,
    "copy-train": {"quality": "any", "copying": "worse", "gate": "worse"},
}
"""By degradation: worse or not worse, as the metric's own direction has it, or anything."""

ABOUT_COPYING = frozenset({"authenticity", "membership_auroc"})
"""Metrics of copying whose evaluator gates nothing."""


def aspect_of(evaluator: Evaluator, metric: str) -> Aspect:
    """A metric that gates; about copying (the others of such an evaluator, and `ABOUT_COPYING`); or of quality."""
    if metric in evaluator.gates:
        return "gate"
    kind = metric.partition("[")[0]  # without the extractor's name
    return "copying" if evaluator.gates or kind in ABOUT_COPYING else "quality"


def expectation(degradation: str, aspect: Aspect) -> Expectation:
    """What is asked of a metric of that aspect."""
    return EXPECTED[degradation][aspect]
