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
from synthbench.api.process_state import ask
from synthbench.benchmark.plan import evaluator_seed
from synthbench.errors import HookError
from synthbench.leaderboard.bootstrap import predictions_by_variant
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.evidence import EVIDENCE, load_evidence
from synthbench.results.read import SavedRun, read_predictions
from synthbench.results.redact import REDACTED
from synthbench.storage.layout import evaluation_folder
from synthbench.storage.store import Store
from synthbench.types import Score

__all__ = ["Recomputation", "Recomputed"]

Recomputed = Mapping[ScoreKey, Mapping[str, str]]
"""What follows for each score of an evaluation: cells of its row in scores.csv, by column."""


class Recomputation:
    """What is shared between evaluations lies in a store of its own, in a temporary folder."""

    def __init__(self, run: SavedRun, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._folder = tempfile.TemporaryDirectory(prefix="synthbench-recompute-")
        self._store = Store(Path(self._folder.name) / "store")

    def of(self, result: TrialResult, label: str) -> tuple[Recomputed, str]:
        """The scores of one evaluation that can be recomputed, and why the others cannot."""
        files = evaluation_folder(result.folder(self._run.folder), label)
        try:
            recomputed = _from_predictions(result, label)
        except HookError as error:
            return {}, str(error)
        if REDACTED in label:
            return recomputed, "its seed follows from its label, a path that export took the folders off"
        try:
            recomputed |= self._from_evidence(result, label, files)
        except FileNotFoundError:
            return recomputed, "its features are not in the bundle"
        except Exception as error:  # a plugin of another version, or an extractor that is not at hand
            wrong = self._run.unread.get(label)  # what lies behind whatever error followed from it
            return recomputed, f"its features could not be used ({wrong or f'{type(error).__name__}: {error}'})"
        if label in result.predictions or (files / EVIDENCE).exists():
            return recomputed, "it does not follow from predictions or features"
        return recomputed, "it left neither predictions nor features"

    def _from_evidence(self, result: TrialResult, label: str, files: Path) -> dict[ScoreKey, dict[str, str]]:
        """All columns of each score that the evaluator restates."""
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
            scores = ask(entry.plugin, "restate", evidence, ctx, to=list)
        return {ScoreKey.of(label, score).within_evaluation: _cells(score) for score in scores}


def _cells(score: Score) -> dict[str, str]:
    """As they stand in a run's scores.csv: undefined numbers are no cell, and a value is undefined or finite."""
    value = str(score.value) if math.isfinite(score.value) else "nan"
    ends = {"low": score.low, "high": score.high}
    known = {name: "" if end is None or math.isnan(end) else str(end) for name, end in ends.items()}
    return {"value": value, "n": str(score.n), **known, "seen": score.seen, "note": score.note}


def _from_predictions(result: TrialResult, label: str) -> dict[ScoreKey, dict[str, str]]:
    """Every metric that the evaluator's predictions give, and the number of images."""
    if label not in result.predictions:
        return {}
    plugin = result.trial.evaluator(label).plugin
    recomputed = {}
    for variants in predictions_by_variant(read_predictions(result.predictions[label])):
        first = next(iter(variants.values()))
        n = len(first.labels)
        once = np.ones((1, n), dtype=np.uint16)
        for (metric, variant), values in ask(plugin, "resample", variants, once, to=dict).items():
            recomputed[ScoreKey.resampled(metric, variant, first)] = {"value": str(float(values[0])), "n": str(n)}
    return recomputed
