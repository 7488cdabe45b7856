"""Paired tests against hand-computed, published and independent values.

How often they err: test_stats_coverage.py.
"""

import itertools
import math

import numpy as np
import pytest

from synthbench.stats import delong, mcnemar


def answers(both, first, second, neither):
    """Right or not, for two classifiers."""
    table = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0)
    return table.T.astype(bool)


def test_mcnemar_on_agrestis_approval_ratings():
    """794 approve twice, 150 the first time only, 86 the second only, 570 never: z^2 = 64^2 / 236 = 17.36."""
    assert mcnemar(*answers(794, 150, 86, 570)) == pytest.approx(math.erfc(math.sqrt(4096 / 236 / 2)), rel=1e-9)
    assert mcnemar(*answers(794, 150, 86, 570)) == pytest.approx(3.1e-5, rel=0.01)


@pytest.mark.parametrize(("first", "second"), [(9, 3), (3, 9), (1, 0), (12, 12), (24, 0)])
def test_mcnemar_is_exact_below_25(first, second):
    n = first + second
    tail = sum(math.comb(n, k) for k in range(min(first, second) + 1)) / 2**n
    assert mcnemar(*answers(50, first, second, 5)) == pytest.approx(min(1, 2 * tail), rel=1e-9)


def test_mcnemar_without_discordant_pairs():
    assert mcnemar(*answers(10, 0, 0, 3)) == 1


def placements(labels, scores):
    """The definition: each pair counts 1, 1/2 or 0."""
    ones, zeros = scores[labels == 1], scores[labels == 0]
    return np.array([[(x > y) + (x == y) / 2 for y in zeros] for x in ones])


def cohort(n, *, ties, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.r_[0, 0, 1, 1, rng.integers(0, 2, size=n - 4)]
    common = labels + rng.normal(size=n)
    scores = common + rng.normal(size=(2, n))
    return labels, *(np.round(scores) if ties else scores)


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("n", [10, 60])
def test_delong_is_its_definition(n, ties):
    """Sen's structural components by counting pairs, and their covariance as DeLong et al. give it."""
    labels, a, b = cohort(n, ties=ties)
    pairs = [placements(labels, scores) for scores in (a, b)]
    v10, v01 = (np.stack([p.mean(axis=axis) for p in pairs]) for axis in (1, 0))
    s = np.cov(v10) / v10.shape[1] + np.cov(v01) / v01.shape[1]
    aucs = [p.mean() for p in pairs]
    z = (aucs[0] - aucs[1]) / math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    found = delong(labels, a, b)
    assert (found.auc_a, found.auc_b, found.z) == pytest.approx((*aucs, z))
    assert found.p == pytest.approx(math.erfc(abs(z) / math.sqrt(2)))


@pytest.mark.full
def test_delongs_variance_is_near_the_jackknifes():
    """Leaving out each positive and each negative in turn (two samples: their variances add up)."""
    labels, a, b = cohort(120, ties=False)

    def gap(kept):
        return placements(labels[kept], a[kept]).mean() - placements(labels[kept], b[kept]).mean()

    variance = 0.0
    for k in (0, 1):
        members = np.flatnonzero(labels == k)
        left = np.array([gap(np.arange(120) != i) for i in members])
        variance += (len(left) - 1) / len(left) * np.square(left - left.mean()).sum()
    found = delong(labels, a, b)
    assert (found.auc_a - found.auc_b) / found.z == pytest.approx(math.sqrt(variance), rel=1e-6)


def test_delong_is_symmetric_and_ignores_monotone_scales():
    labels, a, b = cohort(80, ties=False)
    there, back, bent = delong(labels, a, b), delong(labels, b, a), delong(labels, np.exp(a), b)
    assert (there.z, there.p) == pytest.approx((-back.z, back.p))
    assert there == bent


def test_delong_of_the_same_scores():
    labels, a, _ = cohort(30, ties=True)
    assert delong(labels, a, a) == delong(labels, a, 2 * a)
    assert (delong(labels, a, a).z, delong(labels, a, a).p) == (0, 1)


def test_delong_without_variance():
    labels = np.array([0, 0, 1, 1])
    found = delong(labels, labels, -labels)
    assert (found.auc_a, found.auc_b, found.z, found.p) == (1, 0, math.inf, 0)


@pytest.mark.parametrize("labels", list(itertools.islice(itertools.product([0, 1], repeat=3), 8)))
def test_delong_needs_two_of_each_class(labels):
    with pytest.raises(ValueError, match="two images of each class"):
        delong(np.array(labels), np.arange(3.0), np.arange(3.0))
