"""The loop: for each trial of the plan: fit, sample, evaluate. Read it top-down."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.api.interfaces import Evaluator
from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark, Entry
from synthbench.benchmark.plan import Trial, evaluator_seed, make_plan
from synthbench.data.audit import Audit, write_audit
from synthbench.data.test_sets import Data, TestSet, describe, with_remainders
from synthbench.errors import ConfigError, Skipped, StoreError, SynthbenchError
from synthbench.leaderboard.trial_result import TrialResult, row_status
from synthbench.results.evidence import copy_evidence, tidy
from synthbench.runner.cost import measure
from synthbench.runner.elsewhere.collect import collect
from synthbench.runner.failure import Failure, message_of
from synthbench.runner.kept import Earlier, Key, as_it_stood, earlier_trials, in_order, key_of, left_out
from synthbench.runner.load_data import audited_splits
from synthbench.runner.pictures import save_nearest, save_real
from synthbench.runner.provenance import provenance
from synthbench.runner.session import Session
from synthbench.runner.stages import Seeds, agreement, evaluate, flatness, make_images, shortfall
from synthbench.runner.tensorboard import write_events
from synthbench.runner.unchanged import as_before, made_from
from synthbench.storage.disk import disk_trouble
from synthbench.storage.layout import File, evaluation_folder, generator_folder
from synthbench.storage.predictions import PREDICTIONS
from synthbench.storage.store import NotStoredError, load_images
from synthbench.types import Artifact, Images, Splits

if TYPE_CHECKING:
    from synthbench.results.write import Writer

__all__ = ["RunResult", "run"]


@dataclass(frozen=True)
class RunResult:
    """A finished run: its benchmark, the trials' results, the test sets and the folder that holds the results.

    made_from  of what the results follow, as a digest; "" where another run has to look again
    unchanged  they were there already, report and all
    """

    bench: Benchmark
    results: list[TrialResult]
    tests: Sequence[TestSet]
    out: Path
    made_from: str = ""
    unchanged: bool = False

    @property
    def failed(self) -> list[TrialResult]:
        """The trials in which something failed."""
        return [result for result in self.results if result.status == "failed"]


def run(
    bench: Benchmark,
    session: Session,
    out: Path,
    only: Sequence[str] = (),
    *,
    elsewhere: Callable[[Sequence[Trial]], Collection[str]] | None = None,
) -> RunResult:
    """Run a benchmark; results are written while it goes on, and whatever ends it: nothing computed is lost.

    elsewhere  works the trials off into the store, in other processes, and returns the titles of those whose end
               it has told; here they are put together from it alone

    Raises SynthbenchError where data cannot be loaded, the store not written, a finished board would lose numbers.
    """
    plan = make_plan(bench, only)
    earlier = earlier_trials(bench, out) if only or elsewhere else {}
    data, audit = load_audited_data(bench, session, datetime.now(UTC))
    if not only and not elsewhere and (there := as_before(bench, plan, data, session, out)):
        return RunResult(bench, there, data.tests, out, unchanged=True)
    results = _kept(bench, plan, earlier, data.splits, session, out)
    told = elsewhere(plan) if elsewhere else ()
    one = partial(run_trial, bench, splits=data.splits, session=session, out=out)
    collected = collect(plan, one, earlier, session.store, out) if elsewhere else []
    write_audit(audit, out)
    save_real(out, data.splits.train)
    (out / File.REPORT).unlink(missing_ok=True)  # of earlier results, should this run be interrupted
    # Of the whole file, once: a plan of a thousand trials made anew after each of them would be a million.
    ended = partial(in_order, [key_of(trial) for trial in make_plan(bench)], results)
    with _written(_writer(bench, data, out), ended) as writer, session.progress.trials(len(plan)) as trials:
        for number, trial in enumerate(plan, start=1):
            begun = time.perf_counter()
            trials.begin(trial.title)
            result = collected[number - 1] if collected else one(trial)
            trials.end(status := row_status(bench, [result]))
            results[key_of(trial)] = result
            seconds = "from the store" if result.from_store else f"{time.perf_counter() - begun:.1f} s"
            reasons = "".join(f"\n    {reason}" for reason in result.reasons)
            if trial.title not in told:
                session.progress.say(f"[{number}/{len(plan)}] {trial.title}: {status}, {seconds}{reasons}")
            writer.after_trial(ended)
    tidy(out)
    if remark := mixed_threads(ended()):
        session.progress.say(remark)
    return RunResult(bench, ended(), data.tests, out, made_from(data, ended()))


def _kept(
    bench: Benchmark, plan: Sequence[Trial], earlier: Earlier, splits: Splits, session: Session, out: Path
) -> dict[Key, TrialResult]:
    """Of the trials that `--only` leaves out those on the earlier board, as far as the store has them."""
    kept: dict[Key, TrialResult] = {}
    for trial in left_out(bench, plan, earlier):
        with session.store.finished_only():
            result = run_trial(bench, trial, splits, session, out)
        if stands := as_it_stood(result, earlier[key_of(trial)]):
            kept[key_of(trial)] = stands
        else:
            session.progress.say(f"{trial.title}: not in the store as this file asks for it; taken off the board")
    return kept


def _writer(bench: Benchmark, data: Data, out: Path) -> Writer:
    from synthbench.results.write import Writer  # and pandas: a run that finds all done does without

    return Writer(bench, data, out)


@contextmanager
def _written(writer: Writer, ended: Callable[[], Sequence[TrialResult]]) -> Iterator[Writer]:
    """See that the results are written at the end, also of a run that is interrupted."""
    try:
        yield writer
    except (KeyboardInterrupt, SynthbenchError):
        with suppress(OSError):  # why the run ended is what to tell, also where that is a full disk
            writer.write(ended())
        raise
    writer.write(ended())


def load_audited_data(bench: Benchmark, session: Session, started: datetime) -> tuple[Data, Audit]:
    """Load the data, look for leaks, cut off the hold-out, add the test sets' clean remainders."""
    with measure(session.device) as loading:
        splits, audit = audited_splits(bench, session)
    if bench.ranking.test == "delong" and (n := len(splits.train.classes)) != 2:
        raise ConfigError(f"ranking.test: delong compares areas of two classes, {bench.dataset.label} has {n}")
    splits, tests = with_remainders(splits, audit), describe(bench, splits, audit)
    return Data(splits, tests, provenance(bench, splits, session.device, started, loading)), audit


