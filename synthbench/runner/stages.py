"""The cached stages of a trial: make synthetic images, evaluate them, resample what the evaluator answered.

Each stage is a store entry: its result, a folder `files/` worth keeping, and what it cost.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from synthbench.api.declarations import interval_faults, out_of_bounds, prediction_faults, scored_twice
from synthbench.api.imaging import PictureRule
from synthbench.api.interfaces import Context, Evaluator, Generator, Plugin, Role, Sampler, balanced_labels
from synthbench.api.lending import lend
from synthbench.api.nested.keys import begun_key, fit_key
from synthbench.api.nested.resuming import earlier_cost, fit_resuming, length_of, note_cost
from synthbench.api.process_state import thread_count
from synthbench.benchmark.definition import Entry
from synthbench.benchmark.plan import Trial
from synthbench.grey_levels import SCALE_FIRST, unscaled
from synthbench.leaderboard.bootstrap import Replicates, cached_bootstrap
from synthbench.leaderboard.subgroups import with_subgroups
from synthbench.results.evidence import save_evidence
from synthbench.runner.cost import Cost, measure
from synthbench.runner.pictures import save_class_grid
from synthbench.runner.scores_file import load_scores, save_scores
from synthbench.runner.session import Session
from synthbench.stats import LabelCheck, check_labels, class_probe
from synthbench.storage.influences import INFLUENCE, save_influences
from synthbench.storage.predictions import PREDICTIONS, save_predictions
from synthbench.storage.store import Store, save_images
from synthbench.storage.versions import EVALUATIONS, LABEL_CHECKS
from synthbench.types import Artifact, Evaluation, Images, Labels, Pixels, Score, Splits, Strings

__all__ = ["Evaluated", "Seeds", "agreement", "evaluate", "flatness", "make_images", "shortfall"]


def make_images(
    trial: Trial, train: Images, samples: int, session: Session, failed: Path, pictures: PictureRule
) -> Artifact:
    """Fit the trial's generator and draw `samples` images; the entry's folder holds them (`load_images`).

    failed    where the files of a failed fit are copied to
    pictures  how the benchmark's pictures became `train`
    """
    entry = trial.generator
    fitting = fit_key(entry.plugin, entry.use, session.device, train, trial.seed, pictures)
    begun = begun_key(entry.plugin, fitting)
    drawing = _Drawing(replace(trial, evaluators=()), begun, train, samples, pictures)
    key = {**fitting, "samples": samples}
    return session.store.make("synthetic", key, lambda folder: session.perform(drawing, folder, failed))


@dataclass(frozen=True)
class _Drawing:
    """Fit and draw, in one process: a sampler need not be such that it can be sent to another.

    begun  the key of its checkpoints
    """

    trial: Trial
    begun: Mapping[str, Any]
    train: Images
    samples: int
    pictures: PictureRule

    @property
    def plugins(self) -> Sequence[Plugin]:
        return (self.trial.generator.plugin,)

    def __call__(self, session: Session, folder: Path) -> dict[str, Any]:
        entry, seed = self.trial.generator, self.trial.seed
        told = {"seed_index": self.trial.index, "pictures": self.pictures}
        with session.context("generator", self.begun, seed, folder / "files", **told) as ctx:
            labels = _labels(entry.plugin, self.train, self.samples)
            with lend(self.train, entry.label, session.store) as own:
                sampler, fitting = _fit(entry.plugin, own, ctx)
                with session.store.counting() as work, measure(session.device) as sampling:
                    drawn = sampler(labels.copy(), ctx.rng("sample"))  # a copy: a sampler may sort what it gets
                sampling.add(work.spared)
            images = _as_images(drawn, labels, self.train, self.trial)
            save_images(folder, images)
            save_class_grid(ctx.workdir / "samples.png", images)
        costs = {"fit": fitting.as_dict(), "sample": {**sampling.as_dict(), "images": len(images)}}
        return {"costs": costs, "threads": thread_count()}


def agreement(images: Images, train: Images, role: Role, store: Store) -> tuple[float | None, str]:
    """The share of images in which a linear probe of `train` sees the class of the label, and what is wrong.

    "" where nothing is, or of a floor, which may mean it so; None where `train` has one class alone. Of the same
    images the answer is in the store.
    """
    if len(np.unique(train.labels)) < 2:
        return None, ""
    key = {"version": LABEL_CHECKS, "train": train.digest, "images": images.digest}

    def ask() -> LabelCheck:
        return check_labels(_probe(train), images.pixels, images.labels)

    if store.frozen and not store.find("label-checks", key):  # not worth failing a trial for
        check = ask()
    else:
        made = store.make("label-checks", key, lambda _: {"check": asdict(ask())})
        check = LabelCheck(**made.meta["check"])
    return check.agreement, "" if role == "floor" else check.fault


@lru_cache(maxsize=1)
def _probe(train: Images) -> Callable[[Pixels], Labels]:
    """Every trial of a run asks the same one."""
    return class_probe(train.pixels, train.labels)


def flatness(images: Images) -> str:
    """How many images hold one single value, or that all values are next to 0; "" where neither is so."""
    if fault := unscaled(images.pixels):
        return f"{fault}: {SCALE_FIRST}"
    each = images.pixels.reshape(len(images), -1)
    flat = int((each.min(axis=1) == each.max(axis=1)).sum())
    return f"{flat} of {len(images)} images hold one single value" if flat else ""


def shortfall(trial: Trial, images: Images, train: Images, samples: int) -> str:
    """What is missing of `images` by class, "" where they are as many as were asked for."""
    if len(images) == samples:
        return ""
    labels = _labels(trial.generator.plugin, train, samples)
    asked = np.bincount(labels, minlength=len(train.classes)).tolist()
    counts = zip(images.counts().items(), asked, strict=True)
    return "fewer images than asked: " + ", ".join(f"{n} of {of} {name}" for (name, n), of in counts)


def _fit(plugin: Generator, train: Images, ctx: Context) -> tuple[Sampler, Cost]:
    """Fit, and what that cost in all: where it goes on from checkpoints, the earlier parts stand beside them.

    Of a checkpoint that is all the training before it, though a shorter one's row may have paid. A part that ended
    by a kill that no process can notice (SIGKILL, a power cut) is not counted.
    """
    length = length_of(plugin)
    earlier = earlier_cost(ctx.resume, length)
    try:
        with ctx.store.counting() as work, measure(ctx.device) as cost:
            sampler = fit_resuming(plugin, train, ctx)
    finally:
        cost.add(earlier)
        note_cost(ctx.resume, cost.as_dict(), length)
    cost.add(work.spared)  # after the ledger: a generator within it has one of its own
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
    fewer = trial.generator.declared.origin.fewer and isinstance(drawn, Images)
    if isinstance(drawn, np.ndarray | Images) and len(drawn) != len(labels) and not fewer:
        raise ValueError(f"the sampler returned {len(drawn)} images for {len(labels)} labels")
    if isinstance(drawn, Images):
        images = drawn
    else:
        ids = np.array(
            [f"{trial.generator.label}-{trial.index}-{i:06d}" for i in range(len(labels))], dtype=np.str_
        )
        images = Images(drawn, labels, train.classes, ids)
    if len(images) < len(labels):
        _check_fewer(images, labels)
    elif not np.array_equal(images.labels, labels):
        raise ValueError("the sampler returned other labels than it was asked for")
    if images.shape != train.shape or images.classes != train.classes:
        drawn_shape = f"{images.shape} {images.classes}"
        raise ValueError(f"the sampler returned {drawn_shape}, the training set has {train.shape} {train.classes}")
    return images


def _check_fewer(images: Images, labels: Labels) -> None:
    """Some of each class that was asked for, and no more than that. Raises ValueError."""
    kinds = len(images.classes)
    asked, drawn = (np.bincount(of, minlength=kinds) for of in (labels, images.labels))
    if (drawn > asked).any() or (drawn[asked > 0] == 0).any():
        counts = f"{drawn.tolist()} images by class, asked for {asked.tolist()}"
        raise ValueError(f"the sampler returned {counts}: it may leave some of each class out, and no class")


@dataclass(frozen=True)
class Evaluated:
    """A finished evaluation: its scores, their bootstrap, and where its files lie."""

    scores: tuple[Score, ...]
    replicates: Replicates
    artifact: Artifact


@dataclass(frozen=True)
class Seeds:
    """Of an evaluation: its own, and that of the benchmark's resamples."""

    evaluator: int
    resamples: int


