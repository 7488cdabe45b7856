"""How a trial ended, with all that a board needs of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from synthbench.api.interfaces import Role
from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial
from synthbench.leaderboard.bootstrap import Replicates
from synthbench.storage.layout import trial_folder
from synthbench.types import Artifact, Score

__all__ = ["Status", "TrialResult", "is_ranked", "row_status"]

Status = Literal["done", "failed", "skipped"]


@dataclass
class TrialResult:
    """How a trial ended; `reasons` say what failed or why not.

    By evaluator label: `scores`, their `replicates` (the bootstrap) and the file of their `predictions`;
    `costs` by stage. `label_agreement` is the share of synthetic images in which a linear probe of the real ones
    sees the class that the label names (`synthbench.stats.check_labels`), None where nothing was drawn.
    `threads` by stage ("generator" or an evaluator's label): how many threads its sums had. `entries` names those
    of the store that it was put together from. `shared` is, by entry, what work cost that others may need, too.
    `missing`: put together from the store alone, it is not whole, and nobody left word of how it ended.
    """

    trial: Trial
    status: Status = "done"
    reasons: list[str] = field(default_factory=list)
    scores: dict[str, tuple[Score, ...]] = field(default_factory=dict)
    replicates: dict[str, Replicates] = field(default_factory=dict)
    predictions: dict[str, Path] = field(default_factory=dict)
    costs: dict[str, dict[str, Any]] = field(default_factory=dict)
    label_agreement: float | None = None
    from_store: bool = False
    threads: dict[str, int] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    shared: dict[str, dict[str, float]] = field(default_factory=dict)
    missing: bool = False

    def end(self, status: Status, reason: str) -> None:
        """Note a failure or a skip; a failure outweighs a skip."""
        self.status = "failed" if "failed" in (status, self.status) else status
        self.reasons.append(reason)

    def take_in(self, artifact: Artifact, evaluator: str = "") -> None:
        """Note an entry of the store and what it cost, an evaluation's under its label."""
        self.entries.append(artifact.path.name)
        for stage, cost in artifact.meta["costs"].items():
            self.costs[evaluator or stage] = cost
        self.shared |= artifact.meta.get("shared", {})
        if "threads" in artifact.meta:  # entries made before this was noted do not say
            self.threads[evaluator or "generator"] = artifact.meta["threads"]

    @property
    def role(self) -> Role:
        """What its generator is on the board."""
        return self.trial.generator.declared.role

    def folder(self, out: Path) -> Path:
        """Where the trial's files lie in the folder of a run."""
        return trial_folder(out, self.trial.generator.label, self.trial.index)

    def bounds(self, evaluator: str, metric: str) -> tuple[float, float] | None:
        """The least and the largest value of a metric, if it has both."""
        return self.trial.evaluator(evaluator).declared.bounds.get(metric)

    def patients(self, evaluator: str, test_set: str) -> int | None:
        """How many patients an evaluator's answers on a test set come from, where it keeps its answers."""
        replicates = self.replicates.get(evaluator)
        return replicates.groups.get(test_set) if replicates else None


def is_ranked(bench: Benchmark, result: TrialResult) -> bool:
    """Whether a trial has all that the headline needs; where the headline is not of it, whether it was done."""
    asked = {entry.label for entry in result.trial.evaluators} & set(bench.ranked_by)
    return asked <= set(result.scores) if asked else result.status == "done"


def row_status(bench: Benchmark, results: Sequence[TrialResult]) -> str:
    """`done`, `incomplete` where only what the headline does not need is missing, else `failed` or `skipped`."""
    states = {result.status for result in results}
    if states != {"done"} and all(is_ranked(bench, result) for result in results):
        return "incomplete"
    return next(state for state in ("failed", "skipped", "done") if state in states)
