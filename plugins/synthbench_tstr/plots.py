"""Pictures of a classifier: its curves over the epochs, its confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from synthbench_torchkit.fitting import Epoch

__all__ = ["plot_confusions", "plot_curves"]


def plot_curves(history: Sequence[Epoch], path: Path) -> None:
    """Loss and accuracy by epoch, training and validation; a line marks the epoch that was kept."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    epochs = [row.epoch for row in history]
    kept = next(row.epoch for row in history if row.best)
    curves = {
        "loss": ([row.train_loss for row in history], [row.val_loss for row in history]),
        "accuracy": ([row.train_accuracy for row in history], [row.val_accuracy for row in history]),
    }
    for axes, (what, (train, validation)) in zip(figure.subplots(1, 2), curves.items(), strict=True):
        axes.plot(epochs, train, marker=".", label="training (dropout on)")
        axes.plot(epochs, validation, marker=".", label="validation")
        axes.axvline(kept, color="0.6", linestyle="--", linewidth=1, label=f"kept: epoch {kept}")
        axes.set(xlabel="epoch", ylabel=what)
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def plot_confusions(matrices: Mapping[str, npt.NDArray[np.int64]], classes: Sequence[str], path: Path) -> None:
    """One panel a test set: counts, coloured by their share of the row (of the true class)."""
    side = 1.6 + 0.8 * len(classes)
    figure = Figure(figsize=(side * len(matrices), side), layout="constrained")
    panels = figure.subplots(1, len(matrices), squeeze=False)[0]
    for axes, (name, counts) in zip(panels, matrices.items(), strict=True):
        _draw_confusion(axes, counts, classes)
        axes.set_title(f"{name} (n = {counts.sum()})", fontsize="medium")
    figure.savefig(path, dpi=120)


def _draw_confusion(axes: Axes, counts: npt.NDArray[np.int64], classes: Sequence[str]) -> None:
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    ticks = range(len(classes))
    axes.set_xticks(ticks, classes, fontsize="small", rotation=30, ha="right")
    axes.set_yticks(ticks, classes, fontsize="small")
    axes.set(xlabel="predicted", ylabel="true")
    for row, column in np.ndindex(*counts.shape):
        share = shares[row, column]
        text = f"{counts[row, column]}\n{share:.0%}"
        color = "white" if share > 0.6 else "black"
        axes.text(column, row, text, ha="center", va="center", fontsize="small", color=color)
