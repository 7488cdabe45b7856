"""The gate: a generator that an evaluator flags as copying is marked on the board and has no rank."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Literal

from synthbench.leaderboard.trial_result import TrialResult
from synthbench.types import Score

__all__ = ["copying", "copying_reasons", "flagged_by"]


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


def copying(results: Sequence[TrialResult]) -> Literal["yes", "no", ""]:
    """Whether a generator copies: "yes" where a seed is flagged, "no" where none is and all are known."""
    if flagged_by(results):
        return "yes"
    values = [[gate.value for _, gate in _gates(result)] for result in results]
    known = all(of_trial and not any(map(math.isnan, of_trial)) for of_trial in values)
    return "no" if values and known else ""


def _gates(result: TrialResult) -> Iterator[tuple[str, Score]]:
    """(evaluator, score) of every gating metric; variants, a class alone say, do not count."""
    gates = {entry.label: entry.declared.gates for entry in result.trial.evaluators}
    for label, scores in result.scores.items():
        for score in scores:
            if score.metric in gates[label] and not score.variant:
                yield label, score
