"""A run read back from its folder: the configuration, the test sets and the results that `make_board` asks for.

Only the evaluators' classes are looked up, to resample the stored predictions; of data sets and generators
run.json says all that a board needs. Nothing is fitted, loaded or evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from synthbench.api.declarations import ROW_KEYS
from synthbench.api.extractors import Known
from synthbench.api.interfaces import Evaluator, Plugin
from synthbench.api.registry import Registry, load_registry
from synthbench.benchmark.definition import Benchmark, Entry, Headline, Ranking
from synthbench.benchmark.plan import Trial, scorers
from synthbench.data.test_sets import TestSet
from synthbench.errors import DataError, PluginError
from synthbench.leaderboard.bootstrap import Replicates, bootstrap
from synthbench.leaderboard.trial_result import TrialResult
from synthbench.progress import Progress
from synthbench.results.folder import Row, RunFolder, read_folder, read_record
from synthbench.storage.influences import INFLUENCE, load_influences
from synthbench.storage.layout import File, Table, evaluation_folder, trial_folder
from synthbench.storage.predictions import load_predictions
from synthbench.types import Predictions, Score

__all__ = ["SavedRun", "Wanted", "bootstrap_run", "read_predictions", "read_run"]

Wanted = Callable[[str, str], Collection[str]]
"""(generator, evaluator) -> the test sets whose resamples are needed."""


@dataclass(frozen=True)
class SavedRun:
    """A finished run, or as much of it as there was when its folder was written last.

    text     the folder's files as they stand there
    results  without replicates: `bootstrap_run` makes those
    missing  by evaluator, why its metrics cannot be resampled here
    unread   by evaluator, what of its options cannot be used here: it can be resampled and nothing else
    """

    text: RunFolder
    bench: Benchmark
    tests: list[TestSet]
    results: list[TrialResult]
    missing: Mapping[str, str]
    unread: Mapping[str, str]

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.text.out

    @property
    def record(self) -> Mapping[str, Any]:
        """run.json."""
        return self.text.record

    def table(self, table: Table) -> Sequence[Row]:
        """Its rows. Raises DataError where there is no such file."""
        if not (self.folder / table.file).is_file():
            raise DataError(f"{self.folder}: no {table.file}; give the folder of a run of this version")
        return self.text.tables[table]

    @property
    def trials(self) -> dict[str, list[TrialResult]]:
        """The results by generator."""
        by_generator: dict[str, list[TrialResult]] = {}
        for result in self.results:
            by_generator.setdefault(result.trial.generator.label, []).append(result)
        return by_generator


def read_run(folder: Path, plugins: Path | None = None) -> SavedRun:
    """Read a run's folder. Raises DataError where it is none, or was written by another version.

    plugins  the folder where evaluators and extractors lie that the benchmark names as `file.py:Class`, whatever
             folders it names. Without it they count as not installed, and nothing is imported from elsewhere: a
             stranger's run decides no file that is imported here
    """
    record = read_record(folder)
    text = read_folder(folder)
    if text.problems:
        raise DataError(f"{folder}: {text.problems[0]}")
    try:
        evaluators = _Evaluators(record, load_registry(strict=True), plugins)
        bench = _benchmark(record, evaluators.entries)
        run = SavedRun(text, bench, [], [], evaluators.missing, evaluators.unread)
        run.tests.extend(_test_set(row, record) for row in run.table(Table.TEST_SETS))
        scores = _scores(run.table(Table.SCORES))
        run.results.extend(_trial_result(trial, bench, scores, folder) for trial in record["trials"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"{folder}: its files do not fit together ({type(error).__name__}: {error}); "
            "run the benchmark again: what is in the store is not computed anew"
        ) from error
    return run


def _benchmark(record: Mapping[str, Any], evaluators: Sequence[Entry[Evaluator]]) -> Benchmark:
    content, declared = record["benchmark"], record["declared"]["generators"]
    plain = ("name", "seed", "seeds", "samples", "max_leak", "baselines")
    return Benchmark(
        **{key: content[key] for key in plain},
        headline=Headline.parse(content["headline"]),
        ranking=Ranking(**content["ranking"]),
        holdout=content.get("holdout", 0.0),
        judges=tuple(content.get("judges", ())),
        real_sizes=tuple(content.get("real_sizes", ())),
        dataset=Entry.from_record(content["dataset"]),
        external=tuple(map(Entry.from_record, content["external"])),
        generators=tuple(Entry.from_record(row, declared[row["label"]]) for row in content["generators"]),
        evaluators=tuple(evaluators),
    )


class _Evaluators:
    """Those of a run as they were configured, with what run.json says that they declared; see `SavedRun`."""

    def __init__(self, record: Mapping[str, Any], registry: Registry, plugins: Path | None) -> None:
        self.missing: dict[str, str] = {}
        self.unread: dict[str, str] = {}
        self._known = Known(registry, plugins)
        declared = record["declared"]["evaluators"]
        self.entries = [
            self._entry(entry, declared[entry["label"]]) for entry in record["benchmark"]["evaluators"]
        ]

    def _entry(self, content: Mapping[str, Any], declared: Mapping[str, Any]) -> Entry[Evaluator]:
        options = {
            key: value for key, value in content.items() if key not in ROW_KEYS[Plugin] + ROW_KEYS[Evaluator]
        }
        plugin: Evaluator | None = None
        try:
            plugin = self._plugin(content["label"], content["use"], options)
        except PluginError as error:
            self.missing[content["label"]] = str(error)
        return Entry.from_record(content, declared, plugin)

    def _plugin(self, label: str, use: str, options: Mapping[str, Any]) -> Evaluator:
        """Raises PluginError where the class is not at hand."""
        for file in _files(list(options.values())) if self._known.folder is None else ():
            raise PluginError(f"{file} is a file; --plugins FOLDER says where it lies")
        cls = self._known.registry.find("evaluator", use, self._known.folder)
        assert issubclass(cls, Evaluator)
        try:
            return cls.model_validate_json(json.dumps(options), strict=True, context=self._known)
        except ValidationError as error:  # a file of weights that lies on another machine, say
            faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
            self.unread[label] = "; ".join(faults)
            return cls.model_construct(**options)


def _files(value: Any) -> Iterator[str]:
    """Every `file.py:Class` among options, however deep."""
    if isinstance(value, str) and ".py:" in value:
        yield value
    elif isinstance(value, Mapping):
        yield from _files(list(value.values()))
    elif isinstance(value, list):
        yield from chain.from_iterable(map(_files, value))


def _test_set(row: Row, record: Mapping[str, Any]) -> TestSet:
    counts = record["data"]["sets"][row["test_set"]]["counts"]
    leaked = {kind: int(row[kind]) for kind in ("leaked_exact", "leaked_perceptual", "leaked_patient", "leaked")}
    return TestSet(
        *(row["test_set"], row["dataset"], row["domain"], int(row["images"]), int(row["patients"])),
        counts,
        leaked,
        row.get("positive", ""),
    )


Scores = dict[tuple[str, int], dict[str, list[Score]]]


def _scores(rows: Sequence[Row]) -> Scores:
    """By generator and seed, the scores of each evaluator."""
    scores: Scores = {}
    for row in rows:
        trial = scores.setdefault((row["generator"], int(row["seed"])), {})
        trial.setdefault(row["evaluator"], []).append(_score(row))
    return scores


def _score(row: Row) -> Score:
    seen: Any = row["seen"]
    if seen not in ("", "generator", "validation"):
        raise ValueError(f"scores.csv: seen is {seen!r}")
    return Score(
        row["metric"],
        float(row["value"] or "nan"),
        row["test_set"],
        int(row["n"]),
        int(row["classifier_seed"]) if row["classifier_seed"] else None,
        seen,
        row["note"],
        row["variant"],
        float(row["low"]) if row["low"] else None,
        float(row["high"]) if row["high"] else None,
    )


def _trial_result(record: Mapping[str, Any], bench: Benchmark, scores: Scores, folder: Path) -> TrialResult:
    generator = {entry.label: entry for entry in bench.generators}[record["generator"]]
    asked = scorers(bench, generator, record["index"])
    trial = Trial(generator, record["index"], record["seed"], asked)
    place = trial_folder(folder, generator.label, trial.index)
    files = {e.label: evaluation_folder(place, e.label) / File.PREDICTIONS for e in asked}
    return TrialResult(
        trial,
        record["status"],
        list(record["reasons"]),
        scores={label: tuple(s) for label, s in scores.get((generator.label, trial.index), {}).items()},
        predictions={label: file for label, file in files.items() if file.exists()},
        costs=record["costs"],
        shared=record.get("shared", {}),
        label_agreement=record.get("label_agreement"),
        from_store=record["from_store"],
        threads=record.get("threads", {}),
    )


def bootstrap_run(run: SavedRun, seed: int, progress: Progress, wanted: Wanted | None = None) -> None:
    """Make the replicates of the run's results from stored predictions and influences, by the resamples of `seed`.

    wanted  which of them; None for all
    """
    tasks = [(r, label) for r in run.results for label in r.scores if label not in run.missing]
    with progress.bar("resampling", len(tasks), unit="evaluations") as bar:
        for result, label in tasks:
            plugin = result.trial.evaluator(label).plugin
            sets = wanted(result.trial.generator.label, label) if wanted else None
            files = evaluation_folder(result.folder(run.folder), label)
            result.replicates[label] = _replicates(plugin, files, seed, sets)
            bar.advance(1, note=result.trial.title)


def _replicates(plugin: Evaluator, files: Path, seed: int, sets: Collection[str] | None) -> Replicates:
    if sets is not None and not sets:
        return Replicates({}, {})
    predictions = [p for p in read_predictions(files / File.PREDICTIONS) if sets is None or p.test_set in sets]
    return bootstrap(plugin.resample, predictions, _read(load_influences, files / INFLUENCE), seed)


def read_predictions(file: Path) -> list[Predictions]:
    """The predictions in a run's folder. Raises DataError where they cannot be read."""
    return _read(load_predictions, file)


Content = TypeVar("Content")


def _read(load: Callable[[Path], Content], file: Path) -> Content:
    try:
        return load(file)
    except (KeyError, ValueError, TypeError, OSError) as error:
        raise DataError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
