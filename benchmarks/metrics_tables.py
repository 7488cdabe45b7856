"""The tables of docs/metrics.md, made from committed result files and from nothing else."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from paper_tables import markdown

__all__ = ["BLOCKS", "SHOWN", "Metrics", "load_metrics"]

SPACE = "[efficientnet-lite0]"
GENERATORS = ("acgan", "pca-gaussian", "noise", "shuffled-labels", "balanced-resample", "resample")

ROWS = {
    "copying": ("memorisation", "copying"),
    "exact copies": ("memorisation", "exact_copies"),
    "near copies": ("memorisation", f"near_copies{SPACE}"),
    "nearest ratio": ("memorisation", f"nearest_ratio{SPACE}"),
    "C_T": ("memorisation", f"ct{SPACE}"),
    "authenticity": ("authenticity", f"authenticity{SPACE}"),
    "kid": ("kid", f"kid{SPACE}"),
    "its place": ("kid", f"kid_place{SPACE}"),
    "fd": ("fd", f"fd{SPACE}"),
    "fd infinity": ("fd", f"fd_infinity{SPACE}"),
    "fd's place": ("fd", f"fd_place{SPACE}"),
    "precision": ("precision-recall", f"precision{SPACE}"),
    "recall": ("precision-recall", f"recall{SPACE}"),
    "density": ("density-coverage", f"density{SPACE}"),
    "coverage": ("density-coverage", f"coverage{SPACE}"),
    "vendi": ("vendi", f"vendi{SPACE}"),
    "MS-SSIM": ("ms-ssim", "ms_ssim"),
}
"""What a row is called, its evaluator and metric."""

REFERENCES = {"real": "real against real", "copies": "copy of train"}
"""Columns that show what a metric says of real images."""

STRESSED = "tstr"
"""What the small CNN was called in the stress test that is committed; tstr-cnn in the benchmark of today."""

SHOWN = (
    *(f"{STRESSED}.balanced_accuracy", f"{STRESSED}.auroc", f"kid.kid{SPACE}", f"fd.fd{SPACE}"),
    *(f"precision-recall.precision{SPACE}", f"precision-recall.recall{SPACE}"),
    *(f"density-coverage.density{SPACE}", f"density-coverage.coverage{SPACE}"),
    *(f"vendi.vendi{SPACE}", "ms-ssim.ms_ssim", f"authenticity.authenticity{SPACE}"),
    *("memorisation.copying", f"memorisation.near_copies{SPACE}", f"memorisation.nearest_ratio{SPACE}"),
    f"memorisation.ct{SPACE}",
)
"""The metrics of the stress test that the page shows."""


@dataclass(frozen=True)
class Metrics:
    """A run's scores and signatures, and the verdicts of a stress test, as committed."""

    scores: pd.DataFrame
    signatures: list[str]
    verdicts: pd.DataFrame


def load_metrics(run: Path, stress: Path) -> Metrics:
    """From docs/results."""
    numbers = {name: [""] for name in ("value", "low", "high")}
    return Metrics(
        scores=pd.read_csv(run / "scores.csv", keep_default_na=False, na_values=numbers),
        signatures=(run / "signatures.txt").read_text(encoding="utf-8").splitlines(),
        verdicts=pd.read_csv(stress / "stress.csv", keep_default_na=False, na_values={"leaves_at": [""]}),
    )


def fidelity(results: Metrics) -> str:
    """One row a metric, one column a generator, then real images."""
    headings = ["", *(f"`{name}`" for name in GENERATORS), *REFERENCES]
    return markdown(headings, [_row(results.scores, name, *where) for name, where in ROWS.items()])


def _row(scores: pd.DataFrame, name: str, evaluator: str, metric: str) -> list[str]:
    mine = scores[(scores.evaluator == evaluator) & (scores.metric == metric)]
    own = mine[mine.variant == ""].set_index("generator")
    cells = [_cell(own.loc[generator]) for generator in GENERATORS]
    others = [
        mine[(mine.variant.isin([variant, key])) & (mine.generator == GENERATORS[0])]
        for key, variant in REFERENCES.items()
    ]
    return [name, *cells, *("" if found.empty else _cell(found.iloc[0]) for found in others)]


def _cell(row: Any) -> str:
    if math.isnan(row.value):
        return "–"
    interval = "" if math.isnan(row.low) else f" ({_short(row.low)} to {_short(row.high)})"
    return _short(row.value) + interval


def _short(value: float) -> str:
    """Three digits that count; 0 and 1 as they are."""
    if value == int(value) and abs(value) < 100:
        return str(int(value))
    text = f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.1g}"
    return text if "e" not in text else f"{value:.0f}" if abs(value) > 1 else f"{value:.5f}"


def sizes(results: Metrics) -> str:
    """N of the references, which the table does not show."""
    mine = results.scores[(results.scores.metric == f"fd{SPACE}") & (results.scores.generator == GENERATORS[0])]
    return "\n".join(
        f"- {row.variant or 'generators'}: {row.note}" for row in mine.itertuples() if "," not in row.variant
    )


def verdicts(results: Metrics) -> str:
    """One row a metric, one column a degradation."""
    table = results.verdicts
    degradations = list(dict.fromkeys(table.degradation))
    rows = []
    for name in SHOWN:
        evaluator, metric = name.split(".", 1)
        mine = table[(table.evaluator == evaluator) & (table.metric == metric) & (table.seen == "")]
        said = mine.set_index("degradation")
        rows.append([f"`{metric.removesuffix(SPACE)}`", *(_said(said.loc[d]) for d in degradations)])
    return markdown(["", *degradations], rows)


def _said(row: Any) -> str:
    start = "" if math.isnan(row.leaves_at) else f"{row.leaves_at:.2g}".removeprefix("0")
    if row.verdict == "not asked":
        return f"({start})" if start else "–"
    return row.verdict if row.verdict == "wrong" or not start else f"{row.verdict} {start}"


def signatures(results: Metrics) -> str:
    """As they are."""
    return "\n".join(["```text", *results.signatures, "```"])


BLOCKS: Mapping[str, Callable[[Metrics], str]] = {
    "fidelity": fidelity,
    "sizes": sizes,
    "stress": verdicts,
    "signatures": signatures,
}
