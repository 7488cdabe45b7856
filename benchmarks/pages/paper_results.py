"""A run of benchmarks/cxr-cpu.yaml as committed in docs/results: its files, read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

__all__ = ["FILES", "GAN", "VGG", "Results", "by_seed", "load_results"]

GAN, VGG = "acgan", "tstr-vgg16"
FLOATS = ("value", "low", "high", "sampling_low", "sampling_high", "seed_sd")

FILES = {
    "scores.csv": "scores.csv",
    "leaderboard.csv": "leaderboard.csv",
    "intervals.csv": "intervals.csv",
    "comparisons.csv": "comparisons.csv",
    "test_sets.csv": "test_sets.csv",
    "run.json": "run.json",
    "acgan-losses.csv": f"trials/{GAN}/seed-0/generator/losses.csv",
    "acgan-vgg16-history.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/history.csv",
    "acgan-vgg16-report.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/report.csv",
    "acgan-vgg16-confusion.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/confusion.csv",
}
"""The committed files, and where in a run's folder each comes from."""


@dataclass(frozen=True)
class Results:
    """A run, as committed."""

    scores: pd.DataFrame
    board: pd.DataFrame
    intervals: pd.DataFrame
    comparisons: pd.DataFrame
    test_sets: pd.DataFrame
    run: dict[str, Any]
    losses: pd.DataFrame
    report: pd.DataFrame
    confusion: pd.DataFrame

    @property
    def headline(self) -> str:
        """What ranked the run: "<evaluator label>.<metric>"."""
        return str(self.run["benchmark"]["headline"])

    def judge(self, backbone: str) -> str:
        """The label of the `tstr` evaluator whose classifier has this backbone."""
        evaluators = self.run["benchmark"]["evaluators"]
        return next(str(e["label"]) for e in evaluators if e["use"] == "tstr" and e["backbone"] == backbone)

    def cell(self, generator: str, evaluator: str, metric: str, test_set: str) -> pd.Series | None:
        """The row of intervals.csv for one cell of the board; None where nobody asked."""
        i = self.intervals
        keep = (i.generator == generator) & (i.evaluator == evaluator) & (i.metric == metric)
        found = i[keep & (i.test_set == test_set) & (i.variant == "")]
        return None if found.empty else found.iloc[0]

    def report_row(self, test_set: str, name: str) -> dict[str, float]:
        """precision, recall, f1 and support of a class, or of "macro avg"."""
        r = self.report
        found = r[(r.test_set == test_set) & (r["class"] == name)]
        return {str(key): value for key, value in found.iloc[0].items()}


def load_results(folder: Path) -> Results:
    """Raises FileNotFoundError where a file of `FILES` is missing."""
    missing = [name for name in FILES if not (folder / name).is_file()]
    if missing:
        lacking = ", ".join(missing)
        raise FileNotFoundError(f"{folder}: no {lacking}; run benchmarks/pages/make_paper_doc.py RUN_DIR")

    def table(name: str) -> pd.DataFrame:
        undefined = {name: ["nan"] for name in ("precision", "recall", "f1")}
        # text cells that are empty stay empty: a test set nobody has seen has seen == ""
        return pd.read_csv(folder / name, keep_default_na=False, na_values={"value": [""], **undefined})

    return Results(
        scores=table("scores.csv"),
        board=pd.read_csv(folder / "leaderboard.csv"),
        intervals=pd.read_csv(
            folder / "intervals.csv", keep_default_na=False, na_values={name: [""] for name in FLOATS}
        ),
        comparisons=pd.read_csv(folder / "comparisons.csv", keep_default_na=False),
        test_sets=pd.read_csv(folder / "test_sets.csv"),
        run=json.loads((folder / "run.json").read_text(encoding="utf-8")),
        losses=table("acgan-losses.csv"),
        report=table("acgan-vgg16-report.csv"),
        confusion=table("acgan-vgg16-confusion.csv"),
    )


def by_seed(
    results: Results, evaluator: str, metric: str, test_set: str = "test", generator: str = GAN
) -> list[float]:
    """A score, one value for each training of the generator."""
    s = results.scores
    mine = s[(s.generator == generator) & (s.evaluator == evaluator) & (s.metric == metric)]
    mine = mine[(mine.test_set == test_set) & (mine.variant == "")]
    return [float(value) for value in mine.groupby("seed").value.mean()]
