"""The bootstrap of an evaluation: its metrics on the same real images, resampled by patient.

Every evaluation meets the same resamples, so that generators are compared image by image.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthbench.errors import StoreError
from synthbench.influence import Influence
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.seeds import derive_seed
from synthbench.stats import RESAMPLES, cluster_weights
from synthbench.storage.disk import save_array
from synthbench.storage.influences import INFLUENCE, load_influences
from synthbench.storage.predictions import PREDICTIONS, load_predictions
from synthbench.storage.store import Store
from synthbench.storage.versions import BOOTSTRAP
from synthbench.types import Predictions, Strings

__all__ = ["Replicates", "bootstrap", "cached_bootstrap", "linear_replicates", "predictions_by_variant"]

Resample = Callable[
    [Mapping[str, Predictions], npt.NDArray[np.integer]], Mapping[tuple[str, str], npt.NDArray[Any]]
]
"""`Evaluator.resample`."""

BLOCK_CELLS = 1 << 22
"""Weights of this many images times resamples are in memory at once."""

KEPT_CELLS = 1 << 24
"""Of test sets with no more images times resamples than this the weights stay in memory: 32 MiB."""

Weights = npt.NDArray[np.uint16]


@dataclass(frozen=True)
class Replicates:
    """`values` float32 (B,) by `ScoreKey.within_evaluation`; `groups` are patients by test set.

    The values of a stored bootstrap stay on disk until asked for.
    """

    values: Mapping[ScoreKey, npt.NDArray[np.float32]]
    groups: Mapping[str, int]


class _Stored(Mapping[ScoreKey, npt.NDArray[np.float32]]):
    """Rows of a file, each read when it is asked for: a thousand generators' are more than memory holds."""

    def __init__(self, file: Path, keys: Sequence[ScoreKey]) -> None:
        self._file = file
        self._rows = {key: row for row, key in enumerate(keys)}
        if len(self._open()) != len(keys):
            raise ValueError(f"{file} has not as many rows as keys")

    def __getitem__(self, key: ScoreKey) -> npt.NDArray[np.float32]:
        row = self._rows[key]
        try:
            return np.array(self._open()[row])
        except (OSError, EOFError, ValueError) as error:
            raise StoreError.damaged(self._file.parent, error) from error

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __iter__(self) -> Iterator[ScoreKey]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def _open(self) -> npt.NDArray[np.float32]:
        rows: npt.NDArray[np.float32] = np.load(self._file, mmap_mode="r")
        return rows


def cached_bootstrap(resample: Resample, scores: str, files: Path, seed: int, store: Store) -> Replicates:
    """The evaluation's metrics in each of RESAMPLES resamples, from the store where they were made before.

    scores  name of the evaluation's entry
    files   its files; where no predictions and no influences are among them, nothing is resampled
    seed    the benchmark's; it and the patients decide the resamples
    """
    if not any((files / name).exists() for name in (PREDICTIONS, INFLUENCE)):
        return Replicates({}, {})
    key = {"scores": scores, "seed": seed, "resamples": RESAMPLES, "version": BOOTSTRAP}
    made = store.make("replicates", key, lambda f: _save(f, bootstrap(resample, *_kept_by(files), seed)))
    return _load(made.path)


def _kept_by(files: Path) -> tuple[Sequence[Predictions], Mapping[tuple[str, str], Influence]]:
    return load_predictions(files / PREDICTIONS), load_influences(files / INFLUENCE)


def bootstrap(
    resample: Resample,
    predictions: Sequence[Predictions],
    influences: Mapping[tuple[str, str], Influence],
    seed: int,
) -> Replicates:
    """What `cached_bootstrap` keeps, computed here and now."""
    values: dict[ScoreKey, npt.NDArray[np.float32]] = {}
    groups: dict[str, int] = {}
    for variants in predictions_by_variant(predictions):
        first = next(iter(variants.values()))
        groups[first.test_set] = len(np.unique(first.groups))
        for (metric, variant), replicates in _resampled(resample, variants, seed).items():
            values[ScoreKey.resampled(metric, variant, first)] = replicates
    for (metric, variant), influence in influences.items():
        values[ScoreKey("", metric, "", "", variant)] = linear_replicates(influence, seed)
        groups[""] = min(len(influence.patients), len(influence.synthetic))
    return Replicates(values, groups)


