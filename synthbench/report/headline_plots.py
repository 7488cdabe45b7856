"""Plots of who stands where: the headline with its intervals, utility against cost, scores by number of images."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synthbench.leaderboard.floors import chance_of
from synthbench.report.album import Album, Plot
from synthbench.report.metrics import estimates_of
from synthbench.report.theme import in_plot, legend_below, styles
from synthbench.results.folder import Row, RunFolder, StoredEstimate, estimate, number
from synthbench.storage.layout import Column

__all__ = ["against_cost", "by_checkpoint", "by_size", "seconds", "standings"]

Look = Mapping[str, Mapping[str, Any]]
Curves = dict[str, dict[int, StoredEstimate]]
"""Of each generator, a number at each length."""
SIZED = re.compile(r"(\d+) images$")
LEAST_SECONDS = 0.1
"""Shorter work stands at the left edge of a logarithmic axis."""


def standings(run: RunFolder, album: Album) -> list[Plot]:
    """The headline of every generator with its interval; floors and ceilings as lines through the plot."""
    known = _headline(run)
    if not known:
        return []
    listed = "; ".join(f"{label} {score}" for label, score in known.items())
    chance = chance_of(run.headline.rpartition(".")[2], max(len(run.classes), 2))
    floor = "floors" if chance is None else "chance"
    return [
        album.plot(
            ["leaderboard"],
            partial(_draw_standings, known=known, metric=run.headline, roles=run.roles, chance=chance),
            alt=f"{run.ranked_by} with 95 % intervals: {listed}",
            caption=f"{run.ranked_by}, 95 % intervals. Dotted lines: {floor}; dashed: ceilings.",
            size=(5.2, 1.0 + 0.28 * len(known)),
        )
    ]


def _headline(run: RunFolder) -> dict[str, StoredEstimate]:
    """The headline of each generator that has a number, in the board's order."""
    scores = zip(run.board, estimates_of(run, run.headline_key()), strict=True)
    return {row["generator"]: score for row, score in scores if score and not math.isnan(score.value)}


def _draw_standings(
    figure: Figure,
    known: Mapping[str, StoredEstimate],
    metric: str,
    roles: Mapping[str, str],
    chance: float | None,
) -> None:
    axes, look = figure.subplots(), styles(roles)
    for place, (label, score) in enumerate(known.items()):
        style = look[label]
        _draw_estimate(axes, [place, place], score, style, upright=False)
        axes.plot([score.value], [place], color=style["color"], marker=style["marker"], markersize=6)
        if roles[label] in ("floor", "ceiling"):
            at = score.value if chance is None or roles[label] == "ceiling" else chance
            axes.axvline(at, linewidth=1, **{**style, "marker": ""})
    axes.set_yticks(range(len(known)), [in_plot(label) for label in known])
    axes.invert_yaxis()
    axes.set(xlabel=metric)


def _draw_estimate(
    axes: Axes, at: Sequence[float], score: StoredEstimate, look: Mapping[str, Any], *, upright: bool
) -> None:
    """The interval as a bar through `at`, if there is one."""
    if score.ends:
        line = (at, score.ends) if upright else (score.ends, at)
        axes.plot(*line, color=look["color"], linewidth=3, alpha=0.5, solid_capstyle="butt")


def seconds(row: Row) -> float | None:
    """Wall-clock seconds to fit the generator and draw its images; None where neither is known."""
    known = [s for s in (number(row.get(Column.FIT)), number(row.get(Column.SAMPLE))) if s is not None]
    return sum(known) if known else None


def against_cost(run: RunFolder, album: Album) -> list[Plot]:
    """Utility, or the headline where no utility is known, against the seconds of making the images."""
    utility = {row["generator"]: score for row in run.board if (score := estimate(row, Column.UTILITY))}
    metric, scores = (Column.UTILITY, utility) if utility else (run.headline, _headline(run))
    known = {
        row["generator"]: (max(spent, LEAST_SECONDS), scores[row["generator"]])
        for row in run.board
        if row["generator"] in scores and (spent := seconds(row)) is not None
    }
    if not known:
        return []
    listed = "; ".join(f"{label} {score} in {spent:.1f} s" for label, (spent, score) in known.items())
    lines = " 0 is the floor, 1 the class-balanced real images." if metric == "utility" else ""
    return [
        album.plot(
            ["cost"],
            partial(_draw_cost, known=known, metric=metric, look=styles(run.roles)),
            alt=f"{metric} against seconds of fitting and drawing: {listed}",
            caption=f"{metric} with its 95 % interval against the time to fit and draw, mean over seeds.{lines}",
        )
    ]


