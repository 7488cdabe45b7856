"""A run read back from its folder: the configuration, the test sets and the results that `make_board` asks for.

Only the evaluators' classes are looked up, to resample the stored predictions; of data sets and generators
run.json says all that a board needs. Nothing is fitted, loaded or evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from synthbench.api.extractors import Known
from synthbench.api.interfaces import Dataset, Evaluator, Generator
from synthbench.api.registry import Registry, load_registry
from synthbench.benchmark.config import Benchmark, Entry, Ranking
from synthbench.benchmark.plan import Trial
from synthbench.data.test_sets import TestSet
from synthbench.errors import DataError, PluginError
from synthbench.leaderboard.bootstrap import Replicates, bootstrap
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.layout import safe_name, trial_folder
from synthbench.storage.predictions import PREDICTIONS, load_predictions
from synthbench.types import Predictions, Score

__all__ = ["SavedRun", "Wanted", "bootstrap_run", "read_predictions", "read_record", "read_run", "read_table"]

Wanted = Callable[[str, str], Collection[str]]
"""(generator, evaluator) -> the test sets whose resamples are needed."""


@dataclass(frozen=True)
class SavedRun:
    """A finished run, or as much of it as there was when its folder was written last.

    record    run.json
    results  without replicates: `bootstrap_run` makes those
    missing   by evaluator, why its metrics cannot be resampled here
    unread    by evaluator, what of its options cannot be used here: it can be resampled and nothing else
    """

    folder: Path
    record: Mapping[str, Any]
    bench: Benchmark
    tests: list[TestSet]
    results: list[TrialResult]
    missing: Mapping[str, str]
    unread: Mapping[str, str]

    @property
    def trials(self) -> dict[str, list[TrialResult]]:
        """The results by generator."""
        found: dict[str, list[TrialResult]] = {}
        for result in self.results:
            found.setdefault(result.trial.generator.label, []).append(result)
        return found


def read_run(folder: Path, plugins: Path | None = None) -> SavedRun:
    """Read a run's folder. Raises DataError where it is none, or was written by another version.

    plugins  the folder where evaluators and extractors lie that the benchmark names as `file.py:Class`, whatever
             folders it names. Without it they count as not installed, and nothing is imported from elsewhere: a
             stranger's run decides no file that is imported here
    """
    record = read_record(folder)
    try:
        bench, missing, unread = _benchmark(record, load_registry(strict=True), plugins)
        tests = [_test_set(row, record) for row in read_table(folder / "test_sets.csv").to_dict("records")]
        scores = _scores(read_table(folder / "scores.csv"))
        results = [_outcome(trial, bench, scores, folder) for trial in record["trials"]]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{folder}: its files do not fit together ({type(error).__name__}: {error}); "
            "run the benchmark again: what is in the store is not computed anew"
        ) from error
    return SavedRun(folder, record, bench, tests, results, missing, unread)


def read_table(path: Path) -> pd.DataFrame:
    """A CSV file with every cell as the text that stands there. Raises DataError where there is none."""
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    except FileNotFoundError as error:
        raise DataError(f"{path.parent}: no {path.name}; give the folder of a run of this version") from error
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def read_record(folder: Path) -> dict[str, Any]:
    """A run's run.json. Raises DataError where there is none of this version."""
    try:
        record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{folder}: no run.json; give the folder of a run, runs/<name> say") from error
    except ValueError as error:
        raise DataError(f"{folder / 'run.json'} cannot be read: {error}") from error
    if not isinstance(record, dict) or "declared" not in record:
        raise DataError(f"{folder}: an older synthbench wrote this run; run the benchmark again")
    return record


def _benchmark(
    record: Mapping[str, Any], registry: Registry, plugins: Path | None
) -> tuple[Benchmark, dict[str, str], dict[str, str]]:
    """The benchmark; which evaluators are stand-ins and why; what of others' options cannot be used."""
    content, declared = record["benchmark"], record["declared"]
    missing: dict[str, str] = {}
    unread: dict[str, str] = {}
    evaluators: list[Entry[Evaluator]] = []
    for given in content["evaluators"]:
        label = given["label"]
        facts = _facts(declared["evaluators"][label])
        try:
            plugin, wrong = _evaluator(given, facts, registry, plugins)
            unread |= {label: wrong} if wrong else {}
        except PluginError as error:
            missing[label] = str(error)
            plugin = _stand_in(Evaluator, evaluate=_idle, **facts)
        evaluators.append(Entry(label, given["use"], plugin, _restricted(given)))
    plain = ("name", "seed", "seeds", "samples", "headline", "max_leak", "baselines")
    bench = Benchmark(
        **{key: content[key] for key in plain},
        ranking=Ranking(**content["ranking"]),
        holdout=content.get("holdout", 0.0),
        dataset=_dataset(content["dataset"]),
        external=tuple(_dataset(given) for given in content["external"]),
        generators=tuple(
            Entry(g["label"], g["use"], _generator(declared["generators"][g["label"]]))
            for g in content["generators"]
        ),
        evaluators=tuple(evaluators),
    )
    return bench, missing, unread


def _dataset(given: Mapping[str, Any]) -> Entry[Dataset]:
    return Entry(given["label"], given["use"], _stand_in(Dataset, load=_idle))


def _generator(declared: Mapping[str, Any]) -> Generator:
    stand_in: Generator = _stand_in(Generator, fit=_idle, role=declared["role"], prior=declared["prior"])
    return stand_in