def linear_replicates(influence: Influence, seed: int) -> npt.NDArray[np.float32]:
    """(RESAMPLES,): how far the score moves, to first order, where patients and synthetic images are drawn again.

    The real side's draws are the same for all generators; the synthetic images of each are its own, and a sum over
    many of them is normal.
    """
    moved = [weights @ influence.real for weights in _weights("", influence.patients, seed)]
    own = influence.synthetic - influence.synthetic.mean()
    rng = np.random.default_rng(derive_seed(seed, "bootstrap", own.tobytes().hex()))
    by_images = rng.normal(scale=np.sqrt(np.square(own).sum()), size=RESAMPLES)
    return np.asarray(np.concatenate(moved) - influence.real.sum() + by_images, dtype=np.float32)


def _save(folder: Path, made: Replicates) -> Mapping[str, Any]:
    values = list(made.values.values())
    stacked = np.stack(values) if values else np.empty((0, RESAMPLES), dtype=np.float32)
    save_array(folder / "values.npy", stacked)
    about = {"keys": list(made.values), "groups": made.groups}
    (folder / "about.json").write_text(json.dumps(about), encoding="utf-8")
    return {}


def predictions_by_variant(predictions: Sequence[Predictions]) -> list[dict[str, Predictions]]:
    """By variant, those that answer for the same images under the same classifier seed."""
    sets: dict[tuple[str, int | None, bytes], dict[str, Predictions]] = {}
    for p in predictions:
        sets.setdefault((p.test_set, p.classifier_seed, p.ids.tobytes()), {})[p.variant] = p
    return list(sets.values())


def _resampled(
    resample: Resample, variants: Mapping[str, Predictions], seed: int
) -> dict[tuple[str, str], npt.NDArray[np.float32]]:
    """All metrics of one classifier on one test set, block by block of resamples."""
    first = next(iter(variants.values()))
    parts = [resample(variants, weights) for weights in _weights(first.test_set, first.groups, seed)]
    return {name: np.concatenate([part[name] for part in parts]).astype(np.float32) for name in parts[0]}


def _weights(test_set: str, groups: Strings, seed: int) -> Iterable[Weights]:
    """RESAMPLES resamples in blocks; the same whoever is evaluated."""
    if RESAMPLES * len(groups) > KEPT_CELLS:
        return _draw(test_set, groups, seed)
    return _kept(test_set, tuple(groups.tolist()), seed)


@lru_cache(maxsize=4)
def _kept(test_set: str, groups: tuple[str, ...], seed: int) -> Sequence[Weights]:
    """Drawn once a test set: a run of many generators asks for them at every trial."""
    blocks = list(_draw(test_set, np.array(groups), seed))
    for block in blocks:
        block.flags.writeable = False  # the next evaluation gets them, too
    return blocks


def _draw(test_set: str, groups: Strings, seed: int) -> Iterator[Weights]:
    # By the test set and not by who is evaluated: paired tests subtract draw by draw.
    rng = np.random.default_rng(derive_seed(seed, "bootstrap", test_set))
    block = max(1, min(RESAMPLES, BLOCK_CELLS // max(1, len(groups))))
    for start in range(0, RESAMPLES, block):
        yield cluster_weights(groups, min(block, RESAMPLES - start), rng)


def _load(folder: Path) -> Replicates:
    try:
        about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
        names = [ScoreKey(*entry) for entry in about["keys"]]
        return Replicates(_Stored(folder / "values.npy", names), about["groups"])
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise StoreError.damaged(folder, error) from error
