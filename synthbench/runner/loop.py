"""The loop: for each trial of the plan: fit, sample, evaluate. Read it top-down."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from synthbench.benchmark.config import Benchmark
from synthbench.benchmark.plan import Trial, evaluator_seed, make_plan
from synthbench.data.audit import write_audit
from synthbench.data.test_sets import Data, TestSet, describe, with_remainders
from synthbench.errors import Skipped, StoreError, SynthbenchError
from synthbench.leaderboard.bootstrap import replicate
from synthbench.leaderboard.trial_result import Outcome
from synthbench.results.evidence import copy_evidence, tidy
from synthbench.results.layout import safe_name, trial_folder
from synthbench.results.write import write_results
from synthbench.runner.cost import measure
from synthbench.runner.load_data import load_audited
from synthbench.runner.pictures import save_nearest, save_real
from synthbench.runner.provenance import provenance
from synthbench.runner.session import Workshop
from synthbench.runner.stages import evaluate, synthesise
from synthbench.runner.tensorboard import write_events
from synthbench.storage.predictions import PREDICTIONS
from synthbench.storage.store import load_images
from synthbench.types import Artifact, Splits

__all__ = ["RunResult", "run"]


@dataclass(frozen=True)
class RunResult:
    """A finished run: its benchmark, the trials' outcomes, the test sets and the folder that holds the results."""

    bench: Benchmark
    outcomes: list[Outcome]
    tests: Sequence[TestSet]
    out: Path

    @property
    def failed(self) -> list[Outcome]:
        """The trials in which something failed."""
        return [o for o in self.outcomes if o.status == "failed"]


def run(bench: Benchmark, shop: Workshop, out: Path, only: Sequence[str] = ()) -> RunResult:
    """Run a benchmark; results are written after every trial, so nothing computed is lost.

    Raises SynthbenchError where the data set cannot be loaded or the store cannot be written.
    """
    started = datetime.now(UTC)
    plan = make_plan(bench, only)
    data = prepare(bench, shop, started, out)
    outcomes: list[Outcome] = []
    with shop.progress.trials(len(plan)) as trials:
        for number, trial in enumerate(plan, start=1):
            begun = time.perf_counter()
            trials.begin(trial.title)
            outcome = run_trial(bench, trial, data.splits, shop, out)
            trials.end(outcome.status)
            outcomes.append(outcome)
            seconds = "from the store" if outcome.from_store else f"{time.perf_counter() - begun:.1f} s"
            reasons = "".join(f"\n    {reason}" for reason in outcome.reasons)
            shop.progress.say(f"[{number}/{len(plan)}] {trial.title}: {outcome.status}, {seconds}{reasons}")
            write_results(bench, data, outcomes, out)
    tidy(out)
    return RunResult(bench, outcomes, data.tests, out)


def prepare(bench: Benchmark, shop: Workshop, started: datetime, out: Path) -> Data:
    """Load the data, look for leaks (audit.csv), cut off the hold-out, add the test sets' clean remainders."""
    with measure(shop.device) as loading:
        splits, audit = load_audited(bench, shop)
    write_audit(audit, out)
    save_real(out, splits.train)
    splits, tests = with_remainders(splits, audit), describe(bench, splits, audit)
    return Data(splits, tests, provenance(bench, splits, shop.device, started, loading))


def run_trial(bench: Benchmark, trial: Trial, splits: Splits, shop: Workshop, out: Path) -> Outcome:
    """One trial to its end: done, failed (the traceback is kept) or skipped."""
    outcome = Outcome(trial)
    folder = trial_folder(out, trial)
    shutil.rmtree(folder, ignore_errors=True)
    made: list[Artifact] = []
    before = shop.store.work

    def generator() -> None:
        shop.progress.stage("generator")
        made.append(synthesise(trial, splits.train, bench.samples, shop, folder / "generator"))
        _keep(made[0], folder / "generator", outcome)
        save_nearest(folder / "generator", load_images(made[0].path), splits.train)
        write_events(folder / "generator")

    _attempt(outcome, trial.generator.label, folder / "generator", generator)
    for evaluator in trial.evaluators if made else ():
        target = folder / safe_name(evaluator.label)

        def score(evaluator: Any = evaluator, target: Path = target) -> None:
            shop.progress.stage(evaluator.label)
            seed = evaluator_seed(bench, evaluator, trial.index)
            result = evaluate(evaluator, seed, splits, load_images(made[0].path), shop, target)
            replicates = replicate(evaluator.plugin, result.artifact, bench.seed, shop.store)
            copy_evidence(result.artifact.path / "files", shop.store, out)
            _keep(result.artifact, target, outcome, evaluator.label)
            outcome.replicates[evaluator.label] = replicates  # no number without the files that it is told from
            outcome.scores[evaluator.label] = result.scores
            outcome.predictions[evaluator.label] = result.artifact.path / "files" / PREDICTIONS
            write_events(target)

        _attempt(outcome, evaluator.label, target, score)
    outcome.from_store = outcome.status == "done" and shop.store.work == before
    return outcome


def _attempt(outcome: Outcome, what: str, folder: Path, work: Callable[[], None]) -> None:
    """Do a piece of a trial; whatever a plugin raises ends this piece, not the run."""
    try:
        work()
    except StoreError:
        raise
    except Skipped as reason:
        outcome.end("skipped", f"{what}: {reason}")
    except Exception as error:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "error.txt").write_text(traceback.format_exc(), encoding="utf-8")
        text = str(error) if isinstance(error, SynthbenchError) else f"{type(error).__name__}: {error}"
        outcome.end("failed", f"{what}: {text} (traceback in {folder / 'error.txt'})")


def _keep(artifact: Artifact, target: Path, outcome: Outcome, evaluator: str = "") -> None:
    """Copy an entry's files into the run's folder and note its costs, an evaluation's under its label."""
    if not (artifact.path / "files").is_dir():
        raise StoreError.damaged(artifact.path, "its files are gone")
    shutil.copytree(artifact.path / "files", target, dirs_exist_ok=True)
    for stage, cost in artifact.meta["costs"].items():
        outcome.costs[evaluator or stage] = cost
