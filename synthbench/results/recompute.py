"""The scores of a finished run once more: from its predictions, and from the features that it kept."""

from __future__ import annotations

import logging
import math
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from synthbench.api.features import StoredFeatures
from synthbench.api.interfaces import Context
from synthbench.benchmark.plan import evaluator_seed
from synthbench.leaderboard.bootstrap import Measured, answer_sets
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.evidence import EVIDENCE, load_evidence
from synthbench.results.layout import evaluation_folder
from synthbench.results.read import SavedRun, read_predictions
from synthbench.results.redact import REDACTED
from synthbench.storage.store import Store
from synthbench.types import Score

__all__ = ["Recomputation", "Told", "measured_of"]

Told = Mapping[Measured, Mapping[str, str]]
"""What can be told of each metric: cells of its row in scores.csv, by column."""


def measured_of(score: Score) -> Measured:
    """What tells a score from all others of its evaluation."""
    return Measured(score.metric, score.variant, score.test_set, score.classifier_seed)


class Recomputation:
    """What is shared between evaluations lies in a store of its own, in a temporary folder."""

    def __init__(self, run: SavedRun, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._folder = tempfile.TemporaryDirectory(prefix="synthbench-recompute-")
        self._store = Store(Path(self._folder.name) / "store")

    def of(self, result: TrialResult, label: str) -> tuple[Told, str]:
        """The scores of one evaluation that can be told again, and why the others cannot."""
        files = evaluation_folder(self._run.folder, result, label)
        told = _from_predictions(result, label)
        if REDACTED in label:
            return told, "its seed follows from its label, a path that export took the folders off"
        try:
            told |= self._from_evidence(result, label, files)
        except FileNotFoundError:
            return told, "its features are not in the bundle"
        except Exception as error:  # a plugin of another version, or an extractor that is not at hand
            wrong = self._run.unread.get(label)  # what lies behind whatever error followed from it
            return told, f"its features could not be used ({wrong or f'{type(error).__name__}: {error}'})"
        if label in result.predictions or (files / EVIDENCE).exists():
            return told, "it does not follow from predictions or features"
        return told, "it left neither predictions nor features"

    def _from_evidence(self, result: TrialResult, label: str, files: Path) -> dict[Measured, dict[str, str]]:
        """All columns of each score that the evaluator tells again."""
        evidence = load_evidence(files, self._run.folder)
        if not evidence:
            return {}
        entry = result.trial.evaluator(label)
        seed = evaluator_seed(self._run.bench, entry, result.trial.index)
        with tempfile.TemporaryDirectory(dir=self._folder.name) as work:
            workdir, resume = Path(work) / "work", Path(work) / "resume"
            workdir.mkdir()
            resume.mkdir()
            log = logging.getLogger("synthbench.recompute")
            features = StoredFeatures("cpu", self._store, self._progress, log)
            ctx = Context(seed, "cpu", workdir, resume, self._store, features, self._progress, log)
            scores = entry.plugin.restate(evidence, ctx)
        return {measured_of(score): _cells(score) for score in scores}


def _cells(score: Score) -> dict[str, str]:
    """As they stand in a run's scores.csv: undefined numbers are no cell, and a value is undefined or finite."""
    value = str(score.value) if math.isfinite(score.value) else "nan"
    ends = {"low": score.low, "high": score.high}
    known = {name: "" if end is None or math.isnan(end) else str(end) for name, end in ends.items()}
    return {"value": value, "n": str(score.n), **known, "seen": score.seen, "note": score.note}


def _from_predictions(result: TrialResult, label: str) -> dict[Measured, dict[str, str]]:
    """Every metric that the evaluator's predictions give, and the number of images."""
    if label not in result.predictions:
        return {}
    plugin = result.trial.evaluator(label).plugin
    found = {}
    for answers in answer_sets(read_predictions(result.predictions[label])):
        first = next(iter(answers.values()))
        n = len(first.labels)
        for (metric, variant), values in plugin.resample(answers, np.ones((1, n), dtype=np.uint16)).items():
            what = Measured(metric, variant, first.test_set, first.classifier_seed)
            found[what] = {"value": str(float(values[0])), "n": str(n)}
    return found
