"""The Fréchet distance against torch-fidelity, pytorch-fid, scipy's matrix root and closed forms."""

import numpy as np
import pytest
from pytorch_fid.fid_score import calculate_frechet_distance
from scipy import linalg
from torch_fidelity.metric_fid import fid_statistics_to_metric

from synthbench_fidelity.frechet import _influence
from synthbench_fidelity.functional import (
    frechet_distance,
    frechet_distance_from_statistics,
    frechet_distance_infinity,
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def correlated(rng, n, d, shift=0.0):
    return rng.normal(size=(n, d)) @ (rng.normal(size=(d, d)) * np.geomspace(1, 1e-2, d)) + shift


def statistics(real, synthetic):
    return {
        "mean_real": real.mean(0),
        "cov_real": np.cov(real, rowvar=False),
        "mean_synthetic": synthetic.mean(0),
        "cov_synthetic": np.cov(synthetic, rowvar=False),
    }


def test_equals_the_independent_packages_and_the_matrix_root(rng):
    real, synthetic = correlated(rng, 900, 64), correlated(rng, 700, 64, 0.3)
    given = statistics(real, synthetic)
    m1, s1, m2, s2 = given.values()
    root = np.trace(linalg.sqrtm(s1 @ s2)).real
    expected = (m1 - m2) @ (m1 - m2) + np.trace(s1) + np.trace(s2) - 2 * root
    ours = frechet_distance_from_statistics(**given)
    assert ours == pytest.approx(expected, rel=1e-9)
    assert ours == pytest.approx(calculate_frechet_distance(m1, s1, m2, s2), rel=1e-9)
    theirs = fid_statistics_to_metric({"mu": m1, "sigma": s1}, {"mu": m2, "sigma": s2}, verbose=False)
    assert ours == pytest.approx(theirs["frechet_inception_distance"], rel=1e-9)
    assert frechet_distance(real=real, synthetic=synthetic) == pytest.approx(ours, rel=1e-9)


def test_unit_shift_in_2048_dimensions():
    """FACTS: exactly 2048 for means 0 and 1, S = I."""
    d = 2048
    zero, one, identity = np.zeros(d), np.ones(d), np.eye(d)
    found = frechet_distance_from_statistics(
        mean_real=zero, cov_real=identity, mean_synthetic=one, cov_synthetic=identity
    )
    assert found == pytest.approx(d, rel=1e-12)


def test_diagonal_covariances_have_a_closed_form(rng):
    a, b, shift = rng.uniform(0.1, 3, 20), rng.uniform(0.1, 3, 20), rng.normal(size=20)
    found = frechet_distance_from_statistics(
        mean_real=np.zeros(20), cov_real=np.diag(a), mean_synthetic=shift, cov_synthetic=np.diag(b)
    )
    assert found == pytest.approx(shift @ shift + ((np.sqrt(a) - np.sqrt(b)) ** 2).sum(), rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(40, 30), (30, 200), (200, 30), (64, 65)])
def test_few_images_agree_with_their_singular_statistics(rng, n, m):
    """N <= D takes another way: products of images instead of covariances."""
    real, synthetic = rng.normal(size=(n, 64)), rng.normal(size=(m, 64)) + 0.5
    given = statistics(real, synthetic)
    product = np.linalg.eigvals(given["cov_real"] @ given["cov_synthetic"])
    shift = given["mean_real"] - given["mean_synthetic"]
    traces = np.trace(given["cov_real"]) + np.trace(given["cov_synthetic"])
    expected = shift @ shift + traces - 2 * np.sqrt(product.real.clip(0)).sum()
    assert frechet_distance(real=real, synthetic=synthetic) == pytest.approx(expected, rel=1e-5)
    assert frechet_distance_from_statistics(**given) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("dead", [0, 1, 40])
