"""The policies on made-up arrays with known answers."""

import numpy as np
import pytest

from synthbench_select.policies import by_margin, herd, kernel_width, margins


def test_margin_is_to_the_nearest_other_class():
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.4, 0.4, 0.2]])
    assert margins(probabilities, 0) == pytest.approx([0.5, -0.5, 0.0])
    assert margins(probabilities, 2) == pytest.approx([-0.6, -0.3, -0.2])


def test_the_least_sure_that_agree_come_first_then_the_least_wrong():
    answers = np.array([0.9, 0.1, -0.2, 0.5, -0.9, 0.0])
    assert by_margin(answers, 6).tolist() == [1, 3, 0, 5, 2, 4]
    assert by_margin(answers, 2).tolist() == [1, 3]
    assert by_margin(np.array([0.5, 0.5, 0.2]), 2).tolist() == [2, 0]  # of equal ones the earlier


def test_kernel_width_is_the_median_distance():
    assert kernel_width(np.array([[0.0], [1.0], [3.0]])) == pytest.approx(2.0)
    assert kernel_width(np.ones((5, 2))) == 1.0
    assert kernel_width(np.ones((1, 2))) == 1.0


def in_clusters(counts, rng, places=((0.0, 0.0), (10.0, 0.0), (0.0, 300.0))):
    """Points around places, and the number of each one's place."""
    points = [rng.normal(place, 0.5, (count, 2)) for place, count in zip(places, counts, strict=False)]
    return np.concatenate(points), np.repeat(np.arange(len(counts)), counts)


def test_herding_takes_clusters_in_the_targets_shares_and_no_outlier():
    rng = np.random.default_rng(0)
    target, _ = in_clusters((300, 100), rng)
    features, cluster = in_clusters((100, 100, 50), rng)
    kept = herd(features, target, 40)
    assert len(set(kept.tolist())) == 40
    shares = np.bincount(cluster[kept], minlength=3)
    assert shares[2] == 0
    assert 28 <= shares[0] <= 32


def test_herding_is_greedy_in_the_mean_embedding():
    """Against the definition of Chen, Welling and Smola (2010), computed anew at each step."""
    rng = np.random.default_rng(1)
    features, target = rng.normal(size=(12, 3)), rng.normal(size=(20, 3))
    centre, spread = target.mean(0), target.std(0)
    x, y = (features - centre) / spread, (target - centre) / spread
    width = kernel_width(y)

    def kernel(a, b):
        return np.exp(-(np.linalg.norm(a - b) ** 2) / (2 * width**2))

    taken = []
    for step in range(8):
        near = np.array([np.mean([kernel(point, of) for of in y]) for point in x])
        crowded = np.array([sum(kernel(point, x[j]) for j in taken) for point in x])
        gains = near - crowded / (step + 1)
        gains[taken] = -np.inf
        taken.append(int(np.argmax(gains)))
    assert herd(features, target, 8).tolist() == taken


def test_herding_takes_all_where_all_are_kept():
    rng = np.random.default_rng(2)
    assert sorted(herd(rng.normal(size=(9, 4)), np.ones((5, 4)), 9)) == list(range(9))
