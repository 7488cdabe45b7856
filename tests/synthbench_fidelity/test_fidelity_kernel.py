"""The kernel distance against torch-fidelity and a closed form; its interval against simulated truth."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch_fidelity.metric_kid import kid_features_to_metric

from synthbench.influence import Influence
from synthbench.leaderboard.bootstrap import linear_replicates
from synthbench.stats import differences
from synthbench_fidelity.functional import kernel_distance, kernel_distance_interval
from synthbench_fidelity.kernel import kernel_distance_influences


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def expected_kernel(a, b):
    """E (x.y / d + 1)^3 for independent x ~ N(a, I), y ~ N(b, I): from the first three moments of x.y."""
    d, s, size = len(a), a @ b, a @ a + b @ b
    second, third = d + size + s**2, s**3 + 3 * s * size + (3 * d + 6) * s
    return 1 + 3 * s / d + 3 * second / d**2 + third / d**3


def population(a, b):
    return expected_kernel(a, a) + expected_kernel(b, b) - 2 * expected_kernel(a, b)


def by_definition(real, synthetic):
    """The unbiased MMD^2, pair by pair."""

    def kernel(x, y):
        return (x @ y / len(x) + 1) ** 3

    def own(s):
        return np.mean([kernel(x, y) for i, x in enumerate(s) for j, y in enumerate(s) if i != j])

    return own(real) + own(synthetic) - 2 * np.mean([kernel(x, y) for x in real for y in synthetic])


def test_all_pairs_by_definition(rng):
    real, synthetic = rng.normal(size=(9, 4)), rng.normal(size=(7, 4)) + 1
    found = kernel_distance_interval(real=real, synthetic=synthetic)
    assert found.value == pytest.approx(by_definition(real, synthetic), rel=1e-12)


def test_leave_one_out_by_definition(rng):
    """The interval from estimates that were truly computed without each image."""
    real, synthetic = rng.normal(size=(6, 3)), rng.normal(size=(5, 3)) + 1
    no_real = [by_definition(np.delete(real, i, 0), synthetic) for i in range(6)]
    no_synthetic = [by_definition(real, np.delete(synthetic, i, 0)) for i in range(5)]
    error = np.sqrt(5 * np.var(no_real) + 4 * np.var(no_synthetic))
    value, low, high = kernel_distance_interval(real=real, synthetic=synthetic)
    t = 2.7764451051977987  # 97.5 % of Student's t with 4 degrees of freedom
    assert (low, high) == pytest.approx((value - t * error, value + t * error), rel=1e-9)


def test_leaving_out_patients_by_definition(rng):
    """Busing's delete-a-group jackknife, each estimate computed anew."""
    real, synthetic = rng.normal(size=(12, 3)), rng.normal(size=(9, 3)) + 0.5
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7])
    value, low, high = kernel_distance_interval(real=real, synthetic=synthetic, groups=groups)
    without = [kernel_distance_interval(real=real[groups != g], synthetic=synthetic).value for g in range(8)]
    share = 12 / np.bincount(groups)
    pseudo = share * value - (share - 1) * np.array(without)
    centre = 8 * value - np.sum((1 - 1 / share) * np.array(without))
    variance = np.mean((pseudo - centre) ** 2 / (share - 1))
    images = [
        kernel_distance_interval(real=real, synthetic=np.delete(synthetic, i, axis=0)).value for i in range(9)
    ]
    error = np.sqrt(variance + 8 * np.var(images))
    half = stats.t.ppf(0.975, 7) * error
    assert (low, high) == pytest.approx((value - half, value + half))


def test_patients_of_one_image_are_images_and_copies_widen(rng):
    real, synthetic = rng.normal(size=(30, 3)), rng.normal(size=(400, 3)) + 0.5
    by_image = kernel_distance_interval(real=real, synthetic=synthetic)
    assert kernel_distance_interval(real=real, synthetic=synthetic, groups=np.arange(30)) == pytest.approx(
        by_image
    )
    assert kernel_distance_interval(real=real, synthetic=synthetic, groups=np.zeros(30, int)) == by_image
    four = np.repeat(real, 4, axis=0)
    narrow = kernel_distance_interval(real=four, synthetic=synthetic)
    wide = kernel_distance_interval(real=four, synthetic=synthetic, groups=np.repeat(np.arange(30), 4))
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)


