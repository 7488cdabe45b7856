"""Copying: a copier must be found, new images of the same distribution must not, and rates must be as stated."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from synthbench_fidelity.functional import authenticity, copies, ct_score, nearest_distance_ratio
from synthbench_fidelity.memorisation import _mann_whitney_z


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def world(rng, train=300, holdout=150, synthetic=200, d=8):
    """Three independent sets of one distribution."""
    return {
        name: rng.normal(size=(n, d))
        for name, n in (("train", train), ("holdout", holdout), ("synthetic", synthetic))
    }


def copied(sets, rng, noise=0.0):
    originals = sets["train"][rng.integers(len(sets["train"]), size=len(sets["synthetic"]))]
    return sets | {"synthetic": originals + noise * rng.normal(size=originals.shape)}


def test_authenticity_by_definition(rng):
    train, synthetic = rng.normal(size=(60, 5)), rng.normal(size=(80, 5))
    among = cdist(train, train) + np.diag(np.full(60, np.inf))
    across = cdist(synthetic, train)
    expected = (across.min(1) > among.min(1)[across.argmin(1)]).mean()
    assert 0 < expected < 1
    assert authenticity(train=train, synthetic=synthetic) == expected


def test_authenticity_of_a_copier_is_zero_and_of_far_images_one(rng):
    sets = world(rng)
    assert authenticity(train=sets["train"], synthetic=sets["train"][::2]) == 0
    assert authenticity(train=sets["train"], synthetic=copied(sets, rng, 0.05)["synthetic"]) < 0.05
    assert authenticity(train=sets["train"], synthetic=sets["synthetic"] + 100) == 1


def test_authenticity_near_duplicated_training_images():
    train = np.array([[0.0], [0.0], [10.0], [11.0]])
    assert authenticity(train=train, synthetic=np.array([[0.0]])) == 0, "0 > 0 is false: a copy all the same"
    assert authenticity(train=train, synthetic=np.array([[0.1]])) == 1


def test_copies_by_definition(rng):
    sets = copied(world(rng), rng, 0.3)
    found = copies(**sets, false_alarm=0.05)
    threshold = np.sort(cdist(sets["holdout"], sets["train"]).min(1))[6]  # floor(.05 x 151) = 7: the 7th
    assert found.threshold == pytest.approx(threshold)
    assert found.count == (cdist(sets["synthetic"], sets["train"]).min(1) < found.threshold).sum()
    assert found.share == found.count / 200
    assert found.expected == pytest.approx(200 * 7 / 151)
    assert found.p_value == pytest.approx(stats.betabinom(200, 7, 144).sf(found.count - 1), abs=1e-9)


def test_a_copier_is_found(rng):
    for noise in (0, 0.1):
        found = copies(**copied(world(rng), rng, noise))
        assert found.count == 200
        assert found.p_value < 1e-50


def test_false_alarms_are_as_rare_as_stated(rng):
    """Of generators that copy nothing; 300 of them, so that the mean is known to a few tenths of its size."""
    found = [copies(**world(rng, 60, 99, 50, 3), false_alarm=0.05) for _ in range(300)]
    assert np.mean([f.share for f in found]) == pytest.approx(0.05, abs=0.008)
    p_values = np.array([f.p_value for f in found])
    for level in (0.05, 0.2, 0.5):
        assert (p_values <= level).mean() <= level + 3 * np.sqrt(level / 300)
    assert copies(**world(rng), false_alarm=0.01).expected == pytest.approx(200 / 151)


def test_a_small_holdout_cannot_promise_a_small_rate(rng):
    assert copies(**world(rng, holdout=99), false_alarm=0.01).threshold > 0
    with pytest.raises(ValueError, match=r"rate of 0\.01 needs at least 99 hold-out images; there are 98"):
        copies(**world(rng, holdout=98), false_alarm=0.01)
    with pytest.raises(ValueError, match="false_alarm must lie"):
        copies(**world(rng), false_alarm=1.5)


def test_no_copies_have_no_significance(rng):
    sets = world(rng)
    found = copies(**(sets | {"synthetic": sets["synthetic"] + 100}))
    assert (found.count, found.p_value) == (0, pytest.approx(1))


@pytest.mark.parametrize("ties", [False, True])
def test_z_is_scipys_mann_whitney(rng, ties):
    first, second = rng.normal(size=30), rng.normal(size=40) + 0.3
    if ties:
        first, second = first.round(), second.round()
    test = stats.mannwhitneyu(first, second, alternative="less", method="asymptotic", use_continuity=False)
    assert _mann_whitney_z(first, second) == pytest.approx(stats.norm.ppf(test.pvalue))
    assert _mann_whitney_z(second, first) == pytest.approx(-_mann_whitney_z(first, second))


def test_ct_of_one_cell_is_z_of_the_distances(rng):
    sets = world(rng)
    near = [cdist(sets[name], sets["train"]).min(1) for name in ("synthetic", "holdout")]
    assert ct_score(**sets, rng=rng, cells=1) == pytest.approx(_mann_whitney_z(*near))


def test_ct_is_the_mean_over_cells_weighted_by_the_holdout(rng):
    """Three clusters far apart, one of them copied, one with too few synthetic images to count."""
    centres = np.array([[0.0, 0], [100, 0], [0, 100]])

    def around(counts):
        return [c + rng.normal(size=(n, 2)) for c, n in zip(centres, counts, strict=True)]

    train, holdout, synthetic = around([50, 50, 50]), around([10, 30, 20]), around([40, 60, 19])
    synthetic[1] = train[1][rng.integers(50, size=60)]
    z = [
        _mann_whitney_z(cdist(s, t).min(1), cdist(h, t).min(1))
        for t, h, s in zip(train, holdout, synthetic, strict=True)
    ]
    found = ct_score(
        train=np.vstack(train), holdout=np.vstack(holdout), synthetic=np.vstack(synthetic), rng=rng, cells=3
    )
    assert found == pytest.approx((10 * z[0] + 30 * z[1]) / 40)


def test_ct_orientation(rng):
    sets = world(rng)
    assert ct_score(**copied(sets, rng), rng=rng) < -5
    assert abs(ct_score(**sets, rng=rng)) < 2.5
    assert ct_score(**(sets | {"synthetic": 3 * sets["synthetic"]}), rng=rng, cells=1) > 5


def test_ct_without_a_cell_that_counts_is_undefined(rng):
    assert np.isnan(ct_score(**world(rng, synthetic=19), rng=rng))
    assert ct_score(**(world(rng) | {"train": np.zeros((9, 8))}), rng=rng, cells=1) is not None


def test_ratio_by_definition(rng):
    """Where the hold-out is as large as the training set, nothing is left to chance but the interval."""
    sets = world(rng, train=150)
    near, far = (np.median(cdist(sets["synthetic"], sets[name]).min(1)) for name in ("train", "holdout"))
    found = nearest_distance_ratio(**sets, rng=rng)
    assert found.value == pytest.approx(near / far)
    assert found.low < found.value < found.high


def test_ratio_of_a_copier(rng):
    found = nearest_distance_ratio(**copied(world(rng, train=150), rng, 0.1), rng=rng)
    assert found.value < 0.3
    assert found.high < 0.6
    assert nearest_distance_ratio(**copied(world(rng, train=150), rng), rng=rng) == (0, 0, 0)


def test_ratio_is_fair_to_unequal_sets(rng):
    """Eight times as many training images lie nearer; the ratio does not take that for copying."""
    found = [nearest_distance_ratio(**world(rng, train=640, holdout=80), rng=rng) for _ in range(30)]
    values, lows, highs = np.array(found).T
    assert values.mean() == pytest.approx(1, abs=0.03)
    assert ((lows <= 1) & (highs >= 1)).mean() >= 0.9


def test_ratio_with_few_images_and_repeats_with_its_seed(rng):
    sets = world(rng, train=3, holdout=2, synthetic=4)
    first, again = (nearest_distance_ratio(**sets, rng=np.random.default_rng(1)) for _ in range(2))
    assert first == again
    assert np.isfinite(first).all()


def test_rotation_and_shift_do_not_matter(rng):
    sets = world(rng)
    turn, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    moved = {name: s @ turn + 3 for name, s in sets.items()}
    assert copies(**moved).count == copies(**sets).count
    no_holdout = [{name: s[name] for name in ("train", "synthetic")} for s in (sets, moved)]
    assert authenticity(**no_holdout[0]) == authenticity(**no_holdout[1])