def evaluate(
    evaluator: Entry[Evaluator], seeds: Seeds, real: Splits, synthetic: Images, session: Session, failed: Path
) -> Evaluated:
    """Score `synthetic` against `real`; the same images under the same seed are scored once."""
    inputs = {"synthetic": synthetic.digest, "real": _digests(real), "positive": real.positive}
    if attributes := {name: known for name, known in real.attributes.items() if known and name in real.tests}:
        inputs["attributes"] = _digest_of(attributes)
    key = session.key(evaluator, scores=EVALUATIONS, seed=seeds.evaluator, **inputs)

    scoring = _Scoring(evaluator, key, seeds, real, synthetic)
    artifact = session.store.make("scores", key, lambda folder: session.perform(scoring, folder, failed))
    replicates = scoring.resampled(artifact.path, session.store)
    return Evaluated(load_scores(artifact.path), replicates, artifact)


@dataclass(frozen=True)
class _Scoring:
    """An evaluation, in a process of its own."""

    evaluator: Entry[Evaluator]
    key: Mapping[str, Any]
    seeds: Seeds
    real: Splits
    synthetic: Images

    @property
    def plugins(self) -> Sequence[Plugin]:
        return (self.evaluator.plugin,)

    def __call__(self, session: Session, folder: Path) -> dict[str, Any]:
        label, plugin, store = self.evaluator.label, self.evaluator.plugin, session.store
        with store.counting() as work, measure(session.device) as cost:
            with session.context("scores", self.key, self.seeds.evaluator, folder / "files") as ctx:
                with lend(self.real, label, store) as own, lend(self.synthetic, label, store) as judged:
                    evaluation = plugin.evaluate(own, judged, ctx)
                _check_evaluation(evaluation, plugin, self.real, self.synthetic)
                evaluation = with_subgroups(evaluation, plugin.resample, self.real)
                save_scores(folder, evaluation.scores)
                save_influences(ctx.workdir / INFLUENCE, evaluation.scores)
                save_predictions(ctx.workdir / PREDICTIONS, evaluation.predictions, self.real.train.classes)
                save_evidence(ctx.workdir, evaluation.evidence, store)
            self.resampled(folder, store)  # here, where the plugin can end nothing but its own process
        cost.add(work.spared)  # what a killed run had done of it, say
        cost.add({part: -seconds for part, seconds in work.booked.items()})
        return {"costs": {"evaluate": cost.as_dict()}, "shared": work.shared, "threads": thread_count()}

    def resampled(self, folder: Path, store: Store) -> Replicates:
        """The bootstrap of the evaluation in `folder`, which may not have its name in the store yet."""
        name = store.entry("scores", self.key).name
        resample = self.evaluator.plugin.resample
        return cached_bootstrap(resample, name, folder / "files", self.seeds.resamples, store)


