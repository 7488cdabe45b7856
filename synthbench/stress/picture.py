"""stress.png: a small curve for each metric and degradation, its panel coloured by the verdict."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.leaderboard.score_key import ScoreKey
from synthbench.stress.sweep import Point
from synthbench.stress.verdicts import Finding, Verdict

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

PAPERS: dict[Verdict, str] = {
    "right": "#d8efe3",
    "uneven": "#fbf0cc",
    "blind": "#e4e4e4",
    "wrong": "#f7d9cb",
    "not asked": "#ffffff",
    "no value": "#ffffff",
}
"""Behind the curves; the verdict also stands in words."""

WIDTH, HEIGHT = 1.25, 0.8
"""Of a panel, in inches."""


def draw(path: Path, title: str, findings: Sequence[Finding], points: Sequence[Point]) -> None:
    """Rows: metrics; columns: degradations. Across: strength 0 to 1; grey band: what chance allows."""
    from matplotlib.figure import Figure

    from synthbench.report.theme import themed

    columns = list(dict.fromkeys(f.key for f in findings))
    names = list(dict.fromkeys(f.degradation for f in findings))
    by_place = {(f.key, f.degradation): f for f in findings}
    with themed():
        size = (1.6 + WIDTH * len(names), 0.9 + HEIGHT * len(columns))
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(len(columns), len(names), squeeze=False, sharex=True, sharey="row")
        for panels, key in zip(grid, columns, strict=True):
            for axes, name in zip(panels, names, strict=True):
                _panel(axes, by_place[key, name], points)
            panels[0].set_ylabel(_lines(key), rotation=0, ha="right", va="center", fontsize=7)
        for axes, name in zip(grid[0], names, strict=True):
            axes.set_title(name, fontsize=8, pad=10)
        figure.suptitle(title, fontsize=9)
        figure.supxlabel(f"strength 0 to 1; {_legend()}", fontsize=7)
        figure.savefig(path)


def _panel(axes: Axes, finding: Finding, points: Sequence[Point]) -> None:
    """One curve from strength 0 on, intervals as bars."""
    from synthbench.report.theme import COLOURS, INK

    steps = [p for p in points if p.key == finding.key and p.repeat == 0]
    steps = [p for p in steps if p.degradation in ("", finding.degradation) and math.isfinite(p.value)]
    axes.set_facecolor(PAPERS[finding.verdict])
    if math.isfinite(finding.base):
        low, high = finding.base - finding.tolerance, finding.base + finding.tolerance
        axes.axhspan(low, high, color=INK, alpha=0.15, linewidth=0)
    strengths = [p.strength for p in steps]
    axes.vlines(strengths, [p.low for p in steps], [p.high for p in steps], color=COLOURS[0], alpha=0.5)
    axes.plot(strengths, [p.value for p in steps], marker=".", markersize=4, color=COLOURS[0])
    axes.set_xlim(-0.05, 1.05)
    axes.set_xticks([0, 0.5, 1], ["", "", ""])
    axes.tick_params(labelsize=5, length=2, pad=1)
    axes.text(0, 1.03, _said(finding), transform=axes.transAxes, va="bottom", fontsize=6)


def _said(finding: Finding) -> str:
    start = "" if math.isnan(finding.start) else f" from {finding.start:.2f}"
    return {"not asked": f"(moves{start})" if start else ""}.get(finding.verdict, finding.verdict + start)


def _lines(key: ScoreKey) -> str:
    """The column's name, broken where it gets long."""
    return key.name.replace(".", ".\n", 1).replace("@", "\n@", 1)


def _legend() -> str:
    return (
        "grey band: chance; right: worse from ... on; uneven: a step goes back; blind: no change; "
        "wrong: better, or a gate's false alarm; white: nothing is asked"
    )
