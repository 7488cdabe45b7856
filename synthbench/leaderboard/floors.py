"""Floors: what guessing reaches, and whether the floors that were run reach no more: a check of the pipeline."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from synthbench.leaderboard.estimates import Estimate, Floats

__all__ = ["chance_of", "floor_check", "floor_warnings"]

DIFFERS = 0.01
"""Below this p in both tests a floor counts as differing from chance: on one board in a hundred with two sound
floors of five draws each."""


def chance_of(metric: str, n_classes: int) -> float | None:
    """What guessing reaches whatever the images, where that is known."""
    return {
        "auroc": 0.5,
        "balanced_accuracy": 1 / n_classes,
        "balanced_accuracy_matched": 1 / n_classes,
    }.get(metric)


def floor_check(estimate: Estimate, n_classes: int) -> str:
    """ "chance 0.500; 5 draws: 0.507, sd 0.110", or "" where chance is not known or nothing was measured.

    A floor's mean is no estimate of anything: chance is known. What the draws say is whether it holds, and how far
    a single one may lie from it.
    """
    chance = chance_of(estimate.key.metric, n_classes)
    if chance is None or estimate.text:
        return ""
    draws = len(estimate.values)
    spread = f", sd {np.std(estimate.values, ddof=1):.3f}" if draws > 1 else ""
    return f"chance {chance:.3f}; {draws} draw{'s' * (draws > 1)}: {estimate.value:.3f}{spread}"


def floor_warnings(floors: Mapping[str, Estimate], n_classes: int) -> dict[str, str]:
    """Names the floors that do differ from chance, by Student's tests of their draws.

    floors  the headline of each floor of the board

    A classifier that knows nothing ranks images by chance, and by some other chance in each draw. With the names
    of two classes exchanged a draw is as likely as before, so on the very test set at hand draws lie evenly about
    chance: their own spread holds all there is of error, the test images' share included. But where classifiers
    sort by one trait, this way or that, five draws fall on one side, close together, one time in sixteen. So a
    floor is named only where both its own spread and that of all floors together say so.
    """
    chances = {label: chance_of(floor.key.metric, n_classes) for label, floor in floors.items()}
    drawn = {
        label: floor.values - chance
        for label, floor in floors.items()
        if (chance := chances[label]) is not None and not floor.text and len(floor.values) > 1
    }
    freedom = sum(len(draws) - 1 for draws in drawn.values())
    together = sum(float(np.square(draws - draws.mean()).sum()) for draws in drawn.values()) / max(freedom, 1)
    warnings: dict[str, str] = {}
    for label, draws in drawn.items():
        alone = float(np.var(draws, ddof=1))
        p = max(_p_value(draws, alone, len(draws) - 1), _p_value(draws, together, freedom))
        if p < DIFFERS:
            check = floor_check(floors[label], n_classes)
            warnings[label] = f"differs from chance (p = {p:.1g}), look at the pipeline: {check}"
    return warnings


def _p_value(draws: Floats, variance: float, freedom: int) -> float:
    """Two-sided, that a mean as far from 0 comes from draws of that variance; of constant answers 0 or 1."""
    from scipy.stats import t

    mean, error = abs(float(draws.mean())), math.sqrt(variance / len(draws))
    if error == 0:
        return float(mean == 0)
    return float(2 * t.sf(mean / error, freedom))