def test_equals_torch_fidelity(rng):
    real, synthetic = rng.normal(size=(200, 32)), rng.normal(size=(200, 32)) + 0.2
    options = {"kid_subset_size": 200, "kid_subsets": 1, "rng_seed": 0, "verbose": False}
    pair = torch.from_numpy(real), torch.from_numpy(synthetic)
    theirs = kid_features_to_metric(*pair, **options)["kernel_inception_distance_mean"]
    whole = kernel_distance(real=real, synthetic=synthetic, subsets=1, subset_size=200, rng=rng)
    assert whole == pytest.approx(theirs, rel=1e-10)
    assert kernel_distance_interval(real=real, synthetic=synthetic).value == pytest.approx(theirs, rel=1e-10)


def test_subsets_estimate_what_all_pairs_do(rng):
    real, synthetic = rng.normal(size=(300, 8)), rng.normal(size=(400, 8)) + 1
    some = kernel_distance(real=real, synthetic=synthetic, subsets=200, subset_size=100, rng=rng)
    assert some == pytest.approx(kernel_distance_interval(real=real, synthetic=synthetic).value, rel=0.03)
    seeds = [
        kernel_distance(real=real, synthetic=synthetic, rng=np.random.default_rng(s), subset_size=50)
        for s in (1, 1, 2)
    ]
    assert seeds[0] == seeds[1] != seeds[2]


@pytest.mark.parametrize("subsets", [1, 40])  # one by one; from all pairs made once
def test_subsets_are_those_that_the_generator_draws(subsets, monkeypatch):
    monkeypatch.setattr("synthbench_fidelity.kernel.BLOCK", 64 * 70)  # several blocks
    rng = np.random.default_rng(3)
    real, synthetic = rng.normal(size=(150, 8)), rng.normal(size=(90, 8)) + 0.5
    draws = np.random.default_rng(4)
    pairs = [[draws.choice(n, 30, replace=False) for n in (150, 90)] for _ in range(subsets)]
    alone = [kernel_distance_interval(real=real[i], synthetic=synthetic[j]).value for i, j in pairs]
    options = {"subsets": subsets, "subset_size": 30, "rng": np.random.default_rng(4)}
    assert kernel_distance(real=real, synthetic=synthetic, **options) == pytest.approx(np.mean(alone), rel=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1.0])
def test_unbiased_and_the_interval_covers_the_truth(rng, shift):
    """Near 95 % of intervals, or more where the distributions are equal; about their true centre."""
    a = np.full(8, 0.5)
    b = a + shift / np.sqrt(8)
    truth, n, m, trials = population(a, b), 80, 60, 400
    found = np.array(
        [
            kernel_distance_interval(real=a + rng.normal(size=(n, 8)), synthetic=b + rng.normal(size=(m, 8)))
            for _ in range(trials)
        ]
    )
    value, low, high = found.T
    assert abs(value.mean() - truth) < 3 * value.std() / np.sqrt(trials)
    assert 0.9 <= ((low <= truth) & (truth <= high)).mean() <= (0.98 if shift else 1)


def test_the_spread_over_subsets_would_not_cover(rng):
    """Why there is another interval: subsets of nearly all images hardly differ."""
    real, synthetic = rng.normal(size=(100, 8)), rng.normal(size=(100, 8)) + 0.3
    subsets = [
        kernel_distance(real=real, synthetic=synthetic, subsets=1, subset_size=95, rng=rng) for _ in range(50)
    ]
    _, low, high = kernel_distance_interval(real=real, synthetic=synthetic)
    assert 2 * 1.96 * np.std(subsets) < (high - low) / 2


def test_sides_and_rotation_do_not_matter(rng):
    real, synthetic = rng.normal(size=(60, 16)), rng.normal(size=(50, 16)) + 0.3
    turn, _ = np.linalg.qr(rng.normal(size=(16, 16)))
    expected = kernel_distance_interval(real=real, synthetic=synthetic)
    assert kernel_distance_interval(real=synthetic, synthetic=real) == pytest.approx(expected)
    assert kernel_distance_interval(real=real @ turn, synthetic=synthetic @ turn) == pytest.approx(expected)
    single = kernel_distance_interval(real=real.astype(np.float32), synthetic=synthetic.astype(np.float32))
    assert single == pytest.approx(expected, rel=1e-4)


def test_may_be_negative_and_has_no_pair_of_an_image_with_itself(rng):
    values = [
        kernel_distance_interval(real=rng.normal(size=(20, 8)), synthetic=rng.normal(size=(20, 8))).value
        for _ in range(40)
    ]
    assert min(values) < 0 < max(values)


