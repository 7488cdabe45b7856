"""Pictures of a classifier: its curves over the epochs, its confusion matrices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

if TYPE_CHECKING:
    from synthbench_torchkit.fitting import Epoch

__all__ = ["plot_confusions", "plot_curves", "plot_mask", "plot_sizes"]


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
        axes.set_title(f"{name} (n = {counts.sum()})".strip(), fontsize="medium")
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


def plot_sizes(curves: Mapping[str, Mapping[int, Sequence[float]]], test_set: str, path: Path) -> None:
    """Each metric against the number of training images (log axis): a dot a classifier, a line through means.

    `curves` gives the values of all classifiers by metric and size; a size without values leaves a gap.
    """
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.subplots()
    for metric, by_size in curves.items():
        sizes = list(by_size)
        means = [float(np.mean(by_size[size])) if by_size[size] else np.nan for size in sizes]
        (line,) = axes.plot(sizes, means, marker="o", markersize=3, label=metric)
        dots = [(size, value) for size in sizes for value in by_size[size]]
        places, values = np.reshape(dots, (-1, 2)).T
        axes.plot(places, values, ".", color=line.get_color(), alpha=0.5)
    axes.set(xscale="log", xlabel="synthetic images trained on", ylabel=f"on {test_set}")
    axes.set_xlim(0.8 * sizes[0], 1.25 * sizes[-1])
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
    figure.savefig(path, dpi=120)


def plot_mask(mean: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_], title: str, path: Path) -> None:
    """The mean image, its mask as an outline, and what the mask leaves of it; `mean` and `mask` (H, W)."""
    figure = Figure(figsize=(6, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.imshow(mean, cmap="gray", vmin=0, vmax=255)
    left.contour(mask, levels=[0.5], colors="tab:orange")
    right.imshow(np.where(mask, 0, mean), cmap="gray", vmin=0, vmax=255)
    for axes in (left, right):
        axes.set_axis_off()
    figure.suptitle(title, fontsize="small")
    figure.savefig(path, dpi=100)
