"""Pictures of an evaluation: the size curve, a mask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

__all__ = ["plot_mask", "plot_sizes"]


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
