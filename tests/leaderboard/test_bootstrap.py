"""Resamples: drawn once a test set, and replicates that stay on disk until asked for."""

import json

import numpy as np
import pytest

from synthbench.errors import StoreError
from synthbench.leaderboard import bootstrap as module
from synthbench.leaderboard.bootstrap import bootstrap, cached_bootstrap
from synthbench.stats import RESAMPLES
from synthbench.storage.predictions import PREDICTIONS, save_predictions
from synthbench.storage.store import Store
from synthbench.types import Predictions

N = 12
GROUPS = np.array([f"p{k // 2}" for k in range(N)])
PREDICTED = Predictions("test", GROUPS, GROUPS, np.arange(N) % 2, np.full((N, 2), 0.5))


def counted(variants, weights):
    return {("mean", ""): weights @ np.arange(N) / weights.sum(1)}


def drawn(monkeypatch, predictions, *, kept):
    """How often weights were drawn in two evaluations, and the second's replicates."""
    calls = []
    monkeypatch.setattr(module, "KEPT_CELLS", RESAMPLES * N if kept else 0)
    monkeypatch.setattr(
        module, "cluster_weights", lambda *a, real=module.cluster_weights: calls.append(a) or real(*a)
    )
    module._kept.cache_clear()
    for _ in range(2):
        made = bootstrap(counted, [predictions], {}, seed=3)
    return len(calls), next(iter(made.values.values()))


def test_weights_are_drawn_once_a_test_set_unless_they_are_many(monkeypatch):
    once, kept = drawn(monkeypatch, PREDICTED, kept=True)
    twice, anew = drawn(monkeypatch, PREDICTED, kept=False)
    assert (once, twice) == (1, 2)
    np.testing.assert_array_equal(kept, anew)


def test_other_patients_have_weights_of_their_own(monkeypatch):
    _, kept = drawn(monkeypatch, PREDICTED, kept=True)
    alone = Predictions("test", PREDICTED.ids, np.arange(N).astype(str), PREDICTED.labels, PREDICTED.probabilities)
    assert not np.array_equal(next(iter(bootstrap(counted, [alone], {}, seed=3).values.values())), kept)


def test_no_plugin_can_change_them_for_the_next():
    def careless(variants, weights):
        weights += 1
        return counted(variants, weights)

    with pytest.raises(ValueError, match="read-only"):
        bootstrap(careless, [PREDICTED], {}, seed=3)


def test_stored_replicates_are_read_when_asked_for(tmp_path):
    folder = tmp_path / "scores" / "x"
    (folder / "files").mkdir(parents=True)
    save_predictions(folder / "files" / PREDICTIONS, [PREDICTED], ("A", "B"))
    stored = cached_bootstrap(counted, "x", folder / "files", 3, Store(tmp_path))
    ((key, values),) = bootstrap(counted, [PREDICTED], {}, seed=3).values.items()
    np.testing.assert_array_equal(stored.values[key], values)
    assert key in stored.values
    assert list(stored.values) == [key]
    (file,) = tmp_path.glob("replicates/*/values.npy")
    file.unlink()
    with pytest.raises(StoreError, match="damaged"):
        stored.values[key]


def test_replicates_with_other_keys_than_rows_are_damaged(tmp_path):
    np.save(tmp_path / "values.npy", np.zeros((2, 3), dtype=np.float32))
    (tmp_path / "about.json").write_text(json.dumps({"keys": [["e", "auroc"]], "groups": {}}))
    with pytest.raises(StoreError, match="damaged"):
        module._load(tmp_path)
