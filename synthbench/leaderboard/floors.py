"""Floors: what guessing reaches, and whether the floors that were run reach no more: a check of the pipeline."""

from __future__ import annotations

import numpy as np

from synthbench.leaderboard.estimates import Estimate

__all__ = ["chance_of", "floor_check", "floor_warning"]

DIFFERS = 0.01
"""Below this p a floor counts as differing from chance: one false alarm in a hundred sound floors."""


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


def floor_warning(estimate: Estimate | None, n_classes: int) -> list[str]:
    """Names a floor that does differ from chance, by Student's test of its draws.

    A classifier that knows nothing ranks images by chance, and by some other chance in each draw: the draws' own
    spread holds all there is of error, the test images' share included.
    """
    from scipy.stats import ttest_1samp

    chance = chance_of(estimate.key.metric, n_classes) if estimate else None
    if estimate is None or chance is None or estimate.text or len(estimate.values) < 2:
        return []
    same = np.ptp(estimate.values) == 0  # constant answers: Student's test is undefined
    p = float(estimate.value == chance) if same else float(ttest_1samp(estimate.values, chance).pvalue)
    if p >= DIFFERS:
        return []
    return [f"differs from chance (p = {p:.1g}), look at the pipeline: {floor_check(estimate, n_classes)}"]