def run_trial(bench: Benchmark, trial: Trial, splits: Splits, session: Session, out: Path) -> TrialResult:
    """One trial to its end: done, failed (the traceback is kept) or skipped."""
    result = TrialResult(trial)
    folder = result.folder(out)
    if not session.store.frozen:  # files of an earlier run must not be taken for this one's
        shutil.rmtree(folder, ignore_errors=True)
    synthetic: Artifact | None = None
    with session.store.counting() as work:
        with _piece(result, trial.generator.label, generator_folder(folder)) as target:
            session.progress.stage("generator")
            pictures = ask(bench.dataset.plugin, "picture_rule", splits)
            make = partial(make_images, trial, splits.train, bench.samples, session, target, pictures)
            synthetic, images = session.store.mending(lambda: _loaded(make()))
            _keep(synthetic, target, result)
            role = trial.generator.declared.role
            save_nearest(target, images, splits.train)
            result.label_agreement, fault = agreement(images, splits.train, role, session.store)
            result.reasons += [f"labels: {fault}"] if fault else []
            faults = [shortfall(trial, images, splits.train, bench.samples), flatness(images)]
            result.reasons += filter(None, faults)
            write_events(target)
        for evaluator in trial.evaluators if synthetic else ():
            # A failed evaluation ends itself alone: the others' scores of these images stand.
            with _piece(result, evaluator.label, evaluation_folder(folder, evaluator.label)) as target:
                session.progress.stage(evaluator.label)
                score = partial(_score, evaluator, synthetic, splits, bench, session, result, out)
                session.store.mending(score)
                write_events(target)
    result.from_store = result.status == "done" and not work.built
    return result


def _loaded(synthetic: Artifact) -> tuple[Artifact, Images]:
    return synthetic, load_images(synthetic.path)


def _score(
    evaluator: Entry[Evaluator],
    synthetic: Artifact,
    splits: Splits,
    bench: Benchmark,
    session: Session,
    result: TrialResult,
    out: Path,
) -> None:
    """Evaluate, and note in `result` what came out, with its files in the run's folder."""
    seeds = Seeds(evaluator_seed(bench, evaluator, result.trial.index), bench.seed)
    target = evaluation_folder(result.folder(out), evaluator.label)
    evaluated = evaluate(evaluator, seeds, splits, load_images(synthetic.path), session, target)
    copy_evidence(evaluated.artifact.path / "files", session.store, out)
    _keep(evaluated.artifact, target, result, evaluator.label)
    # Last, when nothing can fail any more: no number without the files that it follows from.
    result.replicates[evaluator.label] = evaluated.replicates
    result.scores[evaluator.label] = evaluated.scores
    result.predictions[evaluator.label] = evaluated.artifact.path / "files" / PREDICTIONS


@contextmanager
def _piece(result: TrialResult, what: str, folder: Path) -> Iterator[Path]:
    """A piece of a trial and its folder; whatever a plugin raises ends this piece, not the run."""
    try:
        yield folder
    except StoreError:  # the disk's trouble is everyone's: the next piece would meet it again
        raise
    except Skipped as reason:
        result.end("skipped", f"{what}: {message_of(reason)}")
    except NotStoredError as reason:
        result.end("failed", f"{what}: {reason}")
    except (Exception, SystemExit) as error:
        if trouble := disk_trouble(error, folder):
            raise StoreError(trouble) from error
        failure = Failure.of(error)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / File.ERROR).write_text(failure.trace, encoding="utf-8")
        result.end("failed", f"{what}: {failure.text} (traceback in {folder / File.ERROR})")


def _keep(artifact: Artifact, target: Path, result: TrialResult, evaluator: str = "") -> None:
    """Copy an entry's files into the run's folder and note it, an evaluation under its label."""
    if not (artifact.path / "files").is_dir():
        raise StoreError.damaged(artifact.path, "its files are gone")
    shutil.copytree(artifact.path / "files", target, dirs_exist_ok=True)
    result.take_in(artifact, evaluator)


def mixed_threads(results: Sequence[TrialResult]) -> str:
    """What to say where stages had different numbers of threads, "" where all had one."""
    stages: dict[int, list[str]] = {}
    for result in results:
        for stage, threads in result.threads.items():
            stages.setdefault(threads, []).append(f"{result.trial.title}, {stage}")
    if len(stages) < 2:
        return ""
    counts = "; ".join(f"{n}: {len(of)} stages ({of[0]}...)" for n, of in sorted(stages.items()))
    return f"this board mixes thread counts, so that numbers of networks may differ in their last digits: {counts}"
