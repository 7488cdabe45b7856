"""The folder of a run: every file that the core writes into it and every column of its boards, named once.

    runs/<name>/
      leaderboard.csv scores.csv intervals.csv comparisons.csv test_sets.csv audit.csv quarantine.csv
      judges.csv (where there are judges)
      run.json report.html figures/ data/ evidence/
      trials/<generator>/seed-<n>/generator/      log, samples, nearest training images, what the plugin kept
      trials/<generator>/seed-<n>/<evaluator>/    log, predictions, what the plugin kept

What a plugin writes (losses.csv, signature.txt) has its name there. It stands on this floor, not among those who
write the folder, so that the leaderboard and the readers of a run can name columns without knowing each other.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from pathlib import Path

__all__ = [
    "Column",
    "File",
    "Folder",
    "Table",
    "by_judge",
    "check",
    "cpu_s",
    "domain",
    "evaluation_folder",
    "generator_folder",
    "high",
    "leaked",
    "low",
    "n",
    "note",
    "safe_name",
    "sd",
    "seed_values",
    "trial_folder",
    "wall_s",
]


class Table(StrEnum):
    """The tables of a run; `file` is where one lies."""

    BOARD = "leaderboard"
    SCORES = "scores"
    INTERVALS = "intervals"
    COMPARISONS = "comparisons"
    TEST_SETS = "test_sets"
    AUDIT = "audit"
    QUARANTINE = "quarantine"
    JUDGES = "judges"

    @property
    def file(self) -> str:
        """`leaderboard.csv`."""
        return f"{self}.csv"

    @property
    def optional(self) -> bool:
        """Whether a run has it only where its benchmark asks for it."""
        return self is Table.JUDGES


class File(StrEnum):
    """Other files, of the run or of a trial's folders."""

    RECORD = "run.json"
    REPORT = "report.html"
    REAL = "real.png"
    SAMPLES = "samples.png"
    NEAREST = "nearest.png"
    NEAREST_TABLE = "nearest.csv"
    LOG = "log.txt"
    ERROR = "error.txt"
    PREDICTIONS = "predictions.csv"


class Folder(StrEnum):
    """Folders below a run's own."""

    TRIALS = "trials"
    DATA = "data"
    EVIDENCE = "evidence"
    FIGURES = "figures"
    GENERATOR = "generator"


class Column(StrEnum):
    """Columns of the board that are no metric's."""

    RANK = "rank"
    RANK_LOW = "rank_low"
    RANK_HIGH = "rank_high"
    RANK_BASIS = "rank_basis"
    GENERATOR = "generator"
    JUDGES = "judges"
    STATUS = "status"
    ROLE = "role"
    TRAINED_ON = "trained_on"
    COPYING = "copying"
    LABELS = "label_agreement"
    SEEDS = "seeds"
    UTILITY = "utility"
    UTILITY_IMBALANCED = "utility_imbalanced"
    BASIS = "interval_basis"
    SPEED = "sample_images_per_s"
    MEMORY = "peak_memory_mb"
    GPU_MEMORY = "peak_gpu_mb"
    REASON = "reason"


def low(column: str) -> str:
    """Of a column's number, the lower end of its interval."""
    return f"{column}_low"


def high(column: str) -> str:
    """The upper end."""
    return f"{column}_high"


def sd(column: str) -> str:
    """The standard deviation over seeds."""
    return f"{column}_sd"


def seed_values(column: str) -> str:
    """The number under each seed, where it has to be seen."""
    return f"{column}_by_seed"


def check(column: str) -> str:
    """What a floor's number is a check of."""
    return f"{column}_check"


def n(column: str) -> str:
    """The number of images that it was measured on."""
    return f"{column}_n"


def note(column: str) -> str:
    """What is to be said of it."""
    return f"{column}_note"


def by_judge(column: str, judge: str) -> str:
    """The same, were that judge the only one."""
    return f"{column}@{judge}"


def leaked(test_set: str) -> str:
    """Images of a test set that training knows."""
    return f"leaked@{test_set}"


def domain(test_set: str) -> str:
    """Whose images a test set has."""
    return f"domain@{test_set}"


def wall_s(stage: str) -> str:
    """Seconds of a stage by the clock: "fit", "sample" or an evaluator's label."""
    return f"{stage}_wall_s"


def cpu_s(stage: str) -> str:
    """Seconds of a stage in the processor."""
    return f"{stage}_cpu_s"


def safe_name(label: str) -> str:
    """`label` where it can name a folder anywhere; else what of it can, and a hash that keeps labels apart.

    "acgan" -> "acgan"; "mine.py:Gan" -> "mine.py_Gan-" and 8 hexadecimal digits.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in label)[:80]
    if safe == label and not label.startswith("."):
        return label
    return f"{safe.lstrip('.')}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def trial_folder(out: Path, generator: str, index: int) -> Path:
    """Where the files of a generator's trial under a seed lie."""
    return out / Folder.TRIALS / safe_name(generator) / f"seed-{index}"


def generator_folder(trial: Path) -> Path:
    """Where a trial's generator keeps what it made."""
    return trial / Folder.GENERATOR


def evaluation_folder(trial: Path, evaluator: str) -> Path:
    """Where a trial's evaluator keeps what it made."""
    return trial / safe_name(evaluator)