@pytest.mark.parametrize("n", [20, 300])
def test_identical_sets_are_exactly_zero(rng, n, dead):
    """As whole numbers: neither 1e-13 nor -0.0; with features that are constant, too."""
    real = rng.normal(size=(n, 64)) * 1e3
    real[:, :dead] = 7
    for found in (
        frechet_distance(real=real, synthetic=real.copy()),
        frechet_distance_from_statistics(**statistics(real, real)),
    ):
        assert found == 0
        assert not np.signbit(found)


@pytest.mark.parametrize("n", [20, 300])
def test_never_nan_nor_negative_on_singular_covariances(rng, n):
    real = np.repeat(rng.normal(size=(n, 8)), 4, axis=1)
    for synthetic in (real[::-1], real + 1e-9, np.zeros_like(real), np.full_like(real, 3), real[:2]):
        for found in (
            frechet_distance(real=real, synthetic=synthetic),
            frechet_distance_from_statistics(**statistics(real, synthetic)),
        ):
            assert np.isfinite(found)
            assert found >= 0
            assert not np.signbit(found)


def test_order_sides_rotation_and_shift_do_not_matter_and_scale_is_squared(rng):
    real, synthetic = correlated(rng, 300, 32), correlated(rng, 200, 32, 0.5)
    expected = frechet_distance(real=real, synthetic=synthetic)
    turn, _ = np.linalg.qr(rng.normal(size=(32, 32)))
    shuffled = rng.permutation(synthetic)
    assert frechet_distance(real=real, synthetic=shuffled) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(real=synthetic, synthetic=real) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(real=real @ turn, synthetic=synthetic @ turn) == pytest.approx(expected, rel=1e-10)
    assert frechet_distance(real=real + 50, synthetic=synthetic + 50) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(real=3 * real, synthetic=3 * synthetic) == pytest.approx(9 * expected, rel=1e-10)


def test_single_precision_features_are_computed_in_double(rng):
    real, synthetic = (correlated(rng, 200, 32).astype(np.float32) for _ in range(2))
    single = frechet_distance(real=real, synthetic=synthetic)
    assert single == frechet_distance(real=real.astype(np.float64), synthetic=synthetic.astype(np.float64))


def test_collapse_is_far(rng):
    real = rng.normal(size=(200, 16))
    near = frechet_distance(real=real, synthetic=rng.normal(size=(200, 16)))
    assert frechet_distance(real=real, synthetic=np.repeat(real[:1], 200, axis=0)) > 10 * near


def test_infinity_takes_the_bias_of_n_away(rng):
    """Equal distributions: FD at N = 300 is all bias, its extrapolation near 0."""
    real = rng.normal(size=(20000, 24))
    synthetic = [rng.normal(size=(300, 24)) for _ in range(6)]
    biased = np.mean([frechet_distance(real=real, synthetic=s) for s in synthetic])
    found = [frechet_distance_infinity(real=real, synthetic=s, rng=rng).value for s in synthetic]
    assert biased > 0.5
    assert abs(np.mean(found)) < 0.15 * biased


def test_infinity_is_the_intercept_of_the_line(rng):
    real, synthetic = rng.normal(size=(200, 8)), rng.normal(size=(100, 8)) + 1
    draws = np.random.default_rng(5)
    subsets = [synthetic[draws.choice(100, size, replace=False)] for size in (50, 75, 100)]
    distances = [frechet_distance(real=real, synthetic=subset) for subset in subsets]
    line = frechet_distance_infinity(real=real, synthetic=synthetic, rng=np.random.default_rng(5), points=3)
    assert line.value == pytest.approx(np.polyfit([1 / 50, 1 / 75, 1 / 100], distances, 1)[1])


