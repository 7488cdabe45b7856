"""The tables of docs/metrics.md, made from committed result files and from nothing else."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from blocks import markdown
from separation import ladder_correlation, pairs_in_order, variance_ratio

__all__ = ["BLOCKS", "SHOWN", "STRESSED", "Metrics", "load_metrics"]

SPACE = "[efficientnet-lite0]"
GENERATORS = ("acgan", "pca-gaussian", "balanced-resample")

ROWS = {
    "copying": ("memorisation", "copying"),
    "verified copies": ("memorisation", "verified_copies"),
    "exact copies": ("memorisation", "exact_copies"),
    "near copies": ("memorisation", f"near_copies{SPACE}"),
    "nearest ratio": ("memorisation", f"nearest_ratio{SPACE}"),
    "C_T": ("memorisation", f"ct{SPACE}"),
    "C2ST": ("c2st", f"c2st_auroc{SPACE}"),
    "membership": ("membership", f"membership_auroc{SPACE}"),
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
    """As committed: a run's scores and signatures, a stress test's verdicts, what two more scripts found."""

    scores: pd.DataFrame
    signatures: list[str]
    verdicts: pd.DataFrame
    headline: pd.DataFrame
    headline_about: dict[str, Any]
    recipes: pd.DataFrame


def load_metrics(results: Path) -> Metrics:
    """From docs/results."""
    run, stress, headline = (results / name for name in ("cxr-cpu", "cxr-stress", "headline"))
    numbers = {name: [""] for name in ("value", "low", "high")}
    return Metrics(
        scores=pd.read_csv(run / "scores.csv", keep_default_na=False, na_values=numbers),
        signatures=(run / "signatures.txt").read_text(encoding="utf-8").splitlines(),
        verdicts=pd.read_csv(stress / "stress.csv", keep_default_na=False, na_values={"leaves_at": [""]}),
        headline=pd.read_csv(headline / "runs.csv"),
        headline_about=json.loads((headline / "about.json").read_text(encoding="utf-8")),
        recipes=pd.read_csv(results / "recipes" / "cnn.csv"),
    )


def fidelity(results: Metrics) -> str:
    """One row a metric, one column a generator, then real images."""
    headings = ["", *(f"`{name}`" for name in GENERATORS), *REFERENCES]
    return markdown(headings, [_row(results.scores, name, *where) for name, where in ROWS.items()])


def _row(scores: pd.DataFrame, name: str, evaluator: str, metric: str) -> list[str]:
    mine = scores[(scores.evaluator == evaluator) & (scores.metric == metric)]
    own = mine[mine.variant == ""]
    cells = [_cell(own[own.generator == generator]) for generator in GENERATORS]
    others = [
        mine[(mine.variant.isin([variant, key])) & (mine.generator == GENERATORS[0])]
        for key, variant in REFERENCES.items()
    ]
    return [name, *cells, *("" if found.empty else _cell(found[:1]) for found in others)]


def _cell(rows: pd.DataFrame) -> str:
    """Of one seed its interval as well; of several the value of each."""
    if rows.empty or rows.value.isna().any():
        return "–"
    if len(rows) > 1:
        return ", ".join(map(_short, rows.value))
    row: Any = rows.iloc[0]
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
    lines = [f"- {row.variant or 'generators'}: {row.note}" for row in mine.itertuples() if "," not in row.variant]
    return "\n".join(dict.fromkeys(lines))  # all seeds have the same


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


THRESHOLDS = {
    "balanced_accuracy, threshold of synthetic validation": (
        "`balanced_accuracy`, threshold from synthetic validation"
    ),
    "balanced_accuracy, threshold of the real hold-out": "`balanced_accuracy`, threshold from the real hold-out",
    "log_loss": "log loss",
}
"""What headline_table.py scores beside the metrics of `tstr`."""


def separation(results: Metrics) -> str:
    """One row a metric: how well it tells training sets apart, on the official test set and on the hold-out."""
    runs = results.headline
    rows = []
    for metric in dict.fromkeys(runs.metric):
        cells = [THRESHOLDS.get(metric, f"`{metric}`")]
        for test_set in ("test", "holdout"):
            cells += _separation(runs[(runs.metric == metric) & (runs.test_set == test_set)])
        rows.append(cells)
    heads = ["sets / seeds", "pairs", "ladder"]
    return markdown(["", *heads, *(f"{head}, hold-out" for head in heads)], rows)


def _separation(runs: pd.DataFrame) -> list[str]:
    """The three figures; dashes where the metric was not scored."""
    if runs.empty:
        return ["–"] * 3
    sets = runs[runs.noise.fillna(0) == 0]
    correlation = ladder_correlation(runs[runs.noise.notna()])
    return [f"{variance_ratio(sets):.1f}", f"{pairs_in_order(sets):.2f}", f"{correlation:.2f}"]


def separation_facts(results: Metrics) -> str:
    """How the table was made."""
    about = results.headline_about
    n = {name: sum(counts.values()) for name, counts in about["N"].items()}
    sets = results.headline.training.nunique()
    return (
        f"Small CNN, {about['epochs']} epochs at most, on {about['images']} images of 64x64 a set, {sets} sets, "
        f"{about['seeds']} seeds (each another draw of images and another classifier); N = {n['test']} test and "
        f"{n['holdout']} hold-out images. {about['date']}, {about['cpu_minutes']:.0f} minutes of one core."
    )


def recipes(results: Metrics) -> str:
    """One row a recipe: means over its seeds, and its AUROC less the shipped one's of the same seeds."""
    runs = results.recipes
    shipped = runs[runs.recipe == "shipped"].set_index("seed")
    rows = []
    for name, own in runs.groupby("recipe", sort=False):
        more = (own.set_index("seed").auroc - shipped.auroc).dropna()
        gain = "–" if name == "shipped" else f"{more.mean():+.4f} ({more.min():+.4f} to {more.max():+.4f})"
        means = [f"{own[score].mean():.4f}" for score in ("auroc", "balanced_accuracy", "log_loss")]
        rows.append([str(name), str(len(own)), *means, gain, f"{own.epochs.mean():.1f}"])
    heads = ["recipe", "seeds", "AUROC", "balanced accuracy", "log loss", "AUROC over shipped", "epochs"]
    return markdown(heads, rows)


BLOCKS: Mapping[str, Callable[[Metrics], str]] = {
    "separation": separation,
    "separation-facts": separation_facts,
    "recipes": recipes,
    "fidelity": fidelity,
    "sizes": sizes,
    "stress": verdicts,
    "signatures": signatures,
}
