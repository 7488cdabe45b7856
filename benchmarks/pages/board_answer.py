"""What docs/board.md opens with: what the board says, in its own numbers."""

from __future__ import annotations

import math
import re

from blocks import bullets, short
from results import Results

__all__ = ["BACKBONES", "PAPERS", "board_answer", "rank_by"]

BACKBONES = ("vgg16", "cnn")
"""Of the judges; the first ranks."""

PAPERS = "acgan"
"""The generator that all are held against."""

SURE = 0.05


def board_answer(results: Results) -> str:
    """One line each: real images, the paper's generator, likeness, who copies."""
    board = results.board.set_index("generator")
    candidates = board[board.role == "candidate"]
    honest = list(candidates.index[candidates.copying == "no"])
    vgg, cnn = ({name: auroc(results, name, judge) for name in board.index} for judge in BACKBONES)
    best, best_by_cnn = (max(honest, key=lambda name, known=known: known[name]) for known in (vgg, cnn))
    told = told_from_papers(results)
    named = f" ({', '.join(f'`{name}`' for name in told)})" if told else ""
    rank = rank_by(results.judge("cnn"), board.judges[PAPERS])
    alike = min(honest, key=lambda name: board.kid[name])
    place = sorted(honest, key=lambda name: -vgg[name]).index(alike) + 1
    copies = [
        f"**`{name}` copies**: {board.memorisation_verified_copies[name]:.0%} of its images are verified copies "
        f"of training images. {short(vgg[name])} and {short(cnn[name])} are theirs, and it has no rank."
        for name in candidates.index[candidates.copying == "yes"]
    ]
    real, others = "balanced-resample", len(honest) - 1
    return bullets(
        "**The best that does not copy**: "
        f"`{best}` {short(vgg[best])} under VGG16, `{best_by_cnn}` {short(cnn[best_by_cnn])} under the small CNN; "
        f"as many real ones, classes balanced, {short(vgg[real])} and {short(cnn[real])}. Aimed at: .93 and .91.",
        f"**Against the paper's ACGAN.** VGG16 tells {len(told)} of the other {others}{named} "
        f"from it ({short(vgg[PAPERS])}). Under the small CNN it has {short(cnn[PAPERS])} "
        f"and rank {rank} of {len(honest)}.",
        "**Looking real is another thing than being worth training on.** Most like real images by `kid` is "
        f"`{alike}` ({short(board.kid[alike])}; the paper's ACGAN {short(board.kid[PAPERS])}), number {place} of "
        f"{len(honest)} under VGG16.",
        *copies,
    )


def auroc(results: Results, generator: str, backbone: str) -> float:
    """On test; NaN where nobody asked."""
    cell = results.cell(generator, results.judge(backbone), "auroc", "test")
    return math.nan if cell is None else float(cell.value)


def told_from_papers(results: Results) -> list[str]:
    """The candidates whose headline differs from the paper's generator's, Holm's correction made."""
    sure = results.comparisons[results.comparisons.p_holm.astype(float) < SURE]
    pairs = [{row.a, row.b} for row in sure.itertuples()]
    return sorted(name for pair in pairs if PAPERS in pair for name in pair - {PAPERS})


def rank_by(judge: str, ranks: object) -> str:
    """Of the board's `judges`: "agree: 1-2", "1-3 by tstr-vgg16, 5 by tstr-cnn"."""
    match = re.match(rf"(?:agree: |.*?\b)([0-9-]+)(?:$| by {judge})", str(ranks))
    return match[1].replace("-", "–") if match else ""