def test_the_interval_holds_the_truth_and_patients_widen_it(rng):
    """Each real image twice: to the formula 200 images, in truth 100 patients."""
    root = rng.normal(size=(12, 12))
    truth = frechet_distance_from_statistics(
        mean_real=np.zeros(12),
        cov_real=root.T @ root,
        mean_synthetic=np.ones(12),
        cov_synthetic=2 * root.T @ root,
    )
    held = 0
    for _ in range(20):
        real, synthetic = rng.normal(size=(600, 12)) @ root, np.sqrt(2) * rng.normal(size=(100, 12)) @ root + 1
        _, low, high = frechet_distance_infinity(real=real, synthetic=synthetic, rng=rng, points=6)
        held += low < truth < high
    assert held >= 17
    twice, far = np.repeat(real[:100], 2, axis=0), rng.normal(size=(4000, 12)) @ root + 1
    seed = {"rng": np.random.default_rng(0), "points": 4}
    by_image = frechet_distance_infinity(real=twice, synthetic=far, **seed)
    seed = {"rng": np.random.default_rng(0), "points": 4}
    by_patient = frechet_distance_infinity(real=twice, synthetic=far, groups=np.arange(200) // 2, **seed)
    assert by_patient.value == by_image.value
    assert by_patient.high - by_patient.low > 1.25 * (by_image.high - by_image.low)


def test_influence_is_the_derivative(rng):
    """Of FD by the weight of one image, taken from weighted means and covariances."""
    features, others = correlated(rng, 60, 5), correlated(rng, 80, 5, 0.2)

    def weighted(weights):
        mean = np.average(features, axis=0, weights=weights)
        spread = np.cov(features.T, aweights=weights, ddof=0) * 60 / 59
        given = statistics(features, others) | {"mean_real": mean, "cov_real": spread}
        return frechet_distance_from_statistics(**given)

    influence = _influence(features, others) / 60
    step, weights = 1e-4, np.ones(60)
    for place in (0, 17):
        bump = step * (np.arange(60) == place)
        slope = (weighted(weights + bump) - weighted(weights - bump)) / (2 * step)
        assert influence[place] == pytest.approx(slope, abs=0.02 * np.abs(influence).max())  # N or N - 1


def test_infinity_repeats_with_its_seed(rng):
    real, synthetic = rng.normal(size=(60, 8)), rng.normal(size=(50, 8))
    first, again, other = (
        frechet_distance_infinity(real=real, synthetic=synthetic, rng=np.random.default_rng(seed), points=4)
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.mark.parametrize("options", [{"points": 2}, {"smallest": 1}, {"smallest": 50}])
def test_infinity_needs_a_line(rng, options):
    real = rng.normal(size=(50, 4))
    with pytest.raises(ValueError, match="a line needs"):
        frechet_distance_infinity(real=real, synthetic=real, rng=rng, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"cov_real": np.ones((3, 2))}, "real: a mean"),
        ({"mean_synthetic": np.zeros(2), "cov_synthetic": np.eye(2)}, "3 and 2"),
        ({"cov_synthetic": np.full((3, 3), np.nan)}, "synthetic: the statistics hold NaN"),
        ({"cov_real": np.triu(np.ones((3, 3)))}, "not symmetric"),
        ({"cov_real": -np.eye(3)}, "negative variance"),
    ],
)
def test_bad_statistics_are_named(change, message):
    good = {
        "mean_real": np.zeros(3),
        "cov_real": np.eye(3),
        "mean_synthetic": np.zeros(3),
        "cov_synthetic": np.eye(3),
    }
    with pytest.raises(ValueError, match=message):
        frechet_distance_from_statistics(**(good | change))


@pytest.mark.parametrize("n", [20, 300])
def test_many_rows_are_gone_through_in_blocks(rng, monkeypatch, n):
    real, synthetic = (correlated(rng, m, 32, shift).astype(np.float32) for m, shift in ((500, 0), (n, 0.2)))

    def numbers():
        # Of a singular covariance the influence hangs on what rounding leaves of the directions that it lacks.
        influence = _influence(real, synthetic) if n > 32 else []
        return [frechet_distance(real=real, synthetic=synthetic), *influence]

    at_once = numbers()
    monkeypatch.setattr("synthbench_fidelity.frechet.ROWS", 64)
    assert numbers() == pytest.approx(at_once, rel=1e-7, abs=1e-9)  # the root of an eigenvalue that is 0