def test_blocks_do_not_matter(rng, monkeypatch):
    real, synthetic = rng.normal(size=(150, 8)), rng.normal(size=(90, 8))
    expected = kernel_distance_interval(real=real, synthetic=synthetic)
    monkeypatch.setattr("synthbench_fidelity.kernel.BLOCK", 1)
    assert kernel_distance_interval(real=real, synthetic=synthetic) == pytest.approx(expected, rel=1e-9)


def test_mistakes(rng):
    real = rng.normal(size=(5, 3))
    with pytest.raises(ValueError, match="at least 1 subset"):
        kernel_distance(real=real, synthetic=real, subsets=0, rng=rng)
    with pytest.raises(ValueError, match="at least 1 subset of 2"):
        kernel_distance(real=real, synthetic=real, subset_size=1, rng=rng)
    with pytest.raises(ValueError, match="confidence must lie"):
        kernel_distance_interval(real=real, synthetic=real, confidence=95)


GROUPS = np.repeat(np.arange(60), 2)


def patients(rng, shift, d=8):
    """Two images of each of 60 patients, much alike, `shift` off where generators have their mean."""
    own = rng.normal(size=(60, d))
    return 0.7 * own[GROUPS] + 0.714 * rng.normal(size=(len(GROUPS), d)) + shift


def p_of(real, *generators):
    """Of the difference of two generators of one seed each, by the board's test."""
    sides = []
    for synthetic in generators:
        made = kernel_distance_influences(real=real, synthetic=synthetic, groups=GROUPS)
        influence = Influence(np.unique(GROUPS).astype(np.str_), made.real, made.synthetic)
        sides.append((np.array([made.interval.value]), linear_replicates(influence, 0)[None]))
    return differences(sides, [60, 60]).p[0]


@pytest.mark.parametrize(
    ("boards", "shift", "least"),
    [
        (100, 0.5, 0.02),
        pytest.param(1000, 0.5, 0.03, marks=pytest.mark.full),
        # As good as real images: all is degenerate, and the test says less than it might.
        pytest.param(1000, 0.0, 0.0, marks=pytest.mark.full),
    ],
)
def test_equal_generators_are_rarely_told_apart(rng, boards, shift, least):
    p = [p_of(patients(rng, shift), *rng.normal(size=(2, 60, 8))) for _ in range(boards)]
    assert least <= np.mean(np.array(p) < 0.05) <= 0.06


def test_different_ones_are_told_apart(rng):
    """One is half as far from the real images as the other: .25 of a standard deviation in each of 8 features."""
    p = [p_of(patients(rng, 0.5), rng.normal(size=(60, 8)), rng.normal(size=(60, 8)) + 0.25) for _ in range(30)]
    assert np.mean(np.array(p) < 0.05) > 0.8


def test_draws_of_the_real_side_are_common(rng):
    """What a patient does to both generators cancels; their own images do not."""
    real, near = patients(rng, 0.5), rng.normal(size=(60, 8))
    made = kernel_distance_influences(real=real, synthetic=near, groups=GROUPS)
    names = np.unique(GROUPS).astype(np.str_)
    none = np.zeros(60)
    twice = [linear_replicates(Influence(names, made.real, own), 0) for own in (none, none + 1)]
    assert np.array_equal(*twice), "a constant added to all images is no spread"
    assert twice[0].std() == pytest.approx(np.sqrt(np.square(made.real - made.real.mean()).sum()), rel=0.03)
    own = linear_replicates(Influence(names, none, made.synthetic), 0)
    other = linear_replicates(Influence(names, none, made.synthetic[::-1] * 1.0), 0)
    assert abs(np.corrcoef(own, other)[0, 1]) < 0.05


def test_influences_by_definition(rng):
    real, synthetic = rng.normal(size=(12, 3)), rng.normal(size=(9, 3)) + 0.5
    groups = np.array([0, 0, 0, 1, 2, 2, 3, 4, 5, 5, 6, 7])
    made = kernel_distance_influences(real=real, synthetic=synthetic, groups=groups)
    value = by_definition(real, synthetic)
    left = 12 - np.bincount(groups)
    without = [by_definition(real[groups != g], synthetic) for g in range(8)]
    assert made.real == pytest.approx(left / 12 * (value - np.array(without)))
    without = [by_definition(real, np.delete(synthetic, i, 0)) for i in range(9)]
    assert made.synthetic == pytest.approx(8 / 9 * (value - np.array(without)))
