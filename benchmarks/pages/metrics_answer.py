"""What docs/metrics.md opens with: the answer, in numbers from the committed files alone."""

from __future__ import annotations

import pandas as pd
from blocks import bullets, short
from metrics_tables import SPACE, STRESSED, Metrics

__all__ = ["metrics_answer"]

GAN = "acgan"
QUALITY = ("noise", "blur", "jpeg", "down-up", "brightness", "label-noise", "drop-modes", "drop-class")
"""The degradations that should make a measure of quality worse."""


def metrics_answer(results: Metrics) -> str:
    """Which metric to believe for what, one line each."""
    right = {name: _right(results.verdicts, *where) for name, where in JUDGED.items()}
    place = {generator: short(_place(results.scores, generator)) for generator in (GAN, "pca-gaussian")}
    return bullets(
        "**Worth training on?** `tstr.auroc` on `test`, with its interval, beside `balanced-resample`; accuracy "
        "and balanced accuracy hang on a threshold that moves with the balance of the classes. Only classifiers "
        "see wrong labels.",
        "**Like real images?** `kid` or `fd`, and their place between noise (0) and real against real (1). On the "
        f"real X-rays: the ACGAN {place[GAN]}, a linear model {place['pca-gaussian']} by `kid`.",
        "**Copied?** `memorisation` with a `holdout`: its `copying` takes the rank. It flagged all who hand out "
        "training images and nobody else.",
        "**All kinds of images?** `fd` and `kid`, then `recall` and `coverage` while images are realistic. "
        "`vendi` and `ms_ssim` only beside their values for real images: mild faults raise them.",
        f"**Tested how?** Real X-rays were made worse in {len(QUALITY)} ways. Noticed, and never the wrong way "
        f"round: {', '.join(f'`{name}` {count}' for name, count in right.items())} "
        "([the table](#which-metric-to-believe-on-this-data)). That is this data, at 64 pixels, by one extractor: "
        "`synthbench stress` asks yours.",
    )


JUDGED = {
    "fd": ("fd", f"fd{SPACE}"),
    "kid": ("kid", f"kid{SPACE}"),
    "recall": ("precision-recall", f"recall{SPACE}"),
    "coverage": ("density-coverage", f"coverage{SPACE}"),
    "precision": ("precision-recall", f"precision{SPACE}"),
    "tstr.auroc": (STRESSED, "auroc"),
    "ms_ssim": ("ms-ssim", "ms_ssim"),
    "vendi": ("vendi", f"vendi{SPACE}"),
    "tstr.balanced_accuracy": (STRESSED, "balanced_accuracy"),
}


def _right(verdicts: pd.DataFrame, evaluator: str, metric: str) -> int:
    chosen = verdicts[(verdicts.evaluator == evaluator) & (verdicts.metric == metric) & (verdicts.seen == "")]
    return int((chosen[chosen.degradation.isin(QUALITY)].verdict == "right").sum())


def _place(scores: pd.DataFrame, generator: str) -> float:
    chosen = (scores.generator == generator) & (scores.metric == f"kid_place{SPACE}") & (scores.variant == "")
    return float(scores[chosen].value.mean())
