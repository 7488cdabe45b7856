"""The cached stages of a run: load the data, make synthetic images, evaluate them.

Each stage is a store entry: its result, a folder `files/` worth keeping, and what it cost.
"""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthbench.config import Benchmark, Entry
from synthbench.context import Context
from synthbench.cost import Cost, measure
from synthbench.errors import ConfigError
from synthbench.grids import save_class_grid
from synthbench.interfaces import Dataset, Evaluator, Generator, Sampler, balanced_labels
from synthbench.naming import safe_name
from synthbench.plan import Trial
from synthbench.progress import Progress
from synthbench.seeds import derive_seed
from synthbench.source import code_version
from synthbench.store import Store, damaged, save_images, write_atomic
from synthbench.types import Artifact, Evaluation, Images, Labels, Pixels, Predictions, Score, Splits

__all__ = ["Evaluated", "Workshop", "evaluate", "load_splits", "synthesise"]

SCHEMA = 1
"""Counts up when the core changes what an entry holds or means."""


@dataclass(frozen=True)
class Workshop:
    """What all stages share."""

    store: Store
    device: str
    progress: Progress
    scratch: Path

    def key(self, entry: Entry[Any], **inputs: Any) -> dict[str, Any]:
        """Everything that goes into a piece of work: configuration, code, device type and its inputs."""
        return {
            "schema": SCHEMA,
            "use": _identity(entry),
            "config": entry.plugin.model_dump(mode="json"),
            "inputs": dict(entry.plugin.inputs()),
            "code": code_version(type(entry.plugin).__module__),
            "device": self.device.partition(":")[0],
            **inputs,
        }

    @contextmanager
    def context(
        self, kind: str, key: Mapping[str, Any], seed: int, workdir: Path, failed: Path | None = None
    ) -> Iterator[Context]:
        """A context that logs to `workdir/log.txt`; where the work fails, its files are copied to `failed`."""
        workdir.mkdir(parents=True, exist_ok=True)
        log = logging.getLogger(f"synthbench.{workdir.parent.name}")
        log.setLevel(logging.INFO)
        log.propagate = False
        handler = logging.FileHandler(workdir / "log.txt", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
        resume = self.store.resume_folder(kind, key)
        try:
            yield Context(seed, self.device, workdir, resume, self.store, self.progress, log)
        except BaseException:
            if failed:
                shutil.copytree(workdir, failed, dirs_exist_ok=True)
            raise
        finally:
            log.removeHandler(handler)
            handler.close()
            if not any(resume.iterdir()):
                resume.rmdir()


def _identity(entry: Entry[Any]) -> str:
    """A registered name is unique; classes named by their file may share one, by inheritance say."""
    cls = type(entry.plugin)
    return entry.plugin.name if entry.use == entry.plugin.name else f"{entry.plugin.name}:{cls.__qualname__}"


def load_splits(bench: Benchmark, shop: Workshop) -> Splits:
    """The data set with the test parts of the external ones under their labels."""
    splits = _load(bench.dataset, shop)
    tests = dict(splits.tests)
    quarantine = list(splits.quarantine)
    for entry in bench.external:
        further = _load(entry, shop)
        if not further.tests:
            raise ConfigError(f"external {entry.label}: this data set has no test part")
        for name, images in further.tests.items():
            _check_external(entry.label, images, splits.train)
            label = entry.label if name == "test" else f"{entry.label}/{name}"
            if label in tests:
                raise ConfigError(f"external {entry.label}: there is a test set {label!r} already; add `label:`")
            tests[label] = images
        quarantine.extend(further.quarantine)
    return Splits(splits.train, tests, splits.val, tuple(quarantine), splits.domain)


def _load(entry: Entry[Dataset], shop: Workshop) -> Splits:
    """A data set's own `load`, which caches by content: only it knows what its content is."""
    workdir = shop.scratch / safe_name(entry.label)
    try:
        with shop.context("dataset", shop.key(entry), 0, workdir) as ctx:
            return entry.plugin.load(ctx)
    finally:
        _tidy(workdir)


def _tidy(folder: Path) -> None:
    """Remove the folder where it holds nothing but an empty log."""
    if [(f.name, f.stat().st_size) for f in folder.glob("*")] == [("log.txt", 0)]:
        shutil.rmtree(folder)
        if not any(folder.parent.iterdir()):
            folder.parent.rmdir()


def _check_external(label: str, images: Images, train: Images) -> None:
    if images.classes != train.classes:
        raise ConfigError(f"external {label}: its classes are {images.classes}, the data set's {train.classes}")
    if images.shape != train.shape:
        message = "give both the same image_size and channels"
        raise ConfigError(
            f"external {label}: its images are {images.shape}, the data set's {train.shape}; {message}"
        )


def synthesise(trial: Trial, train: Images, samples: int, shop: Workshop, failed: Path) -> Artifact:
    """Fit the trial's generator and draw `samples` images; the entry's folder holds them (`load_images`)."""
    entry = trial.generator
    fit_key = shop.key(entry, train=train.digest, seed=trial.seed)

    def build(folder: Path) -> dict[str, Any]:
        with shop.context("generator", fit_key, trial.seed, folder / "files", failed) as ctx:
            sampler, fitting = _fit(entry.plugin, train, ctx)
            labels = _labels(entry.plugin, train, samples)
            with measure(shop.device) as sampling:
                drawn = sampler(labels.copy(), ctx.rng("sample"))
            images = _as_images(drawn, labels, train, trial)
            save_images(folder, images)
            save_class_grid(ctx.workdir / "samples.png", images)
        costs = {"fit": fitting.as_dict(), "sample": {**sampling.as_dict(), "images": len(images)}}
        return {"costs": costs}

    return shop.store.make("synthetic", {**fit_key, "samples": samples}, build)


def _fit(plugin: Generator, train: Images, ctx: Context) -> tuple[Sampler, Cost]:
    """Fit, and what that cost in all: where it goes on from checkpoints, the earlier parts stand beside them.

    A part that ended by a kill that no process can notice (SIGKILL, a power cut) is not counted.
    """
    ledger = ctx.resume / "cost.json"
    earlier = json.loads(ledger.read_text(encoding="utf-8")) if ledger.exists() else {}
    try:
        with measure(ctx.device) as cost:
            sampler = plugin.fit(train, ctx)
    finally:
        cost.add(earlier)
        if any(ctx.resume.iterdir()):
            write_atomic(ledger, json.dumps(cost.as_dict()))
    return sampler, cost


def _labels(plugin: Generator, train: Images, samples: int) -> Labels:
    """Equally many of each class, or the training prior by largest remainder."""
    if plugin.prior == "balanced":
        return balanced_labels(samples, len(train.classes))
    share = np.bincount(train.labels, minlength=len(train.classes)) * samples / len(train)
    counts = np.floor(share).astype(np.int64)
    for index in np.argsort(counts - share, kind="stable")[: samples - counts.sum()]:
        counts[index] += 1
    return np.repeat(np.arange(len(counts), dtype=np.int64), counts)


def _as_images(drawn: Pixels | Images, labels: Labels, train: Images, trial: Trial) -> Images:
    """Check what a sampler returned. Raises ValueError with what the plugin has to change."""
    if isinstance(drawn, np.ndarray | Images) and len(drawn) != len(labels):
        raise ValueError(f"the sampler returned {len(drawn)} images for {len(labels)} labels")
    if isinstance(drawn, Images):
        images = drawn
    else:
        ids = np.array(
            [f"{trial.generator.label}-{trial.index}-{i:06d}" for i in range(len(labels))], dtype=np.str_
        )
        images = Images(drawn, labels, train.classes, ids)
    if not np.array_equal(images.labels, labels):
        raise ValueError("the sampler returned other labels than it was asked for")
    if images.shape != train.shape or images.classes != train.classes:
        found = f"{images.shape} {images.classes}"
        raise ValueError(f"the sampler returned {found}, the training set has {train.shape} {train.classes}")
    return images


@dataclass(frozen=True)
class Evaluated:
    """A finished evaluation: its scores and where its files lie."""

    scores: tuple[Score, ...]
    artifact: Artifact


def evaluate(
    evaluator: Entry[Evaluator], seed: int, real: Splits, synthetic: Images, shop: Workshop, failed: Path
) -> Evaluated:
    """Score `synthetic` against `real`; the same images under the same seed are scored once."""
    digests = {name: images.digest for name, images in {"train": real.train, **real.tests}.items()}
    key = shop.key(evaluator, synthetic=synthetic.digest, real=digests, seed=seed)

    def build(folder: Path) -> dict[str, Any]:
        with shop.context("scores", key, seed, folder / "files", failed) as ctx:
            before = dict(shop.store.saved)
            with measure(shop.device) as cost:
                evaluation = evaluator.plugin.evaluate(real, synthetic, ctx)
            cost.add({part: total - before[part] for part, total in shop.store.saved.items()})
            _check_evaluation(evaluation, evaluator.plugin)
            _save_scores(folder, evaluation)
            save_predictions(ctx.workdir, evaluation.predictions, real.train.classes)
        return {"costs": {"evaluate": cost.as_dict()}}

    artifact = shop.store.make("scores", key, build)
    return Evaluated(_load_scores(artifact.path), artifact)


def _check_evaluation(evaluation: Evaluation, plugin: Evaluator) -> None:
    delivered = {score.metric for score in evaluation.scores}
    if delivered != set(plugin.metrics):
        raise ValueError(f"it declares the metrics {sorted(plugin.metrics)} and delivered {sorted(delivered)}")


def _save_scores(folder: Path, evaluation: Evaluation) -> None:
    rows = [{**vars(score), "value": _finite(score.value)} for score in evaluation.scores]
    text = json.dumps(rows, indent=1, default=int)  # counts may be NumPy's integers
    (folder / "scores.json").write_text(text, encoding="utf-8")


def _load_scores(folder: Path) -> tuple[Score, ...]:
    try:
        rows = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
        values = [float("nan") if row["value"] is None else row["value"] for row in rows]
        return tuple(Score(**{**row, "value": value}) for row, value in zip(rows, values, strict=True))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise damaged(folder, error) from error


def _finite(value: float) -> float | None:
    """JSON knows no NaN."""
    return float(value) if np.isfinite(value) else None


def save_predictions(folder: Path, predictions: Any, classes: tuple[str, ...]) -> None:
    """Write predictions.csv: one row an image, its label and the probability of each class."""
    import pandas as pd

    if predictions:
        table = pd.concat([_prediction_table(p, classes) for p in predictions], ignore_index=True)
        table.to_csv(folder / "predictions.csv", index=False, lineterminator="\n")


def _prediction_table(p: Predictions, classes: tuple[str, ...]) -> Any:
    import pandas as pd

    probabilities = {f"p[{name}]": p.probabilities[:, k] for k, name in enumerate(classes)}
    return pd.DataFrame(
        {
            "test_set": p.test_set,
            "classifier_seed": p.classifier_seed,
            "id": p.ids,
            "group": p.groups,
            "label": np.array(classes)[p.labels],
            **probabilities,
        }
    )


def evaluator_seed(bench: Benchmark, evaluator: Entry[Evaluator], index: int) -> int:
    """The same for all generators, so that they are compared under the same initial weights."""
    return derive_seed(bench.seed, "evaluator", evaluator.label, index)
