"""How plots look: colours that every reader can tell apart, on white paper and on a dark screen alike."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import matplotlib.style
from matplotlib.figure import Figure

__all__ = ["COLOURS", "DASHES", "INK", "PAPER", "in_plot", "inline", "legend_below", "styles", "themed"]

INK, PAPER = "#111112", "#fffffe"
"""Text and background. Values that nothing else has, for `inline` puts the page's own in their place."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
"""Of the palette of Okabe & Ito (2008) those with a contrast of 3:1 or more on white and on the dark page."""

DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")

RC: dict[str, Any] = {
    "font.size": 9,
    "font.family": "DejaVu Sans",
    "text.parse_math": False,  # a label is a label, dollars and all
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlesize": "medium",
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "xtick.color": INK,
    "ytick.color": INK,
    "figure.facecolor": PAPER,
    "savefig.dpi": 160,
    "legend.frameon": False,
    "legend.fontsize": "small",
    "lines.linewidth": 1.4,
    "svg.fonttype": "none",  # text stays text: small, sharp, searchable
    "svg.hashsalt": "synthbench",  # the same plot, the same bytes
}


CHARACTERS_AN_INCH = 10
"""Of a legend in two columns, beside its markers."""

LONGEST_LABEL = 40
"""Characters; of longer labels both ends are shown, since those that `matrix` makes differ at the end."""


@contextmanager
def themed() -> Iterator[None]:
    """Within it plots look as above, whatever the reader's own matplotlibrc says."""
    with matplotlib.style.context(["default", RC], after_reset=True):
        yield


def styles(roles: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """How each generator is drawn in every plot, by label: candidates in colour, floors and ceilings in grey.

    After four colours the dashes change, so that colour alone tells nothing; markers differ too.
    """
    looks: dict[str, dict[str, Any]] = {}
    count = {"candidate": 0, "floor": 0, "ceiling": 0}
    for label, role in roles.items():
        kind = role if role in count else "candidate"
        k = count[kind]
        count[kind] += 1
        if kind == "candidate":
            dash = DASHES[k // len(COLOURS) % len(DASHES)]
            look = {"color": COLOURS[k % len(COLOURS)], "linestyle": dash, "alpha": 1.0}
        else:
            dotted = (":", (0, (1, 3)))[k % 2]
            look = {"color": INK, "linestyle": dotted if kind == "floor" else "--", "alpha": 0.55}
        looks[label] = {**look, "marker": MARKERS[k % len(MARKERS)]}
    return looks


def legend_below(figure: Figure) -> None:
    """One legend under all panels, in two columns where there is room for them."""
    labels = [label for axes in figure.axes for label in axes.get_legend_handles_labels()[1]]
    characters = figure.get_figwidth() * CHARACTERS_AN_INCH
    narrow = 2 * max(map(len, labels), default=0) > characters
    figure.legend(loc="outside lower center", ncols=1 if narrow or len(labels) < 2 else 2)


def in_plot(label: str) -> str:
    """A label as a plot shows it: a long one without its middle, so that there is room for the plot, and none
    that begins with "_", which a legend would leave out."""
    if len(label) > LONGEST_LABEL:
        half = LONGEST_LABEL // 2
        label = f"{label[:half]}…{label[-half:]}"
    return f"\u200b{label}" if label.startswith("_") else label


def inline(svg: str, prefix: str) -> str:
    """An SVG file's text as an element of a page: in the page's colours and font, as wide as there is room.

    Ids repeat from plot to plot: those that nothing refers to go, the others begin with `prefix`. Style sheets,
    which would hold for the whole page, go too.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<style.*?</style>|<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'<g id="[^"]*"', "<g", body)
    body = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", body, count=1)
    body = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", body, count=1)
    body = re.sub(r">\s+<", "><", body)
    body = re.sub(r'( id="|href="#|url\(#)', rf"\1{prefix}", body)
    for ours, page in {INK: "currentColor", PAPER: "none", "'DejaVu Sans'": "system-ui, sans-serif"}.items():
        body = body.replace(ours, page)
    return body
