"""A run in which nothing is new: everything is in the store, and the results in its folder were made from it.

`.standing.json` in a run's folder says what the results there were made of and how the files looked. Without it,
or where anything differs, a run puts its results together and draws its report again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

from synthbench.api.process_state import ask
from synthbench.benchmark.definition import Benchmark
from synthbench.benchmark.plan import Trial, evaluator_seed
from synthbench.data.test_sets import Data
from synthbench.errors import Skipped, SynthbenchError
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.results.folder import read_record
from synthbench.runner.kept import Earlier, key_of
from synthbench.runner.session import Session
from synthbench.runner.stages import Seeds, evaluate, make_images
from synthbench.storage.code_version import core_digest
from synthbench.storage.layout import File, Folder
from synthbench.storage.predictions import PREDICTIONS
from synthbench.storage.store import NotStoredError, load_images, write_atomic
from synthbench.types import Splits

__all__ = ["as_before", "made_from", "may_stand", "note_standing"]

OF_THIS_RUN = ("started", "load", "command")
"""What run.json says of a run and not of its results."""

LIBRARIES = ("numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "jinja2")
"""What boards and reports are made with."""

NOTE = ".standing.json"


def made_from(data: Data, results: Sequence[TrialResult]) -> str:
    """Digests of all that a board and its report follow from, "" where something failed or was skipped."""
    if any(result.status != "done" for result in results):
        return ""
    trials = [[r.trial.title, r.entries, r.reasons, r.label_agreement, r.costs] for r in results]
    return f"{_surroundings(data)} {_digest(trials)}"


def _surroundings(data: Data) -> str:
    """Of what all trials share; it is known before any of them is looked up."""
    return _digest(
        [
            core_digest(),
            {name: metadata.version(name) for name in LIBRARIES},
            {name: value for name, value in data.about.items() if name not in OF_THIS_RUN},
            [vars(file) for file in data.splits.quarantine],
            [test.row() for test in data.tests],
        ]
    )


def _digest(facts: Any) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def as_before(
    bench: Benchmark, plan: Sequence[Trial], data: Data, session: Session, out: Path
) -> list[TrialResult] | None:
    """The results of a run whose folder `out` needs no change; None where there is anything to do.

    In run.json all trials come from the store from now on; times and cost of the load are those of the run that
    put the results together.
    """
    noted = _noted(out)
    if session.store.fresh or not noted.get("made_from", "").startswith(_surroundings(data)):
        return None
    try:
        record = read_record(out)
        earlier = {(trial["generator"], trial["index"]): trial for trial in record["trials"]}
        with session.store.finished_only():
            results = [_found(bench, trial, data.splits, session, earlier) for trial in plan]
    except (SynthbenchError, NotStoredError, Skipped, KeyError):
        return None  # whatever it is, a run that does all of it anew meets it again, and says so
    key = made_from(data, results)
    if len(results) != len(earlier) or not _stands(out, noted, key):
        return None
    if not all(trial["from_store"] for trial in record["trials"]):
        record["trials"] = [{**trial, "from_store": True} for trial in record["trials"]]
        write_atomic(out / File.RECORD, json.dumps(record, indent=1) + "\n")
        note_standing(out, key)
    return results


def may_stand(out: Path) -> bool:
    """Whether the results in `out` are worth a look: a run noted that they stand."""
    return (out / NOTE).is_file()


def note_standing(out: Path, made_from: str) -> None:
    """Note the results in `out`, report and all. "" or no report: they are to be put together again next time."""
    if not made_from or not (out / File.REPORT).is_file():
        (out / NOTE).unlink(missing_ok=True)
        return
    files = {path.relative_to(out).as_posix(): path for path in out.rglob("*") if path.is_file()}
    looks = {name: _look(path) for name, path in sorted(files.items()) if _is_result(Path(name))}
    write_atomic(out / NOTE, json.dumps({"made_from": made_from, "files": looks}) + "\n")


def _found(bench: Benchmark, trial: Trial, real: Splits, session: Session, earlier: Earlier) -> TrialResult:
    """A trial as `loop.run_trial` makes it, but for the files. Raises NotStoredError."""
    known = earlier[key_of(trial)]
    result = TrialResult(
        trial, known["status"], list(known["reasons"]), label_agreement=known["label_agreement"], from_store=True
    )
    nowhere = Path()  # for the files of what fails: nothing is done here
    rule = ask(bench.dataset.plugin, "picture_rule", real)
    synthetic = make_images(trial, real.train, bench.samples, session, nowhere, rule)
    result.take_in(synthetic)
    images = load_images(synthetic.path)
    for entry in trial.evaluators:
        seeds = Seeds(evaluator_seed(bench, entry, trial.index), bench.seed)
        evaluated = evaluate(entry, seeds, real, images, session, nowhere)
        result.take_in(evaluated.artifact, entry.label)
        result.replicates[entry.label] = evaluated.replicates
        result.scores[entry.label] = evaluated.scores
        result.predictions[entry.label] = evaluated.artifact.path / "files" / PREDICTIONS
    return result


def _noted(out: Path) -> dict[str, Any]:
    """What `note_standing` wrote, {} where it did not, or others did."""
    try:
        noted = json.loads((out / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) and isinstance(noted.get("made_from"), str) else {}


def _stands(out: Path, noted: dict[str, Any], made_from: str) -> bool:
    """Whether the files in `out` are those that `note_standing` saw, of results made from the same."""
    try:
        return bool(noted["made_from"] == made_from) and all(
            _look(out / name) == look for name, look in noted["files"].items()
        )
    except (OSError, TypeError, AttributeError, KeyError):
        return False


def _look(path: Path) -> list[int]:
    """Size and time of the last change: to read a board of a thousand generators takes as long as to write it."""
    about = path.stat()
    return [about.st_size, about.st_mtime_ns]


def _is_result(name: Path) -> bool:
    """Hidden files are no results, and data sets write their logs whenever they are loaded."""
    return not name.name.startswith(".") and not (name.parts[0] == Folder.DATA and len(name.parts) > 2)