def _facts(declared: Mapping[str, Any]) -> dict[str, Any]:
    """What a board needs of an evaluator's class. By name: a stranger's file replaces nothing else of a class."""
    bounds = {metric: tuple(ends) for metric, ends in declared["bounds"].items()}
    return {"metrics": declared["metrics"], "bounds": bounds, "gates": frozenset(declared.get("gates", ()))}


def _restricted(given: Mapping[str, Any]) -> tuple[str, ...] | None:
    return tuple(given["generators"]) if "generators" in given else None


def _evaluator(
    given: Mapping[str, Any], facts: Mapping[str, Any], registry: Registry, plugins: Path | None
) -> tuple[Evaluator, str]:
    """The evaluator as it was configured, with what its class said of itself when the run was made (`facts`).

    With what is wrong with its options here, or "": a file of weights that lies on another machine, say.
    Raises PluginError where its class is not at hand.
    """
    options = {key: value for key, value in given.items() if key not in ("use", "label", "generators")}
    for use in _files(list(options.values())) if plugins is None else ():
        raise PluginError(f"{use} is a file; --plugins FOLDER says where it lies")
    cls = registry.find("evaluator", given["use"], plugins)
    assert issubclass(cls, Evaluator)
    recorded: type[Evaluator] = type(cls.__name__, (cls,), {"__module__": cls.__module__, **facts})
    try:
        known = Known(registry, plugins)
        return recorded.model_validate_json(json.dumps(options), strict=True, context=known), ""
    except ValidationError as error:
        wrong = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        return recorded.model_construct(**options), "; ".join(wrong)


def _files(value: Any) -> Iterator[str]:
    """Every `file.py:Class` among options, however deep."""
    if isinstance(value, str) and ".py:" in value:
        yield value
    elif isinstance(value, Mapping):
        yield from _files(list(value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_files, value))


def _idle(*_: object) -> None:
    raise NotImplementedError("a finished run is only read")


def _stand_in(base: Any, **known: Any) -> Any:
    """A plugin that knows what run.json says of it and can do nothing."""
    return type("Recorded", (base,), {"name": "recorded", "__module__": __name__, **known})()


def _test_set(row: Mapping[Any, str], record: Mapping[str, Any]) -> TestSet:
    counts = record["data"]["sets"][row["test_set"]]["counts"]
    leaked = {kind: int(row[kind]) for kind in ("leaked_exact", "leaked_perceptual", "leaked_patient", "leaked")}
    return TestSet(
        *(row["test_set"], row["dataset"], row["domain"], int(row["images"]), int(row["patients"])), counts, leaked
    )


Scores = dict[tuple[str, int], dict[str, list[Score]]]


def _scores(table: pd.DataFrame) -> Scores:
    """By generator and seed, the scores of each evaluator."""
    found: Scores = {}
    for row in table.to_dict("records"):
        trial = found.setdefault((row["generator"], int(row["seed"])), {})
        trial.setdefault(row["evaluator"], []).append(_score({str(key): cell for key, cell in row.items()}))
    return found


def _score(row: Mapping[str, Any]) -> Score:
    if row["seen"] not in ("", "generator", "validation"):
        raise ValueError(f"scores.csv: seen is {row['seen']!r}")
    return Score(
        row["metric"],
        float(row["value"] or "nan"),
        row["test_set"],
        int(row["n"]),
        int(row["classifier_seed"]) if row["classifier_seed"] else None,
        row["seen"],
        row["note"],
        row["variant"],
        float(row["low"]) if row["low"] else None,
        float(row["high"]) if row["high"] else None,
    )


def _outcome(given: Mapping[str, Any], bench: Benchmark, scores: Scores, folder: Path) -> TrialResult:
    generator = {entry.label: entry for entry in bench.generators}[given["generator"]]
    asked = tuple(e for e in bench.evaluators if e.generators is None or generator.label in e.generators)
    trial = Trial(generator, given["index"], given["seed"], asked)
    files = {e.label: trial_folder(folder, trial) / safe_name(e.label) / PREDICTIONS for e in asked}
    return TrialResult(
        trial,
        given["status"],
        list(given["reasons"]),
        scores={label: tuple(s) for label, s in scores.get((generator.label, trial.index), {}).items()},
        predictions={label: file for label, file in files.items() if file.exists()},
        costs=given["costs"],
        from_store=given["from_store"],
    )


def bootstrap_run(run: SavedRun, seed: int, progress: Progress, wanted: Wanted | None = None) -> None:
    """Make the replicates of the run's results from the stored predictions, under the resamples of `seed`.

    wanted  which of them; None for all
    """
    tasks = [(o, label) for o in run.results for label in o.predictions if label not in run.missing]
    with progress.bar("resampling", len(tasks), unit="evaluations") as bar:
        for result, label in tasks:
            plugin = result.trial.evaluator(label).plugin
            sets = wanted(result.trial.generator.label, label) if wanted else None
            result.replicates[label] = _replicates(plugin, result.predictions[label], seed, sets)
            bar.advance(1, note=result.trial.title)


def _replicates(plugin: Evaluator, file: Path, seed: int, sets: Collection[str] | None) -> Replicates:
    if sets is not None and not sets:
        return Replicates({}, {})
    return bootstrap(plugin, [p for p in read_predictions(file) if sets is None or p.test_set in sets], seed)


def read_predictions(file: Path) -> list[Predictions]:
    """The answers in a run's folder. Raises DataError where they cannot be read."""
    try:
        return load_predictions(file)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
