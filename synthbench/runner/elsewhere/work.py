"""Trials worked off into the store alone, by as many processes as like: who finds one begun takes another.

Board and report are made from the store when all is done (`collect`), by one process that works off nothing.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial
from synthbench.errors import ConfigError
from synthbench.leaderboard.trial_result import TrialResult, row_status
from synthbench.runner.elsewhere.ended import as_it_ended, ended_since, leave_word
from synthbench.runner.loop import load_audited_data, run_trial
from synthbench.runner.session import Session
from synthbench.storage.locks import hold, try_hold
from synthbench.storage.store import digest_of
from synthbench.types import Splits

__all__ = ["named", "shard", "work"]


def named(plan: Sequence[Trial], names: Sequence[str]) -> list[Trial]:
    """The trials of these names. Raises ConfigError where there is none."""
    known = {trial.name: trial for trial in plan}
    for name in names:
        if name not in known:
            raise ConfigError(f"--trial {name}: no such trial; `synthbench plan FILE` lists them: acgan/0, say")
    return [known[name] for name in dict.fromkeys(names)]


def shard(plan: Sequence[Trial], text: str) -> list[Trial]:
    """Part "3/64" of the plan, the third of 64. Checkpoints of one training stay together.

    Raises ConfigError where the text is no such part.
    """
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count)):
        raise ConfigError(f"--shard {text}: expected a part of so many, counted from 1: 1/64 to 64/64")
    trainings = list(dict.fromkeys((trial.generator.training, trial.index) for trial in plan))
    mine = set(trainings[int(number) - 1 :: int(count)])
    return [trial for trial in plan if (trial.generator.training, trial.index) in mine]


def work(bench: Benchmark, session: Session, trials: Sequence[Trial], out: Path) -> list[TrialResult]:
    """Work off `trials` into the session's store: first those that nobody is at, then what others have left.

    Nothing is written to `out` but the folders of trials that fail, with their tracebacks. When it returns, every
    trial has ended, here or elsewhere: one whose process died is taken over.
    """
    began = time.time()
    data, _ = load_audited_data(bench, session, datetime.now(UTC))
    ended: dict[str, TrialResult] = {}
    with session.progress.trials(len(trials)) as counted:
        for patient in (False, True):
            for trial in [trial for trial in trials if trial.name not in ended]:
                with _taken(bench, trial, session, patient=patient) as taken:
                    if taken:
                        counted.begin(trial.title)
                        result = ended[trial.name] = _worked_off(bench, trial, data.splits, session, out, began)
                        counted.end(status := row_status(bench, [result]))
                        _say(result, status, f"{len(ended)}/{len(trials)}", session)
    return [ended[trial.name] for trial in trials]


def _worked_off(
    bench: Benchmark, trial: Trial, splits: Splits, session: Session, out: Path, began: float
) -> TrialResult:
    """The trial's end; one that failed elsewhere since `began` would fail here."""
    result = TrialResult(trial, "skipped")
    if ended_since(result, out, began):
        return as_it_ended(result, out)
    result = run_trial(bench, trial, splits, session, session.scratch)
    leave_word(result, session.scratch, out)
    return result


@contextmanager
def _taken(bench: Benchmark, trial: Trial, session: Session, *, patient: bool) -> Iterator[bool]:
    """Whether nobody else is at the trial; the patient wait until that is so."""
    digest = digest_of({"benchmark": bench.resolved(), "trial": trial.name})[:32]
    file = session.store.lock_file(session.store.root / "trial" / digest)
    file.parent.mkdir(parents=True, exist_ok=True)
    if patient:
        with hold(file, lambda: session.progress.say(f"{trial.title}: another process is at it; waiting")):
            yield True
    else:
        with try_hold(file) as held:
            yield held


def _say(result: TrialResult, status: str, number: str, session: Session) -> None:
    how = "in the store already" if result.from_store else status
    reasons = "".join(f"\n    {reason}" for reason in result.reasons)
    session.progress.say(f"[{number}] {result.trial.title}: {how}{reasons}")