def _digests(real: Splits) -> dict[str, str]:
    """Of all that an evaluator sees of the real data."""
    geometry = {f"{name}, files": facts.digest for name, facts in real.geometry.items()}
    return {name: images.digest for name, images in real.parts.items()} | geometry


def _digest_of(attributes: Mapping[str, Mapping[str, Strings]]) -> str:
    plain = {part: {name: v.tolist() for name, v in columns.items()} for part, columns in attributes.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _check_evaluation(evaluation: Evaluation, plugin: Evaluator, real: Splits, synthetic: Images) -> None:
    if not isinstance(evaluation, Evaluation):
        raise TypeError(f"evaluate must return synthbench.Evaluation, found {type(evaluation).__name__}")
    delivered = {score.metric for score in evaluation.scores}
    if delivered != set(plugin.metrics):
        raise ValueError(f"it declares the metrics {sorted(plugin.metrics)} and delivered {sorted(delivered)}")
    if twice := scored_twice(evaluation.scores):
        raise ValueError(f"{'; '.join(twice)}: variant, test set and classifier seed must tell them apart")
    faults = [*out_of_bounds(plugin, evaluation.scores), *interval_faults(evaluation.scores)]
    if faults := faults or prediction_faults(evaluation.predictions, real, synthetic):
        raise ValueError("; ".join(faults))
