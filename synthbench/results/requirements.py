"""Whether a run's candidates are as its benchmark requires."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from synthbench.benchmark.requirement import COPYING, Requirement
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.results.folder import RunFolder, dig
from synthbench.storage.layout import Column

__all__ = ["missed", "recorded"]


def recorded(run: RunFolder) -> list[Requirement]:
    """What a run was required to reach, in its file or beside it."""
    return [Requirement.of(str(text)) for text in dig(run.record, "benchmark", "require", default=[])]


def missed(requirements: Sequence[Requirement], run: RunFolder) -> list[str]:
    """A line for each candidate and requirement that it misses, or of which nothing is known."""
    return [line for requirement in requirements for line in _missing(requirement, run)]


def _missing(requirement: Requirement, run: RunFolder) -> Iterator[str]:
    evaluator, _, metric = requirement.what.rpartition(".")
    key = ScoreKey(evaluator, metric, "test")
    known = run.estimates.get(key) or run.estimates.get(key._replace(test_set=""), {})
    for row in run.board:
        label = row[Column.GENERATOR]
        if run.roles[label] != "candidate":
            continue
        if requirement.what == COPYING:
            shown, holds = row[Column.COPYING], row[Column.COPYING] == requirement.limit
        else:
            estimate = known.get(label)
            value = estimate.value if estimate else math.nan
            shown, holds = "" if math.isnan(value) else f"{value:.4g}", requirement.holds(value)
        if not holds:
            yield f"required {requirement}: {label} has {shown or 'no value'}"
