"""How hard the data set is: no shortcut through brightness or class means, learnable by the small CNN, not solved.

At 32 px, where the CNN trains in seconds. A balanced accuracy of .9 on 400 images of 200 patients has a standard
error of 2 points.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score

from synthbench.api.interfaces import Context
from synthbench.testing import context_in
from synthbench.types import Images, Splits
from synthbench_phantom.plugin import Phantom
from synthbench_tstr.plugin import Tstr

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def ctx(tmp_path_factory) -> Context:
    return context_in(tmp_path_factory.mktemp("phantom"))


@pytest.fixture(scope="module")
def splits(ctx) -> Splits:
    return Phantom(image_size=32).load(ctx)


@pytest.fixture
def one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the same sums in the same order, whatever the machine
    yield
    torch.set_num_threads(threads)


def flat(images: Images) -> np.ndarray:
    return images.pixels.reshape(len(images), -1).astype(np.float32)


def test_mean_brightness_does_not_give_the_class_away(splits):
    for images in (splits.train, splits.tests["test"]):
        auroc = roc_auc_score(images.labels, flat(images).mean(1))
        assert max(auroc, 1 - auroc) < 0.65


def test_the_nearest_class_mean_does_not_solve_it(splits):
    train, test = splits.train, splits.tests["test"]
    means = np.stack([flat(train)[train.labels == k].mean(0) for k in (0, 1)])
    nearest = ((flat(test)[:, None] - means) ** 2).sum(2).argmin(1)
    accuracy = (nearest == test.labels).mean()
    by_class = [(nearest == test.labels)[test.labels == k].mean() for k in (0, 1)]
    assert accuracy < 0.80
    assert np.mean(by_class) < 0.80


def test_the_small_cnn_learns_it_but_not_all_of_it(splits, ctx, one_thread):
    evaluation = Tstr(backbone="cnn").evaluate(splits, splits.train, ctx)  # real images as the synthetic ones
    score = {s.metric: s.value for s in evaluation.scores if s.test_set == "test"}
    assert 0.85 <= score["balanced_accuracy"] <= 0.97
    assert score["auroc"] < 0.999
