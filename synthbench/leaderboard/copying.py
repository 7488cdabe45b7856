"""The gate: a generator that an evaluator flags as copying, or that may have seen the test images, has no rank."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

from synthbench.leaderboard.trial_result import TrialResult
from synthbench.types import Score

__all__ = ["CANNOT_BE_TOLD", "copying", "copying_reasons", "flagged_by", "may_have_seen_test"]

CANNOT_BE_TOLD: Final = "cannot be told"


def flagged_by(results: Sequence[TrialResult]) -> list[str]:
    """The evaluators that flag a generator under any of its seeds, by label."""
    return list(dict.fromkeys(label for result in results for label, gate in _gates(result) if gate.value > 0))


def copying_reasons(results: Sequence[TrialResult]) -> list[str]:
    """Who flags a generator and what for: of each evaluator the first seed's note, where it says something."""
    flags: dict[str, str] = {}
    for result in results:
        for label, gate in _gates(result):
            if gate.value > 0:
                flags.setdefault(label, f"flagged as copying by {label}" + f": {gate.note}" * bool(gate.note))
    return list(flags.values())


def may_have_seen_test(results: Sequence[TrialResult]) -> str:
    """What is to be said of a generator that saw other images than those given to `fit`, or may have; else ""."""
    trained_on = results[0].trial.generator.declared.origin.trained_on
    if trained_on == "train":
        return ""
    scores = [score for result in results for of_evaluator in result.scores.values() for score in of_evaluator]
    unlabelled = scores and not any(score.test_set for score in scores)
    what = "may have seen every real image" if unlabelled else "test may have been seen"
    return f"{what} (trained_on: {trained_on}): no rank"


def copying(results: Sequence[TrialResult]) -> Literal["yes", "no", "cannot be told", ""]:
    """Whether a generator copies: "yes" where a seed is flagged, "no" where none is and all asked are known.

    Of further draws, which the headline's evaluator alone scores, nobody is asked. The flag compares with images
    that nobody learned from; where that is not sure, its absence says nothing.
    """
    if flagged_by(results):
        return "yes"
    if may_have_seen_test(results):
        return CANNOT_BE_TOLD
    asked = [result for result in results if any(e.declared.gates for e in result.trial.evaluators)]
    values = [[gate.value for _, gate in _gates(result)] for result in asked]
    known = all(of_trial and not any(map(math.isnan, of_trial)) for of_trial in values)
    return "no" if values and known else ""


def _gates(result: TrialResult) -> Iterator[tuple[str, Score]]:
    """(evaluator, score) of every gating metric; variants, a class alone say, do not count."""
    gates = {entry.label: entry.declared.gates for entry in result.trial.evaluators}
    for label, scores in result.scores.items():
        for score in scores:
            if score.metric in gates[label] and not score.variant:
                yield label, score
