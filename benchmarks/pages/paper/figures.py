"""The pictures of docs/paper.md that a run does not draw itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from paper import printed as paper
from PIL import Image, ImageDraw

from synthbench import read_picture

__all__ = ["draw_grids", "plot_losses"]

STRIP = 16
"""Height of the line of text above a grid, in pixels."""


def draw_grids(grids: Sequence[Path], path: Path, titles: Sequence[str] = ()) -> None:
    """Sample grids below each other as one grey PNG, pixel for pixel; several get a title, by default their step.

    Eight bits a pixel and no more: noise-like grids hardly compress, and the docs are part of the repository.
    """
    pictures = [read_picture(grid).convert("L") for grid in grids]
    strip = STRIP if len(grids) > 1 else 0
    page = Image.new("L", (pictures[0].width, sum(p.height + strip for p in pictures)), 255)
    top = 0
    if strip and not titles:
        titles = [f"after step {int(grid.stem.removeprefix('grid-'))}" for grid in grids]
    for title, picture in zip(titles or [""], pictures, strict=True):
        if strip:
            ImageDraw.Draw(page).text((2, top + 2), title, fill=0)
        page.paste(picture, (0, top + strip))
        top += picture.height + strip
    page.save(path, optimize=True)


def plot_losses(losses: Path, path: Path) -> None:
    """The four losses by step, ours as lines, the paper's three printed steps as crosses."""
    table = pd.read_csv(losses)
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    titles = ("tag: squared error", "labels: cross-entropy (log scale)")
    for axes, what, title in zip(figure.subplots(1, 2), ("tag", "label"), titles, strict=True):
        for who, color in (("d", "tab:blue"), ("g", "tab:orange")):
            name = f"{who}_{what}"
            axes.plot(table["step"], table[name], color=color, linewidth=1.2, label=f"{who.upper()}, ours")
            printed = [values[paper.LOSS_COLUMNS.index(name)] for values in paper.LOSSES.values()]
            axes.plot(list(paper.LOSSES), printed, "x", color=color, label=f"{who.upper()}, paper")
        axes.set(xlabel="step", title=title)
        axes.legend(fontsize="small")
    figure.axes[1].set_yscale("log")
    figure.savefig(path, dpi=110)
