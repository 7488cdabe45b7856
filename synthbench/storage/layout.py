"""The folder of a run: every file that the core writes into it and every column of its boards, named once.

    runs/<name>/
      leaderboard.csv scores.csv intervals.csv comparisons.csv costs.csv test_sets.csv audit.csv quarantine.csv
      judges.csv (where there are judges)
      run.json report.html figures/ data/ evidence/
      trials/<generator>/seed-<n>/generator/      log, samples, nearest training images, what the plugin kept
      trials/<generator>/seed-<n>/<evaluator>/    log, predictions, what the plugin kept

What a plugin writes (losses.csv, signature.txt) has its name there. It stands on this floor, not among those who
write the folder, so that the leaderboard and the readers of a run can name columns without knowing each other.
"""

from __future__ import annotations

import hashlib
import os
import re
from enum import StrEnum
from pathlib import Path

__all__ = [
    "CLEAN",
    "Column",
    "File",
    "Folder",
    "Table",
    "column_name",
    "evaluation_folder",
    "generator_folder",
    "high",
    "holds_results",
    "is_clean",
    "low",
    "n",
    "on",
    "safe_name",
    "subgroup_parts",
    "trial_folder",
]


LOCK = ".synthbench.lock"
"""Held by the run that writes into a folder, and left there."""

ABSOLUTE = re.compile(r"(?:…|~|file:|[A-Za-z]:)?[/\\]")
"""How a label begins that is an absolute path, or was one before export."""

CLEAN = "[clean]"
SUBGROUP = re.compile(r"(.+?)/([^/=]+)=(.*)", re.DOTALL)
"""How test sets are called that are made of others: `far[clean]`, `test/sex=F`."""


class Table(StrEnum):
    """The tables of a run; `file` is where one lies."""

    BOARD = "leaderboard"
    SCORES = "scores"
    INTERVALS = "intervals"
    COMPARISONS = "comparisons"
    COSTS = "costs"
    TEST_SETS = "test_sets"
    AUDIT = "audit"
    QUARANTINE = "quarantine"
    JUDGES = "judges"

    @property
    def file(self) -> str:
        """`leaderboard.csv`."""
        return f"{self}.csv"

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns that together say what a row is of."""
        return {
            Table.BOARD: ("generator",),
            Table.SCORES: ("generator", "seed", "evaluator", "metric", "variant", "test_set", "classifier_seed"),
            Table.INTERVALS: ("generator", "evaluator", "metric", "variant", "test_set", "seen"),
            Table.COMPARISONS: ("a", "b"),
            Table.COSTS: ("generator", "seed", "stage"),
            Table.TEST_SETS: ("test_set",),
            Table.AUDIT: ("test_set", "image"),
            Table.QUARANTINE: ("path", "reason"),
            Table.JUDGES: ("a", "b"),
        }[self]

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
    """Columns of the board that are no metric's; `column_name` makes the others."""

    RANK = "rank"
    RANK_HIGH = "rank_high"
    GENERATOR = "generator"
    ROLE = "role"
    TRAINED_ON = "trained_on"
    STATUS = "status"
    UTILITY = "utility"
    WORTH = "worth"
    COPYING = "copying"
    LEAKED = "leaked"
    SEEDS = "seeds"
    EVALUATOR_SEEDS = "evaluator_seeds"
    JUDGES = "judges"
    FIT = "fit_s"
    SAMPLE = "sample_s"
    SCORE = "score_s"
    MEMORY = "peak_memory_mb"
    NOTE = "note"


def column_name(evaluator: str, metric: str) -> str:
    """A metric's column on the board, a Python name: `tstr-vgg16`, `auroc` -> "tstr_vgg16_auroc".

    Without what stands in brackets, an extractor; `kid`, `kid[efficientnet-lite0]` -> "kid", said once. Of a label
    that is an absolute path only its end, which is what an exported run still has of it.
    """
    named = re.split(r"[/\\]", evaluator)[-1] if ABSOLUTE.match(evaluator) else evaluator
    label, plain = (re.sub(r"\W+", "_", text).strip("_") for text in (named, metric.partition("[")[0]))
    name = plain if f"{plain}_".startswith(f"{label}_") else "_".join(filter(None, [label, plain]))
    return f"_{name}" if name[:1].isdigit() else name


def on(column: str, test_set: str) -> str:
    """The same number on another test set than `test`."""
    return f"{column}_on_" + re.sub(r"\W+", "_", test_set).strip("_")


def low(column: str) -> str:
    """Of a column's number, the lower end of its interval."""
    return f"{column}_low"


def high(column: str) -> str:
    """The upper end."""
    return f"{column}_high"


def n(column: str) -> str:
    """The number of images that it was measured on."""
    return f"{column}_n"


def is_clean(test_set: str) -> bool:
    """Whether a test set of this name is what is left of another one without the images that training knows."""
    return test_set.endswith(CLEAN)


def subgroup_parts(test_set: str) -> tuple[str, str, str] | None:
    """The whole test set, the attribute and its value: ("test", "sex", "F"); None for what is no subgroup."""
    match = SUBGROUP.fullmatch(test_set)
    return (match[1], match[2], match[3]) if match else None


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


def holds_results(folder: Path) -> bool:
    """Whether a folder is a run's, or holds nothing but such (`runs/`): its pictures are nobody's data."""
    if any((folder / name).is_file() for name in (LOCK, File.RECORD)):
        return True
    found = False
    try:
        with os.scandir(folder) as entries:  # lazily: a folder of pictures is given up at its first entry
            for entry in entries:
                if not (entry.is_dir(follow_symlinks=False) and holds_results(Path(entry))):
                    return False
                found = True
    except OSError:
        return False
    return found
