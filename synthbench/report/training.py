"""Plots of what training left: losses of the generator, curves of the classifiers, confusion matrices."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synthbench.leaderboard.score_key import seen_mark
from synthbench.report.album import Album, Plot
from synthbench.report.theme import COLOURS, DASHES, PAPER, in_plot, legend_below
from synthbench.results.folder import Row, RunFolder, Trial, number

__all__ = ["Classifiers", "PerClass", "classifiers", "loss_plot"]

Floats = npt.NDArray[np.float64]
FOLDER = re.compile(r"classifier-(\d+)(?:-(.+))?")
FEW = 3
"""Classes whose confusion matrices stand two in a row, with shares and counts."""

MOST_POINTS = 500
"""Points of a curve beyond which every second, third ... is drawn."""


def loss_plot(run: RunFolder, trial: Trial, album: Album) -> list[Plot]:
    """losses.csv of a generator: every column against the first."""
    rows = run.rows(trial.folder / "generator" / "losses.csv")
    step, *names = list(rows[0]) if rows else [""]
    if len(rows) < 2 or not names:
        return []
    thinned = rows[:: 1 + len(rows) // MOST_POINTS]
    curves = {name: _column(thinned, name) for name in names}
    last = ", ".join(f"{name} {values[-1]:.3f}" for name, values in curves.items())
    return [
        album.plot(
            ["losses", trial.generator],
            partial(_draw_losses, steps=_column(thinned, step), curves=curves, step=step),
            alt=f"Losses of {trial.generator} by {step}; at the end: {last}",
            caption=f"Losses by {step}, seed {trial.index}.",
        )
    ]


def _column(rows: Sequence[Row], name: str) -> Floats:
    numbers = [number(row.get(name)) for row in rows]
    return np.array([np.nan if value is None else value for value in numbers])


def _draw_losses(figure: Figure, steps: Floats, curves: Mapping[str, Floats], step: str) -> None:
    axes = figure.subplots()
    for k, (name, values) in enumerate(curves.items()):
        dash = DASHES[k // len(COLOURS) % len(DASHES)]
        axes.plot(steps, values, color=COLOURS[k % len(COLOURS)], linestyle=dash, label=in_plot(name))
    axes.set(xlabel=step, ylabel="loss")
    legend_below(figure)


class PerClass(NamedTuple):
    """A row of the per-class table: means over classifiers."""

    test_set: str
    name: str
    precision: str
    recall: str
    f1: str
    support: str


class Classifiers(NamedTuple):
    """What an evaluator's classifiers left for one generator."""

    plots: list[Plot]
    per_class: list[PerClass]


def classifiers(run: RunFolder, trials: Sequence[Trial], evaluator: str, album: Album) -> Classifiers:
    """Curves, confusion matrices and per-class figures of all classifiers that gave the evaluator's own figure."""
    folders = [folder for trial in trials for folder in _folders(trial.evaluator(evaluator))]
    who = trials[0].generator if trials else ""
    plots = [
        *_history_plot(run, folders, who, evaluator, album),
        *_confusion_plot(run, folders, who, evaluator, album),
    ]
    return Classifiers(plots, _per_class(run, folders))


def _folders(evaluator: Path) -> list[Path]:
    """Folders classifier-<K> of the evaluator's own figure; where all are of variants, those of the last one."""
    by_variant: dict[str, list[Path]] = {}
    for folder in sorted(evaluator.glob("classifier-*")):
        if match := FOLDER.fullmatch(folder.name):
            by_variant.setdefault(match[2] or "", []).append(folder)
    return by_variant.get("") or next(reversed(list(by_variant.values())), [])


def _history_plot(run: RunFolder, folders: Sequence[Path], who: str, evaluator: str, album: Album) -> list[Plot]:
    """history.csv: loss and accuracy of training and validation by epoch, a line a classifier."""
    histories = [rows for folder in folders if (rows := run.rows(folder / "history.csv"))]
    if not histories:
        return []
    best = [row["epoch"] for rows in histories for row in rows if row.get("best") == "1"]
    kept = f"; epochs kept: {', '.join(best)}" if best else ""
    return [
        album.plot(
            ["curves", who, evaluator],
            partial(_draw_histories, histories=histories),
            alt=f"Loss and accuracy of the classifiers of {evaluator} on {who} by epoch{kept}",
            caption=f"{evaluator}: loss and accuracy by epoch, a line a classifier{kept}.",
            size=(4.6, 2.6),
        )
    ]