def _draw_cost(figure: Figure, known: Mapping[str, tuple[float, StoredEstimate]], metric: str, look: Look) -> None:
    axes = figure.subplots()
    for label, (spent, score) in known.items():
        style = {key: look[label][key] for key in ("color", "marker")}
        _draw_estimate(axes, [spent, spent], score, style, upright=True)
        axes.plot([spent], [score.value], linestyle="none", label=in_plot(label), **style)
    if metric == "utility":
        for height, dash in ((0, ":"), (1, "--")):
            axes.axhline(height, color="0.5", linestyle=dash, linewidth=1)
    axes.set(
        xscale="log",
        xlabel="seconds to fit and draw",
        ylabel=metric,
        xlim=_decades([s for s, _ in known.values()]),
    )
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.xaxis.set_minor_formatter(lambda _value, _: "")
    legend_below(figure)


def _decades(numbers: Sequence[float]) -> tuple[float, float]:
    """Powers of ten around the numbers, so that an axis has labels at both ends."""
    low, high = math.floor(math.log10(min(numbers) * 0.9)), math.ceil(math.log10(max(numbers) * 1.1))
    return 10.0**low, 10.0**high


def by_size(run: RunFolder, album: Album) -> list[Plot]:
    """For each evaluator that scored several numbers of images: its metrics on `test` by that number."""
    curves: dict[tuple[str, str], Curves] = {}
    for row in run.tables["intervals"]:
        size, point = SIZED.fullmatch(row["variant"]), StoredEstimate.of_row(row)
        if size and not math.isnan(point.value) and row["test_set"] == "test" and not row["seen"]:
            curve = curves.setdefault((row["evaluator"], row["metric"]), {})
            curve.setdefault(row["generator"], {})[int(size[1])] = point
    return [
        album.plot(
            ["size", evaluator, metric],
            partial(
                _draw_curves,
                points=points,
                along="synthetic images trained on",
                metric=metric,
                look=styles(run.roles),
            ),
            alt=f"{evaluator}.{metric} on test by number of synthetic images: {_said_curves(points)}",
            caption=f"{evaluator}.{metric} on test by the number of synthetic images trained on; 95 % intervals.",
        )
        for (evaluator, metric), points in curves.items()
    ]


def by_checkpoint(run: RunFolder, album: Album) -> list[Plot]:
    """The headline on test over the checkpoints of each training that has rows of several."""
    known, points, units = _headline(run), Curves(), set[str]()
    for generator in run.bench.get("generators", ()):
        if (stage := generator.get("checkpoint")) and (score := known.get(generator["label"])):
            points.setdefault(stage["of"], {})[stage["at"]] = score
            units.add(stage["unit"])
    if all(len(curve) < 2 for curve in points.values()):
        return []
    look = styles(dict.fromkeys(points, "candidate"))
    return [
        album.plot(
            ["checkpoints"],
            partial(_draw_curves, points=points, along=", ".join(sorted(units)), metric=run.headline, look=look),
            alt=f"{run.ranked_by} by length of training: {_said_curves(points)}",
            caption=f"{run.ranked_by} over one training's checkpoints; 95 % intervals. To pick the best "
            "of them here is to fit the test set.",
        )
    ]


def _said_curves(points: Curves) -> str:
    return "; ".join(
        f"{label} " + ", ".join(f"{score} at {size}" for size, score in sorted(curve.items()))
        for label, curve in points.items()
    )


def _draw_curves(figure: Figure, points: Curves, along: str, metric: str, look: Look) -> None:
    axes = figure.subplots()
    sizes = sorted({size for curve in points.values() for size in curve})
    shown = [label for label in look if label in points]
    for label in shown:
        curve = dict(sorted(points[label].items()))
        values = [p.value for p in curve.values()]
        axes.plot(list(curve), values, markersize=4, label=in_plot(label), **look[label])
        known = {size: p.ends for size, p in curve.items() if p.ends}
        low, high = [ends[0] for ends in known.values()], [ends[1] for ends in known.values()]
        axes.fill_between(list(known), low, high, color=look[label]["color"], alpha=0.12, linewidth=0)
    axes.set(xscale="log", xlabel=along, ylabel=metric)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    legend_below(figure)
