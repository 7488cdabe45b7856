"""predictions.csv gives back what was written, and reads what older versions wrote."""

import numpy as np
import pandas as pd
import pytest

from synthbench.storage.predictions import load_predictions, save_predictions
from synthbench.types import Predictions

CLASSES = ("COVID", "NORMAL")


def predictions(test_set, seed=None, positive=0):
    p = np.random.default_rng(len(test_set)).random(3)
    names = np.array(["NA", "007", "x"])
    return Predictions(test_set, names, names, np.array([0, 1, 1]), np.stack([p, 1 - p], 1), seed, "", positive)


@pytest.mark.parametrize("positive", [0, 1, None])
def test_what_was_written_comes_back(tmp_path, positive):
    written = [predictions("test", 0, positive), predictions("holdout", None, positive)]
    save_predictions(tmp_path / "p.csv", written, CLASSES)
    for before, after in zip(written, load_predictions(tmp_path / "p.csv"), strict=True):
        assert (after.test_set, after.classifier_seed, after.positive) == (
            before.test_set,
            before.classifier_seed,
            positive,
        )
        assert np.array_equal(after.probabilities, before.probabilities)
        assert after.ids.tolist() == before.ids.tolist()
        assert after.labels.tolist() == before.labels.tolist()


def test_the_file_names_the_positive_class(tmp_path):
    save_predictions(tmp_path / "p.csv", [predictions("test")], CLASSES)
    assert set(pd.read_csv(tmp_path / "p.csv").positive) == {"COVID"}


def test_a_file_that_does_not_say_it_is_read_without(tmp_path):
    save_predictions(tmp_path / "p.csv", [predictions("test")], CLASSES)
    pd.read_csv(tmp_path / "p.csv", dtype=str, keep_default_na=False).drop(columns="positive").to_csv(
        tmp_path / "p.csv", index=False
    )
    (read,) = load_predictions(tmp_path / "p.csv")
    assert read.positive is None