def _draw_histories(figure: Figure, histories: Sequence[Sequence[Row]]) -> None:
    for axes, what in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for k, rows in enumerate(histories):
            epochs = _column(rows, "epoch")
            for part, title, dash, colour in (
                ("train", "training", "-", COLOURS[0]),
                ("val", "validation", "--", COLOURS[1]),
            ):
                label = title if k == 0 and what == "loss" else None
                axes.plot(epochs, _column(rows, f"{part}_{what}"), dash, color=colour, label=label, linewidth=1.1)
        axes.set(xlabel="epoch", title=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
    legend_below(figure)


def _confusion_plot(run: RunFolder, folders: Sequence[Path], who: str, evaluator: str, album: Album) -> list[Plot]:
    """confusion.csv: a matrix a test set, counts averaged over the classifiers."""
    tables = [table for folder in folders if (table := _confusion(run.cells(folder / "confusion.csv"))).classes]
    if not tables:
        return []
    classes, names = tables[0].classes, dict.fromkeys(test_set for test_set, _ in tables[0].counts)
    matrices = {_titled(run, name): np.mean([_matrix(t, name, classes) for t in tables], axis=0) for name in names}
    said = "; ".join(f"{name}: {_said(counts, classes)}" for name, counts in matrices.items())
    columns = 2 if len(classes) <= FEW else 1
    height = (2.3 if columns == 2 else 4.6) * -(-len(names) // columns)
    mean = f", mean of {len(tables)} classifiers" if len(tables) > 1 else ""
    what = " and number of images" if len(classes) <= FEW else " in %"
    return [
        album.plot(
            ["confusion", who, evaluator],
            partial(_draw_confusions, matrices=matrices, classes=classes, columns=columns),
            alt=f"Confusion matrices of {evaluator} on {who}. {said}",
            caption=f"{evaluator}: share of each true class{what}{mean}.",
            size=(4.6, height),
        )
    ]


def _titled(run: RunFolder, name: str) -> str:
    """A test set's name with what training knows of it."""
    uses = (row.get("seen", "") for row in run.tables["scores"] if row.get("test_set") == name)
    mark = seen_mark(next(uses, "")) or run.leaked(name)
    return f"{name} ({mark})" if mark else name


class Confusion(NamedTuple):
    """confusion.csv: the classes, and by test set and true class how often each was predicted."""

    classes: Sequence[str]
    counts: Mapping[tuple[str, str], Mapping[str, str]]


def _confusion(lines: Sequence[Sequence[str]]) -> Confusion:
    """By place: a class may be called "true", as the heading's second column is."""
    classes = lines[0][2:] if len(lines) > 1 else []
    rows = {(line[0], line[1]): dict(zip(classes, line[2:], strict=False)) for line in lines[1:] if len(line) > 1}
    return Confusion(classes, rows)


def _matrix(table: Confusion, test_set: str, classes: Sequence[str]) -> Floats:
    """(K, K): true classes in rows, predicted ones in columns."""
    rows = [table.counts.get((test_set, true), {}) for true in classes]
    return np.array([[number(row.get(name)) or 0.0 for name in classes] for row in rows])


def _said(counts: Floats, classes: Sequence[str]) -> str:
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1e-9)
    return ", ".join(
        f"{name} {shares[k, k]:.0%} right of {counts[k].sum():.0f}" if counts[k].any() else f"{name} none"
        for k, name in enumerate(classes)
    )


def _draw_confusions(figure: Figure, matrices: Mapping[str, Floats], classes: Sequence[str], columns: int) -> None:
    panels = figure.subplots(-(-len(matrices) // columns), columns, squeeze=False).ravel()
    for axes, (name, counts) in zip(panels, matrices.items(), strict=False):
        _draw_confusion(axes, counts, classes)
        axes.set_title(in_plot(name).replace(" (", "\n("), fontsize="medium")
    for axes in panels[len(matrices) :]:
        axes.set_axis_off()


def _draw_confusion(axes: Axes, counts: Floats, classes: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1e-9)
    middles = [k + 0.5 for k in range(len(classes))]
    few = len(classes) <= FEW
    size = 7 if few else min(7, 60 / len(classes))
    names = list(classes) if few else [name if len(name) <= 16 else f"{name[:15]}…" for name in classes]
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors=PAPER, linewidth=1)
    axes.invert_yaxis()
    axes.set_xticks(middles, names, fontsize=size, rotation=0 if few else 90)
    axes.set_yticks(middles, names, fontsize=size, rotation=90 if few else 0, va="center")
    axes.set_xlabel("predicted", fontsize=7)
    axes.set_ylabel("true", fontsize=7)
    axes.grid(False)
    for row, column in np.ndindex(*counts.shape):
        share = shares[row, column]
        if not counts[row].any():
            text = "none" if few or column == 0 else ""
        elif few:
            text = f"{share:.0%}\n{counts[row, column]:.0f}"
        else:  # the share alone has room, in percent; what rounds to nothing is left white
            text = f"{100 * share:.0f}" if share >= 0.005 else ""
        colour = "white" if share > 0.55 else "black"
        axes.text(middles[column], middles[row], text, ha="center", va="center", fontsize=size, color=colour)


def _per_class(run: RunFolder, folders: Sequence[Path]) -> list[PerClass]:
    """report.csv, averaged over classifiers."""
    values: dict[tuple[str, str], list[Row]] = {}
    for folder in folders:
        for row in run.rows(folder / "report.csv"):
            values.setdefault((row["test_set"], row["class"]), []).append(row)
    empty = {key for key, rows in values.items() if not _column(rows, "support").any()}
    lacking = {test_set for test_set, _ in empty}
    return [
        _per_row(key, rows, blank=key in empty or (key[0] in lacking and key[1].endswith(" avg")))
        for key, rows in values.items()
    ]


def _per_row(key: tuple[str, str], rows: Sequence[Row], *, blank: bool) -> PerClass:
    """`blank`: of a class without images, or an average over one, which says nothing."""
    precision, recall, f1 = ("" if blank else _mean(rows, name) for name in ("precision", "recall", "f1"))
    return PerClass(*key, precision, recall, f1, _mean(rows, "support", digits=0))


def _mean(rows: Sequence[Row], name: str, digits: int = 3) -> str:
    values = _column(rows, name)
    return f"{values.mean():.{digits}f}" if np.isfinite(values).all() else "–"
