"""What docs/paper.md needs of a run of benchmarks/cxr-cpu.yaml besides what every run leaves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import results as committed

__all__ = ["FILES", "GAN", "VGG", "PaperResults", "load_results"]

GAN, VGG = "acgan", "tstr-vgg16"

FILES = {
    **committed.FILES,
    "acgan-losses.csv": f"trials/{GAN}/seed-0/generator/losses.csv",
    "acgan-vgg16-history.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/history.csv",
    "acgan-vgg16-report.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/report.csv",
    "acgan-vgg16-confusion.csv": f"trials/{GAN}/seed-0/{VGG}/classifier-0/confusion.csv",
}
"""The committed files, and where in a run's folder each comes from."""


@dataclass(frozen=True)
class PaperResults(committed.Results):
    """The run, and of the ACGAN's first training the losses and what the VGG16 made of its images."""

    losses: pd.DataFrame
    report: pd.DataFrame
    confusion: pd.DataFrame

    def report_row(self, test_set: str, name: str) -> dict[str, float]:
        """precision, recall, f1 and support of a class, or of "macro avg"."""
        r = self.report
        found = r[(r.test_set == test_set) & (r["class"] == name)]
        return {str(key): value for key, value in found.iloc[0].items()}


def load_results(folder: Path) -> PaperResults:
    """Raises FileNotFoundError where a file of `FILES` is missing."""
    committed.require(folder, FILES)
    return PaperResults(
        **vars(committed.load_results(folder)),
        losses=committed.read_text_table(folder / "acgan-losses.csv"),
        report=committed.read_text_table(folder / "acgan-vgg16-report.csv"),
        confusion=committed.read_text_table(folder / "acgan-vgg16-confusion.csv"),
    )
