"""Does a metric move the right way, step by step, and from which strength on?"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stress.expectations import Aspect, Expectation, expectation
from synthbench.stress.sweep import Point
from synthbench.types import Direction

__all__ = ["Facts", "Finding", "Verdict", "judge", "judge_all", "tolerance"]

ROUNDING = 1e-9
"""Of a value's size: what differs by less is the same."""

Verdict = Literal["right", "uneven", "blind", "wrong", "not asked", "no value"]


@dataclass(frozen=True)
class Facts:
    """What is known of a metric before it is stressed."""

    direction: Direction
    aspect: Aspect


@dataclass(frozen=True)
class Finding:
    """What a degradation did to a metric.

    verdict      right      it gets worse beyond chance, and never gets better again beyond chance
                 uneven     it gets worse beyond chance, but some step goes back
                 blind      it does not get worse beyond chance
                 wrong      somewhere it says beyond chance that worse images are better; of a gate where nothing
                            is copied (`not worse`): worse beyond chance, a false alarm; it is right otherwise
                 not asked  no expectation: see `expectations`
                 no value   too few numbers to tell
    spearman     rank correlation of the strength with how much worse the value is: 1 is monotone, the right way
    wrong_steps  from one strength to the next, steps towards better by more than chance
    leaves_at    the first strength whose value is beyond chance (worse; where nothing is asked, either way) or NaN
    base, last   the value at strength 0 and at the greatest strength that has one
    tolerance    what counts as chance, see `tolerance`
    note         why values are missing
    """

    key: ScoreKey
    degradation: str
    expected: Expectation
    verdict: Verdict
    spearman: float
    wrong_steps: int
    leaves_at: float
    base: float
    last: float
    tolerance: float
    note: str = ""

    @property
    def start(self) -> float:
        """From which strength on the verdict holds, NaN where that is no question: `wrong` may be anywhere."""
        anywhere = self.verdict == "wrong" and self.expected == "worse"
        return math.nan if anywhere else self.leaves_at


def judge_all(points: Sequence[Point], facts: Mapping[ScoreKey, Facts]) -> list[Finding]:
    """Every metric under every degradation, in the order of the points."""
    findings = []
    for key in dict.fromkeys(point.key for point in points):
        of_key = [point for point in points if point.key == key]
        base = [point for point in of_key if not point.degradation]
        for name in dict.fromkeys(point.degradation for point in of_key if point.degradation):
            steps = [point for point in of_key if point.degradation == name]
            findings.append(judge(base, steps, facts[key]))
    return findings


def judge(base: Sequence[Point], steps: Sequence[Point], facts: Facts) -> Finding:
    """One metric under one degradation.

    base   the points of strength 0, the first of which is of the halving that `steps` degrade
    steps  those of the other strengths, ascending
    """
    key, name = steps[0].key, steps[0].degradation
    expected = expectation(name, facts.aspect)
    known = [point for point in [base[0], *steps] if math.isfinite(point.value)]
    notes = "; ".join(dict.fromkeys(point.note for point in [base[0], *steps] if point.note))
    chance = tolerance(base) + ROUNDING * max(1.0, abs(base[0].value))
    if not math.isfinite(base[0].value) or len(known) < 2:
        nan = math.nan
        return Finding(key, name, expected, "no value", nan, 0, nan, base[0].value, nan, chance, notes)
    sign = 1 if facts.direction == "lower" else -1
    worse = [sign * (point.value - base[0].value) for point in known]
    beyond = [abs(amount) if expected == "any" else amount for amount in worse]
    leaves = [p.strength for p, amount in zip(known, beyond, strict=True) if amount > chance]
    back = _wrong_steps(known, worse, chance)
    return Finding(
        key,
        name,
        expected,
        _verdict(expected, worse, chance, back),
        _spearman([point.strength for point in known], worse),
        back,
        leaves[0] if leaves else math.nan,
        base[0].value,
        known[-1].value,
        chance,
        notes,
    )


def tolerance(base: Sequence[Point]) -> float:
    """How far a value may be from the one at strength 0 by chance: the larger of

    - the half-width of its own 95 % interval (the longer side);
    - the half-width of the 95 % prediction interval for one more halving, t(.975, r - 1) s sqrt(1 + 1/r), from the
      standard deviation s of the r halvings (Hahn & Meeker, Statistical Intervals, 1991, section 4.7).

    0 where neither is known.
    """
    from scipy import stats

    values = [point.value for point in base if math.isfinite(point.value)]
    spread = 0.0
    if (r := len(values)) > 1:
        spread = float(stats.t.ppf(0.975, r - 1) * np.std(values, ddof=1) * math.sqrt(1 + 1 / r))
    return max(spread, _half_width(base[0]))


def _half_width(point: Point) -> float:
    """0 where the point has no interval."""
    sides = [point.high - point.value, point.value - point.low]
    return max((side for side in sides if math.isfinite(side)), default=0.0)


def _wrong_steps(known: Sequence[Point], worse: Sequence[float], chance: float) -> int:
    """Steps towards better by more than chance and more than either end's own interval."""
    allowed = [max(chance, _half_width(point)) for point in known]
    return sum(worse[k] - worse[k + 1] > max(allowed[k : k + 2]) for k in range(len(worse) - 1))


def _verdict(expected: Expectation, worse: Sequence[float], chance: float, back: int) -> Verdict:
    if expected == "any":
        return "not asked"
    if expected == "not worse":
        return "wrong" if max(worse) > chance else "right"
    if min(worse) < -chance:
        return "wrong"
    if max(worse) <= chance:
        return "blind"
    return "uneven" if back else "right"


def _spearman(strengths: Sequence[float], worse: Sequence[float]) -> float:
    """NaN where the values are all one."""
    from scipy import stats

    if len(set(worse)) < 2:
        return math.nan
    return float(stats.spearmanr(strengths, worse).statistic)
