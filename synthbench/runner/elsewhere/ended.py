"""How trials ended that another process worked off. Failures are not stored: a word of each lies in its folder."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from synthbench.api.interfaces import Plugin
from synthbench.benchmark.definition import Entry
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.storage.code_version import code_of
from synthbench.storage.store import digest_of, write_atomic

__all__ = ["as_it_ended", "ended_since", "is_missing", "leave_word", "note_end"]

ENDED = "ended.json"
RUN = "{run}"
"""In a word, the run's folder: it may be read on another machine, where that lies elsewhere."""


def leave_word(result: TrialResult, scratch: Path, out: Path) -> None:
    """Move the folder of a trial that did not end well from `scratch` to `out`, with a word of how it ended.

    In place of what an earlier process left there: of one that is done now nothing stays.
    """
    folder, target = result.folder(scratch), result.folder(out)
    if (target / ENDED).exists():
        shutil.rmtree(target)
    if result.status != "done":
        shutil.copytree(folder, target, dirs_exist_ok=True)
        # They name the file of the traceback: where it lies now.
        result.reasons = [reason.replace(str(scratch), str(out)) for reason in result.reasons]
        note_end(result, out)
    shutil.rmtree(folder, ignore_errors=True)


def note_end(result: TrialResult, out: Path) -> None:
    """Write a word of how the trial ended into its folder in `out`."""
    folder = result.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    reasons = [reason.replace(str(out), RUN) for reason in result.reasons]
    word = {"status": result.status, "reasons": reasons, "trial": _tried(result)}
    write_atomic(folder / ENDED, json.dumps(word, indent=1))


def _tried(result: TrialResult) -> str:
    """A digest of the options and the code of its plugins: a failure that was mended is none of this trial.

    Without what differs between machines that work on one benchmark: paths, versions of packages.
    """
    entries: list[Entry[Any]] = [result.trial.generator, *result.trial.evaluators]
    return digest_of({e.label: [_options(e.plugin), code_of(type(e.plugin))["source"]] for e in entries})


def _options(plugin: Plugin) -> dict[str, Any]:
    options = plugin.model_dump(mode="json")
    return {name: value for name, value in options.items() if not isinstance(getattr(plugin, name), Path)}


def ended_since(result: TrialResult, out: Path, since: float) -> bool:
    """Whether another process has left word of this trial's end after `since`, in seconds since the epoch."""
    word = result.folder(out) / ENDED
    return word.exists() and word.stat().st_mtime >= since


def as_it_ended(result: TrialResult, out: Path) -> TrialResult:
    """A trial put together from the store alone: done, or as the word in its folder says, or missing."""
    if result.status == "done":
        return result
    try:
        word = json.loads((result.folder(out) / ENDED).read_text(encoding="utf-8"))
        if word["trial"] != _tried(result):
            raise ValueError("of other options, or other code")
        result.status, result.reasons = (
            word["status"],
            [str(reason).replace(RUN, str(out)) for reason in word["reasons"]],
        )
    except (OSError, ValueError, TypeError, KeyError):
        work = f"synthbench work FILE --trial {result.trial.name}"
        result.missing, result.reasons = True, [f"not in the store, or not all of it: `{work}` makes it"]
    return result


def is_missing(result: TrialResult) -> bool:
    """Whether `as_it_ended` found neither all of it nor a word of how it ended."""
    return result.missing
