"""What a stress test leaves: stress.csv (verdicts), points.csv (every number), stress.png."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthbench.api.interfaces import Evaluator
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.runner.session import Session
from synthbench.storage.cells import csv_text
from synthbench.storage.store import write_atomic
from synthbench.stress.degrade import amount
from synthbench.stress.expectations import aspect_of
from synthbench.stress.picture import draw
from synthbench.stress.sweep import FAILED, Point, Sweep, asked, sweep
from synthbench.stress.verdicts import Facts, Finding, judge_all

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Stressed", "findings_table", "points_table", "stress"]


@dataclass(frozen=True)
class Stressed:
    """A finished stress test, and the folder that holds its files."""

    findings: Sequence[Finding]
    points: Sequence[Point]
    out: Path

    @property
    def failures(self) -> list[str]:
        """Which evaluators failed, and how, each message once."""
        notes = [(p.key.evaluator, p.note.removeprefix(FAILED)) for p in self.points if p.note.startswith(FAILED)]
        return [f"{label}: {note}" for label, note in dict.fromkeys(notes)]


def stress(bench: Benchmark, session: Session, out: Path, how: Sweep, only: Sequence[str] = ()) -> Stressed:
    """Run the sweep (see `sweep`), judge it and write the files into `out`."""
    points = sweep(bench, session, out, how, only)
    findings = judge_all(points, _facts(points, asked(bench, only)))
    out.mkdir(parents=True, exist_ok=True)
    for name, table in {"stress": findings_table(findings), "points": points_table(points)}.items():
        write_atomic(out / f"{name}.csv", csv_text(table))
    title = f"{bench.name}: real images made worse, at most {how.images} against as many"
    draw(out / "stress.png", title, findings, points)
    return Stressed(findings, points, out)


def _facts(points: Sequence[Point], evaluators: Sequence[Entry[Evaluator]]) -> dict[ScoreKey, Facts]:
    plugins = {entry.label: entry.plugin for entry in evaluators}
    return {
        key: Facts(plugins[key.evaluator].metrics[key.metric], aspect_of(plugins[key.evaluator], key.metric))
        for key in dict.fromkeys(point.key for point in points)
    }


def findings_table(findings: Sequence[Finding]) -> pd.DataFrame:
    """stress.csv: one row a metric and degradation."""
    import pandas as pd

    return pd.DataFrame([{**_where(f.key), **_shown(f)} for f in findings])


def _where(key: ScoreKey) -> dict[str, str]:
    return {name: getattr(key, name) for name in ("evaluator", "metric", "test_set", "seen")}


def _shown(finding: Finding) -> dict[str, Any]:
    facts = {name: value for name, value in vars(finding).items() if name != "key"}
    at = finding.leaves_at
    facts["leaves_at_amount"] = "" if math.isnan(at) else amount(finding.degradation, at)
    return facts


def points_table(points: Sequence[Point]) -> pd.DataFrame:
    """points.csv: one row a number. `degradation` is empty at strength 0, which is every degradation's."""
    import pandas as pd

    rows = [
        {
            **_where(p.key),
            **{"degradation": p.degradation, "strength": p.strength, "repeat": p.repeat},
            **{"amount": amount(p.degradation, p.strength) if p.degradation else ""},
            **{"value": p.value, "low": p.low, "high": p.high, "note": p.note},
        }
        for p in points
    ]
    return pd.DataFrame(rows)
