"""Many candidates: what comparisons.csv lists of their pairs, and that ranks follow from all of them."""

import itertools
import math
from functools import partial

import numpy as np
import pytest

from synthbench.benchmark.definition import Ranking
from synthbench.leaderboard.estimates import Estimate
from synthbench.leaderboard.pairwise import ALL_LISTED, TOP, _named_pair, compare, listed, ranks
from synthbench.leaderboard.score_key import ScoreKey
from synthbench.types import Predictions

NOISE = np.random.default_rng(0).normal(0, 0.01, 50)
OWN = np.random.default_rng(2).normal(0, 1e-5, (200, 50))


def candidates(n):
    """Headlines that rise by .01, each clear of all others: nearly the same noise in each."""
    key = ScoreKey("e", "auroc", "test")
    return {
        f"g{k}": Estimate(
            *(key, np.array([k / 100]), None, None, partial(np.add, (NOISE + OWN[k])[None], k / 100)),
            *((0, 1), (60,), 60, 1, 1),
        )
        for k in np.random.default_rng(1).permutation(n)
    }


@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_of_many_candidates_the_best_and_neighbours_are_listed(direction):
    n = ALL_LISTED + 5
    rivals = candidates(n)
    comparisons = compare(rivals, Ranking(), direction, {})
    assert len(comparisons) == n * (n - 1) // 2
    best = [f"g{k}" for k in range(n)]
    if direction == "higher":
        best.reverse()
    expected = {frozenset(pair) for pair in [*itertools.combinations(best[:TOP], 2), *itertools.pairwise(best)]}
    shown = listed(comparisons, rivals, direction)
    assert {frozenset(pair) for pair in zip(shown["a"], shown["b"], strict=True)} == expected
    assert len(shown) == len(expected)
    assert shown["p_holm"].to_numpy() == pytest.approx(shown["p"] * len(comparisons)), "corrected for all"
    assert ranks(list(rivals), comparisons) == {label: (k + 1, k + 1) for k, label in enumerate(best)}


def test_of_fewer_all_are_listed():
    rivals = candidates(ALL_LISTED)
    comparisons = compare(rivals, Ranking(), "higher", {})
    assert len(listed(comparisons, rivals, "higher")) == ALL_LISTED * (ALL_LISTED - 1) // 2


def answers(labels, ids=None):
    labels = np.array(labels)
    second = np.linspace(0.1, 0.9, len(labels))
    ids = np.array([str(k) for k in range(len(labels))]) if ids is None else ids
    return Predictions("test", ids, ids, labels, np.stack([1 - second, second], axis=1), 0)


@pytest.mark.parametrize("test", ["delong", "mcnemar"])
def test_a_named_test_that_cannot_be_asked_has_no_p(test):
    """DeLong's needs two images of each class, both need the same images; a board ends with neither's error."""
    one, other = answers([0] * 9 + [1]), answers([0] * 5 + [1] * 5, np.array([f"x{k}" for k in range(10)]))
    assert math.isnan(_named_pair(test, one, other))
    assert math.isnan(_named_pair(test, one, one)) == (test == "delong")
