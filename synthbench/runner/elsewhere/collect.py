"""A plan put together from the store alone: nothing is computed, and no finished board loses by it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from synthbench.benchmark.plan import Trial
from synthbench.errors import ConfigError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.runner.elsewhere.ended import as_it_ended, is_missing
from synthbench.runner.kept import Earlier, key_of
from synthbench.storage.store import Store

__all__ = ["collect"]


def collect(
    plan: Sequence[Trial], one: Callable[[Trial], TrialResult], earlier: Earlier, store: Store, out: Path
) -> list[TrialResult]:
    """The trials as the store has them, their files in `out`.

    one      puts a trial together
    earlier  the trials of the board that lies in `out`

    Raises ConfigError where that board has numbers of trials that the store does not hold: a store that was
    emptied, or another one than the board is from, is no reason to throw it away. Its folder is left as it was.
    """
    with store.finished_only():
        results = [_collected(trial, one, out) for trial in plan]
    lost = [result.trial.title for result in results if _is_lost(result, earlier)]
    for result in results:
        _settle(result, out, undo=bool(lost))
    if lost:
        named = "; ".join(lost[:3]) + " ..." * (len(lost) > 3)
        raise ConfigError(
            f"the board in {out} would lose {len(lost)} of its trials ({named}), which the store in {store.root} "
            "does not hold as this file asks for them; it was left as it is. Set SYNTHBENCH_CACHE to their store, "
            "give the --device that they were worked off on, work them off, or collect into another --out"
        )
    return results


def _is_lost(result: TrialResult, earlier: Earlier) -> bool:
    """Whether an evaluator has scores of it on the earlier board and now none, for no reason of its own."""
    asked = {entry.label for entry in result.trial.evaluators}
    scored = asked & earlier.get(key_of(result.trial), {}).get("costs", {}).keys()
    return bool(scored - result.scores.keys()) and (is_missing(result) or result.status == "skipped")


def _collected(trial: Trial, one: Callable[[Trial], TrialResult], out: Path) -> TrialResult:
    """What lay in its folder is put aside, and back unless all of it is in the store: it may say why it failed."""
    folder = TrialResult(trial).folder(out)
    before = _aside(folder)
    shutil.rmtree(before, ignore_errors=True)
    if folder.exists():
        folder.rename(before)
    result = one(trial)
    if result.status != "done" and before.exists():
        shutil.rmtree(folder, ignore_errors=True)
        before.rename(folder)
    return as_it_ended(result, out)


def _settle(result: TrialResult, out: Path, *, undo: bool) -> None:
    folder = result.folder(out)
    before = _aside(folder)
    if undo and result.status == "done":
        shutil.rmtree(folder, ignore_errors=True)
        if before.exists():
            before.rename(folder)
    shutil.rmtree(before, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.before")
