"""Where things lie in the folder of a run."""

from __future__ import annotations

import hashlib
from pathlib import Path

from synthbench.benchmark.plan import Trial
from synthbench.leaderboard.trial_result import TrialResult

__all__ = ["evaluation_folder", "safe_name", "trial_folder"]


def safe_name(label: str) -> str:
    """`label` where it can name a folder anywhere; else what of it can, and a hash that keeps labels apart.

    "acgan" -> "acgan"; "mine.py:Gan" -> "mine.py_Gan-" and 8 hexadecimal digits.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in label)[:80]
    if safe == label and not label.startswith("."):
        return label
    return f"{safe.lstrip('.')}-{hashlib.sha256(label.encode()).hexdigest()[:8]}"


def trial_folder(out: Path, trial: Trial) -> Path:
    """Where a trial's files go."""
    return out / "trials" / safe_name(trial.generator.label) / f"seed-{trial.index}"


def evaluation_folder(run: Path, result: TrialResult, label: str) -> Path:
    """Where the files of an evaluation lie in a run's folder."""
    return trial_folder(run, result.trial) / safe_name(label)
